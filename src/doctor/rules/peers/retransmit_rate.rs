//! `retransmit-rate`: a part of what is sent has to be sent again.
//!
//! `Tcp.RetransSegs` counts SYNs too: they are subtracted (`TcpExt.TCPSynRetrans`), another rule
//! tells of them. A duplicate SACK (`TcpExt.TCPDSACKRecv`) says that one was sent in vain: the path
//! delays or reorders, and loses nothing.

use crate::doctor::{
    area::Area,
    evidence::Evidence,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::{number, percent},
    subject::Subject,
    threshold::Threshold,
};
use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr};

const FEWEST: Threshold = Threshold::new(
    "least_segments",
    1000.0,
    "sent in the window: of fewer a handful already is a high part",
);
const NOTICE: Threshold = Threshold::new(
    "notice_percent",
    1.0,
    "below 0.1 % is usual in a network of one's own, up to 1 or 2 % on the Internet",
);
const WARNING: Threshold =
    Threshold::new("warning_percent", 3.0, "from here on throughput with loss-based control falls");
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    10.0,
    "connections stand still for timeouts again and again",
);
const SPURIOUS: Threshold = Threshold::new(
    "spurious_percent",
    50.0,
    "when half of it was in vain nothing is lost, and the finding counts one level less",
);
/// The part of all that one address must have to be named.
const ONE_PEER: f64 = 80.0;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "retransmit-rate",
    area: Area::Peers,
    title: "a part of what is sent has to be sent again",
    meaning: "Segments are lost on their way, or their acknowledgements are. Each loss costs a \
              round trip or a timeout, and the sender slows down.",
    evidence: "Tcp.RetransSegs without TcpExt.TCPSynRetrans, of Tcp.OutSegs, within the window; \
               TCPDSACKRecv; which peers the connections with retransmissions have",
    needs: &[Need::Window, Need::Counter("Tcp.RetransSegs"), Need::Counter("Tcp.OutSegs")],
    thresholds: &[FEWEST, NOTICE, WARNING, CRITICAL, SPURIOUS],
    symptoms: "Slow transfers, and answers that come 0.2 s, 0.4 s or 0.8 s late.",
    causes: &[
        "a queue on the way is full: a policer, a small switch buffer, a busy uplink",
        "a bad cable, duplex or radio link",
        "drops in this host before TCP (softnet-drops) or at its virtual switch",
        "a peer that is gone (peer-unreachable)",
    ],
    remedies: &[
        Advice::application("See which connections it hits", "sockeye -tni retrans > 0"),
        Advice::sysctl(
            "For long fat or lossy paths a congestion control that does not take loss for \
             congestion",
            "sysctl -w net.ipv4.tcp_congestion_control=bbr",
        )
        .risking("it takes bandwidth from others at a full queue"),
        Advice::capacity(
            "One peer alone: mend the path to it. All of them: this host's card, driver, queue \
             or uplink",
            "ip -s link\nnstat -az TcpRetransSegs TcpExtTCPLostRetransmit",
        ),
    ],
    avoid: &[("larger buffers", "they do not bring lost packets back, and fill the queue further")],
    false_positives: "Little traffic. A path that reorders: see the part that was in vain.",
    sources: &[
        "https://docs.kernel.org/networking/snmp_counter.html",
        "RFC 9293 section 3.8",
        "RFC 2883",
    ],
    caused_by: &["softnet-drops", "peer-unreachable", "pmtu-blackhole"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let sent = evidence.growth("Tcp.OutSegs")?.count;
    let syns = evidence.grown("TcpExt.TCPSynRetrans");
    let again = evidence.growth("Tcp.RetransSegs")?;
    let data = again.count.saturating_sub(syns);
    if number(sent) < case.at(&FEWEST) {
        return None;
    }
    let rate = percent(data, sent);
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let mut severity = case.severity(rate, &levels)?;
    let in_vain = evidence.grown("TcpExt.TCPDSACKRecv");
    let spurious = percent(in_vain, data) >= case.at(&SPURIOUS);
    if spurious || !again.goes_on() {
        severity = less(severity);
    }
    let peers = by_peer(evidence);
    let of_all: u64 = peers.iter().map(|(_, count)| count).sum();
    let title = format!("{rate:.1} % of {sent} segments were sent again {}", evidence.window());
    let mut finding = RULE
        .finding(severity, Subject::netns(), title)
        .with("segments_sent", sent)
        .with("segments_sent_again", data)
        .with("percent", (rate * 100.0).round() / 100.0)
        .with("syns_sent_again", syns)
        .with("in_vain", in_vain)
        .with("timeouts", evidence.growth("TcpExt.TCPTimeouts").map(|g| g.count))
        .seen(format!(
            "{data} of {sent} segments {}, {syns} SYNs apart; {in_vain} of them in vain",
            evidence.window()
        ));
    if let Some((peer, count)) = peers.first() {
        let part = percent(*count, of_all);
        finding = finding.seen(format!(
            "{} of {of_all} on open connections to {peer} ({part:.0} %), {} peers in all",
            count,
            peers.len()
        ));
        if part >= ONE_PEER {
            finding = finding.because(format!("the path to {peer}: it has {part:.0} % of them"));
        }
    }
    Some(if spurious {
        finding.because("the path delays or reorders: most of it was sent in vain, nothing is lost")
    } else {
        finding
    })
}

