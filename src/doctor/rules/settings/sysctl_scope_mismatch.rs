//! `sysctl-scope-mismatch`: settings of the host that do not hold in this network namespace.
//!
//! A new network namespace starts with the compiled defaults, not with the values of the host or
//! of the namespace it was made from: what /etc/sysctl.d sets on the host is not in its containers.

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    rule::{Advice, Case, Judgement, Rule},
    subject::Subject,
};

/// Settings of a network namespace, and what a new one has.
const DEFAULTS: [(&str, &str); 15] = [
    ("net.core.somaxconn", "4096"),
    ("net.ipv4.ip_local_port_range", "32768 60999"),
    ("net.ipv4.tcp_abort_on_overflow", "0"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_keepalive_intvl", "75"),
    ("net.ipv4.tcp_keepalive_probes", "9"),
    ("net.ipv4.tcp_keepalive_time", "7200"),
    ("net.ipv4.tcp_mtu_probing", "0"),
    ("net.ipv4.tcp_retries2", "15"),
    ("net.ipv4.tcp_rfc1337", "0"),
    ("net.ipv4.tcp_syn_retries", "6"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_syncookies", "1"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_tw_reuse", "2"),
];

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "sysctl-scope-mismatch",
    area: Area::Settings,
    title: "settings of the host do not hold in this network namespace",
    meaning: "Somebody has set these on the host, and here the compiled default is in force: each \
              network namespace, so each container, has its own.",
    evidence: "settings here and in the namespace of process 1, where they differ and the value \
               here is the compiled default",
    needs: &[],
    thresholds: &[],
    symptoms: "A setting that `helped on the host` changes nothing for a container.",
    causes: &["/etc/sysctl.d of the host is applied to the first network namespace only"],
    remedies: &[Advice::sysctl(
        "Set them where the container is described",
        "docker run --sysctl net.core.somaxconn=16384 ...\n\
             securityContext:\n  sysctls: [{ name: net.core.somaxconn, value: '16384' }]",
    )],
    avoid: &[("sysctl -p on the host again", "it does not reach other namespaces")],
    false_positives: "A container that is meant to have the defaults.",
    sources: &["https://docs.kernel.org/admin-guide/sysctl/net.html", "network_namespaces(7)"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    if case.evidence.snapshot.settings.of_host.is_empty() {
        return Judgement::Skipped(
            "the settings of the namespace of process 1 were not read: that needs root, or this \
             is that namespace"
                .into(),
        );
    }
    Judgement::from(found(case))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let settings = &case.evidence.snapshot.settings;
    let differ: Vec<(&str, String, &str)> = DEFAULTS
        .iter()
        .filter_map(|(name, default)| {
            let here = words(settings.text(name)?);
            let there = words(settings.of_host.get(*name)?);
            (here == *default && there != here).then_some((*name, there, *default))
        })
        .collect();
    if differ.is_empty() {
        return None;
    }
    let title = format!("{} settings of the host are not in force here", differ.len());
    let names: Vec<&str> = differ.iter().map(|(name, ..)| *name).collect();
    let finding =
        RULE.finding(Severity::Notice, Subject::netns(), title).with("settings", names.join(" "));
    Some(differ.iter().fold(finding, |finding, (name, there, here)| {
        finding.seen(format!("{name} is {there} on the host and {here} here"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn host(name: &str, value: &str) -> Machine {
        let pair = (name.to_owned(), value.to_owned());
        Machine::idle().with(|snapshot| snapshot.settings.of_host = [pair].into())
    }

    #[test]
    fn a_setting_of_the_host_that_is_the_default_here_is_noticed() {
        assert_eq!(host("net.core.somaxconn", "4096").severity(&RULE), None);
        let findings = host("net.core.somaxconn", "65535").findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Notice);
        assert!(findings[0].seen[0].contains("65535 on the host and 4096 here"));
        // However its blanks are written.
        assert_eq!(host("net.ipv4.ip_local_port_range", "32768 60999").severity(&RULE), None);
    }

    #[test]
    fn a_value_that_was_set_here_too_is_meant() {
        let machine = host("net.core.somaxconn", "65535").set("net.core.somaxconn", "1024");
        assert_eq!(machine.severity(&RULE), None);
        assert!(matches!(Machine::idle().judged(&RULE), Judgement::Skipped(_)));
    }
}
