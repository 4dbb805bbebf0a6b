//! `close-wait-idle-pool`: idle connections of a pool that the server has closed. Benign.
//!
//! A pool that looks at a connection only when it is used next keeps those that the server has
//! closed meanwhile: their FIN is unread (receive queue 1, or 25 with the close_notify of TLS).

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, queues::Queues, state::State},
};
use std::collections::BTreeMap;

const MOST: Threshold =
    Threshold::new("most_sockets", 99.0, "larger pools are rare: close-wait-leak tells of more");
const DESCRIPTORS: Threshold = Threshold::new(
    "most_descriptors_percent",
    10.0,
    "of the limit on descriptors: more is no idle pool but a leak on its way",
);
/// A FIN, or that with a record of TLS before it: alert of 24 to 31 bytes.
const UNREAD: [std::ops::RangeInclusive<u32>; 2] = [1..=1, 24..=60];

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "close-wait-idle-pool",
    area: Area::Closing,
    title: "idle connections of a pool that the server has closed",
    meaning: "The server has closed idle connections that the pool of this program still keeps. It \
              will notice when it takes the next one: harmless, but for a request that fails.",
    evidence: "outgoing CLOSE_WAIT with the FIN unread, stable in number, few against the limit on \
               descriptors",
    needs: &[Need::TwoLooks],
    thresholds: &[MOST, DESCRIPTORS],
    symptoms: "Now and then `connection reset` or NoHttpResponse at the first use after a pause.",
    causes: &["the pool keeps idle connections for longer than the server does"],
    remedies: &[Advice::application(
        "Let the pool give up idle connections sooner than the server, and test them before use",
        "builder.evictIdleConnections(30, TimeUnit.SECONDS); // Java\n\
             t.IdleConnTimeout = 30 * time.Second                // Go\n\
             maxLifetime < wait_timeout                          // HikariCP",
    )],
    avoid: &[("ss -K", "the pool gets errors for connections it would have thrown away quietly")],
    false_positives: "The beginning of a leak: it grows.",
    sources: &["RFC 9112 section 9.5", "net/ipv4/tcp_input.c tcp_fin"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut pools: BTreeMap<(Party, Endpoint), Vec<&Outline>> = BTreeMap::new();
    for socket in evidence.in_state(State::CloseWait).filter(|s| s.inode().is_some()) {
        let holder = evidence.holders(socket).into_iter().next().unwrap_or_default();
        if let Some(Direction::Out(peer)) = evidence.direction(socket) {
            pools.entry((holder, peer)).or_default().push(socket);
        }
    }
    let found = pools.iter().filter_map(|((party, peer), left)| finding(case, party, *peer, left));
    found.collect::<Vec<_>>().into()
}

fn is_unread_fin(socket: &Outline) -> bool {
    matches!(socket.queues(), Queues::Data { recv, .. } if UNREAD.iter().any(|r| r.contains(&recv)))
}

fn finding(
    case: &Case<'_, '_>,
    party: &Party,
    peer: Endpoint,
    left: &[&Outline],
) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let count = counted(left.len());
    let is_stable = |s: &&&Outline| s.was == Some(State::CloseWait);
    let stable = left.iter().filter(is_stable).count();
    let part = evidence.descriptors_of(party.pid).map(|used| percent(count, used.limit));
    let is_pool = left.iter().all(|s| is_unread_fin(s))
        && stable == left.len()
        && number(count) <= case.at(&MOST)
        && part.is_none_or(|part| part < case.at(&DESCRIPTORS));
    if !is_pool {
        return None;
    }
    let subject = Subject::process(party).towards(peer);
    let title =
        format!("{count} idle connections of a pool were closed by the server: {}", subject.text);
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .with("close_wait", count)
            .with("descriptors_percent", part.map(f64::round))
            .seen(format!(
                "{count} CLOSE_WAIT with the end of file unread, as many as at the first look"
            ))
            .about(left.iter().map(|s| s.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn left(number: u16, recv: u32) -> Socket {
        socket(State::CloseWait, &format!("10.0.0.1:{}", 40_000 + number), "10.0.0.4:443")
            .queued(recv, 0)
            .owned(100 + u64::from(number))
    }

    fn pool(count: u16, recv: u32, limit: u64) -> Machine {
        let inodes = 100..100 + u64::from(count);
        let machine = Machine::idle().many(count, |n| left(n, recv));
        machine.process(900, "gdal", inodes, (20, limit))
    }

    #[test]
    fn a_few_with_the_fin_unread_are_a_pool() {
        assert_eq!(pool(8, 1, 1024).severity(&RULE), Some(Severity::Notice));
        assert_eq!(pool(8, 25, 1024).severity(&RULE), Some(Severity::Notice), "close_notify");
        assert_eq!(pool(99, 1, 4096).severity(&RULE), Some(Severity::Notice));
        assert_eq!(pool(100, 1, 4096).severity(&RULE), None);
        assert_eq!(pool(10, 1, 100).severity(&RULE), None, "a tenth of the descriptors");
    }

    #[test]
    fn read_or_given_up_or_growing_it_is_none() {
        assert_eq!(pool(8, 0, 1024).severity(&RULE), None);
        assert_eq!(pool(8, 86, 1024).severity(&RULE), None);
        let growing = pool(8, 1, 1024).newly(left(50, 1)).process(900, "gdal", [150], (20, 1024));
        assert_eq!(growing.severity(&RULE), None);
    }
}
