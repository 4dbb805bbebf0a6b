//! `reuseport-skew`: of several sockets on one port one is full while the others are idle.
//!
//! With SO_REUSEPORT each socket has an accept queue of its own, and the kernel spreads clients by
//! a hash of the 4-tuple (`reuseport_select_sock`), whatever the queues hold.

use crate::{
    doctor::{
        area::Area,
        evidence::Listening,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::endpoint::Endpoint,
};
use std::collections::BTreeMap;

const IDLE: Threshold =
    Threshold::new("idle_percent", 10.0, "of its queue: a sibling with so little could take more");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "reuseport-skew",
    area: Area::Listening,
    title: "of several sockets on one port one is full while the others are idle",
    meaning: "Each worker has a queue of its own, and the kernel gives it its part of the clients \
              whether it takes them or not. One worker is stuck: its part of the clients waits or \
              is dropped.",
    evidence: "accept queues, limits and drops of the listeners that share an address and port",
    needs: &[Need::Netlink],
    thresholds: &[IDLE],
    symptoms: "A fixed part of the clients hangs, the others are served at once.",
    causes: &[
        "a worker is blocked, stopped or in a debugger",
        "few client addresses or ports, so that the hash falls on few sockets",
        "a worker that ended took its queue with it (net.ipv4.tcp_migrate_req is 0)",
    ],
    remedies: &[
        Advice::application(
            "Look at that worker and restart it",
            "cat /proc/PID/stack /proc/PID/wchan",
        ),
        Advice::application(
            "One queue for all workers, without SO_REUSEPORT, or a choice by load (BPF)",
            "",
        ),
        Advice::sysctl(
            "Let the queue of a worker that ends move to another (Linux 5.14)",
            "sysctl -w net.ipv4.tcp_migrate_req=1",
        ),
    ],
    avoid: &[("net.core.somaxconn", "the queues of the others are empty")],
    false_positives: "The moment in which workers are replaced.",
    sources: &[
        "net/core/sock_reuseport.c reuseport_select_sock",
        "https://blog.cloudflare.com/the-sad-state-of-linux-socket-balancing/",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let mut ends: BTreeMap<Endpoint, Vec<&Listening<'_>>> = BTreeMap::new();
    for listening in case.evidence.listening() {
        ends.entry(listening.socket.local.canonical()).or_default().push(listening);
    }
    let found = ends.iter().filter_map(|(at, sockets)| finding(case, *at, sockets));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, at: Endpoint, sockets: &[&Listening<'_>]) -> Option<Finding> {
    let evidence = case.evidence;
    let used = |one: &Listening<'_>| {
        percent(u64::from(one.queue), u64::from(one.limit.unwrap_or(u32::MAX)))
    };
    let (full, rest): (Vec<&Listening<'_>>, Vec<&Listening<'_>>) =
        sockets.iter().partition(|one| one.is_full());
    let idle = rest.iter().filter(|one| used(one) < case.at(&IDLE)).count();
    let stuck = full.first()?;
    if idle == 0 {
        return None;
    }
    let lasting = full.iter().any(|one| one.was_full());
    let severity =
        if lasting || !evidence.has_two_looks() { Severity::Warning } else { Severity::Notice };
    let parties = full.iter().flat_map(|one| evidence.holders(one.socket)).collect();
    let subject = Subject::listener(at, parties);
    let drops: u64 = full.iter().filter_map(|one| one.drops).map(u64::from).sum();
    let title = format!(
        "{} of {} sockets on {} full, {idle} of the others idle: {}",
        full.len(),
        sockets.len(),
        if full.len() == 1 { "one port is" } else { "one port are" },
        subject.text
    );
    Some(
        RULE.finding(severity, subject, title)
            .with("sockets", counted(sockets.len()))
            .with("full", counted(full.len()))
            .with("idle", counted(idle))
            .with("accept_queue", stuck.queue)
            .with("accept_queue_limit", stuck.limit)
            .with("drops", drops)
            .seen(format!(
                "{} wait at the full ones, {drops} were dropped {}; at the others {} wait",
                full.iter().map(|one| u64::from(one.queue)).sum::<u64>(),
                evidence.window(),
                rest.iter().map(|one| u64::from(one.queue)).sum::<u64>()
            ))
            .about(sockets.iter().map(|one| one.socket.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{socket::Socket, state::State};

    fn worker(inode: u64, queue: u32) -> Socket {
        socket(State::Listen, "0.0.0.0:9000", "0.0.0.0:0").accepting(queue, 100).owned(inode)
    }

    fn pair(one: u32, other: u32) -> Machine {
        Machine::idle()
            .both(worker(7, one))
            .both(worker(8, other))
            .process(900, "stuck", [7], (9, 1024))
            .process(901, "idle", [8], (9, 1024))
    }

    #[test]
    fn one_full_and_another_idle() {
        assert_eq!(pair(101, 9).severity(&RULE), Some(Severity::Warning));
        assert_eq!(pair(100, 0).severity(&RULE), None, "one more fits");
        assert_eq!(pair(101, 10).severity(&RULE), None, "the other has work too");
        assert_eq!(pair(101, 101).severity(&RULE), None);
        assert_eq!(pair(101, 0).findings(&RULE)[0].subject.text, ":9000 stuck[900]");
    }

    #[test]
    fn a_full_queue_alone_is_no_skew_and_a_moment_is_noticed() {
        assert_eq!(Machine::idle().both(worker(7, 101)).severity(&RULE), None);
        let moment = Machine::idle().became(worker(7, 3), worker(7, 101)).both(worker(8, 0));
        assert_eq!(moment.severity(&RULE), Some(Severity::Notice));
    }
}
