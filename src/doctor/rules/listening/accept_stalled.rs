//! `accept-stalled`: connections wait at a listener and nobody accepts them.
//!
//! A connection that is open and has no inode waits in the accept queue: no process owns it yet.
//! How long, `tcpi_last_ack_recv` tells: its last packet was the end of the handshake, or a request.

use crate::{
    doctor::{
        area::Area,
        evidence::Listening,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, measures::Measured, outline::Outline, state::State},
};
use std::collections::BTreeMap;

const WARNING: Threshold = Threshold::new(
    "warning_s",
    1.0,
    "a program that lives accepts within milliseconds, one under load within a second",
);
const CRITICAL: Threshold =
    Threshold::new("critical_s", 10.0, "longer than callers wait: all of them have failed");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "accept-stalled",
    area: Area::Listening,
    title: "connections wait at a listener and nobody accepts them",
    meaning: "Clients are connected, by the kernel alone: the program has not called accept(2) for \
              a while. To them the service is there and does not answer.",
    evidence: "open connections without an inode at each listener's port, how long their peers are \
               silent (tcp_info), the accept queue at two looks, descriptors of the process",
    needs: &[Need::Netlink],
    thresholds: &[WARNING, CRITICAL],
    symptoms: "curl connects and hangs; health checks by connect succeed, those by request fail.",
    causes: &[
        "the process is stopped, or its only thread is blocked: a lock, a slow disk, DNS",
        "it has no descriptor left (fd-limit-process): accept(2) fails with EMFILE",
        "a long pause of the collector, or a CPU limit",
        "it has all the connections it allows itself, or all that select(2) can hold",
    ],
    remedies: &[
        Advice::application(
            "See what its threads do, then restart it",
            "grep -e State -e Threads /proc/PID/status\ncat /proc/PID/stack\n\
             jstack PID   # or py-spy dump --pid PID, gdb -p PID",
        ),
        Advice::capacity(
            "Take it out of the load balancer: connecting succeeds, so checks may pass",
            "",
        ),
    ],
    avoid: &[
        ("net.core.somaxconn", "a longer queue lets more clients wait for nobody"),
        ("a health check by connect", "the kernel answers it for a program that hangs"),
    ],
    false_positives: "TCP_DEFER_ACCEPT, and clients that connect and send nothing to a program \
                      that waits for data before it accepts.",
    sources: &[
        "net/ipv4/inet_connection_sock.c inet_csk_accept",
        "accept(2)",
        "https://blog.cloudflare.com/syn-packet-handling-in-the-wild/",
    ],
    caused_by: &["fd-limit-process", "close-wait-leak"],
    judge,
};

/// The number of descriptors that select(2) can hold (FD_SETSIZE).
const SELECT: u64 = 1024;

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut waiting: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    let is_waiting = |s: &&Outline| s.inode().is_none() && s.peer().is_some();
    for socket in evidence.in_states([State::Established, State::CloseWait]).filter(is_waiting) {
        if let Some(listener) = evidence.listeners.accepting(socket.local) {
            waiting.entry(listener.at).or_default().push(socket);
        }
    }
    let found = waiting.iter().filter_map(|(at, waiting)| finding(case, *at, waiting));
    found.collect::<Vec<_>>().into()
}

fn age(measured: Measured<'_>) -> u64 {
    // A client that sends renews one of them, one that only asks whether we live the other.
    measured.last_received_ms().unwrap_or(0).max(measured.silent_ms().unwrap_or(0))
}

