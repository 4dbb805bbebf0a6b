//! `rto-heavy-peer`: one destination has nearly all timeouts, and the others are clean.

use super::stalled::{Stalled, stalled};
use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, state::State},
};
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
};

const BACKOFF: Threshold = Threshold::new(
    "backoff",
    3.0,
    "three doublings: more than a second without an acknowledgement",
);
const MANY: Threshold =
    Threshold::new("warning_sockets", 5.0, "five connections at once are no chance loss");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "rto-heavy-peer",
    area: Area::Peers,
    title: "one peer has nearly all timeouts, and the others are clean",
    meaning: "Connections to one machine wait for acknowledgements while those to all others work: \
              the fault is there or on the way there, and not in this host.",
    evidence: "connections whose timeout was doubled (tcp_info), by address of the peer; addresses \
               with open connections and no such timeout",
    needs: &[Need::Netlink],
    thresholds: &[BACKOFF, MANY],
    symptoms: "Requests to one backend are slow or hang; the others answer.",
    causes: &[
        "that machine is overloaded, frozen or gone",
        "the path to it loses packets, or its path MTU is smaller than it seems",
    ],
    remedies: &[
        Advice::application("Take it out of the pool until it answers", ""),
        Advice::capacity(
            "Look at that machine, and at the path to it",
            "ip route get ADDRESS\ntracepath -n ADDRESS",
        ),
    ],
    avoid: &[("sysctl settings of this host", "its other connections are clean")],
    false_positives: "A peer behind a mobile line.",
    sources: &["net/ipv4/tcp_timer.c tcp_retransmit_timer", "RFC 6298"],
    caused_by: &["peer-unreachable", "pmtu-blackhole"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let mut peers: BTreeMap<IpAddr, Vec<Stalled<'_>>> = BTreeMap::new();
    for one in stalled(evidence, 1).filter(|one| number(one.backoff) >= case.at(&BACKOFF)) {
        peers.entry(one.socket.remote.address.to_canonical()).or_default().push(one);
    }
    // Where several have timeouts it is not one peer's fault.
    let (peer, slow) = (peers.len() == 1).then(|| peers.pop_first())??;
    let count = counted(slow.len());
    let clean: HashSet<IpAddr> = evidence
        .in_state(State::Established)
        .map(|s| s.remote.address.to_canonical())
        .filter(|address| *address != peer)
        .collect();
    if number(count) < case.at(&MANY) || clean.is_empty() {
        return None;
    }
    let parties = evidence.by_holder(slow.iter().map(|one| one.socket));
    let parties = parties.into_iter().map(|(party, _)| party).collect();
    let subject = Subject::destination(Endpoint::new(peer, 0), parties);
    let title = format!(
        "{count} connections to {peer} wait in timeouts, and {} other peers are clean",
        clean.len()
    );
    let timeouts: u64 = slow.iter().filter_map(|one| one.measured.timeouts()).sum();
    Some(
        RULE.finding(Severity::Warning, subject, title)
            .with("connections", count)
            .with("clean_peers", counted(clean.len()))
            .with("timeouts", timeouts)
            .seen(format!(
                "{count} connections with {} or more doublings of the timeout, all to {peer}; none \
                 to {} other addresses",
                case.at(&BACKOFF),
                clean.len()
            ))
            .about(slow.iter().map(|one| one.socket.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{socket::Socket, timer::TimerKind};

    fn slow(peer: &str, number: u16, backoff: u64) -> Socket {
        socket(State::Established, &format!("10.0.0.1:{}", 40_000 + number), peer)
            .queued(0, 40)
            .timer(TimerKind::Retransmit, 100, 3)
            .info(&[("unacked", 1), ("backoff", backoff), ("rto", 1_600_000)])
            .owned(100 + u64::from(number))
    }

    fn clean() -> Socket {
        socket(State::Established, "10.0.0.1:39999", "10.0.0.8:80").info(&[])
    }

    #[test]
    fn five_connections_to_one_peer_among_clean_ones() {
        let severity = |count, backoff| {
            let machine = Machine::idle().both(clean());
            machine.many(count, |n| slow("10.0.0.9:80", n, backoff)).severity(&RULE)
        };
        assert_eq!(severity(5, 3), Some(Severity::Warning));
        assert_eq!(severity(4, 3), None);
        assert_eq!(severity(5, 2), None);
    }

    #[test]
    fn two_slow_peers_or_no_clean_one_say_nothing_of_one() {
        let alone = Machine::idle().many(9, |n| slow("10.0.0.9:80", n, 4));
        assert_eq!(alone.severity(&RULE), None);
        let two = Machine::idle().both(clean()).many(9, |n| slow("10.0.0.9:80", n, 4)).both(slow(
            "10.0.0.7:80",
            99,
            4,
        ));
        assert_eq!(two.severity(&RULE), None);
    }
}
