//! `tcp-memory-pressure`: all TCP buffers together are near the kernel's cap.
//!
//! `net.ipv4.tcp_mem` has three numbers, in pages: below the first all is well, above the second
//! buffers shrink, at the third sending waits and data is dropped. `mem` of /proc/net/sockstat is
//! the use, of the whole host whichever namespace reads it (`sockstat_seq_show`). An idle
//! connection takes none of it: it counts what is queued.

use crate::doctor::{
    area::Area,
    evidence::Evidence,
    finding::{Finding, Severity},
    needs::Need,
    parties::Party,
    rule::{Advice, Case, Judgement, Rule},
    share::percent,
    subject::Subject,
    threshold::Threshold,
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 75.0, "of the second number of tcp_mem: pressure is near");
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    100.0,
    "of the second number: the kernel shrinks the buffers of all connections",
);
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    90.0,
    "of the third number: next, sending waits and arriving data is dropped, on the whole host",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "tcp-memory-pressure",
    area: Area::Data,
    title: "all TCP buffers together are near the kernel's cap",
    meaning: "What is queued in all connections of the host has nearly the size the kernel allows. \
              Beyond it every connection is slowed down, whoever fills the buffers.",
    evidence: "mem of /proc/net/sockstat (pages, the whole host) against net.ipv4.tcp_mem; \
               TcpExt.TCPMemoryPressures, PruneCalled, TCPAbortOnMemory in the window; the largest \
               holders of queued data seen here",
    needs: &[Need::Counter("sockstat.TCP.mem"), Need::Setting("net.ipv4.tcp_mem")],
    thresholds: &[NOTICE, WARNING, CRITICAL],
    symptoms: "All connections are slow; the kernel logs `TCP: out of memory -- consider tuning \
               tcp_mem`.",
    causes: &[
        "a program does not read what arrives (we-are-not-reading)",
        "peers do not read what is sent (peer-not-reading)",
        "thousands of busy connections with large buffers",
        "tcp_mem was set as if it were bytes: far too small or far too large",
    ],
    remedies: &[
        Advice::application(
            "Find who holds the data, and mend that first",
            "sockeye -tnp --sort -rmem --limit 20\nsockeye -tnp --sort -wmem_queued --limit 20",
        ),
        Advice::socket("Bound the buffers of that program (SO_RCVBUF, SO_SNDBUF)", ""),
        Advice::host_sysctl(
            "Raise the cap, in pages of 4 KiB, where the memory is there: 2, 3 and 4 GiB here",
            "sysctl -w net.ipv4.tcp_mem='524288 786432 1048576'",
        )
        .risking("memory that programs then do not have"),
    ],
    avoid: &[
        (
            "net.ipv4.tcp_mem in bytes",
            "it is in pages: a value copied from tcp_rmem is 4096 times too large",
        ),
        ("net.ipv4.tcp_rmem", "that is for one socket; the sum is what is short"),
    ],
    false_positives: "None known: the kernel compares the same numbers.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_mem",
        "net/ipv4/proc.c sockstat_seq_show",
        "include/net/tcp.h tcp_under_memory_pressure",
    ],
    caused_by: &["we-are-not-reading", "peer-not-reading", "orphan-pressure"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence = case.evidence;
    let used = evidence.gauge("sockstat.TCP.mem")?;
    let at = |index| evidence.snapshot.settings.number_at("net.ipv4.tcp_mem", index);
    let (pressure, most) = (at(1)?, at(2)?);
    let levels = [(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)];
    let by_pressure = case.severity(percent(used, pressure), &levels);
    let near_end = case.severity(percent(used, most), &[(Severity::Critical, &CRITICAL)]);
    let aborted = evidence.grown("TcpExt.TCPAbortOnMemory");
    // Orphans are aborted for their own limit too: only together with the memory is it this.
    let aborts = (aborted > 0 && by_pressure.is_some()).then_some(Severity::Critical);
    let severity = by_pressure.max(near_end).max(aborts)?;
    let percent_of_most = percent(used, most);
    let title = format!(
        "TCP buffers of the host take {used} of {most} pages ({percent_of_most:.0} %, pressure from \
         {pressure} on)"
    );
    let mut finding = RULE
        .finding(severity, Subject::host(), title)
        .with("used_pages", used)
        .with("pressure_pages", pressure)
        .with("most_pages", most)
        .with("pressures", evidence.growth("TcpExt.TCPMemoryPressures").map(|g| g.count))
        .with("pruned", evidence.growth("TcpExt.PruneCalled").map(|g| g.count))
        .with("aborted", aborted)
        .seen(format!(
            "{used} pages, {:.0} % of the {pressure} from which on buffers shrink; {aborted} \
             connections aborted for want of memory {}",
            percent(used, pressure),
            evidence.window()
        ));
    for (party, bytes, inodes) in holders(evidence).into_iter().take(3) {
        let sentence = format!("{} holds {bytes} bytes in its sockets here", party.text());
        finding = finding.seen(sentence).about(inodes);
    }
    Some(finding)
}

