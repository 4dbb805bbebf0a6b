//! `fd-limit-process`: a process is about to run out of descriptors.
//!
//! RLIMIT_NOFILE bounds the number of a descriptor (`alloc_fd`): those below the limit count. At
//! the limit accept(2), socket(2) and open(2) fail with EMFILE, and a connection that cannot be
//! accepted stays in the accept queue: its client sees it as open.

use crate::{
    doctor::{
        area::Area,
        evidence::{DescriptorUse, Evidence},
        finding::{Finding, Severity},
        needs::Need,
        rounds::Watched,
        rule::{Advice, Case, HOST, Judgement, PROGRAM, Rule},
        share::{counted, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, state::State},
    report::remedy::{Remedy, Tier},
};
use std::collections::HashMap;

const NOTICE: Threshold =
    Threshold::new("notice_percent", 50.0, "half of the limit: time to know what uses them");
const WARNING: Threshold = Threshold::new("warning_percent", 75.0, "a burst reaches the limit");
const CRITICAL: Threshold =
    Threshold::new("critical_percent", 90.0, "the limit is reached before anybody looks again");
const LEAK: Threshold = Threshold::new(
    "leak_percent",
    30.0,
    "of the descriptors in CLOSE_WAIT: a leak fills any limit, raising it only takes longer",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "fd-limit-process",
    area: Area::Limits,
    title: "a process is about to run out of descriptors",
    meaning: "Each connection and each open file takes a descriptor. At the limit the program can \
              neither accept nor connect nor open a file.",
    evidence: "descriptors below the soft limit of RLIMIT_NOFILE in /proc/PID/fd, and the limit in \
               /proc/PID/limits; its listeners with connections that wait; its CLOSE_WAIT; \
               how their number goes over the rounds of --watch",
    needs: &[Need::Processes],
    thresholds: &[NOTICE, WARNING, CRITICAL, LEAK],
    symptoms: "`accept4: too many open files` (EMFILE, 24), a CPU busy with failing accepts, \
               clients that connect and get no answer.",
    causes: &[
        "more connections than the default soft limit of 1024 allows",
        "a leak: connections that are never closed (close-wait-leak, ghost-socket-fds)",
        "a service unit without LimitNOFILE=",
    ],
    remedies: &[
        Advice::application(
            "See what they are",
            "ls -l /proc/PID/fd | awk '{print $NF}' | sort | uniq -c",
        ),
        Advice::capacity("Spread the connections over more processes", ""),
    ],
    avoid: &[
        (
            "/etc/security/limits.conf",
            "PAM applies it at login; a systemd service is never logged in",
        ),
        ("ulimit -n in a profile", "the service does not read it"),
        ("unlimited", "RLIMIT_NOFILE cannot exceed fs.nr_open: the service fails to start"),
    ],
    false_positives: "A program that fills a cache of open files on purpose and closes the oldest.",
    sources: &["getrlimit(2) RLIMIT_NOFILE", "fs/file.c alloc_fd", "systemd.exec(5) LimitNOFILE"],
    caused_by: &["close-wait-leak", "ghost-socket-fds", "fin-wait2-owned", "half-open-suspect"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let fullest = case.evidence.descriptor_use().iter().filter_map(|used| {
        let severity = case.severity(percent(used.open, used.limit), &levels)?;
        Some((used, severity))
    });
    fullest.map(|(used, severity)| finding(case, used, severity)).collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, used: &DescriptorUse, severity: Severity) -> Finding {
    let evidence = case.evidence;
    let (open, limit) = (used.open, used.limit);
    let part = percent(open, limit);
    let subject = Subject::process(&used.party);
    let title = if open >= limit {
        format!("{} has no descriptor left: {open} of {limit}", subject.text)
    } else {
        format!("{} uses {open} of {limit} descriptors ({part:.0} %)", subject.text)
    };
    let held = used.party.pid.map_or(&[][..], |pid| evidence.held_by(pid));
    let close_wait = counted(held.iter().filter(|s| s.state == State::CloseWait).count());
    let waiting = waiting(evidence, held);
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("descriptors", open)
        .with("limit_soft", limit)
        .with("limit_hard", used.hard)
        .with("close_wait", close_wait)
        .with("not_accepted", waiting)
        .seen(format!(
            "{open} descriptors below the soft limit of {limit}{}",
            used.hard.map_or_else(String::new, |hard| format!(", which it may raise to {hard}"))
        ))
        .advise(raise(used))
        .advise(software::remedies([&used.party], Topic::Descriptors));
    let trend = used.party.pid.and_then(|pid| case.trend(Watched::Descriptors(pid)));
    if let Some(trend) = trend.filter(|trend| trend.grows_for(0.0)) {
        let full_in_s = trend.reaches_in_s(limit.saturating_sub(open));
        finding = finding.with("full_in_s", full_in_s).seen(match full_in_s {
            Some(seconds) if open < limit => {
                format!("their number {}; full in about {seconds} s at this pace", trend.text())
            }
            _ => format!("their number {}", trend.text()),
        });
    }
    if waiting > 0 {
        finding = finding.seen(format!("{waiting} connections wait at its listeners"));
    }
    // What can be shared is named once; listeners tell who waits.
    finding = finding.about(held.iter().map(|s| s.inode()));
    let leaks = percent(close_wait, open) >= case.at(&LEAK);
    if leaks {
        finding.because(format!(
            "a leak: {close_wait} of them are connections that the peer has closed"
        ))
    } else {
        finding
    }
}

/// Connections that wait at listeners among these.
fn waiting(evidence: &Evidence<'_>, held: &[&Outline]) -> u64 {
    let queues: HashMap<Option<u64>, u32> = evidence
        .listening()
        .iter()
        .map(|listening| (listening.socket.inode(), listening.queue))
        .collect();
    let own = held.iter().filter(|s| s.state == State::Listen);
    own.filter_map(|s| queues.get(&s.inode())).map(|queue| u64::from(*queue)).sum()
}

/// Raising the limit, now and for good.
fn raise(used: &DescriptorUse) -> Vec<Remedy> {
    let more = used.limit.saturating_mul(8).clamp(65_536, 1_048_576).max(used.limit);
    let mut remedies = vec![Remedy {
        tier: Tier::Application,
        text: "Raise the limit of the service for good (systemd), then restart it".into(),
        command: Some(format!("systemctl edit UNIT\n[Service]\nLimitNOFILE={more}")),
        scope: PROGRAM.into(),
        risk: "programs that use select(2) misbehave above 1024".into(),
    }];
    if let Some(pid) = used.party.pid {
        remedies.push(Remedy {
            tier: Tier::Application,
            text: "Raise the limit of the running process".into(),
            command: Some(format!("prlimit --pid {pid} --nofile={more}:{more}")),
            scope: format!("process {pid}, until it ends"),
            risk: String::new(),
        });
    }
    if more > 1_048_576 / 2 {
        remedies.push(Remedy {
            tier: Tier::Sysctl,
            text: "No process may have more than fs.nr_open".into(),
            command: Some("sysctl -w fs.nr_open=2097152".into()),
            scope: HOST.into(),
            risk: String::new(),
        });
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn using(open: u32) -> Machine {
        Machine::idle().process(900, "nginx", [], (open, 1000))
    }

    #[test]
    fn the_part_of_the_limit_decides() {
        assert_eq!(using(499).severity(&RULE), None);
        assert_eq!(using(500).severity(&RULE), Some(Severity::Notice));
        assert_eq!(using(750).severity(&RULE), Some(Severity::Warning));
        assert_eq!(using(900).severity(&RULE), Some(Severity::Critical));
        assert_eq!(using(1000).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn the_rounds_of_a_watch_tell_when_the_limit_is_reached() {
        let found = using(520).after([using(500), using(510)]).findings(&RULE);
        assert_eq!(found[0].evidence["full_in_s"], 480);
        let stands = using(520).after([using(520), using(520)]).findings(&RULE);
        assert!(!stands[0].evidence.contains_key("full_in_s"));
    }

    #[test]
    fn descriptors_above_the_limit_take_nothing_away() {
        let machine = using(10).with(|snapshot| {
            snapshot.limits.processes[0].descriptors = Some(vec![(0, 9), (2000, 4000)]);
        });
        assert_eq!(machine.severity(&RULE), None);
    }

    #[test]
    fn the_remedy_names_the_process_and_its_own_setting() {
        let findings = using(1000).findings(&RULE);
        let commands = format!("{:?}", findings[0].remedies);
        assert!(commands.contains("prlimit --pid 900 --nofile=65536:65536"), "{commands}");
        assert!(commands.contains("worker_rlimit_nofile"), "{commands}");
        assert!(findings[0].title.contains("no descriptor left"));
    }

    #[test]
    fn a_leak_is_told_as_the_cause_and_waiting_clients_are_counted() {
        let left = |n: u16| {
            socket(State::CloseWait, &format!("10.0.0.1:{}", 40_000 + n), "10.0.0.4:5432")
                .owned(100 + u64::from(n))
        };
        let listener = socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0").accepting(9, 128).owned(7);
        let machine = |leaked: u16| {
            Machine::idle().both(listener.clone()).many(leaked, left).process(
                900,
                "worker",
                (100..100 + u64::from(leaked)).chain([7]),
                (100, 100),
            )
        };
        let findings = machine(30).findings(&RULE);
        assert!(findings[0].causes[0].starts_with("a leak: 30"), "{:?}", findings[0].causes);
        assert_eq!(findings[0].evidence["not_accepted"], 9);
        let few = machine(29).findings(&RULE);
        assert!(!few[0].causes[0].starts_with("a leak: 29"));
    }
}
