//! `short-lived-connections`: a program opens a new connection for each request.
//!
//! Counted are the connections to a destination that were not there at the first look, TIME_WAIT
//! included. What the peer closed first leaves nothing here: `Tcp.ActiveOpens` counts more than
//! is seen, and the rest is told of the destination that has most of the new ones.

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
    report::time_wait::destination::reuse_after_ms,
};
use std::{collections::BTreeMap, net::IpAddr};

const RATE: Threshold = Threshold::new(
    "notice_per_second",
    20.0,
    "to one destination: each is a handshake, with TLS several round trips",
);
const REUSE: Threshold = Threshold::new(
    "notice_times_open",
    1.0,
    "new ones a second for each open one: a pool would have reused them",
);
const WARNING: Threshold = Threshold::new(
    "warning_ceiling_percent",
    50.0,
    "of the rate at which the local ports run out: usable ports / 60 s where this side closes first",
);
const CRITICAL: Threshold = Threshold::new("critical_ceiling_percent", 90.0, "of that rate");
/// The part of the new connections that one destination must have to be told the rest.
const MOST: f64 = 80.0;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "short-lived-connections",
    area: Area::TimeWait,
    title: "a program opens a new connection for each request",
    meaning: "Connections to the same place come and go many times a second. Each costs a \
              handshake, and where this side closes first a local port for a minute.",
    evidence: "connections to each destination that are new since the first look, TIME_WAIT \
               included; Tcp.ActiveOpens; those that are open",
    needs: &[Need::TwoLooks, Need::Window],
    thresholds: &[RATE, REUSE, WARNING, CRITICAL],
    symptoms: "Latency and CPU for handshakes; later EADDRNOTAVAIL (99) from connect().",
    causes: &[
        "a client object for each request: requests.get, new HttpClient, PHP",
        "a pool that is too small: Go keeps 2 idle connections a host, Apache HttpClient 2 a route",
        "a proxy without keep-alive to its upstream",
        "a response body that is not read to its end, so that its connection cannot be used again",
        "a server that says `Connection: close`, or allows few requests on a connection",
    ],
    remedies: &[
        Advice::application("Keep connections and use them again: one client object, a pool", ""),
        Advice::capacity(
            "Many requests on one connection (HTTP/2, gRPC), a pooler on this host",
            "",
        ),
    ],
    avoid: &[
        ("net.ipv4.tcp_tw_reuse", "it hides the cost of the ports, not that of the handshakes"),
        ("net.ipv4.tcp_fin_timeout", "it does not shorten TIME_WAIT"),
        ("SO_LINGER 0", "it throws away what is still on its way"),
    ],
    false_positives: "Load generators that are meant to; health checks of many targets.",
    sources: &[
        "net/ipv4/inet_hashtables.c __inet_hash_connect",
        "https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux",
    ],
    caused_by: &[],
    judge,
};

/// Connections between this address and that end.
#[derive(Default)]
struct Group<'s> {
    new: Vec<&'s Outline>,
    open: u64,
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut groups: BTreeMap<(IpAddr, Endpoint), Group<'_>> = BTreeMap::new();
    for (destination, sockets) in evidence.outgoing() {
        let group = groups.entry(destination).or_default();
        for socket in sockets {
            group.open += u64::from(socket.state == State::Established);
            if evidence.is_new(socket) == Some(true) && socket.state != State::SynSent {
                group.new.push(socket);
            }
        }
    }
    let seen: u64 = groups.values().map(|group| counted(group.new.len())).sum();
    let unseen = evidence.grown("Tcp.ActiveOpens").saturating_sub(seen);
    let found = groups.iter().filter_map(|((local, peer), group)| {
        let own = counted(group.new.len());
        let rest = if own > 0 && percent(own, seen) >= MOST { unseen } else { 0 };
        finding(case, (*local, *peer), group, own + rest)
    });
    found.collect::<Vec<_>>().into()
}

