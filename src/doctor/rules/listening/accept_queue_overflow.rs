//! `accept-queue-overflow`: a listener's accept queue is full, or fills.
//!
//! The kernel compares with `>` (`sk_acceptq_is_full`, include/net/sock.h): a queue holds one more
//! than its limit, which is the smaller of the backlog of listen(2) and net.core.somaxconn. Since
//! 4.10 a full queue drops the SYN (`tcp_conn_request`), silently for the program.

use crate::{
    doctor::{
        area::Area,
        evidence::{Evidence, Listening},
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::endpoint::Endpoint,
    report::remedy::{Remedy, Tier},
};
use std::collections::BTreeMap;

const NOTICE: Threshold =
    Threshold::new("notice_percent", 50.0, "half full at both looks is more than a burst");
const WARNING: Threshold = Threshold::new(
    "warning_percent",
    75.0,
    "the next burst fills it, and each SYN it drops costs a client at least a second",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "accept-queue-overflow",
    area: Area::Listening,
    title: "a listener's accept queue is full or fills, and new clients are dropped",
    meaning: "The program takes connections off its queue more slowly than they arrive. When the \
              queue is full the kernel drops new SYNs: the program sees nothing, clients wait.",
    evidence: "accept queue and limit of each listener at two looks; its own count of drops; \
               TcpExt.ListenOverflows within the window",
    needs: &[Need::Netlink],
    thresholds: &[NOTICE, WARNING],
    symptoms: "Nothing in the program's log. Clients connect after 1, 2, 3 s or get ETIMEDOUT; a \
               load balancer answers 502 or 504.",
    causes: &[
        "the program does not call accept(2) often enough: a blocked event loop, a long pause of \
         the collector, a CPU limit, one thread for everything",
        "its own backlog is small: Node.js 511, Java 50, Python 5 to 100, PHP-FPM 511, Redis 511",
        "it has no descriptor left, so that accept(2) fails with EMFILE",
        "many clients reconnect at once after a deployment or a failover",
    ],
    remedies: &[
        Advice::application(
            "Find out why accept(2) is not called: what the threads of the program do, its CPU \
             limit, its descriptors. Then more workers, or one listening socket for each \
             (SO_REUSEPORT)",
            "sockeye capacity\ncat /proc/PID/stack /proc/PID/wchan",
        ),
        Advice::capacity("Spread the clients over more instances", ""),
    ],
    avoid: &[
        (
            "net.core.somaxconn alone",
            "it only caps the backlog that the program asks for, and is read at listen(2): restart the service",
        ),
        (
            "net.ipv4.tcp_max_syn_backlog",
            "that is another queue, and is not used while SYN cookies are on",
        ),
        (
            "net.ipv4.tcp_abort_on_overflow",
            "the SYN is dropped before it matters: no client gets a RST",
        ),
    ],
    false_positives: "A burst at the start of a service. Sockets that share a port with \
                      SO_REUSEPORT have a queue each.",
    sources: &[
        "include/net/sock.h sk_acceptq_is_full",
        "net/ipv4/tcp_input.c tcp_conn_request",
        "listen(2)",
        "https://docs.kernel.org/networking/snmp_counter.html",
        "https://blog.cloudflare.com/syn-packet-handling-in-the-wild/",
    ],
    caused_by: &["fd-limit-process", "accept-stalled", "close-wait-leak", "reuseport-skew"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    // Sockets that share a port are told together, each judged by itself.
    let mut ends: BTreeMap<Endpoint, Vec<&Listening<'_>>> = BTreeMap::new();
    for listening in case.evidence.listening() {
        ends.entry(listening.socket.local.canonical()).or_default().push(listening);
    }
    let found = |(at, sockets): (&Endpoint, &Vec<&Listening<'_>>)| finding(case, *at, sockets);
    ends.iter().filter_map(found).collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, at: Endpoint, sockets: &[&Listening<'_>]) -> Option<Finding> {
    let goes_on =
        case.evidence.growth("TcpExt.ListenOverflows").is_some_and(|growth| growth.goes_on());
    let severity = |listening: &Listening<'_>| {
        let drops = overflowed(case.evidence, listening);
        // One drop is a burst that has passed.
        let dropping = drops > 1 && goes_on;
        if listening.is_full()
            && (dropping || listening.was_full() || !case.evidence.has_two_looks())
        {
            return Some(Severity::Critical);
        }
        let by_drops = match drops {
            0 => None,
            _ if dropping => Some(Severity::Critical),
            _ => Some(Severity::Notice),
        };
        let by_fill = if listening.is_full() {
            Some(Severity::Warning)
        } else if listening.queue > 1 {
            let percent = f64::from(listening.lasting_percent()?);
            case.severity(percent, &[(Severity::Notice, &NOTICE), (Severity::Warning, &WARNING)])
        } else {
            None
        };
        by_drops.max(by_fill)
    };
    let (worst, severity) = sockets
        .iter()
        .filter_map(|listening| Some((*listening, severity(listening)?)))
        .max_by_key(|(listening, severity)| (*severity, listening.queue))?;
    Some(told(case.evidence, at, worst, severity))
}

/// What it dropped because its queue was full. A listener's own count has every drop, also of SYNs
/// for want of room in the SYN queue: no more than the namespace counts as overflows is of this.
fn overflowed(evidence: &Evidence<'_>, listening: &Listening<'_>) -> u32 {
    let most = evidence.growth("TcpExt.ListenOverflows").map_or(u64::from(u32::MAX), |g| g.count);
    listening.drops.unwrap_or(0).min(u32::try_from(most).unwrap_or(u32::MAX))
}

fn told(
    evidence: &Evidence<'_>,
    at: Endpoint,
    listening: &Listening<'_>,
    severity: Severity,
) -> Finding {
    let (queue, limit) = (listening.queue, listening.limit.unwrap_or(0));
    let parties = evidence.holders(listening.socket);
    let subject = Subject::listener(at, parties.clone());
    let drops = overflowed(evidence, listening);
    let full = if listening.is_full() { "is full" } else { "fills" };
    let title = match drops {
        0 => format!("accept queue of {} {full}: {queue} wait, backlog {limit}", subject.text),
        drops => format!(
            "accept queue of {} dropped {drops} {} ({queue} wait now, backlog {limit})",
            subject.text,
            evidence.window()
        ),
    };
    let somaxconn = evidence.setting("net.core.somaxconn");
    let capped = somaxconn == Some(limit.into());
    let mut finding = RULE
        .finding(severity, subject, title)
        .with("accept_queue", queue)
        .with("accept_queue_before", listening.queue_before)
        .with("accept_queue_limit", limit)
        .with("drops", listening.drops)
        .with("somaxconn", somaxconn)
        .with("listen_overflows", evidence.growth("TcpExt.ListenOverflows").map(|g| g.count))
        .seen(format!(
            "{queue} connections wait for accept(2), {} at the first look; {} fit",
            listening
                .queue_before
                .map_or_else(|| "an unknown number".to_owned(), |q| q.to_string()),
            limit.saturating_add(1)
        ))
        .advise(backlog(limit, somaxconn, capped))
        .advise(software::remedies(&parties, Topic::AcceptQueue))
        .about([listening.socket.inode()]);
    if drops > 0 {
        let per_second = evidence.per_second(drops.into()).unwrap_or(0.0);
        finding = finding.seen(format!(
            "{drops} SYNs or connections dropped by this socket {}, {per_second} a second",
            evidence.window()
        ));
    }
    match somaxconn {
        Some(most) if !capped => finding.because(format!(
            "its limit is the program's own listen({limit}): net.core.somaxconn, {most}, does not \
             bind"
        )),
        Some(most) => finding.because(format!(
            "its limit is net.core.somaxconn, {most}: the program asked for as much or more"
        )),
        None => finding,
    }
}

/// The backlog, by what limits it: the program's own number, or somaxconn.
fn backlog(limit: u32, somaxconn: Option<u64>, capped: bool) -> Vec<Remedy> {
    if !capped {
        let text = format!(
            "Let it ask for a longer queue: its listen({limit}) is the limit, net.core.somaxconn \
             ({}) is not. The argument is read once, so restart the service",
            somaxconn.map_or_else(|| "unknown".to_owned(), |most| most.to_string())
        );
        return vec![Remedy { text, ..Advice::application("", "").remedy() }];
    }
    let more = u64::from(limit).saturating_mul(4).clamp(4096, 65_535);
    vec![Remedy {
        tier: Tier::Sysctl,
        text: "Raise the cap, and restart the service: the backlog is read at listen(2)".into(),
        command: Some(format!("sysctl -w net.core.somaxconn={more}")),
        ..Advice::sysctl("", "").remedy()
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::{socket::Socket, state::State};

    fn listener(queue: u32, limit: u32) -> Socket {
        socket(State::Listen, "0.0.0.0:8080", "0.0.0.0:0").accepting(queue, limit).owned(7)
    }

    #[test]
    fn a_queue_is_judged_below_at_and_above_its_thresholds() {
        for (queue, severity) in [
            (0, None),
            (49, None),
            (50, Some(Severity::Notice)),
            (74, Some(Severity::Notice)),
            (75, Some(Severity::Warning)),
            // As many as the limit: one more fits.
            (100, Some(Severity::Warning)),
            (101, Some(Severity::Critical)),
        ] {
            let machine = Machine::idle().both(listener(queue, 100));
            assert_eq!(machine.severity(&RULE), severity, "{queue}");
        }
    }

    #[test]
    fn a_burst_that_has_passed_is_at_most_a_notice() {
        let filled = Machine::idle().became(listener(0, 100), listener(80, 100));
        assert_eq!(filled.severity(&RULE), None);
        let dropped = Machine::idle()
            .became(listener(0, 100).dropped(40), listener(0, 100).dropped(41))
            .jumped("TcpExt.ListenOverflows", 40, 1);
        assert_eq!(dropped.severity(&RULE), Some(Severity::Notice));
        // Long ago, in the totals.
        let long_ago = Machine::idle().both(listener(0, 100).dropped(90_000)).grew(
            "TcpExt.ListenOverflows",
            90_000,
            0,
        );
        assert_eq!(long_ago.severity(&RULE), None);
    }

    #[test]
    fn drops_that_go_on_are_critical_whatever_the_queue_shows() {
        let machine = Machine::idle()
            .became(listener(5, 4).dropped(0), listener(3, 4).dropped(20))
            .grew("TcpExt.ListenOverflows", 0, 20)
            .process(121, "node", [7], (30, 1024));
        let findings = machine.findings(&RULE);
        let finding = &findings[0];
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.subject.text, ":8080 node[121]");
        assert!(finding.title.contains("dropped 20"), "{}", finding.title);
        assert!(finding.causes[0].contains("listen(4)"), "{:?}", finding.causes);
        assert!(finding.remedies[0].text.starts_with("Node.js"), "{:?}", finding.remedies);
        assert!(finding.remedies.iter().all(|remedy| remedy.tier != Tier::Sysctl));
    }

    #[test]
    fn syns_dropped_for_another_reason_are_not_this_queues() {
        let machine = Machine::idle()
            .became(listener(0, 64).dropped(0), listener(0, 64).dropped(750))
            .grew("TcpExt.ListenOverflows", 0, 0)
            .grew("TcpExt.ListenDrops", 0, 750);
        assert_eq!(machine.severity(&RULE), None);
    }

    #[test]
    fn somaxconn_is_advised_where_it_is_the_limit_and_only_there() {
        let capped = Machine::idle().set("net.core.somaxconn", "128").both(listener(129, 128));
        let findings = capped.findings(&RULE);
        let of_kernel = findings[0].remedies.iter().find(|r| r.tier == Tier::Sysctl).unwrap();
        assert_eq!(of_kernel.command.as_deref(), Some("sysctl -w net.core.somaxconn=4096"));
        assert_eq!(findings[0].remedies[0].tier, Tier::Application);
    }

    #[test]
    fn sockets_that_share_a_port_are_one_finding() {
        let machine = Machine::idle().both(listener(101, 100)).both(listener(101, 100).owned(8));
        assert_eq!(machine.findings(&RULE).len(), 1);
    }
}
