//! `port-range-too-wide`: the range for outgoing connections swallows the ports of services.

use super::reserving::reserve;
use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::number,
        subject::Subject,
        threshold::Threshold,
    },
    model::{ports::PortSet, state::State},
};
use std::collections::BTreeSet;

const LOW: Threshold = Threshold::new(
    "warning_below_port",
    10_000.0,
    "below that most services have their ports; the default begins at 32768",
);

/// Ports of services that are often found on servers, as their documentation names them.
const KNOWN: [(u16, &str); 17] = [
    (2379, "etcd"),
    (2380, "etcd"),
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (5672, "RabbitMQ"),
    (6379, "Redis"),
    (6443, "kube-apiserver"),
    (8080, "HTTP"),
    (8443, "HTTPS"),
    (9090, "Prometheus"),
    (9092, "Kafka"),
    (9200, "Elasticsearch"),
    (10_250, "kubelet"),
    (10_254, "ingress health check"),
    (10_256, "kube-proxy"),
    (11_211, "memcached"),
    (27_017, "MongoDB"),
];

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "port-range-too-wide",
    area: Area::Ports,
    title: "the range for outgoing connections swallows the ports of services",
    meaning: "The kernel may give an outgoing connection the port that a service here needs at its \
              next start: the service then fails to bind, now and then, for no visible reason.",
    evidence: "net.ipv4.ip_local_port_range and ip_local_reserved_ports; listeners inside the range",
    needs: &[Need::PortRange],
    thresholds: &[LOW],
    symptoms: "`bind: address already in use` (EADDRINUSE, 98) after a restart; lsof shows an \
               outgoing connection of another program on that port.",
    causes: &["a tuning guide that says `1024 65535`"],
    remedies: &[Advice::sysctl(
        "Begin above the ports of services, one end even and one odd",
        "sysctl -w net.ipv4.ip_local_port_range='15000 64999'",
    )
    .risking("fewer ports for each destination than before")],
    avoid: &[
        (
            "`1024 65535` for more connections",
            "each destination has the whole range for itself already",
        ),
        ("SO_REUSEADDR at the service", "a port that a connection holds cannot be listened on"),
    ],
    false_positives: "A host that runs clients only.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html ip_local_port_range",
        "https://github.com/rancher/rancher/issues/12510",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let settings = &evidence.snapshot.settings;
    let range = settings.port_range()?;
    if number((*range.start()).into()) >= case.at(&LOW) {
        return None;
    }
    let reserved = settings.reserved_ports();
    let is_open = |port: u16| {
        range.contains(&port) && reserved.as_ref().is_none_or(|set| !set.contains(port))
    };
    let listening: BTreeSet<u16> = evidence
        .in_state(State::Listen)
        .map(|s| s.local.port)
        .filter(|port| is_open(*port))
        .collect();
    let known: Vec<&(u16, &str)> = KNOWN.iter().filter(|(port, _)| is_open(*port)).collect();
    if listening.is_empty() && known.is_empty() {
        return None;
    }
    // What listens here is what will be restarted here.
    let severity = if listening.is_empty() { Severity::Notice } else { Severity::Warning };
    let ports: PortSet = listening.iter().copied().collect();
    let list = ports.to_string();
    let text = format!("{}-{}", range.start(), range.end());
    let title = match listening.len() {
        0 => format!("outgoing connections may take any port of {text}"),
        1 => format!("outgoing connections may take any port of {text}, also that of a listener"),
        many => {
            format!("outgoing connections may take any port of {text}, also of {many} listeners")
        }
    };
    let finding = RULE
        .finding(severity, Subject::netns(), title)
        .with("range", text.clone())
        .with("listening_ports", list.clone())
        .with("known_ports", known.len())
        .seen(format!(
            "range {text}; inside it listen {}; usual ports of {} known services lie in it",
            if list.is_empty() { "none" } else { list.as_str() },
            known.len()
        ));
    Some(if listening.is_empty() { finding } else { finding.advise([reserve(settings, &ports)]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn host(range: &str, reserved: &str) -> Machine {
        Machine::idle()
            .set("net.ipv4.ip_local_port_range", range)
            .set("net.ipv4.ip_local_reserved_ports", reserved)
    }

    fn kubelet() -> crate::model::socket::Socket {
        socket(State::Listen, "0.0.0.0:10250", "0.0.0.0:0")
    }

    #[test]
    fn a_range_that_begins_low_is_a_warning_where_something_listens_in_it() {
        assert_eq!(host("1024 65535", "").both(kubelet()).severity(&RULE), Some(Severity::Warning));
        assert_eq!(host("9999 65535", "").both(kubelet()).severity(&RULE), Some(Severity::Warning));
        assert_eq!(host("10000 65535", "").both(kubelet()).severity(&RULE), None);
        assert_eq!(host("1024 65535", "").severity(&RULE), Some(Severity::Notice));
        assert_eq!(Machine::idle().both(kubelet()).severity(&RULE), None);
    }

    #[test]
    fn reserved_ports_are_safe_and_kept_in_the_advice() {
        let safe = host("1024 65535", "1024-32767").both(kubelet());
        assert_eq!(safe.severity(&RULE), None);
        let findings = host("1024 65535", "8080").both(kubelet()).findings(&RULE);
        let told = format!("{:?}", findings[0].remedies);
        assert!(told.contains("ip_local_reserved_ports=8080,10250"), "{told}");
    }
}
