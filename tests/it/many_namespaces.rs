//! Many namespaces with all their sockets: lists, counts and diagnoses are those of ss in each, and
//! those of sockeye in each alone.

use crate::lab::{
    namespace::Namespace,
    process::Script,
    program::{Document, Key, Run, SOCKEYE, sockeye},
    requirement::require_live,
    ss,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// States the doctor counts, by its names and ours.
const FIGURES: [(&str, &str); 6] = [
    ("established", "ESTABLISHED"),
    ("time_wait", "TIME_WAIT"),
    ("close_wait", "CLOSE_WAIT"),
    ("syn_sent", "SYN_SENT"),
    ("syn_rcvd", "SYN_RCVD"),
    ("listen", "LISTEN"),
];

/// Sockets by namespace.
type Rows = BTreeMap<String, Vec<ss::Listed>>;

#[test]
fn twenty_namespaces_are_told_as_ss_tells_each_and_as_each_alone_is_told() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let namespaces: Vec<Namespace> = (0..20).map(|_| Namespace::new()).collect();
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("many_namespaces.py")]);
    python.args(namespaces.iter().map(Namespace::name));
    let (_script, _) = Script::start(&namespaces[0], &mut python);
    let told: Rows =
        namespaces.iter().map(|n| (n.name().to_owned(), ss::rows(n, &["-a"]))).collect();
    assert!(told.values().all(|rows| rows.len() > 40), "{told:?}");

    let listed = by_namespace(&everywhere("-tuan --json").document(), &told);
    assert_eq!(listed, told);

    let summary = json(&everywhere("summary --json"));
    for (name, rows) in &told {
        assert_eq!(summed(&summary, name), counted(rows), "{name}");
    }

    // One that is well, two with ends of connections, and the one with a program that does not accept.
    let some = [0, 1, 2, 7].map(|at| &namespaces[at]);
    let doctor = "doctor --interval 0.2 --json --fail-on never";
    let alone = || some.map(|namespace| json(&sockeye(namespace, doctor)));
    let before = alone();
    let run = everywhere(doctor);
    assert_eq!(run.code, 0, "{run:?}");
    let document = json(&run);
    let each = document["namespaces"].as_array().unwrap();
    let of = |name: &str| {
        let own: Vec<&Value> = each.iter().filter(|one| one["netns"]["name"] == name).collect();
        assert_eq!(own.len(), 1, "{name}");
        own[0]
    };
    for (name, rows) in &told {
        let counted = counted(rows);
        for (figure, state) in FIGURES {
            let number = counted.get(&("tcp".to_owned(), state.to_owned())).copied().unwrap_or(0);
            assert_eq!(of(name)["figures"][figure], number, "{figure} of {name}");
        }
    }
    for ((namespace, before), after) in some.iter().zip(before).zip(alone()) {
        let among = of(namespace.name());
        // What lasts is found once it has lasted.
        let found = [&before, among, &after].map(findings);
        let grows = found.is_sorted_by(BTreeSet::is_subset);
        assert!(grows, "{}: {found:?}", namespace.name());
        assert_eq!(skipped(among), skipped(&after), "{}", namespace.name());
    }
    let ill = findings(of(namespaces[7].name()));
    assert!(ill.iter().any(|finding| finding.contains("7500")), "{ill:?}");
    assert!(!findings(of(namespaces[0].name())).iter().any(|finding| finding.contains("7500")));
}

/// Runs sockeye outside of every namespace of the test, over all of them.
fn everywhere(arguments: &str) -> Run {
    let mut command = Command::new(SOCKEYE);
    command.arg("--all-netns").args(arguments.split_whitespace());
    Run::of(command.output().unwrap())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// The rows of a list, of the namespaces that are asked for, sorted.
fn by_namespace(document: &Document, asked: &Rows) -> Rows {
    let mut rows = Rows::new();
    for row in &document.sockets {
        if let Some(name) = row.netns.name.as_ref().filter(|name| asked.contains_key(*name)) {
            rows.entry(name.clone()).or_default().push((row.key(), row.inode));
        }
    }
    for rows in rows.values_mut() {
        rows.sort();
    }
    rows
}

/// How many sockets of each protocol and state there are.
type Counts = BTreeMap<(String, String), u64>;

fn counted(rows: &[ss::Listed]) -> Counts {
    let mut counts = Counts::new();
    for (Key { protocol, state, .. }, _) in rows {
        *counts.entry((protocol.clone(), state.clone())).or_default() += 1;
    }
    counts
}

/// The same of a summary. Other families are the kernel's own and those of who asks.
fn summed(summary: &Value, name: &str) -> Counts {
    let mut counts = Counts::new();
    let own = summary["counts"].as_array().unwrap().iter();
    for count in own.filter(|count| count["netns"]["name"] == name) {
        let (protocol, state) = (count["protocol"].as_str(), count["state"].as_str());
        let key = (protocol.unwrap().to_owned(), state.unwrap().to_owned());
        if ["tcp", "udp"].contains(&key.0.as_str()) {
            *counts.entry(key).or_default() += count["count"].as_u64().unwrap();
        }
    }
    counts
}

/// Findings about the namespace and what is in it, each with whom it is about; how severe they are
/// grows with their age. What is found of the machine is found in every namespace, and differs from
/// moment to moment.
fn findings(diagnosis: &Value) -> BTreeSet<String> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    let own = findings.filter(|finding| finding["subject_kind"] != "host");
    own.map(|f| format!("{} {}", f["id"], f["subject"])).collect()
}

/// Rules that could not be judged.
fn skipped(diagnosis: &Value) -> BTreeSet<&str> {
    let checked = diagnosis["checked"].as_array().unwrap().iter();
    let skipped = checked.filter(|rule| rule["status"] == "skipped");
    skipped.map(|rule| rule["id"].as_str().unwrap()).collect()
}
