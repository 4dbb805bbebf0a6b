//! What waits in a socket.

use super::{
    block::{fact, heading, item, text},
    topic::{Kind, Topic},
};

/// The four queues that two headings hide.
pub fn topic() -> Topic {
    Topic {
        name: "queues",
        also: vec!["queue", "backlog", "syn-queue", "recv-q", "send-q"],
        title: "what waits in a socket: accept queue, SYN queue, Recv-Q, Send-Q".into(),
        kind: Kind::Lesson,
        blocks: vec![
            text(
                "Other tools print two numbers, Recv-Q and Send-Q, that mean one thing on a \
                 listener and another on a connection. sockeye keeps them apart.",
            ),
            heading("On a connection: bytes"),
            fact(
                "recv_queue",
                "Bytes that have arrived and that the program has not read. An unread FIN counts \
                 as 1. If it stays above zero, look at this program.",
            ),
            fact(
                "send_queue",
                "Bytes the program has sent and the peer has not acknowledged, sent or not yet \
                 sent. A queued SYN or FIN counts as 1. If it stays above zero, look at the peer \
                 or the path; the timer tells which.",
            ),
            heading("On a listener: connections"),
            fact(
                "accept queue",
                "Connections whose handshake is done and that wait for accept(2). Its limit is \
                 min(the number given to listen(2), net.core.somaxconn), fixed when listen(2) is \
                 called. The kernel refuses above the limit, so limit + 1 fit: listen(0) holds 1.",
            ),
            fact(
                "SYN queue",
                "Requests that wait for the last ACK: the SYN_RCVD rows of that port. The same \
                 number is its limit, with one more since about kernel 6.14. It is not \
                 net.ipv4.tcp_max_syn_backlog, which counts only while tcp_syncookies is 0.",
            ),
            heading("When the accept queue is full"),
            item(
                "Every new SYN is dropped in silence. The client stays in SYN_SENT, repeats, and \
                 gets in as soon as there is room; after 131 s it fails with ETIMEDOUT.",
            ),
            item(
                "A request whose last ACK meets the full queue stays SYN_RCVD, while its client \
                 believes itself connected.",
            ),
            item(
                "Each drop adds 1 to ListenOverflows and ListenDrops of the network namespace, and \
                 1 to `drops` of the listener (kernel 4.9), which tells which one it was.",
            ),
            heading("When the SYN queue is full"),
            item(
                "With tcp_syncookies = 1, the default, the kernel answers with a cookie and keeps \
                 nothing (TCPReqQFullDoCookies). With 0 it drops the SYN (TCPReqQFullDrop).",
            ),
            text(
                "With SO_REUSEPORT each listener has both queues of its own. /proc/net/tcp does \
                 not tell the limit; netlink does.",
            ),
            fact("Look", "`sockeye -tlnp`"),
        ],
        see_also: vec![
            "accept-queue",
            "somaxconn",
            "recv_queue",
            "send_queue",
            "LISTEN",
            "SYN_RCVD",
            "myth-somaxconn-alone",
            "myth-listen-send-q",
        ],
    }
}
