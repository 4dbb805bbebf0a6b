//! `time-wait-bucket-overflow`: the table of TIME_WAIT is full, and closes skip it.
//!
//! `tcp_max_tw_buckets` bounds TIME_WAIT and orphan FIN_WAIT_2 together, for each namespace. Beyond
//! it a connection is closed at once (`inet_twsk_alloc`), which `TCPTimeWaitOverflow` counts; nothing
//! is logged any more.

use crate::doctor::{
    area::Area,
    evidence::Evidence,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::{number, percent},
    subject::Subject,
    threshold::Threshold,
};
use crate::report::remedy::{Remedy, Tier};

const NOTICE: Threshold = Threshold::new("notice_percent", 75.0, "of the table");
const WARNING: Threshold =
    Threshold::new("warning_percent", 90.0, "of the table: the next peak overflows it");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-bucket-overflow",
    area: Area::TimeWait,
    title: "the table of TIME_WAIT is full, and closes skip it",
    meaning: "The table that remembers closed connections is full: further ones are forgotten at \
              once. Late packets of theirs are answered by a RST, or may reach a new connection.",
    evidence: "tw of /proc/net/sockstat against net.ipv4.tcp_max_tw_buckets; \
               TcpExt.TCPTimeWaitOverflow in the window; the rate of closes",
    needs: &[Need::Counter("sockstat.TCP.tw"), Need::Setting("net.ipv4.tcp_max_tw_buckets")],
    thresholds: &[NOTICE, WARNING],
    symptoms: "Mostly none; seldom a RST for a peer whose last FIN was lost.",
    causes: &[
        "tcp_max_tw_buckets was lowered, by a tuning guide or an image (5000 is 83 closes a second)",
        "a connection for each request (short-lived-connections)",
    ],
    remedies: &[Advice::application("Reuse connections: fewer are closed", "")],
    avoid: &[
        (
            "a lower tcp_max_tw_buckets",
            "it was never meant against TIME_WAIT: more closes lose their protection",
        ),
        ("net.ipv4.tcp_fin_timeout", "it does not shorten TIME_WAIT"),
    ],
    false_positives: "Orphan FIN_WAIT_2 share the table (fin-wait2-orphan).",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_max_tw_buckets",
        "net/ipv4/inet_timewait_sock.c inet_twsk_alloc",
    ],
    caused_by: &["short-lived-connections", "fin-wait2-orphan", "tw-sysctl-lint"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let used = evidence.gauge("sockstat.TCP.tw")?;
    let limit = evidence.setting("net.ipv4.tcp_max_tw_buckets")?;
    let part = percent(used, limit);
    let overflow = evidence.growth("TcpExt.TCPTimeWaitOverflow");
    let by_overflow = overflow
        .filter(|growth| growth.count > 0)
        .map(|growth| if growth.goes_on() { Severity::Critical } else { Severity::Notice });
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let severity = case.severity(part, &levels).max(by_overflow)?;
    let overflowed = overflow.map_or(0, |growth| growth.count);
    let closes = evidence.grown("TcpExt.TW") + evidence.grown("TcpExt.TWKilled") + overflowed;
    let per_second = evidence.per_second(closes).unwrap_or(0.0);
    let expected = per_second * 60.0;
    let title = match overflowed {
        0 => format!("{used} of {limit} entries for TIME_WAIT are in use ({part:.0} %)"),
        lost => format!(
            "{lost} closes found no entry for TIME_WAIT {} ({used} of {limit})",
            evidence.window()
        ),
    };
    let more = 262_144f64.max(expected * 2.0).ceil();
    let raise = Remedy {
        tier: Tier::Sysctl,
        text: "Raise the limit: an entry is 256 bytes, and only those in use take memory".into(),
        command: Some(format!("sysctl -w net.ipv4.tcp_max_tw_buckets={more}")),
        ..Advice::sysctl("", "").remedy()
    };
    Some(
        RULE.finding(severity, Subject::netns(), title)
            .with("entries", used)
            .with("tcp_max_tw_buckets", limit)
            .with("overflows", overflowed)
            .with("closes_per_second", per_second)
            .with("expected_entries", expected)
            .seen(format!(
                "{used} of {limit} entries, {overflowed} overflows {}; {per_second} closes a second \
                 need {expected:.0} entries, so that {:.0} a second fit",
                evidence.window(),
                number(limit) / 60.0
            ))
            .advise([raise]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn holding(entries: u64, limit: &str) -> Machine {
        Machine::idle().set("net.ipv4.tcp_max_tw_buckets", limit).gauge("sockstat.TCP.tw", entries)
    }

    #[test]
    fn the_part_of_the_table_decides() {
        assert_eq!(holding(749, "1000").severity(&RULE), None);
        assert_eq!(holding(750, "1000").severity(&RULE), Some(Severity::Notice));
        assert_eq!(holding(900, "1000").severity(&RULE), Some(Severity::Warning));
        assert_eq!(holding(1000, "1000").severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn overflows_that_go_on_are_critical_once_is_a_notice_and_totals_are_nothing() {
        let at = |grown| holding(10, "1000").grew("TcpExt.TCPTimeWaitOverflow", 90_000, grown);
        assert_eq!(at(0).severity(&RULE), None);
        assert_eq!(at(4).severity(&RULE), Some(Severity::Critical));
        let once = holding(10, "1000").jumped("TcpExt.TCPTimeWaitOverflow", 0, 9);
        assert_eq!(once.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn the_limit_that_is_advised_holds_twice_what_is_closed() {
        // 4000 in two seconds.
        let machine = holding(5000, "5000").grew("TcpExt.TCPTimeWaitOverflow", 0, 0).grew(
            "TcpExt.TW",
            0,
            8000,
        );
        let findings = machine.findings(&RULE);
        let raised = findings[0].remedies.last().unwrap().command.as_deref();
        assert_eq!(raised, Some("sysctl -w net.ipv4.tcp_max_tw_buckets=480000"));
    }
}
