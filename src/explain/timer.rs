//! The timers of a socket.

use super::{
    block::{fact, text},
    topic::{Kind, Topic},
};
use crate::model::timer::TimerKind;

/// What is known of a timer.
#[derive(Debug)]
pub struct TimerText {
    /// The timer.
    pub kind: TimerKind,
    /// One line.
    pub title: &'static str,
    /// When it runs and what happens when it fires.
    pub meaning: &'static str,
    /// What sets its length.
    pub lasts: &'static str,
    /// What it says when it runs for long.
    pub lasting: &'static str,
    /// Topics to read next.
    pub see_also: &'static [&'static str],
}

/// Every timer.
pub const TIMERS: &[TimerText] = &[
    TimerText {
        kind: TimerKind::Retransmit,
        title: "something was sent and is not acknowledged",
        meaning: "It runs while a SYN, data or a FIN waits for its ACK. When it fires, the oldest \
            segment is sent again and the time doubles. A SYN_RCVD row repeats its SYN and ACK by \
            it.",
        lasts: "The retransmission timeout (`rto`), made from the measured round-trip time.",
        lasting: "`retransmits` at 2 or more: the peer or the path does not answer. With data, the \
            kernel gives up after net.ipv4.tcp_retries2: by default no sooner than 924 s.",
        see_also: &["rto", "retransmits", "backoff", "SYN_SENT", "FIN_WAIT_1"],
    },
    TimerText {
        kind: TimerKind::Keepalive,
        title: "the connection is idle and will be probed",
        meaning: "It runs on an idle connection whose program has set SO_KEEPALIVE. When it fires, \
            a probe is sent; `retransmits` counts those that stay unanswered.",
        lasts: "net.ipv4.tcp_keepalive_time (2 h), then probes every tcp_keepalive_intvl (75 s), \
            tcp_keepalive_probes times (9), unless the program sets its own.",
        lasting: "Unanswered probes: the peer is gone or unreachable. An idle connection without \
            this timer has no keepalive, and a dead peer will never be noticed on it.",
        see_also: &["probes", "ESTABLISHED", "myth-keepalive-all", "myth-keepalive-enough"],
    },
    TimerText {
        kind: TimerKind::TimeWait,
        title: "a mini-socket waits to be freed",
        meaning: "It runs on TIME_WAIT, and on a FIN_WAIT_2 that its process has closed; on \
            nothing else. When it fires, the socket is gone.",
        lasts: "60 s in TIME_WAIT. In FIN_WAIT_2 net.ipv4.tcp_fin_timeout, or TCP_LINGER2 of the \
            socket.",
        lasting: "It may read 0 for a few seconds: the kernel's timers are coarse.",
        see_also: &["TIME_WAIT", "FIN_WAIT_2", "age"],
    },
    TimerText {
        kind: TimerKind::WindowProbe,
        title: "the peer takes no more data and is asked again",
        meaning: "The peer announced a window of zero, because its program does not read. When the \
            timer fires, the peer is asked whether that has changed, and the time doubles.",
        lasts: "From the retransmission timeout upwards, doubled with each probe.",
        lasting: "The program on the other side is slow or stuck. As long as its kernel answers \
            the probes, this never ends by itself: only a time limit in the program, or \
            TCP_USER_TIMEOUT, ends it.",
        see_also: &["send_queue", "snd_wnd", "rwnd_limited", "probes"],
    },
];

/// The topics: one for all, and one for each whose word is not a state's.
pub fn topics() -> Vec<Topic> {
    let mut blocks = vec![text(
        "At most one is shown for a socket: while sent data waits for its ACK, keepalive is not. \
         No timer on an idle connection means that it has no keepalive.",
    )];
    blocks.extend(TIMERS.iter().map(|of| {
        fact(of.kind.name(), format!("{} {} {}", sentence(of.title), of.lasts, of.lasting))
    }));
    blocks.push(fact("Look", "`sockeye -tano`"));
    let mut topics = vec![Topic {
        name: "timers",
        also: vec![],
        title: "the timers of a socket, and what each says".into(),
        kind: Kind::Timer,
        blocks,
        see_also: vec!["timer", "timer.expires", "retransmits", "rto"],
    }];
    let own = |of: &&TimerText| crate::model::state::State::parse(of.kind.name()).is_none();
    topics.extend(TIMERS.iter().filter(own).map(|of| Topic {
        name: of.kind.name(),
        also: match of.kind {
            TimerKind::WindowProbe => vec!["persist", "zero-window", "zero-window-probe"],
            TimerKind::Retransmit => vec!["retransmission", "on"],
            _ => vec![],
        },
        title: of.title.to_owned(),
        kind: Kind::Timer,
        blocks: vec![text(of.meaning), fact("Lasts", of.lasts), fact("A lasting one", of.lasting)],
        see_also: std::iter::once("timers").chain(of.see_also.iter().copied()).collect(),
    }));
    topics
}

/// A title as a sentence.
fn sentence(title: &str) -> String {
    let mut letters = title.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
