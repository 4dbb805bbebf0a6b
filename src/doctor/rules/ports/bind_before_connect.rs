//! `bind-before-connect`: programs that bind before they connect keep ports from everybody.
//!
//! bind(2) with port 0 takes a port before the destination is known: it is held against every
//! destination, and connect(2) passes over it for every local address (`__inet_hash_connect`:
//! `fastreuse >= 0`). The kernel does not tell how a connection got its port; bind(2) takes the
//! parity that connect(2) tries last, which shows (`EphemeralPorts::suspected`).

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::outline::Outline,
};
use std::collections::BTreeSet;

const WARNING: Threshold = Threshold::new(
    "warning_percent",
    70.0,
    "of the range, whatever the destinations: bind(0) searches long, and connect() of others too",
);
const CRITICAL: Threshold =
    Threshold::new("critical_percent", 90.0, "the next bind() or connect() of anybody fails");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "bind-before-connect",
    area: Area::Ports,
    title: "programs that bind before they connect keep ports from everybody",
    meaning: "A program binds a source address before it connects. Each such connection holds its \
              local port against every destination, also of other programs: one range for all \
              connections together.",
    evidence: "distinct local ports of outgoing connections that seem to be bound (parity, named \
               ports), of the range; IP_BIND_ADDRESS_NO_PORT of each socket where netlink tells",
    needs: &[Need::PortRange],
    thresholds: &[WARNING, CRITICAL],
    symptoms: "bind() fails with EADDRINUSE (98) in that program, connect() with EADDRNOTAVAIL (99) \
               in others, though no destination has many connections.",
    causes: &[
        "a proxy with a source address: nginx proxy_bind, haproxy source, envoy \
         upstream_bind_config, ProxySQL, a sidecar on 127.0.0.6",
        "a client library that binds to choose the interface",
    ],
    remedies: &[
        Advice::socket(
            "Bind the address and leave the port to connect (Linux 4.2)",
            "int on = 1;\nsetsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, 4);\n\
             bind(fd, address, port 0); connect(fd, ...);",
        ),
        Advice::capacity(
            "A network namespace of its own for that program: its ports are then its own",
            "",
        ),
    ],
    avoid: &[
        ("SO_REUSEADDR", "bind(0) gives each socket a port of its own all the same"),
        ("net.ipv4.ip_autobind_reuse", "random ports may collide, and connect() then fails"),
        ("net.ipv4.tcp_tw_reuse", "a TIME_WAIT of a bound socket is never taken over"),
    ],
    false_positives: "The guess by parity, right after very many connections to one place.",
    sources: &[
        "net/ipv4/inet_hashtables.c __inet_hash_connect",
        "ip(7) IP_BIND_ADDRESS_NO_PORT",
        "https://blog.cloudflare.com/the-quantum-state-of-a-tcp-port/",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let ports = evidence.ephemeral()?;
    let named: BTreeSet<u16> =
        evidence.snapshot.limits.named_ports.iter().flatten().copied().collect();
    let is_bound =
        |port: u16| ports.is_suspected(port) || (named.contains(&port) && ports.is_offered(port));
    let is_out = |s: &&Outline| {
        s.peer().is_some()
            && is_bound(s.local.port)
            && evidence.listeners.accepting(s.local).is_none()
    };
    let bound: Vec<&Outline> = evidence.tcp().filter(is_out).collect();
    let distinct: BTreeSet<u16> = bound.iter().map(|s| s.local.port).collect();
    let (taken, offered) = (counted(distinct.len()), ports.offered());
    let part = percent(taken, offered.into());
    let levels = [(Severity::Warning, &WARNING), (Severity::Critical, &CRITICAL)];
    let severity = case.severity(part, &levels)?;
    let live = bound.iter().copied().filter(|s| s.inode().is_some());
    let holders = evidence.by_holder(live.clone());
    let (party, of_first) = holders.first()?;
    let destinations: BTreeSet<_> = bound.iter().map(|s| s.remote).collect();
    let sources: BTreeSet<_> = bound.iter().map(|s| s.local.address).collect();
    let subject = Subject::process(party);
    let title = format!(
        "{} holds {taken} of {offered} local ports over {} destinations, bound before connecting",
        subject.text,
        destinations.len()
    );
    let sources: Vec<String> = sources.iter().take(3).map(ToString::to_string).collect();
    Some(
        RULE.finding(severity, subject, title)
            .only(
                Confidence::Likely,
                "`strace -f -e trace=bind,connect -p PID` shows whether it binds first",
            )
            .with("ports_bound", taken)
            .with("ports_offered", offered)
            .with("sockets", counted(bound.len()))
            .with("sockets_of_first", counted(of_first.len()))
            .with("destinations", counted(destinations.len()))
            .with("sources", sources.join(" "))
            .seen(format!(
                "{taken} distinct local ports ({part:.0} % of the range) on {} connections to {} \
                 destinations, from {}",
                bound.len(),
                destinations.len(),
                sources.join(", ")
            ))
            .advise(software::remedies([party], Topic::Reuse))
            .about(live.map(Outline::inode)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    /// Connections in the order in which bind(2) gives ports: the odd ones first.
    fn bound(count: u16) -> Machine {
        let one = |n: u16| {
            let port = 40_000 + if n < 50 { n * 2 + 1 } else { (n - 50) * 2 };
            socket(
                State::Established,
                &format!("10.0.0.1:{port}"),
                &format!("10.0.0.{}:80", n % 5 + 2),
            )
            .owned(100 + u64::from(n))
        };
        Machine::idle().set("net.ipv4.ip_local_port_range", "40000 40099").many(count, one).process(
            900,
            "envoy",
            100..100 + u64::from(count),
            (20, 4096),
        )
    }

    #[test]
    fn the_part_of_the_whole_range_decides() {
        assert_eq!(bound(69).severity(&RULE), None);
        assert_eq!(bound(70).severity(&RULE), Some(Severity::Warning));
        assert_eq!(bound(90).severity(&RULE), Some(Severity::Critical));
        let findings = bound(95).findings(&RULE);
        assert_eq!(findings[0].subject.text, "envoy[900]");
        assert!(findings[0].title.contains("5 destinations"), "{}", findings[0].title);
    }

    #[test]
    fn connections_that_connect_gave_their_ports_are_well() {
        // The even ones first, the same for each destination.
        let one = |n: u16| {
            let port = 40_000 + n / 5 * 2;
            socket(
                State::Established,
                &format!("10.0.0.1:{port}"),
                &format!("10.0.0.{}:80", n % 5 + 2),
            )
            .owned(100 + u64::from(n))
        };
        let machine =
            Machine::idle().set("net.ipv4.ip_local_port_range", "40000 40099").many(240, one);
        assert_eq!(machine.severity(&RULE), None);
    }
}
