//! What BPF programs keep in sockets is shown to who may see it; others see the sockets.

use crate::lab::{
    namespace::Namespace,
    process::Script,
    program::{Run, SOCKEYE, public_copy},
    requirement::{require_live, require_made},
};
use serde_json::{Value, json};
use std::{os::unix::process::CommandExt, process::Command};

#[test]
fn what_a_map_keeps_in_a_socket_is_told_or_said_to_be_hidden() {
    if !require_live(&["ip", "python3", "install"]) {
        return;
    }
    let namespace = Namespace::quick();
    let mut python = Command::new("python3");
    let (_script, line) =
        Script::start(&namespace, python.args(["-c", include_str!("storages.py")]));
    let told: (Option<u64>, u16, u16) = serde_json::from_str(&line).unwrap();
    let (number, keeps, empty) = told;
    if !require_made(number.is_some(), "BPF_MAP_TYPE_SK_STORAGE") {
        return;
    }
    let ask = |arguments: &[&str]| {
        Run::of(namespace.output(Command::new(SOCKEYE).args(["-tl", "--bpf-maps"]).args(arguments)))
    };
    let document: Value = serde_json::from_str(&ask(&["--json"]).stdout).unwrap();
    let of = |document: &Value, port: u16| {
        let rows = document["sockets"].as_array().unwrap();
        rows.iter().find(|row| row["local"]["port"] == port).unwrap()["bpf_maps"].clone()
    };
    assert_eq!(document["warnings"], json!([]));
    assert_eq!(of(&document, keeps), json!([{"map_id": number, "value_hex": "deadbeef"}]));
    assert_eq!(of(&document, empty), Value::Null);
    let table = ask(&["-H", "bpf_maps > 0"]).stdout;
    assert!(table.contains(&format!(":{keeps} {}", number.unwrap())), "{table}");
    assert_eq!(table.lines().count(), 1, "{table}");

    // Without CAP_BPF the kernel refuses the whole dump that asks for it.
    let (_directory, copy) = public_copy(SOCKEYE);
    for filter in [&[][..], &["mark = 0 or sport > :1"]] {
        let mut nobody = Command::new(&copy);
        nobody.args(["-tl", "--bpf-maps", "--json"]).args(filter).uid(65_534).gid(65_534);
        let run = Run::of(namespace.output(&mut nobody));
        assert_eq!(run.code, 0, "{run:?}");
        let hidden: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(hidden["source"], json!({"kind": "netlink", "fallback_reason": null}));
        assert_eq!(hidden["warnings"][0]["code"], "storages-hidden", "{run:?}");
        assert_eq!(hidden["sockets"].as_array().unwrap().len(), 2);
        assert_eq!(of(&hidden, keeps), Value::Null);
    }
}
