//! `time-wait-syn-collision`: SYNs meet an old half of a connection, and are answered with an ACK.
//!
//! A SYN that reuses a port while the old connection is in TIME_WAIT is taken where it is newer
//! (`tcp_timewait_state_process`); otherwise it gets an ACK, its sender answers with a RST, and the
//! next SYN works. A leaked CLOSE_WAIT or FIN_WAIT_2 does the same (`tcp_validate_incoming`,
//! RFC 5961). Where a firewall drops that ACK or RST, the client times out.

use crate::doctor::{
    area::Area,
    evidence::{Direction, Evidence},
    finding::{Confidence, Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::{counted, number, percent},
    subject::Subject,
    threshold::Threshold,
};
use crate::model::state::State;
use std::collections::HashSet;

const FEWEST: Threshold =
    Threshold::new("notice_events", 4.0, "in the window: a single old packet does it too");
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    1.0,
    "of the connections opened: one client in a hundred waits for another SYN, a second or more",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-syn-collision",
    area: Area::TimeWait,
    title: "SYNs meet an old half of a connection, and are answered with an ACK",
    meaning: "Clients, or a NAT in front of them, use a port again while this host still has the \
              old connection. The new one needs another try; where a firewall drops the answer it \
              times out.",
    evidence: "TcpExt.PAWSTimewait, TCPACKSkippedTimeWait, TCPACKSkippedFinWait2, TCPSYNChallenge \
               and TCPChallengeACK in the window, against connections opened",
    needs: &[Need::Window, Need::Counter("TcpExt.TCPACKSkippedTimeWait")],
    thresholds: &[FEWEST, WARNING],
    symptoms: "Connects that take 1, 3 or 7 s, and single ETIMEDOUT (110).",
    causes: &[
        "a NAT or load balancer with few addresses uses ports again within a minute",
        "this side leaks connections: a CLOSE_WAIT meets the client's new SYN (close-wait-leak)",
        "connection tracking on the way was flushed, or forgets sooner than TIME_WAIT lasts",
        "clients without timestamps",
    ],
    remedies: &[
        Advice::application("Keep connections open, and close those that are leaked", ""),
        Advice::sysctl(
            "Timestamps at the clients, so that a new SYN is known as new",
            "sysctl -w net.ipv4.tcp_timestamps=1",
        ),
        Advice::capacity(
            "More addresses for the NAT, and ports at random",
            "nft add rule ip nat postrouting oif eth0 masquerade fully-random",
        ),
    ],
    avoid: &[
        (
            "net.ipv4.tcp_rfc1337=1",
            "the RST no longer ends the old TIME_WAIT: it lasts for up to 60 s",
        ),
        ("net.ipv4.tcp_tw_reuse at the server", "it is for connections that this side opens"),
    ],
    false_positives: "Forged segments and late duplicates count in the same counters.",
    sources: &[
        "net/ipv4/tcp_minisocks.c tcp_timewait_state_process",
        "RFC 5961 section 4",
        "RFC 6191",
    ],
    caused_by: &["close-wait-leak", "fin-wait2-owned"],
    judge,
};

/// Counters, and their names here.
const COUNTERS: [(&str, &str); 5] = [
    ("TcpExt.PAWSTimewait", "paws_time_wait"),
    ("TcpExt.TCPACKSkippedTimeWait", "ack_skipped_time_wait"),
    ("TcpExt.TCPACKSkippedFinWait2", "ack_skipped_fin_wait_2"),
    ("TcpExt.TCPSYNChallenge", "syn_challenge"),
    ("TcpExt.TCPChallengeACK", "challenge_ack"),
];

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let grown = |name: &str| evidence.grown(name);
    // A SYN that is challenged counts in both of the last two.
    let challenges = grown("TcpExt.TCPSYNChallenge");
    let events: u64 =
        COUNTERS.iter().take(3).map(|(name, _)| grown(name)).sum::<u64>() + challenges;
    let goes_on = COUNTERS
        .iter()
        .any(|(name, _)| evidence.growth(name).is_some_and(|growth| growth.goes_on()));
    if number(events) < case.at(&FEWEST) || !goes_on {
        return None;
    }
    let opened = grown("Tcp.PassiveOpens") + grown("Tcp.ActiveOpens");
    let part = percent(events, opened.max(1));
    let severity = if part >= case.at(&WARNING) { Severity::Warning } else { Severity::Notice };
    let inbound = |s: &&crate::model::outline::Outline| {
        matches!(evidence.direction(s), Some(Direction::In(_)))
    };
    let clients: HashSet<_> = evidence
        .in_state(State::TimeWait)
        .filter(inbound)
        .map(|s| s.remote.address.to_canonical())
        .collect();
    let title = format!(
        "{events} SYNs or segments met an old connection {}, {opened} connections were opened",
        evidence.window()
    );
    let finding = RULE
        .finding(severity, Subject::netns(), title)
        .only(Confidence::Likely, "tcpdump 'tcp[tcpflags] & tcp-syn != 0' shows whose SYNs")
        .with("events", events)
        .with("opened", opened)
        .with("clients_in_time_wait", counted(clients.len()))
        .with("rsts_sent", evidence.growth("Tcp.OutRsts").map(|growth| growth.count))
        .with("resets", evidence.growth("Tcp.EstabResets").map(|growth| growth.count));
    let told = COUNTERS.iter().filter_map(|(name, key)| Some((name, key, evidence.growth(name)?)));
    let finding = told.filter(|(_, _, growth)| growth.count > 0).fold(
        finding,
        |finding, (name, key, growth)| {
            finding.with(key, growth.count).seen(format!(
                "{} grew by {} {}",
                name.trim_start_matches("TcpExt."),
                growth.count,
                evidence.window()
            ))
        },
    );
    Some(if challenges * 2 > events {
        finding.because(
            "SYNs meet connections that this side has not closed (CLOSE_WAIT, FIN_WAIT_2): leaked \
             ones poison the ports of their clients",
        )
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn colliding(skipped: u64, opened: u64) -> Machine {
        Machine::idle().grew("TcpExt.TCPACKSkippedTimeWait", 9_000, skipped).grew(
            "Tcp.PassiveOpens",
            900_000,
            opened,
        )
    }

    #[test]
    fn few_of_many_are_noticed_and_one_in_a_hundred_is_a_warning() {
        assert_eq!(colliding(3, 10).severity(&RULE), None);
        assert_eq!(colliding(4, 401).severity(&RULE), Some(Severity::Notice));
        assert_eq!(colliding(4, 400).severity(&RULE), Some(Severity::Warning));
        assert_eq!(colliding(0, 400).severity(&RULE), None);
    }

    #[test]
    fn a_challenge_counts_once_and_points_at_a_leak() {
        let machine = colliding(0, 1000).grew("TcpExt.TCPSYNChallenge", 0, 8).grew(
            "TcpExt.TCPChallengeACK",
            0,
            8,
        );
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].evidence["events"], 8);
        assert!(findings[0].causes[0].contains("leaked"), "{:?}", findings[0].causes);
    }

    #[test]
    fn a_burst_in_one_part_is_a_late_packet() {
        let machine = Machine::idle().jumped("TcpExt.TCPACKSkippedTimeWait", 0, 40);
        assert_eq!(machine.severity(&RULE), None);
    }
}
