//! Thresholds and permanent exceptions of a host: what its config file says.

use super::{finding::Finding, threshold::Threshold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file. Names that it does not know are errors: a misspelled threshold must not be silent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Thresholds, by rule and key.
    #[serde(default)]
    rules: BTreeMap<String, BTreeMap<String, f64>>,
    /// Exceptions.
    #[serde(default, rename = "except")]
    exceptions: Vec<Exception>,
}

/// Findings that are expected on this host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Id of the rule.
    pub rule: String,
    /// A part of the subject's text. Empty: every subject.
    #[serde(default)]
    pub subject: String,
    /// Why it is expected.
    pub reason: String,
}

impl Config {
    /// Reads the text of a file, with what tells the thresholds of a rule. The error says what is
    /// wrong and in which line.
    pub fn parse(
        text: &str,
        thresholds_of: impl Fn(&str) -> Option<&'static [Threshold]>,
    ) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                text.get(..span.start).unwrap_or_default().bytes().filter(|b| *b == b'\n').count()
                    + 1
            });
            match line {
                Some(line) => format!("line {line}: {}", error.message()),
                None => error.message().to_owned(),
            }
        })?;
        let find = |id: &str| thresholds_of(id).ok_or_else(|| format!("no rule is called `{id}`"));
        for (id, thresholds) in &config.rules {
            let own = find(id)?;
            for (key, value) in thresholds {
                if !own.iter().any(|threshold| threshold.key == key) {
                    let known: Vec<&str> = own.iter().map(|t| t.key).collect();
                    let known =
                        if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
                    return Err(format!("{id} has no threshold `{key}`: {known}"));
                }
                if !value.is_finite() || *value < 0.0 {
                    return Err(format!("{id}: {key} cannot be {value}"));
                }
            }
        }
        for exception in &config.exceptions {
            find(&exception.rule)?;
            if exception.reason.trim().is_empty() {
                return Err(format!("the exception from {} needs a reason", exception.rule));
            }
        }
        Ok(config)
    }

    /// A threshold of a rule. `None`: the rule's own holds.
    pub fn threshold(&self, rule: &str, key: &str) -> Option<f64> {
        self.rules.get(rule)?.get(key).copied()
    }

    /// The exception that a finding falls under.
    pub fn exception(&self, finding: &Finding) -> Option<&Exception> {
        self.exceptions.iter().find(|exception| {
            exception.rule == finding.id && finding.subject.text.contains(&exception.subject)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::rules::thresholds_of;

    #[test]
    fn a_file_sets_thresholds_and_exceptions() {
        let text = "[rules.accept-queue-overflow]\nwarning_percent = 60\n\n\
                    [[except]]\nrule = \"accept-queue-overflow\"\nsubject = \":8080\"\n\
                    reason = \"a load test\"\n";
        let config = Config::parse(text, thresholds_of).unwrap();
        assert_eq!(config.threshold("accept-queue-overflow", "warning_percent"), Some(60.0));
        assert_eq!(config.threshold("accept-queue-overflow", "notice_percent"), None);
        assert_eq!(config.exceptions.len(), 1);
        assert_eq!(Config::parse("", thresholds_of).unwrap(), Config::default());
    }

    #[test]
    fn what_it_does_not_know_is_an_error() {
        for (text, part) in [
            ("[rules.no-such]\na = 1", "no rule is called `no-such`"),
            ("[rules.accept-queue-overflow]\nnotice = 1", "notice_percent"),
            ("[rules.accept-queue-overflow]\nwarning_percent = -1", "cannot be -1"),
            ("[rules.accept-queue-overflow]\nwarning_percent = \"a\"", "line 2"),
            ("[[except]]\nrule = \"accept-queue-overflow\"\nreason = \" \"", "needs a reason"),
            ("[[except]]\nrule = \"accept-queue-overflow\"", "line 1"),
            ("thresholds = 1", "line 1"),
            ("[", "line 1"),
        ] {
            let error = Config::parse(text, thresholds_of).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
