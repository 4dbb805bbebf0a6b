//! What the doctor said, and what a test wants of it.

use crate::{
    fixture::Tree,
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        program::{Run, SOCKEYE},
    },
};
use nix::libc::SYS_clock_nanosleep;
use serde_json::Value;
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How bad, as the document says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Explains; nothing to do now.
    Notice,
    /// Will hurt, or hurts a few.
    Warning,
    /// Connections fail now.
    Critical,
}

use Severity::{Critical, Notice, Warning};

/// Rules that judge the whole machine, which other tests keep busy.
const OF_THE_MACHINE: &[&str] = &[
    "conntrack-table-full",
    "fd-limit-host",
    "neighbor-table-overflow",
    "orphan-pressure",
    "softnet-drops",
    "tcp-memory-pressure",
];

/// One run of the doctor.
pub(super) struct Diagnosis {
    document: Value,
    code: i32,
}

impl Diagnosis {
    /// Of a namespace, over a window of a second and a half.
    pub(super) fn of(namespace: &Namespace) -> Self {
        Self::with(namespace, "")
    }

    /// The same with more switches.
    pub(super) fn with(namespace: &Namespace, switches: &str) -> Self {
        let mut command = doctor(switches);
        Self::read(&Run::of(namespace.output(&mut command)))
    }

    /// One for each round of a watch.
    pub(super) fn rounds(namespace: &Namespace, switches: &str) -> Vec<Self> {
        let mut command = Command::new(SOCKEYE);
        command.args(["doctor", "--ndjson"]).args(switches.split_whitespace());
        let run = Run::of(namespace.output(&mut command));
        let round = |line: &str| Self {
            document: serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {run:?}")),
            code: run.code,
        };
        run.stdout.lines().map(round).collect()
    }

    /// Of a namespace in which something happens between the first look and the second.
    pub(super) fn across(namespace: &Namespace, between: impl FnOnce()) -> Self {
        let mut command = doctor("");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = namespace.spawn(&mut command);
        // The first look is over when it sleeps until the second.
        let call = format!("/proc/{}/syscall", child.id());
        let sleeping = format!("{SYS_clock_nanosleep} ");
        #[expect(clippy::disallowed_methods, reason = "a test looks at the program it runs")]
        let is_between = || fs::read_to_string(&call).is_ok_and(|call| call.starts_with(&sleeping));
        let has_ended = |child: &mut Child| child.try_wait().unwrap().is_some();
        assert!(eventually(PATIENCE, || is_between() || has_ended(&mut child)));
        between();
        Self::read(&Run::of(child.wait_with_output().unwrap()))
    }

    /// Of a tree that stays as it is.
    pub(super) fn of_tree(tree: &Tree) -> Self {
        Self::read(&Run::of(doctor_of(tree).output().unwrap()))
    }

    /// Of a tree of which one file changes all the time: a growing number to its content.
    pub(super) fn of_tree_that_changes(
        tree: &Tree,
        content: impl Fn(u32) -> (&'static str, String),
    ) -> Self {
        let mut child =
            doctor_of(tree).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut step = 0;
        while child.try_wait().unwrap().is_none() {
            step += 1;
            let (file, text) = content(step);
            // Whole or not at all, as the kernel's files are.
            let new = tree.entry("new");
            fs::write(&new, text).unwrap();
            fs::rename(new, tree.entry(file)).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        Self::read(&Run::of(child.wait_with_output().unwrap()))
    }

    /// By a program that runs others, with the arguments it has so far.
    pub(super) fn by(namespace: &Namespace, mut runner: Command) -> Self {
        runner.arg(SOCKEYE).args(doctor("").get_args());
        Self::read(&Run::of(namespace.output(&mut runner)))
    }

    fn read(run: &Run) -> Self {
        assert!((0..=2).contains(&run.code), "{run:?}");
        let document: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        assert_eq!(document["schema"], "sockeye.doctor/1");
        Self { document, code: run.code }
    }

    /// It has a finding of this rule, at least as bad, about a subject that has these words.
    pub(super) fn finds(&self, id: &str, at_least: Severity, about: &[&str]) -> &Value {
        let has = |finding: &&Value| {
            let subject = finding["subject"].to_string();
            severity(finding) >= at_least && about.iter().all(|word| subject.contains(word))
        };
        let found = self.findings().filter(|finding| finding["id"] == id).find(has);
        let found =
            found.unwrap_or_else(|| panic!("no {id} ≥ {at_least:?} about {about:?} in {self:#?}"));
        for part in ["title", "evidence", "causes", "remedies", "references"] {
            let is_empty = match &found[part] {
                Value::String(text) => text.is_empty(),
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
                _ => true,
            };
            assert!(!is_empty, "{id} has no {part}: {found:#}");
        }
        if at_least > Notice {
            assert!(self.code > 0, "the exit code says nothing of {id}");
        }
        found
    }

    /// Nothing is above a notice but what these rules say: they tell the same story.
    pub(super) fn and_nothing_else_than(&self, ids: &[&str]) {
        let others: Vec<&Value> = self
            .findings()
            .filter(|finding| severity(finding) > Notice)
            .filter(|finding| !ids.contains(&id(finding)) && !OF_THE_MACHINE.contains(&id(finding)))
            .collect();
        assert!(others.is_empty(), "beside {ids:?}: {others:#?}");
    }

    /// The same where no other test can be the reason: of a tree.
    pub(super) fn and_nothing_at_all_than(&self, ids: &[&str]) {
        let is_other = |finding: &&Value| severity(finding) > Notice && !ids.contains(&id(finding));
        assert_eq!(self.findings().filter(is_other).count(), 0, "beside {ids:?}: {self:#?}");
    }

    /// Nothing is above a notice.
    pub(super) fn is_calm(&self) {
        self.and_nothing_else_than(&[]);
    }

    /// The findings of a rule.
    pub(super) fn of_rule<'d>(&'d self, rule: &'d str) -> impl Iterator<Item = &'d Value> {
        self.findings().filter(move |finding| finding["id"] == rule)
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.document["findings"].as_array().unwrap().iter()
    }
}

impl std::fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for finding in self.findings() {
            writeln!(f, "{} {}: {}", finding["severity"], finding["id"], finding["title"])?;
            writeln!(f, "    {} {}", finding["subject"], finding["evidence"])?;
        }
        let skipped = self.document["checked"].as_array().unwrap().iter();
        for rule in skipped.filter(|rule| rule["status"] == "skipped") {
            writeln!(f, "skipped {}: {}", rule["id"], rule["reason"])?;
        }
        Ok(())
    }
}

fn doctor(switches: &str) -> Command {
    let mut command = Command::new(SOCKEYE);
    command.args(["doctor", "--json", "--interval", "1.5"]).args(switches.split_whitespace());
    command
}

fn doctor_of(tree: &Tree) -> Command {
    let mut command = Command::new(SOCKEYE);
    command.args(["doctor", "--json", "--interval", "0.4", "--proc-root", tree.path()]);
    command
}

fn id(finding: &Value) -> &str {
    finding["id"].as_str().unwrap()
}

fn severity(finding: &Value) -> Severity {
    match finding["severity"].as_str() {
        Some("notice") => Notice,
        Some("warning") => Warning,
        Some("critical") => Critical,
        _ => panic!("no severity: {finding}"),
    }
}
