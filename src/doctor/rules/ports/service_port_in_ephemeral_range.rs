//! `service-port-in-ephemeral-range`: a service listens on a port that connections may be given.
//!
//! While it listens connect(2) passes over the port. When it stops, for a restart, any outgoing
//! connection may get it, and then the service cannot bind: SO_REUSEADDR does not help, not even
//! against the TIME_WAIT of such a connection.

use super::reserving::reserve;
use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        subject::Subject,
    },
    model::{endpoint::Endpoint, outline::Outline, ports::PortSet, state::State},
};
use std::collections::BTreeMap;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "service-port-in-ephemeral-range",
    area: Area::Ports,
    title: "a service listens on a port that outgoing connections may be given",
    meaning: "The kernel chooses local ports for connections from the range this service listens \
              in. When it stops for a moment a connection may take its port, and it cannot start.",
    evidence: "listeners inside net.ipv4.ip_local_port_range and not in ip_local_reserved_ports; \
               ports of listeners of the first look that connections have now",
    needs: &[Need::PortRange],
    thresholds: &[],
    symptoms: "After a restart `bind: address already in use` (EADDRINUSE, 98), and `lsof -i :PORT` \
               shows a client of something else.",
    causes: &["the port of the service was chosen above 32768, or the range was widened downwards"],
    remedies: &[Advice::application("Let the service listen on a port below the range", "")],
    avoid: &[
        (
            "SO_REUSEADDR",
            "a port that a connection holds cannot be listened on, not even in TIME_WAIT",
        ),
        ("killing the connection", "the next one may take the port as well"),
    ],
    false_positives: "Listeners that asked for any port (bind 0): they tell it to their clients.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html ip_local_reserved_ports",
        "https://github.com/rancher/rancher/issues/12510",
    ],
    caused_by: &["port-range-too-wide"],
    judge,
};

/// Listeners that are told one by one; of more only their number.
const FEW: usize = 3;

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence: &Evidence<'_> = case.evidence;
    let Some(ports) = evidence.ephemeral() else { return Judgement::Found(vec![]) };
    let mut inside: BTreeMap<Endpoint, Vec<Party>> = BTreeMap::new();
    for socket in evidence.in_state(State::Listen).filter(|s| ports.is_offered(s.local.port)) {
        inside.entry(socket.local.canonical()).or_default().extend(evidence.holders(socket));
    }
    let mut found = lost(evidence);
    if inside.len() > FEW {
        let ports: PortSet = inside.keys().map(|at| at.port).collect();
        let title = format!("{} listeners are inside the ephemeral range", inside.len());
        let finding = RULE.finding(Severity::Notice, Subject::netns(), title);
        found.push(told(evidence, finding, &ports));
    } else {
        found.extend(inside.iter().map(|(at, parties)| {
            let mut parties = parties.clone();
            parties.sort();
            parties.dedup();
            let subject = Subject::listener(*at, parties);
            let title = format!("{} listens inside the ephemeral range", subject.text);
            let listens = evidence.in_state(State::Listen).filter(|s| s.local.canonical() == *at);
            let finding = RULE.finding(Severity::Notice, subject, title);
            told(evidence, finding, &only(at.port)).about(listens.map(Outline::inode))
        }));
    }
    found.into()
}

/// Ports that had a listener at the first look and belong to an outgoing connection now.
fn lost(evidence: &Evidence<'_>) -> Vec<Finding> {
    let lost = evidence.ports_not_listened_on_any_more();
    let found = lost.into_iter().filter_map(|port| {
        let holder = evidence.tcp().find(|s| {
            s.local.port == port && s.peer().is_some() && evidence.is_new(s) == Some(true)
        })?;
        let parties = evidence.holders(holder);
        let at = Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED.into(), port);
        let mut subject = Subject::destination(holder.remote.canonical(), parties);
        subject.text = format!(":{port} held by {}", subject.text);
        subject.listener = Some(at);
        let title = format!(
            "nothing listens on port {port} any more, and a connection to {} has it",
            holder.remote.canonical()
        );
        let finding = RULE.finding(Severity::Warning, subject, title).about([holder.inode()]);
        Some(told(evidence, finding, &only(port)))
    });
    found.collect()
}

fn only(port: u16) -> PortSet {
    [port].into_iter().collect()
}

fn told(evidence: &Evidence<'_>, finding: Finding, ports: &PortSet) -> Finding {
    let settings = &evidence.snapshot.settings;
    let range = settings.text("net.ipv4.ip_local_port_range").unwrap_or("unknown");
    let range = range.split_whitespace().collect::<Vec<_>>().join("-");
    let reserved = settings.reserved_ports().map(|reserved| reserved.to_string());
    let verb = if ports.count_in(0..=u16::MAX) == 1 { "port" } else { "ports" };
    finding
        .with("ports", ports.to_string())
        .with("range", range.clone())
        .with("reserved", reserved.clone())
        .seen(format!(
            "{verb} {ports} in {range}; reserved: {}",
            reserved.as_deref().map_or("unknown", |list| if list.is_empty() {
                "none"
            } else {
                list
            })
        ))
        .advise([reserve(settings, ports)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn listener(port: u16) -> Socket {
        socket(State::Listen, &format!("0.0.0.0:{port}"), "0.0.0.0:0").owned(u64::from(port))
    }

    #[test]
    fn a_listener_in_the_range_is_noticed_and_a_reserved_one_is_not() {
        assert_eq!(Machine::idle().both(listener(32_767)).severity(&RULE), None);
        assert_eq!(Machine::idle().both(listener(32_768)).severity(&RULE), Some(Severity::Notice));
        let reserved =
            Machine::idle().set("net.ipv4.ip_local_reserved_ports", "50103").both(listener(50_103));
        assert_eq!(reserved.severity(&RULE), None);
    }

    #[test]
    fn a_connection_that_took_the_port_of_a_listener_is_a_warning() {
        let taken = socket(State::Established, "10.0.0.1:44001", "10.0.0.9:2379").owned(9);
        let machine = Machine::idle().gone(listener(44_001)).newly(taken).process(
            900,
            "kube-apiserver",
            [9],
            (9, 1024),
        );
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].subject.text, ":44001 held by kube-apiserver[900] to 10.0.0.9:2379");
        // A client of the service that is closing is no thief.
        let served = socket(State::Established, "10.0.0.1:44001", "10.0.0.9:50000");
        let closing = Machine::idle().gone(listener(44_001)).both(served);
        assert_eq!(closing.severity(&RULE), None);
    }

    #[test]
    fn many_are_told_together() {
        let machine = (0..4u16).fold(Machine::idle(), |m, n| m.both(listener(40_000 + n)));
        let findings = machine.findings(&RULE);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].evidence["ports"], "40000-40003");
    }
}
