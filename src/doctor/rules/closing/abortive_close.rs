//! `abortive-close`: connections are torn down with a RST instead of a FIN.
//!
//! Closing with SO_LINGER 0 or with data in flight counts `TCPAbortOnData`, closing with received
//! data unread `TCPAbortOnClose` (`__tcp_close`): both send a RST, and what was on its way is lost.

use crate::doctor::{
    area::Area,
    evidence::Evidence,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::{counted, number, percent},
    subject::Subject,
    threshold::Threshold,
};

const NOTICE: Threshold = Threshold::new(
    "notice_percent",
    5.0,
    "of all closes: a client now and then cancels a download",
);
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    20.0,
    "of all closes: it is how this program ends connections",
);
const RATE: Threshold =
    Threshold::new("warning_per_second", 10.0, "fewer a second are single clients that cancel");
const FEWEST: Threshold =
    Threshold::new("least_aborts", 4.0, "in the window: of fewer no part can be told");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "abortive-close",
    area: Area::Closing,
    title: "connections are torn down with a RST instead of a FIN",
    meaning: "A program here closes in a way that throws away what is still on its way: peers get \
              an error, and may lose the end of a response they had been sent.",
    evidence: "TcpExt.TCPAbortOnData, TCPAbortOnClose, TCPAbortOnLinger and TCPAbortOnTimeout in \
               the window, against all closes: those, TIME_WAIT and connections that peers closed",
    needs: &[
        Need::Window,
        Need::Counter("TcpExt.TCPAbortOnData"),
        Need::Counter("TcpExt.TCPAbortOnClose"),
    ],
    thresholds: &[NOTICE, WARNING, RATE, FEWEST],
    symptoms: "Peers get ECONNRESET (104) or EPIPE (32), or responses without an end.",
    causes: &[
        "a server that answers without reading the request: an error page, a limit on uploads",
        "SO_LINGER with 0 seconds, set against TIME_WAIT",
        "a client that cancels while data arrives",
        "a load balancer whose health checks end with a RST",
        "requests that arrive just after an idle connection was closed (keepalive-race)",
    ],
    remedies: &[
        Advice::application(
            "Read what is left, then close: shutdown(SHUT_WR), read to the end of file or a \
             timeout, close",
            "lingering_close on;      # nginx\nshutdown(fd, SHUT_WR);\nwhile (read(fd, buffer, size) > 0) {}\nclose(fd);",
        ),
        Advice::socket("Do not set SO_LINGER to 0 seconds", ""),
    ],
    avoid: &[
        ("SO_LINGER 0 against TIME_WAIT", "it trades harmless entries of a table for lost data"),
        ("net.ipv4.tcp_fin_timeout", "it is for orphan FIN_WAIT_2"),
    ],
    false_positives: "Health checks of HAProxy and others end with a RST on purpose. Load tests.",
    sources: &[
        "net/ipv4/tcp.c __tcp_close",
        "RFC 2525 section 2.17",
        "https://docs.kernel.org/networking/snmp_counter.html",
    ],
    caused_by: &["keepalive-race"],
    judge,
};

/// Counters, their names here, and what each says.
const ABORTS: [(&str, &str, &str); 4] = [
    (
        "TcpExt.TCPAbortOnData",
        "abort_on_data",
        "SO_LINGER with 0 seconds, or data that arrived just after the close",
    ),
    (
        "TcpExt.TCPAbortOnClose",
        "abort_on_close",
        "closed with received data unread: answered without reading the request, or cancelled",
    ),
    ("TcpExt.TCPAbortOnLinger", "abort_on_linger", "TCP_LINGER2 below 0"),
    ("TcpExt.TCPAbortOnTimeout", "abort_on_timeout", "peers that are gone: tries ran out"),
];

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

