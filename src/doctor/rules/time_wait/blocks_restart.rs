//! `time-wait-blocks-restart`: a service that stopped may not be able to bind its port again.
//!
//! bind(2) fails with EADDRINUSE while a TIME_WAIT of the port lacks SO_REUSEADDR: both the process
//! that ended and the one that starts must have set it before bind (measured: old without and new
//! with fails as well).

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Confidence, Finding, Severity},
        needs::Need,
        rule::{Advice, Case, Judgement, Rule},
        share::counted,
        subject::Subject,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "time-wait-blocks-restart",
    area: Area::TimeWait,
    title: "a service that stopped may not be able to bind its port again",
    meaning: "Nothing listens on this port any more, and closed connections of it are still in \
              TIME_WAIT. Unless the old process and the new one set SO_REUSEADDR, the new one \
              cannot bind for up to a minute.",
    evidence: "a listener of the first look that is gone at the last, and TIME_WAIT with its port",
    needs: &[Need::TwoLooks],
    thresholds: &[],
    symptoms: "`bind: address already in use` (EADDRINUSE, 98) for up to 60 s after a restart.",
    causes: &["the server does not set SO_REUSEADDR before bind"],
    remedies: &[
        Advice::application(
            "Set SO_REUSEADDR before bind; it takes effect from the second restart on",
            "int on = 1;\nsetsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);\nbind(fd, ...);",
        ),
        Advice::capacity("Let systemd hold the listening socket (socket activation)", ""),
    ],
    avoid: &[
        ("SO_REUSEPORT", "it lets two copies of the service run"),
        ("ss -K state time-wait", "it takes the protection away that TIME_WAIT is for"),
    ],
    false_positives: "A service that was stopped for good; one that does set SO_REUSEADDR.",
    sources: &["socket(7) SO_REUSEADDR", "net/ipv4/inet_connection_sock.c inet_csk_bind_conflict"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence: &Evidence<'_> = case.evidence;
    let stopped = evidence.ports_not_listened_on_any_more();
    stopped.into_iter().filter_map(|port| finding(evidence, port)).collect::<Vec<_>>().into()
}

fn finding(evidence: &Evidence<'_>, port: u16) -> Option<Finding> {
    let left: Vec<&Outline> =
        evidence.in_state(State::TimeWait).filter(|s| s.local.port == port).collect();
    let last = left.iter().filter_map(|s| s.timer).map(|timer| timer.expires_ms).max()? / 1000;
    let at = Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED.into(), port);
    let count = counted(left.len());
    let title = format!("nothing listens on port {port} any more, {count} TIME_WAIT of it remain");
    Some(
        RULE.finding(Severity::Warning, Subject::listener(at, vec![]), title)
            .only(Confidence::Possible, "start it again: EADDRINUSE is the proof")
            .with("port", port)
            .with("time_wait", count)
            .with("last_ends_in_s", last)
            .seen(format!(
                "port {port} had a listener at the first look and has none at the last; {count} \
                 TIME_WAIT, the last ends in {last} s"
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;

    fn listener() -> Socket {
        socket(State::Listen, "0.0.0.0:7000", "0.0.0.0:0").owned(7)
    }

    fn left() -> Socket {
        socket(State::TimeWait, "10.0.0.1:7000", "10.0.0.9:40000")
    }

    #[test]
    fn a_listener_that_is_gone_and_what_it_left() {
        let stopped = Machine::idle().gone(listener()).both(left()).findings(&RULE);
        assert_eq!(stopped[0].severity, Severity::Warning);
        assert_eq!(stopped[0].subject.text, ":7000");
        assert_eq!(stopped[0].evidence["last_ends_in_s"], 30);
    }

    #[test]
    fn one_that_listens_on_or_left_nothing_is_well() {
        assert_eq!(Machine::idle().both(listener()).both(left()).severity(&RULE), None);
        assert_eq!(Machine::idle().gone(listener()).severity(&RULE), None);
        // A new process has taken over: a restart that worked.
        let again = socket(State::Listen, "0.0.0.0:7000", "0.0.0.0:0").owned(8);
        let machine = Machine::idle().gone(listener()).newly(again).both(left());
        assert_eq!(machine.severity(&RULE), None);
    }
}
