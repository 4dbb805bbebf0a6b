//! The diagnosis as a monitor of the Nagios family reads it: one line, with perfdata.
//!
//! monitoring-plugins.org, development guidelines: `SERVICE STATUS - text | 'label'=value[UOM];
//! [warn];[crit];[min];[max]`; the word and the exit code say the same.

use super::{doctor::nearest_limit, page::shown};
use crate::{
    doctor::{
        diagnosis::{Diagnosis, Nearest, Status},
        finding::{Finding, Severity},
    },
    model::netns::Netns,
};
use std::{cmp::Reverse, collections::BTreeMap, fmt::Write};

/// Characters of the text at most: older monitors cut a line at some kilobytes.
const LONGEST: usize = 400;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 0.
    Ok,
    /// 1.
    Warning,
    /// 2.
    Critical,
    /// 3.
    Unknown,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The line of one diagnosis, or of one in each of several namespaces.
pub fn line(state: State, parts: &[(Option<&Netns>, &Diagnosis)]) -> String {
    let count = |severity| -> usize { parts.iter().map(|(_, one)| one.count(severity)).sum() };
    let (critical, warnings) = (count(Severity::Critical), count(Severity::Warning));
    let skipped = parts.iter().flat_map(|(_, one)| &one.checked);
    let skipped = skipped.filter(|checked| checked.status == Status::Skipped).count();
    let nearest = parts.iter().filter_map(|(_, one)| one.nearest_limit.as_ref());
    let nearest = nearest.max_by_key(|nearest| nearest.used_percent);
    let mut said = said(state, parts, nearest);
    if critical + warnings > 1 {
        let _ = write!(said, " (and {} more)", critical + warnings - 1);
    }
    let mut line = begun(state, &said);
    let _ = write!(
        line,
        " | critical={critical};;0;0 warning={warnings};0;;0 notice={};;;0 skipped={skipped};;;0",
        count(Severity::Notice),
    );
    if let Some(nearest) = nearest {
        let _ = write!(line, " nearest_limit={}%;75;90;0;100", nearest.used_percent);
    }
    let mut figures: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, value) in parts.iter().flat_map(|(_, one)| &one.figures) {
        *figures.entry(name).or_default() += value;
    }
    for (name, value) in figures {
        let _ = write!(line, " {name}={value};;;0");
    }
    line + "\n"
}

/// The line where nothing could be asked.
pub fn failed(why: &str) -> String {
    begun(State::Unknown, &shown(why.as_bytes())) + "\n"
}

fn begun(state: State, said: &str) -> String {
    // The bar begins the perfdata, and the line is one.
    let said: String = said.chars().map(|c| if c == '|' { '/' } else { c }).collect();
    let cut = if said.chars().count() > LONGEST { "..." } else { "" };
    let said: String = said.chars().take(LONGEST).collect();
    format!("SOCKEYE {} - {said}{cut}", state.name())
}

/// The worst finding, else why nothing can be said, else what is nearest to its end.
fn said(state: State, parts: &[(Option<&Netns>, &Diagnosis)], nearest: Option<&Nearest>) -> String {
    let findings = parts.iter().flat_map(|(netns, one)| one.findings.iter().map(|f| (*netns, f)));
    // Of equally bad ones the first: causes come before what they cause.
    let worst = findings.min_by_key(|(_, finding): &(_, &Finding)| Reverse(finding.severity));
    let fails = matches!(state, State::Warning | State::Critical);
    match worst.filter(|(_, finding)| fails || finding.severity > Severity::Notice) {
        Some((netns, finding)) => {
            let place = netns.map_or_else(String::new, |netns| format!("in {}: ", netns.title()));
            shown(format!("{place}{}: {}", finding.id, finding.title).as_bytes())
        }
        None if state == State::Unknown => {
            let mut reasons = parts.iter().flat_map(|(_, one)| &one.checked);
            reasons.find_map(|c| Some((c.id, c.reason.as_deref()?))).map_or_else(
                || "nothing could be judged".to_owned(),
                |(id, why)| shown(format!("{id} could not be judged: {why}").as_bytes()),
            )
        }
        None => nearest.map_or_else(
            || "no problem found".to_owned(),
            |nearest| format!("no problem found; {}", nearest_limit(nearest)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{
            diagnosis::{Checked, Verdict},
            rules,
            subject::Subject,
        },
        model::netns::NameKind,
    };

    fn diagnosis(severities: &[Severity]) -> Diagnosis {
        let rule = rules::find("accept-queue-overflow").unwrap();
        let found = |severity: &Severity| {
            rule.finding(*severity, Subject::netns(), "3 of 2 | full\nnow\u{1b}[31m")
        };
        Diagnosis {
            window_ms: Some(2000),
            verdict: Verdict::Ok,
            findings: severities.iter().map(found).collect(),
            checked: vec![Checked {
                id: rule.id,
                area: rule.area,
                status: Status::Skipped,
                reason: Some("no netlink".into()),
            }],
            areas: vec![],
            excepted: vec![],
            figures: [("listen", 4)].into(),
            nearest_limit: Some(Nearest {
                id: "fs-file-max",
                subject: "all processes".into(),
                used: 5,
                value: 50,
                unit: "files",
                used_percent: 10,
            }),
            socket_options: None,
        }
    }

    #[test]
    fn the_line_is_one_with_one_bar_and_perfdata_behind_it() {
        let one = diagnosis(&[Severity::Notice, Severity::Critical, Severity::Warning]);
        let text = line(State::Critical, &[(None, &one)]);
        let (said, figures) = text.split_once(" | ").unwrap();
        assert!(said.starts_with("SOCKEYE CRITICAL - accept-queue-overflow: 3 of 2 / full"));
        assert!(said.ends_with(" (and 1 more)"), "{said}");
        assert!(!text.contains('\u{1b}') && text.lines().count() == 1, "{text:?}");
        assert_eq!(
            figures,
            "critical=1;;0;0 warning=1;0;;0 notice=1;;;0 skipped=1;;;0 \
             nearest_limit=10%;75;90;0;100 listen=4;;;0\n"
        );
    }

    #[test]
    fn the_word_is_that_of_the_exit_code() {
        let said = |state, severities: &[Severity]| line(state, &[(None, &diagnosis(severities))]);
        assert!(said(State::Ok, &[]).starts_with("SOCKEYE OK - no problem found; Nearest"));
        // By --fail-on critical, and by --fail-on notice.
        assert!(said(State::Ok, &[Severity::Warning]).starts_with("SOCKEYE OK - accept-queue"));
        assert!(said(State::Warning, &[Severity::Notice]).starts_with("SOCKEYE WARNING - accept"));
        assert!(said(State::Unknown, &[]).starts_with(
            "SOCKEYE UNKNOWN - accept-queue-overflow could not be judged: no netlink | "
        ));
        assert_eq!(failed("cannot open x"), "SOCKEYE UNKNOWN - cannot open x\n");
    }

    #[test]
    fn several_namespaces_are_one_line_that_names_the_worst() {
        let (blue, well) = (diagnosis(&[Severity::Warning]), diagnosis(&[]));
        let name = Netns::default().named("blue", NameKind::Named);
        let other = Netns::default();
        let text = line(State::Warning, &[(Some(&other), &well), (Some(&name), &blue)]);
        assert!(text.starts_with("SOCKEYE WARNING - in blue: accept-queue-overflow"), "{text}");
        assert!(text.contains("listen=8;;;0"), "{text}");
    }
}
