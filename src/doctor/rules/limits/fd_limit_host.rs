//! `fd-limit-host`: the host is about to run out of open files.
//!
//! `fs.file-nr`: open files, 0, and `fs.file-max`. At the limit open(2) and accept(2) fail with
//! ENFILE, but for processes with CAP_SYS_ADMIN (`alloc_empty_file`).

use crate::doctor::{
    area::Area,
    finding::{Finding, Severity},
    needs::Need,
    rule::{Advice, Case, Judgement, Rule},
    share::percent,
    subject::Subject,
    threshold::Threshold,
};

const NOTICE: Threshold = Threshold::new("notice_percent", 50.0, "half of what the host allows");
const WARNING: Threshold =
    Threshold::new("warning_percent", 75.0, "one leaking service reaches it");
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    90.0,
    "next, every program but root's fails to open anything",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "fd-limit-host",
    area: Area::Limits,
    title: "the host is about to run out of open files",
    meaning: "All processes together have nearly as many open files and sockets as the kernel \
              allows.",
    evidence: "fs.file-nr: open files and fs.file-max",
    needs: &[Need::Setting("fs.file-nr")],
    thresholds: &[NOTICE, WARNING, CRITICAL],
    symptoms: "ENFILE (23); the kernel logs `VFS: file-max limit N reached`.",
    causes: &["fs.file-max was lowered", "a leak in one or more programs", "very many connections"],
    remedies: &[
        Advice::application(
            "Find who has them",
            "for p in /proc/[0-9]*; do echo $(ls $p/fd | wc -l) $p; done \\\n  | sort -n | tail",
        ),
        Advice::host_sysctl(
            "Raise it: an open file costs about 0.2 KiB",
            "sysctl -w fs.file-max=9223372036854775807",
        ),
    ],
    avoid: &[("RLIMIT_NOFILE", "that is a limit of each process, this is one of the host")],
    false_positives: "None known.",
    sources: &["proc_sys_fs(5)", "fs/file_table.c alloc_empty_file"],
    caused_by: &["fd-limit-process", "close-wait-leak"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let at = |index| case.evidence.snapshot.settings.number_at("fs.file-nr", index);
    let (open, most) = (at(0)?, at(2)?);
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let part = percent(open, most);
    let severity = case.severity(part, &levels)?;
    let title = format!("{open} of {most} open files of the host are in use ({part:.0} %)");
    Some(
        RULE.finding(severity, Subject::host(), title)
            .with("open_files", open)
            .with("file_max", most)
            .seen(format!("{open} open files, fs.file-max {most}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn the_part_of_the_limit_decides() {
        let at = |open| Machine::idle().set("fs.file-nr", &format!("{open}\t0\t1000"));
        assert_eq!(at(499).severity(&RULE), None);
        assert_eq!(at(500).severity(&RULE), Some(Severity::Notice));
        assert_eq!(at(750).severity(&RULE), Some(Severity::Warning));
        assert_eq!(at(900).severity(&RULE), Some(Severity::Critical));
        let unlimited = Machine::idle().set("fs.file-nr", "3000000\t0\t9223372036854775807");
        assert_eq!(unlimited.severity(&RULE), None);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_verdict() {
        let judged = Machine::idle().unset("fs.file-nr").judged(&RULE);
        assert!(matches!(judged, Judgement::Skipped(_)));
    }
}
