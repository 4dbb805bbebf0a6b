//! `half-open-suspect`: connections idle for hours that would never notice a dead peer.
//!
//! Without SO_KEEPALIVE no timer runs on an idle connection (`idiag_timer` is 0), and the kernel
//! keeps it for ever: the loss of a peer is only noticed by sending.

use crate::{
    doctor::{
        area::Area,
        evidence::Direction,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        parties::Party,
        rounds::{GROWING, Watched},
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{outline::Outline, state::State},
};
use std::collections::BTreeMap;

const IDLE: Threshold = Threshold::new(
    "idle_s",
    7200.0,
    "the kernel's own keepalive would have asked by now (tcp_keepalive_time)",
);
const FEWEST: Threshold =
    Threshold::new("notice_sockets", 10.0, "a few are sessions that somebody has left open");
const SHARE: Threshold = Threshold::new(
    "notice_percent",
    50.0,
    "of the connections of one service: idle is then its usual state, and loss goes unnoticed",
);
const MANY: Threshold =
    Threshold::new("warning_sockets", 1000.0, "a pool of living clients is rarely so large");
const DESCRIPTORS: Threshold = Threshold::new(
    "warning_descriptors_percent",
    50.0,
    "of the limit on descriptors: the dead crowd out the living",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "half-open-suspect",
    area: Area::Peers,
    title: "connections are idle for hours, and would never notice that their peer died",
    meaning: "Nothing was sent or received for a long time and no keepalive runs. If the peer has \
              vanished without a FIN or RST, these connections stay for ever.",
    evidence: "ESTABLISHED without a timer, towards other machines; time since data was sent or \
               received (tcp_info); their part of a service's connections and of the descriptors; how \
               their number goes over the rounds of --watch",
    needs: &[Need::Netlink],
    thresholds: &[IDLE, FEWEST, SHARE, MANY, DESCRIPTORS, GROWING],
    symptoms: "Connections and descriptors only grow; a database reaches its maximum of sessions.",
    causes: &[
        "clients that vanish: laptops, phones, machines that were switched off",
        "a NAT or firewall on the way forgot the connections",
        "clients that never close and servers without an idle timeout",
    ],
    remedies: &[
        Advice::application(
            "End idle connections after a time, or send something of the protocol's own now and then",
            "",
        ),
        Advice::socket(
            "Let the kernel ask the peer: dead after 30 s with these values",
            "int on = 1, idle = 15, interval = 5, probes = 3;\n\
             setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, 4);\n\
             setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, 4);\n\
             setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, 4);\n\
             setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, 4);",
        ),
    ],
    avoid: &[
        (
            "net.ipv4.tcp_keepalive_time",
            "it only acts on sockets that set SO_KEEPALIVE: these have not",
        ),
        ("TCP_USER_TIMEOUT alone", "nothing is unacknowledged on an idle connection"),
    ],
    false_positives: "Sessions whose protocol asks by itself less often than every two hours; \
                      administrators' sessions left open.",
    sources: &[
        "net/ipv4/tcp_timer.c tcp_keepalive_timer",
        "tcp(7)",
        "https://blog.cloudflare.com/when-tcp-sockets-refuse-to-die/",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let idle = case.at(&IDLE) * 1000.0;
    // A peer on this machine cannot vanish without its kernel saying so.
    let elsewhere = |s: &&Outline| !evidence.listeners.is_local(s.remote.address);
    let open = evidence.in_state(State::Established).filter(|s| s.inode().is_some());
    let mut services: BTreeMap<(Party, Direction), Vec<&Outline>> = BTreeMap::new();
    for socket in open.filter(elsewhere) {
        let holder = evidence.holders(socket).into_iter().next().unwrap_or_default();
        if let Some(direction) = evidence.direction(socket) {
            services.entry((holder, direction)).or_default().push(socket);
        }
    }
    let found = services.into_iter().filter_map(|((party, direction), sockets)| {
        let is_suspect = |s: &&&Outline| {
            s.timer.is_none() && evidence.measured(s).idle_ms().is_some_and(|ms| number(ms) >= idle)
        };
        let suspects: Vec<&Outline> = sockets.iter().filter(is_suspect).copied().collect();
        finding(case, &party, direction, &suspects, sockets.len())
    });
    found.collect::<Vec<_>>().into()
}

fn finding(
    case: &Case<'_, '_>,
    party: &Party,
    direction: Direction,
    suspects: &[&Outline],
    of: usize,
) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(suspects.len());
    let share = percent(count, counted(of));
    if number(count) < case.at(&FEWEST) || share < case.at(&SHARE) {
        return None;
    }
    let used = evidence.descriptors_of(party.pid);
    let part = used.as_ref().map(|used| percent(count, used.limit));
    let fills = part.is_some_and(|part| part >= case.at(&DESCRIPTORS));
    let growing = case.growing(Watched::Idle(direction));
    let many = number(count) >= case.at(&MANY);
    let severity =
        if fills || many || growing.is_some() { Severity::Warning } else { Severity::Notice };
    let subject = match direction {
        Direction::In(at) => Subject::process(party).serving(at),
        Direction::Out(peer) => Subject::process(party).towards(peer),
    };
    let oldest = suspects.iter().filter_map(|s| evidence.measured(s).idle_ms());
    let oldest = oldest.max().unwrap_or(0) / 1000;
    let title = format!("{count} of {of} connections are idle and never probed: {}", subject.text);
    let read: Vec<_> = suspects
        .iter()
        .filter_map(|s| evidence.options(s.inode()?))
        .filter_map(|o| o.keepalive)
        .collect();
    let off = read.iter().filter(|on| !**on).count();
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("idle", count)
        .with("established", counted(of))
        .with("longest_idle_s", oldest)
        .with("descriptor_limit", used.as_ref().map(|used| used.limit))
        .with("grew_from", growing.map(|trend| trend.from))
        .with("grew_over_ms", growing.map(|trend| trend.over_ms))
        .with("keepalive_off", (!read.is_empty()).then_some(off))
        .seen(format!(
            "{count} connections ({share:.0} %) without a timer, nothing sent or received for over \
             {} s, the longest for {oldest} s",
            case.at(&IDLE)
        ))
        .advise(software::remedies([party], Topic::DeadPeers))
        .advise(software::remedies([party], Topic::IdleTimeout))
        .about(suspects.iter().map(|s| s.inode()));
    if let Some(trend) = growing {
        finding = finding.seen(format!("what is idle for two hours {}", trend.text()));
    }
    if let Some(part) = part {
        finding = finding.seen(format!("they are {part:.0} % of its limit on descriptors"));
    }
    Some(if off > 0 {
        finding
            .seen(format!("SO_KEEPALIVE is off on {off} of the {} that were looked at", read.len()))
    } else {
        finding.only(Confidence::Likely, "run with --socket-options, which reads SO_KEEPALIVE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::timer::TimerKind;

    fn session(number: u16, idle_ms: u64) -> Socket {
        socket(State::Established, "10.0.0.1:5432", &format!("10.0.0.9:{}", 20_000 + number))
            .info(&[("last_data_sent", idle_ms), ("last_data_recv", idle_ms + 5)])
            .owned(100 + u64::from(number))
    }

    fn database(sessions: u16, idle_ms: u64, limit: u64) -> Machine {
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:5432", "0.0.0.0:0"))
            .many(sessions, |n| session(n, idle_ms))
            .process(900, "postgres", 100..100 + u64::from(sessions), (1, limit))
    }

    #[test]
    fn it_needs_hours_and_more_than_a_few() {
        let severity = |count, ms| database(count, ms, 100_000).severity(&RULE);
        assert_eq!(severity(10, 7_199_999), None);
        assert_eq!(severity(9, 7_200_000), None);
        assert_eq!(severity(10, 7_200_000), Some(Severity::Notice));
        assert_eq!(severity(999, 7_200_000), Some(Severity::Notice));
        assert_eq!(severity(1000, 7_200_000), Some(Severity::Warning));
    }

    #[test]
    fn more_in_each_round_of_a_watch_is_a_warning() {
        let of = |count| database(count, 9_000_000, 100_000);
        let over = |counts: [u16; 2], now| of(now).after(counts.map(of)).severity(&RULE);
        assert_eq!(over([10, 11], 12), Some(Severity::Warning));
        assert_eq!(over([12, 12], 12), Some(Severity::Notice));
    }

    #[test]
    fn half_of_the_descriptors_is_a_warning() {
        assert_eq!(database(99, 9_000_000, 200).severity(&RULE), Some(Severity::Notice));
        assert_eq!(database(100, 9_000_000, 200).severity(&RULE), Some(Severity::Warning));
    }

    #[test]
    fn a_service_that_is_mostly_busy_is_well() {
        let busy = |count| {
            let idle = database(10, 9_000_000, 4096);
            (0..count).fold(idle, |machine, n| machine.both(session(1000 + n, 20)))
        };
        let severity = |count| {
            busy(count)
                .process(900, "postgres", 1100..1100 + u64::from(count), (1, 4096))
                .severity(&RULE)
        };
        assert_eq!(severity(11), None);
        assert_eq!(severity(10), Some(Severity::Notice));
    }

    #[test]
    fn probed_connections_and_those_within_the_machine_are_well() {
        let probed = |n| session(n, 9_000_000).timer(TimerKind::Keepalive, 60_000, 0);
        assert_eq!(Machine::idle().many(50, probed).severity(&RULE), None);
        let local = |n: u16| {
            socket(State::Established, &format!("127.0.0.1:{}", 40_000 + n), "127.0.0.1:6379")
                .info(&[("last_data_sent", 9_000_000), ("last_data_recv", 9_000_000)])
                .owned(100 + u64::from(n))
        };
        assert_eq!(Machine::idle().many(50, local).severity(&RULE), None);
    }

    #[test]
    fn read_options_make_it_a_fact() {
        let read = crate::model::socket_options::SocketOptions {
            inode: 100,
            keepalive: Some(false),
            ..Default::default()
        };
        let findings = database(10, 9_000_000, 4096).options(read).findings(&RULE);
        assert_eq!(findings[0].confidence, Confidence::Certain);
        assert_eq!(findings[0].evidence["keepalive_off"], 1);
        let unread = database(10, 9_000_000, 4096).findings(&RULE);
        assert!(unread[0].surer.as_deref().unwrap().contains("--socket-options"));
    }
}
