//! `peer-not-reading`: the peer announces a zero window, and what is to be sent waits here.
//!
//! The zero-window timer (`idiag_timer` 4) asks the peer again and again; as long as it answers
//! the connection lives, for ever if need be (`tcp_probe_timer`).

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{measures::Measured, outline::Outline, queues::Queues, state::State, timer::TimerKind},
};
use std::collections::BTreeMap;

const STALLED: Threshold = Threshold::new(
    "stalled_s",
    5.0,
    "a reader that is busy comes back within seconds; shorter stops are flow control at work",
);
const MANY: Threshold = Threshold::new(
    "warning_sockets",
    10.0,
    "ten consumers at once: what they have in common is here",
);
const LONG: Threshold =
    Threshold::new("warning_s", 60.0, "a reader that is a minute away is stuck");
const MEMORY: Threshold = Threshold::new(
    "critical_memory_percent",
    25.0,
    "of the TCP memory at which all connections of the host are slowed down (tcp_mem)",
);
/// Bytes of a page. Larger pages make the limit larger, and this a lower bound.
const PAGE: u64 = 4096;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "peer-not-reading",
    area: Area::Data,
    title: "peers do not read, and what is to be sent to them waits here",
    meaning: "The peer's receive buffer is full and it says so: nothing may be sent. What the \
              program writes piles up in this host's memory until its own buffer is full too.",
    evidence: "connections with the zero-window timer and data to send; time since they last sent; \
               queued bytes; rwnd_limited of busy_time in the window (tcp_info)",
    needs: &[Need::Netlink],
    thresholds: &[STALLED, MANY, LONG, MEMORY],
    symptoms: "Downloads that stand still; memory of the sender grows; other clients of a program \
               with one thread wait too.",
    causes: &[
        "the consumer is slow, blocked or stopped",
        "its own consumer does not read: the fault is further down",
        "an attack that opens many requests and reads nothing (slow read)",
    ],
    remedies: &[
        Advice::application(
            "Bound how long a send may take, and drop consumers that do not read",
            "",
        ),
        Advice::socket(
            "Bound how long data may wait (ms), and how much may wait unsent",
            "unsigned ms = 60000, low = 131072;\n\
             setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, 4);\n\
             setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, 4);",
        ),
    ],
    avoid: &[("net.ipv4.tcp_wmem", "a larger buffer fills as well, and takes more memory")],
    false_positives: "A player that is paused; a consumer with back pressure on purpose.",
    sources: &[
        "net/ipv4/tcp_timer.c tcp_probe_timer",
        "RFC 9293 section 3.8.6.1",
        "https://blog.cloudflare.com/when-tcp-sockets-refuse-to-die/",
    ],
    caused_by: &[],
    judge,
};

fn stalled_ms(evidence: &Evidence<'_>, socket: &Outline) -> u64 {
    evidence.measured(socket).last_sent_ms().unwrap_or(0)
}

fn queued(socket: &Outline) -> u64 {
    match socket.queues() {
        Queues::Data { send, .. } => send.into(),
        _ => 0,
    }
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let waits = |s: &&Outline| {
        s.timer.is_some_and(|timer| timer.kind == TimerKind::WindowProbe)
            && queued(s) > 0
            && s.inode().is_some()
            && matches!(s.state, State::Established | State::CloseWait)
            && number(stalled_ms(evidence, s)) >= case.at(&STALLED) * 1000.0
    };
    let mut services: BTreeMap<(Party, Direction), Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.unanswered().filter(waits) {
        let holder = evidence.holders(socket).into_iter().next().unwrap_or_default();
        if let Some(direction) = evidence.direction(socket) {
            services.entry((holder, direction)).or_default().push(socket);
        }
    }
    let found = services.iter().map(|((party, to), waiting)| finding(case, party, *to, waiting));
    found.collect::<Vec<_>>().into()
}