/// Closes that came to their end in order within the window, as far as they can be counted: those
/// that left a TIME_WAIT here, and connections of the first look that are gone.
fn orderly(evidence: &Evidence<'_>, aborted: u64) -> u64 {
    let first = evidence.grown("TcpExt.TW") + evidence.grown("TcpExt.TWKilled");
    let gone = evidence.grown("Tcp.PassiveOpens") + evidence.grown("Tcp.ActiveOpens");
    // What was opened and is not open has closed, in one way or the other.
    first.max(gone.saturating_sub(counted(new_and_open(evidence))).saturating_sub(aborted))
}

fn new_and_open(evidence: &Evidence<'_>) -> usize {
    evidence
        .tcp()
        .filter(|s| s.inode().is_some() && s.peer().is_some() && evidence.is_new(s) == Some(true))
        .count()
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let aborts: Vec<_> = ABORTS
        .iter()
        .filter_map(|kind| Some((kind, evidence.growth(kind.0)?)))
        .filter(|(_, growth)| growth.count > 0)
        .collect();
    let total: u64 = aborts.iter().map(|(_, growth)| growth.count).sum();
    if number(total) < case.at(&FEWEST) || !aborts.iter().any(|(_, growth)| growth.goes_on()) {
        return None;
    }
    let orderly = orderly(evidence, total);
    let part = percent(total, total + orderly);
    let per_second = evidence.per_second(total)?;
    let severity = if part >= case.at(&WARNING) && per_second >= case.at(&RATE) {
        Severity::Warning
    } else if part >= case.at(&NOTICE) {
        Severity::Notice
    } else {
        return None;
    };
    let (worst, _) = aborts.iter().max_by_key(|(_, growth)| growth.count)?;
    let title = format!(
        "{total} connections were aborted with a RST {}, {part:.0} % of all closes",
        evidence.window()
    );
    let finding = RULE
        .finding(severity, Subject::netns(), title)
        .with("aborts", total)
        .with("aborts_per_second", per_second)
        .with("orderly_closes", orderly)
        .with("percent", part.round())
        .with("peer_resets", evidence.growth("Tcp.EstabResets").map(|growth| growth.count))
        .because(worst.2);
    Some(aborts.iter().fold(finding, |finding, ((counter, key, says), growth)| {
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

    fn aborting(data: u64, close: u64, orderly: u64) -> Machine {
        Machine::idle()
            .grew("TcpExt.TCPAbortOnData", 70_000, data)
            .grew("TcpExt.TCPAbortOnClose", 70_000, close)
            .grew("TcpExt.TW", 500_000, orderly)
    }

    #[test]
    fn the_part_and_the_rate_decide() {
        assert_eq!(aborting(4, 0, 77).severity(&RULE), None);
        assert_eq!(aborting(4, 0, 76).severity(&RULE), Some(Severity::Notice));
        // In two seconds.
        assert_eq!(aborting(10, 9, 0).severity(&RULE), Some(Severity::Notice));
        assert_eq!(aborting(10, 10, 80).severity(&RULE), Some(Severity::Warning));
        assert_eq!(aborting(10, 10, 81).severity(&RULE), Some(Severity::Notice));
        assert_eq!(aborting(3, 0, 0).severity(&RULE), None);
    }

    #[test]
    fn a_burst_and_the_totals_say_nothing() {
        let burst = Machine::idle().jumped("TcpExt.TCPAbortOnData", 0, 400).grew(
            "TcpExt.TCPAbortOnClose",
            70_000,
            0,
        );
        assert_eq!(burst.severity(&RULE), None);
    }

    #[test]
    fn the_greater_counter_tells_the_cause() {
        let findings = aborting(40, 4, 0).findings(&RULE);
        assert!(findings[0].causes[0].contains("SO_LINGER"), "{:?}", findings[0].causes);
        let findings = aborting(4, 40, 0).findings(&RULE);
        assert!(findings[0].causes[0].contains("unread"), "{:?}", findings[0].causes);
    }

    #[test]
    fn connections_that_peers_closed_count_as_orderly() {
        let machine = aborting(20, 0, 0).grew("Tcp.PassiveOpens", 9_000, 500);
        assert_eq!(machine.severity(&RULE), None);
    }
}
