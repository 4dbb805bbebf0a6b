//! `send-buffer-limited`: bulk transfers wait for room in their own send buffers.
//!
//! `tcpi_sndbuf_limited` is the part of `tcpi_busy_time` in which the send buffer, and not the
//! network or the peer, held a connection back (Linux 4.10, `tcp_chrono_start`).

use crate::{
    doctor::{
        area::Area,
        finding::{Finding, Severity},
        needs::Need,
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, number, percent},
        subject::Subject,
        threshold::Threshold,
    },
    model::{measures::Measured, outline::Outline},
};

const LIMITED: Threshold = Threshold::new(
    "limited_percent",
    30.0,
    "of the time with data to send: a third of the speed is lost",
);
const BUSY: Threshold = Threshold::new(
    "busy_percent",
    25.0,
    "of the window: short exchanges are limited by nothing for long",
);
const MANY: Threshold = Threshold::new("notice_sockets", 5.0, "one transfer may have asked for it");

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "send-buffer-limited",
    area: Area::Data,
    title: "bulk transfers wait for room in their own send buffers",
    meaning: "The path would carry more than the socket may hold unacknowledged: throughput is the \
              buffer divided by the round-trip time.",
    evidence: "sndbuf_limited of busy_time within the window, of connections that were busy \
               (tcp_info)",
    needs: &[Need::Netlink, Need::TwoLooks],
    thresholds: &[LIMITED, BUSY, MANY],
    symptoms: "Transfers over long distances are slow though neither end nor line is busy.",
    causes: &[
        "the program sets SO_SNDBUF, which switches off the kernel's own sizing",
        "the largest size of net.ipv4.tcp_wmem is small for this bandwidth and distance",
    ],
    remedies: &[
        Advice::application("Do not set SO_SNDBUF: the kernel sizes the buffer as needed", ""),
        Advice::sysctl(
            "Raise the largest size to twice the bandwidth times the round-trip time",
            "sysctl -w net.ipv4.tcp_wmem='4096 16384 16777216'",
        )
        .risking("more memory for each busy connection"),
    ],
    avoid: &[("net.core.wmem_max", "it caps SO_SNDBUF, not the kernel's own sizing")],
    false_positives: "Programs that keep the buffer small for low delay (TCP_NOTSENT_LOWAT).",
    sources: &["tcp(7) tcp_wmem", "net/ipv4/tcp_output.c tcp_chrono_start"],
    caused_by: &[],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let Some(window_s) = evidence.window_s() else { return Judgement::Found(vec![]) };
    let (busy_us, part) = (window_s * 1e6 * case.at(&BUSY) / 100.0, case.at(&LIMITED));
    let limited = |s: &&Outline| {
        let measured = evidence.measured(s);
        measured.busy_us().zip(measured.sndbuf_limited_us()).is_some_and(|(busy, limited)| {
            number(busy) >= busy_us && percent(limited, busy) >= part
        })
    };
    let groups = evidence.by_holder(evidence.tcp().filter(limited));
    let found = groups.iter().filter_map(|(party, sockets)| finding(case, party, sockets));
    found.collect::<Vec<_>>().into()
}

fn finding(case: &Case<'_, '_>, party: &Party, sockets: &[&Outline]) -> Option<Finding> {
    let evidence = case.evidence;
    let count = counted(sockets.len());
    if number(count) < case.at(&MANY) {
        return None;
    }
    let measured = || sockets.iter().map(|s| evidence.measured(s));
    let limited = measured().filter_map(Measured::sndbuf_limited_us).sum();
    let busy = measured().filter_map(Measured::busy_us).sum();
    let part = percent(limited, busy).round();
    let subject = Subject::process(party);
    let title = format!(
        "{count} transfers of {} wait for their send buffer {part} % of the time",
        subject.text
    );
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .with("connections", count)
            .with("limited_percent", part)
            .with("tcp_wmem", evidence.snapshot.settings.text("net.ipv4.tcp_wmem"))
            .seen(format!(
                "{count} connections, {part} % of their busy time {} limited by the send buffer",
                evidence.window()
            ))
            .about(sockets.iter().map(|s| s.inode())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};
    use crate::model::socket::Socket;
    use crate::model::state::State;

    fn transfer(number: u16, busy_us: u64, limited_us: u64) -> Socket {
        socket(State::Established, &format!("10.0.0.1:{}", 40_000 + number), "10.0.0.9:443")
            .info(&[("busy_time", busy_us), ("sndbuf_limited", limited_us)])
            .owned(100 + u64::from(number))
    }

    fn severity(count: u16, busy_us: u64, limited_us: u64) -> Option<Severity> {
        (0..count)
            .fold(Machine::idle(), |machine, n| {
                machine.became(transfer(n, 7, 7), transfer(n, busy_us + 7, limited_us + 7))
            })
            .severity(&RULE)
    }

    #[test]
    fn five_busy_transfers_limited_for_a_third_of_the_time() {
        // The window has two seconds.
        assert_eq!(severity(5, 500_000, 150_000), Some(Severity::Notice));
        assert_eq!(severity(4, 500_000, 150_000), None);
        assert_eq!(severity(5, 500_000, 149_000), None);
        assert_eq!(severity(5, 499_000, 499_000), None, "a short exchange");
    }

    #[test]
    fn a_transfer_that_was_limited_long_ago_is_well() {
        let machine = Machine::idle().many(9, |n| transfer(n, 9_000_000, 9_000_000));
        assert_eq!(machine.severity(&RULE), None);
    }
}
