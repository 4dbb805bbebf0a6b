//! `we-are-not-reading`: data has arrived, and the program does not read it.

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{measures::Measured, outline::Outline, queues::Queues, state::State},
};

const FULL: Threshold = Threshold::new(
    "full_percent",
    50.0,
    "of the receive buffer with its overhead: the window that is left is small or zero",
);
const UNREAD: Threshold = Threshold::new(
    "unread_s",
    5.0,
    "without a byte read or received: a program that is only busy comes back sooner",
);
const MANY: Threshold =
    Threshold::new("critical_sockets", 10.0, "not one slow consumer but the program stands still");
const LONG: Threshold =
    Threshold::new("critical_s", 30.0, "longer than callers wait: all of them fail");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "we-are-not-reading",
    area: Area::Data,
    title: "data has arrived and the program does not read it",
    meaning: "Bytes wait in the receive queue and the program takes none. When the buffer is full \
              the kernel tells the peer to stop: peers see a slow or dead service.",
    evidence: "receive queues that did not change between two looks, their part of the buffer, time \
               since data came last (tcp_info); TcpExt.TCPToZeroWindowAdv",
    needs: &[Need::Netlink, Need::TwoLooks],
    thresholds: &[FULL, UNREAD, MANY, LONG],
    symptoms: "Peers say that this service is slow or hangs; their send queues grow.",
    causes: &[
        "a thread or the event loop is blocked: a lock, a slow disk, DNS, the collector",
        "the process is stopped (SIGSTOP, a debugger, a frozen cgroup)",
        "what it writes to does not read either: back pressure",
        "the descriptor was dropped from the event loop and leaked",
    ],
    remedies: &[Advice::application(
        "See what its threads do",
        "grep State /proc/PID/status\ncat /proc/PID/stack\nstrace -fp PID   # or jstack, py-spy dump",
    )],
    avoid: &[("net.ipv4.tcp_rmem", "a larger buffer only fills later")],
    false_positives: "Back pressure on purpose (a proxy whose other side is slow). A pooled \
                      connection with a late message nobody asked for.",
    sources: &["tcp(7)", "net/ipv4/tcp_input.c tcp_data_queue"],
    caused_by: &["peer-not-reading", "tcp-memory-pressure"],
    judge,
};

fn unread_ms(measured: Measured<'_>) -> u64 {
    measured.last_received_ms().unwrap_or(0)
}

fn is_full(case: &Case<'_, '_>, measured: Measured<'_>) -> bool {
    let of_limit = measured.rmem_bytes().zip(measured.rcvbuf_bytes());
    of_limit.is_some_and(|(bytes, limit)| percent(bytes, limit) >= case.at(&FULL))
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let unread = |s: &&Outline| {
        let Queues::Data { recv, .. } = s.queues() else { return false };
        let measured = evidence.measured(s);
        // Without an inode nobody has accepted it yet: accept-stalled tells of that.
        recv > 0
            && s.inode().is_some()
            && s.was == Some(State::Established)
            && measured.recv_before().is_some_and(|before| before > 0 && before <= recv.into())
            && (is_full(case, measured) || number(unread_ms(measured)) >= case.at(&UNREAD) * 1000.0)
    };
    let by_holder = evidence.by_holder(evidence.in_state(State::Established).filter(unread));
    let found = by_holder.iter().map(|(party, sockets)| finding(case, party, sockets));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, party: &Party, unread: &[&Outline]) -> Finding {
    let evidence = case.evidence;
    let unread_ms = |s: &Outline| unread_ms(evidence.measured(s));
    let since = |s: &Outline, seconds: f64| number(unread_ms(s)) >= seconds * 1000.0;
    let full = unread.iter().filter(|s| is_full(case, evidence.measured(s)));
    let stopped = evidence.growth("TcpExt.TCPToZeroWindowAdv").is_some_and(|g| g.count > 0);
    let stands = full.clone().any(|s| stopped || since(s, case.at(&UNREAD)));
    let long = counted(unread.iter().filter(|s| since(s, case.at(&LONG))).count());
    let severity = if number(long) >= case.at(&MANY) {
        Severity::Critical
    } else if stands || number(counted(unread.len())) >= case.at(&MANY) {
        Severity::Warning
    } else {
        Severity::Notice
    };
    let (count, full) = (counted(unread.len()), counted(full.count()));
    let bytes: u64 = unread.iter().map(|s| received(s)).sum();
    let longest = unread.iter().map(|s| unread_ms(s)).max().unwrap_or(0) / 1000;
    let on = if count == 1 { "connection" } else { "connections" };
    let subject = Subject::process(party);
    let title = format!("{} leaves {bytes} bytes unread on {count} {on}", subject.text);
    RULE.finding(severity, subject, title)
        .with("connections", count)
        .with("full", full)
        .with("unread_bytes", bytes)
        .with("longest_s", longest)
        .with(
            "windows_closed",
            evidence.growth("TcpExt.TCPToZeroWindowAdv").map(|growth| growth.count),
        )
        .seen(format!(
            "{count} receive queues did not get shorter {}, {full} of them full; {bytes} bytes, the \
             longest without news for {longest} s",
            evidence.window()
        ))
        .advise(software::remedies([party], Topic::SlowReaders))
        .about(unread.iter().map(|s| s.inode()))
}

