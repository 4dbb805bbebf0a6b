//! `syn-sent-stuck`: connects wait for an answer that does not come.
//!
//! A SYN is sent again after 1, 1, 1, 1, 1, 2, 4 … s since Linux 6.5 (`tcp_syn_linear_timeouts`, 4),
//! after 1, 3, 7 … s before; connect(2) gives up with ETIMEDOUT after `tcp_syn_retries`, 131 s or
//! 127 s.

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::collections::BTreeMap;

const RETRIES: Threshold = Threshold::new(
    "retransmits",
    2.0,
    "one lost SYN is chance; after the second at least two seconds have passed",
);
const WARNING: Threshold =
    Threshold::new("warning_sockets", 10.0, "ten at once are no scanner and no typing error");
const SHARE: Threshold = Threshold::new(
    "warning_percent",
    5.0,
    "of the connects of this window: the loss of a bad line is far below one in twenty",
);
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    50.0,
    "of the attempts to one destination: most requests that need a new connection fail",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "syn-sent-stuck",
    area: Area::Peers,
    title: "connects wait for an answer that does not come",
    meaning: "The first packet of these connections is not answered, neither accepted nor refused. \
              connect(2) waits up to two minutes, and each caller with it.",
    evidence: "SYN_SENT with their retransmissions, by destination; connections to the same place \
               that came about in the window; TcpExt.TCPSynRetrans and Tcp.ActiveOpens",
    needs: &[],
    thresholds: &[RETRIES, WARNING, SHARE, CRITICAL],
    symptoms: "connect() fails with ETIMEDOUT (110) after 131 s, or the program's own timeout; \
               EHOSTUNREACH (113) where a router says so.",
    causes: &[
        "a firewall or security group on the way drops the SYN",
        "the destination is down, or its address has moved",
        "the accept queue or SYN queue of the destination is full",
        "a NAT on the way has no port left, or the connection table of a firewall is full",
        "the neighbour is not found (ARP), on this network only",
    ],
    remedies: &[
        Advice::application(
            "Give connect a timeout of 1 to 3 s, then try another address, with a growing pause \
             and some chance in it",
            "",
        ),
        Advice::application(
            "Look where the SYN ends: the route, a listener over there, the firewalls between",
            "ip route get ADDRESS\nsockeye -tano state = SYN_SENT",
        ),
        Advice::sysctl(
            "Give up sooner, for hosts whose programs have no timeout of their own",
            "sysctl -w net.ipv4.tcp_syn_retries=3",
        )
        .risking("all programs here give up sooner, also over slow lines"),
    ],
    avoid: &[
        ("net.ipv4.tcp_max_syn_backlog", "that is for SYNs which come in"),
        ("more retries", "callers wait longer for the same answer"),
    ],
    false_positives: "A scanner or a health check of hosts that are down on purpose. One program \
                      with an old address.",
    sources: &[
        "net/ipv4/tcp_timer.c tcp_retransmit_timer",
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_syn_retries",
        "tcp(7), connect(2)",
    ],
    caused_by: &["ephemeral-port-pressure", "conntrack-table-full", "neighbor-table-overflow"],
    judge,
};

fn retries(socket: &Outline) -> u64 {
    socket.timer.map_or(0, |timer| timer.retransmits.into())
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut ends: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    let is_stuck = |s: &&Outline| number(retries(s)) >= case.at(&RETRIES);
    for socket in evidence.in_state(State::SynSent).filter(is_stuck) {
        ends.entry(socket.remote.canonical()).or_default().push(socket);
    }
    let all = ends.values().map(Vec::len).sum();
    ends.iter().map(|(end, stuck)| finding(case, *end, stuck, all)).collect::<Vec<_>>().into()
}

