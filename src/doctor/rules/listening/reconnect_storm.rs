//! `reconnect-storm`: clients that keep their connections all come back at once.
//!
//! A service whose connections are short has many new ones all the time; they are gone again by
//! the last look. In a storm the new ones stay: nearly all that `Tcp.PassiveOpens` counted are
//! there, and far more than the service had.

use crate::{
    doctor::{
        area::Area,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rounds::Watched,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};

const FEWEST: Threshold = Threshold::new(
    "least_connections",
    100.0,
    "new in the window: the start of a pool or of one client is no storm",
);
const STAY: Threshold = Threshold::new(
    "stay_percent",
    80.0,
    "of those accepted are still there: short requests would be gone",
);
const TIMES: Threshold = Threshold::new(
    "warning_times_per_minute",
    5.0,
    "of the connections it had: at this pace all come back within twelve seconds",
);
const USUAL: Threshold = Threshold::new(
    "warning_times_usual",
    10.0,
    "of the pace at which connections usually come in the rounds of --watch",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "reconnect-storm",
    area: Area::Listening,
    title: "clients that keep their connections all come back at once",
    meaning: "Many lasting connections were opened within seconds, far more than the service had: \
              its clients lost theirs and reconnect together. Handshakes, TLS and logins pile up.",
    evidence: "connections of each listener that are new since the first look and still there, \
               against those it had; Tcp.PassiveOpens, and its usual pace in the rounds \
               of --watch",
    needs: &[Need::TwoLooks, Need::Window, Need::Counter("Tcp.PassiveOpens")],
    thresholds: &[FEWEST, STAY, TIMES, USUAL],
    symptoms: "A peak of CPU and of the accept queue, logins that time out and start again.",
    causes: &[
        "a deployment, a crash or a failover of this service or of a balancer in front",
        "clients that reconnect at once and without chance in their pause",
        "a keep-alive limit that closes all connections at the same age",
    ],
    remedies: &[
        Advice::application(
            "Let clients wait before they reconnect: longer each time, with chance in it",
            "sleep(min(60, 2 ** attempt) * random())",
        ),
        Advice::application("Drain connections over minutes when a process is replaced", ""),
        Advice::capacity("Spread the clients over more instances", ""),
    ],
    avoid: &[("net.core.somaxconn", "a longer queue makes clients wait longer for the same work")],
    false_positives: "The first minute after a start; a load test.",
    sources: &[
        "https://docs.kernel.org/networking/snmp_counter.html",
        "https://en.wikipedia.org/wiki/Thundering_herd_problem",
    ],
    caused_by: &["keepalive-race"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let is_open = |s: &&&Outline| s.state == State::Established;
    let is_new = |s: &&&Outline| evidence.is_new(s) == Some(true);
    let services: Vec<(Endpoint, u64, u64)> = evidence
        .incoming()
        .iter()
        .map(|(at, sockets)| {
            let open = || sockets.iter().filter(is_open);
            (*at, counted(open().filter(is_new).count()), counted(open().count()))
        })
        .collect();
    let all_new: u64 = services.iter().map(|(_, new, _)| new).sum();
    let Some(accepted) = evidence.growth("Tcp.PassiveOpens") else {
        return Judgement::Found(vec![]);
    };
    if percent(all_new, accepted.count.max(all_new)) < case.at(&STAY) {
        return Judgement::Found(vec![]);
    }
    let found = services
        .iter()
        .filter_map(|(at, new, open)| finding(case, *at, *new, *open, accepted.goes_on()));
    found.collect::<Vec<_>>().into()
}

fn finding(
    case: &Case<'_, '_>,
    at: Endpoint,
    new: u64,
    now: u64,
    goes_on: bool,
) -> Option<Finding> {
    let evidence = case.evidence;
    let before = now.saturating_sub(new);
    let per_minute = number(new) * 60.0 / evidence.window_s()?;
    // The rounds before tell what is usual; without them only what the service had does.
    let usual = case.usually(Watched::AcceptedPerMinute);
    let peak = usual.is_some_and(|usual| per_minute >= case.at(&USUAL) * number(usual));
    let many = per_minute > case.at(&TIMES) * number(before);
    if number(new) < case.at(&FEWEST) || !(many || peak) {
        return None;
    }
    // All at one moment is a start; what goes on is a storm.
    let severity = if goes_on { Severity::Warning } else { Severity::Notice };
    let subject = Subject::listener(at, evidence.holders_at(at));
    let title = format!(
        "{new} lasting connections came to {} {}, it had {before}",
        subject.text,
        evidence.window()
    );
    let listens = |s: &&Outline| s.local.canonical() == at;
    let listeners = evidence.in_state(State::Listen).filter(listens);
    let finding = RULE
        .finding(severity, subject, title)
        .with("new_connections", new)
        .with("connections_before", before)
        .with("accepted", evidence.growth("Tcp.PassiveOpens").map(|growth| growth.count))
        .with("usually_accepted_per_minute", usual)
        .seen(format!(
            "{new} connections are new {} and still open, {before} were there before",
            evidence.window()
        ))
        .about(listeners.map(Outline::inode));
    Some(match usual {
        Some(usual) if peak => finding
            .seen(format!(
                "{per_minute:.0} a minute at this pace, usually {usual} were accepted in the rounds \
                 before"
            ))
            .only(Confidence::Likely, "ask the clients what they lost"),
        _ => finding.only(Confidence::Possible, "run with --watch: it learns the usual pace"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn client(number: u16) -> Socket {
        socket(State::Established, "10.0.0.1:443", &format!("10.0.9.9:{}", 10_000 + number))
    }

    fn service(before: u16, new: u16, accepted: u64) -> Machine {
        let machine = Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:443", "0.0.0.0:0").owned(7))
            .many(before, client)
            .grew("Tcp.PassiveOpens", 70_000, accepted);
        (0..new).fold(machine, |machine, n| machine.newly(client(before + n)))
    }

    #[test]
    fn many_lasting_connections_at_once_are_a_storm() {
        // In two seconds: thirty times as many a minute.
        assert_eq!(service(599, 100, 100).severity(&RULE), Some(Severity::Warning));
        assert_eq!(service(600, 100, 100).severity(&RULE), None);
        assert_eq!(service(0, 99, 99).severity(&RULE), None);
    }

    #[test]
    fn a_service_of_short_connections_has_many_new_ones_all_the_time() {
        assert_eq!(service(0, 150, 150).severity(&RULE), Some(Severity::Warning));
        assert_eq!(service(0, 150, 188).severity(&RULE), None);
    }

    #[test]
    fn the_usual_pace_of_a_watch_is_what_a_storm_exceeds() {
        let quiet = |accepted| service(600, 0, accepted);
        let storm = |usual| service(600, 100, 100).after((0..3).map(|_| quiet(usual)));
        // 100 in two seconds are 3000 a minute; 10 are 300.
        let found = storm(10).findings(&RULE);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].confidence, Confidence::Likely);
        assert_eq!(found[0].evidence["usually_accepted_per_minute"], 300);
        assert_eq!(storm(11).severity(&RULE), None);
        let two = service(600, 100, 100).after((0..2).map(|_| quiet(1)));
        assert_eq!(two.severity(&RULE), None, "two rounds tell nothing usual");
    }

    #[test]
    fn what_came_at_one_moment_is_noticed() {
        let machine = service(0, 150, 0).jumped("Tcp.PassiveOpens", 70_000, 150);
        assert_eq!(machine.severity(&RULE), Some(Severity::Notice));
    }
}