fn received(socket: &Outline) -> u64 {
    match socket.queues() {
        Queues::Data { recv, .. } => recv.into(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::memory::SocketMemory;
    use crate::model::socket::Socket;

    fn unread(number: u16, recv: u32, silent_ms: u64, filled: u32) -> Socket {
        let mut socket =
            socket(State::Established, "10.0.0.1:80", &format!("10.0.0.9:{}", 20_000 + number))
                .queued(recv, 0)
                .info(&[("last_data_recv", silent_ms)])
                .owned(100 + u64::from(number));
        socket.memory = Some(SocketMemory {
            rmem_alloc_bytes: filled,
            rcvbuf_bytes: 1000,
            ..SocketMemory::default()
        });
        socket
    }

    fn severity(count: u16, silent_ms: u64, filled: u32) -> Option<Severity> {
        let machine = Machine::idle().many(count, |n| unread(n, 9, silent_ms, filled));
        machine.process(900, "worker", 100..100 + u64::from(count), (20, 1024)).severity(&RULE)
    }

    #[test]
    fn what_lies_unread_is_noticed_and_a_full_buffer_warned_of() {
        assert_eq!(severity(1, 4_999, 499), None);
        assert_eq!(severity(1, 5_000, 499), Some(Severity::Notice));
        assert_eq!(severity(1, 4_999, 500), Some(Severity::Notice));
        assert_eq!(severity(1, 5_000, 500), Some(Severity::Warning));
    }

    #[test]
    fn ten_of_one_program_for_half_a_minute_are_critical() {
        assert_eq!(severity(9, 30_000, 100), Some(Severity::Notice));
        assert_eq!(severity(10, 29_999, 100), Some(Severity::Warning));
        assert_eq!(severity(10, 30_000, 100), Some(Severity::Critical));
    }

    #[test]
    fn a_queue_that_gets_shorter_or_was_empty_is_read() {
        let shorter =
            Machine::idle().became(unread(1, 900, 9_000, 900), unread(1, 800, 9_000, 900));
        assert_eq!(shorter.severity(&RULE), None);
        let fresh = Machine::idle().became(unread(1, 0, 0, 0), unread(1, 800, 9_000, 900));
        assert_eq!(fresh.severity(&RULE), None);
    }

    #[test]
    fn a_window_that_closed_meanwhile_is_the_proof() {
        let machine = Machine::idle().both(unread(1, 900, 100, 900));
        let closed = machine.grew("TcpExt.TCPToZeroWindowAdv", 50, 1);
        assert_eq!(closed.severity(&RULE), Some(Severity::Warning));
    }
}