fn finding<'s>(case: &Case<'_, 's>, end: Endpoint, stuck: &[&'s Outline], all: usize) -> Finding {
    let evidence = case.evidence;
    let count = counted(stuck.len());
    let is_there = |s: &&Outline| s.remote.canonical() == end;
    let open = evidence.in_state(State::Established).filter(is_there);
    let new = counted(open.clone().filter(|s| evidence.is_new(s) == Some(true)).count());
    let open = open.count();
    let of_attempts = percent(count, count + new);
    let of_all = evidence.growth("Tcp.ActiveOpens").map(|g| percent(count, count + g.count));
    let many = number(count) >= case.at(&WARNING);
    // Of one or two connects any number is a large part.
    let a_part = count > 2 && of_all.is_some_and(|part| part >= case.at(&SHARE));
    let severity = if many && evidence.has_two_looks() && of_attempts >= case.at(&CRITICAL) {
        Severity::Critical
    } else if many || a_part {
        Severity::Warning
    } else {
        Severity::Notice
    };
    let parties = evidence.by_holder(stuck.iter().copied()).into_iter().map(|(party, _)| party);
    let subject = Subject::destination(end, parties.collect());
    let most = stuck.iter().map(|s| retries(s)).max().unwrap_or(0);
    let verb = if count == 1 { "connect waits" } else { "connects wait" };
    let title = format!("{count} {verb} for an answer: {}", subject.text);
    let others = if evidence.has_two_looks() {
        format!("{new} connections to the same place came about {}, ", evidence.window())
    } else {
        "of connections to the same place ".to_owned()
    };
    let finding = RULE
        .finding(severity, subject, title)
        .with("syn_sent", count)
        .with("most_retransmits", most)
        .with("established", open)
        .with("established_in_window", evidence.has_two_looks().then_some(new))
        .with("syn_retransmits", evidence.growth("TcpExt.TCPSynRetrans").map(|g| g.count))
        .seen(format!("{count} SYN_SENT sent again up to {most} times; {others}{open} are open"))
        .about(stuck.iter().map(|s| s.inode()));
    let elsewhere = all - stuck.len();
    finding.because(match (elsewhere, open) {
        (0, 0) => {
            "this destination alone does not answer, and nothing to it is open: look there \
                   and at the firewalls on the way"
        }
        (0, _) => {
            "open connections to it live on and only new ones hang: its queue for new \
                   connections is full, or a NAT on the way has no port left"
        }
        _ => "other destinations do not answer either: look at this host's route, firewall and NAT",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn syn(number: u16, again: u8) -> Socket {
        let local = format!("10.0.0.1:{}", 40_000 + number);
        socket(State::SynSent, &local, "203.0.113.9:443")
            .timer(TimerKind::Retransmit, 700, again)
            .owned(100 + u64::from(number))
    }

    fn open(number: u16) -> Socket {
        socket(State::Established, &format!("10.0.0.1:{}", 50_000 + number), "203.0.113.9:443")
    }

    #[test]
    fn one_lost_syn_is_chance() {
        assert_eq!(Machine::idle().many(50, |n| syn(n, 1)).severity(&RULE), None);
        assert_eq!(Machine::idle().many(1, |n| syn(n, 2)).severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn ten_to_one_place_warn_and_half_of_its_attempts_are_critical() {
        let severity = |stuck: u16, new: u16| {
            let machine = Machine::idle().many(stuck, |n| syn(n, 2));
            (0..new).fold(machine, |machine, n| machine.newly(open(n))).severity(&RULE)
        };
        assert_eq!(severity(9, 0), Some(Severity::Notice));
        assert_eq!(severity(10, 11), Some(Severity::Warning));
        assert_eq!(severity(10, 10), Some(Severity::Critical));
    }

    #[test]
    fn a_part_of_all_connects_warns_and_two_of_few_do_not() {
        let severity = |stuck, opened| {
            let machine = Machine::idle().many(stuck, |n| syn(n, 3));
            machine.grew("Tcp.ActiveOpens", 9_000, opened).severity(&RULE)
        };
        assert_eq!(severity(3, 58), Some(Severity::Notice));
        assert_eq!(severity(3, 57), Some(Severity::Warning));
        assert_eq!(severity(2, 0), Some(Severity::Notice));
    }

    #[test]
    fn what_lives_there_and_elsewhere_points_at_the_cause() {
        let alone = Machine::idle().many(3, |n| syn(n, 3)).findings(&RULE);
        assert!(alone[0].causes[0].contains("this destination alone"));
        let living = Machine::idle().many(3, |n| syn(n, 3)).both(open(1)).findings(&RULE);
        assert!(living[0].causes[0].contains("only new ones hang"));
        let other = socket(State::SynSent, "10.0.0.1:39999", "203.0.113.10:443").timer(
            TimerKind::Retransmit,
            700,
            3,
        );
        let both = Machine::idle().many(3, |n| syn(n, 3)).both(other).findings(&RULE);
        assert_eq!(both.len(), 2);
        assert!(both[0].causes[0].contains("this host's route"));
    }
}
