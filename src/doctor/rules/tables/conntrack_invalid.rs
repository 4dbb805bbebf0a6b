//! `conntrack-invalid`: packets of living connections are invalid to the firewall.

use crate::doctor::{
    area::Area,
    evidence::Growth,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    subject::Subject,
};

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "conntrack-invalid",
    area: Area::Tables,
    title: "packets are invalid to connection tracking while connections are reset",
    meaning: "Connection tracking does not know these packets as part of a flow, most often because \
              they lie outside the window it has seen. It then does not translate them: they reach \
              a host that answers with a RST.",
    evidence: "invalid of /proc/net/stat/nf_conntrack and Tcp.EstabResets in the window",
    needs: &[Need::Window, Need::Counter("nf_conntrack.invalid"), Need::Counter("Tcp.EstabResets")],
    thresholds: &[],
    symptoms: "ECONNRESET (104) in the middle of large transfers through NAT or a load balancer.",
    causes: &[
        "packets that come out of order or late, beyond the window that was tracked",
        "an asymmetric path: one direction passes another machine",
        "an entry that expired before its connection did",
    ],
    remedies: &[
        Advice::sysctl(
            "Do not judge packets by their window",
            "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
        )
        .risking("forged segments pass the firewall more easily"),
        Advice::capacity(
            "Drop what is invalid before it is forwarded untranslated",
            "nft add rule inet filter forward ct state invalid drop",
        ),
    ],
    avoid: &[("net.netfilter.nf_conntrack_max", "the table is not the matter")],
    false_positives: "Scans, and segments of connections that ended long ago.",
    sources: &[
        "https://docs.kernel.org/networking/nf_conntrack-sysctl.html",
        "net/netfilter/nf_conntrack_proto_tcp.c tcp_in_window",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let invalid = evidence.growth("nf_conntrack.invalid").filter(Growth::goes_on)?;
    let resets = evidence.growth("Tcp.EstabResets").filter(|growth| growth.count > 0)?;
    let title = format!(
        "{} packets were invalid to connection tracking and {} connections reset {}",
        invalid.count,
        resets.count,
        evidence.window()
    );
    Some(
        RULE.finding(Severity::Notice, Subject::netns(), title)
            .only(crate::doctor::finding::Confidence::Possible, "log what is invalid")
            .with("invalid", invalid.count)
            .with("resets", resets.count)
            .with("be_liberal", evidence.setting("net.netfilter.nf_conntrack_tcp_be_liberal"))
            .seen(format!(
                "invalid grew by {}, EstabResets by {} {}",
                invalid.count,
                resets.count,
                evidence.window()
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn both_must_happen_and_the_first_go_on() {
        let at = |invalid, resets| {
            Machine::idle()
                .grew("nf_conntrack.invalid", 900, invalid)
                .grew("Tcp.EstabResets", 900, resets)
                .severity(&RULE)
        };
        assert_eq!(at(0, 4), None);
        assert_eq!(at(4, 0), None);
        assert_eq!(at(4, 1), Some(Severity::Notice));
        let once =
            Machine::idle().jumped("nf_conntrack.invalid", 0, 9).grew("Tcp.EstabResets", 0, 4);
        assert_eq!(once.severity(&RULE), None);
    }
}
