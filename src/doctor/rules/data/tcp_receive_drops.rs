//! `tcp-receive-drops`: segments that arrived are dropped before the program could read them.

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    subject::Subject,
};

/// Counters, and what each says.
const COUNTERS: [(&str, &str, &str); 6] = [
    ("TcpExt.TCPBacklogDrop", "backlog_drops", "the socket was locked for too long by its program"),
    (
        "TcpExt.RcvPruned",
        "pruned",
        "the receive buffer was over its limit, and nothing could be freed",
    ),
    (
        "TcpExt.OfoPruned",
        "out_of_order_pruned",
        "segments that came early were thrown away for room",
    ),
    ("TcpExt.TCPOFODrop", "out_of_order_drops", "a segment that came early found no room"),
    ("TcpExt.TCPRcvQDrop", "queue_drops", "the receive queue was full, window or not"),
    ("TcpExt.PFMemallocDrop", "reserve_drops", "the host had only its memory reserve left"),
];

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "tcp-receive-drops",
    area: Area::Data,
    title: "TCP drops segments that have arrived, for want of room",
    meaning: "Segments came through the network and were thrown away in this host. The peers must \
              send them again, and take it for loss on the way.",
    evidence: "TcpExt.TCPBacklogDrop, RcvPruned, OfoPruned, TCPOFODrop, TCPRcvQDrop and \
               PFMemallocDrop in the window",
    needs: &[Need::Window, Need::Counter("TcpExt.TCPBacklogDrop")],
    thresholds: &[],
    symptoms: "Peers retransmit though the line is clean; throughput towards this host varies.",
    causes: &[
        "the program reads too slowly (we-are-not-reading)",
        "it sets a small SO_RCVBUF",
        "the TCP memory of the host is used up (tcp-memory-pressure)",
    ],
    remedies: &[
        Advice::application(
            "Read faster, or in a thread of its own",
            "sockeye -tnp recv_queue > 0",
        ),
        Advice::socket("Do not set SO_RCVBUF: the kernel sizes the buffer as needed", ""),
        Advice::sysctl(
            "Raise the largest size of a receive buffer",
            "sysctl -w net.ipv4.tcp_rmem='4096 131072 16777216'",
        )
        .risking("more memory for each busy connection"),
    ],
    avoid: &[(
        "net.core.netdev_max_backlog",
        "that queue lies before TCP, and has its own counter",
    )],
    false_positives: "A single drop while a buffer was resized: that is a notice.",
    sources: &[
        "https://docs.kernel.org/networking/snmp_counter.html",
        "net/ipv4/tcp_input.c tcp_prune_queue",
    ],
    caused_by: &["we-are-not-reading", "tcp-memory-pressure"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let grown: Vec<_> = COUNTERS
        .iter()
        .filter_map(|counter| Some((counter, evidence.growth(counter.0)?)))
        .filter(|(_, growth)| growth.count > 0)
        .collect();
    let total: u64 = grown.iter().map(|(_, growth)| growth.count).sum();
    let goes_on = grown.iter().any(|(_, growth)| growth.goes_on());
    let severity = if goes_on { Severity::Warning } else { Severity::Notice };
    let (worst, _) = grown.iter().max_by_key(|(_, growth)| growth.count)?;
    let title = format!("{total} segments that had arrived were dropped {}", evidence.window());
    let finding = RULE.finding(severity, Subject::netns(), title).because(worst.2);
    Some(grown.iter().fold(finding, |finding, ((counter, key, says), growth)| {
        let name = counter.trim_start_matches("TcpExt.");
        finding.with(key, growth.count).seen(format!(
            "{name} grew by {} {}: {says}",
            growth.count,
            evidence.window()
        ))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn what_goes_on_warns_what_happened_once_is_noticed_and_totals_say_nothing() {
        let at = |grown| Machine::idle().grew("TcpExt.TCPBacklogDrop", 70_000, grown);
        assert_eq!(at(0).severity(&RULE), None);
        assert_eq!(at(4).severity(&RULE), Some(Severity::Warning));
        let once =
            Machine::idle().grew("TcpExt.TCPBacklogDrop", 0, 0).jumped("TcpExt.RcvPruned", 0, 40);
        assert_eq!(once.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn the_greatest_of_them_tells_the_cause() {
        let machine =
            Machine::idle().grew("TcpExt.TCPBacklogDrop", 0, 4).grew("TcpExt.TCPRcvQDrop", 0, 40);
        let findings = machine.findings(&RULE);
        assert!(findings[0].causes[0].contains("queue was full"));
        assert_eq!(findings[0].evidence["queue_drops"], 40);
        assert_eq!(findings[0].seen.len(), 2);
    }

    #[test]
    fn a_kernel_without_the_counter_is_not_judged() {
        assert!(matches!(Machine::idle().judged(&RULE), Judgement::Skipped(_)));
    }
}
