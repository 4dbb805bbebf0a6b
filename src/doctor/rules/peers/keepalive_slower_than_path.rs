//! `keepalive-slower-than-path`: keepalive runs, but a NAT on the way forgets the connection first.
//!
//! A connection from a private address to a public one has passed a NAT. The time between its data
//! and its first probe is what it has been idle so far and what is left of the timer. Idle limits
//! of well-known NATs and load balancers, from their documentation: Azure 240 s, AWS 350 s, GCP
//! 600 s and 1200 s, LVS 900 s.

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State, timer::TimerKind},
};
use std::{collections::BTreeMap, net::IpAddr};

const PERIOD: Threshold = Threshold::new(
    "keepalive_s",
    300.0,
    "between the idle limits of Azure (240 s) and AWS (350 s): longer is too late for both",
);
const IDLE: Threshold =
    Threshold::new("idle_s", 240.0, "before that no known device forgets a connection");
const MANY: Threshold = Threshold::new("notice_sockets", 10.0, "a few are not worth another timer");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "keepalive-slower-than-path",
    area: Area::Peers,
    title: "keepalive asks later than a NAT on the way forgets",
    meaning: "These idle connections go through a NAT, and their first probe comes after hours. \
              The NAT forgets them after minutes: the next request on one hangs or is reset.",
    evidence: "idle ESTABLISHED from private to public addresses; what their keepalive timer has \
               left, and how long nothing was sent or received (tcp_info)",
    needs: &[Need::Netlink],
    thresholds: &[PERIOD, IDLE, MANY],
    symptoms: "The first request after a pause hangs, or fails with ECONNRESET (104).",
    causes: &["the program switches SO_KEEPALIVE on and leaves the time at two hours"],
    remedies: &[
        Advice::application("Keep idle connections of the pool for less than four minutes", ""),
        Advice::socket(
            "Ask after one to three minutes",
            "int idle = 120;\nsetsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);",
        ),
        Advice::sysctl(
            "The same for every program here that switches SO_KEEPALIVE on and sets no time",
            "sysctl -w net.ipv4.tcp_keepalive_time=120 \\\n  \
             net.ipv4.tcp_keepalive_intvl=30 \\\n  net.ipv4.tcp_keepalive_probes=4",
        ),
    ],
    avoid: &[(
        "a longer timeout of the request",
        "the connection is forgotten: no answer will come",
    )],
    false_positives: "A NAT that keeps idle connections for longer; programs whose own pings are \
                      on their way.",
    sources: &[
        "tcp(7) TCP_KEEPIDLE",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html",
        "https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource",
    ],
    caused_by: &[],
    judge,
};

/// Whether packets from here to there must pass a NAT.
fn is_translated(local: IpAddr, peer: IpAddr) -> bool {
    match (local.to_canonical(), peer.to_canonical()) {
        (IpAddr::V4(local), IpAddr::V4(peer)) => {
            let shared = |a: std::net::Ipv4Addr| a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
            let is_private = |a| std::net::Ipv4Addr::is_private(&a) || shared(a);
            let is_public = !(is_private(peer)
                || peer.is_loopback()
                || peer.is_link_local()
                || peer.is_multicast());
            is_private(local) && is_public
        }
        // IPv6 is not translated as a rule.
        _ => false,
    }
}

/// Time from the last data to the first probe, where it is idle for so long, in milliseconds.
fn period_ms(evidence: &Evidence<'_>, socket: &Outline, idle_for: f64) -> Option<u64> {
    let timer = socket.timer.filter(|timer| timer.kind == TimerKind::Keepalive)?;
    let idle = evidence.measured(socket).idle_ms()?;
    (timer.retransmits == 0 && number(idle) >= idle_for * 1000.0)
        .then_some(idle + u64::from(timer.expires_ms))
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut ends: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::Established) {
        let late = period_ms(evidence, socket, case.at(&IDLE))
            .is_some_and(|ms| number(ms) > case.at(&PERIOD) * 1000.0);
        let translated = is_translated(socket.local.address, socket.remote.address);
        if let (true, true, Some(Direction::Out(end))) =
            (late, translated, evidence.direction(socket))
        {
            ends.entry(end).or_default().push(socket);
        }
    }
    ends.into_iter().filter_map(|(end, late)| finding(case, end, &late)).collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, end: Endpoint, late: &[&'s Outline]) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(late.len());
    if number(count) < case.at(&MANY) {
        return None;
    }
    let parties: Vec<_> =
        evidence.by_holder(late.iter().copied()).into_iter().map(|(party, _)| party).collect();
    let advice = software::remedies(&parties, Topic::DeadPeers);
    let subject = Subject::destination(end, parties);
    let period = late.iter().filter_map(|s| period_ms(evidence, s, 0.0)).max().unwrap_or(0) / 1000;
    let title =
        format!("{count} idle connections are probed only after {period} s: {}", subject.text);
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .only(Confidence::Possible, "ask whoever runs the NAT for its idle timeout")
            .with("connections", count)
            .with("keepalive_s", period)
            .with("tcp_keepalive_time", evidence.setting("net.ipv4.tcp_keepalive_time"))
            .seen(format!(
                "{count} connections through a NAT, idle for over {} s, probed for the first time \
                 {period} s after their last data",
                case.at(&IDLE)
            ))
            .advise(advice)
            .about(late.iter().map(|s| s.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn idle(number: u16, peer: &str, idle_s: u64, left_s: u32) -> Socket {
        let ms = idle_s * 1000;
        socket(State::Established, &format!("10.0.0.1:{}", 40_000 + number), peer)
            .timer(TimerKind::Keepalive, left_s * 1000, 0)
            .info(&[("last_data_sent", ms), ("last_data_recv", ms)])
            .owned(100 + u64::from(number))
    }

    #[test]
    fn ten_idle_connections_through_a_nat_are_noticed() {
        let severity = |count, idle_s, left| {
            Machine::idle()
                .many(count, |n| idle(n, "198.51.100.7:443", idle_s, left))
                .severity(&RULE)
        };
        assert_eq!(severity(10, 240, 6960), Some(Severity::Notice));
        assert_eq!(severity(9, 240, 6960), None);
        assert_eq!(severity(10, 239, 6960), None);
        assert_eq!(severity(10, 240, 61), Some(Severity::Notice));
        assert_eq!(severity(10, 240, 60), None);
    }

    #[test]
    fn within_a_private_network_no_nat_is_known() {
        let private = Machine::idle().many(50, |n| idle(n, "10.3.0.7:5432", 3000, 4200));
        assert_eq!(private.severity(&RULE), None);
    }
}
