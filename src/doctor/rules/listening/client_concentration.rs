//! `client-concentration`: among many clients, one address has a large part of a service.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

const SHARE: Threshold =
    Threshold::new("notice_percent", 30.0, "of the connections of a service with many clients");
const SYNS: Threshold = Threshold::new(
    "notice_syn_percent",
    50.0,
    "of the handshakes that wait: half of the queue belongs to one address",
);
const FEWEST: Threshold =
    Threshold::new("least_connections", 100.0, "of a few connections any client has a large part");
const CROWD: Threshold = Threshold::new(
    "least_addresses",
    10.0,
    "of fewer clients each has a large part: load balancers, a pool of workers",
);
const LIMIT: Threshold = Threshold::new(
    "warning_descriptors_percent",
    75.0,
    "of the limit of the service: this client can shut out the others",
);
const PORTS: Threshold = Threshold::new(
    "warning_ports",
    49_151.0,
    "of the 65535 ports that one address has towards one listener: three quarters",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "client-concentration",
    area: Area::Listening,
    title: "one address has a large part of a service's connections",
    meaning: "Among many clients one has far more connections than any other: a NAT with many \
              people behind it, a load balancer, a client that leaks, or an attack.",
    evidence: "connections and waiting handshakes of each listener by address of the client",
    needs: &[],
    thresholds: &[SHARE, SYNS, FEWEST, CROWD, LIMIT, PORTS],
    symptoms: "None by itself; near a limit the other clients are shut out.",
    causes: &[
        "a NAT or proxy with many users behind it",
        "a client that opens connections and does not close them",
        "an attack from one address",
    ],
    remedies: &[
        Advice::application(
            "Bound connections for each address at the proxy",
            "limit_conn_zone $binary_remote_addr zone=addr:10m;\nlimit_conn addr 100;",
        ),
        Advice::capacity(
            "Bound them at the firewall",
            "nft add rule inet filter input tcp dport 443 ct state new \\\n  meter clients '{ ip saddr ct count over 200 }' reject",
        ),
    ],
    avoid: &[("blocking the address at once", "behind a NAT many people lose the service")],
    false_positives: "Load balancers and proxies, where few addresses are all there are.",
    sources: &["https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html"],
    caused_by: &[],
    judge,
};

#[derive(Default)]
struct Service<'s> {
    open: Vec<&'s Outline>,
    waiting: Vec<&'s Outline>,
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut services: BTreeMap<Endpoint, Service<'_>> = BTreeMap::new();
    for (at, sockets) in evidence.incoming() {
        // What comes from this machine is under its own control.
        let is_far = |s: &&&Outline| !s.is_mini() && !evidence.listeners.is_local(s.remote.address);
        for socket in sockets.iter().filter(is_far) {
            let service = services.entry(*at).or_default();
            let side = if socket.state == State::SynRcvd {
                &mut service.waiting
            } else {
                &mut service.open
            };
            side.push(socket);
        }
    }
    let found = services.iter().flat_map(|(at, service)| {
        let open = concentrated(case, *at, &service.open, false);
        [open, concentrated(case, *at, &service.waiting, true)]
    });
    found.flatten().collect::<Vec<_>>().into()
}

fn concentrated(
    case: &Case<'_, '_>,
    at: Endpoint,
    sockets: &[&Outline],
    handshakes: bool,
) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let mut clients: HashMap<IpAddr, u64> = HashMap::new();
    for socket in sockets {
        *clients.entry(socket.remote.address.to_canonical()).or_default() += 1;
    }
    let mut clients: Vec<(IpAddr, u64)> = clients.into_iter().collect();
    clients.sort_by_key(|(address, count)| (Reverse(*count), *address));
    let (first, most) = *clients.first()?;
    let (total, addresses) = (counted(sockets.len()), counted(clients.len()));
    let share = percent(most, total);
    let threshold = if handshakes { &SYNS } else { &SHARE };
    let is_crowd = number(total) >= case.at(&FEWEST) && number(addresses) >= case.at(&CROWD);
    let uses_up_ports = !handshakes && number(most) >= case.at(&PORTS);
    let is_large = is_crowd && share > case.at(threshold);
    if !(uses_up_ports || is_large) {
        return None;
    }
    let parties = evidence.holders_at(at);
    let near_limit = parties.iter().any(|party| {
        evidence
            .descriptors_of(party.pid)
            .is_some_and(|used| percent(used.open, used.limit) >= case.at(&LIMIT))
    });
    let severity = if uses_up_ports || near_limit { Severity::Warning } else { Severity::Notice };
    let subject = Subject::listener(at, parties);
    let what = if handshakes { "handshakes" } else { "connections" };
    let title = format!("{first} has {most} of {total} {what} of {} ({share:.0} %)", subject.text);
    let top: Vec<String> =
        clients.iter().take(5).map(|(address, count)| format!("{address} {count}")).collect();
    Some(
        RULE.finding(severity, subject, title)
            .with("address", first.to_string())
            .with(if handshakes { "handshakes" } else { "connections" }, most)
            .with("of_all", total)
            .with("addresses", addresses)
            .seen(format!("{addresses} addresses, most: {}", top.join(", "))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    /// A service with so many connections of one client and so many others with one each.
    fn service(state: State, of_one: u16, others: u16) -> Machine {
        let from = |address: u16, n: u16| {
            socket(state, "10.0.0.1:443", &format!("10.1.{address}.9:{}", n.wrapping_add(10_000)))
        };
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:443", "0.0.0.0:0").owned(7))
            .many(of_one, |n| from(0, n))
            .many(others, |n| from(n % 200 + 1, n))
    }

    #[test]
    fn a_third_of_a_crowd_is_noticed() {
        let severity = |one, others| service(State::Established, one, others).severity(&RULE);
        assert_eq!(severity(60, 140), None);
        assert_eq!(severity(61, 139), Some(Severity::Notice));
        assert_eq!(severity(50, 49), None, "fewer than a hundred");
        assert_eq!(severity(192, 8), None, "nine clients are no crowd");
    }

    #[test]
    fn half_of_the_handshakes_are_noticed() {
        let severity = |one, others| service(State::SynRcvd, one, others).severity(&RULE);
        assert_eq!(severity(50, 50), None);
        assert_eq!(severity(51, 49), Some(Severity::Notice));
    }

    #[test]
    fn near_the_limit_of_the_service_it_is_a_warning() {
        let machine =
            |open| service(State::Established, 61, 139).process(900, "nginx", [7], (open, 400));
        assert_eq!(machine(299).severity(&RULE), Some(Severity::Notice));
        assert_eq!(machine(300).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn ports_of_one_balancer_run_out_at_three_quarters() {
        assert_eq!(service(State::Established, 49_150, 0).severity(&RULE), None);
        assert_eq!(service(State::Established, 49_151, 0).severity(&RULE), Some(Severity::Warning));
    }
}
