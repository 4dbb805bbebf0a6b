//! `pmtu-blackhole`: small packets pass and full-size ones vanish.
//!
//! A router that cannot forward a packet says so by ICMP (type 3 code 4); where a firewall drops
//! that, the sender sends the same full segment for ever. What passed was small: the handshake, a
//! hello.

use super::stalled::{Stalled, stalled};
use crate::{
    doctor::{
        area::Area,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, measures::Measured},
};
use std::{collections::BTreeMap, net::IpAddr};

const BACKOFF: Threshold =
    Threshold::new("backoff", 3.0, "three doublings: the same segment was lost four times");
const ACKED: Threshold = Threshold::new(
    "most_acked_bytes",
    4096.0,
    "a greeting and a hello are acknowledged; a connection that sent more has passed full segments",
);
const SEGMENT: Threshold =
    Threshold::new("least_segment_bytes", 1000.0, "smaller segments pass every path in use");
const MANY: Threshold = Threshold::new(
    "warning_sockets",
    3.0,
    "one may be a dead peer; three with the same sign are not",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "pmtu-blackhole",
    area: Area::Peers,
    title: "small packets pass and full-size ones vanish",
    meaning: "Connections open and their first small messages arrive, but the first full segment \
              never does: something on the way takes smaller packets and does not say so.",
    evidence: "connections with a full segment unacknowledged after several timeouts, and little \
               acknowledged before (tcp_info); TcpExt.TCPMTUPFail",
    needs: &[Need::Netlink],
    thresholds: &[BACKOFF, ACKED, SEGMENT, MANY],
    symptoms: "ssh hangs after login, TLS after the hello, uploads at once; ping works.",
    causes: &[
        "a tunnel (VPN, overlay network, PPPoE) with a smaller MTU, and ICMP dropped by a firewall",
        "interfaces of one network with different MTUs (jumbo frames)",
    ],
    remedies: &[
        Advice::sysctl(
            "Let TCP find the size by itself after some timeouts",
            "sysctl -w net.ipv4.tcp_mtu_probing=1",
        ),
        Advice::capacity(
            "Clamp the segment size at the tunnel, and let ICMP type 3 pass",
            "nft add rule inet filter forward tcp flags syn \\\n  tcp option maxseg size set rt mtu",
        ),
        Advice::capacity(
            "Find the size that passes",
            "ping -M do -s 1472 ADDRESS\ntracepath -n ADDRESS",
        ),
    ],
    avoid: &[(
        "net.ipv4.ip_no_pmtu_disc",
        "it gives up on learning, and all packets get smaller or fragmented",
    )],
    false_positives: "A peer that died just after its greeting, while much was being sent to it.",
    sources: &["RFC 4821", "RFC 2923", "net/ipv4/tcp_timer.c tcp_mtu_probing"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let mut peers: BTreeMap<IpAddr, Vec<Stalled<'_>>> = BTreeMap::new();
    for one in stalled(case.evidence, 1).filter(|one| is_hole(case, one)) {
        peers.entry(one.socket.remote.address.to_canonical()).or_default().push(one);
    }
    peers
        .into_iter()
        .filter_map(|(peer, stuck)| finding(case, peer, &stuck))
        .collect::<Vec<_>>()
        .into()
}

/// A full segment waits, and only small ones have passed.
fn is_hole(case: &Case<'_, '_>, one: &Stalled<'_>) -> bool {
    let measured = one.measured;
    let Some((mss, acked)) = measured.segment_bytes().zip(measured.acked_bytes()) else {
        return false;
    };
    // The SYN counts as one byte (tcp_bytes_acked): nothing of ours passed but the handshake.
    let passed = acked > 1 || measured.received_bytes().is_some_and(|bytes| bytes > 0);
    number(one.backoff) >= case.at(&BACKOFF)
        && number(mss) >= case.at(&SEGMENT)
        && u64::from(one.unacknowledged) >= mss
        && passed
        && number(acked) < case.at(&ACKED)
}

fn finding<'s>(case: &Case<'_, 's>, peer: IpAddr, stuck: &[Stalled<'s>]) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(stuck.len());
    if number(count) < case.at(&MANY) {
        return None;
    }
    let parties = evidence.by_holder(stuck.iter().map(|one| one.socket));
    let parties = parties.into_iter().map(|(party, _)| party).collect();
    let subject = Subject::destination(Endpoint::new(peer, 0), parties);
    let measured = || stuck.iter().map(|one| one.measured);
    let mss = measured().filter_map(Measured::segment_bytes).max().unwrap_or(0);
    let acked = measured().filter_map(Measured::acked_bytes).max().unwrap_or(0);
    let probing = evidence.setting("net.ipv4.tcp_mtu_probing");
    let title = format!("{count} connections to {peer} stand at their first full segment");
    let finding = RULE
        .finding(Severity::Warning, subject, title)
        .only(Confidence::Possible, format!("try `ping -M do -s 1472 {peer}`"))
        .with("connections", count)
        .with("segment_bytes", mss)
        .with("most_acked_bytes", acked)
        .with("tcp_mtu_probing", probing)
        .with("mtu_probe_failures", evidence.growth("TcpExt.TCPMTUPFail").map(|g| g.count))
        .seen(format!(
            "{count} connections with a segment of up to {mss} bytes unacknowledged after {} or \
             more doublings; at most {acked} bytes of each were ever acknowledged",
            case.at(&BACKOFF)
        ))
        .about(stuck.iter().map(|one| one.socket.inode()));
    Some(if probing.is_some_and(|on| on > 0) {
        finding.without("tcp_mtu_probing")
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{socket::Socket, state::State, timer::TimerKind};

    fn upload(number: u16, send: u32, acked: u64, backoff: u64) -> Socket {
        socket(State::Established, &format!("10.0.0.1:{}", 40_000 + number), "10.0.0.9:22")
            .queued(0, send)
            .timer(TimerKind::Retransmit, 100, 3)
            .info(&[
                ("unacked", 1),
                ("backoff", backoff),
                ("rto", 1_600_000),
                ("mss", 1448),
                ("bytes_acked", acked),
            ])
            .owned(100 + u64::from(number))
    }

    #[test]
    fn three_connections_at_their_first_full_segment() {
        let severity = |count, send, acked, backoff| {
            Machine::idle().many(count, |n| upload(n, send, acked, backoff)).severity(&RULE)
        };
        assert_eq!(severity(3, 1448, 600, 3), Some(Severity::Warning));
        assert_eq!(severity(2, 1448, 600, 3), None);
        assert_eq!(severity(3, 1447, 600, 3), None, "a small segment");
        assert_eq!(severity(3, 1448, 4096, 3), None, "full segments have passed");
        assert_eq!(severity(3, 1448, 600, 2), None, "too early");
        assert_eq!(severity(3, 1448, 1, 3), None, "nothing ever passed: the peer is gone");
    }

    #[test]
    fn probing_that_is_on_is_not_advised() {
        let machine = Machine::idle().set("net.ipv4.tcp_mtu_probing", "1");
        let findings = machine.many(3, |n| upload(n, 9000, 600, 4)).findings(&RULE);
        assert!(
            findings[0].remedies.iter().all(|remedy| !remedy.text.contains("find the size by"))
        );
    }
}
