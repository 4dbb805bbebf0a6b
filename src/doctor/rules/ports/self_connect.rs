//! `self-connect`: a program is connected to itself.
//!
//! connect(2) to a local port inside the ephemeral range, where nothing listens, may choose that
//! very port for its own end: two SYNs that cross are a lawful handshake (RFC 9293, simultaneous
//! open), here with oneself.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Finding, Severity},
        rule::{Advice, Case, Judgement, Rule},
        subject::Subject,
    },
    model::{outline::Outline, state::State},
    report::remedy::Remedy,
};

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "self-connect",
    area: Area::Ports,
    title: "a program is connected to itself",
    meaning: "Both ends of this connection are the same address and port: the program reads what \
              it writes. It believes that its server is up, and holds the server's port.",
    evidence: "open connections whose local and peer ends are equal",
    needs: &[],
    thresholds: &[],
    symptoms: "A service seems up on a dead port and echoes requests; the real server fails to \
               start with EADDRINUSE (98).",
    causes: &[
        "a loop that reconnects to a local port inside net.ipv4.ip_local_port_range while nothing \
         listens there",
    ],
    remedies: &[Advice::application(
        "After connect compare both ends and close where they are equal; let the server \
             listen on a port below the range",
        "if (getsockname == getpeername) close(fd);",
    )],
    avoid: &[(
        "SO_REUSEADDR at the server",
        "a port that a connection holds cannot be listened on",
    )],
    false_positives: "None: no program means to do this.",
    sources: &["RFC 9293 section 3.5", "net/ipv4/tcp_input.c tcp_rcv_synsent_state_process"],
    caused_by: &["service-port-in-ephemeral-range", "port-range-too-wide"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let own = |s: &&Outline| s.local.canonical() == s.remote.canonical();
    let found = case.evidence.in_state(State::Established).filter(own);
    found.map(|socket| finding(case.evidence, socket)).collect::<Vec<_>>().into()
}

fn finding(evidence: &Evidence<'_>, socket: &Outline) -> Finding {
    let end = socket.local.canonical();
    let subject = Subject::destination(end, evidence.holders(socket));
    let title = format!("connected to itself: {}", subject.text);
    let reserve = Remedy {
        text: format!("Keep the kernel from choosing port {} for connections", end.port),
        command: Some(format!(
            "sysctl -w net.ipv4.ip_local_reserved_ports={}",
            reserved(evidence, end.port)
        )),
        ..Advice::sysctl("", "").remedy()
    };
    RULE.finding(Severity::Warning, subject, title)
        .with("local", end.to_string())
        .with("peer", socket.remote.canonical().to_string())
        .seen(format!("ESTABLISHED from {end} to {end}"))
        .advise([reserve])
        .about([socket.inode()])
}

/// The list with this port added: setting it replaces the old one.
fn reserved(evidence: &Evidence<'_>, port: u16) -> String {
    match evidence.snapshot.settings.text("net.ipv4.ip_local_reserved_ports").map(str::trim) {
        Some(list) if !list.is_empty() => format!("{list},{port}"),
        _ => port.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    #[test]
    fn equal_ends_are_one_program() {
        let own = socket(State::Established, "127.0.0.1:45004", "127.0.0.1:45004").owned(7);
        let machine = Machine::idle()
            .both(own)
            .process(900, "agent", [7], (9, 1024))
            .set("net.ipv4.ip_local_reserved_ports", "9000-9009");
        let findings = machine.findings(&RULE);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].subject.text, "agent[900] to 127.0.0.1:45004");
        let command = findings[0].remedies.last().unwrap().command.as_deref();
        assert_eq!(command, Some("sysctl -w net.ipv4.ip_local_reserved_ports=9000-9009,45004"));
    }

    #[test]
    fn two_ends_of_one_machine_are_two_programs() {
        let machine = Machine::idle()
            .both(socket(State::Established, "127.0.0.1:45004", "127.0.0.1:45005"))
            .both(socket(State::TimeWait, "127.0.0.1:45006", "127.0.0.1:45006"));
        assert_eq!(machine.severity(&RULE), None);
    }
}
