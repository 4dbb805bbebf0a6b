//! `fin-wait2-orphan`: peers never finish the close of connections that this host has ended.
//!
//! After close(2) a connection in FIN_WAIT_2 is a mini-socket for `tcp_fin_timeout` seconds: without
//! inode, with the timer of TIME_WAIT, counted in `tw` of sockstat. Unlike TIME_WAIT it holds its
//! port whatever `tcp_tw_reuse` says (`tcp_twsk_unique`).

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::collections::BTreeMap;

const NOTICE: Threshold =
    Threshold::new("notice_sockets", 1000.0, "a busy host always has some hundreds");
const BUCKETS: Threshold = Threshold::new(
    "warning_buckets_percent",
    25.0,
    "of tcp_max_tw_buckets, which they share with TIME_WAIT",
);
const PORTS: Threshold = Threshold::new(
    "warning_ports_percent",
    25.0,
    "of the ports towards one destination: none of them can be used again before the timeout",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "fin-wait2-orphan",
    area: Area::Closing,
    title: "peers never finish the close of connections that this host has ended",
    meaning: "This side has closed, the peer has acknowledged, and does not close its own side: it \
              leaks. Here each holds a local port and an entry of the TIME_WAIT table until \
              tcp_fin_timeout ends it.",
    evidence: "FIN_WAIT_2 without an owner, by destination and listener; the usable ports; \
               net.ipv4.tcp_max_tw_buckets and tcp_fin_timeout",
    needs: &[],
    thresholds: &[NOTICE, BUCKETS, PORTS],
    symptoms: "EADDRNOTAVAIL (99) though there is little TIME_WAIT; the peer has many CLOSE_WAIT.",
    causes: &[
        "the program at the peer does not close: its CLOSE_WAIT grow",
        "clients that vanish between the two halves of the close",
    ],
    remedies: &[
        Advice::application("Mend the peer: it must close when it reads the end of file", ""),
        Advice::sysctl(
            "Give up sooner: this is what the setting is for",
            "sysctl -w net.ipv4.tcp_fin_timeout=30",
        )
        .risking("a peer that closes later than that gets a RST"),
    ],
    avoid: &[
        ("net.ipv4.tcp_tw_reuse", "it takes over TIME_WAIT, never FIN_WAIT_2"),
        ("a lower tcp_max_tw_buckets", "connections vanish that the peer still believes in"),
    ],
    false_positives: "A moment after a backend with many connections was stopped.",
    sources: &[
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_fin_timeout",
        "net/ipv4/tcp_ipv4.c tcp_twsk_unique",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut ends: BTreeMap<Direction, Vec<&Outline>> = BTreeMap::new();
    let orphans = evidence.in_state(State::FinWait2).filter(|s| s.is_mini());
    let all = counted(orphans.clone().count());
    for socket in orphans {
        if let Some(direction) = evidence.direction(socket) {
            ends.entry(direction).or_default().push(socket);
        }
    }
    let buckets = evidence.setting("net.ipv4.tcp_max_tw_buckets");
    let part = buckets.map_or(0.0, |buckets| percent(all, buckets));
    let fills = part >= case.at(&BUCKETS);
    let mut found: Vec<Finding> = ends
        .iter()
        .filter_map(|(direction, sockets)| of_end(case, *direction, sockets, all))
        .collect();
    if fills && !found.iter().any(|finding| finding.severity > Severity::Notice) {
        let title = format!("{all} orphan FIN_WAIT_2 take {part:.0} % of tcp_max_tw_buckets");
        found.push(told(case, Severity::Warning, Subject::netns(), title, (all, all)));
    }
    found.into()
}

fn of_end(
    case: &Case<'_, '_>,
    direction: Direction,
    sockets: &[&Outline],
    all: u64,
) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let count = counted(sockets.len());
    let many = number(count) >= case.at(&NOTICE);
    match direction {
        Direction::Out(peer) => {
            let usable = evidence.usable_ports().map(u64::from);
            // Each source address has ports of its own.
            let mut by_source: BTreeMap<_, u64> = BTreeMap::new();
            for socket in sockets {
                *by_source.entry(socket.local.address.to_canonical()).or_default() += 1;
            }
            let most = by_source.values().max().copied().unwrap_or(0);
            let part = usable.map_or(0.0, |usable| percent(most, usable));
            let severity = if part >= case.at(&PORTS) {
                Severity::Warning
            } else if many {
                Severity::Notice
            } else {
                return None;
            };
            let subject = Subject::destination(peer, live(evidence, peer));
            let title = format!(
                "{count} connections to {peer} wait for it to close, {part:.0} % of the local ports"
            );
            let finding = told(case, severity, subject, title, (count, all));
            Some(finding.with("ports_usable", usable).with("ports_percent", part.round()))
        }
        Direction::In(at) => {
            let subject = Subject::listener(at, evidence.holders_at(at));
            let title = format!("{count} clients of {} do not close their side", subject.text);
            many.then(|| told(case, Severity::Notice, subject, title, (count, all)))
        }
    }
}

