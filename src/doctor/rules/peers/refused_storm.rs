//! `refused-storm`: many outgoing connects are refused.
//!
//! `Tcp.AttemptFails` counts connections that went from SYN_SENT or SYN_RECV back to nothing: a RST
//! to our SYN, or the last try without an answer. A connect that finds no local port counts in
//! nothing.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::state::State,
};

const SHARE: Threshold =
    Threshold::new("warning_percent", 10.0, "of all connects: one in ten requests fails at once");
const RATE: Threshold =
    Threshold::new("warning_per_second", 5.0, "fewer are a health check of something that is down");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "refused-storm",
    area: Area::Peers,
    title: "many connects of this host are refused",
    meaning: "Programs here connect to a port where nothing listens, and get a RST at once. They \
              try again without a pause.",
    evidence: "Tcp.AttemptFails against Tcp.ActiveOpens in the window",
    needs: &[Need::Window, Need::Counter("Tcp.AttemptFails"), Need::Counter("Tcp.ActiveOpens")],
    thresholds: &[SHARE, RATE],
    symptoms: "ECONNREFUSED (111) in the logs of programs.",
    causes: &[
        "a service they need is down, restarts, or listens on another port or address",
        "a program that connects again and again without a pause",
        "a balancer that sends to a backend which is gone",
    ],
    remedies: &[
        Advice::application(
            "Wait before the next try: longer each time, with chance in it; stop asking after some \
             failures (circuit breaker)",
            "sleep(min(30, 2 ** attempt) * random())",
        ),
        Advice::application(
            "Find which one: their connects are over too fast to be listed",
            "tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0'",
        ),
    ],
    avoid: &[("net.ipv4.tcp_syn_retries", "they are answered, by a RST")],
    false_positives: "A port scan from here; tests.",
    sources: &["RFC 4022 tcpAttemptFails", "net/ipv4/tcp.c tcp_done", "connect(2)"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let failed = evidence.growth("Tcp.AttemptFails")?;
    let opened = evidence.growth("Tcp.ActiveOpens")?;
    // Handshakes that came in and broke count too.
    let embryonic = evidence.grown("TcpExt.EmbryonicRsts");
    let count = failed.count.saturating_sub(embryonic);
    let part = percent(count, opened.count);
    let per_second = evidence.per_second(count)?;
    if part < case.at(&SHARE) || per_second < case.at(&RATE) {
        return None;
    }
    let severity = if failed.goes_on() { Severity::Warning } else { Severity::Notice };
    let title = format!("{count} of {} connects were refused {}", opened.count, evidence.window());
    let waiting = counted(evidence.in_state(State::SynSent).count());
    Some(
        RULE.finding(severity, Subject::netns(), title)
            .only(Confidence::Likely, "tcpdump shows by whom: a refused connect leaves no socket")
            .with("attempt_fails", count)
            .with("active_opens", opened.count)
            .with("percent", part.round())
            .with("per_second", per_second)
            .with("syn_sent", waiting)
            .seen(format!(
                "AttemptFails grew by {count}, {per_second} a second, ActiveOpens by {} {}; {} \
                 connections wait for an answer",
                opened.count,
                evidence.window(),
                number(waiting)
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::Machine;

    fn connecting(opened: u64, failed: u64) -> Machine {
        Machine::idle().grew("Tcp.ActiveOpens", 900_000, opened).grew(
            "Tcp.AttemptFails",
            70_000,
            failed,
        )
    }

    #[test]
    fn one_in_ten_and_five_a_second() {
        assert_eq!(connecting(100, 10).severity(&RULE), Some(Severity::Warning));
        assert_eq!(connecting(101, 10).severity(&RULE), None);
        assert_eq!(connecting(9, 9).severity(&RULE), None, "a health check");
        assert_eq!(connecting(100, 0).severity(&RULE), None);
    }

    #[test]
    fn a_burst_is_noticed_and_broken_handshakes_of_clients_are_not_ours() {
        let burst =
            Machine::idle().jumped("Tcp.AttemptFails", 0, 50).grew("Tcp.ActiveOpens", 0, 50);
        assert_eq!(burst.severity(&RULE), Some(Severity::Notice));
        let scanned = connecting(100, 50).grew("TcpExt.EmbryonicRsts", 0, 45);
        assert_eq!(scanned.severity(&RULE), None);
    }
}
