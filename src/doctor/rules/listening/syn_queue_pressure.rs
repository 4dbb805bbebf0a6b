//! `syn-queue-pressure`: half-open handshakes fill a listener's SYN queue: a burst, or a flood.
//!
//! The limit is the listener's own backlog (`inet_csk_reqsk_queue_is_full`); `tcp_max_syn_backlog`
//! counts only without SYN cookies. With cookies further clients are answered from nothing, and
//! those who answer prove that they exist; without, their SYNs are dropped.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
    report::remedy::{Remedy, Tier},
};
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
};

const NOTICE: Threshold =
    Threshold::new("notice_percent", 50.0, "of the backlog in half-open handshakes");
const FEWEST: Threshold =
    Threshold::new("notice_handshakes", 8.0, "a few handshakes are always under way");
const COOKIES: Threshold = Threshold::new(
    "warning_cookies",
    10.0,
    "in the window: a few that are answered are a burst of clients, and well served",
);
const FLOOD: Threshold = Threshold::new(
    "critical_cookies_per_second",
    100.0,
    "no burst of real clients that do not answer",
);
const ANSWERED: Threshold = Threshold::new(
    "flood_answered_percent",
    10.0,
    "of the cookies come back: nine in ten senders do not exist",
);
const REAL: Threshold =
    Threshold::new("burst_answered_percent", 50.0, "of the cookies come back: these are clients");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "syn-queue-pressure",
    area: Area::Listening,
    title: "half-open handshakes fill the SYN queue of a listener",
    meaning: "More handshakes wait than the listener's backlog holds. With SYN cookies clients are \
              served all the same; without, their SYNs are dropped.",
    evidence: "SYN_RCVD against the backlog of each listener; TcpExt.SyncookiesSent, \
               SyncookiesRecv, TCPReqQFullDoCookies, TCPReqQFullDrop in the window; networks of \
               the senders",
    needs: &[Need::Window],
    thresholds: &[NOTICE, FEWEST, COOKIES, FLOOD, ANSWERED, REAL],
    symptoms: "The kernel logs `Possible SYN flooding on port N`, once for each listener. With \
               cookies off clients get ETIMEDOUT (110).",
    causes: &[
        "a backlog that is short for a burst of real clients",
        "a flood of SYNs with forged senders",
        "a path on which the answers get lost (syn-recv-return-path)",
    ],
    remedies: &[
        Advice::application("Ask for a longer queue and restart the service", "listen(fd, 4096);"),
        Advice::sysctl(
            "Answer from nothing when the queue is full (the default)",
            "sysctl -w net.ipv4.tcp_syncookies=1",
        ),
        Advice::sysctl(
            "During a flood hold handshakes for a shorter time",
            "sysctl -w net.ipv4.tcp_synack_retries=2",
        )
        .risking("clients on bad lines need more tries"),
        Advice::capacity(
            "Stop a flood in front of the host: the provider, or SYNPROXY at the firewall",
            "nft add rule inet filter input tcp dport 443 \\\n  ct state untracked,invalid synproxy mss 1460 sack-perm",
        ),
    ],
    avoid: &[
        ("net.ipv4.tcp_max_syn_backlog", "it is not used while SYN cookies are on"),
        ("net.ipv4.tcp_syncookies=2", "it sends cookies to everybody: a test mode"),
        ("the log line as proof of an attack", "it says that a queue was full once"),
    ],
    false_positives: "A few cookies that are answered: clients who came at the same moment.",
    sources: &[
        "net/ipv4/tcp_input.c tcp_conn_request",
        "RFC 4987",
        "https://docs.kernel.org/networking/ip-sysctl.html tcp_syncookies",
        "https://blog.cloudflare.com/syn-packet-handling-in-the-wild/",
    ],
    caused_by: &[],
    judge,
};

/// What the counters of the namespace say.
struct Cookies {
    sent: u64,
    received: u64,
    dropped: u64,
    per_second: f64,
}

impl Cookies {
    fn of(evidence: &Evidence<'_>) -> Self {
        let sent = evidence.grown("TcpExt.SyncookiesSent");
        Self {
            sent,
            received: evidence.grown("TcpExt.SyncookiesRecv"),
            dropped: evidence.grown("TcpExt.TCPReqQFullDrop"),
            per_second: evidence.per_second(sent).unwrap_or(0.0),
        }
    }

