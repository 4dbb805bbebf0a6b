//! `keepalive-race`: a server closes idle connections just when its load balancer uses them.
//!
//! The server's end of an idle connection goes into TIME_WAIT: it closed first. A request that was
//! on its way meanwhile finds the connection closed and is answered by a RST (`Tcp.OutRsts`): in
//! FIN_WAIT_1 that counts as `TCPAbortOnData` too (`tcp_rcv_state_process`), later in nothing else.

use crate::{
    doctor::{
        area::Area,
        evidence::Direction,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
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

const SHARE: Threshold = Threshold::new(
    "notice_percent",
    80.0,
    "of the connections that the server closed came from a few addresses: load balancers",
);
const ADDRESSES: Threshold = Threshold::new(
    "most_addresses",
    4.0,
    "a pair of balancers in two zones; browsers come from many",
);
const FEWEST: Threshold =
    Threshold::new("least_sockets", 20.0, "fewer closes say nothing of a habit");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "keepalive-race",
    area: Area::Closing,
    title: "a server closes idle connections just when its load balancer uses them",
    meaning: "The server gives up idle connections sooner than the load balancer in front. Now and \
              then a request is sent on a connection that is just being closed: it is answered by \
              a RST, and the client gets a 502 that no log of the server explains.",
    evidence: "TIME_WAIT of a listener (the server closed first) by address of the client; \
               Tcp.OutRsts in the window without aborts for unread data, timeouts and memory",
    needs: &[Need::Window, Need::Counter("Tcp.OutRsts")],
    thresholds: &[SHARE, ADDRESSES, FEWEST],
    symptoms: "A steady trickle of 502 from the load balancer, ECONNRESET or `socket hang up` at \
               clients; nothing in the log of the server.",
    causes: &[
        "the idle timeout of the server is shorter than that of the load balancer: Node.js 5 s, \
         Bun 10 s, gunicorn 2 s, Apache 5 s, Tomcat 20 s against 60 s and more",
        "keepalive_requests or a maximal age closes connections in use",
    ],
    remedies: &[
        Advice::application(
            "Let the server's idle timeout be longer than that of the load balancer (AWS ALB 60 s, \
             nginx 60 s, GCP 600 s)",
            "",
        ),
        Advice::application("Let the load balancer repeat requests that are safe to repeat", ""),
    ],
    avoid: &[
        (
            "net.ipv4.tcp_keepalive_time",
            "the server closes on its own account, not for want of probes",
        ),
        ("net.ipv4.tcp_fin_timeout", "the connection is closed however long that is"),
    ],
    false_positives: "A server that closes after each response, and RSTs to connects at closed \
                      ports: the counter does not tell them apart.",
    sources: &[
        "RFC 9112 section 9.5",
        "net/ipv4/tcp_ipv4.c tcp_v4_send_reset",
        "https://nodejs.org/api/http.html#serverkeepalivetimeout",
    ],
    caused_by: &[],
    judge,
};

/// Counters of connections that this host aborted: their RSTs are no race. A program that aborts on
/// data (SO_LINGER 0) leaves no TIME_WAIT, so that counter can stay.
const ABORTS: [&str; 4] = [
    "TcpExt.TCPAbortOnClose",
    "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPAbortOnLinger",
    "TcpExt.TCPAbortOnMemory",
];

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let Some(resets) = evidence.growth("Tcp.OutRsts") else { return Judgement::Found(vec![]) };
    let aborts: u64 = ABORTS.iter().map(|name| evidence.grown(name)).sum();
    let resets_left = resets.count.saturating_sub(aborts);
    if resets_left == 0 || !resets.goes_on() {
        return Judgement::Found(vec![]);
    }
    let mut services: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::TimeWait) {
        if let Some(Direction::In(at)) = evidence.direction(socket) {
            services.entry(at).or_default().push(socket);
        }
    }
    let found = services.iter().filter_map(|(at, closed)| finding(case, *at, closed, resets_left));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, at: Endpoint, closed: &[&Outline], resets: u64) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(closed.len());
    let mut clients: HashMap<IpAddr, u64> = HashMap::new();
    for socket in closed {
        *clients.entry(socket.remote.address.to_canonical()).or_default() += 1;
    }
    let mut clients: Vec<(IpAddr, u64)> = clients.into_iter().collect();
    clients.sort_by_key(|(address, number)| (Reverse(*number), *address));
    let few: Vec<&(IpAddr, u64)> = clients
        .iter()
        .enumerate()
        .take_while(|(place, _)| number(counted(*place)) < case.at(&ADDRESSES))
        .map(|(_, client)| client)
        .collect();
    let share = percent(few.iter().map(|(_, number)| number).sum(), count);
    if number(count) < case.at(&FEWEST) || share < case.at(&SHARE) {
        return None;
    }
    let parties = evidence.holders_at(at);
    let advice = software::remedies(&parties, Topic::IdleTimeout);
    let subject = Subject::listener(at, parties);
    let (first, of_first) = clients.first()?;
    let title = format!(
        "{} closed {count} connections first, {share:.0} % to {} addresses, and {resets} RSTs went out",
        subject.text,
        few.len()
    );
    let listeners = evidence.in_state(State::Listen);
    let listens = |s: &&Outline| s.local.canonical() == at;
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .only(
                Confidence::Possible,
                "compare with the log of the balancer: its errors come at these moments",
            )
            .with("closed_first", count)
            .with("share_percent", share.round())
            .with("addresses", counted(clients.len()))
            .with("resets", resets)
            .seen(format!(
                "{count} TIME_WAIT of the server, {of_first} of them to {first}; {resets} RSTs {} \
                 that are no abort of this host's",
                evidence.window()
            ))
            .advise(advice)
            .about(listeners.filter(listens).map(Outline::inode)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    /// Connections that the server closed, to so many addresses in turn.
    fn closed(count: u16, addresses: u16, resets: u64) -> Machine {
        let left = |n: u16| {
            let client = format!("10.0.9.{}:{}", n % addresses, 20_000 + n);
            socket(State::TimeWait, "10.0.0.1:3000", &client)
        };
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:3000", "0.0.0.0:0").owned(7))
            .many(count, left)
            .grew("Tcp.OutRsts", 5_000, resets)
            .process(121, "node", [7], (20, 1024))
    }

    #[test]
    fn few_clients_and_resets_that_go_on_are_noticed() {
        assert_eq!(closed(20, 4, 4).severity(&RULE), Some(Severity::Notice));
        assert_eq!(closed(19, 4, 4).severity(&RULE), None);
        assert_eq!(closed(20, 4, 0).severity(&RULE), None);
        assert_eq!(closed(20, 5, 4).severity(&RULE), Some(Severity::Notice), "four have 80 %");
        assert_eq!(closed(60, 6, 4).severity(&RULE), None, "browsers come from many addresses");
    }

    #[test]
    fn resets_of_aborts_are_not_those_of_a_race() {
        let aborting = closed(50, 2, 8).grew("TcpExt.TCPAbortOnClose", 0, 8);
        assert_eq!(aborting.severity(&RULE), None);
    }

    #[test]
    fn the_program_gets_its_own_words() {
        let findings = closed(50, 2, 8).findings(&RULE);
        let first = &findings[0].remedies[0];
        assert!(first.command.as_deref().unwrap().contains("keepAliveTimeout"), "{first:?}");
    }
}
