//! `syn-recv-return-path`: SYNs arrive, and the handshake is never finished.
//!
//! A SYN-ACK is sent again after 1, 3, 7 … s; `idiag_retrans` of a request socket counts that. When
//! several of one network have it, our answer or theirs is lost on the way.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Confidence, Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const RETRIES: Threshold = Threshold::new(
    "retransmits",
    2.0,
    "after the second SYN-ACK in vain three seconds have passed: no slow line takes so long",
);
const MANY: Threshold =
    Threshold::new("warning_sockets", 5.0, "of one network: fewer are scanners and single clients");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "syn-recv-return-path",
    area: Area::Listening,
    title: "SYNs of one network arrive, and their handshakes are never finished",
    meaning: "The SYNs of these clients arrive here; either our answer does not reach them or \
              theirs does not reach us.",
    evidence: "SYN_RCVD with retransmissions of the SYN-ACK, by network of the client (24 bits, \
               IPv6 64); whether SYN cookies are being sent",
    needs: &[],
    thresholds: &[RETRIES, MANY],
    symptoms: "These clients time out with ETIMEDOUT (110); others are served.",
    causes: &[
        "an asymmetric route: the answer takes another way, and a firewall there drops it",
        "reverse path filtering (rp_filter) here or on a router",
        "a load balancer with direct return that is not set up for it",
        "a firewall that lets SYNs in and the answer not out",
    ],
    remedies: &[
        Advice::application(
            "Look at both directions",
            "ip route get CLIENT\nsysctl net.ipv4.conf.all.rp_filter\ntcpdump -ni any host CLIENT and port PORT",
        ),
        Advice::sysctl(
            "Accept packets whose way back would be another interface",
            "sysctl -w net.ipv4.conf.all.rp_filter=2",
        )
        .risking("spoofed packets are not dropped by strict filtering any more"),
    ],
    avoid: &[("a longer backlog", "the handshakes are not finished, however many may wait")],
    false_positives: "Port scanners that send SYNs and nothing else.",
    sources: &[
        "net/ipv4/inet_connection_sock.c reqsk_timer_handler",
        "https://docs.kernel.org/networking/ip-sysctl.html rp_filter",
    ],
    caused_by: &[],
    judge,
};

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    // A flood fills the queue with such requests: the cookies tell of it.
    if evidence.grown("TcpExt.SyncookiesSent") > 0 || evidence.grown("TcpExt.TCPReqQFullDrop") > 0 {
        return Judgement::Found(vec![]);
    }
    let waits = |s: &&Outline| {
        s.timer.is_some_and(|timer| f64::from(timer.retransmits) >= case.at(&RETRIES))
    };
    let mut networks: BTreeMap<IpAddr, Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::SynRcvd).filter(waits) {
        networks.entry(network(socket.remote.address)).or_default().push(socket);
    }
    let found = networks.iter().filter_map(|(network, waiting)| finding(case, *network, waiting));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, network: IpAddr, waiting: &[&Outline]) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let count = counted(waiting.len());
    if number(count) < case.at(&MANY) {
        return None;
    }
    let length = if network.is_ipv4() { 24 } else { 64 };
    let ports: std::collections::BTreeSet<u16> = waiting.iter().map(|s| s.local.port).collect();
    let ports: Vec<String> = ports.iter().take(5).map(u16::to_string).collect();
    let resets = evidence.growth("TcpExt.EmbryonicRsts").map(|growth| growth.count);
    let title = format!("{count} handshakes from {network}/{length} are never finished");
    let mut subject = Subject::destination(Endpoint::new(network, 0), vec![]);
    subject.text = format!("clients in {network}/{length}");
    let finding = RULE
        .finding(Severity::Warning, subject, title)
        .only(Confidence::Likely, "tcpdump on both sides shows which packet is lost")
        .with("syn_rcvd", count)
        .with("addresses", counted(Evidence::addresses(waiting)))
        .with("ports", ports.join(" "))
        .with("embryonic_resets", resets)
        .seen(format!(
            "{count} SYN_RCVD whose SYN-ACK was sent again {} times or more, from {} addresses, to \
             ports {}",
            case.at(&RETRIES),
            Evidence::addresses(waiting),
            ports.join(", ")
        ));
    let strict = evidence.setting("net.ipv4.conf.all.rp_filter") == Some(1);
    Some(if strict { finding } else { finding.without("rp_filter=2") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn waiting(network: u16, number: u16, again: u8) -> Socket {
        let client = format!("10.9.{network}.{}:{}", number % 200 + 1, 20_000 + number);
        socket(State::SynRcvd, "10.0.0.1:443", &client).timer(TimerKind::Retransmit, 900, again)
    }

    #[test]
    fn five_of_one_network_after_two_tries() {
        let severity =
            |count, again| Machine::idle().many(count, |n| waiting(0, n, again)).severity(&RULE);
        assert_eq!(severity(4, 2), None);
        assert_eq!(severity(5, 1), None);
        assert_eq!(severity(5, 2), Some(Severity::Warning));
    }

    #[test]
    fn single_clients_of_many_networks_are_scanners() {
        assert_eq!(Machine::idle().many(100, |n| waiting(n, 1, 3)).severity(&RULE), None);
    }

    #[test]
    fn where_cookies_are_sent_it_is_a_flood() {
        let machine = Machine::idle().many(60, |n| waiting(0, n, 3));
        assert_eq!(machine.grew("TcpExt.SyncookiesSent", 0, 400).severity(&RULE), None);
    }

    #[test]
    fn reverse_path_filtering_is_advised_only_where_it_is_strict() {
        let told = |value: &str| {
            let machine = Machine::idle().set("net.ipv4.conf.all.rp_filter", value);
            let findings = machine.many(5, |n| waiting(0, n, 2)).findings(&RULE);
            format!("{:?}", findings[0].remedies).contains("rp_filter=2")
        };
        assert!(told("1") && !told("0"));
    }
}
