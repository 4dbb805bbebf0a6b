//! What a rule says.

use super::{parties::Party, subject::Subject};
use crate::report::remedy::{Avoid, Remedy};
pub use crate::report::time_wait::attribution::Confidence;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It explains something; there is nothing to do now.
    Notice,
    /// It will hurt, or hurts a few.
    Warning,
    /// Connections fail now, or a hard limit is nearly used up.
    Critical,
}

impl Severity {
    /// The word in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Id of the rule.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What would make it surer. `None`: nothing is missing.
    pub surer: Option<String>,
    /// One plain sentence with its numbers.
    pub title: String,
    /// Whom it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// The figures, with units in their names.
    pub evidence: BTreeMap<&'static str, Value>,
    /// The same as sentences.
    pub seen: Vec<String>,
    /// What it means.
    pub meaning: &'static str,
    /// What causes it, the most likely first.
    pub causes: Vec<String>,
    /// What to do, in the order to try it.
    pub remedies: Vec<Remedy>,
    /// What people try that does not help.
    pub avoid: Vec<Avoid>,
    /// What it rests on.
    pub references: Vec<&'static str>,
    /// Findings that cause this one, by their place in the list.
    pub caused_by: Vec<usize>,
    /// Inodes of the sockets it names: whose owners are worth a look.
    #[serde(skip)]
    pub sockets: Vec<u64>,
}

impl Finding {
    /// How sure it is, and what would make it surer.
    #[must_use]
    pub fn only(mut self, confidence: Confidence, surer: impl Into<String>) -> Self {
        self.confidence = confidence;
        self.surer = Some(surer.into()).filter(|text| !text.is_empty());
        self
    }

    /// A figure.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.evidence.insert(name, value.into());
        self
    }

    /// A sentence with what was seen.
    #[must_use]
    pub fn seen(mut self, sentence: impl Into<String>) -> Self {
        self.seen.push(sentence.into());
        self
    }

    /// A cause that the evidence points at: before those the rule lists.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.insert(0, cause.into());
        self
    }

    /// A remedy that fits this very case: before the others of its tier.
    #[must_use]
    pub fn advise(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        for remedy in remedies {
            if !self.remedies.contains(&remedy) {
                self.remedies.insert(0, remedy);
            }
        }
        self.remedies.sort_by_key(|remedy| remedy.tier);
        self
    }

    /// Leaves out the rule's remedies whose text or command has this word: what is so already, or
    /// what this kernel does not have.
    #[must_use]
    pub fn without(mut self, word: &str) -> Self {
        self.remedies.retain(|remedy| {
            let command = remedy.command.as_deref().unwrap_or_default();
            !remedy.text.contains(word) && !command.contains(word)
        });
        self
    }

    /// With the process id in commands where `PID` stands for the only one it can be.
    #[must_use]
    pub fn addressed(mut self) -> Self {
        let [Party { pid: Some(pid), .. }] = self.subject.processes.as_slice() else { return self };
        let pid = pid.to_string();
        let commands = self.remedies.iter_mut().filter_map(|remedy| remedy.command.as_mut());
        for text in commands.chain(self.surer.as_mut()) {
            *text = with_word(text, "PID", &pid);
        }
        self
    }

    /// Sockets it is about: their owners will be looked up.
    #[must_use]
    pub fn about(mut self, sockets: impl IntoIterator<Item = Option<u64>>) -> Self {
        self.sockets.extend(sockets.into_iter().flatten());
        self
    }
}

/// A text with a word replaced wherever it stands for itself: not in `TCP_KEEPIDLE`.
fn with_word(text: &str, word: &str, by: &str) -> String {
    let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let mut parts = text.split(word).peekable();
    let mut written = String::new();
    while let Some(part) = parts.next() {
        written.push_str(part);
        if let Some(next) = parts.peek() {
            let alone = is_apart(written.chars().next_back()) && is_apart(next.chars().next());
            written.push_str(if alone { by } else { word });
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_id_is_written_where_it_is_meant() {
        let of = |text| with_word(text, "PID", "7");
        assert_eq!(of("cat /proc/PID/stack; gdb -p PID"), "cat /proc/7/stack; gdb -p 7");
        assert_eq!(of("TCP_KEEPIDLE PIDS $PPID x_PID"), "TCP_KEEPIDLE PIDS $PPID x_PID");
        assert_eq!(of(""), "");
    }
}
