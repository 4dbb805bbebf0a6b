//! `fin-wait2-owned`: a program has half-closed connections and waits for the other half.
//!
//! shutdown(SHUT_WR) leaves a full socket in FIN_WAIT_2 with its owner: `tcp_fin_timeout` is for
//! orphans alone, this lasts until the peer closes or the program does.

use crate::{
    doctor::{
        area::Area,
        evidence::Direction,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rounds::{GROWING, Trend, Watched},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{measures::Measured, outline::Outline, state::State},
};
use std::collections::BTreeMap;

const AGE: Threshold = Threshold::new(
    "age_s",
    60.0,
    "since anything came from the peer: a one-way stream still sends, a close takes milliseconds",
);
const NOTICE: Threshold = Threshold::new("notice_sockets", 10.0, "a few are slow peers");
const WARNING: Threshold =
    Threshold::new("warning_sockets", 100.0, "a proxy that passes half-closes on gathers them");
const OLD: Threshold = Threshold::new(
    "warning_age_times",
    5.0,
    "times that age: 300 s, longer than any peer takes to finish",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "fin-wait2-owned",
    area: Area::Closing,
    title: "a program has half-closed connections and waits for the other half",
    meaning: "The program has ended its direction and waits for the peer to end the other. The \
              peer sends nothing and does not close: each holds a descriptor until a timeout of \
              the program, if it has one.",
    evidence: "FIN_WAIT_2 with an owner, how long the peer is silent (tcp_info), how many are new \
               since the first look, and how their number goes over the rounds of --watch",
    needs: &[Need::Netlink],
    thresholds: &[AGE, NOTICE, WARNING, OLD, GROWING],
    symptoms: "Descriptors and connections of a proxy that go after exactly one hour, its idle \
               timeout.",
    causes: &[
        "a TCP proxy that passes half-closes on, and a peer that does not answer them",
        "the peer leaks: it has them as CLOSE_WAIT",
    ],
    remedies: &[
        Advice::application(
            "Bound how long a half-closed connection is kept, and close when both directions are \
             drained",
            "",
        ),
        Advice::socket(
            "Notice peers that are gone: SO_KEEPALIVE, TCP_USER_TIMEOUT",
            "int on = 1;\nsetsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);",
        ),
    ],
    avoid: &[("net.ipv4.tcp_fin_timeout", "it ends orphans; these belong to a program")],
    false_positives: "Long one-way streams: they still receive, and are not counted.",
    sources: &["RFC 1122 section 4.2.2.13", "net/ipv4/tcp.c tcp_shutdown", "tcp(7)"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let age_ms = case.at(&AGE) * 1000.0;
    let waits = |s: &&Outline| {
        let received = evidence.measured(s).received().is_some_and(|bytes| bytes > 0);
        s.inode().is_some() && !s.is_mini() && !received
    };
    let is_old =
        |s: &&Outline| silence(evidence.measured(s)).is_some_and(|ms| number(ms) >= age_ms);
    let mut groups: BTreeMap<(Party, Direction), Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::FinWait2).filter(waits) {
        let holder = evidence.holders(socket).into_iter().next().unwrap_or_default();
        if let Some(direction) = evidence.direction(socket) {
            groups.entry((holder, direction)).or_default().push(socket);
        }
    }
    let found = groups.iter().filter_map(|((party, to), waiting)| {
        // What grows from round to round need not be old.
        let growing = case.growing(Watched::HalfClosed(*to));
        let counts = |s: &&&Outline| growing.is_some() || is_old(s);
        let waiting: Vec<&Outline> = waiting.iter().filter(counts).copied().collect();
        finding(case, party, *to, &waiting, growing)
    });
    found.collect::<Vec<_>>().into()
}

/// Since data came or an ACK: what a stream would renew.
fn silence(measured: Measured<'_>) -> Option<u64> {
    let heard = measured.silent_ms()?;
    Some(heard.min(measured.last_received_ms().unwrap_or(heard)))
}

fn finding(
    case: &Case<'_, '_>,
    party: &Party,
    direction: Direction,
    waiting: &[&Outline],
    growing: Option<Trend>,
) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(waiting.len());
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let mut severity = case.severity(number(count), &levels)?;
    let very_old = case.at(&AGE) * case.at(&OLD) * 1000.0;
    let is_old =
        |s: &&&Outline| silence(evidence.measured(s)).is_some_and(|ms| number(ms) >= very_old);
    if number(counted(waiting.iter().filter(is_old).count())) < case.at(&WARNING) {
        severity = Severity::Notice;
    }
    let is_new = |s: &&&Outline| s.was != Some(State::FinWait2);
    let of_party = evidence
        .in_state(State::FinWait2)
        .filter(|s| s.inode().is_some() && evidence.direction(s) == Some(direction));
    let more = evidence.has_two_looks().then(|| of_party.filter(|s| is_new(&s)).count());
    if more.is_some_and(|more| more > 0) || growing.is_some() {
        severity = severity.max(Severity::Warning);
    }
    let subject = match direction {
        Direction::In(at) => Subject::process(party).serving(at),
        Direction::Out(peer) => Subject::process(party).towards(peer),
    };
    let oldest = waiting.iter().filter_map(|s| silence(evidence.measured(s)));
    let oldest = oldest.max().unwrap_or(0) / 1000;
    let title = format!("{count} half-closed connections wait for the peer: {}", subject.text);
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("fin_wait_2", count)
        .with("oldest_s", oldest)
        .with("new_in_window", more)
        .with("grew_from", growing.map(|trend| trend.from))
        .with("grew_over_ms", growing.map(|trend| trend.over_ms))
        .seen(format!(
            "{count} FIN_WAIT_2 with an owner, nothing from the peer {}the longest for {oldest} s; no \
             timer of the kernel ends them",
            if growing.is_some() { String::new() } else { format!("for over {} s, ", case.at(&AGE)) }
        ))
        .advise(software::remedies([party], Topic::Close))
        .about(waiting.iter().map(|s| s.inode()));
    if let Some(more) = more.filter(|more| *more > 0) {
        finding = finding.seen(format!("{more} more {}", evidence.window()));
    }
    if let Some(trend) = growing {
        finding = finding.seen(format!("their number {}", trend.text()));
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn half(number: u16, silent_s: u64) -> Socket {
        let ms = silent_s * 1000;
        socket(State::FinWait2, &format!("10.0.0.1:{}", 40_000 + number), "10.0.0.7:9000")
            .info(&[("last_ack_recv", ms), ("last_data_recv", ms + 9)])
            .owned(100 + u64::from(number))
    }

    fn proxy(count: u16, silent_s: u64) -> Machine {
        let inodes = 100..100 + u64::from(count);
        let machine = Machine::idle().many(count, |n| half(n, silent_s));
        machine.process(900, "envoy", inodes, (20, 4096))
    }

    #[test]
    fn age_and_number_decide() {
        assert_eq!(proxy(10, 59).severity(&RULE), None);
        assert_eq!(proxy(9, 60).severity(&RULE), None);
        assert_eq!(proxy(10, 60).severity(&RULE), Some(Severity::Notice));
        assert_eq!(proxy(100, 299).severity(&RULE), Some(Severity::Notice));
        assert_eq!(proxy(99, 300).severity(&RULE), Some(Severity::Notice));
        assert_eq!(proxy(100, 300).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn more_and_more_are_a_warning() {
        let machine = proxy(10, 60).newly(half(500, 0)).process(900, "envoy", [600], (20, 4096));
        assert_eq!(machine.severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn growth_over_the_rounds_of_a_watch_needs_no_age() {
        let over = |counts: &[u16], now| {
            proxy(now, 5).after(counts.iter().map(|count| proxy(*count, 5))).severity(&RULE)
        };
        assert_eq!(over(&[4, 8], 12), Some(Severity::Warning));
        assert_eq!(over(&[2, 4], 9), None);
        assert_eq!(over(&[12, 12], 12), None);
        assert_eq!(over(&[], 12), None);
    }

    #[test]
    fn a_one_way_stream_is_well() {
        let at = |received| half(1, 90).info(&[("bytes_received", received)]);
        let streams = (0..200u16).fold(Machine::idle(), |machine, n| {
            let (before, now) = (half(n, 90), half(n, 90));
            machine
                .became(before.info(&[("bytes_received", 10)]), now.info(&[("bytes_received", 20)]))
        });
        assert_eq!(streams.severity(&RULE), None);
        let still = (0..200u16).fold(Machine::idle(), |machine, n| {
            let both = Socket {
                inode: Some(100 + u64::from(n)),
                cookie: Some(100 + u64::from(n)),
                ..at(10)
            };
            machine.both(both)
        });
        assert_eq!(still.severity(&RULE), Some(Severity::Notice));
    }
}
