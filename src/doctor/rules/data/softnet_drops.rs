//! `softnet-drops`: the host drops packets before any protocol sees them.
//!
//! /proc/net/softnet_stat has a line for each CPU: packets taken, packets dropped because the
//! CPU's queue had `netdev_max_backlog` of them, and times the work was broken off with packets
//! left (`softnet_seq_show`). It is the host's, whichever namespace reads it.

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    subject::Subject,
    threshold::Threshold,
};

const SQUEEZED: Threshold = Threshold::new(
    "notice_squeezes_per_second",
    100.0,
    "a few are usual under load; a hundred a second say that a CPU has no time for the network",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "softnet-drops",
    area: Area::Tables,
    title: "the host drops packets before any protocol sees them",
    meaning: "A CPU gets packets faster than it hands them on. What its queue cannot hold is lost \
              for every connection and namespace, and looks like loss on the way.",
    evidence: "dropped and time_squeeze of /proc/net/softnet_stat in the window (the whole host)",
    needs: &[Need::Window, Need::Counter("softnet.dropped")],
    thresholds: &[SQUEEZED],
    symptoms: "Retransmissions and lost datagrams that no peer or line explains; one CPU is busy \
               with softirq.",
    causes: &[
        "all queues of the network card interrupt one CPU",
        "a flood of small packets",
        "virtual interfaces: each hop through a veth pair passes such a queue",
        "the CPU is taken by others (steal, a limit, real-time threads)",
    ],
    remedies: &[
        Advice::host_sysctl(
            "Give the queue more room, and each round more time",
            "sysctl -w net.core.netdev_max_backlog=10000 \\\n  net.core.netdev_budget=600",
        )
        .risking("more delay under overload"),
        Advice::capacity(
            "Spread the work over the CPUs: more queues of the card (RSS), or RPS",
            "ethtool -L eth0 combined 8\necho ff > /sys/class/net/eth0/queues/rx-0/rps_cpus",
        ),
    ],
    avoid: &[("net.ipv4.tcp_rmem", "the packets are lost before TCP has seen them")],
    false_positives: "A single burst: that is a notice.",
    sources: &["net/core/net-procfs.c softnet_seq_show", "net/core/dev.c enqueue_to_backlog"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let dropped = evidence.growth("softnet.dropped")?;
    let squeezed = evidence.growth("softnet.time_squeeze");
    let busy =
        squeezed.is_some_and(|growth| growth.goes_on() && growth.per_second >= case.at(&SQUEEZED));
    let severity = match dropped.count {
        0 if busy => Severity::Notice,
        0 => return None,
        _ if dropped.goes_on() => Severity::Warning,
        _ => Severity::Notice,
    };
    let rounds = squeezed.map_or(0, |growth| growth.count);
    let title = match dropped.count {
        0 => format!("CPUs left packets waiting {rounds} times {}", evidence.window()),
        count => {
            format!("the host dropped {count} packets before TCP and UDP {}", evidence.window())
        }
    };
    Some(
        RULE.finding(severity, Subject::host(), title)
            .with("dropped", dropped.count)
            .with("time_squeeze", squeezed.map(|growth| growth.count))
            .with("netdev_max_backlog", evidence.setting("net.core.netdev_max_backlog"))
            .seen(format!(
                "{} packets dropped and {rounds} rounds broken off {}, on all CPUs together",
                dropped.count,
                evidence.window()
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn drops_that_go_on_warn_and_one_burst_is_noticed() {
        let at = |grown| Machine::idle().grew("softnet.dropped", 9_000, grown);
        assert_eq!(at(0).severity(&RULE), None);
        assert_eq!(at(4).severity(&RULE), Some(Severity::Warning));
        let once = Machine::idle().jumped("softnet.dropped", 9_000, 500);
        assert_eq!(once.severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn squeezes_are_noticed_from_a_hundred_a_second() {
        let at = |grown| {
            Machine::idle()
                .grew("softnet.dropped", 0, 0)
                .grew("softnet.time_squeeze", 0, grown)
                .severity(&RULE)
        };
        assert_eq!(at(199), None);
        assert_eq!(at(200), Some(Severity::Notice));
    }
}
