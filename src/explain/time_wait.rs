//! TIME_WAIT at length, and twice the segment lifetime.

use super::{
    block::{Block, command, fact, heading, item, text},
    topic::{Kind, Topic},
};

/// What the topic of the state says beyond the facts of every state.
pub fn article() -> Vec<Block> {
    vec![
        heading("Why it exists"),
        item(
            "The last ACK may be lost. The peer, in LAST_ACK, then repeats its FIN, and somebody \
             must be there to acknowledge it again; otherwise the peer gets a RST and takes a \
             clean close for an error.",
        ),
        item(
            "Segments of the old connection may still be under way. If a new one used the same \
             addresses and ports at once, such a segment could fall into it and corrupt its data.",
        ),
        heading("Who gets it"),
        text(
            "The side that sent the first FIN, client or server alike; both when they close at \
             once. A connection that ends with a RST has none. Which program it was cannot be read \
             from the socket: no inode, no user, no cgroup is left. The cookie survives, so a tool \
             that saw the connection alive knows; otherwise the local port tells the direction.",
        ),
        heading("When it is harmless"),
        text(
            "On a server, where the local port has a listener. It takes no port, no descriptor and \
             no process: 256 bytes of kernel memory. A client that comes back from the same \
             port is accepted at once, out of TIME_WAIT (measured: 60 of 60 connections over 20 \
             ports). Thousands are no reason to tune anything.",
        ),
        heading("When it hurts"),
        text(
            "On a client that opens many short connections to one address and port, and closes \
             them first. Each keeps its local port for 60 s, so the default 28232 ports allow \
             28232 / 60 s = 470 new connections per second to that destination. Above that, \
             connect(2) fails with EADDRNOTAVAIL. Already from half the ports on it becomes slow: \
             measured on a range of 12000 ports, 0.018 ms before and 0.33 to 0.57 ms after. No \
             kernel counter shows the failure.",
        ),
        heading("What to do, in this order"),
        fact(
            "1. program",
            "Keep connections and use them again: keep-alive, a pool, upstream keep-alive in a \
             proxy. Or let the peer close first, where the peer is the one with ports to spare.",
        ),
        fact(
            "2. socket",
            "A client that binds a source address: set IP_BIND_ADDRESS_NO_PORT. Otherwise its \
             ports are taken for every destination, and its TIME_WAIT takes them from all others.",
        ),
        fact(
            "3. setting",
            "net.ipv4.tcp_tw_reuse = 1 lets connect(2) take over a TIME_WAIT that is older than \
             1 s, when both ends use timestamps: 28232 per second instead of 470. The default, 2, \
             does so only for 127.0.0.0/8 and ::1, not for this host's other addresses.",
        ),
        command("sysctl -w net.ipv4.tcp_tw_reuse=1"),
        fact(
            "4. capacity",
            "More destinations (ports or addresses of the peer), more source addresses, or a wider \
             net.ipv4.ip_local_port_range, each of which adds room.",
        ),
        heading("What not to do"),
        item("tcp_fin_timeout: it does not touch TIME_WAIT."),
        item("tcp_tw_recycle: it broke clients behind NAT and is gone since kernel 4.12."),
        item(
            "Lower tcp_max_tw_buckets: closes beyond it skip TIME_WAIT, and with it the protection.",
        ),
        item("SO_LINGER with 0 s: it sends a RST and throws unsent data away."),
        item("SO_REUSEADDR before bind(2) to port 0: it changes nothing for a client."),
        item("tcp_rfc1337 = 1: it only makes TIME_WAIT harder to end."),
    ]
}

/// Why twice, and why 60 s.
pub fn twice_msl() -> Topic {
    Topic {
        name: "2msl",
        also: vec!["twice-msl", "maximum-segment-lifetime", "two-msl"],
        title: "why TIME_WAIT lasts twice the MSL, and 60 s on Linux".into(),
        kind: Kind::Lesson,
        blocks: vec![
            text(
                "MSL, the maximum segment lifetime, is how long a segment may wander in the \
                 network before it is surely gone. RFC 9293 takes 2 minutes, an engineering \
                 choice as it says itself.",
            ),
            heading("Why twice"),
            text(
                "Take the worst case. This side sends the last ACK; it travels for almost one MSL \
                 and is lost. The peer, hearing nothing, repeats its FIN; that travels for at most \
                 one MSL more. After the two, either the FIN has come and was acknowledged again, \
                 or nothing of the old connection is left in either direction.",
            ),
            heading("Why 60 s on Linux"),
            text(
                "Twice the RFC's MSL would be 4 minutes. Linux has the constant TCP_TIMEWAIT_LEN, \
                 60 s, compiled in. No setting changes it: not tcp_fin_timeout, which ends \
                 orphaned FIN_WAIT_2, and not nf_conntrack_tcp_timeout_time_wait, which belongs to \
                 the firewall's table (120 s there).",
            ),
            fact(
                "In practice",
                "The kernel's timers are coarse: a socket is gone after 60.03 to 62.01 s (measured \
                 at 250 ticks per second; mean 60.99 s). Until then its remaining time reads 0. At other \
                 rates up to 5 s are added.",
            ),
            heading("What ends it sooner"),
            item(
                "A new SYN from the peer with a higher sequence number or a newer timestamp, when \
                 a listener is there: always.",
            ),
            item("An own connect(2), where net.ipv4.tcp_tw_reuse allows it, after 1 s."),
            item("A fitting RST, unless net.ipv4.tcp_rfc1337 is 1."),
            heading("What makes it longer"),
            item("A late segment of the old connection: the 60 s begin again."),
        ],
        see_also: vec!["TIME_WAIT", "close", "age", "myth-four-minutes", "myth-fin-timeout"],
    }
}
