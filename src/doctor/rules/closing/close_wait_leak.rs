//! `close-wait-leak`: a program does not close connections that its peers have closed.
//!
//! The kernel has no timeout for CLOSE_WAIT. `tcpi_last_ack_recv` is the time since the peer was
//! heard last: the age of a CLOSE_WAIT, or less where the peer answers probes. Its receive queue
//! tells why: 0, the program has read the end of file and kept the descriptor; 1, the FIN is unread;
//! more, data is unread too.

use crate::{
    doctor::{
        area::Area,
        evidence::Direction,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        parties::Party,
        rounds::{GROWING, Trend, Watched},
        rule::{Advice, Case, Judgement, Rule},
        share::number,
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, queues::Queues, state::State},
};
use std::collections::BTreeMap;

const AGE: Threshold = Threshold::new(
    "age_s",
    60.0,
    "a healthy program closes within milliseconds; a minute is no delay but a leak",
);
const NOTICE: Threshold =
    Threshold::new("notice_sockets", 10.0, "a few may be the idle connections of a pool");
const WARNING: Threshold =
    Threshold::new("warning_sockets", 100.0, "more than the pools of most programs hold");
const CRITICAL: Threshold = Threshold::new(
    "critical_descriptors_percent",
    50.0,
    "at this part of the limit on descriptors the leak is what will stop the program",
);

const SOON: Threshold = Threshold::new(
    "critical_full_in_s",
    3600.0,
    "at the pace of the rounds no descriptor is left within the hour",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "close-wait-leak",
    area: Area::Closing,
    title: "a program does not close connections that its peers have closed",
    meaning: "The peers have hung up; the program still holds its end. Each holds a descriptor \
              and a local port until the program closes it: the kernel never does.",
    evidence: "CLOSE_WAIT by process and remote end; how long the peer is silent; what waits \
               unread; their part of the limit on descriptors; how many more since the first look, and \
               how their number goes over the rounds of --watch",
    needs: &[Need::Netlink],
    thresholds: &[AGE, NOTICE, WARNING, CRITICAL, GROWING, SOON],
    symptoms: "EMFILE after hours or days; peers stay in FIN_WAIT_2; a proxy reaches its maxconn.",
    causes: &[
        "a path that does not close: an error, a 304 or 404, a timeout, an exception without \
         finally, defer or with",
        "a response body that is never read to its end or closed",
        "a thread or event loop that is stuck, so that nobody reads the end of file",
        "a descriptor above 1024 in a program that uses select(2)",
    ],
    remedies: &[
        Advice::application(
            "Close the connection in every path, set read timeouts, and evict idle connections \
             of pools. The table of its CLOSE_WAIT shows towards whom",
            "sockeye -tnp --columns owner,peer,recv_queue state = CLOSE_WAIT",
        ),
        Advice::capacity(
            "Restart the program to get its descriptors back: it gains time and mends nothing",
            "",
        ),
    ],
    avoid: &[
        ("net.ipv4.tcp_fin_timeout", "it is for orphan FIN_WAIT_2; nothing shortens CLOSE_WAIT"),
        (
            "net.ipv4.tcp_keepalive_time",
            "with SO_KEEPALIVE the row goes away once the peer has forgotten the connection; the descriptor stays leaked, and is harder to see",
        ),
        ("ss -K", "it removes the rows; the descriptors stay with the program"),
    ],
    false_positives: "Idle connections of a pool that the server has closed (close-wait-idle-pool). \
                      Protocols that close one direction early: FTP data, rsync, nc.",
    sources: &[
        "net/ipv4/tcp_input.c tcp_fin",
        "net/ipv4/tcp.c tcp_get_info",
        "Cloudflare blog: This is strictly a violation of the TCP specification",
    ],
    caused_by: &[],
    judge,
};

/// CLOSE_WAIT of one process towards one end.
struct Leak<'s> {
    party: Party,
    direction: Direction,
    /// Those that are old; all of them where their number grows from round to round.
    kept: Vec<&'s Outline>,
    growing: Option<Trend>,
    /// How many of the process are new since the first look, all ages. `None`: there was one look.
    more: Option<usize>,
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let age_ms = case.at(&AGE) * 1000.0;
    let owned = evidence.in_state(State::CloseWait).filter(|s| s.inode().is_some());
    let mut findings = vec![];
    for (party, sockets) in evidence.by_holder(owned) {
        let mut ends: BTreeMap<Direction, Vec<&Outline>> = BTreeMap::new();
        for socket in &sockets {
            let direction = evidence.direction(socket);
            ends.entry(direction.unwrap_or(Direction::Out(socket.remote)))
                .or_default()
                .push(socket);
        }
        for (direction, sockets) in ends {
            let silent_ms = |s: &Outline| evidence.measured(s).silent_ms();
            let is_old = |s: &&Outline| silent_ms(s).is_some_and(|ms| number(ms) >= age_ms);
            let new = |s: &&&Outline| s.was != Some(State::CloseWait);
            let growing = case.growing(Watched::CloseWait(direction));
            let counts = |s: &&Outline| growing.is_some() || is_old(s);
            let leak = Leak {
                party: party.clone(),
                direction,
                more: evidence.has_two_looks().then(|| sockets.iter().filter(new).count()),
                kept: sockets.iter().copied().filter(counts).collect(),
                growing,
            };
            findings.extend(finding(case, &leak));
        }
    }
    findings.into()
}

