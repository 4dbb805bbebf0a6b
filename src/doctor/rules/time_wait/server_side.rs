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
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, socket::Socket, state::State},
};
use std::collections::BTreeMap;

const NOTICE: Threshold =
    Threshold::new("notice_sockets", 1000.0, "from here on people see a large number and worry");
/// Bytes of a mini-socket (slab `tw_sock_TCP`, measured on 6.18).
const BYTES: u64 = 256;

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-server-side",
    area: Area::TimeWait,
    title: "many TIME_WAIT on a listening port: harmless",
    meaning: "This server closes connections first, so the 60 s of TIME_WAIT are kept here and \
              not at the clients. Harmless: they use no port and no descriptor, and the next \
              connection of the same client is accepted at once.",
    evidence: "TIME_WAIT by the listener they came in by",
    needs: &[],
    thresholds: &[NOTICE],
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
    let mut ends: BTreeMap<Endpoint, Vec<&Socket>> = BTreeMap::new();
    for socket in evidence.in_state(State::TimeWait) {
        if let Some(listener) = evidence.listeners.accepting(socket.local) {
            ends.entry(listener.at).or_default().push(socket);
        }
    }
    let many = |sockets: &Vec<&Socket>| {
        f64::from(u32::try_from(sockets.len()).unwrap_or(u32::MAX)) >= case.at(&NOTICE)
    };
    let found: Vec<Finding> = ends
        .into_iter()
        .filter(|(_, sockets)| many(sockets))
        .map(|(at, sockets)| finding(evidence, at, &sockets))
        .collect();
    found.into()
}

fn finding(evidence: &Evidence<'_>, at: Endpoint, sockets: &[&Socket]) -> Finding {
    let count = sockets.len();
    let kib = count as u64 * BYTES / 1024;
    let listeners = evidence.listening().iter().map(|l| l.socket);
    let here = listeners.filter(|s| s.local.port == at.port).map(|s| s.inode);
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

    #[test]
    fn a_large_number_gets_a_word_and_no_number_more_than_that() {
        assert_eq!(closed(999, 443).severity(&RULE), None);
        assert_eq!(closed(1000, 443).severity(&RULE), Some(Severity::Notice));
        assert_eq!(closed(50_000, 443).severity(&RULE), Some(Severity::Notice));
    }

    #[test]
    fn outgoing_ones_are_not_its_business() {
        assert_eq!(closed(2000, 40_000).severity(&RULE), None);
    }
}
