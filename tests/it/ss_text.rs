//! `--format ss` is the text of ss: both run side by side, with dozens of switches. Filters are in
//! `differential`.

use crate::{
    lab::{
        beside_ss::{Zoo, agree, families, has_ss, masked, ours, text},
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        program::{Run, SOCKEYE},
        requirement::{require_live, require_made},
    },
    states::Workload,
};
use std::process::Command;

/// Switches of ss, in the combinations people type and some they do not.
const SWITCHES: &[&str] = &[
    "-tan",
    "-tln",
    "-tulpn",
    "-tanp",
    "-tane",
    "-tano",
    "-tani",
    "-tanm",
    "-tn",
    "-un",
    "-uan",
    "-tuan",
    "-tua",
    "-ta",
    "-tl",
    "-ul",
    "-tai",
    "-tanO",
    "-tanH",
    "-tanHO",
    "-tulpnoemi",
    "-tie",
    "-tine",
    "-tanieO",
    "-tanmiO",
    "-tanemiOH",
    "-tuanpe",
    "-tuanpemO",
    "-tanpi",
    "-tanoO",
    "-4tan",
    "-6tan",
    "-6tuanpe",
    "-4uanm",
    "-tanT",
    "-tanpTe",
    "-tanTO",
    "-luntp",
    "-tanb",
    "-tan --tos",
    "-tane --tos",
    "-tuan --tos -p",
    "-tan --cgroup",
    "-tane --cgroup",
    "-tan --inet-sockopt",
    "-tuanO --inet-sockopt",
    "-tuane --tos --cgroup --inet-sockopt -m",
    "-tuanm",
    "-uam",
    "-tan state time-wait",
    "-tan state established",
    "-tan state connected",
    "-t state all",
    "-uan state unconnected",
    "-tuan state established",
    "-tuane state listening",
    "-tan exclude listening",
    "-tanp sport = :9012",
    "-tuan dst 127.0.0.1",
    "-tai dport = :8080",
    "-Htn dst 203.0.113.1",
    "-tn dst 203.0.113.1",
    "-tuao",
    "-tanH state syn-sent",
];

#[test]
fn the_text_of_every_switch_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    for line in SWITCHES {
        // The key of a signed connection is printed by ss, in front of everything.
        let shows_keys = line.split(' ').any(|word| word.starts_with('-') && word.contains('i'));
        let mut words: Vec<&str> = line.split(' ').collect();
        if shows_keys && zoo.made["md5"] == true && !line.contains("port") && !line.contains("--") {
            words.extend(["sport", "!=", ":9008"]);
        }
        agree(&zoo.namespace, &words);
    }
}

#[test]
fn the_text_of_every_state_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let workload = Workload::new();
    workload.settle();
    for line in ["-tuan", "-tuane", "-tuanpo", "-tani", "-tuanemiO", "-tan state fin-wait-2"] {
        agree(&workload.link.near, &line.split(' ').collect::<Vec<_>>());
    }
}

/// What a program writes to a terminal so wide.
fn on_terminal(namespace: &Namespace, columns: u16, command: &str) -> String {
    let line = format!("stty cols {columns} rows 24; {command}");
    let done = namespace.output(Command::new("script").args(["-qec", &line, "/dev/null"]));
    Run::of(done).stdout
}

#[test]
fn on_a_terminal_columns_are_spread_as_ss_spreads_them() {
    if !has_ss() || !require_live(&["script", "stty"]) {
        return;
    }
    let zoo = Zoo::new();
    for columns in [40, 61, 80, 117, 200] {
        for switches in ["-tuln", "-tuanp", "-tuanH", "-tanm", "-tan dst 203.0.113.1"] {
            let theirs = on_terminal(&zoo.namespace, columns, &format!("ss {switches}"));
            let ours = format!("{SOCKEYE} {switches} --format ss");
            let ours = on_terminal(&zoo.namespace, columns, &ours);
            assert_eq!(ours, theirs, "{switches} in {columns} columns");
        }
    }
}

