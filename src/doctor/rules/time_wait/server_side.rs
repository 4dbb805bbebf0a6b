//! `time-wait-server-side`: many TIME_WAIT on a listening port. Harmless, and worth a word because
//! people worry.
//!
//! They hold no port and no descriptor, 256 bytes each; a SYN of the same client is accepted out of
//! them (`tcp_timewait_state_process`: a newer timestamp or a higher sequence number suffices).

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
use std::collections::BTreeMap;

const NOTICE: Threshold =
    Threshold::new("notice_sockets", 1000.0, "from here on people see a large number and worry");
const PART: Threshold =
    Threshold::new("notice_percent", 50.0, "of all TCP sockets: most of a listing is then this");
const LEAST: Threshold = Threshold::new(
    "least_sockets",
    100.0,
    "with fewer any host that is nearly idle has such a part",
);
/// Bytes of a mini-socket (slab `tw_sock_TCP`, measured on 6.18).
const BYTES: u64 = 256;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-server-side",
    area: Area::TimeWait,
    title: "many TIME_WAIT on a listening port: harmless",
    meaning: "This server closes connections first, so the 60 s of TIME_WAIT are kept here and \
              not at the clients. Harmless: they use no port and no descriptor, and the next \
              connection of the same client is accepted at once.",
    evidence: "TIME_WAIT by the listener they came in by, and their part of all TCP sockets",
    needs: &[],
    thresholds: &[NOTICE, PART, LEAST],
    symptoms: "None; only a large number in a listing.",
    causes: &[
        "clients that ask for `Connection: close`, HTTP/1.0, health checks",
        "an idle timeout or a limit of requests per connection of the server",
    ],
    remedies: &[Advice::application(
        "Nothing has to be done. To have fewer, keep connections open longer, so that clients use \
         them again or close first",
        "",
    )],
    avoid: &[
        ("net.ipv4.tcp_tw_reuse", "it is for outgoing connections only"),
        ("net.ipv4.tcp_max_tw_buckets lowered", "it takes the protection away and gains nothing"),
        ("net.ipv4.tcp_fin_timeout", "it does not touch TIME_WAIT"),
        ("net.ipv4.tcp_tw_recycle", "removed in Linux 4.12; before, it broke clients behind NAT"),
    ],
    false_positives: "It is never more than a notice.",
    sources: &[
        "net/ipv4/tcp_minisocks.c tcp_timewait_state_process",
        "https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux",
    ],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut ends: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::TimeWait) {
        if let Some(listener) = evidence.listeners.accepting(socket.local) {
            ends.entry(listener.at).or_default().push(socket);
        }
    }
    let all = counted(evidence.tcp().count());
    let many = |sockets: &Vec<&Outline>| {
        let count = counted(sockets.len());
        let most = number(count) >= case.at(&LEAST) && percent(count, all) > case.at(&PART);
        most || number(count) >= case.at(&NOTICE)
    };
    let found: Vec<Finding> = ends
        .into_iter()
        .filter(|(_, sockets)| many(sockets))
        .map(|(at, sockets)| finding(evidence, at, &sockets))
        .collect();
    found.into()
}

fn finding(evidence: &Evidence<'_>, at: Endpoint, sockets: &[&Outline]) -> Finding {
    let count = sockets.len();
    let kib = count as u64 * BYTES / 1024;
    let listeners = evidence.listening().iter().map(|l| l.socket);
    let here = listeners.filter(|s| s.local.port == at.port).map(Outline::inode);
    let subject = Subject::listener(at, evidence.holders_at(at));
    let title = format!("{count} TIME_WAIT on {}: harmless, {kib} KiB in all", subject.text);
    RULE.finding(Severity::Notice, subject, title)
        .with("time_wait", count)
        .with("memory_bytes", count as u64 * BYTES)
        .with("peers", Evidence::addresses(sockets))
        .seen(format!(
            "{count} sockets, of {} peers, each for at most 60 s; no port and no descriptor",
            Evidence::addresses(sockets)
        ))
        .about(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn closed(count: u16, port: u16) -> Machine {
        Machine::idle().both(socket(State::Listen, "0.0.0.0:443", "0.0.0.0:0").owned(9)).many(
            count,
            |n| {
                let peer = format!("192.0.2.{}:{}", n % 200, 10_000 + n);
                socket(State::TimeWait, &format!("10.0.0.1:{port}"), &peer)
            },
        )
    }

    /// So many that are closed beside so many that are open.
    fn beside(open: u16, count: u16) -> Machine {
        (0..open).fold(closed(count, 443), |machine, n| {
            machine.both(socket(
                State::Established,
                "10.0.0.1:443",
                &format!("192.0.3.1:{}", n + 1),
            ))
        })
    }

    #[test]
    fn a_large_number_gets_a_word_and_no_number_more_than_that() {
        assert_eq!(beside(1000, 999).severity(&RULE), None);
        assert_eq!(beside(1000, 1000).severity(&RULE), Some(Severity::Notice));
        assert_eq!(closed(1000, 443).severity(&RULE), Some(Severity::Notice));
        assert_eq!(closed(50_000, 443).severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn most_of_a_listing_gets_a_word_too() {
        assert_eq!(beside(0, 99).severity(&RULE), None);
        assert_eq!(beside(98, 100).severity(&RULE), Some(Severity::Notice));
        // Half of all, the listener counted.
        assert_eq!(beside(99, 100).severity(&RULE), None);
    }

    #[test]
    fn outgoing_ones_are_not_its_business() {
        assert_eq!(closed(2000, 40_000).severity(&RULE), None);
    }
}
