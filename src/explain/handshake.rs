//! How a connection opens.

use super::{
    block::{drawing, heading, item, text},
    exchange::{
        Exchange,
        Segment::{Both, Left, Nothing, Right},
        Step,
    },
    topic::{Kind, Topic},
};
use crate::model::state::State::{Established, Listen, SynRcvd, SynSent};

/// The three segments.
pub static OPEN: Exchange = Exchange {
    left: "CLIENT",
    right: "SERVER",
    steps: &[
        Step { left: (None, ""), segment: Nothing, right: (Some(Listen), "") },
        Step { left: (None, "connect(2)"), segment: Nothing, right: (None, "") },
        Step {
            left: (Some(SynSent), ""),
            segment: Right("1  SYN"),
            right: (Some(SynRcvd), "(SYN queue)"),
        },
        Step {
            left: (Some(Established), ""),
            segment: Left("2  SYN + ACK"),
            right: (Some(SynRcvd), ""),
        },
        Step {
            left: (Some(Established), ""),
            segment: Right("3  ACK"),
            right: (Some(Established), "(accept queue)"),
        },
        Step { left: (None, ""), segment: Nothing, right: (None, "accept(2)") },
        Step {
            left: (Some(Established), ""),
            segment: Nothing,
            right: (Some(Established), "(owned)"),
        },
    ],
};

/// Both sides open at once.
pub static SIMULTANEOUS: Exchange = Exchange {
    left: "ONE SIDE",
    right: "OTHER SIDE",
    steps: &[
        Step { left: (None, "connect(2)"), segment: Nothing, right: (None, "connect(2)") },
        Step { left: (Some(SynSent), ""), segment: Both("SYN"), right: (Some(SynSent), "") },
        Step { left: (Some(SynRcvd), ""), segment: Both("SYN+ACK"), right: (Some(SynRcvd), "") },
        Step { left: (Some(Established), ""), segment: Nothing, right: (Some(Established), "") },
    ],
};

/// The topic.
pub fn topic() -> Topic {
    Topic {
        name: "handshake",
        also: vec!["open", "connect", "syn", "three-way", "three-way-handshake"],
        title: "how a connection opens, and which side is in which state".into(),
        kind: Kind::Lesson,
        blocks: vec![
            drawing(&OPEN),
            text(
                "Each line shows the state of a side after it has sent or received the segment. \
                 The client is connected one trip before the server: after segment 2 it may send \
                 data at once.",
            ),
            heading("Why three segments"),
            text(
                "Each side chooses a first sequence number, and each must know that the other has \
                 it. That is two numbers and two acknowledgements, four messages; the server sends \
                 its number and its acknowledgement together, so three segments remain. With two, \
                 the server would take every old SYN that the network delivers late for a new \
                 connection, and would never learn that nobody is there.",
            ),
            heading("Where the server keeps it"),
            item(
                "SYN_RCVD is a request of about 320 bytes in the listener's SYN queue. It belongs \
                 to no process: inode and user are unknown.",
            ),
            item(
                "With the last ACK it becomes ESTABLISHED and waits in the accept queue, still \
                 without a process (owner: not-accepted), until the program calls accept(2).",
            ),
            item(
                "When the SYN queue is full and net.ipv4.tcp_syncookies is on (the default), the \
                 server answers with a cookie and keeps nothing: no SYN_RCVD row exists until the \
                 ACK comes back.",
            ),
            heading("When it does not finish"),
            item("A RST answers the SYN: nobody listens there. connect(2): ECONNREFUSED."),
            item(
                "Nothing answers: the address is dead, a firewall drops, or the accept queue of \
                 the server is full, which drops the SYN in silence. The kernel repeats the SYN; \
                 with default settings connect(2) fails with ETIMEDOUT after 131 s (127 s before \
                 kernel 6.5).",
            ),
            item(
                "No local port is free: connect(2) fails at once with EADDRNOTAVAIL and no \
                 segment is sent.",
            ),
            heading("Both at once"),
            drawing(&SIMULTANEOUS),
            text(
                "Two sides that connect to each other at the same moment make one connection; \
                 nobody listens. It is rare, and it is how a program that keeps trying a local \
                 port inside the ephemeral range can end up connected to itself.",
            ),
        ],
        see_also: vec!["close", "queues", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "errors"],
    }
}