#[test]
fn the_text_of_other_families_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let (namespace, _script) = families();
    for line in [
        "-xa",
        "-x",
        "-xl",
        "-xan",
        "-xanp",
        "-xam",
        "-xanO",
        "-xaH",
        "-x state established",
        "-A u_str -an",
        "-A u_dgr,u_seq -an",
        "-0an",
        "-0a",
        "-0",
        "-0anemb",
        "-0anbO",
        "-0anp",
        "-wan",
        "-wane",
        "-wa",
        "-wanp",
        "-Man",
        "-Manemi",
        "-Mai",
        "-tuxwan",
        "-tuxa",
    ] {
        agree(&namespace, &line.split(' ').collect::<Vec<_>>());
    }
    // The device of a path is not where ss splits it; with it the width of the column changes.
    let without_device = |text: String| -> Vec<String> {
        let words = |line: &str| -> Vec<String> {
            let words = line.split_whitespace().filter(|word| !word.starts_with("dev:"));
            words.map(str::to_owned).collect()
        };
        text.lines().map(|line| words(line).join(" ")).collect()
    };
    for words in [["-xane"], ["-xae"]] {
        let theirs = without_device(text(&namespace, "ss", &words));
        assert_eq!(without_device(ours(&namespace, &words)), theirs, "{words:?}");
        assert!(theirs.iter().any(|line| line.contains(" peers: ")), "{theirs:?}");
    }
    // ss tells a netlink socket with groups twice, as the kernel does; and both see themselves.
    let netlink = |text: String| -> Vec<String> {
        let is_other = |line: &&str| !line.contains("tcpdiag:") && !line.contains(" 4:");
        let mut lines: Vec<String> =
            text.lines().filter(is_other).map(|line| line.trim_end().replace("  ", "")).collect();
        lines.sort();
        lines.dedup();
        lines
    };
    for line in ["-f netlink -an", "-f netlink -ane", "-f netlink -a"] {
        let words: Vec<&str> = line.split(' ').collect();
        let theirs = netlink(text(&namespace, "ss", &words));
        assert_eq!(netlink(ours(&namespace, &words)), theirs, "{words:?}");
    }
}

#[test]
fn the_summary_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    // `TCP` and `closed` count the whole host, where other tests come and go.
    let host = |text: String| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("TCP: ")).map(str::to_owned).collect()
    };
    // Connections of the zoo end by themselves: the same is counted when nothing changes between.
    let agree = || host(ours(&zoo.namespace, &["-s"])) == host(text(&zoo.namespace, "ss", &["-s"]));
    assert!(eventually(PATIENCE, agree), "{}", ours(&zoo.namespace, &["-s"]));
    let follows = eventually(PATIENCE, || {
        let both = ours(&zoo.namespace, &["-s", "-tan"]);
        both.starts_with("Total: ") && both.ends_with(&ours(&zoo.namespace, &["-tan"]))
    });
    assert!(follows, "no listing behind the figures");
}

#[test]
fn no_key_is_ever_printed() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    if !require_made(zoo.made["md5"] == true, "TCP_MD5SIG") {
        return;
    }
    let words = ["-tani", "sport", "=", ":9008"];
    let theirs = text(&zoo.namespace, "ss", &words);
    let ours = ours(&zoo.namespace, &words);
    // ss puts it in front of the headings.
    assert_eq!(theirs.strip_prefix("TOPSECRET").map(masked), Some(masked(&ours)));
    assert!(ours.contains(" md5keys:10.1.2.3/32="), "{ours}");
    for form in ["json", "ndjson", "csv", "table"] {
        let columns = ["-tani", "--columns", "local,md5", "--format", form];
        let shown = text(&zoo.namespace, SOCKEYE, &columns);
        assert!(shown.contains("10.1.2.3") && !shown.contains("SECRET"), "{shown}");
    }
    let whole = text(&zoo.namespace, SOCKEYE, &["-tani", "--json"]);
    assert!(whole.contains(r#""md5":[{"address":"10.1.2.3","prefix_length":32}]"#), "{whole}");
    assert!(!whole.contains("SECRET"));
}
