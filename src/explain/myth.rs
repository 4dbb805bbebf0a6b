//! What is often said of connections and is not so: claim, truth, proof.

use super::{
    block::{fact, heading, text},
    topic::{Kind, Topic},
};

/// A myth.
#[derive(Debug)]
pub struct Myth {
    /// Its topic name.
    pub name: &'static str,
    /// Other words that lead to it: its number, kernel settings.
    pub also: &'static [&'static str],
    /// What is said.
    pub claim: &'static str,
    /// What is so.
    pub truth: &'static str,
    /// How that is known.
    pub proof: &'static str,
    /// Topics to read next, beside `myths`.
    pub see_also: &'static [&'static str],
}

/// Every myth.
pub const MYTHS: &[Myth] = &[
    Myth {
        name: "myth-fin-timeout",
        also: &["M1", "fin-timeout", "tcp_fin_timeout"],
        claim: "tcp_fin_timeout shortens TIME_WAIT",
        truth: "It bounds FIN_WAIT_2 sockets that their process has closed, and nothing else. \
            TIME_WAIT is 60 s, compiled into the kernel.",
        proof: "Measured with tcp_fin_timeout at 5, 3 and 1: after the peer's FIN every socket was \
            in TIME_WAIT with its 60 s.",
        see_also: &["TIME_WAIT", "FIN_WAIT_2", "2msl"],
    },
    Myth {
        name: "myth-tw-recycle",
        also: &["M2", "tw-recycle", "tcp_tw_recycle"],
        claim: "set tcp_tw_recycle = 1",
        truth: "It dropped the SYNs of clients behind a NAT in silence, and is gone since kernel \
            4.12. A line for it in sysctl.d is dead: remove it.",
        proof: "The setting exists in kernel 4.9 and not in 4.14 or later.",
        see_also: &["TIME_WAIT", "ephemeral-ports"],
    },
    Myth {
        name: "myth-tw-reuse",
        also: &["M3", "tw-reuse", "tcp_tw_reuse", "tcp_tw_reuse_delay"],
        claim: "tcp_tw_reuse = 1 helps a busy server with its TIME_WAIT",
        truth: "It concerns outgoing connect(2) only. It needs timestamps on both ends and a \
            TIME_WAIT older than 1 s (tcp_tw_reuse_delay since about kernel 6.14). The default, 2, \
            does the same for 127.0.0.0/8 and ::1. It does nothing for FIN_WAIT_2 and for clients \
            that bind before they connect.",
        proof: "Measured, 20 ports full of TIME_WAIT, outside loopback: with 0 and with 2 none \
            could connect again, with 1 all 20 after 1 s.",
        see_also: &["TIME_WAIT", "ephemeral-ports", "ports"],
    },
    Myth {
        name: "myth-tw-buckets",
        also: &["M4", "tw-buckets-low"],
        claim: "lower tcp_max_tw_buckets to cure TIME_WAIT",
        truth: "Closes beyond the limit skip TIME_WAIT and lose its protection; those that exist \
            stay. The kernel's documentation says that it must not be lowered.",
        proof: "Measured, limit 10, 25 closes: 10 TIME_WAIT, 15 overflows, and 15 RSTs sent to \
            peers whose FIN found no socket.",
        see_also: &["tcp-max-tw-buckets", "TIME_WAIT"],
    },
    Myth {
        name: "myth-tw-overflow-log",
        also: &["M5", "tw-overflow-log", "TCPTimeWaitOverflow"],
        claim: "the kernel log tells when the TIME_WAIT table overflows",
        truth: "Only the counter TCPTimeWaitOverflow does, whatever the documentation says.",
        proof: "Measured on kernel 6.18: 50 overflows, no line in the log.",
        see_also: &["tcp-max-tw-buckets"],
    },
    Myth {
        name: "myth-linger-zero",
        also: &["M6", "linger-zero", "so_linger", "linger"],
        claim: "SO_LINGER with 0 s is the way to avoid TIME_WAIT",
        truth: "It sends a RST instead of a FIN, throws unsent data away, and the peer gets \
            ECONNRESET. It is right only where the data is known to have arrived.",
        proof: "Measured: no TIME_WAIT, and TCPAbortOnData counts each.",
        see_also: &["close", "TIME_WAIT"],
    },
    Myth {
        name: "myth-time-wait-cost",
        also: &["M7", "time-wait-cost"],
        claim: "each TIME_WAIT costs 4 KB, a descriptor, or a place for a connection",
        truth: "It takes 256 bytes of kernel memory, up to 512 on the client's side, and neither a \
            descriptor nor a process: 100,000 are 25 to 50 MB.",
        proof: "The size of the kernel object tw_sock_TCP: 256 bytes; a client's bind buckets: 128 \
            each.",
        see_also: &["TIME_WAIT", "memory"],
    },
    Myth {
        name: "myth-65535-server",
        also: &["M8", "65535-server", "max-connections"],
        claim: "a server can hold at most 65535 connections, and TIME_WAIT uses them up",
        truth: "All connections of a server share its one port. Distinct are the peers: 65535 \
            ports for each client address. What limits a server is descriptors and memory.",
        proof: "Measured: 300 connections through 50 client ports, with TIME_WAIT of each on the \
            server: none failed. A server whose ephemeral range had 10 ports accepted 500 of 500.",
        see_also: &["4-tuple", "client-ports", "rlimit-nofile", "memory"],
    },
    Myth {
        name: "myth-65535-client",
        also: &["M9", "65535-client", "28232"],
        claim: "a machine can open at most 65535 (or 28232) connections",
        truth: "That holds for each combination of source address, destination address and \
            destination port. Another destination has all ports again. For UDP sockets whose port \
            the kernel chooses it is true: one range for all destinations.",
        proof: "Measured, 90 usable ports: 90 to one destination, 90 more to another, 90 more from \
            another source address.",
        see_also: &["ports", "ephemeral-ports", "4-tuple"],
    },
    Myth {
        name: "myth-64511-ports",
        also: &["M10", "64511-ports", "64511"],
        claim: "without the ports below 1024 a client has 64511",
        truth: "It has what net.ipv4.ip_local_port_range says, 28232 by default, without the \
            reserved ports and those held by bind(2) or listen(2) on any address.",
        proof: "Measured: with the default range 28232 to one destination; each listener inside \
            the range takes one away.",
        see_also: &["ports", "ephemeral-ports"],
    },
    Myth {
        name: "myth-ports-last-one",
        also: &["M11", "ports-last-one", "parity"],
        claim: "until the last port is taken, all is fine",
        truth: "At half the range connect(2) becomes slow, because it searches the first half of \
            the ports before it tries the second.",
        proof: "Measured on 12000 ports to one destination: 0.018 ms below 50 %, 0.33 to 0.57 ms \
            above.",
        see_also: &["ports", "ephemeral-ports"],
    },
    Myth {
        name: "myth-port-counter",
        also: &["M12", "port-counter", "attemptfails"],
        claim: "netstat -s shows when the ports run out",
        truth: "No counter of the kernel moves when connect(2) fails with EADDRNOTAVAIL. It must \
            be computed from the sockets.",
        proof: "Measured on kernel 6.18: AttemptFails and all others stayed the same.",
        see_also: &["ephemeral-ports", "errors"],
    },
    Myth {
        name: "myth-reuseaddr-client",
        also: &["M13", "reuseaddr-client"],
        claim: "SO_REUSEADDR helps a client that runs out of ports",
        truth: "It concerns bind(2). A client that binds its address with port 0 needs \
            IP_BIND_ADDRESS_NO_PORT (kernel 4.2); one that does not bind needs neither.",
        proof: "Measured, 90 ports, bind to port 0: 90 to one destination and none to a second, \
            with and without SO_REUSEADDR; 90 and 90 with IP_BIND_ADDRESS_NO_PORT.",
        see_also: &["ports", "ephemeral-ports"],
    },
    Myth {
        name: "myth-reuseaddr-restart",
        also: &["M14", "reuseaddr-restart", "so_reuseaddr"],
        claim: "with SO_REUSEADDR a server can always restart during TIME_WAIT",
        truth: "Only if the process before it had set it too.",
        proof: "Measured, bind(2) on a port with TIME_WAIT: it works when both had the option and \
            fails in the three other cases.",
        see_also: &["TIME_WAIT", "errors"],
    },
    Myth {
        name: "myth-somaxconn-alone",
        also: &["M15", "somaxconn-alone"],
        claim: "raise somaxconn and the accept queue grows",
        truth: "The queue gets the smaller of somaxconn and the number the program gives to \
            listen(2), at the moment of that call. The program must ask for more and be restarted.",
        proof: "Measured: a listener keeps its limit when somaxconn changes, until it calls \
            listen(2) again.",
        see_also: &["somaxconn", "accept-queue", "queues"],
    },
    Myth {
        name: "myth-max-syn-backlog",
        also: &["M16", "max-syn-backlog", "tcp_max_syn_backlog"],
        claim: "tcp_max_syn_backlog is the size of the SYN queue",
        truth: "The SYN queue has the limit of the accept queue. tcp_max_syn_backlog counts only \
            while tcp_syncookies is 0.",
        proof: "Measured, 30 SYNs: with cookies on, tcp_max_syn_backlog 8 and listen(100), all 30 \
            were kept; with cookies off, 7.",
        see_also: &["queues", "SYN_RCVD"],
    },
    Myth {
        name: "myth-abort-on-overflow",
        also: &["M17", "abort-on-overflow", "tcp_abort_on_overflow"],
        claim: "tcp_abort_on_overflow = 1 makes a full accept queue visible as RST",
        truth: "A full queue drops the SYN first, in silence. A RST comes only for a request whose \
            last ACK meets a queue that has filled meanwhile.",
        proof: "Measured: 48 overflows, no RST.",
        see_also: &["accept-queue", "queues"],
    },
    Myth {
        name: "myth-syn-flood-log",
        also: &["M18", "syn-flood-log", "syn-flood"],
        claim: "the log line Possible SYN flooding means an attack",
        truth: "It means that the SYN queue of one listener was full once; it is said once for \
            each listener. Often the backlog is too small for honest load.",
        proof: "SyncookiesRecv against SyncookiesSent: when at least half of the cookies come \
            back, the clients are real.",
        see_also: &["queues", "SYN_RCVD"],
    },
    Myth {
        name: "myth-listen-send-q",
        also: &["M19", "listen-send-q"],
        claim: "Send-Q of a listener is its SYN backlog",
        truth: "It is the limit of its accept queue; Recv-Q is how many wait in that queue.",
        proof: "Measured: listen(0), (1) and (5) show 0, 1 and 5, and are full at 1, 2 and 6.",
        see_also: &["queues", "accept_queue", "accept_queue_limit"],
    },
    Myth {
        name: "myth-keepalive-all",
        also: &["M20", "keepalive-all", "tcp_keepalive_time"],
        claim: "tcp_keepalive_time protects all connections",
        truth: "Only those whose program has set SO_KEEPALIVE, and not while sent data waits for \
            its ACK.",
        proof: "An idle connection shows the timer `keepalive` when the option is set, and no \
            timer when it is not.",
        see_also: &["keepalive", "ESTABLISHED", "timers"],
    },
    Myth {
        name: "myth-keepalive-enough",
        also: &["M21", "keepalive-enough", "tcp_retries2", "tcp_user_timeout"],
        claim: "keepalive finds every dead peer",
        truth: "While data is unacknowledged, net.ipv4.tcp_retries2 decides: 924 s at least with \
            the default of 15. A peer that answers but does not read holds the connection for \
            ever. The socket option TCP_USER_TIMEOUT bounds both.",
        proof: "The socket shows the timer `retransmit` or `window-probe` then, not `keepalive`.",
        see_also: &["retransmit", "window-probe", "keepalive"],
    },
    Myth {
        name: "myth-close-wait-tuning",
        also: &["M22", "close-wait-tuning"],
        claim: "CLOSE_WAIT can be tuned away",
        truth: "It is a fault of the program, which does not close; the kernel has no time limit \
            for it. Keepalive may make the row disappear, and the descriptor stays taken.",
        proof: "Measured: with keepalive and a peer that is gone, the row vanished and the \
            descriptor remained open.",
        see_also: &["CLOSE_WAIT", "rlimit-nofile"],
    },
    Myth {
        name: "myth-conntrack-time-wait",
        also: &["M23", "conntrack-time-wait", "nf_conntrack_tcp_timeout_time_wait"],
        claim: "nf_conntrack_tcp_timeout_time_wait shortens TIME_WAIT",
        truth: "It belongs to the table of the firewall, which has a TIME_WAIT of its own, 120 s. \
            The socket keeps its 60 s.",
        proof: "Two tables: /proc/sys/net/netfilter and the sockets.",
        see_also: &["nf-conntrack-max", "TIME_WAIT"],
    },
    Myth {
        name: "myth-host-sysctl",
        also: &["M24", "host-sysctl"],
        claim: "the host's sysctl settings apply in containers",
        truth: "Settings of a network namespace (port range, tcp_tw_reuse, somaxconn, keepalive) \
            begin in each new one with the compiled-in defaults. Set them for the container.",
        proof: "Measured: a new namespace takes the value neither of the host nor of its parent.",
        see_also: &["ephemeral-ports", "somaxconn"],
    },
    Myth {
        name: "myth-wide-port-range",
        also: &["M25", "wide-port-range", "port-range"],
        claim: "ip_local_port_range = 1024 65535 costs nothing",
        truth: "Outgoing connections then take ports that services want, and such a service fails \
            at its restart with EADDRINUSE. Begin above the services, or reserve their ports in \
            net.ipv4.ip_local_reserved_ports.",
        proof: "Measured: SO_REUSEADDR of the server does not help against a connection on its \
            port.",
        see_also: &["ports", "ephemeral-ports"],
    },
    Myth {
        name: "myth-time-wait-side",
        also: &["M26", "time-wait-side"],
        claim: "TIME_WAIT is on the client (or on the server) by nature",
        truth: "It is on the side that sends the first FIN, whichever that is; on both, when they \
            close at the same moment.",
        proof: "Measured: a server that closes first has it on its own port; a simultaneous close \
            leaves one on each side.",
        see_also: &["close", "TIME_WAIT"],
    },
    Myth {
        name: "myth-rfc1337",
        also: &["M27", "rfc1337", "tcp_rfc1337"],
        claim: "tcp_rfc1337 = 1 makes a server safer",
        truth: "With 0, the default, a fitting RST ends a TIME_WAIT. With 1 it does not, so a \
            client that meets its old TIME_WAIT may be held up for as long as 60 s.",
        proof: "Measured: a RST with the expected sequence number ends the TIME_WAIT with 0; with \
            1 it stays.",
        see_also: &["TIME_WAIT", "2msl"],
    },
    Myth {
        name: "myth-sockstat-tw",
        also: &["M28", "sockstat-tw"],
        claim: "the figure tw in /proc/net/sockstat is the number of TIME_WAIT",
        truth: "It counts FIN_WAIT_2 mini-sockets too.",
        proof: "Measured: close(2) without the peer's FIN makes a FIN_WAIT_2 that is counted in \
            `tw`.",
        see_also: &["FIN_WAIT_2", "tcp-max-tw-buckets"],
    },
    Myth {
        name: "myth-sockstat-scope",
        also: &["M29", "sockstat-scope", "sockstat"],
        claim: "sockstat in a container describes the container",
        truth: "`orphan`, `alloc` and `mem` are those of the whole host; `inuse` and `tw` are the \
            container's.",
        proof: "Kernel source, and measured in a new namespace.",
        see_also: &["tcp-max-orphans", "tcp-mem"],
    },
    Myth {
        name: "myth-tcp-mem-bytes",
        also: &["M30", "tcp-mem-bytes"],
        claim: "tcp_mem is in bytes",
        truth: "It is in pages, 4 KiB on most machines; tcp_rmem and tcp_wmem are in bytes. Byte \
            values in tcp_mem are far too large, and page values in the others far too small.",
        proof: "Kernel documentation; `mem` in /proc/net/sockstat is in pages too.",
        see_also: &["tcp-mem"],
    },
    Myth {
        name: "myth-limits-conf",
        also: &["M31", "limits-conf", "limits.conf"],
        claim: "limits.conf raises the descriptors of a systemd service",
        truth: "It holds for logins through PAM. A service needs LimitNOFILE= in its unit.",
        proof: "/proc/PID/limits of the running process shows what it has.",
        see_also: &["rlimit-nofile"],
    },
    Myth {
        name: "myth-orphan-retries",
        also: &["M32", "orphan-retries", "tcp_orphan_retries"],
        claim: "tcp_orphan_retries = 0 means no repetition",
        truth: "0 is the default and is treated as 8 while the peer is alive: about 100 s.",
        proof: "Kernel source, 6.18.",
        see_also: &["orphan", "LAST_ACK", "FIN_WAIT_1"],
    },
    Myth {
        name: "myth-kill-time-wait",
        also: &["M33", "kill-time-wait"],
        claim: "a TIME_WAIT cannot be killed",
        truth: "SOCK_DESTROY (`ss -K`, `sockeye kill`) ends it, since kernel 6.1. It takes away \
            the protection, so it is no habit to have.",
        proof: "Measured: it is gone, no RST is sent, no counter moves.",
        see_also: &["TIME_WAIT"],
    },
    Myth {
        name: "myth-tuple-blocked",
        also: &["M34", "tuple-blocked"],
        claim: "for 60 s nobody can use the same 4-tuple again",
        truth: "A client that binds that very port, with SO_REUSEADDR on the old socket and on the \
            new one, can connect at once, if both ends use timestamps; and a listener accepts a \
            new SYN at once.",
        proof: "Measured with tcp_tw_reuse = 0 and in less than 1 s: all connections succeeded.",
        see_also: &["4-tuple", "TIME_WAIT", "2msl"],
    },
    Myth {
        name: "myth-four-minutes",
        also: &["M35", "four-minutes"],
        claim: "TIME_WAIT on Linux lasts 4 minutes, twice the MSL of the RFC",
        truth: "It lasts 60 s. The RFC's MSL is 2 minutes; Linux does not use it.",
        proof: "The constant TCP_TIMEWAIT_LEN; measured 60.03 to 62.01 s.",
        see_also: &["2msl", "TIME_WAIT"],
    },
];

/// The topics: all of them in short, and one for each.
pub fn topics() -> Vec<Topic> {
    let mut blocks = vec![text(
        "Each is often read and often repeated. `sockeye explain NAME` gives the proof.",
    )];
    for of in MYTHS {
        blocks.push(heading(of.name));
        blocks.push(fact("Said", of.claim));
        blocks.push(fact("True", of.truth));
    }
    let mut topics = vec![Topic {
        name: "myths",
        also: vec!["myth"],
        title: "what is often said of connections and is not so".into(),
        kind: Kind::Myth,
        blocks,
        see_also: vec!["TIME_WAIT", "ports", "queues"],
    }];
    topics.extend(MYTHS.iter().map(|of| Topic {
        name: of.name,
        also: of.also.to_vec(),
        title: format!("often said, and not so: {}", of.claim),
        kind: Kind::Myth,
        blocks: vec![fact("True", of.truth), fact("Proof", of.proof)],
        see_also: of.see_also.iter().copied().chain(["myths"]).collect(),
    }));
    topics
}