fn less(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::Warning,
        _ => Severity::Notice,
    }
}

/// Segments sent again in the window by connections that are open, by peer, most first.
fn by_peer(evidence: &Evidence<'_>) -> Vec<(IpAddr, u64)> {
    let mut peers: BTreeMap<IpAddr, u64> = BTreeMap::new();
    for socket in evidence.tcp().filter(|s| s.peer().is_some()) {
        let count = evidence.measured(socket).resent().unwrap_or(0);
        if count > 0 {
            *peers.entry(socket.remote.address.to_canonical()).or_default() += count;
        }
    }
    let mut peers: Vec<_> = peers.into_iter().collect();
    peers.sort_by_key(|(_, count)| Reverse(*count));
    peers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    fn lossy(sent: u64, again: u64) -> Machine {
        Machine::idle().grew("Tcp.OutSegs", 5_000_000, sent).grew("Tcp.RetransSegs", 900_000, again)
    }

    #[test]
    fn the_part_decides_and_little_traffic_does_not() {
        assert_eq!(lossy(10_000, 99).severity(&RULE), None);
        assert_eq!(lossy(10_000, 100).severity(&RULE), Some(Severity::Notice));
        assert_eq!(lossy(10_000, 300).severity(&RULE), Some(Severity::Warning));
        assert_eq!(lossy(10_000, 1000).severity(&RULE), Some(Severity::Critical));
        assert_eq!(lossy(999, 500).severity(&RULE), None);
        // Long ago, in the totals.
        assert_eq!(lossy(10_000, 0).severity(&RULE), None);
    }

    #[test]
    fn syns_and_what_was_in_vain_count_less() {
        let syns = lossy(10_000, 300).grew("TcpExt.TCPSynRetrans", 0, 280);
        assert_eq!(syns.severity(&RULE), None);
        let reordered = lossy(10_000, 300).grew("TcpExt.TCPDSACKRecv", 0, 150);
        assert_eq!(reordered.severity(&RULE), Some(Severity::Notice));
        let once = Machine::idle().grew("Tcp.OutSegs", 0, 10_000).jumped("Tcp.RetransSegs", 0, 400);
        assert_eq!(once.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn one_bad_path_is_named() {
        let open = |again| {
            socket(State::Established, "10.0.0.1:80", "10.0.9.9:4000")
                .info(&[("total_retrans", again)])
                .owned(7)
        };
        let machine = lossy(10_000, 400).became(open(3), open(303));
        let findings = machine.findings(&RULE);
        assert!(findings[0].causes[0].contains("10.0.9.9"), "{:?}", findings[0].causes);
    }
}
