//! The states: what each means, who must act next, how long it lasts, what a lasting one says.

use super::{
    block::{fact, text},
    owner, time_wait,
    topic::{Kind, Topic},
};
use crate::model::{owner::Unowned, state::State};

/// What is known of a state. The meanings are those of RFC 9293 section 3.3.2 in our own words.
#[derive(Debug)]
pub struct StateText {
    /// The state.
    pub state: State,
    /// What it means.
    pub meaning: &'static str,
    /// Who must act for it to end.
    pub next: &'static str,
    /// How long it normally lasts, and what sets that.
    pub lasts: &'static str,
    /// What it means when it lasts longer, and what to look at.
    pub lasting: &'static str,
    /// A command that shows it.
    pub look: &'static str,
    /// Why such a row has no process, where it may have none.
    pub unowned: Option<Unowned>,
    /// Topics to read next.
    pub see_also: &'static [&'static str],
}

/// Every state, in the order of a connection's life.
pub const STATES: &[StateText] = &[
    StateText {
        state: State::Closed,
        meaning: "There is no connection. The RFC calls it a fiction: it stands for the time \
            before a connection exists and after it is gone, and the kernel keeps nothing to list.",
        next: "Nobody.",
        lasts: "It is where every connection begins and ends.",
        lasting: "A TCP socket in a listing with this word of another tool (CLOSE, UNCONN) is \
            BOUND_INACTIVE: it has a port and no connection. An unconnected UDP socket, which the \
            kernel gives the same number, is UNCONNECTED.",
        look: "sockeye -tanB",
        unowned: None,
        see_also: &["BOUND_INACTIVE", "UNCONNECTED", "handshake", "close"],
    },
    StateText {
        state: State::Listen,
        meaning: "A server's socket that waits for connection requests from any peer. It is no \
            connection and carries no data: each accepted connection is a socket of its own, with \
            the same local port.",
        next: "A client, with a SYN; then the process, with accept(2).",
        lasts: "As long as the process keeps it open. No timer runs.",
        lasting: "Normal. What counts is its accept queue, connections that wait for accept(2). A \
            queue that stays above zero means that the process accepts too slowly; one above its \
            limit drops every new SYN in silence. Connections do not use up the port.",
        look: "sockeye -tlnp",
        unowned: None,
        see_also: &["queues", "accept-queue", "somaxconn", "client-ports", "SYN_RCVD"],
    },
    StateText {
        state: State::SynSent,
        meaning: "The process called connect(2), the kernel sent a SYN, and no fitting answer has \
            come.",
        next: "The peer: SYN and ACK accept the request, a RST refuses it (ECONNREFUSED). Until \
            then the kernel repeats the SYN.",
        lasts: "One round trip. Unanswered, connect(2) fails with ETIMEDOUT after \
            net.ipv4.tcp_syn_retries repetitions: with the default of 6 that is 131 s on kernel \
            6.5 and later, whose first repetitions come a second apart, and 127 s before.",
        lasting: "Nobody answers: the address is dead or wrong, a firewall drops the SYN or its \
            answer, or the accept queue of the peer is full. All of them to one destination: look \
            there. To many: look at this host's own network. The column `retransmits` counts the \
            repeated SYNs.",
        look: "sockeye -tanpo --sort -retransmits --limit 20",
        unowned: None,
        see_also: &["handshake", "retransmits", "retransmit", "queues", "errors"],
    },
    StateText {
        state: State::SynRcvd,
        meaning: "A connection request came in and was answered with SYN and ACK; the last ACK of \
            the handshake is missing. On Linux it is a small request in the listener's SYN queue, \
            not yet a socket.",
        next: "The client, with its ACK. Until then the kernel repeats the SYN and ACK.",
        lasts: "One round trip. Unanswered, 63 s: five repetitions, each after twice the time of \
            the one before (net.ipv4.tcp_synack_retries).",
        lasting: "A few old ones are scanners or clients behind a lossy path. Many from the same \
            network: their ACK, or this side's answer, is lost on the way; check routes and \
            firewalls both ways. Many from everywhere: a flood, or a backlog too small for honest \
            load. With a full accept queue the client believes itself connected while its request \
            waits here.",
        look: "sockeye -tan --group-by state,local.port",
        unowned: Some(Unowned::SynReceived),
        see_also: &["handshake", "queues", "LISTEN", "myth-max-syn-backlog", "myth-syn-flood-log"],
    },
    StateText {
        state: State::Established,
        meaning: "The connection is open and data can flow both ways. For UDP: connect(2) has \
            fixed the peer.",
        next: "Either side, when it has something to send or wants to close.",
        lasts: "As long as both sides want. Nothing in TCP ends an idle connection.",
        lasting: "Normal. Worth a look are: bytes that stay in the receive queue (this process \
            does not read); the timer `window-probe` (the peer does not read); the timer \
            `retransmit` with bytes in the send queue (the peer or the path is silent; the kernel \
            gives up after net.ipv4.tcp_retries2, with the default of 15 no sooner than 924 s); no \
            timer on a long idle connection (no keepalive: if the peer is gone, nothing here can \
            tell); no inode (nobody has accepted it).",
        look: "sockeye -tnpo --sort -recv_queue --limit 20",
        unowned: Some(Unowned::NotAccepted),
        see_also: &["recv_queue", "send_queue", "timers", "not-accepted", "myth-keepalive-all"],
    },
    StateText {
        state: State::CloseWait,
        meaning: "The peer has closed its side, and the kernel has acknowledged that. The program \
            here has not closed its own side.",
        next: "The process here: it must call close(2).",
        lasts: "Milliseconds in a healthy program. The kernel has no time limit for it: it lasts \
            until the process closes the socket or ends.",
        lasting: "A fault of this program, and no kernel setting helps. The receive queue says \
            which: 0, the program has read the end of the stream and forgot to close; 1, only the \
            FIN is unread, so nobody looks at this socket any more; more, data is unread too. \
            Without an inode it was never accepted: the client gave up in the accept queue. A \
            small, stable number to one peer can be a connection pool that cleans up at next use. \
            A leak ends in EMFILE.",
        look: "sockeye -tnp --group-by state,process,peer.port",
        unowned: Some(Unowned::NotAccepted),
        see_also: &["close", "recv_queue", "rlimit-nofile", "FIN_WAIT_2", "myth-close-wait-tuning"],
    },
    StateText {
        state: State::LastAck,
        meaning: "The peer closed first, then this side; the ACK of this side's FIN is missing.",
        next: "The peer's kernel, with the ACK. Until then the FIN is repeated.",
        lasts: "One round trip.",
        lasting: "The peer, or something on the path such as a firewall, forgot the connection \
            after its own FIN. It clears by itself: the kernel gives up after \
            net.ipv4.tcp_orphan_retries, about 100 s with the default (0, which means 8).",
        look: "sockeye -tnpo --sort -retransmits --limit 20",
        unowned: Some(Unowned::Orphan),
        see_also: &["close", "orphan", "tcp-max-orphans", "retransmits"],
    },
    StateText {
        state: State::FinWait1,
        meaning: "This side closed first. Its FIN is sent, or still queued behind data; the peer \
            has not acknowledged it.",
        next: "The peer's kernel, with the ACK.",
        lasts: "One round trip, when no data is queued before the FIN.",
        lasting: "The peer or the path is silent (timer `retransmit`), or the peer does not read \
            and data waits before the FIN (timer `window-probe`). The send queue counts the FIN as \
            1 byte. A process that has closed no longer owns the socket; such orphans hold their \
            unsent data in kernel memory and give up after net.ipv4.tcp_orphan_retries, about \
            100 s, unless the peer keeps answering the probes.",
        look: "sockeye -tnpo --sort -send_queue --limit 20",
        unowned: Some(Unowned::Orphan),
        see_also: &["close", "orphan", "tcp-max-orphans", "tcp-mem", "window-probe", "FIN_WAIT_2"],
    },
    StateText {
        state: State::FinWait2,
        meaning: "This side closed first and its FIN is acknowledged. The peer may still send; its \
            own FIN is missing.",
        next: "The program on the other side: it must close.",
        lasts: "Until the peer closes. If the process here has closed the socket, the kernel waits \
            net.ipv4.tcp_fin_timeout (60 s; never less than 3.5 times the retransmission timeout), in \
            a mini-socket with the timer `time-wait`. \
            If the process only called shutdown(2) and still holds the socket, there is no limit \
            but keepalive.",
        lasting: "The peer's program leaks the connection: there it is CLOSE_WAIT. Mini-sockets \
            count toward tcp_max_tw_buckets, keep their local port, and tcp_tw_reuse never takes \
            them over; here, and only here, a smaller tcp_fin_timeout is the right setting. Owned \
            ones: give the half-closed connection a time limit in the program.",
        look: "sockeye -tnpo --group-by state,timer,peer",
        unowned: Some(Unowned::TimeWait),
        see_also: &["close", "CLOSE_WAIT", "tcp-max-tw-buckets", "myth-fin-timeout", "orphan"],
    },
    StateText {
        state: State::Closing,
        meaning: "Both sides closed at the same moment: the peer's FIN came before the ACK of this \
            side's FIN.",
        next: "The peer's kernel, with that ACK; then TIME_WAIT, on both sides.",
        lasts: "One round trip. It is rare to see one.",
        lasting: "The ACK is lost or the peer is gone. It clears by itself like LAST_ACK, after \
            about 100 s.",
        look: "sockeye -tnpo --sort -retransmits --limit 20",
        unowned: Some(Unowned::Orphan),
        see_also: &["close", "LAST_ACK", "TIME_WAIT", "orphan"],
    },
    StateText {
        state: State::TimeWait,
        meaning: "The connection is closed in both directions and this side closed first. No \
            process has it; the kernel keeps only its addresses and ports, so that late segments \
            of it can be recognised.",
        next: "Nobody. A timer of the kernel ends it.",
        lasts: "60 s, fixed when the kernel is compiled; no setting changes it. The timer is coarse: measured \
            60.03 to 62.01 s at 250 ticks per second, and up to 5 s more than 60 s at other rates. A late segment of the \
            old connection starts the 60 s again.",
        lasting: "Many are normal: closes per second x 60 s. They harm only a client that runs out \
            of local ports to one destination. `sockeye time-wait` tells the two cases apart.",
        look: "sockeye time-wait",
        unowned: Some(Unowned::TimeWait),
        see_also: &[
            "2msl",
            "close",
            "ephemeral-ports",
            "tcp-max-tw-buckets",
            "age",
            "myth-fin-timeout",
            "myth-tw-reuse",
            "myths",
        ],
    },
    StateText {
        state: State::BoundInactive,
        meaning: "The program called bind(2) and has a port; it neither listens nor connects. TCP \
            has no such state: Linux lists these sockets under the number of CLOSED, and only when \
            asked (kernel 6.8 and later).",
        next: "The process: listen(2), connect(2) or close(2).",
        lasts: "Between two calls of a program, microseconds.",
        lasting: "The socket keeps its port for as long as it lives: no outgoing connection of any \
            program in this network namespace is given that port.",
        look: "sockeye -tanpB",
        unowned: None,
        see_also: &["ports", "ephemeral-ports", "CLOSED"],
    },
    StateText {
        state: State::Unconnected,
        meaning: "A UDP or raw socket without a fixed peer: it receives from anybody and names the \
            destination with each packet. Such sockets have no connection and no close.",
        next: "Nobody; the process reads and sends as it likes.",
        lasts: "As long as the process keeps it open.",
        lasting: "Normal. Bytes that stay in the receive queue, and a growing `drops`, mean that \
            the program reads too slowly. UDP ports chosen by the kernel are shared by all \
            destinations: one range for each network namespace, then EAGAIN.",
        look: "sockeye -uanp --columns state,recv_queue,drops,local,owner",
        unowned: None,
        see_also: &["recv_queue", "drops", "ports", "CLOSED"],
    },
];

