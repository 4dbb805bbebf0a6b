//! `listen-backlog-small`: a busy listener has a short queue.
//!
//! The queue holds what arrives while the program does not call accept(2): the rate times the
//! longest pause. The limit is min(backlog of listen(2), net.core.somaxconn), read at listen(2).

use crate::{
    doctor::{
        area::Area,
        evidence::{Evidence, Listening},
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::endpoint::Endpoint,
    report::remedy::Remedy,
};
use std::collections::HashMap;

const SHORT: Threshold = Threshold::new(
    "notice_backlog",
    128.0,
    "500 connections a second and a pause of 200 ms make 100 that wait",
);
const BUSY: Threshold =
    Threshold::new("notice_per_second", 50.0, "new connections of a busy service");
const MANY: Threshold =
    Threshold::new("notice_connections", 500.0, "all of them come back at once after a failover");
const TINY: Threshold =
    Threshold::new("warning_backlog", 16.0, "the handful of requests of one page is too much");
const SOME: Threshold = Threshold::new("warning_per_second", 5.0, "a service that is in use");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "listen-backlog-small",
    area: Area::Listening,
    title: "a busy listener has a short queue",
    meaning: "The accept queue of this listener holds few connections: any pause of the program, \
              or a burst of clients, fills it, and the kernel drops SYNs.",
    evidence: "the limit of the accept queue of each listener, its connections, how many are new \
               or have closed since the first look, net.core.somaxconn",
    needs: &[Need::Netlink, Need::TwoLooks],
    thresholds: &[SHORT, BUSY, MANY, TINY, SOME],
    symptoms: "None until a burst; then clients connect after 1, 2, 3 s.",
    causes: &[
        "the program's own backlog: Python 5 to 100, Java 50, PHP-FPM and Node.js 511",
        "a small net.core.somaxconn, which was 128 before Linux 5.4",
    ],
    remedies: &[
        Advice::application(
            "Ask for a longer queue and restart: listen(2) is read once",
            "listen(fd, 4096);",
        ),
        Advice::sysctl(
            "Raise the cap, and restart the service",
            "sysctl -w net.core.somaxconn=4096",
        ),
    ],
    avoid: &[
        (
            "net.ipv4.tcp_max_syn_backlog",
            "that is another queue, and is not used while SYN cookies are on",
        ),
        ("net.ipv4.tcp_abort_on_overflow", "the SYN is dropped before it matters"),
    ],
    false_positives: "A service whose clients all come from a pool that is filled slowly.",
    sources: &["listen(2)", "include/net/sock.h sk_acceptq_is_full"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let traffic = traffic(evidence);
    let found = evidence.listening().iter().filter_map(|listening| {
        let at = listening.socket.local.canonical();
        finding(case, listening, at, traffic.get(&at).copied().unwrap_or_default())
    });
    found.collect::<Vec<_>>().into()
}

/// Connections of a listener, and those that came within the window.
#[derive(Clone, Copy, Default)]
struct Traffic {
    open: u64,
    came: u64,
}

fn traffic(evidence: &Evidence<'_>) -> HashMap<Endpoint, Traffic> {
    let mut traffic: HashMap<Endpoint, Traffic> = HashMap::new();
    for (at, sockets) in evidence.incoming() {
        let one = traffic.entry(*at).or_default();
        for socket in sockets {
            one.open += u64::from(!socket.is_mini());
            one.came += u64::from(evidence.is_new(socket) == Some(true));
        }
    }
    // Short connections that clients close leave nothing: with one listener in use they were its.
    let accepted = evidence.growth("Tcp.PassiveOpens").map_or(0, |growth| growth.count);
    let seen: u64 = traffic.values().map(|one| one.came).sum();
    let reachable: Vec<Endpoint> = evidence
        .listening()
        .iter()
        .map(|listening| listening.socket.local.canonical())
        .filter(|at| !at.address.is_loopback())
        .collect();
    if let [only] = reachable[..] {
        traffic.entry(only).or_default().came += accepted.saturating_sub(seen);
    }
    traffic
}

fn finding(
    case: &Case<'_, '_>,
    listening: &Listening<'_>,
    at: Endpoint,
    traffic: Traffic,
) -> Option<Finding> {
    let evidence = case.evidence;
    let limit = u64::from(listening.limit?);
    let per_second = evidence.per_second(traffic.came)?;
    let is_tiny =
        number(limit) < case.at(&TINY) && per_second >= case.at(&SOME) && !at.address.is_loopback();
    let is_short = number(limit) <= case.at(&SHORT)
        && (per_second >= case.at(&BUSY) || number(traffic.open) >= case.at(&MANY));
    let severity = match (is_tiny, is_short) {
        (true, _) => Severity::Warning,
        (_, true) => Severity::Notice,
        _ => return None,
    };
    let parties = evidence.holders(listening.socket);
    let advice = software::remedies(&parties, Topic::AcceptQueue);
    let subject = Subject::listener(at, parties);
    let somaxconn = evidence.setting("net.core.somaxconn");
    let capped = somaxconn == Some(limit);
    let title = format!(
        "{} queues {} connections at most, and {per_second} a second come",
        subject.text,
        limit + 1
    );
    let finding = RULE
        .finding(severity, subject, title)
        .with("accept_queue_limit", limit)
        .with("new_per_second", per_second)
        .with("connections", traffic.open)
        .with("somaxconn", somaxconn)
        .with("listeners", counted(evidence.listening().len()))
        .seen(format!(
            "its queue ends at {limit}; {} connections came {}, {} are open",
            traffic.came,
            evidence.window(),
            traffic.open
        ))
        .about([listening.socket.inode()])
        .advise(advice);
    Some(match (capped, somaxconn) {
        (true, Some(most)) => finding.because(format!("net.core.somaxconn is {most} and caps it")),
        (false, Some(most)) => {
            let text = format!(
                "Its own listen({limit}) is the limit: net.core.somaxconn is {most} and does not bind"
            );
            finding
                .without("net.core.somaxconn=")
                .advise([Remedy { text, ..Advice::application("", "").remedy() }])
        }
        _ => finding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    fn service(limit: u32, open: u16, came: u64) -> Machine {
        let client = |n: u16| {
            socket(State::Established, "10.0.0.1:8080", &format!("10.0.9.9:{}", 20_000 + n))
        };
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:8080", "0.0.0.0:0").accepting(0, limit).owned(7))
            .many(open, client)
            .grew("Tcp.PassiveOpens", 900_000, came)
            .process(900, "java", [7], (9, 1024))
    }

    #[test]
    fn a_short_queue_of_a_busy_service_is_noticed() {
        // In two seconds.
        assert_eq!(service(128, 0, 100).severity(&RULE), Some(Severity::Notice));
        assert_eq!(service(129, 0, 100).severity(&RULE), None);
        assert_eq!(service(128, 0, 99).severity(&RULE), None);
        assert_eq!(service(128, 500, 0).severity(&RULE), Some(Severity::Notice));
        assert_eq!(service(128, 499, 0).severity(&RULE), None);
    }

    #[test]
    fn a_tiny_one_in_use_is_a_warning() {
        assert_eq!(service(15, 0, 10).severity(&RULE), Some(Severity::Warning));
        assert_eq!(service(16, 0, 10).severity(&RULE), None);
        assert_eq!(service(15, 0, 9).severity(&RULE), None);
        let local = Machine::idle()
            .both(socket(State::Listen, "127.0.0.1:25", "0.0.0.0:0").accepting(0, 5))
            .grew("Tcp.PassiveOpens", 0, 40);
        assert_eq!(local.severity(&RULE), None);
    }

    #[test]
    fn it_is_said_whose_number_it_is() {
        let own = service(5, 0, 50).findings(&RULE);
        let text = format!("{:?}", own[0].remedies);
        assert!(text.contains("listen(5)") && !text.contains("somaxconn=4096"), "{text}");
        let capped = service(128, 0, 200).set("net.core.somaxconn", "128").findings(&RULE);
        assert!(capped[0].causes[0].contains("caps it"));
    }
}