    fn answered(&self) -> f64 {
        percent(self.received, self.sent)
    }
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let cookies = Cookies::of(evidence);
    let mut waiting: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::SynRcvd) {
        if let Some(listener) = evidence.listeners.accepting(socket.local) {
            waiting.entry(listener.at).or_default().push(socket);
        }
    }
    // The counters are the namespace's: the fullest queue is the one they are about.
    let fullest = waiting.iter().max_by_key(|(_, sockets)| sockets.len()).map(|(at, _)| *at);
    let mut found: Vec<Finding> = waiting
        .iter()
        .filter_map(|(at, sockets)| {
            let counts = (fullest == Some(*at)).then_some(&cookies);
            finding(case, *at, sockets, counts)
        })
        .collect();
    if waiting.is_empty() && cookies.sent + cookies.dropped > 0 {
        found.extend(without_rows(case, &cookies));
    }
    found.into()
}

/// How grave the counters are.
fn gravity(case: &Case<'_, '_>, cookies: &Cookies) -> Option<Severity> {
    if cookies.dropped > 1 {
        return Some(Severity::Critical);
    }
    if cookies.sent == 0 {
        return (cookies.dropped > 0).then_some(Severity::Warning);
    }
    let is_flood = cookies.per_second >= case.at(&FLOOD) && cookies.answered() < case.at(&ANSWERED);
    Some(if is_flood {
        Severity::Critical
    } else if number(cookies.sent) >= case.at(&COOKIES) {
        Severity::Warning
    } else {
        Severity::Notice
    })
}

fn finding(
    case: &Case<'_, '_>,
    at: Endpoint,
    waiting: &[&Outline],
    cookies: Option<&Cookies>,
) -> Option<Finding> {
    let evidence = case.evidence;
    let limit: u64 = evidence
        .listening()
        .iter()
        .filter(|listening| listening.socket.local.canonical() == at)
        .filter_map(|listening| listening.limit)
        .map(u64::from)
        .sum();
    let count = counted(waiting.len());
    let half = limit > 0 && percent(count, limit) >= case.at(&NOTICE);
    let by_fill = (half && number(count) >= case.at(&FEWEST)).then_some(Severity::Notice);
    let severity = cookies.and_then(|cookies| gravity(case, cookies)).max(by_fill)?;
    let none = Cookies { sent: 0, received: 0, dropped: 0, per_second: 0.0 };
    let cookies = cookies.unwrap_or(&none);
    let networks: HashSet<IpAddr> = waiting.iter().map(|s| network(s.remote.address)).collect();
    let parties = evidence.holders_at(at);
    let advice = software::remedies(&parties, Topic::AcceptQueue);
    let subject = Subject::listener(at, parties);
    let what = verdict(case, cookies);
    let title =
        format!("{count} half-open handshakes at {}, backlog {limit}: {what}", subject.text);
    let listens = |s: &&Outline| s.local.canonical() == at;
    let inodes = evidence.in_state(State::Listen).filter(listens).map(Outline::inode);
    let finding = RULE
        .finding(severity, subject, title)
        .with("syn_rcvd", count)
        .with("backlog", limit)
        .with("networks", counted(networks.len()))
        .seen(format!("{count} SYN_RCVD from {} networks, backlog {limit}", networks.len()))
        .advise(advice)
        .about(inodes);
    Some(counted_in(case, finding, cookies))
}

/// Cookies alone: nothing waits at the last look.
fn without_rows(case: &Case<'_, '_>, cookies: &Cookies) -> Option<Finding> {
    let severity = gravity(case, cookies)?;
    let title =
        format!("SYN cookies were sent {}: {}", case.evidence.window(), verdict(case, cookies));
    Some(counted_in(case, RULE.finding(severity, Subject::netns(), title), cookies))
}

fn verdict(case: &Case<'_, '_>, cookies: &Cookies) -> &'static str {
    if cookies.dropped > 0 {
        "SYNs are dropped, cookies are off"
    } else if cookies.sent == 0 {
        "the queue fills"
    } else if cookies.answered() >= case.at(&REAL) {
        "not an attack, the clients answer their cookies"
    } else if cookies.answered() < case.at(&ANSWERED) && cookies.per_second >= case.at(&FLOOD) {
        "a SYN flood, hardly a cookie is answered"
    } else {
        "cookies are sent, some are answered"
    }
}

