//! `last-ack-stuck`: the last FIN of closed connections is not acknowledged.
//!
//! LAST_ACK and CLOSING belong to no process any more. The kernel sends the FIN again
//! `tcp_orphan_retries` times (0 counts as 8, `tcp_orphan_retries()`), about 100 s, and forgets the
//! connection.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::{cmp::Reverse, collections::HashMap, net::IpAddr};

const RETRIES: Threshold = Threshold::new(
    "retransmits",
    3.0,
    "one lost FIN is chance; after three more than a second passed",
);
const NOTICE: Threshold =
    Threshold::new("notice_sockets", 20.0, "a few clients vanish all the time");
const WARNING: Threshold =
    Threshold::new("warning_sockets", 500.0, "so many at once have a path in common");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "last-ack-stuck",
    area: Area::Closing,
    title: "the last FIN of closed connections is not acknowledged",
    meaning: "Both sides have closed, and the last packet of this side gets no answer: the peer or \
              the path is gone. The kernel gives up by itself within about 100 s.",
    evidence: "LAST_ACK and CLOSING with retransmissions, by address of the peer",
    needs: &[],
    thresholds: &[RETRIES, NOTICE, WARNING],
    symptoms: "Rows without an owner that fade within two minutes.",
    causes: &[
        "the peer vanished right after it closed: a host that was switched off, a phone",
        "a firewall or connection tracking has forgotten the connection at the first FIN",
        "an asymmetric path: the answer takes another way and is dropped",
    ],
    remedies: &[
        Advice::sysctl("Give up sooner", "sysctl -w net.ipv4.tcp_orphan_retries=3")
            .risking("a peer behind a bad line gets a RST for its last packet"),
        Advice::capacity("Mend the path: both directions must pass the same firewall", ""),
    ],
    avoid: &[("net.ipv4.tcp_fin_timeout", "it is for orphan FIN_WAIT_2")],
    false_positives: "Many clients over mobile lines.",
    sources: &["net/ipv4/tcp_timer.c tcp_orphan_retries", "tcp(7)"],
    caused_by: &["conntrack-table-full", "peer-unreachable"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let is_stuck = |s: &&Outline| {
        s.timer.is_some_and(|timer| f64::from(timer.retransmits) >= case.at(&RETRIES))
    };
    let stuck: Vec<&Outline> =
        evidence.in_states([State::LastAck, State::Closing]).filter(is_stuck).collect();
    let count = counted(stuck.len());
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let severity = case.severity(number(count), &levels)?;
    let mut peers: HashMap<IpAddr, u64> = HashMap::new();
    for socket in &stuck {
        *peers.entry(socket.remote.address.to_canonical()).or_default() += 1;
    }
    let mut peers: Vec<(IpAddr, u64)> = peers.into_iter().collect();
    peers.sort_by_key(|(address, number)| (Reverse(*number), *address));
    let (first, most) = *peers.first()?;
    // One peer is a destination; many are this namespace's matter.
    let subject = match peers.len() {
        1 => Subject::destination(Endpoint::new(first, 0), vec![]),
        _ => Subject::netns(),
    };
    let title = format!(
        "{count} closed connections wait for the last ACK of {}",
        if peers.len() == 1 { first.to_string() } else { format!("{} peers", peers.len()) }
    );
    let retries = evidence.setting("net.ipv4.tcp_orphan_retries");
    Some(
        RULE.finding(severity, subject, title)
            .with("connections", count)
            .with("peers", counted(peers.len()))
            .with("tcp_orphan_retries", retries)
            .seen(format!(
                "{count} LAST_ACK or CLOSING sent again {} times or more, most of them ({most}) to \
                 {first}",
                case.at(&RETRIES)
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn closing(state: State, number: u16, retries: u8) -> Socket {
        socket(state, "10.0.0.1:80", &format!("10.0.9.9:{}", 20_000 + number)).timer(
            TimerKind::Retransmit,
            900,
            retries,
        )
    }

    #[test]
    fn twenty_that_were_sent_again_three_times() {
        let severity = |count, retries| {
            Machine::idle().many(count, |n| closing(State::LastAck, n, retries)).severity(&RULE)
        };
        assert_eq!(severity(19, 3), None);
        assert_eq!(severity(20, 2), None);
        assert_eq!(severity(20, 3), Some(Severity::Notice));
        assert_eq!(severity(499, 3), Some(Severity::Notice));
        assert_eq!(severity(500, 3), Some(Severity::Warning));
    }

    #[test]
    fn both_states_count_and_one_peer_is_named() {
        let machine = Machine::idle()
            .many(10, |n| closing(State::LastAck, n, 4))
            .many(10, |n| closing(State::Closing, 100 + n, 4));
        let findings = machine.findings(&RULE);
        assert!(findings[0].subject.text.contains("10.0.9.9"), "{}", findings[0].subject.text);
    }
}