fn finding(case: &Case<'_, '_>, leak: &Leak<'_>) -> Option<Finding> {
    let evidence = case.evidence;
    let count = u32::try_from(leak.kept.len()).unwrap_or(u32::MAX);
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let mut severity = case.severity(count.into(), &levels)?;
    let used = evidence.descriptors_of(leak.party.pid);
    let percent = used.as_ref().map(|used| f64::from(count) * 100.0 / number(used.limit.max(1)));
    let full_in_s = leak
        .growing
        .zip(used.as_ref())
        .and_then(|(trend, used)| trend.reaches_in_s(used.limit.saturating_sub(used.open)));
    let soon = full_in_s.is_some_and(|seconds| number(seconds) <= case.at(&SOON));
    if soon || percent.is_some_and(|percent| percent >= case.at(&CRITICAL)) {
        severity = Severity::Critical;
    } else if leak.growing.is_some() || leak.more.is_some_and(|more| more > 0) {
        // Old ones, and still more: it leaks now.
        severity = severity.max(Severity::Warning);
    }
    let unread = |want: fn(u32) -> bool| {
        let is = |s: &&&Outline| matches!(s.queues(), Queues::Data { recv, .. } if want(recv));
        leak.kept.iter().filter(is).count()
    };
    let (read, fin, data) = (unread(|n| n == 0), unread(|n| n == 1), unread(|n| n > 1));
    let subject = match leak.direction {
        Direction::In(at) => Subject::process(&leak.party).serving(at),
        Direction::Out(peer) => Subject::process(&leak.party).towards(peer),
    };
    let oldest = leak.kept.iter().filter_map(|s| evidence.measured(s).silent_ms());
    let oldest = oldest.max().unwrap_or(0) / 1000;
    let title = match leak.growing {
        Some(_) => {
            format!(
                "{} keeps {count} connections that the peer closed, more and more",
                subject.text
            )
        }
        None => format!(
            "{} has not closed {count} connections that the peer closed over {} s ago",
            subject.text,
            case.at(&AGE)
        ),
    };
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("close_wait", count)
        .with("oldest_s", oldest)
        .with("eof_read", read)
        .with("eof_unread", fin)
        .with("data_unread", data)
        .with("new_in_window", leak.more)
        .with("grew_from", leak.growing.map(|trend| trend.from))
        .with("grew_over_ms", leak.growing.map(|trend| trend.over_ms))
        .with("full_in_s", full_in_s)
        .with("descriptors", used.as_ref().map(|used| used.open))
        .with("descriptor_limit", used.as_ref().map(|used| used.limit))
        .seen(format!(
            "{count} CLOSE_WAIT, the oldest for {oldest} s: {read} with the end of file read, {fin} \
             with it unread, {data} with data unread"
        ))
        .advise(software::remedies([&leak.party], Topic::Close))
        .about(leak.kept.iter().map(|s| s.inode()));
    if let Some(more) = leak.more.filter(|more| *more > 0) {
        finding = finding.seen(format!("{more} more {}", evidence.window()));
    }
    if let Some(trend) = leak.growing {
        finding = finding.seen(format!("CLOSE_WAIT that last {}", trend.text()));
    }
    if let Some(seconds) = full_in_s {
        finding = finding.seen(format!("at this pace no descriptor is left in about {seconds} s"));
    }
    if let (Some(used), Some(percent)) = (&used, percent) {
        finding = finding.seen(format!(
            "they are {percent:.0} % of its {} descriptors; {} are open",
            used.limit, used.open
        ));
    }
    // The greatest part tells what the program does.
    let likely = if data * 2 > leak.kept.len() {
        "the program gave up in the middle of a response and kept the descriptor: data is unread \
         (a timeout path that does not close)"
    } else if fin * 2 > leak.kept.len() {
        "nobody reads these sockets any more: dropped from the event loop, or the thread is stuck"
    } else {
        "the program has read the end of file and did not close: a forgotten close()"
    };
    finding = finding.because(likely);
    if let Some(unread) = alike(&leak.kept).filter(|recv| *recv > 1) {
        finding = finding.seen(format!(
            "each has a receive queue of {unread}: {} unread bytes and the FIN",
            unread - 1
        ));
    }
    Some(if leak.party.pid.is_none() {
        finding.only(Confidence::Likely, "run as root to see which process holds them")
    } else {
        finding
    })
}