fn counted_in(case: &Case<'_, '_>, finding: Finding, cookies: &Cookies) -> Finding {
    let evidence = case.evidence;
    let enabled = evidence.setting("net.ipv4.tcp_syncookies");
    let mut finding = finding
        .with("cookies_sent", cookies.sent)
        .with("cookies_answered", cookies.received)
        .with("dropped", cookies.dropped)
        .with("tcp_syncookies", enabled)
        .seen(format!(
            "{} cookies sent {}, {} answered; {} SYNs dropped for a full queue",
            cookies.sent,
            evidence.window(),
            cookies.received,
            cookies.dropped
        ));
    if enabled != Some(0) {
        finding = finding.without("tcp_syncookies=1");
    }
    if cookies.sent > 0 && cookies.answered() >= case.at(&REAL) {
        finding = finding.without("tcp_synack_retries").without("synproxy").because(
            "real clients came faster than the backlog holds: it is short, nobody attacks",
        );
    } else if cookies.dropped > 0 {
        finding.remedies.retain(|remedy| remedy.tier != Tier::Application);
        let text = "Ask for a longer queue as well: cookies lose window scaling without timestamps";
        finding = finding.advise([Remedy {
            text: text.into(),
            ..Advice::application("", "listen(fd, 4096);").remedy()
        }]);
    }
    finding
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            std::net::Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => {
            std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn waiting(count: u16, limit: u32) -> Machine {
        let client = |n: u16| {
            socket(State::SynRcvd, "10.0.0.1:443", &format!("10.{}.0.9:{}", n % 200, 20_000 + n))
        };
        Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:443", "0.0.0.0:0").accepting(0, limit).owned(7))
            .many(count, client)
            .process(900, "nginx", [7], (9, 1024))
    }

    fn cookies(sent: u64, received: u64) -> Machine {
        waiting(65, 64).grew("TcpExt.SyncookiesSent", 900_000, sent).grew(
            "TcpExt.SyncookiesRecv",
            100_000,
            received,
        )
    }

    #[test]
    fn half_of_the_backlog_is_noticed() {
        assert_eq!(waiting(31, 64).severity(&RULE), None);
        assert_eq!(waiting(32, 64).severity(&RULE), Some(Severity::Notice));
        assert_eq!(waiting(7, 5).severity(&RULE), None, "a few are always under way");
    }

    #[test]
    fn few_cookies_that_are_answered_are_a_notice_and_many_a_warning() {
        assert_eq!(cookies(2, 2).severity(&RULE), Some(Severity::Notice));
        assert_eq!(cookies(10, 10).severity(&RULE), Some(Severity::Warning));
        let findings = cookies(400, 390).findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(findings[0].title.contains("not an attack"), "{}", findings[0].title);
        let told = format!("{:?}", findings[0].remedies);
        assert!(told.contains("backlog=4096") && !told.contains("synproxy"), "{told}");
    }

    #[test]
    fn hundreds_a_second_that_nobody_answers_are_a_flood() {
        // In two seconds.
        assert_eq!(cookies(199, 0).severity(&RULE), Some(Severity::Warning));
        assert_eq!(cookies(200, 0).severity(&RULE), Some(Severity::Critical));
        assert_eq!(cookies(200, 20).severity(&RULE), Some(Severity::Warning));
        assert!(cookies(400, 3).findings(&RULE)[0].title.contains("SYN flood"));
        // Long ago, in the totals.
        let past = waiting(3, 64).grew("TcpExt.SyncookiesSent", 900_000, 0);
        assert_eq!(past.severity(&RULE), None);
    }

    #[test]
    fn without_cookies_every_drop_shuts_a_client_out() {
        let machine = waiting(65, 64).set("net.ipv4.tcp_syncookies", "0").grew(
            "TcpExt.TCPReqQFullDrop",
            0,
            40,
        );
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Critical);
        assert!(format!("{:?}", findings[0].remedies).contains("tcp_syncookies=1"));
    }

    #[test]
    fn a_burst_that_has_passed_leaves_only_counters() {
        let machine = Machine::idle().grew("TcpExt.SyncookiesSent", 0, 3);
        let findings = machine.grew("TcpExt.SyncookiesRecv", 0, 3).findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Notice);
    }
}