/// The topics.
pub fn topics() -> impl Iterator<Item = Topic> {
    STATES.iter().map(topic)
}

fn topic(of: &StateText) -> Topic {
    let mut blocks = vec![
        text(of.meaning),
        fact("Who acts next", of.next),
        fact("Lasts", of.lasts),
        fact("A lasting one", of.lasting),
        fact("Look", format!("`{}`", of.look)),
    ];
    if let Some(why) = of.unowned.and_then(owner::text_of) {
        blocks.push(fact("Without owner", why.meaning));
    }
    blocks.push(fact("Spellings", spellings(of.state)));
    if of.state == State::TimeWait {
        blocks.extend(time_wait::article());
    }
    let mut also = vec![];
    if of.state == State::TimeWait {
        also.extend(["tw", "msl"]);
    }
    Topic {
        name: of.state.name(),
        also,
        title: of.state.meaning().to_owned(),
        kind: Kind::State,
        blocks,
        see_also: of.see_also.to_vec(),
    }
}

/// The word of each tool, and the kernel's number.
fn spellings(state: State) -> String {
    let words = [
        ("RFC 9293", state.rfc()),
        ("netstat", state.netstat()),
        ("ss", Some(state.ss())),
        ("lsof", state.lsof()),
    ];
    let words: Vec<String> = words
        .iter()
        .filter_map(|(tool, word)| word.map(|word| format!("{word} ({tool})")))
        .collect();
    format!("{}; kernel number {}", words.join(", "), state.number())
}
