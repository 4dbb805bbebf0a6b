//! `tw-sysctl-lint`: settings that are dangerous, useless, or not what they are taken for.

use crate::doctor::{
    area::Area,
    evidence::Evidence,
    finding::{Finding, Severity},
    rule::{Advice, Case, Judgement, Rule},
    share::number,
    subject::Subject,
    threshold::Threshold,
};
use crate::model::{settings::Settings, state::State};
use crate::report::remedy::{Remedy, Tier};

const BUCKETS: Threshold = Threshold::new(
    "warning_tw_buckets",
    32_768.0,
    "below that 550 closes a second overflow the table; the default is half the hash table",
);
const FIN: Threshold = Threshold::new(
    "notice_fin_timeout_s",
    30.0,
    "below that it was lowered against TIME_WAIT, which it does not touch",
);
const ORPHANS: Threshold = Threshold::new(
    "notice_max_orphans",
    4096.0,
    "the smallest default of any machine: less was lowered by hand",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "tw-sysctl-lint",
    area: Area::Settings,
    title: "settings that are dangerous, useless, or not what they are taken for",
    meaning: "Tuning guides copy settings from each other. These either take a protection of the \
              kernel away, or do nothing for what they are set for.",
    evidence: "tcp_tw_recycle, tcp_tw_reuse, tcp_timestamps, tcp_max_tw_buckets, tcp_fin_timeout, \
               tcp_rfc1337, tcp_abort_on_overflow, tcp_syncookies, tcp_max_orphans, \
               ip_local_port_range",
    needs: &[],
    thresholds: &[BUCKETS, FIN, ORPHANS],
    symptoms: "With tcp_tw_recycle: SYNs of clients behind a NAT are dropped without a word.",
    causes: &["a tuning guide, an old image, an agent that writes /etc/sysctl.d"],
    remedies: &[],
    avoid: &[],
    false_positives: "A setting that somebody has measured: except it in the config file.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html",
        "https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux",
        "commit 4396e46187ca (tcp_tw_recycle is removed)",
    ],
    caused_by: &[],
    judge,
};

/// What is wrong with a setting.
struct Lint {
    severity: Severity,
    name: &'static str,
    says: String,
    command: String,
}

impl Lint {
    fn new(severity: Severity, name: &'static str, says: impl Into<String>, command: &str) -> Self {
        Self { severity, name, says: says.into(), command: command.to_owned() }
    }
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    if case.evidence.snapshot.settings.values.is_empty() {
        return Judgement::Skipped("no setting could be read".into());
    }
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let mut lints = lints(case);
    lints.sort_by_key(|lint| std::cmp::Reverse(lint.severity));
    let first = lints.first()?;
    let names: Vec<&str> = lints.iter().map(|lint| lint.name).collect();
    let title = match lints.len() {
        1 => format!("{}: {}", first.name, first.says),
        many => format!("{many} settings are not what they are taken for: {}", first.name),
    };
    let finding = RULE
        .finding(first.severity, Subject::netns(), title)
        .with("settings", names.join(" "))
        .advise(lints.iter().rev().map(remedy));
    Some(lints.iter().fold(finding, |finding, lint| {
        let value = case.evidence.snapshot.settings.text(lint.name).unwrap_or("");
        finding.with(short(lint.name), value).seen(format!(
            "{} {} = {value}: {}",
            lint.severity.name(),
            lint.name,
            lint.says
        ))
    }))
}

