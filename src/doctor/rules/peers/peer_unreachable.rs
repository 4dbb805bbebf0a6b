//! `peer-unreachable`: data was sent on open connections and nobody acknowledges it.
//!
//! The timeout doubles with each try (`tcpi_backoff`); the connection ends with ETIMEDOUT after
//! `tcp_retries2` tries, 924 s at least with the default of 15 (tcp(7), `tcp_write_timeout`).

use super::stalled::{Stalled, stalled};
use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline},
};
use std::collections::BTreeMap;

const NOTICE: Threshold = Threshold::new(
    "notice_backoff",
    2.0,
    "twice without an answer: a burst of loss, or the beginning of silence",
);
const WARNING: Threshold = Threshold::new(
    "warning_backoff",
    4.0,
    "four doublings of 0.2 s: three seconds without an acknowledgement",
);
const MANY: Threshold = Threshold::new(
    "critical_sockets",
    10.0,
    "ten connections to one place do not lose their packets by chance",
);
const LONG: Threshold = Threshold::new(
    "critical_s",
    30.0,
    "longer than most programs let a request wait, and still far from the kernel's own end",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "peer-unreachable",
    area: Area::Peers,
    title: "data was sent on open connections and nobody acknowledges it",
    meaning: "The other end, or the way to it, is gone without saying so. The kernel sends the \
              data again with longer and longer pauses; the program waits, and sees no error for \
              a quarter of an hour.",
    evidence: "connections with unacknowledged data: how often their timeout was doubled \
               (tcp_info), how long nothing was heard, by destination",
    needs: &[Need::Netlink],
    thresholds: &[NOTICE, WARNING, MANY, LONG],
    symptoms: "Requests hang; ETIMEDOUT (110) after 924 s or more; a failover that takes 15 minutes.",
    causes: &[
        "the peer's host crashed or was replaced, and nobody is left to send a RST",
        "a NAT, firewall or load balancer on the way has forgotten the connection and drops it",
        "a cable, a route or a tunnel is broken",
        "full-size packets vanish on the way (pmtu-blackhole)",
    ],
    remedies: &[
        Advice::application(
            "Give requests a timeout, and let the pool drop a connection whose request timed out",
            "",
        ),
        Advice::socket(
            "Bound how long data may stay unacknowledged (in milliseconds)",
            "unsigned ms = 29000;\nsetsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);",
        ),
        Advice::sysctl(
            "Give up after about 100 s, the least that RFC 1122 allows, for programs that cannot \
             be changed",
            "sysctl -w net.ipv4.tcp_retries2=8",
        )
        .risking("every connection of this namespace ends sooner when its path is down"),
    ],
    avoid: &[
        ("net.ipv4.tcp_keepalive_time", "keepalive does not run while data is unacknowledged"),
        (
            "net.ipv4.tcp_retries2 below 5",
            "a mobile client or a route that changes loses its connection",
        ),
    ],
    false_positives: "A line with heavy loss: then retransmit-rate tells of it, and the \
                      connections recover.",
    sources: &[
        "net/ipv4/tcp_timer.c tcp_write_timeout",
        "https://blog.cloudflare.com/when-tcp-sockets-refuse-to-die/",
        "RFC 5482",
        "RFC 1122 section 4.2.3.5",
    ],
    caused_by: &["pmtu-blackhole", "conntrack-table-full", "neighbor-table-overflow"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let mut ends: BTreeMap<Endpoint, Vec<Stalled<'_>>> = BTreeMap::new();
    for one in stalled(case.evidence, 1) {
        if number(one.backoff) < case.at(&NOTICE) {
            continue;
        }
        let mut end = one.socket.remote.canonical();
        // Clients have a port of their own each; what is gone is their host.
        if case.evidence.listeners.accepting(one.socket.local).is_some() {
            end.port = 0;
        }
        ends.entry(end).or_default().push(one);
    }
    ends.iter().map(|(end, stalled)| finding(case, *end, stalled)).collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, end: Endpoint, stalled: &[Stalled<'s>]) -> Finding {
    let evidence = case.evidence;
    let gone: Vec<&Stalled<'_>> =
        stalled.iter().filter(|one| number(one.backoff) >= case.at(&WARNING)).collect();
    let longest = stalled.iter().map(|one| one.silent_ms).max().unwrap_or(0);
    let severity = if gone.is_empty() {
        Severity::Notice
    } else if number(counted(gone.len())) >= case.at(&MANY)
        || number(longest) >= case.at(&LONG) * 1000.0
    {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let sockets = || stalled.iter().map(|one| one.socket);
    let parties: Vec<_> = evidence.by_holder(sockets()).into_iter().map(|(one, _)| one).collect();
    let advice = software::remedies(&parties, Topic::DeadPeers);
    let subject = Subject::destination(end, parties);
    let bytes: u64 = stalled.iter().map(|one| u64::from(one.unacknowledged)).sum();
    let backoff = stalled.iter().map(|one| one.backoff).max().unwrap_or(0);
    let seconds = number(longest) / 1000.0;
    let (count, verb) = match stalled.len() {
        1 => (1, "connection is"),
        many => (many, "connections are"),
    };
    let title =
        format!("{count} {verb} not answered, {seconds:.0} s without an ACK: {}", subject.text);
    let retries = evidence.setting("net.ipv4.tcp_retries2");
    let end = retries.map_or_else(String::new, |n| match n {
        15 => "; the kernel gives up after 924 s or more (tcp_retries2 is 15)".to_owned(),
        n => format!("; the kernel gives up after tcp_retries2, {n} tries"),
    });
    RULE.finding(severity, subject, title)
        .with("connections", count)
        .with("silent_s", (seconds * 10.0).round() / 10.0)
        .with("most_backoff", backoff)
        .with("unacknowledged_bytes", bytes)
        .with("tcp_retries2", retries)
        .seen(format!(
            "{count} connections with {bytes} unacknowledged bytes, sent again with up to {backoff} \
             doublings of the timeout; {seconds:.1} s without an ACK{end}"
        ))
        .advise(advice)
        .about(sockets().map(Outline::inode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{socket::Socket, state::State, timer::TimerKind};

    /// A request whose answer does not come, after so many doublings of 200 ms.
    fn silent(number: u16, backoff: u32) -> Socket {
        let local = format!("10.0.0.1:{}", 40_000 + number);
        let rto = 200_000u64 << backoff;
        socket(State::Established, &local, "10.0.0.9:6379")
            .queued(0, 40)
            .timer(TimerKind::Retransmit, 100, 3)
            .info(&[
                ("unacked", 1),
                ("backoff", backoff.into()),
                ("rto", rto),
                ("last_ack_recv", 7_000_000),
            ])
            .owned(100 + u64::from(number))
    }

    #[test]
    fn the_doublings_are_the_measure() {
        let severity = |backoff| Machine::idle().both(silent(1, backoff)).severity(&RULE);
        assert_eq!(severity(1), None);
        assert_eq!(severity(2), Some(Severity::Notice));
        assert_eq!(severity(3), Some(Severity::Notice));
        assert_eq!(severity(4), Some(Severity::Warning));
        // 0.2 s × (1 + 2 + … + 64) = 25.4 s; with 128 more it is 51 s.
        assert_eq!(severity(7), Some(Severity::Warning));
        assert_eq!(severity(8), Some(Severity::Critical));
    }

    #[test]
    fn ten_connections_to_one_place_are_critical() {
        let severity = |count| Machine::idle().many(count, |n| silent(n, 4)).severity(&RULE);
        assert_eq!(severity(9), Some(Severity::Warning));
        assert_eq!(severity(10), Some(Severity::Critical));
    }

    #[test]
    fn silence_is_counted_from_the_data_on_and_not_from_the_idle_time_before() {
        let findings = Machine::idle().both(silent(1, 4)).findings(&RULE);
        // The connection had been idle for hours.
        assert_eq!(findings[0].evidence["silent_s"], 3.0);
        assert!(findings[0].title.ends_with("10.0.0.9:6379"), "{}", findings[0].title);
    }

    #[test]
    fn what_waits_for_its_reader_or_is_only_idle_is_not_gone() {
        let zero_window = silent(1, 6).timer(TimerKind::WindowProbe, 100, 6);
        let idle = silent(2, 6).queued(0, 0);
        assert_eq!(Machine::idle().both(zero_window).both(idle).severity(&RULE), None);
    }

    #[test]
    fn clients_of_one_host_are_one_finding() {
        let listener = socket(State::Listen, "10.0.0.1:80", "0.0.0.0:0");
        let client = |n: u16| Socket {
            local: crate::doctor::fixture::end("10.0.0.1:80"),
            remote: crate::doctor::fixture::end(&format!("10.0.0.9:{}", 40_000 + n)),
            ..silent(n, 4)
        };
        let machine = Machine::idle().both(listener).many(10, client);
        assert_eq!(machine.severity(&RULE), Some(Severity::Critical));
    }
}
