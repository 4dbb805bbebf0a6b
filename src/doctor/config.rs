//! Thresholds and permanent exceptions of a host: what its config file says.

use super::{finding::Finding, threshold::Threshold};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range};
use toml::Spanned;

/// Thresholds and exceptions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Thresholds, by rule and key.
    thresholds: BTreeMap<String, BTreeMap<String, f64>>,
    /// Exceptions.
    exceptions: Vec<Exception>,
}

/// Findings that are expected on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// Id of the rule.
    pub rule: String,
    /// A part of the subject's text. Empty: every subject.
    pub subject: String,
    /// Why it is expected.
    pub reason: String,
}

/// Rules that a file may name, by id, with their thresholds.
pub type Known = BTreeMap<&'static str, &'static [Threshold]>;

/// What is wrong with a file, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What, with the line.
    pub what: String,
    /// What to write.
    pub hint: String,
}

/// The file. Names that it does not know are errors: a misspelled threshold must not be silent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<f64>>>,
    #[serde(default)]
    except: Vec<FileException>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileException {
    rule: Spanned<String>,
    #[serde(default)]
    subject: String,
    reason: Spanned<String>,
}

/// How a file looks: the hint where nothing better can be said.
const EXAMPLE: &str = "it has tables such as [rules.close-wait-leak] with lines such as \
                       `age_s = 300`, and tables [[except]] with rule, subject and reason";

impl Config {
    /// Reads the text of a file about these rules.
    pub fn parse(text: &str, known: &Known) -> Result<Self, Wrong> {
        let wrong = |at: Option<Range<usize>>, what: String, hint: String| {
            let before = at.map(|at| text.get(..at.start).unwrap_or_default());
            let line = before.map(|before| before.bytes().filter(|b| *b == b'\n').count() + 1);
            let what = line.map_or_else(|| what.clone(), |line| format!("line {line}: {what}"));
            Wrong { what, hint }
        };
        let file: File = toml::from_str(text).map_err(|error| {
            // Of several lines only the first says what; the others list what would be right.
            let what = error.message().lines().next().unwrap_or_default().to_owned();
            wrong(error.span(), what, EXAMPLE.to_owned())
        })?;
        let find = |id: &Spanned<String>| {
            let rule = known.get_key_value(id.get_ref().as_str());
            rule.map(|(id, thresholds)| (*id, *thresholds)).ok_or_else(|| {
                let near = nearest(id.get_ref(), known.keys().copied());
                let list = "`sockeye doctor --list-rules` lists every rule";
                let hint = near.map_or_else(
                    || list.to_owned(),
                    |near| format!("did you mean `{near}`? {list}"),
                );
                wrong(Some(id.span()), format!("no rule is called `{}`", id.get_ref()), hint)
            })
        };
        let mut config = Self::default();
        for (id, values) in file.rules {
            let (id, thresholds) = find(&id)?;
            let own = config.thresholds.entry(id.to_owned()).or_default();
            for (key, value) in values {
                let Some(known) = thresholds.iter().find(|known| known.key == key.get_ref()) else {
                    let what = format!("{id} has no threshold `{}`", key.get_ref());
                    return Err(wrong(Some(key.span()), what, meant(key.get_ref(), thresholds)));
                };
                let number = *value.get_ref();
                if !number.is_finite() || number < 0.0 {
                    let what = format!("{id}: {} cannot be {number}", known.key);
                    let hint =
                        format!("a number from 0 on; without the line it is {}", known.value);
                    return Err(wrong(Some(value.span()), what, hint));
                }
                own.insert(known.key.to_owned(), number);
            }
        }
        for FileException { rule, subject, reason } in file.except {
            let (id, _) = find(&rule)?;
            if reason.get_ref().trim().is_empty() {
                let what = format!("the exception from {id} needs a reason");
                let hint = "the reason is shown with the finding it hides: why is it expected?";
                return Err(wrong(Some(reason.span()), what, hint.to_owned()));
            }
            let reason = reason.into_inner();
            config.exceptions.push(Exception { rule: id.to_owned(), subject, reason });
        }
        Ok(config)
    }