type Holder = (Party, u64, Vec<Option<u64>>);

/// Who holds queued data in this namespace, most first, with the inodes of the largest sockets.
fn holders(evidence: &Evidence<'_>) -> Vec<Holder> {
    let bytes = |s: &crate::model::outline::Outline| {
        let measured = evidence.measured(s);
        measured.rmem_bytes().unwrap_or(0) + measured.wmem_bytes().unwrap_or(0)
    };
    let with_data = evidence.tcp().filter(|s| bytes(s) > 0 && s.inode().is_some());
    let mut groups: Vec<Holder> = evidence
        .by_holder(with_data)
        .into_iter()
        .map(|(party, mut sockets)| {
            sockets.sort_by_key(|s| std::cmp::Reverse(bytes(s)));
            let sum = sockets.iter().map(|s| bytes(s)).sum();
            (party, sum, sockets.iter().take(100).map(|s| s.inode()).collect())
        })
        .collect();
    groups.sort_by_key(|(_, sum, _)| std::cmp::Reverse(*sum));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{memory::SocketMemory, state::State};

    fn using(pages: u64) -> Machine {
        Machine::idle().set("net.ipv4.tcp_mem", "600\t800\t1200").gauge("sockstat.TCP.mem", pages)
    }

    #[test]
    fn each_level_is_a_part_of_its_number() {
        assert_eq!(using(599).severity(&RULE), None);
        assert_eq!(using(600).severity(&RULE), Some(Severity::Notice));
        assert_eq!(using(800).severity(&RULE), Some(Severity::Warning));
        assert_eq!(using(1079).severity(&RULE), Some(Severity::Warning));
        assert_eq!(using(1080).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn aborts_without_pressure_are_those_of_orphans() {
        let aborted = |pages| using(pages).grew("TcpExt.TCPAbortOnMemory", 3, 4).severity(&RULE);
        assert_eq!(aborted(100), None);
        assert_eq!(aborted(600), Some(Severity::Critical));
    }

    #[test]
    fn the_largest_holders_are_named_and_a_container_says_what_it_cannot_know() {
        let mut hog = socket(State::Established, "10.0.0.1:80", "10.0.0.9:4000").owned(7);
        hog.memory = Some(SocketMemory { rmem_alloc_bytes: 5_000_000, ..SocketMemory::default() });
        let machine = using(900).both(hog).process(900, "ghproxy", [7], (9, 1024));
        let findings = machine.findings(&RULE);
        assert!(findings[0].seen[1].contains("ghproxy[900] holds 5000000"), "{findings:?}");
        let container = using(900).unset("net.ipv4.tcp_mem").judged(&RULE);
        assert!(matches!(container, Judgement::Skipped(why) if why.contains("tcp_mem")));
    }
}
