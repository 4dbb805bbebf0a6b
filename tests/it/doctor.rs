//! `sockeye doctor` on trees and recordings: exit codes, choice of rules, the config file.

use crate::{
    fixture::{Line, Tree},
    lab::{namespace::Namespace, requirement::require_live, transport::listener},
    program::run,
};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// A host with a connection that its program has not closed, as /proc tells it.
fn tree() -> Tree {
    Tree::with_tcp(&Line { state: 0x0A, local: "0.0.0.0:80", inode: 7, ..Line::default() }.text())
        .file("net/snmp", "Tcp: ActiveOpens\nTcp: 5\n")
        .file("net/netstat", "TcpExt: ListenDrops\nTcpExt: 9\n")
        .file("net/sockstat", "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0\n")
        .file("sys/fs/file-nr", "1000\t0\t2000000\n")
}

fn on(tree: &Tree, words: &str) -> crate::program::Ended {
    let own = ["doctor", "--interval", "0.1", "--proc-root", tree.path()];
    run(own.into_iter().chain(words.split_whitespace()))
}

#[test]
fn a_healthy_host_gets_at_most_fifteen_lines_and_ends_with_a_limit() {
    // That this tree tells little is a notice of its own.
    let ended = on(&tree(), "--skip visibility-limited");
    assert_eq!(ended.code, Some(0), "{ended}");
    let lines = ended.lines();
    assert!(lines.len() <= 15, "{ended}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{ended}");
    assert!(ended.text().contains("No problem found."), "{ended}");
    assert!(lines.last().unwrap().starts_with("Nearest to its end: "), "{ended}");
}

#[test]
fn a_named_rule_that_cannot_be_judged_is_exit_code_3() {
    // /proc tells no limit of a queue.
    let ended = on(&tree(), "--only accept-queue-overflow --json");
    assert_eq!(ended.code, Some(3), "{ended}");
    let checked = ended.json()["checked"].clone();
    assert_eq!(checked[0]["status"], "skipped");
    assert!(checked[0]["reason"].as_str().unwrap().contains("/proc/net"), "{checked}");
    assert_eq!(on(&tree(), "--skip accept-queue-overflow").code, Some(0));
}

#[test]
fn a_rule_that_does_not_exist_is_a_usage_error_with_the_nearest() {
    let ended = on(&tree(), "--only accept-queue-overflo");
    assert_eq!(ended.code, Some(64), "{ended}");
    assert!(ended.to_string().contains("accept-queue-overflow"), "{ended}");
}

#[test]
fn a_config_file_with_a_mistake_says_where() {
    let tree = tree()
        .file("good.toml", "[rules.close-wait-leak]\nage_s = 5\n")
        .file("bad.toml", "\n[rules.close-wait-leak]\nage = 5\n");
    let path = |name: &str| format!("--config {}/{name}", tree.path());
    assert_eq!(on(&tree, &path("good.toml")).code, Some(0));
    let ended = on(&tree, &path("bad.toml"));
    assert_eq!(ended.code, Some(64), "{ended}");
    assert!(ended.to_string().contains("close-wait-leak has no threshold `age`"), "{ended}");
    let absent = on(&tree, &path("absent.toml"));
    assert_eq!(absent.code, Some(3), "{absent}");
}

#[test]
fn a_monitor_gets_one_line_with_perfdata() {
    let ended = on(&tree(), "--format nagios");
    let line = ended.text();
    assert_eq!(line.lines().count(), 1, "{line}");
    let (said, figures) = line.split_once(" | ").unwrap();
    assert!(said.starts_with("SOCKEYE OK - "), "{line}");
    for figure in figures.split_whitespace() {
        let (name, value) = figure.split_once('=').unwrap();
        assert!(!name.is_empty() && value.starts_with(|c: char| c.is_ascii_digit()), "{figure}");
    }
    assert!(figures.contains("listen=1;"), "{figures}");
}

#[test]
fn rounds_of_a_watch_are_documents() {
    let ended = on(&tree(), "--ndjson --watch=0.1 --times 2");
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.lines().len(), 2, "{ended}");
}

/// A namespace with a listener that has more connections waiting than it wants.
fn stuck() -> (Namespace, TcpListener, Vec<TcpStream>) {
    let namespace = Namespace::new();
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 7301));
    let (listener, clients) = namespace.run(|| {
        let listener = listener(at, 1);
        (listener, (0..2).map(|_| TcpStream::connect(at).unwrap()).collect())
    });
    (namespace, listener.into(), clients)
}

#[test]
fn every_namespace_is_diagnosed_and_named() {
    if !require_live(&["ip"]) {
        return;
    }
    let (blue, _listener, _clients) = stuck();
    let well = Namespace::new();
    let everywhere = |words: &str| {
        let own = ["doctor", "--all-netns", "--interval", "0.3", "--only", "accept-queue-overflow"];
        run(own.into_iter().chain(words.split_whitespace()))
    };
    let ended = everywhere("--json");
    assert_eq!(ended.code, Some(2), "{ended}");
    let document = ended.json();
    assert_eq!(document["schema"], "sockeye.namespaces/1");
    assert_eq!(document["report"], "sockeye.doctor/1");
    let of = |name: &str| {
        let all = document["namespaces"].as_array().unwrap();
        all.iter().find(|one| one["netns"]["name"] == name).unwrap().clone()
    };
    assert_eq!(of(blue.name())["verdict"], "critical");
    assert_eq!(of(blue.name())["findings"][0]["id"], "accept-queue-overflow");
    assert_eq!(of(well.name())["findings"].as_array().unwrap().len(), 0);
    let page = everywhere("").text();
    let heading = format!("netns {}\n", blue.name());
    assert!(page.contains(&heading), "{page}");
    assert!(page.contains("No problem found in "), "{page}");
    assert!(!page.contains(&format!("netns {}\n", well.name())), "{page}");
    let line = everywhere("--format nagios").text();
    assert_eq!(line.lines().count(), 1, "{line}");
    // Beside it there may be namespaces of other tests with the same finding.
    assert!(line.starts_with("SOCKEYE CRITICAL - in "), "{line}");
}

/// One look is enough for what has stood for a minute; the page stays 80 columns wide.
#[test]
fn the_overview_ends_with_the_worst_that_the_doctor_finds() {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/unclosed/snapshot.gz");
    let page = run(["--from", recorded]).text();
    let worst: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("Worst")).collect();
    let text = worst.join(" ");
    assert!(text.contains("on port 8080 has not closed 120 connections"), "{page}");
    assert!(text.ends_with("sockeye doctor"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let json = run(["--from", recorded, "--json"]).json();
    assert_eq!(json["worst"]["verdict"], "watch");
    assert_eq!(json["worst"]["command"], "sockeye doctor");
}
