//! `max-connections-estimate`: a listener nears the number of connections it can have.
//!
//! The capacity report computes for each listener which limit binds first. Limits with a rule of
//! their own are told by it; here are the others: memory, threads, ports of few clients.

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::endpoint::Endpoint,
    report::capacity::{limit::LimitId, listeners::Listener},
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 50.0, "half of what is possible is in use");
const WARNING: Threshold =
    Threshold::new("warning_percent", 75.0, "the failover of one sibling doubles the load");
const CRITICAL: Threshold =
    Threshold::new("critical_percent", 90.0, "new clients are turned away at the next peak");
const FEWEST: Threshold = Threshold::new(
    "least_connections",
    100.0,
    "below that the estimate of memory for each connection says little",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "max-connections-estimate",
    area: Area::Limits,
    title: "a listener nears the number of connections it can have",
    meaning: "Of everything that bounds the connections of this listener one limit is reached \
              first, and it is near. A port is not used up by connections: 65535 is no limit of a \
              server.",
    evidence: "connections of each listener; the effective maximum and the limit that binds it, as \
               `sockeye capacity` computes them",
    needs: &[Need::Processes],
    thresholds: &[NOTICE, WARNING, CRITICAL, FEWEST],
    symptoms: "The error of that limit: EMFILE, EAGAIN of fork, the OOM killer, ETIMEDOUT of clients.",
    causes: &["growth", "a limit that was set for a smaller service"],
    remedies: &[
        Advice::application(
            "See which limit binds and what comes next",
            "sockeye capacity --listen PORT",
        ),
        Advice::capacity("Raise that limit, or add an instance", ""),
    ],
    avoid: &[
        ("net.ipv4.ip_local_port_range", "a server needs no local ports for its clients"),
        ("another limit than the one that binds", "it changes nothing"),
    ],
    false_positives: "The memory of a connection within the program is not known here: the \
                      estimate is an upper bound.",
    sources: &["https://docs.kernel.org/admin-guide/sysctl/fs.html", "sockeye capacity"],
    caused_by: &["fd-limit-process", "conntrack-table-full"],
    judge,
};

/// Limits that another rule watches.
const WATCHED: [LimitId; 5] = [
    LimitId::RlimitNofile,
    LimitId::FsFileMax,
    LimitId::NfConntrackMax,
    LimitId::AcceptQueue,
    LimitId::SynQueue,
];

fn judge(case: &Case<'_, '_>) -> Judgement {
    match case.evidence.estimate() {
        Some(estimate) => {
            let found = estimate.listeners.iter().filter_map(|listener| finding(case, listener));
            found.collect::<Vec<_>>().into()
        }
        None => Judgement::Skipped("no estimate can be made of this snapshot".into()),
    }
}

fn finding(case: &Case<'_, '_>, listener: &Listener) -> Option<Finding> {
    let limit = listener.binding_limit.filter(|limit| !WATCHED.contains(limit))?;
    let (used, most) = (listener.in_use, listener.effective_max?);
    if number(used) < case.at(&FEWEST) {
        return None;
    }
    let part = percent(used, most);
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let severity = case.severity(part, &levels)?;
    let at = Endpoint::new(listener.local_address, listener.local_port);
    let party = |holder: &crate::report::capacity::listeners::Holder| Party {
        pid: Some(holder.pid),
        command: Some(holder.command.clone()),
        ..Party::default()
    };
    let subject = Subject::listener(at, listener.processes.iter().map(party).collect());
    let title = format!(
        "{} has {used} of the {most} connections that {} allows ({part:.0} %)",
        subject.text,
        limit.name()
    );
    Some(
        RULE.finding(severity, subject, title)
            .with("in_use", used)
            .with("effective_max", most)
            .with("binding_limit", limit.name())
            .seen(format!("{used} connections; {} binds first, at {most}", limit.name())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{
        limits::{CgroupLimit, Resource},
        state::State,
    };

    /// A service in a cgroup with memory for so many connections more.
    fn service(connections: u16, more: u64, descriptors: u64) -> Machine {
        let client = |n: u16| {
            socket(State::Established, "10.0.0.1:80", &format!("10.0.0.9:{}", 20_000 + n))
                .owned(100 + u64::from(n))
        };
        Machine::idle()
            .both(socket(State::Listen, "10.0.0.1:80", "0.0.0.0:0").owned(7))
            .many(connections, client)
            .process(
                900,
                "worker",
                (100..100 + u64::from(connections)).chain([7]),
                (20, descriptors),
            )
            .with(move |snapshot| {
                let memory = CgroupLimit {
                    resource: Resource::Memory,
                    path: "/web".into(),
                    file: "memory.max".into(),
                    limit: Some(100_000_000),
                    used: Some(100_000_000 - more * 3840),
                };
                snapshot.limits.processes[0].cgroups = vec![memory.key()];
                snapshot.limits.cgroups = vec![memory];
            })
    }

    #[test]
    fn a_limit_that_no_other_rule_watches_is_told_by_its_part() {
        assert_eq!(service(300, 301, 100_000).severity(&RULE), None);
        assert_eq!(service(300, 300, 100_000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(service(300, 100, 100_000).severity(&RULE), Some(Severity::Warning));
        assert_eq!(service(300, 33, 100_000).severity(&RULE), Some(Severity::Critical));
        assert_eq!(service(99, 1, 100_000).severity(&RULE), None, "too few to say");
    }

    #[test]
    fn descriptors_are_told_by_their_own_rule() {
        assert_eq!(service(300, 5_000, 30).severity(&RULE), None);
    }
}
