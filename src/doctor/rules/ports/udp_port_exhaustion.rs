//! `udp-port-exhaustion`: UDP sockets have taken nearly all ports of the range.
//!
//! An automatic UDP port is bound before the destination is known (`udp_lib_get_port`), and so is
//! taken for every destination: one range for the namespace. connect(2) and sendto(2) then fail
//! with EAGAIN. TCP and UDP do not take ports from each other.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::outline::Outline,
};
use std::collections::BTreeSet;

const NOTICE: Threshold = Threshold::new("notice_percent", 50.0, "half of the range");
const WARNING: Threshold =
    Threshold::new("warning_percent", 75.0, "a burst of questions takes the rest");
const CRITICAL: Threshold = Threshold::new(
    "critical_percent",
    90.0,
    "the search for a free one takes longer and then fails",
);

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "udp-port-exhaustion",
    area: Area::Ports,
    title: "UDP sockets have taken nearly all ports of the range",
    meaning: "Each UDP socket with an automatic port holds it against every destination: when the \
              range is used up no program here can open another.",
    evidence: "distinct local ports of UDP sockets inside net.ipv4.ip_local_port_range",
    needs: &[Need::PortRange],
    thresholds: &[NOTICE, WARNING, CRITICAL],
    symptoms: "connect() or sendto() on UDP fails with EAGAIN (11); names are not resolved.",
    causes: &[
        "a resolver or client that opens a socket for each question and closes it late or never",
        "a QUIC client for each request",
        "many programs that each hold a socket, with a narrow range",
    ],
    remedies: &[
        Advice::application(
            "Use one UDP socket for many questions, and close those that are done",
            "",
        ),
        Advice::sysctl(
            "Widen the range, with services below it or reserved",
            "sysctl -w net.ipv4.ip_local_port_range='15000 64999'",
        )
        .risking("services that listen inside the new range may find their port taken"),
    ],
    avoid: &[
        ("net.ipv4.tcp_tw_reuse", "UDP has no TIME_WAIT"),
        (
            "SO_REUSEADDR for clients",
            "two sockets then share a port, and one gets the answers of the other",
        ),
    ],
    false_positives: "A media server that binds a range of its own on purpose.",
    sources: &["net/ipv4/udp.c udp_lib_get_port", "udp(7) EAGAIN"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    Judgement::from(found(case))
}

fn found(case: &Case<'_, '_>) -> Option<Finding> {
    let evidence: &Evidence<'_> = case.evidence;
    let settings = &evidence.snapshot.settings;
    let range = settings.port_range()?;
    let reserved = settings.reserved_ports();
    let is_usable = |port: &u16| reserved.as_ref().is_none_or(|set| !set.contains(*port));
    let taken_out = reserved.as_ref().map_or(0, |set| set.count_in(range.clone()));
    let usable = counted(range.len()) - u64::from(taken_out);
    let in_range: Vec<&Outline> =
        evidence.udp().filter(|s| range.contains(&s.local.port)).collect();
    let ports: BTreeSet<u16> = in_range.iter().map(|s| s.local.port).filter(is_usable).collect();
    let count = counted(ports.len());
    let levels = [
        (Severity::Notice, &NOTICE),
        (Severity::Warning, &WARNING),
        (Severity::Critical, &CRITICAL),
    ];
    let part = percent(count, usable);
    let severity = case.severity(part, &levels)?;
    let holders = evidence.by_holder(in_range.iter().copied());
    let (party, of_first) = holders.first()?;
    let most = counted(of_first.len());
    // One that has most of them is the one to mend.
    let subject = if most * 2 >= counted(in_range.len()) {
        Subject::process(party)
    } else {
        Subject::netns()
    };
    let title =
        format!("{count} of {usable} UDP ports are taken ({part:.0} %), most by {}", party.text());
    Some(
        RULE.finding(severity, subject, title)
            .with("ports_in_use", count)
            .with("ports_usable", usable)
            .with("sockets", counted(in_range.len()))
            .with("sockets_of_first", most)
            .seen(format!(
                "{} UDP sockets on {count} ports of {}-{}; {most} of them {}",
                in_range.len(),
                range.start(),
                range.end(),
                party.text()
            ))
            .about(in_range.iter().map(|s| s.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::state::State;

    fn asking(count: u16, reserved: &str) -> Machine {
        let question = |n: u16| {
            socket(State::Established, &format!("10.0.0.1:{}", 46_000 + n), "10.0.0.2:53")
                .udp()
                .owned(100 + u64::from(n))
        };
        Machine::idle()
            .set("net.ipv4.ip_local_port_range", "46000 46199")
            .set("net.ipv4.ip_local_reserved_ports", reserved)
            .many(count, question)
            .process(900, "resolver", 100..100 + u64::from(count), (9, 4096))
    }

    #[test]
    fn the_part_of_the_range_decides() {
        assert_eq!(asking(99, "").severity(&RULE), None);
        assert_eq!(asking(100, "").severity(&RULE), Some(Severity::Notice));
        assert_eq!(asking(150, "").severity(&RULE), Some(Severity::Warning));
        assert_eq!(asking(180, "").severity(&RULE), Some(Severity::Critical));
        // Half of the range is reserved.
        assert_eq!(asking(100, "46100-46199").severity(&RULE), Some(Severity::Critical));
    }

    #[test]
    fn tcp_and_ports_outside_the_range_take_nothing() {
        let tcp =
            |n: u16| socket(State::Established, &format!("10.0.0.1:{}", 46_000 + n), "10.0.0.2:53");
        let below =
            |n: u16| socket(State::Closed, &format!("0.0.0.0:{}", 5_000 + n), "0.0.0.0:0").udp();
        let machine = asking(50, "").many(150, tcp).many(150, below);
        assert_eq!(machine.severity(&RULE), None);
    }

    #[test]
    fn whoever_has_most_is_named() {
        assert_eq!(asking(190, "").findings(&RULE)[0].subject.text, "resolver[900]");
    }
}
