//! What recorded hosts look like: each report and list, as people and as programs get it, compared
//! with a committed file beside the recording. `UPDATE=1 cargo test golden` writes the files anew;
//! what changed is then read in the difference.

use crate::program::{self, Ended};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use unicode_width::UnicodeWidthStr;

/// A recorded host, and what is asked about it beyond what is asked about every one.
struct Host {
    name: &'static str,
    /// A destination it has connections to, or could have.
    to: &'static str,
    /// A port it listens on, or none listens on.
    listen: &'static str,
    /// Name and words of more questions.
    more: &'static [(&'static str, &'static str)],
}

const HOSTS: [Host; 5] = [
    Host {
        name: "proxy",
        to: "10.0.1.2:9000",
        listen: "80",
        more: &[
            ("capacity-assume", "capacity --to 10.0.1.2:9000 --assume net.ipv4.tcp_tw_reuse=1"),
            ("groups", "-tan --group-by state,peer.address,peer.port"),
        ],
    },
    Host {
        name: "client",
        to: "10.0.2.2:5432",
        listen: "5432",
        more: &[
            ("diff", "diff ../client-before/snapshot.gz snapshot.gz"),
            ("diff-another-host", "diff snapshot.gz ../proc/snapshot.gz --limit 3"),
            ("capacity-to-elsewhere", "capacity --to 10.0.2.3:5432"),
        ],
    },
    Host {
        name: "server",
        to: "10.0.3.2:80",
        listen: "6379",
        more: &[
            ("capacity-listen-stuck", "capacity --listen 7000"),
            ("groups", "-tanp --group-by process,state"),
        ],
    },
    Host {
        name: "states",
        to: "[fd00:4::2]:443",
        listen: "5000",
        more: &[
            ("list-details", "-tuanpimeo --sort -recv_queue"),
            ("list-bound", "-tB"),
            ("list-filter", "-tan state = CLOSE_WAIT or peer.port = 443"),
        ],
    },
    Host { name: "proc", to: "127.0.0.1:5432", listen: "443", more: &[] },
];

/// Forms in which an answer is asked for: the words, and the ending of the file.
const FORMS: [(&str, &str); 4] =
    [("", "table"), ("--json", "json"), ("--ndjson", "ndjson"), ("--format csv", "csv")];

/// One run: the file that holds what it prints, and what was typed.
struct Case {
    host: &'static str,
    name: String,
    form: &'static str,
    words: String,
}

impl Case {
    fn directory(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hosts").join(self.host)
    }

    fn file(&self) -> PathBuf {
        self.directory().join(format!("{}.{}", self.name, self.form))
    }

    fn run(&self) -> Ended {
        // From within the directory: no path of this machine in what is printed.
        program::ended(
            program::command(self.words.split_whitespace()).current_dir(self.directory()),
        )
    }

    /// What it prints; JSON with one value a line and sorted keys, so that a difference is small.
    fn printed(&self, ended: &Ended) -> String {
        let stdout = match self.form {
            "json" if ended.code == Some(0) => format!("{:#}\n", ended.json()),
            _ => ended.text(),
        };
        let rest = Ended { stdout: vec![], ..ended.clone() };
        // An answer and nothing said is what is expected; all else is in the file.
        if ended.code == Some(0) && ended.stderr.is_empty() {
            stdout
        } else {
            format!("{stdout}{rest}")
        }
    }

