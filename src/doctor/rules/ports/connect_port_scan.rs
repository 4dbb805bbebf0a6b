//! `connect-port-scan`: connect(2) searches long for a free port.
//!
//! connect(2) walks the ports of one parity in steps of two, from a random start, and then the
//! others (`__inet_hash_connect`): once half of the range is taken towards a destination, each call
//! passes over the whole taken half. Measured on Linux 6.18 with the default range: 25 µs below
//! half, 11 ms above.

use crate::{
    doctor::{
        area::Area,
        evidence::Destination,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::outline::Outline,
};

const WARNING: Threshold = Threshold::new(
    "warning_percent",
    50.0,
    "the ports that connect(2) tries first are used up: each call passes over all of them",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "connect-port-scan",
    area: Area::Ports,
    title: "connect() searches long for a free port",
    meaning: "More than half of the local ports towards a destination are taken. The kernel tries \
              those of one parity first: every connect() now walks through thousands of taken \
              ports, in the caller's time.",
    evidence: "ports taken of those usable, for each source address and destination",
    needs: &[Need::PortRange],
    thresholds: &[WARNING],
    symptoms: "connect() takes milliseconds; CPU in the kernel, in __inet_hash_connect.",
    causes: &[
        "a connection for each request (short-lived-connections)",
        "many lasting connections from one address to one place",
    ],
    remedies: &[
        Advice::application("Reuse connections", ""),
        Advice::socket(
            "Give the program a range of its own (Linux 6.3), searched without parity since 6.8",
            "unsigned range = 64999u << 16 | 15000;\n\
             setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, 4);",
        ),
        Advice::sysctl("Widen the range", "sysctl -w net.ipv4.ip_local_port_range='15000 64999'")
            .risking("services that listen inside the new range may find their port taken"),
        Advice::capacity("More source addresses, destination addresses or ports", ""),
    ],
    avoid: &[("net.ipv4.tcp_fin_timeout", "it does not shorten TIME_WAIT")],
    false_positives: "Programs with IP_LOCAL_PORT_RANGE search otherwise.",
    sources: &["net/ipv4/inet_hashtables.c __inet_hash_connect"],
    caused_by: &["short-lived-connections", "fin-wait2-orphan", "bind-before-connect"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let found = case.evidence.destinations().iter().filter_map(|one| finding(case, one));
    found.collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, destination: &Destination<'s>) -> Option<Finding> {
    let percent = destination.ports.taken_part() * 100.0;
    let severity = case.severity(percent, &[(Severity::Warning, &WARNING)])?;
    let evidence = case.evidence;
    let live = destination.sockets.iter().copied().filter(|s| s.inode().is_some());
    let parties: Vec<_> =
        evidence.by_holder(live.clone()).into_iter().map(|(party, _)| party).collect();
    let advice = software::remedies(&parties, Topic::Reuse);
    let subject = Subject::destination(destination.peer, parties);
    let (taken, usable) = (destination.ports.taken(), destination.ports.usable);
    let title = format!("connect() to {} passes over {taken} taken ports", destination.peer);
    Some(
        RULE.finding(severity, subject, title)
            .with("ports_taken", taken)
            .with("ports_usable", usable)
            .with("source", destination.local.to_string())
            .seen(format!(
                "{taken} of {usable} local ports of {} are taken towards {} ({percent:.0} %)",
                destination.local, destination.peer
            ))
            .advise(advice)
            .about(live.map(Outline::inode)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    fn taken(count: u16) -> Machine {
        let used = |n: u16| {
            socket(
                State::Established,
                &format!("10.0.0.1:{}", 40_000 + n * 2 % 1000 + n / 500),
                "10.0.0.7:80",
            )
        };
        Machine::idle().set("net.ipv4.ip_local_port_range", "40000 40999").many(count, used)
    }

    #[test]
    fn half_of_the_ports_is_where_the_search_begins() {
        assert_eq!(taken(499).severity(&RULE), None);
        assert_eq!(taken(500).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn time_wait_that_can_be_taken_over_ends_the_search() {
        let left = |n: u16| {
            socket(
                State::TimeWait,
                &format!("10.0.0.1:{}", 40_000 + n * 2 % 1000 + n / 500),
                "10.0.0.7:80",
            )
        };
        let machine = |reuse: &str| {
            Machine::idle()
                .set("net.ipv4.ip_local_port_range", "40000 40999")
                .set("net.ipv4.tcp_tw_reuse", reuse)
                .many(600, left)
                .severity(&RULE)
        };
        assert_eq!(machine("2"), Some(Severity::Warning));
        assert_eq!(machine("1"), None);
    }
}
