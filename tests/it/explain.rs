//! `sockeye explain` as it is typed: a few topics as golden text, the exit codes, JSON.
//!
//! `UPDATE=1 cargo test` rewrites the golden text; the difference is for the reader's eye.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const GOLDEN: [&str; 10] = [
    "topics",
    "handshake",
    "close",
    "TIME_WAIT",
    "CLOSE_WAIT",
    "rlimit-nofile",
    "rtt",
    "filters",
    "not-accepted",
    "myth-fin-timeout",
];

fn explain(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sockeye"))
        .arg("explain")
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn golden_topics_read_as_they_did() {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/explain"));
    let mut stale = vec![];
    for name in GOLDEN {
        let output = explain(&[name]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(output.stderr.is_empty(), "{name}");
        let file = directory.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(directory).unwrap();
            fs::write(&file, &output.stdout).unwrap();
        }
        #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
        if fs::read(&file).ok().as_ref() != Some(&output.stdout) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "{stale:?} changed: run UPDATE=1 cargo test, and read the diff");
}

#[test]
fn without_a_topic_it_lists_them() {
    assert_eq!(explain(&[]).stdout, explain(&["topics"]).stdout);
}

#[test]
fn any_spelling_and_several_words_lead_to_the_topic() {
    let wanted = explain(&["TIME_WAIT"]).stdout;
    for words in [&["time-wait"][..], &["timewait"], &["Time", "Wait"], &["TIME-WAIT"]] {
        assert_eq!(explain(words).stdout, wanted, "{words:?}");
    }
}

#[test]
fn an_unknown_topic_exits_64_and_names_the_nearest() {
    let output = explain(&["hanshake"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: there is no topic `hanshake`\n"), "{said}");
    assert!(said.contains("hint: did you mean `sockeye explain handshake`"), "{said}");
}

#[test]
fn json_is_one_document_with_the_text() {
    for args in [&["--json", "close"][..], &["close", "--ndjson"], &["close", "--format", "json"]] {
        let output = explain(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(read["schema"], "sockeye.explain/1");
        assert_eq!(read["topic"], "close");
        assert_eq!(read["kind"], "lesson");
        let text = explain(&["close"]).stdout;
        assert_eq!(read["text"].as_str().unwrap().as_bytes(), text);
        assert!(read["see_also"].as_array().unwrap().contains(&"TIME_WAIT".into()));
    }
}

#[test]
fn the_ten_filters_are_filters() {
    use sockeye::explain::{block::Block, find};
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hosts/states/snapshot.gz");
    let lines = find("filters").unwrap().blocks.iter().filter_map(|block| match block {
        Block::Command(line) => Some(*line),
        _ => None,
    });
    let mut found = 0;
    for line in lines {
        let words = line.strip_prefix("sockeye ").unwrap();
        let (options, filter) = words.split_once('\'').unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_sockeye"))
            .args(options.split_whitespace())
            .arg(filter.strip_suffix('\'').unwrap())
            .args(["--json", "--count", "--from"])
            .arg(&host)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        assert!(output.stderr.is_empty(), "{line}: {output:?}");
        let count: Value = serde_json::from_slice(&output.stdout).unwrap();
        found += usize::from(count["count"].as_u64().unwrap() > 0);
    }
    // The recording has no nginx, no container and nothing of ports 22 and 8000.
    assert!(found >= 5, "{found} of the ten select a row");
}
