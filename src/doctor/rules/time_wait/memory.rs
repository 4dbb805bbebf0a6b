//! `time-wait-memory`: sockets in TIME_WAIT take a noticeable part of the memory.
//!
//! An entry is 256 bytes of slab (`tw_sock_TCP`); the last user of a local port has two bind buckets
//! of 128 bytes more, which is so on the connecting side.

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::state::State,
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 0.5, "of the memory: below that it is noise");
const WARNING: Threshold =
    Threshold::new("warning_percent", 2.0, "of the memory: programs miss it");

/// Bytes of an entry, and of the bind buckets of an outgoing one.
const ENTRY: u64 = 256;
const BUCKETS: u64 = 256;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-memory",
    area: Area::TimeWait,
    title: "sockets in TIME_WAIT take a noticeable part of the memory",
    meaning: "Each closed connection is remembered for a minute, in a quarter of a kilobyte. Here \
              there are so many that it adds up.",
    evidence: "TIME_WAIT by direction, 256 bytes each and 256 more for outgoing ones; MemTotal",
    needs: &[],
    thresholds: &[NOTICE, WARNING],
    symptoms: "None but less memory.",
    causes: &["a connection for each request, on a small machine"],
    remedies: &[
        Advice::application("Reuse connections (keep-alive, pools)", ""),
        Advice::capacity("More memory", ""),
    ],
    avoid: &[
        ("a lower tcp_max_tw_buckets", "closes then skip TIME_WAIT and what it protects from"),
        ("net.ipv4.tcp_fin_timeout", "it does not shorten TIME_WAIT"),
    ],
    false_positives: "None: it is arithmetic. `4 KB each`, as some say, is 16 times too much.",
    sources: &[
        "/proc/slabinfo tw_sock_TCP",
        "https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux",
    ],
    caused_by: &["short-lived-connections", "time-wait-server-side"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    match case.evidence.snapshot.limits.memory_total_bytes {
        Some(total) => Judgement::from(found(case, total)),
        None => Judgement::Skipped("MemTotal is not known".into()),
    }
}

fn found(case: &Case<'_, '_>, total: u64) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let mini = || evidence.in_states([State::TimeWait, State::FinWait2]).filter(|s| s.is_mini());
    let outgoing = |s: &&crate::model::outline::Outline| {
        matches!(evidence.direction(s), Some(Direction::Out(_)))
    };
    let (count, out) = (counted(mini().count()), counted(mini().filter(outgoing).count()));
    let bytes = count * ENTRY + out * BUCKETS;
    let part = percent(bytes, total);
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let severity = case.severity(part, &levels)?;
    let mega = bytes / 1_000_000;
    let title = format!("{count} sockets in TIME_WAIT take {mega} MB, {part:.1} % of the memory");
    Some(
        RULE.finding(severity, Subject::host(), title)
            .with("sockets", count)
            .with("outgoing", out)
            .with("bytes", bytes)
            .with("memory_bytes", total)
            .seen(format!("{count} × 256 bytes and {out} × 256 of bind buckets, of {total} bytes")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    fn holding(count: u16, memory: u64) -> Machine {
        let left = |n: u16| socket(State::TimeWait, "10.0.0.1:80", &format!("10.9.9.9:{}", n + 1));
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0"))
            .many(count, left)
            .with(move |snapshot| snapshot.limits.memory_total_bytes = Some(memory))
    }

    #[test]
    fn the_part_of_the_memory_decides() {
        // 1000 × 256 bytes.
        assert_eq!(holding(1000, 51_200_001).severity(&RULE), None);
        assert_eq!(holding(1000, 51_200_000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(holding(1000, 12_800_000).severity(&RULE), Some(Severity::Warning));
        assert_eq!(holding(50_000, 8 << 30).severity(&RULE), None, "50000 on a server");
    }

    #[test]
    fn outgoing_ones_have_buckets_too() {
        let out =
            |n: u16| socket(State::TimeWait, &format!("10.0.0.1:{}", 40_000 + n), "10.0.0.7:80");
        let machine = Machine::idle().many(1000, out).with(|snapshot| {
            snapshot.limits.memory_total_bytes = Some(25_600_000);
        });
        assert_eq!(machine.findings(&RULE)[0].evidence["bytes"], 512_000);
    }

    #[test]
    fn without_the_size_of_the_memory_nothing_is_said() {
        let machine = holding(9, 1).with(|snapshot| snapshot.limits.memory_total_bytes = None);
        assert!(matches!(machine.judged(&RULE), Judgement::Skipped(_)));
    }
}
