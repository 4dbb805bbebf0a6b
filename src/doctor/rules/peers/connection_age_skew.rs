//! `connection-age-skew`: of several backends one has most of the connections.
//!
//! Lasting connections stay where they were opened: a backend that joins later gets none of them,
//! and one that was alone for a while keeps all.

use crate::{
    doctor::{
        area::Area,
        evidence::{Direction, Evidence},
        finding::{Confidence, Finding, Severity},
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const TIMES: Threshold = Threshold::new(
    "notice_times",
    2.0,
    "the others' mean: hashing and chance spread evenly enough to stay below",
);
const FEWEST: Threshold =
    Threshold::new("least_connections", 30.0, "of fewer, chance alone makes such differences");
const SIBLINGS: Threshold =
    Threshold::new("least_backends", 3.0, "of two, one is simply the preferred");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "connection-age-skew",
    area: Area::Peers,
    title: "of several backends one has most of the connections",
    meaning: "Connections to the backends of one service last so long that they never move: a \
              backend that was added later gets little, another carries most.",
    evidence: "ESTABLISHED of one process to the same port of several addresses in one network",
    needs: &[],
    thresholds: &[TIMES, FEWEST, SIBLINGS],
    symptoms: "After scaling out one backend is still busy and the new ones are idle.",
    causes: &[
        "connections without a maximal age: gRPC, HTTP/2, pools of databases",
        "a backend was replaced or restarted, and the others took its clients",
    ],
    remedies: &[
        Advice::application(
            "Bound the age of connections, with chance in it",
            "keepalive_time 10m;                        # nginx\n\
             MaxConnectionAge: 10 * time.Minute         # gRPC, Go\n\
             maxLifetime=600000                         # HikariCP",
        ),
        Advice::capacity("Balance requests and not connections (HTTP/2 aware proxy)", ""),
    ],
    avoid: &[(
        "restarting the busy backend",
        "its connections all move at once: a reconnect storm",
    )],
    false_positives: "Backends of different size; a primary among replicas.",
    sources: &[
        "https://grpc.io/docs/guides/keepalive/",
        "https://nginx.org/en/docs/http/ngx_http_upstream_module.html",
    ],
    caused_by: &[],
    judge,
};

/// The network that siblings share: their first 24 bits, or 64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let mut services: BTreeMap<(Party, IpAddr, u16), BTreeMap<Endpoint, Vec<&Outline>>> =
        BTreeMap::new();
    for socket in evidence.in_state(State::Established).filter(|s| s.inode().is_some()) {
        if let Some(Direction::Out(end)) = evidence.direction(socket) {
            let holder = evidence.holders(socket).into_iter().next().unwrap_or_default();
            let service = services.entry((holder, network(end.address), end.port)).or_default();
            service.entry(end).or_default().push(socket);
        }
    }
    let found =
        services.iter().filter_map(|((party, ..), backends)| finding(case, party, backends));
    found.collect::<Vec<_>>().into()
}

fn finding(
    case: &Case<'_, '_>,
    party: &Party,
    backends: &BTreeMap<Endpoint, Vec<&Outline>>,
) -> Option<Finding> {
    let mut counts: Vec<(Endpoint, u64)> =
        backends.iter().map(|(end, sockets)| (*end, counted(sockets.len()))).collect();
    counts.sort_by_key(|(end, count)| (Reverse(*count), *end));
    let ((end, most), others) = counts.split_first()?;
    let sum: u64 = others.iter().map(|(_, count)| count).sum();
    let is_large =
        number(*most) >= case.at(&FEWEST) && number(counted(counts.len())) >= case.at(&SIBLINGS);
    let mean = number(sum) / number(counted(others.len()).max(1));
    if !is_large || number(*most) <= case.at(&TIMES) * mean {
        return None;
    }
    let subject = Subject::destination(*end, vec![party.clone()]);
    let title = format!(
        "{} has {most} connections, its {} siblings {mean:.0} on average",
        subject.text,
        others.len()
    );
    let told: Vec<String> =
        counts.iter().take(6).map(|(end, count)| format!("{end} {count}")).collect();
    let sockets = backends.values().filter_map(|sockets| sockets.first()).map(|s| s.inode());
    let evidence: &Evidence<'_> = case.evidence;
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .only(Confidence::Possible, "compare with the weights of the backends")
            .with("connections", *most)
            .with("mean_of_others", (mean * 10.0).round() / 10.0)
            .with("backends", counted(counts.len()))
            .with("opened", evidence.growth("Tcp.ActiveOpens").map(|growth| growth.count))
            .seen(told.join(", "))
            .about(sockets),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    /// Backends with so many connections each.
    fn pool(counts: &[u16]) -> Machine {
        let mut next = 0u16;
        counts.iter().zip(1..).fold(Machine::idle(), |machine, (count, host)| {
            (0..*count).fold(machine, |machine, _| {
                next += 1;
                let local = format!("10.0.0.1:{}", 40_000 + next);
                let one = socket(State::Established, &local, &format!("10.0.7.{host}:50051"));
                machine.both(one.owned(u64::from(next)))
            })
        })
    }

    #[test]
    fn more_than_twice_the_others_is_noticed() {
        assert_eq!(pool(&[40, 20, 20]).severity(&RULE), None);
        assert_eq!(pool(&[41, 20, 20]).severity(&RULE), Some(Severity::Notice));
        assert_eq!(pool(&[29, 1, 1]).severity(&RULE), None, "few");
        assert_eq!(pool(&[60, 1]).severity(&RULE), None, "two");
    }

    #[test]
    fn other_networks_and_other_ports_are_other_services() {
        let machine = pool(&[60]).many(3, |n| {
            socket(
                State::Established,
                &format!("10.0.0.1:{}", 50_000 + n),
                &format!("10.9.{n}.1:50051"),
            )
            .owned(9_000 + u64::from(n))
        });
        assert_eq!(machine.severity(&RULE), None);
    }
}