    /// Documents in what it printed.
    fn documents(&self, ended: &Ended) -> Vec<Value> {
        match (self.form, ended.code) {
            ("json", Some(0)) => vec![ended.json()],
            ("ndjson", Some(0)) => {
                ended.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            _ => vec![],
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for host in &HOSTS {
        // Every row of the host that has one of each kind, the first ones of the others.
        let (rows, objects) =
            if host.name == "states" { ("", "") } else { ("--limit 25", "--limit 4") };
        let to = format!("capacity --to {}", host.to);
        let listen = format!("capacity --listen {}", host.listen);
        let (table, csv) = (format!("-tuanp {rows}"), format!("-tuan -o -e {rows}"));
        let objects = format!("-tuanp {objects}");
        let asked: [(&str, &str, &[&str]); 9] = [
            ("overview", "", &["table", "json"]),
            ("list", &table, &["table", "csv"]),
            ("list-objects", &objects, &["json", "ndjson"]),
            ("list-extended", &csv, &["table", "csv"]),
            ("summary", "summary", &["table", "json"]),
            ("time-wait", "time-wait", &["table", "json"]),
            ("capacity", "capacity", &["table", "json"]),
            ("capacity-to", &to, &["table", "json"]),
            ("capacity-listen", &listen, &["table", "json"]),
        ];
        let more = host.more.iter().map(|(name, words)| (*name, *words, &["table", "json"][..]));
        for (name, words, forms) in asked.into_iter().chain(more) {
            for (form_words, form) in FORMS {
                if !forms.contains(&form) {
                    continue;
                }
                // Options stand before a filter; a comparison names its files itself.
                let from = if words.starts_with("diff") { "" } else { "--from snapshot.gz" };
                let words = match words.split_once(" state =") {
                    Some((options, filter)) => {
                        format!("{options} {form_words} {from} state ={filter}")
                    }
                    None => format!("{words} {form_words} {from}"),
                };
                cases.push(Case { host: host.name, name: name.to_owned(), form, words });
            }
        }
    }
    cases
}

/// The lines that differ, each with its number in the file and two of its neighbours.
fn difference(committed: &str, printed: &str) -> String {
    let mut out = String::new();
    let diff = TextDiff::from_lines(committed, printed);
    for group in diff.grouped_ops(2) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let number = change.old_index().or(change.new_index()).unwrap_or(0) + 1;
            let _ = writeln!(out, "{number:>5} {sign} {}", change.value().trim_end_matches('\n'));
        }
        out.push_str("      …\n");
    }
    out
}

#[test]
fn recorded_hosts_look_as_they_did() {
    let update = std::env::var_os("UPDATE").is_some_and(|set| set == "1");
    let mut wrong = vec![];
    for case in cases() {
        let printed = case.printed(&case.run());
        let file = case.file();
        if update {
            fs::write(&file, printed).unwrap();
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
        let committed = fs::read_to_string(&file).unwrap_or_default();
        if committed != printed {
            let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&file);
            wrong.push(format!(
                "sockeye {}\n  in {}\n{}",
                case.words,
                shown.display(),
                difference(&committed, &printed)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} answers are not those committed (-: committed, +: printed now):\n\n{}\n\
         If that is wanted: UPDATE=1 cargo test golden, then read `git diff tests/data/hosts`.",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn no_golden_file_is_left_over() {
    let mut wanted: BTreeSet<PathBuf> = cases().iter().map(Case::file).collect();
    let hosts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hosts");
    for host in HOSTS.iter().map(|host| host.name).chain(["client-before"]) {
        wanted.insert(hosts.join(host).join("snapshot.gz"));
        wanted.insert(hosts.join(host).join("README.md"));
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&hosts).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(fs::read_dir(entry.path()).unwrap().map(|file| file.unwrap().path()));
        }
    }
    assert_eq!(found, wanted);
}

#[test]
fn goldens_in_json_are_what_their_schemas_say() {
    let mut validators = BTreeMap::new();
    for case in cases().iter().filter(|case| case.form.ends_with("json")) {
        let ended = case.run();
        for document in case.documents(&ended) {
            // A line of a list names no schema: it is a socket.
            let name = document["schema"].as_str().map_or("socket", |schema| {
                schema.strip_prefix("sockeye.").and_then(|s| s.split('/').next()).unwrap()
            });
            let validator = validators.entry(name.to_owned()).or_insert_with(|| {
                let schema = program::run(["schema", name]).quietly().json();
                jsonschema::draft202012::new(&schema).unwrap()
            });
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "sockeye {}: {errors:#?}", case.words);
        }
    }
    let names: Vec<&str> = validators.keys().map(String::as_str).collect();
    let every =
        ["capacity", "diff", "groups", "overview", "socket", "sockets", "summary", "time-wait"];
    assert_eq!(names, every);
}

/// How wide a page may be.
fn width_of(case: &Case) -> Option<usize> {
    match case.name.split('-').next() {
        Some("overview" | "time" | "summary" | "groups" | "capacity") => Some(80),
        Some("diff") => Some(100),
        // As wide as its cells.
        _ => None,
    }
}

#[test]
fn pages_keep_to_their_width_and_read_as_sentences() {
    let mut wrong = vec![];
    for case in cases().iter().filter(|case| case.form == "table") {
        let page = case.run().text();
        for line in page.lines() {
            let mut say = |what: &str| {
                wrong.push(format!("{}/{} {what}: {line:?}", case.host, case.name));
            };
            if width_of(case).is_some_and(|most| line.width() > most) && !is_to_paste(line) {
                say("is too wide");
            }
            if line.ends_with(' ') {
                say("ends in a blank");
            }
            for debris in ["NaN", "inf/s", "Some(", "None", "null", "_us ", "_ms ", "  ,"] {
                if line.contains(debris) {
                    say("is not for people");
                }
            }
            let words: Vec<&str> = line.split([' ', ',', '(', ')', ';']).collect();
            for pair in words.windows(2) {
                let counted = ["connections", "sockets", "listeners", "ports", "mini-sockets"];
                if pair[0] == "1" && counted.contains(&pair[1]) {
                    say("counts one in the plural");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A command or a piece of configuration stands as it is pasted.
fn is_to_paste(line: &str) -> bool {
    line.starts_with("        ")
}