fn finding(
    case: &Case<'_, '_>,
    (local, peer): (IpAddr, Endpoint),
    group: &Group<'_>,
    opened: u64,
) -> Option<Finding> {
    let evidence = case.evidence;
    let per_second = evidence.per_second(opened)?;
    let for_each = per_second / number(group.open.max(1));
    if per_second < case.at(&RATE) || for_each <= case.at(&REUSE) {
        return None;
    }
    let is_left = |s: &&&Outline| s.state == State::TimeWait;
    let left = counted(group.new.iter().filter(is_left).count());
    // What the peer closes first holds no port here.
    let closes = evidence.per_second(left)?;
    let usable = evidence.usable_ports().map_or(0.0, f64::from);
    let settings = &evidence.snapshot.settings;
    let held_s =
        reuse_after_ms(settings, local, peer.address).map_or(60.0, |ms| f64::from(ms) / 1000.0);
    let ceiling = usable / held_s;
    let part = if ceiling > 0.0 { closes * 100.0 / ceiling } else { 0.0 };
    let levels = [(Severity::Warning, &WARNING), (Severity::Critical, &CRITICAL)];
    let severity = case.severity(part, &levels).unwrap_or(Severity::Notice);
    let live: Vec<&Outline> = evidence
        .tuples()
        .get((local, peer))
        .iter()
        .filter(|s| s.inode().is_some())
        .copied()
        .collect();
    let parties: Vec<_> =
        evidence.by_holder(live.iter().copied()).into_iter().map(|(party, _)| party).collect();
    let advice = software::remedies(&parties, Topic::Reuse);
    let subject = Subject::destination(peer, parties);
    let title =
        format!("{per_second} new connections a second, {} open: {}", group.open, subject.text);
    let finding = RULE
        .finding(severity, subject, title)
        .only(Confidence::Likely, "run `sockeye trace` to see each of them come and go")
        .with("opened_per_second", per_second)
        .with("closed_first_per_second", closes)
        .with("established", group.open)
        .with("ceiling_per_second", (ceiling * 10.0).round() / 10.0)
        .seen(format!(
            "{opened} connections opened {}, {left} of them in TIME_WAIT already, {} open",
            evidence.window(),
            group.open
        ))
        .seen(format!(
            "at {ceiling:.0} closes a second from here the {usable} local ports would be used up: \
             {part:.0} %"
        ))
        .advise(advice)
        .about(live.iter().map(|s| s.inode()));
    Some(if left * 2 < opened {
        finding.because(
            "the peer closes first: a server that says `Connection: close`, or an HTTP/1.0 proxy",
        )
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    /// A destination with so many open connections, and so many new ones in TIME_WAIT, in 2 s.
    fn churning(open: u16, new: u16, range: &str) -> Machine {
        let at = |n: u16| format!("10.0.0.1:{}", 40_000 + n);
        let machine = Machine::idle()
            .set("net.ipv4.ip_local_port_range", range)
            .many(open, |n| {
                socket(State::Established, &at(n), "10.0.0.7:8080").owned(100 + u64::from(n))
            })
            .process(811, "nginx", 100..100 + u64::from(open), (20, 1024));
        (0..new).fold(machine, |machine, n| {
            machine.newly(socket(State::TimeWait, &at(1000 + n), "10.0.0.7:8080"))
        })
    }

    #[test]
    fn twenty_a_second_and_more_than_are_open() {
        assert_eq!(churning(1, 39, "32768 60999").severity(&RULE), None);
        assert_eq!(churning(1, 40, "32768 60999").severity(&RULE), Some(Severity::Notice));
        assert_eq!(churning(20, 40, "32768 60999").severity(&RULE), None, "a pool that grows");
        let findings = churning(2, 50, "32768 60999").findings(&RULE);
        assert_eq!(findings[0].subject.text, "nginx[811] to 10.0.0.7:8080");
        assert!(findings[0].remedies[0].command.as_deref().unwrap().contains("upstream"));
    }

    #[test]
    fn the_ceiling_of_the_ports_makes_it_grave() {
        // 6000 ports: 100 closes a second.
        let severity = |new| churning(1, new, "40000 45999").severity(&RULE);
        assert_eq!(severity(99), Some(Severity::Notice));
        assert_eq!(severity(100), Some(Severity::Warning));
        assert_eq!(severity(179), Some(Severity::Warning));
        assert_eq!(severity(180), Some(Severity::Critical));
        let reused = churning(1, 180, "40000 45999").set("net.ipv4.tcp_tw_reuse", "1");
        assert_eq!(reused.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn what_the_peer_closes_first_is_counted_and_holds_no_port() {
        let at =
            |n: u16| socket(State::Established, &format!("10.0.0.1:{}", 41_000 + n), "10.0.0.7:80");
        let idle = Machine::idle().both(socket(State::Listen, "127.0.0.1:25", "0.0.0.0:0"));
        let machine = idle.newly(at(1)).grew("Tcp.ActiveOpens", 70_000, 4000);
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Notice);
        assert_eq!(findings[0].evidence["opened_per_second"], 2000.0);
        assert!(findings[0].causes[0].contains("peer closes first"));
    }

    #[test]
    fn connections_that_come_in_are_the_clients_matter() {
        let machine = (0..200u16).fold(
            Machine::idle().both(socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0")),
            |machine, n| {
                machine.newly(socket(
                    State::TimeWait,
                    "10.0.0.1:80",
                    &format!("10.0.9.9:{}", 20_000 + n),
                ))
            },
        );
        assert_eq!(machine.severity(&RULE), None);
    }
}
