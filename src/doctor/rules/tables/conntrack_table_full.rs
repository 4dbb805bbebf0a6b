//! `conntrack-table-full`: the firewall's table of connections is full, or nearly.
//!
//! `nf_conntrack_max` holds for the host and each namespace counts for itself. When it is reached
//! packets of new connections are dropped (`drop` of /proc/net/stat/nf_conntrack); from 95 % on the
//! collector evicts entries without traffic both ways (`early_drop`, `nf_conntrack_max95`).

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::percent,
    subject::Subject,
    threshold::Threshold,
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 60.0, "entries outlive their connections by minutes");
const WARNING: Threshold =
    Threshold::new("warning_percent", 75.0, "a peak of short connections fills it");
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    90.0,
    "from 95 % on entries are evicted, at 100 % SYNs dropped",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "conntrack-table-full",
    area: Area::Tables,
    title: "the firewall's table of connections is full, or nearly",
    meaning: "Connection tracking keeps an entry for each flow, for minutes after it ended. When \
              the table is full packets of new connections are dropped without a word.",
    evidence: "nf_conntrack_count and nf_conntrack_max; drop and early_drop of \
               /proc/net/stat/nf_conntrack in the window",
    needs: &[
        Need::Setting("net.netfilter.nf_conntrack_count"),
        Need::Setting("net.netfilter.nf_conntrack_max"),
    ],
    thresholds: &[NOTICE, WARNING, CRITICAL],
    symptoms: "Connects time out at random, probes fail; UDP sendto() fails with EPERM; the kernel \
               logs `nf_conntrack: table full, dropping packet`.",
    causes: &[
        "many short connections: each stays 120 s in the table after its end",
        "long timeouts: established for 5 days, CLOSE_WAIT for an hour under kube-proxy",
        "a small maximum, made for a small machine",
        "a scan or flood",
    ],
    remedies: &[
        Advice::application("Reuse connections: fewer come and go", "sockeye doctor --only short-lived-connections"),
        Advice::host_sysctl(
            "Raise the maximum, and the buckets with it (in the first namespace)",
            "sysctl -w net.netfilter.nf_conntrack_max=1048576 \\\n  net.netfilter.nf_conntrack_buckets=262144",
        )
        .risking("about 0.3 KiB for each entry in use"),
        Advice::sysctl(
            "Forget ended and idle flows sooner",
            "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=30 \\\n  \
             net.netfilter.nf_conntrack_tcp_timeout_established=86400",
        )
        .risking("a connection idle for longer than the timeout may be cut at the firewall"),
        Advice::capacity("Do not track the busiest port", "nft add rule inet raw prerouting tcp dport 443 notrack"),
    ],
    avoid: &[
        ("nf_conntrack_tcp_timeout_time_wait against TIME_WAIT", "it is about entries of this table; sockets keep their 60 s"),
    ],
    false_positives: "A burst of a scan that has passed: entries fade within minutes.",
    sources: &[
        "https://docs.kernel.org/networking/nf_conntrack-sysctl.html",
        "net/netfilter/nf_conntrack_core.c __nf_conntrack_alloc",
    ],
    caused_by: &["short-lived-connections"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let count = evidence.setting("net.netfilter.nf_conntrack_count")?;
    // 0 is no limit.
    let most = evidence.setting("net.netfilter.nf_conntrack_max").filter(|most| *most > 0)?;
    let part = percent(count, most);
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let dropped = evidence.growth("nf_conntrack.drop");
    let evicted = evidence.growth("nf_conntrack.early_drop");
    let grew = |growth: Option<crate::doctor::evidence::Growth>| growth.map_or(0, |g| g.count);
    let by_drops = match (grew(dropped), grew(evicted)) {
        (0, 0) => None,
        // One packet may have been dropped for another reason.
        (0 | 1, _) => Some(Severity::Warning),
        _ => Some(Severity::Critical),
    };
    let severity = case.severity(part, &levels).max(by_drops)?;
    let (dropped, evicted) = (grew(dropped), grew(evicted));
    let title = match dropped {
        0 => format!("connection tracking has {count} of {most} entries ({part:.0} %)"),
        _ => format!(
            "connection tracking dropped {dropped} packets {} ({count} of {most} entries)",
            evidence.window()
        ),
    };
    Some(
        RULE.finding(severity, Subject::netns(), title)
            .with("entries", count)
            .with("entries_max", most)
            .with("dropped", dropped)
            .with("evicted", evicted)
            .with(
                "timeout_time_wait_s",
                evidence.setting("net.netfilter.nf_conntrack_tcp_timeout_time_wait"),
            )
            .with(
                "timeout_close_wait_s",
                evidence.setting("net.netfilter.nf_conntrack_tcp_timeout_close_wait"),
            )
            .seen(format!(
                "{count} entries of {most} ({part:.1} %); {dropped} packets dropped and {evicted} \
                 entries evicted {}",
                evidence.window()
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn tracking(count: u32) -> Machine {
        Machine::idle()
            .set("net.netfilter.nf_conntrack_count", &count.to_string())
            .set("net.netfilter.nf_conntrack_max", "1000")
    }

    #[test]
    fn the_part_of_the_table_decides() {
        assert_eq!(tracking(599).severity(&RULE), None);
        assert_eq!(tracking(600).severity(&RULE), Some(Severity::Notice));
        assert_eq!(tracking(750).severity(&RULE), Some(Severity::Warning));
        assert_eq!(tracking(900).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn drops_in_the_window_count_and_those_of_the_past_do_not() {
        let past = tracking(10).grew("nf_conntrack.drop", 70_000, 0);
        assert_eq!(past.severity(&RULE), None);
        let evicting = tracking(10).grew("nf_conntrack.early_drop", 0, 4);
        assert_eq!(evicting.severity(&RULE), Some(Severity::Warning));
        let dropping = tracking(10).grew("nf_conntrack.drop", 0, 4);
        assert_eq!(dropping.severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn no_maximum_is_no_limit_and_no_table_no_verdict() {
        let unlimited = tracking(5_000).set("net.netfilter.nf_conntrack_max", "0");
        assert_eq!(unlimited.severity(&RULE), None);
        assert!(matches!(Machine::idle().judged(&RULE), Judgement::Skipped(_)));
    }
}
