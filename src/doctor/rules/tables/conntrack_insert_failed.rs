//! `conntrack-insert-failed`: two packets of one flow raced for its entry, and one was dropped.

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::percent,
    subject::Subject,
    threshold::Threshold,
};

const FULL: Threshold = Threshold::new(
    "full_percent",
    75.0,
    "a table that is nearly full has another rule, and fails to insert for that reason",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "conntrack-insert-failed",
    area: Area::Tables,
    title: "connection tracking drops packets that race for one entry",
    meaning: "Two packets got an entry at the same time and only one could be kept: the other was \
              dropped. Typical are two DNS questions sent at once through NAT; the second is asked \
              again after 5 s.",
    evidence: "insert_failed of /proc/net/stat/nf_conntrack in the window, while the table has room",
    needs: &[Need::Window, Need::Counter("nf_conntrack.insert_failed")],
    thresholds: &[FULL],
    symptoms: "Name resolution that takes 5 s now and then; single connects that time out.",
    causes: &[
        "a resolver that sends A and AAAA questions from one port at once, through DNAT",
        "SNAT of many connections to one destination that chooses the same port twice",
    ],
    remedies: &[
        Advice::application(
            "Ask one after the other, or by TCP (resolv.conf)",
            "options single-request-reopen\noptions use-vc",
        ),
        Advice::capacity("A resolver on each node, reached without NAT (NodeLocal DNS)", ""),
        Advice::capacity(
            "Let SNAT choose ports at random",
            "nft add rule ip nat postrouting oif eth0 masquerade fully-random",
        ),
    ],
    avoid: &[("net.netfilter.nf_conntrack_max", "the table has room")],
    false_positives: "A single one: that is a notice.",
    sources: &[
        "net/netfilter/nf_conntrack_core.c __nf_conntrack_confirm",
        "https://github.com/kubernetes/kubernetes/issues/56903",
    ],
    caused_by: &["conntrack-table-full"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let failed = evidence.growth("nf_conntrack.insert_failed").filter(|growth| growth.count > 0)?;
    let count = evidence.setting("net.netfilter.nf_conntrack_count");
    let most = evidence.setting("net.netfilter.nf_conntrack_max");
    if count.zip(most).is_some_and(|(count, most)| percent(count, most) >= case.at(&FULL)) {
        return None;
    }
    let severity = if failed.goes_on() { Severity::Warning } else { Severity::Notice };
    let title = format!(
        "{} packets lost a race for their connection tracking entry {}",
        failed.count,
        evidence.window()
    );
    Some(
        RULE.finding(severity, Subject::netns(), title)
            .with("insert_failed", failed.count)
            .with("entries", count)
            .with("entries_max", most)
            .seen(format!(
                "insert_failed grew by {} {}, in {} of {} parts of it",
                failed.count,
                evidence.window(),
                failed.parts,
                failed.of_parts
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn what_goes_on_warns_what_happened_once_is_noticed() {
        let at = |grown| Machine::idle().grew("nf_conntrack.insert_failed", 5_000, grown);
        assert_eq!(at(0).severity(&RULE), None);
        assert_eq!(at(4).severity(&RULE), Some(Severity::Warning));
        let once = Machine::idle().jumped("nf_conntrack.insert_failed", 5_000, 3);
        assert_eq!(once.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn a_full_table_has_its_own_rule() {
        let machine = Machine::idle()
            .grew("nf_conntrack.insert_failed", 0, 4)
            .set("net.netfilter.nf_conntrack_count", "750")
            .set("net.netfilter.nf_conntrack_max", "1000");
        assert_eq!(machine.severity(&RULE), None);
    }
}
