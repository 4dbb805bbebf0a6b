//! `ghost-socket-fds`: descriptors of TCP sockets that are in no table any more.
//!
//! A connection that ended by RST, by keepalive or by SOCK_DESTROY is in no listing, and its
//! descriptor stays until the program closes it. The name of its protocol (the extended attribute
//! `system.sockprotoname` of sockfs) tells that it is one of TCP; that no table has its inode, that
//! it is not connected.

use crate::doctor::{
    area::Area,
    finding::{Confidence, Finding, Severity},
    needs::Need,
    parties::Party,
    rounds::{GROWING, Watched},
    rule::{Advice, Case, Judgement, Rule},
    share::{number, percent},
    software::{self, Topic},
    subject::Subject,
    threshold::Threshold,
};
use crate::model::limits::ProcessLimits;

const NOTICE: Threshold =
    Threshold::new("notice_sockets", 10.0, "a few may be sockets that are about to connect");
const WARNING: Threshold =
    Threshold::new("warning_sockets", 100.0, "no program prepares a hundred sockets in advance");
const PART: Threshold =
    Threshold::new("warning_percent", 10.0, "of the limit on descriptors: the leak will fill it");
const CRITICAL: Threshold =
    Threshold::new("critical_percent", 50.0, "of the limit: the leak is what stops the program");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "ghost-socket-fds",
    area: Area::Limits,
    title: "a process keeps descriptors of TCP sockets that are dead",
    meaning: "The connections have ended and no tool lists them, but the program has not closed \
              their descriptors: its limit fills though it seems to have few connections.",
    evidence: "descriptors of sockets of TCP whose inode is in no table of this namespace at two \
               looks, by process; the limit on descriptors; how their number goes over the \
               rounds of --watch",
    needs: &[Need::Processes],
    thresholds: &[NOTICE, WARNING, PART, CRITICAL, GROWING],
    symptoms: "EMFILE with few connections listed; lsof says `can't identify protocol` or \
               `protocol: TCP`.",
    causes: &[
        "an error or end of file that does not lead to close(2)",
        "EPOLLHUP or EPOLLERR that is not handled",
        "`ss -K` or keepalive removed connections that were leaked before (close-wait-leak)",
    ],
    remedies: &[
        Advice::application(
            "Close the descriptor on error, end of file, EPOLLHUP and EPOLLERR",
            "lsof -nP -p PID | grep -e 'protocol: TCP' -e 'identify protocol'",
        ),
        Advice::capacity("Restart the program: it gains time and mends nothing", ""),
    ],
    avoid: &[(
        "net.ipv4.tcp_keepalive_time",
        "the connections have ended already; only close(2) frees the descriptor",
    )],
    false_positives: "Sockets made in advance and not connected yet.",
    sources: &["net/socket.c sockfs_xattr_handlers", "close(2)"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let processes = &case.evidence.snapshot.limits.processes;
    processes.iter().filter_map(|process| finding(case, process)).collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, process: &ProcessLimits) -> Option<Finding> {
    let count = process.dead_sockets.filter(|dead| *dead > 0)?;
    let limit = process.soft.filter(|soft| *soft != u64::MAX);
    let part = limit.map_or(0.0, |limit| percent(count, limit));
    let growing = case.growing(Watched::DeadSockets(process.pid));
    let severity = if part >= case.at(&CRITICAL) {
        Severity::Critical
    } else if growing.is_some() || part >= case.at(&PART) || number(count) >= case.at(&WARNING) {
        Severity::Warning
    } else {
        Severity::Notice
    };
    if number(count) < case.at(&NOTICE) {
        return None;
    }
    let known = case.evidence.snapshot.owners.processes().iter().find(|p| p.pid == process.pid);
    let party = known.map_or_else(
        || Party {
            pid: Some(process.pid),
            command: Some(crate::model::name::Name(process.command.clone())),
            ..Party::default()
        },
        Party::of,
    );
    let subject = Subject::process(&party);
    let title = format!("{} keeps {count} descriptors of dead TCP sockets", subject.text);
    let finding = RULE
        .finding(severity, subject, title)
        .with("dead_sockets", count)
        .with("descriptors", process.open())
        .with("limit_soft", limit)
        .with("grew_from", growing.map(|trend| trend.from))
        .with("grew_over_ms", growing.map(|trend| trend.over_ms))
        .seen(format!(
            "{count} descriptors of TCP sockets that are in no table{}",
            limit.map_or_else(String::new, |limit| format!(
                ", {part:.0} % of its {limit} descriptors"
            ))
        ))
        .advise(software::remedies([&party], Topic::Close));
    Some(match growing {
        Some(trend) => finding.seen(format!("their number {}", trend.text())),
        None => finding
            .only(Confidence::Likely, "run with --watch: what stays is dead, not about to connect"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn keeping(dead: u64, limit: u64) -> Machine {
        let machine = Machine::idle().process(900, "sslh", [], (9, limit));
        machine.with(|snapshot| snapshot.limits.processes[0].dead_sockets = Some(dead))
    }

    #[test]
    fn numbers_and_parts_of_the_limit_decide() {
        assert_eq!(keeping(9, 100_000).severity(&RULE), None);
        assert_eq!(keeping(9, 10).severity(&RULE), None);
        assert_eq!(keeping(10, 100_000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(keeping(99, 100_000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(keeping(100, 100_000).severity(&RULE), Some(Severity::Warning));
        assert_eq!(keeping(102, 1024).severity(&RULE), Some(Severity::Warning));
        assert_eq!(keeping(511, 1024).severity(&RULE), Some(Severity::Warning));
        assert_eq!(keeping(512, 1024).severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn more_in_each_round_of_a_watch_is_a_leak() {
        let over = |counts: [u64; 2], now| {
            keeping(now, 100_000).after(counts.map(|count| keeping(count, 100_000))).findings(&RULE)
        };
        let found = over([10, 11], 12);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].confidence, Confidence::Certain);
        assert_eq!(over([12, 12], 12)[0].severity, Severity::Notice);
    }

    #[test]
    fn a_process_that_was_not_looked_into_is_not_accused() {
        assert_eq!(Machine::idle().process(900, "sslh", [], (9, 64)).severity(&RULE), None);
    }
}