fn finding(case: &Case<'_, '_>, at: Endpoint, waiting: &[&Outline]) -> Option<Finding> {
    let evidence = case.evidence;
    let here: Vec<&Listening<'_>> = evidence
        .listening()
        .iter()
        .filter(|listening| listening.socket.local.canonical() == at)
        .collect();
    let queue: u64 = here.iter().map(|listening| u64::from(listening.queue)).sum();
    if queue == 0 {
        return None;
    }
    // What waited at the first look waits still: of a queue that moves only the newest are left.
    let stays = |s: &&&Outline| !evidence.has_two_looks() || s.was.is_some();
    let stuck: Vec<&Outline> = waiting.iter().filter(stays).copied().collect();
    let oldest = stuck.iter().map(|s| age(evidence.measured(s))).max().unwrap_or(0);
    let gave_up = counted(stuck.iter().filter(|s| s.state == State::CloseWait).count());
    let seconds = number(oldest) / 1000.0;
    if stuck.is_empty() || seconds < case.at(&WARNING) {
        return None;
    }
    let severity = if seconds >= case.at(&CRITICAL) || gave_up > 0 {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let parties: Vec<Party> = evidence.holders_at(at);
    let advice = software::remedies(&parties, Topic::AcceptQueue);
    let used = parties.iter().find_map(|party| evidence.descriptors_of(party.pid));
    let subject = Subject::listener(at, parties);
    let title =
        format!("{queue} connections wait for {} to accept, for {seconds:.0} s", subject.text);
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("waiting", queue)
        .with("oldest_s", (seconds * 10.0).round() / 10.0)
        .with("clients_gave_up", gave_up)
        .with("descriptors", used.as_ref().map(|used| used.open))
        .with("descriptor_limit", used.as_ref().map(|used| used.limit))
        .seen(format!(
            "{queue} open connections without an owner, {} of them at the first look already, the \
             oldest for {seconds:.1} s",
            stuck.len()
        ))
        .advise(advice)
        .about(here.iter().map(|listening| listening.socket.inode()));
    if gave_up > 0 {
        finding = finding.seen(format!(
            "{gave_up} of their clients have hung up already (CLOSE_WAIT in the queue)"
        ));
    }
    match used {
        Some(used) if used.open >= used.limit => {
            finding = finding.because(format!(
                "it has no descriptor left ({} of {}): accept(2) fails with EMFILE",
                used.open, used.limit
            ));
        }
        // One that only counts to 1024 stops there, whatever its limit is.
        Some(used) if used.open.abs_diff(SELECT) <= 8 && used.limit > SELECT + 8 => {
            finding = finding.because(format!(
                "it has {} descriptors, and select(2) cannot hold more than {SELECT}: use poll(2) \
                 or epoll(7)",
                used.open
            ));
        }
        _ => {}
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn waiting(number: u16, silent_ms: u64) -> Socket {
        socket(State::Established, "10.0.0.1:80", &format!("10.0.9.9:{}", 20_000 + number))
            .info(&[("last_ack_recv", silent_ms), ("last_data_recv", silent_ms)])
    }

    fn listener(queue: u32) -> Socket {
        socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0").accepting(queue, 128).owned(7)
    }

    fn stalled(count: u16, silent_ms: u64, descriptors: (u32, u64)) -> Machine {
        Machine::idle().both(listener(count.into())).many(count, |n| waiting(n, silent_ms)).process(
            900,
            "haproxy",
            [7],
            descriptors,
        )
    }

    #[test]
    fn the_oldest_decides() {
        let severity = |ms| stalled(3, ms, (9, 1024)).severity(&RULE);
        assert_eq!(severity(999), None);
        assert_eq!(severity(1000), Some(Severity::Warning));
        assert_eq!(severity(9_999), Some(Severity::Warning));
        assert_eq!(severity(10_000), Some(Severity::Critical));
    }

    #[test]
    fn clients_that_have_hung_up_in_the_queue_are_critical() {
        let gone = Socket { state: State::CloseWait, ..waiting(9, 1500) };
        let machine = stalled(3, 1500, (9, 1024)).both(gone);
        assert_eq!(machine.severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn a_queue_that_moves_is_well() {
        let machine = (0..5u16)
            .fold(Machine::idle().both(listener(5)), |machine, n| machine.newly(waiting(n, 5_000)));
        assert_eq!(machine.severity(&RULE), None);
        let accepted = Machine::idle().both(listener(0)).both(waiting(1, 90_000).owned(9));
        assert_eq!(accepted.severity(&RULE), None);
    }

    #[test]
    fn no_descriptor_and_select_are_told_as_causes() {
        let full = stalled(3, 5_000, (20, 20)).findings(&RULE);
        assert!(full[0].causes[0].contains("EMFILE"), "{:?}", full[0].causes);
        let select = stalled(3, 5_000, (1024, 8192)).findings(&RULE);
        assert!(select[0].causes[0].contains("select(2)"), "{:?}", select[0].causes);
        let neither = stalled(3, 5_000, (900, 8192)).findings(&RULE);
        assert!(neither[0].causes[0].contains("stopped"));
    }
}
