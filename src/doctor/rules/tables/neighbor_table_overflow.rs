//! `neighbor-table-overflow`: too many neighbours for the ARP or ND table.
//!
//! One table for each family and kernel, with all namespaces in it; the thresholds are those of
//! the first namespace. Above `gc_thresh2` entries are collected after 5 s, above `gc_thresh3` no
//! new one is made (`neigh_alloc`) and `table_fulls` counts.

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

const WARNING: Threshold = Threshold::new(
    "warning_percent",
    75.0,
    "of gc_thresh3: a scan or a rollout of pods fills the rest at once",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "neighbor-table-overflow",
    area: Area::Tables,
    title: "the table of neighbours (ARP, ND) is full, or nearly",
    meaning: "For each directly attached address the kernel keeps its hardware address, in one \
              table for the host and all its containers. When it is full, new addresses cannot be \
              reached.",
    evidence: "entries and table_fulls of /proc/net/stat/arp_cache and ndisc_cache, gc_thresh2 and \
               gc_thresh3 (the first namespace)",
    needs: &[Need::Counter("arp_cache.entries")],
    thresholds: &[WARNING],
    symptoms: "sendto() fails with EINVAL or ENOBUFS (105), connect() with EHOSTUNREACH (113), now \
               and then; the kernel logs `neighbour: arp_cache: neighbor table overflow!`.",
    causes: &[
        "many pods or virtual machines in one broadcast domain",
        "a scan of a large subnet",
        "the default of 1024 on a large flat network",
    ],
    remedies: &[
        Advice::host_sysctl(
            "Raise the thresholds, for IPv6 as well",
            "sysctl -w net.ipv4.neigh.default.gc_thresh1=4096 \\\n  \
             net.ipv4.neigh.default.gc_thresh2=8192 \\\n  net.ipv4.neigh.default.gc_thresh3=16384",
        ),
        Advice::capacity("Smaller subnets with a router between", ""),
    ],
    avoid: &[("ip neigh flush all", "it fills again, and every peer is looked up anew at once")],
    false_positives: "A scan that has passed: entries fade within a minute.",
    sources: &["arp(7) gc_thresh3", "net/core/neighbour.c neigh_alloc"],
    caused_by: &[],
    judge,
};

/// The groups of counters, their settings, and what they are called.
const TABLES: [(&str, &str, &str); 2] = [
    ("arp_cache", "net.ipv4.neigh.default", "ARP"),
    ("ndisc_cache", "net.ipv6.neigh.default", "ND"),
];

fn judge(case: &Case<'_, '_>) -> Judgement {
    let found = TABLES.iter().filter_map(|table| finding(case, *table));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, (group, settings, name): (&str, &str, &str)) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let entries = evidence.gauge(&format!("{group}.entries"))?;
    let at = |which| evidence.setting(&format!("{settings}.gc_thresh{which}"));
    let (soft, hard) = (at(2), at(3));
    let full = evidence.growth(&format!("{group}.table_fulls")).map_or(0, |growth| growth.count);
    let part = hard.map_or(0.0, |hard| percent(entries, hard));
    let severity = if full > 0 {
        Severity::Critical
    } else if part >= case.at(&WARNING) {
        Severity::Warning
    } else if soft.is_some_and(|soft| number(entries) > number(soft)) {
        Severity::Notice
    } else {
        return None;
    };
    let of = hard.map_or_else(String::new, |hard| format!(" of {hard}"));
    let title = match full {
        0 => format!("the {name} table has {entries}{of} entries"),
        full => format!(
            "the {name} table was full {full} times {} ({entries}{of} entries)",
            evidence.window()
        ),
    };
    Some(
        RULE.finding(severity, Subject::host(), title)
            .with("entries", entries)
            .with("gc_thresh2", soft)
            .with("gc_thresh3", hard)
            .with("table_fulls", full)
            .seen(format!(
                "{entries} entries, gc_thresh2 {}, gc_thresh3 {}; full {full} times {}",
                text(soft),
                text(hard),
                evidence.window()
            )),
    )
}

fn text(number: Option<u64>) -> String {
    number.map_or_else(|| "not known here".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn knowing(entries: u64) -> Machine {
        Machine::idle()
            .set("net.ipv4.neigh.default.gc_thresh2", "512")
            .set("net.ipv4.neigh.default.gc_thresh3", "1024")
            .gauge("arp_cache.entries", entries)
    }

    #[test]
    fn each_threshold_of_the_kernel_has_its_level() {
        assert_eq!(knowing(512).severity(&RULE), None);
        assert_eq!(knowing(513).severity(&RULE), Some(Severity::Notice));
        assert_eq!(knowing(767).severity(&RULE), Some(Severity::Notice));
        assert_eq!(knowing(768).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn a_table_that_was_full_in_the_window_is_critical_and_one_long_ago_is_not() {
        let full = knowing(100).grew("arp_cache.table_fulls", 70, 3);
        assert_eq!(full.severity(&RULE), Some(Severity::Critical));
        assert_eq!(knowing(100).grew("arp_cache.table_fulls", 70, 0).severity(&RULE), None);
    }

    #[test]
    fn without_thresholds_fullness_is_judged_all_the_same() {
        let machine = Machine::idle().gauge("arp_cache.entries", 900);
        assert_eq!(machine.severity(&RULE), None);
        let full =
            Machine::idle().gauge("arp_cache.entries", 900).grew("arp_cache.table_fulls", 0, 1);
        assert_eq!(full.severity(&RULE), Some(Severity::Critical));
        // A container has no such file.
        assert!(matches!(Machine::idle().judged(&RULE), Judgement::Skipped(_)));
    }
}
