//! `listen-drops-other`: listeners drop packets though their queues are not full.
//!
//! `TcpExt.ListenDrops` counts every drop of a listener, `ListenOverflows` those for a full accept
//! queue: what is left has another reason (`tcp_conn_request`, `tcp_v4_syn_recv_sock`).

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::{number, percent},
    subject::Subject,
    threshold::Threshold,
};

const SHARE: Threshold = Threshold::new(
    "warning_percent",
    1.0,
    "of the connections accepted: one client in a hundred waits a second",
);
const FEWEST: Threshold =
    Threshold::new("least_drops", 4.0, "in the window: fewer are a burst or a broken client");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "listen-drops-other",
    area: Area::Listening,
    title: "listeners drop packets though their queues are not full",
    meaning: "SYNs or the last packets of handshakes are dropped for another reason than a full \
              accept queue: clients must send them again after a second or more.",
    evidence: "TcpExt.ListenDrops without ListenOverflows in the window, against \
               Tcp.PassiveOpens; TCPReqQFullDrop",
    needs: &[
        Need::Window,
        Need::Counter("TcpExt.ListenDrops"),
        Need::Counter("TcpExt.ListenOverflows"),
    ],
    thresholds: &[SHARE, FEWEST],
    symptoms: "Some clients connect after 1 or 3 s; nothing in the log of the program.",
    causes: &[
        "no route back to the client, or a route that changed",
        "no memory for a new socket",
        "a wrong or missing TCP MD5 or AO key (BGP)",
        "a BPF program or security module that refuses",
    ],
    remedies: &[
        Advice::application(
            "See the reason the kernel gives",
            "perf trace -e skb:kfree_skb --filter 'protocol == 0x800'",
        ),
        Advice::application("Look at the route back", "ip route get CLIENT"),
    ],
    avoid: &[("a longer backlog", "the queues are not full")],
    false_positives: "SYNs from addresses without a route: spoofed ones.",
    sources: &[
        "https://docs.kernel.org/networking/snmp_counter.html",
        "net/ipv4/tcp_ipv4.c tcp_v4_syn_recv_sock",
    ],
    caused_by: &["syn-queue-pressure"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let drops = evidence.growth("TcpExt.ListenDrops")?;
    let overflows = evidence.growth("TcpExt.ListenOverflows")?.count;
    let queue_full = evidence.grown("TcpExt.TCPReqQFullDrop");
    let other = drops.count.saturating_sub(overflows);
    let accepted = evidence.grown("Tcp.PassiveOpens");
    let part = percent(other, accepted.max(1));
    if number(other) < case.at(&FEWEST) || part < case.at(&SHARE) {
        return None;
    }
    let severity = if drops.goes_on() { Severity::Warning } else { Severity::Notice };
    let title = format!(
        "listeners dropped {other} packets {} though no accept queue was full",
        evidence.window()
    );
    let finding = RULE
        .finding(severity, Subject::netns(), title)
        .with("drops_other", other)
        .with("listen_overflows", overflows)
        .with("syn_queue_drops", queue_full)
        .with("accepted", accepted)
        .seen(format!(
            "ListenDrops grew by {} and ListenOverflows by {overflows} {}; {accepted} connections \
             were accepted",
            drops.count,
            evidence.window()
        ));
    Some(if queue_full > 0 {
        finding.because(format!(
            "the SYN queue is full and SYN cookies are off: {queue_full} of them (TCPReqQFullDrop)"
        ))
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn dropping(drops: u64, overflows: u64, accepted: u64) -> Machine {
        Machine::idle()
            .grew("TcpExt.ListenDrops", 90_000, drops)
            .grew("TcpExt.ListenOverflows", 80_000, overflows)
            .grew("Tcp.PassiveOpens", 900_000, accepted)
    }

    #[test]
    fn what_no_full_queue_explains_is_warned_of() {
        assert_eq!(dropping(4, 0, 400).severity(&RULE), Some(Severity::Warning));
        assert_eq!(dropping(4, 0, 401).severity(&RULE), None);
        assert_eq!(dropping(3, 0, 10).severity(&RULE), None);
        assert_eq!(dropping(40, 40, 400).severity(&RULE), None);
        assert_eq!(dropping(0, 0, 0).severity(&RULE), None);
    }

    #[test]
    fn a_full_syn_queue_is_told_as_the_cause() {
        let findings = dropping(235, 0, 10).grew("TcpExt.TCPReqQFullDrop", 0, 235).findings(&RULE);
        assert!(findings[0].causes[0].contains("235 of them"), "{:?}", findings[0].causes);
    }
}