fn short(name: &'static str) -> &'static str {
    name.rsplit('.').next().unwrap_or(name)
}

fn remedy(lint: &Lint) -> Remedy {
    Remedy {
        tier: Tier::Sysctl,
        text: format!("{}, and remove it from /etc/sysctl.d", lint.says),
        command: Some(lint.command.clone()),
        ..Advice::sysctl("", "").remedy()
    }
}

fn lints(case: &Case<'_, '_>) -> Vec<Lint> {
    use Severity::{Critical, Notice, Warning};
    let evidence: &Evidence<'_> = case.evidence;
    let settings: &Settings = &evidence.snapshot.settings;
    let is = |name: &str, value: u64| settings.number(name) == Some(value);
    let below = |name: &str, limit: &Threshold| {
        settings.number(name).is_some_and(|value| number(value) < case.at(limit))
    };
    let mut found = vec![];
    if is("net.ipv4.tcp_tw_recycle", 1) {
        found.push(Lint::new(
            Critical,
            "net.ipv4.tcp_tw_recycle",
            "it drops the SYNs of clients behind a NAT",
            "sysctl -w net.ipv4.tcp_tw_recycle=0",
        ));
    }
    let no_timestamps = is("net.ipv4.tcp_timestamps", 0);
    if no_timestamps && is("net.ipv4.tcp_tw_reuse", 1) {
        found.push(Lint::new(
            Warning,
            "net.ipv4.tcp_tw_reuse",
            "without tcp_timestamps it never takes effect",
            "sysctl -w net.ipv4.tcp_timestamps=1",
        ));
    } else if no_timestamps {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_timestamps",
            "off: old duplicates are not recognised, and SYN cookies lose options",
            "sysctl -w net.ipv4.tcp_timestamps=1",
        ));
    }
    if below("net.ipv4.tcp_max_tw_buckets", &BUCKETS) {
        found.push(Lint::new(
            Warning,
            "net.ipv4.tcp_max_tw_buckets",
            "lowered: closes beyond it skip TIME_WAIT and its protection",
            "sysctl -w net.ipv4.tcp_max_tw_buckets=262144",
        ));
    }
    if below("net.ipv4.tcp_fin_timeout", &FIN) {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_fin_timeout",
            "it bounds orphan FIN_WAIT_2 alone, TIME_WAIT stays 60 s",
            "sysctl -w net.ipv4.tcp_fin_timeout=60",
        ));
    }
    if is("net.ipv4.tcp_rfc1337", 1) {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_rfc1337",
            "a RST no longer ends a TIME_WAIT: collisions last up to 60 s",
            "sysctl -w net.ipv4.tcp_rfc1337=0",
        ));
    }
    if is("net.ipv4.tcp_abort_on_overflow", 1) {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_abort_on_overflow",
            "a full accept queue drops the SYN first, so that hardly a client gets a RST",
            "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
        ));
    }
    let is_public = evidence.in_state(State::Listen).any(|s| !s.local.address.is_loopback());
    if is("net.ipv4.tcp_syncookies", 0) && is_public {
        found.push(Lint::new(
            Warning,
            "net.ipv4.tcp_syncookies",
            "off: a full SYN queue shuts every client out",
            "sysctl -w net.ipv4.tcp_syncookies=1",
        ));
    }
    if is("net.ipv4.tcp_syncookies", 2) {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_syncookies",
            "a test mode: every client gets a cookie, and may lose options",
            "sysctl -w net.ipv4.tcp_syncookies=1",
        ));
    }
    if below("net.ipv4.tcp_max_orphans", &ORPHANS) {
        found.push(Lint::new(
            Notice,
            "net.ipv4.tcp_max_orphans",
            "lowered: closed connections are reset before their data is delivered",
            "sysctl -w net.ipv4.tcp_max_orphans=65536",
        ));
    }
    let is_odd = settings.port_range().is_some_and(|range| range.start() % 2 == range.end() % 2);
    if is_odd {
        found.push(Lint::new(
            Notice,
            "net.ipv4.ip_local_port_range",
            "both ends are even or both odd: a search passes over one port",
            "sysctl -w net.ipv4.ip_local_port_range='32768 60999'",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn with(name: &str, value: &str) -> Option<Severity> {
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0"))
            .set(&format!("net.ipv4.{name}"), value)
            .severity(&RULE)
    }

    #[test]
    fn each_setting_has_its_verdict() {
        assert_eq!(Machine::idle().severity(&RULE), None);
        assert_eq!(with("tcp_tw_recycle", "1"), Some(Severity::Critical));
        assert_eq!(with("tcp_tw_recycle", "0"), None);
        assert_eq!(with("tcp_max_tw_buckets", "32767"), Some(Severity::Warning));
        assert_eq!(with("tcp_max_tw_buckets", "32768"), None);
        assert_eq!(with("tcp_fin_timeout", "29"), Some(Severity::Notice));
        assert_eq!(with("tcp_fin_timeout", "30"), None);
        assert_eq!(with("tcp_rfc1337", "1"), Some(Severity::Notice));
        assert_eq!(with("tcp_abort_on_overflow", "1"), Some(Severity::Notice));
        assert_eq!(with("tcp_syncookies", "0"), Some(Severity::Warning));
        assert_eq!(with("tcp_syncookies", "2"), Some(Severity::Notice));
        assert_eq!(with("tcp_timestamps", "0"), Some(Severity::Notice));
        assert_eq!(with("tcp_max_orphans", "4095"), Some(Severity::Notice));
        assert_eq!(with("ip_local_port_range", "32768 61000"), Some(Severity::Notice));
        assert_eq!(with("ip_local_port_range", "32768 60999"), None);
    }

    #[test]
    fn reuse_without_timestamps_is_told_as_one_thing() {
        let findings = Machine::idle()
            .set("net.ipv4.tcp_tw_reuse", "1")
            .set("net.ipv4.tcp_timestamps", "0")
            .findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].evidence["settings"], "net.ipv4.tcp_tw_reuse");
    }

    #[test]
    fn cookies_matter_only_where_somebody_can_come() {
        let local = Machine::idle()
            .both(socket(State::Listen, "127.0.0.1:80", "0.0.0.0:0"))
            .set("net.ipv4.tcp_syncookies", "0");
        assert_eq!(local.severity(&RULE), None);
    }

    #[test]
    fn the_worst_comes_first_with_its_remedy() {
        let findings = Machine::idle()
            .set("net.ipv4.tcp_fin_timeout", "5")
            .set("net.ipv4.tcp_tw_recycle", "1")
            .findings(&RULE);
        assert!(findings[0].title.contains("tcp_tw_recycle"), "{}", findings[0].title);
        let first = findings[0].remedies[0].command.as_deref();
        assert_eq!(first, Some("sysctl -w net.ipv4.tcp_tw_recycle=0"));
    }
}
