//! `ephemeral-port-pressure`: the local ports towards a destination are almost used up.
//!
//! The harmful kind of TIME_WAIT. A port is usable once for each (local address, peer address, peer
//! port), sockets in any state. connect(2) without a free one fails with EADDRNOTAVAIL, which no
//! counter of the kernel counts: it has to be computed.

use crate::{
    doctor::{
        area::Area,
        evidence::Destination,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::counted,
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, state::State},
    report::{
        remedy::{Remedy, Tier},
        time_wait::destination::reuse_after_ms,
    },
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 40.0, "near half, where the search begins");
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    50.0,
    "connect() now searches, and a retry or failover that doubles the load uses up the rest",
);
const CRITICAL: Threshold = Threshold::new("critical_percent", 90.0, "connect() is about to fail");
const SOON: Threshold = Threshold::new("critical_full_in_s", 30.0, "sooner than anybody can react");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "ephemeral-port-pressure",
    area: Area::Ports,
    title: "the local ports towards a destination are almost used up",
    meaning: "Each connection to this destination needs a local port of its own, and a closed one \
              keeps it for a minute. When none is left connect() fails with EADDRNOTAVAIL (99), \
              towards this destination only.",
    evidence: "for each source address and destination: ports in use in any state, of those usable \
               (range, reserved ports, listeners, bound ports); the rate of closes",
    needs: &[Need::PortRange],
    thresholds: &[NOTICE, WARNING, CRITICAL, SOON],
    symptoms: "`Cannot assign requested address` (EADDRNOTAVAIL, 99) from connect(); 502 from a \
               proxy; `dial tcp: connect: cannot assign requested address` from Go.",
    causes: &[
        "a connection for each request (short-lived-connections)",
        "too many lasting connections to one address and port",
        "everything goes to one local port: a TLS proxy in front of a cache, a sidecar",
        "a narrow range, or ports that others have bound (bind-before-connect)",
    ],
    remedies: &[
        Advice::application("Reuse connections (keep-alive, a pool)", ""),
        Advice::sysctl("Widen the range", "sysctl -w net.ipv4.ip_local_port_range='15000 64999'")
            .risking("services that listen inside the new range may find their port taken"),
        Advice::capacity(
            "Another port or address at the destination, or another source address: each adds the \
             whole range. On the same host a Unix socket needs no port",
            "",
        ),
    ],
    avoid: &[
        ("net.ipv4.tcp_fin_timeout", "it does not shorten TIME_WAIT"),
        ("a lower tcp_max_tw_buckets", "closes then skip TIME_WAIT and what it protects from"),
        ("net.ipv4.tcp_tw_recycle", "it broke clients behind NAT, and is gone since Linux 4.12"),
        ("SO_LINGER 0", "it throws away what is still on its way"),
    ],
    false_positives: "A load test that is meant to.",
    sources: &[
        "net/ipv4/inet_hashtables.c __inet_hash_connect",
        "net/ipv4/tcp_ipv4.c tcp_twsk_unique",
        "https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux",
    ],
    caused_by: &[
        "short-lived-connections",
        "fin-wait2-orphan",
        "close-wait-leak",
        "bind-before-connect",
    ],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let found = case.evidence.destinations().iter().filter_map(|one| finding(case, one));
    found.collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, destination: &Destination<'s>) -> Option<Finding> {
    let evidence = case.evidence;
    let ports = &destination.ports;
    let percent = ports.taken_part() * 100.0;
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let mut severity = case.severity(percent, &levels)?;
    let soon = ports.time_to_full_s.filter(|seconds| f64::from(*seconds) < case.at(&SOON));
    if soon.is_some() {
        severity = Severity::Critical;
    }
    let live: Vec<&Outline> =
        destination.sockets.iter().copied().filter(|s| s.inode().is_some()).collect();
    let parties: Vec<_> =
        evidence.by_holder(live.iter().copied()).into_iter().map(|(party, _)| party).collect();
    let advice = software::remedies(&parties, Topic::Reuse);
    let subject = Subject::destination(destination.peer, parties);
    let (taken, usable) = (ports.taken(), ports.usable);
    let time_wait = counted(destination.count(State::TimeWait));
    let when = match ports.time_to_full_s {
        Some(0) => "; none is left".to_owned(),
        Some(seconds) => format!("; full in about {seconds} s"),
        None => String::new(),
    };
    let title = format!(
        "{taken} of {usable} local ports towards {} are in use ({percent:.0} %){when}",
        destination.peer
    );
    let states: Vec<String> =
        ports.by_state.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("source", destination.local.to_string())
        .with("ports_taken", taken)
        .with("ports_usable", usable)
        .with("time_wait", time_wait)
        .with("reusable", ports.reusable)
        .with("full_in_s", ports.time_to_full_s)
        .with("ceiling_per_second", (ports.rate_ceiling_per_second * 10.0).round() / 10.0)
        .with("opened_per_second", destination.opened_per_second)
        .seen(format!("from {}: {}", destination.local, states.join(", ")))
        .seen(format!(
            "ceiling when this side closes first: {:.1} connections a second to this one address",
            ports.rate_ceiling_per_second
        ))
        .advise(advice)
        .about(live.iter().map(|s| s.inode()));
    let mostly_closed = time_wait * 2 >= counted(destination.sockets.len());
    let settings = &evidence.snapshot.settings;
    let reused = reuse_after_ms(settings, destination.local, destination.peer.address).is_some();
    if mostly_closed && !reused {
        finding = finding.advise([Remedy {
            tier: Tier::Sysctl,
            text: "Stop-gap: let connect() take over a TIME_WAIT after a second (timestamps at both ends)".into(),
            command: Some("sysctl -w net.ipv4.tcp_tw_reuse=1".into()),
            ..Advice::sysctl("", "").remedy()
        }]);
    }
    if !mostly_closed {
        finding = finding
            .because("live connections hold the ports, not TIME_WAIT: too many at once, or a leak");
    }
    if destination.opened_per_second == Some(0.0) && mostly_closed {
        let clears = destination.sockets.iter().filter_map(|s| s.timer).map(|t| t.expires_ms).max();
        finding = finding.seen(format!(
            "no new connection {}: what is left clears within {} s",
            evidence.window(),
            clears.unwrap_or(0) / 1000
        ));
    }
    Some(if live.is_empty() {
        finding
            .only(Confidence::Certain, "`sockeye time-wait` finds who opens them while they live")
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn using(state: State, count: u16) -> Machine {
        let one = |n: u16| {
            let mut one = socket(
                state,
                &format!("10.0.0.1:{}", 40_000 + n * 2 % 1000 + n / 500),
                "10.0.0.7:80",
            );
            if state == State::Established {
                one = one.owned(100 + u64::from(n));
            }
            one
        };
        Machine::idle().set("net.ipv4.ip_local_port_range", "40000 40999").many(count, one).process(
            811,
            "nginx",
            100..1100,
            (20, 4096),
        )
    }

    #[test]
    fn the_part_of_the_ports_decides() {
        let severity = |count| using(State::TimeWait, count).severity(&RULE);
        assert_eq!(severity(399), None);
        assert_eq!(severity(400), Some(Severity::Notice));
        assert_eq!(severity(500), Some(Severity::Warning));
        assert_eq!(severity(900), Some(Severity::Critical));
    }

    #[test]
    fn reuse_is_advised_for_time_wait_alone_and_only_where_it_is_off() {
        let told = |machine: Machine| format!("{:?}", machine.findings(&RULE)[0].remedies);
        assert!(told(using(State::TimeWait, 600)).contains("tcp_tw_reuse=1"));
        let live = using(State::Established, 600).findings(&RULE);
        assert!(!format!("{:?}", live[0].remedies).contains("tcp_tw_reuse=1"));
        assert!(live[0].causes[0].contains("live connections"));
        assert_eq!(live[0].subject.text, "nginx[811] to 10.0.0.7:80");
        let reused = using(State::TimeWait, 600).set("net.ipv4.tcp_tw_reuse", "1");
        assert_eq!(reused.severity(&RULE), None, "they can be taken over");
    }

    #[test]
    fn time_wait_that_can_be_taken_over_is_free_however_it_looks() {
        // All ended at once: nothing tells which was opened first.
        let left =
            |n: u16| socket(State::TimeWait, &format!("127.0.0.1:{}", 40_000 + n), "127.0.0.1:80");
        let machine = Machine::idle().set("net.ipv4.ip_local_port_range", "40000 40099");
        assert_eq!(machine.many(100, left).severity(&RULE), None);
    }

    #[test]
    fn fifty_thousand_at_a_server_take_no_port() {
        let left = |n: u16| socket(State::TimeWait, "10.0.0.1:443", &format!("10.1.9.9:{}", n + 1));
        let machine = Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:443", "0.0.0.0:0"))
            .many(50_000, left);
        assert_eq!(machine.severity(&RULE), None);
    }
}
