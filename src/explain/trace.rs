//! Events: where they come from, what each source cannot see, and how a line of them reads.

use super::{
    block::{command, fact, heading, item, text},
    topic::{Kind, Topic},
};

/// The topic.
pub fn topic() -> Topic {
    Topic {
        name: "trace",
        also: vec!["events", "event", "tracepoint", "inet_sock_set_state", "missed"],
        title: "events: where they come from, and what is not among them".to_owned(),
        kind: Kind::Lesson,
        blocks: vec![
            text(
                "`sockeye trace` prints a line for each thing that happens to a socket: it is \
                 opened, it changes its state, it is closed. A closed one has its lifetime, the \
                 bytes that were sent and received, the round-trip time, the segments sent again \
                 and who held it. Polling misses connections that live shorter than its interval; \
                 events do not.",
            ),
            heading("Where they come from"),
            fact(
                "tracepoint",
                "sock:inet_sock_set_state of the kernel, as root, without eBPF: every change of a \
                 TCP state, at its time.",
            ),
            fact(
                "destroy",
                "what the kernel announces to everybody when a TCP or UDP socket is freed, with \
                 the last of its counters. No right is needed.",
            ),
            fact("poll", "two looks at the table, compared. Always possible, and it sees least."),
            text(
                "As root the first two are joined: the states of the one, the totals of the other. \
                 Without the right to the tracepoint the last two are, and that is said. \
                 `--events-from` chooses.",
            ),
            heading("What is not told"),
            item(
                "The SYN. The kernel makes a socket of a connection when the handshake is over, so \
                 that the steps to SYN_RCVD and from there to ESTABLISHED come together.",
            ),
            item(
                "The end of TIME_WAIT. Its beginning is told, and named: the kernel calls it \
                 CLOSE, and what became of the socket is looked up.",
            ),
            item("With looks: whatever came and went between two of them."),
            heading("Whose it is"),
            text(
                "The tracepoint tells of every network namespace of the host and does not say of \
                 which. A socket is taken for this one's when its table has it, or when it \
                 announces its end; until then its events wait, so that they may come late but \
                 always with their own time.",
            ),
            text(
                "The task that the kernel names with an event is whoever ran, often the receiver \
                 of somebody else's packet. It is taken for the owner only where its own call made \
                 the change: from CLOSED to SYN_SENT or LISTEN, from ESTABLISHED to FIN_WAIT_1, from \
                 CLOSE_WAIT to LAST_ACK. Where nobody is known for certain, nobody is named.",
            ),
            heading("Events that were lost"),
            text(
                "`missed` says how many are not told, and why: the kernel's buffer was overwritten \
                 before it was read (buffer-overwritten), there was no room for announcements \
                 (announcements-lost), or nothing told of which namespace they are \
                 (namespace-unknown). A narrower filter does not help: it is asked after the \
                 events are read. A processor with less to do does.",
            ),
            heading("Try it"),
            command("sockeye trace -t --for 10"),
            command("sockeye trace 'dport = :5432' --ndjson"),
            command("sockeye trace 'state = TIME_WAIT' --limit 20"),
        ],
        see_also: vec!["handshake", "close", "TIME_WAIT", "2msl"],
    }
}