    /// A threshold of a rule. `None`: the rule's own holds.
    pub fn threshold(&self, rule: &str, key: &str) -> Option<f64> {
        self.thresholds.get(rule)?.get(key).copied()
    }

    /// The exception that a finding falls under.
    pub fn exception(&self, finding: &Finding) -> Option<&Exception> {
        self.exceptions.iter().find(|exception| {
            exception.rule == finding.id && finding.subject.text.contains(&exception.subject)
        })
    }
}

/// The thresholds of a rule, beginning with the one that was probably meant.
fn meant(key: &str, thresholds: &[Threshold]) -> String {
    let keys = || thresholds.iter().map(|threshold| threshold.key);
    if thresholds.is_empty() {
        return "this rule has no thresholds; [[except]] can hide its findings".to_owned();
    }
    let all = keys().collect::<Vec<_>>().join(", ");
    match nearest(key, keys()) {
        Some(near) => format!("did you mean `{near}`? It has {all}"),
        None => format!("it has {all}"),
    }
}

/// The most alike of some names, if one is alike.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let alike = names.map(|known| (strsim::jaro_winkler(name, known), known));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::rules::thresholds;

    #[test]
    fn a_file_sets_thresholds_and_exceptions() {
        let text = "[rules.accept-queue-overflow]\nwarning_percent = 60\n\n\
                    [[except]]\nrule = \"accept-queue-overflow\"\nsubject = \":8080\"\n\
                    reason = \"a load test\"\n";
        let config = Config::parse(text, &thresholds()).unwrap();
        assert_eq!(config.threshold("accept-queue-overflow", "warning_percent"), Some(60.0));
        assert_eq!(config.threshold("accept-queue-overflow", "notice_percent"), None);
        assert_eq!(config.exceptions.len(), 1);
        assert_eq!(Config::parse("", &thresholds()).unwrap(), Config::default());
    }

    #[test]
    fn what_it_does_not_know_is_an_error_with_the_line_and_what_was_meant() {
        for (text, what, hint) in [
            (
                "\n[rules.close-wait-leek]\na = 1",
                "line 2: no rule is called `close-wait-leek`",
                "did you mean `close-wait-leak`?",
            ),
            ("[rules.xyz]\n", "line 1: no rule is called `xyz`", "--list-rules"),
            (
                "[rules.accept-queue-overflow]\n\nnotice = 1",
                "line 3: accept-queue-overflow has no threshold `notice`",
                "did you mean `notice_percent`?",
            ),
            (
                "[rules.self-connect]\nage_s = 1",
                "line 2: self-connect has no threshold `age_s`",
                "[[except]]",
            ),
            (
                "[rules.accept-queue-overflow]\nwarning_percent = -1",
                "line 2: accept-queue-overflow: warning_percent cannot be -1",
                "it is 75",
            ),
            ("[rules.accept-queue-overflow]\nwarning_percent = nan", "cannot be NaN", "from 0 on"),
            (
                "[rules.accept-queue-overflow]\nwarning_percent = \"a\"",
                "line 2: invalid type: string",
                "age_s = 300",
            ),
            (
                "[[except]]\nrule = \"accept-queue-overflow\"\nreason = \" \"",
                "line 3: the exception from accept-queue-overflow needs a reason",
                "why",
            ),
            (
                "[[except]]\nrule = \"accept-queue-overflow\"",
                "line 1: missing field `reason`",
                "reason",
            ),
            (
                "[[except]]\nrule = \"no-such\"\nreason = \"x\"",
                "line 2: no rule is called `no-such`",
                "--list-rules",
            ),
            ("[[exempt]]\n", "line 1: unknown field `exempt`", "[[except]]"),
            ("thresholds = 1", "line 1: unknown field `thresholds`", "[rules.close-wait-leak]"),
            ("\n\n[", "line 3: ", "[rules.close-wait-leak]"),
        ] {
            let wrong = Config::parse(text, &thresholds()).unwrap_err();
            assert!(wrong.what.contains(what), "{text}: {wrong:?}");
            assert!(wrong.hint.contains(hint), "{text}: {wrong:?}");
            assert!(!wrong.what.contains('\n'), "{wrong:?}");
        }
    }
}
