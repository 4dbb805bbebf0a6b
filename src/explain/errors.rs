//! What a program sees when a connection fails.

use super::{
    block::{fact, text},
    topic::{Kind, Topic},
};

/// Error name, number on Linux, and what it says.
pub const ERRORS: &[(&str, &str)] = &[
    (
        "EADDRNOTAVAIL",
        "99, connect(2): no local port is free for this destination. bind(2): this host does not \
         have that address.",
    ),
    (
        "EADDRINUSE",
        "98, bind(2) or listen(2): the port is held, by a listener, by a connection, or by a \
         TIME_WAIT, unless the old socket and the new one both have SO_REUSEADDR.",
    ),
    ("EAGAIN", "11, connect(2) or send of UDP: no local UDP port is free."),
    ("ECONNREFUSED", "111, connect(2): a RST answered the SYN; nobody listens there."),
    (
        "ETIMEDOUT",
        "110: the SYN, or data, or keepalive probes stayed unanswered until the kernel gave up.",
    ),
    ("ECONNRESET", "104: the peer, or something on the path, sent a RST."),
    ("EPIPE", "32: a write after the peer's RST, or after this side closed for sending."),
    (
        "EMFILE",
        "24: the process has no descriptor left. From accept(2) the connection stays in the accept \
         queue.",
    ),
    ("ENFILE", "23: the host has no open file left."),
    ("ECONNABORTED", "103: somebody destroyed the connection, as `ss -K` does."),
    ("ENOBUFS", "105: no memory for the socket, or the neighbour table is full."),
    ("EHOSTUNREACH", "113: no route, or no answer to ARP, or an ICMP message said so."),
    ("EPERM", "1, send of UDP: the firewall refused it, a full connection-tracking table too."),
];

/// The topic.
pub fn topic() -> Topic {
    let mut blocks =
        vec![text("The error a program gets is the first evidence, and each has few causes.")];
    blocks.extend(ERRORS.iter().map(|(name, meaning)| fact(name, *meaning)));
    Topic {
        name: "errors",
        also: ["errno", "error"].into_iter().chain(ERRORS.iter().map(|e| e.0)).collect(),
        title: "what a program sees when a connection fails, and why".into(),
        kind: Kind::Lesson,
        blocks,
        see_also: vec!["ephemeral-ports", "rlimit-nofile", "accept-queue", "handshake", "close"],
    }
}