/// Who has open connections to the same place: most likely its closed ones were theirs.
fn live(evidence: &Evidence<'_>, peer: Endpoint) -> Vec<crate::doctor::parties::Party> {
    let open = evidence.tcp().filter(|s| s.inode().is_some() && s.remote.canonical() == peer);
    evidence.by_holder(open).into_iter().map(|(party, _)| party).collect()
}

fn told(
    case: &Case<'_, '_>,
    severity: Severity,
    subject: Subject,
    title: String,
    (count, all): (u64, u64),
) -> Finding {
    let timeout = case.evidence.setting("net.ipv4.tcp_fin_timeout");
    let seconds = timeout.map_or_else(|| "an unknown".to_owned(), |s| format!("{s} s"));
    RULE.finding(severity, subject, title)
        .with("fin_wait_2", count)
        .with("fin_wait_2_of_namespace", all)
        .with("tcp_fin_timeout_s", timeout)
        .with("tcp_max_tw_buckets", case.evidence.setting("net.ipv4.tcp_max_tw_buckets"))
        .seen(format!(
            "{count} FIN_WAIT_2 without an owner ({all} in the namespace), each for {seconds} \
             timeout (tcp_fin_timeout)"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn orphan(number: u16) -> Socket {
        socket(State::FinWait2, &format!("10.0.0.1:{}", 40_000 + number), "10.0.0.7:8080").timer(
            TimerKind::TimeWait,
            40_000,
            0,
        )
    }

    fn ports(range: &str, count: u16) -> Machine {
        Machine::idle().set("net.ipv4.ip_local_port_range", range).many(count, orphan)
    }

    #[test]
    fn a_quarter_of_the_ports_to_one_place_is_a_warning() {
        assert_eq!(ports("40000 40999", 249).severity(&RULE), None);
        assert_eq!(ports("40000 40999", 250).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn a_thousand_are_noticed() {
        assert_eq!(ports("32768 60999", 999).severity(&RULE), None);
        assert_eq!(ports("32768 60999", 1000).severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn a_quarter_of_the_table_is_a_warning() {
        let at = |buckets: &str| {
            let machine = ports("32768 60999", 500).set("net.ipv4.tcp_max_tw_buckets", buckets);
            machine.severity(&RULE)
        };
        assert_eq!(at("2001"), None);
        assert_eq!(at("2000"), Some(Severity::Warning));
    }

    #[test]
    fn half_closed_connections_with_an_owner_are_another_matter() {
        let owned = |n| {
            let mut socket = orphan(n).owned(100 + u64::from(n));
            socket.timer = None;
            socket
        };
        assert_eq!(Machine::idle().many(2000, owned).severity(&RULE), None);
    }
}