/// The receive queue of all of them, where they are alike: the same message was left unread.
fn alike(sockets: &[&Outline]) -> Option<u32> {
    let mut queues = sockets.iter().map(|socket| match socket.queues() {
        Queues::Data { recv, .. } => recv,
        _ => 0,
    });
    let first = queues.next()?;
    queues.all(|queue| queue == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    /// A connection to a database that closed it so long ago.
    fn left(number: u16, age_ms: u64, recv: u32) -> Socket {
        let local = format!("10.0.0.1:{}", 40_000 + number);
        socket(State::CloseWait, &local, "10.0.0.4:5432")
            .queued(recv, 0)
            .info(&[("last_ack_recv", age_ms)])
            .owned(u64::from(number) + 100)
    }

    fn holding(count: u16, age_ms: u64, recv: u32, descriptors: (u32, u64)) -> Machine {
        Machine::idle().many(count, |n| left(n, age_ms, recv)).process(
            900,
            "worker",
            100..100 + u64::from(count),
            descriptors,
        )
    }

    #[test]
    fn old_ones_count_and_young_ones_do_not() {
        let severity = |count, age_ms| holding(count, age_ms, 0, (200, 4096)).severity(&RULE);
        assert_eq!(severity(9, 60_000), None);
        assert_eq!(severity(10, 59_999), None);
        assert_eq!(severity(10, 60_000), Some(Severity::Notice));
        assert_eq!(severity(99, 60_000), Some(Severity::Notice));
        assert_eq!(severity(100, 60_000), Some(Severity::Warning));
        // A thousand that closed a moment ago: a server that was restarted.
        assert_eq!(severity(1000, 30), None);
    }

    #[test]
    fn half_of_the_descriptors_is_critical() {
        assert_eq!(holding(99, 90_000, 0, (150, 200)).severity(&RULE), Some(Severity::Notice));
        assert_eq!(holding(100, 90_000, 0, (150, 200)).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn a_leak_that_grows_is_a_warning() {
        let machine = holding(10, 90_000, 0, (50, 1024)).newly(left(900, 10, 1)).process(
            900,
            "worker",
            [1000],
            (50, 1024),
        );
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].evidence["new_in_window"], 1);
    }

    #[test]
    fn growth_over_the_rounds_of_a_watch_needs_no_age() {
        let young = |count| holding(count, 9_000, 0, (100, 100_000));
        let over = |counts: &[u16], now| {
            young(now).after(counts.iter().map(|count| young(*count))).severity(&RULE)
        };
        assert_eq!(over(&[4, 8], 12), Some(Severity::Warning));
        assert_eq!(over(&[2, 4], 9), None, "a few may be a pool");
        assert_eq!(over(&[8], 12), None, "two rounds are no growth yet");
        assert_eq!(over(&[12, 12], 12), None, "it stands");
        assert_eq!(over(&[4, 20], 12), None, "it comes and goes");
        assert_eq!(over(&[], 1000), None, "no watch");
    }

    #[test]
    fn a_pace_that_takes_the_last_descriptor_within_the_hour_is_critical() {
        // Four more in ten seconds.
        let full_in = |free: u32| {
            let machine = |count| holding(count, 9_000, 0, (100_000 - free, 100_000));
            machine(12).after([machine(4), machine(8)]).findings(&RULE).remove(0)
        };
        let soon = full_in(1440);
        assert_eq!(soon.severity, Severity::Critical);
        assert_eq!(soon.evidence["full_in_s"], 3600);
        assert_eq!(soon.evidence["grew_from"], 4);
        assert_eq!(full_in(1441).severity, Severity::Warning);
    }

    #[test]
    fn the_receive_queue_tells_what_the_program_does() {
        for (recv, word) in [(0, "forgotten close"), (1, "nobody reads"), (86, "gave up")] {
            let findings = holding(30, 90_000, recv, (50, 1024)).findings(&RULE);
            assert!(findings[0].causes[0].contains(word), "{recv}: {:?}", findings[0].causes);
            assert_eq!(findings[0].subject.text, "worker[900] to 10.0.0.4:5432");
        }
    }

    #[test]
    fn two_programs_with_few_each_are_not_one_with_many() {
        let machine = Machine::idle()
            .many(18, |n| left(n, 90_000, 0))
            .process(900, "a", 100..109, (50, 1024))
            .process(901, "b", 109..118, (50, 1024));
        assert_eq!(machine.severity(&RULE), None);
        // Where nobody may know them they count together, and it says so.
        let hidden = Machine::idle().many(18, |n| left(n, 90_000, 0)).findings(&RULE);
        assert_eq!(hidden[0].confidence, Confidence::Likely);
        assert!(hidden[0].surer.as_deref().unwrap().contains("root"));
    }
}