fn finding(
    case: &Case<'_, '_>,
    party: &Party,
    direction: Direction,
    waiting: &[&Outline],
) -> Finding {
    let evidence = case.evidence;
    let count = counted(waiting.len());
    let longest = waiting.iter().map(|s| stalled_ms(evidence, s)).max().unwrap_or(0);
    let bytes: u64 = waiting.iter().map(|s| queued(s)).sum();
    let pressure = evidence.snapshot.settings.number_at("net.ipv4.tcp_mem", 1);
    let of_memory = pressure.map(|pages| percent(bytes, pages.saturating_mul(PAGE)));
    let severity = if of_memory.is_some_and(|part| part >= case.at(&MEMORY)) {
        Severity::Critical
    } else if number(count) >= case.at(&MANY) || number(longest) >= case.at(&LONG) * 1000.0 {
        Severity::Warning
    } else {
        Severity::Notice
    };
    let subject = match direction {
        Direction::In(at) => Subject::process(party).serving(at),
        Direction::Out(peer) => Subject::process(party).towards(peer),
    };
    let (peers, verb) = if count == 1 { ("peer", "does") } else { ("peers", "do") };
    let title = format!(
        "{count} {peers} of {} {verb} not read, for up to {} s: {bytes} bytes wait",
        subject.text,
        longest / 1000
    );
    let measured = || waiting.iter().map(|s| evidence.measured(s));
    let limited: u64 = measured().filter_map(Measured::rwnd_limited_us).sum();
    let busy: u64 = measured().filter_map(Measured::busy_us).sum();
    RULE.finding(severity, subject, title)
        .with("connections", count)
        .with("longest_s", longest / 1000)
        .with("queued_bytes", bytes)
        .with("window_limited_percent", (busy > 0).then(|| percent(limited, busy).round()))
        .seen(format!(
            "{count} connections wait for a window, {bytes} bytes queued, the longest for {} s, from \
             {} addresses",
            longest / 1000,
            Evidence::addresses(waiting)
        ))
        .advise(software::remedies([party], Topic::SlowReaders))
        .about(waiting.iter().map(|s| s.inode()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn blocked(number: u16, stalled_ms: u64, send: u32) -> Socket {
        socket(State::Established, "10.0.0.1:6379", &format!("10.0.0.9:{}", 20_000 + number))
            .queued(0, send)
            .timer(TimerKind::WindowProbe, 800, 4)
            .info(&[("last_data_sent", stalled_ms)])
            .owned(100 + u64::from(number))
    }

    fn server(count: u16, stalled_ms: u64, send: u32) -> Machine {
        Machine::idle()
            .both(socket(State::Listen, "10.0.0.1:6379", "0.0.0.0:0"))
            .many(count, |n| blocked(n, stalled_ms, send))
            .process(900, "redis-server", 100..100 + u64::from(count), (20, 1024))
    }

    #[test]
    fn seconds_and_numbers_decide() {
        assert_eq!(server(1, 4_999, 900).severity(&RULE), None);
        assert_eq!(server(1, 5_000, 900).severity(&RULE), Some(Severity::Notice));
        assert_eq!(server(9, 59_999, 900).severity(&RULE), Some(Severity::Notice));
        assert_eq!(server(10, 5_000, 900).severity(&RULE), Some(Severity::Warning));
        assert_eq!(server(1, 60_000, 900).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn what_is_queued_is_weighed_against_the_memory_of_tcp() {
        // A quarter of 1000 pages.
        let severity = |bytes| server(1, 9_000, bytes).set("net.ipv4.tcp_mem", "500 1000 2000");
        assert_eq!(severity(1_023_999).severity(&RULE), Some(Severity::Notice));
        assert_eq!(severity(1_024_000).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn the_consumers_of_a_service_are_one_finding_with_its_own_words() {
        let findings = server(12, 9_000, 900).findings(&RULE);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].subject.text, "redis-server[900] on port 6379");
        assert!(findings[0].remedies[0].command.as_deref().unwrap().contains("output-buffer"));
    }

    #[test]
    fn a_busy_sender_is_well() {
        let busy = |n| blocked(n, 9_000, 900).timer(TimerKind::Retransmit, 200, 0);
        assert_eq!(Machine::idle().many(50, busy).severity(&RULE), None);
    }
}
