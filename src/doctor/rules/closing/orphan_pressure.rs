//! `orphan-pressure`: closed sockets that still try to deliver are near the kernel's limit.
//!
//! An orphan is a connection whose program has closed it while data was unsent. `orphan` of
//! /proc/net/sockstat counts them, for the whole host; above `tcp_max_orphans`, or under memory
//! pressure, a further one is reset (`tcp_check_oom`). The kernel counts doubtful ones two- or
//! fourfold, so that the limit is felt from a quarter on.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, queues::Queues, state::State, timer::TimerKind},
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 10.0, "far more than a healthy host has");
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    25.0,
    "doubtful orphans count fourfold: from here on some are reset",
);
const CRITICAL: Threshold =
    Threshold::new("critical_percent", 50.0, "those that count double reach the limit");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "orphan-pressure",
    area: Area::Closing,
    title: "closed sockets that still try to deliver are near the kernel's limit",
    meaning: "Programs have closed connections whose data the peers do not take. The kernel keeps \
              on trying, and keeps the data; when there are too many, it resets them: clients lose \
              the end of their responses.",
    evidence: "orphan of /proc/net/sockstat (the whole host) against net.ipv4.tcp_max_orphans; \
               FIN_WAIT_1 without an owner here, and what waits in them; TcpExt.TCPAbortOnMemory",
    needs: &[Need::Counter("sockstat.TCP.orphan"), Need::Setting("net.ipv4.tcp_max_orphans")],
    thresholds: &[NOTICE, WARNING, CRITICAL],
    symptoms: "The kernel logs `TCP: too many orphaned sockets`; responses without an end.",
    causes: &[
        "clients that vanish in the middle of a response: mobile lines, a network that went down",
        "clients that do not read: closing does not end a zero window",
        "large send buffers: whole responses wait in them when the program closes",
    ],
    remedies: &[
        Advice::application(
            "Bound how long a response may take, and how much is buffered",
            "send_timeout 30s;   # nginx",
        ),
        Advice::socket(
            "Bound how long data may wait, also after close",
            "unsigned ms = 30000;\nsetsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);",
        ),
        Advice::sysctl("Try less often", "sysctl -w net.ipv4.tcp_orphan_retries=3")
            .risking("clients behind bad lines lose the end of a response"),
        Advice::host_sysctl(
            "Raise the limit where memory allows",
            "sysctl -w net.ipv4.tcp_max_orphans=262144",
        )
        .risking("up to 64 KiB for each orphan"),
    ],
    avoid: &[
        ("a lower tcp_max_orphans", "it resets more connections"),
        (
            "net.ipv4.tcp_mem",
            "`too many orphaned sockets` is this limit, unless memory is short too",
        ),
    ],
    false_positives: "The first minute after many clients lost their network.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_max_orphans",
        "net/ipv4/tcp.c tcp_check_oom",
        "net/ipv4/tcp_timer.c tcp_out_of_resources",
    ],
    caused_by: &["peer-not-reading", "peer-unreachable"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let orphans = evidence.gauge("sockstat.TCP.orphan")?;
    let most = evidence.setting("net.ipv4.tcp_max_orphans")?;
    let part = percent(orphans, most);
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let by_part = case.severity(part, &levels);
    let aborted = evidence.growth("TcpExt.TCPAbortOnMemory").map_or(0, |growth| growth.count);
    // The same counter tells of memory: with orphans about it is theirs.
    let aborts = (aborted > 0 && by_part.is_some()).then_some(Severity::Critical);
    let severity = by_part.max(aborts)?;
    let here: Vec<&Outline> = evidence
        .in_states([State::FinWait1, State::Closing, State::LastAck])
        .filter(|s| s.inode().is_none() && !s.is_mini())
        .collect();
    let unread = here.iter().filter(|s| s.timer.is_some_and(|t| t.kind == TimerKind::WindowProbe));
    let bytes: u64 = here
        .iter()
        .map(|s| match s.queues() {
            Queues::Data { send, .. } => u64::from(send),
            _ => 0,
        })
        .sum();
    let unread = counted(unread.count());
    let title = format!("the host has {orphans} orphans, {most} are allowed ({part:.0} %)");
    let finding = RULE
        .finding(severity, Subject::host(), title)
        .with("orphans", orphans)
        .with("tcp_max_orphans", most)
        .with("aborted", aborted)
        .with("orphans_here", counted(here.len()))
        .with("queued_bytes_here", bytes)
        .seen(format!(
            "{orphans} of {most}; {} of them in this namespace, with {bytes} bytes, {unread} before \
             a closed window; {aborted} aborted {}",
            here.len(),
            evidence.window()
        ));
    let pages = evidence.gauge("sockstat.TCP.mem");
    let pressure = evidence.snapshot.settings.number_at("net.ipv4.tcp_mem", 1);
    Some(match pages.zip(pressure) {
        Some((pages, pressure)) if pages < pressure => finding.seen(format!(
            "TCP memory is not the matter: {pages} pages, pressure from {pressure} on"
        )),
        _ => finding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn orphans(number: u64) -> Machine {
        Machine::idle()
            .set("net.ipv4.tcp_max_orphans", "1000")
            .gauge("sockstat.TCP.orphan", number)
            .gauge("sockstat.TCP.mem", 10)
    }

    #[test]
    fn the_part_of_the_limit_decides() {
        assert_eq!(orphans(99).severity(&RULE), None);
        assert_eq!(orphans(100).severity(&RULE), Some(Severity::Notice));
        assert_eq!(orphans(250).severity(&RULE), Some(Severity::Warning));
        assert_eq!(orphans(500).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn aborts_are_critical_with_orphans_about_and_those_of_the_past_are_not() {
        let at = |number, grown| orphans(number).grew("TcpExt.TCPAbortOnMemory", 800, grown);
        assert_eq!(at(100, 4).severity(&RULE), Some(Severity::Critical));
        assert_eq!(at(100, 0).severity(&RULE), Some(Severity::Notice));
        assert_eq!(at(10, 4).severity(&RULE), None);
    }

    #[test]
    fn memory_is_said_not_to_be_the_matter_and_a_container_is_not_judged() {
        assert!(orphans(600).findings(&RULE)[0].seen[1].contains("not the matter"));
        let container = orphans(600).unset("net.ipv4.tcp_max_orphans").judged(&RULE);
        assert!(matches!(container, Judgement::Skipped(_)));
    }
}
