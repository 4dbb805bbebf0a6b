//! `snat-exhaustion-suspected`: new connections hang while old ones to the same place work.
//!
//! A NAT that has no port left for a destination drops the SYN: connections that have a mapping go
//! on. The same picture comes of a full accept queue at the destination, so that this is never
//! certain from here.

use crate::{
    doctor::{
        area::Area,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::collections::BTreeMap;

const SHARE: Threshold = Threshold::new(
    "warning_percent",
    5.0,
    "of the attempts to one destination are sent again: chance loss is far below one in twenty",
);
const FEWEST: Threshold =
    Threshold::new("least_sockets", 3.0, "one or two SYNs get lost by chance");
const PORTS: Threshold = Threshold::new(
    "most_local_ports_percent",
    50.0,
    "of the local ports in use: above that this host itself is the limit (ephemeral-port-pressure)",
);
const RECENT: Threshold = Threshold::new(
    "alive_s",
    10.0,
    "an open connection that was answered within this time proves that the destination lives",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "snat-exhaustion-suspected",
    area: Area::Ports,
    title: "new connections hang while old ones to the same place work",
    meaning: "SYNs to this destination are not answered, its open connections are, and this host \
              has ports left. Something on the way has no room for new connections: a NAT, a \
              firewall's table, or the queue of the destination.",
    evidence: "SYN_SENT with retransmissions and answered ESTABLISHED to the same destination; use \
               of local ports; connections and TIME_WAIT to it, against the limits of NATs",
    needs: &[Need::Netlink],
    thresholds: &[SHARE, FEWEST, PORTS, RECENT],
    symptoms: "Connects time out without an error for seconds; more instances make it worse.",
    causes: &[
        "the NAT in front has no port left for this destination: Azure 1024 for each instance by \
         default, GCP 64, AWS 55000 for each destination",
        "the destination accepts too slowly: its queue is full",
        "a firewall's table of connections is full",
    ],
    remedies: &[
        Advice::application("Reuse connections: fewer are opened through the NAT", ""),
        Advice::capacity(
            "More addresses or ports for the NAT, or a private endpoint without one",
            "gcloud compute routers nats update NAT --min-ports-per-vm=1024",
        ),
        Advice::capacity(
            "Ask the destination whether its queue is full",
            "sockeye doctor --only accept-queue-overflow",
        ),
    ],
    avoid: &[
        ("net.ipv4.ip_local_port_range", "this host has ports left"),
        ("more instances", "each has fewer ports of the same NAT"),
    ],
    false_positives: "A destination that is overloaded, a firewall that limits new connections.",
    sources: &[
        "https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource",
        "https://repost.aws/knowledge-center/vpc-resolve-port-allocation-errors",
        "https://cloud.google.com/nat/docs/ports-and-addresses",
    ],
    caused_by: &["short-lived-connections"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut ends: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for ((_, end), sockets) in evidence.outgoing() {
        if !evidence.listeners.is_local(end.address) {
            ends.entry(end).or_default().extend(sockets);
        }
    }
    let found = ends.iter().filter_map(|(end, sockets)| finding(case, *end, sockets));
    found.collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, end: Endpoint, sockets: &[&'s Outline]) -> Option<Finding> {
    let evidence = case.evidence;
    let is_stuck = |s: &&&Outline| {
        s.state == State::SynSent && s.timer.is_some_and(|timer| timer.retransmits > 0)
    };
    let stuck: Vec<&Outline> = sockets.iter().filter(is_stuck).copied().collect();
    let open = || sockets.iter().filter(|s| s.state == State::Established);
    let is_alive = |s: &&&Outline| {
        let silent_ms = evidence.measured(s).silent_ms();
        let answered = silent_ms.is_some_and(|ms| number(ms) <= case.at(&RECENT) * 1000.0);
        answered && s.timer.is_none_or(|timer| timer.retransmits == 0)
    };
    let alive = counted(open().filter(is_alive).count());
    let new = counted(open().filter(|s| evidence.is_new(s) == Some(true)).count());
    let count = counted(stuck.len());
    let of_attempts = percent(count, count + new);
    if number(count) < case.at(&FEWEST) || alive == 0 || of_attempts < case.at(&SHARE) {
        return None;
    }
    let usable = u64::from(evidence.usable_ports().unwrap_or(u32::MAX));
    let taken = counted(sockets.iter().filter(|s| s.remote.canonical() == end).count());
    if percent(taken, usable) >= case.at(&PORTS) {
        return None;
    }
    let parties: Vec<_> =
        evidence.by_holder(stuck.iter().copied()).into_iter().map(|(party, _)| party).collect();
    let advice = software::remedies(&parties, Topic::Reuse);
    let subject = Subject::destination(end, parties);
    let time_wait = counted(sockets.iter().filter(|s| s.state == State::TimeWait).count());
    let title = format!(
        "{count} new connections hang while {alive} old ones are answered: {}",
        subject.text
    );
    Some(
        RULE.finding(Severity::Warning, subject, title)
            .only(Confidence::Possible, "look at the counters of the NAT and of the destination")
            .with("syn_sent", count)
            .with("established_alive", alive)
            .with("established_in_window", new)
            .with("connections_and_time_wait", taken)
            .with("time_wait", time_wait)
            .with("ports_usable", usable)
            .seen(format!(
                "{count} SYN_SENT sent again, {new} connections came about {}, {alive} open ones were \
                 answered within {} s; {taken} of {usable} local ports are in use towards it",
                evidence.window(),
                case.at(&RECENT)
            ))
            .advise(advice)
            .about(stuck.iter().map(|s| s.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn stuck(number: u16) -> Socket {
        socket(State::SynSent, &format!("10.0.0.1:{}", 40_000 + number), "203.0.113.9:443")
            .timer(TimerKind::Retransmit, 700, 2)
            .owned(100 + u64::from(number))
    }

    fn open(number: u16, silent_ms: u64) -> Socket {
        socket(State::Established, &format!("10.0.0.1:{}", 50_000 + number), "203.0.113.9:443")
            .info(&[("last_ack_recv", silent_ms)])
    }

    #[test]
    fn stuck_and_living_together_are_suspicious() {
        let severity = |count, silent| {
            Machine::idle().many(count, stuck).both(open(1, silent)).severity(&RULE)
        };
        assert_eq!(severity(3, 10_000), Some(Severity::Warning));
        assert_eq!(severity(2, 10_000), None);
        assert_eq!(severity(3, 10_001), None, "nothing proves that it lives");
        assert_eq!(Machine::idle().many(9, stuck).severity(&RULE), None);
    }

    #[test]
    fn a_few_among_many_that_succeed_are_chance() {
        let severity = |new: u16| {
            let machine = Machine::idle().many(3, stuck).both(open(0, 5));
            (1..=new).fold(machine, |machine, n| machine.newly(open(n, 5))).severity(&RULE)
        };
        assert_eq!(severity(57), Some(Severity::Warning));
        assert_eq!(severity(58), None);
    }

    #[test]
    fn where_local_ports_are_short_this_host_is_the_limit() {
        let machine = Machine::idle()
            .set("net.ipv4.ip_local_port_range", "40000 40019")
            .many(9, stuck)
            .both(open(1, 5));
        assert_eq!(machine.severity(&RULE), None);
    }
}
