//! `visibility-limited`: something could not be seen, so that not every rule could judge.

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        subject::Subject,
    },
    model::{about::SourceKind, gap::Gap},
};

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "visibility-limited",
    area: Area::Settings,
    title: "something could not be seen, so that not every rule could judge",
    meaning: "What was found holds. What was not found is only known as far as this could look.",
    evidence: "owners, limits and tables that could not be read, and the reasons",
    needs: &[],
    thresholds: &[],
    symptoms: "Owners are missing, rules are skipped.",
    causes: &[
        "sockeye does not run as root: other users' processes are hidden (CAP_SYS_PTRACE)",
        "it runs in a container, and the processes or limits are those of the host",
        "netlink is not allowed (seccomp): /proc tells less",
    ],
    remedies: &[
        Advice::application("Run it as root, in the namespace that matters", "sudo sockeye doctor"),
        Advice::application(
            "Look at every namespace of the host",
            "sudo sockeye --all-netns summary",
        ),
    ],
    avoid: &[],
    false_positives: "None: it says what was not seen.",
    sources: &["proc(5)", "ptrace(2) PTRACE_MODE_READ_FSCREDS", "sock_diag(7)"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let snapshot = case.evidence.snapshot;
    let mut unseen: Vec<String> = snapshot.about.gaps.iter().map(Gap::sentence).collect();
    if snapshot.about.source == SourceKind::Proc {
        let why = snapshot.about.fallback_reason.as_deref();
        unseen.push(format!(
            "queue limits, drops and tcp_info: /proc/net does not tell them ({})",
            why.unwrap_or("--source proc")
        ));
    }
    if let Some((what, why)) = snapshot.limits.missing.first_key_value() {
        let more = match snapshot.limits.missing.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        unseen.push(format!("limits of {what}: {why}{more}"));
    }
    let count = unseen.len();
    if count == 0 {
        return None;
    }
    let title = match count {
        1 => "something could not be seen, and the rules that need it say nothing".to_owned(),
        _ => format!("{count} things could not be seen, and the rules that need them say nothing"),
    };
    let finding = RULE.finding(Severity::Notice, Subject::netns(), title).with("unseen", count);
    Some(unseen.into_iter().fold(finding, Finding::seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    #[test]
    fn what_is_missing_is_said_with_its_reason() {
        assert_eq!(Machine::idle().severity(&RULE), None);
        let machine = Machine::idle().with(|snapshot| {
            snapshot.about.gaps.push(Gap::new("owners-hidden", "owners of 7 sockets", "be root"));
            snapshot.limits.missing.insert("process 9".into(), "EACCES".into());
        });
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Notice);
        assert_eq!(findings[0].seen[0], "owners of 7 sockets; be root");
        assert!(findings[0].seen[1].contains("process 9: EACCES"));
    }

    #[test]
    fn the_table_in_proc_tells_less_than_netlink() {
        let machine = Machine::idle().with(|snapshot| {
            snapshot.about.source = SourceKind::Proc;
            snapshot.about.fallback_reason = Some("EPERM".into());
        });
        assert!(machine.findings(&RULE)[0].seen[0].contains("EPERM"));
    }
}
