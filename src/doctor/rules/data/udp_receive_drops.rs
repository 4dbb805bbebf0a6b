//! `udp-receive-drops`: datagrams arrive faster than the program reads them.
//!
//! UDP has no window: what finds the receive buffer full is dropped, counted by the socket (`drops`
//! of /proc/net/udp, SK_MEMINFO_DROPS) and by `Udp.RcvbufErrors` of the namespace.

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, queues::Queues},
};

const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    1.0,
    "of all datagrams of the namespace: a protocol without retransmission loses one answer in a \
     hundred",
);
const FEW: Threshold =
    Threshold::new("warning_datagrams", 2.0, "one drop in a window is a burst that has passed");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "udp-receive-drops",
    area: Area::Data,
    title: "datagrams arrive faster than the program reads them, and are dropped",
    meaning: "The receive buffer of a UDP socket is full. The kernel drops what comes then; neither \
              the program nor the sender is told.",
    evidence: "drops of each UDP socket at two looks; its receive queue; Udp.RcvbufErrors, \
               InDatagrams and MemErrors in the window",
    needs: &[Need::TwoLooks],
    thresholds: &[FEW, CRITICAL],
    symptoms: "Lost log lines and metrics, DNS answers that come at the second try, stuttering media.",
    causes: &[
        "one thread reads one datagram at a time",
        "the program pauses: the collector, a slow write, a CPU limit",
        "the receive buffer is the default of 208 KiB (net.core.rmem_default)",
    ],
    remedies: &[
        Advice::application(
            "Read many datagrams at once (recvmmsg), in several threads with a socket each \
             (SO_REUSEPORT), and work on them elsewhere",
            "",
        ),
        Advice::socket(
            "Ask for a larger buffer",
            "int bytes = 8388608;\nsetsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);",
        ),
        Advice::sysctl(
            "Allow the program to get what it asks for, then restart it",
            "sysctl -w net.core.rmem_max=8388608",
        )
        .risking("memory, if many programs ask for it"),
    ],
    avoid: &[
        ("net.core.rmem_max alone", "it is only the most that SO_RCVBUF may ask for"),
        (
            "net.ipv4.udp_mem",
            "that is for all sockets of the host; MemErrors says when it is short",
        ),
    ],
    false_positives: "A socket that nobody means to read: a sender that is bound and gets answers.",
    sources: &["udp(7)", "socket(7) SO_RCVBUF", "net/ipv4/udp.c __udp_enqueue_schedule_skb"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let found = case.evidence.udp().filter_map(|socket| finding(case, socket));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, socket: &Outline) -> Option<Finding> {
    let evidence = case.evidence;
    let drops = evidence.measured(socket).drops().filter(|drops| *drops > 0)?;
    let errors = evidence.growth("Udp.RcvbufErrors");
    // IPv6 has counters of its own, which are not read: there the number alone decides.
    let goes_on = errors.is_none_or(|errors| errors.goes_on() || errors.count == 0);
    let received = evidence.growth("Udp.InDatagrams").map(|growth| growth.count);
    let part = received.map(|received| percent(drops, received + drops));
    let severity = if number(drops) < case.at(&FEW) || !goes_on {
        Severity::Notice
    } else if part.is_some_and(|part| part >= case.at(&CRITICAL)) {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let queued = match socket.queues() {
        Queues::Data { recv, .. } => recv,
        _ => 0,
    };
    let buffer = evidence.measured(socket).rcvbuf_bytes();
    let subject = Subject::listener(socket.local.canonical(), evidence.holders(socket));
    let title = format!("UDP {} dropped {drops} datagrams {}", subject.text, evidence.window());
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("drops", drops)
        .with("percent_of_datagrams", part.map(|part| (part * 10.0).round() / 10.0))
        .with("recv_queue_bytes", queued)
        .with("receive_buffer_bytes", buffer)
        .with("rmem_max", evidence.setting("net.core.rmem_max"))
        .with("memory_errors", evidence.growth("Udp.MemErrors").map(|growth| growth.count))
        .seen(format!(
            "{drops} datagrams dropped by this socket {}, {} a second; {queued} bytes wait",
            evidence.window(),
            evidence.per_second(drops).unwrap_or(0.0)
        ))
        .about([socket.inode()]);
    if let Some(part) = part {
        finding = finding.seen(format!("{part:.1} % of what came by UDP in this namespace"));
    }
    if evidence.growth("Udp.MemErrors").is_some_and(|growth| growth.count > 0) {
        finding = finding.because("the UDP memory of the host is used up (net.ipv4.udp_mem)");
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;
    use crate::doctor::fixture::socket;
    use crate::model::socket::Socket;
    use crate::model::state::State;

    fn receiver(drops: u32) -> Socket {
        socket(State::Closed, "0.0.0.0:8125", "0.0.0.0:0").udp().dropped(drops).owned(7)
    }

    fn dropping(before: u32, drops: u32, received: u64) -> Machine {
        Machine::idle()
            .became(receiver(before), receiver(before + drops))
            .grew("Udp.RcvbufErrors", before.into(), drops.into())
            .grew("Udp.InDatagrams", 1_000_000, received)
            .process(900, "statsd", [7], (9, 1024))
    }

    #[test]
    fn one_is_a_burst_more_go_on_and_one_in_a_hundred_is_critical() {
        assert_eq!(dropping(500, 0, 1000).severity(&RULE), None);
        assert_eq!(dropping(500, 1, 1000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(dropping(500, 9, 990).severity(&RULE), Some(Severity::Warning));
        assert_eq!(dropping(500, 10, 990).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn a_burst_in_one_part_of_the_window_is_a_notice() {
        let machine = Machine::idle()
            .became(receiver(0), receiver(400))
            .jumped("Udp.RcvbufErrors", 0, 400)
            .grew("Udp.InDatagrams", 0, 1000);
        assert_eq!(machine.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn each_socket_has_its_own_finding() {
        let other = |drops| Socket { inode: Some(8), cookie: Some(8), ..receiver(drops) };
        let machine = dropping(0, 50, 1000).became(other(9), other(9));
        let findings = machine.findings(&RULE);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].subject.text, ":8125 statsd[900]");
    }
}
