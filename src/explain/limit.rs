//! The limits, by the ids that `capacity` uses.

use super::{
    block::{Block, fact, heading, item, text},
    topic::{Kind, Topic},
};

/// What is known of a limit.
#[derive(Debug)]
pub struct LimitText {
    /// Its id (`binding_limit`, `limits[].id`).
    pub id: &'static str,
    /// Kernel names that lead here.
    pub also: &'static [&'static str],
    /// One line.
    pub title: &'static str,
    /// What it bounds.
    pub bounds: &'static str,
    /// For whom it holds.
    pub scope: &'static str,
    /// Where its value and its use are read.
    pub read: &'static str,
    /// What a program sees when it is hit.
    pub seen: &'static str,
    /// How to prove that it was hit.
    pub proof: &'static str,
    /// How to raise it.
    pub raise: &'static str,
    /// What was measured, or that it was not.
    pub measured: &'static [&'static str],
    /// Topics to read next.
    pub see_also: &'static [&'static str],
}

/// Every limit.
pub const LIMITS: &[LimitText] = &[
    LimitText {
        id: "rlimit-nofile",
        also: &["nofile", "ulimit", "emfile-limit", "file-descriptors"],
        title: "descriptors of one process",
        bounds: "The descriptor numbers a process may use: each must be below the soft limit. \
            Every connection it accepts or opens takes one. The hard limit is as far as the \
            process may raise the soft one by itself.",
        scope: "The process (its threads share it).",
        read: "\"Max open files\" in /proc/PID/limits; the use is the number of entries in \
            /proc/PID/fd that are below it.",
        seen: "EMFILE from accept(2), socket(2) or open(2). A connection that cannot be accepted \
            stays in the accept queue: its client is connected and waits.",
        proof: "As many entries in /proc/PID/fd as the limit, and an accept queue that grows.",
        raise: "systemd: LimitNOFILE=65536 in the unit. A container: its ulimit option. A running \
            process: `prlimit --pid PID --nofile=65536:65536`. limits.conf holds for logins, not \
            for services. First see that it is no leak: CLOSE_WAIT.",
        measured: &[
            "Limit 64, 5 descriptors open: 59 connections accepted, then EMFILE; 41 of 100 clients \
             stayed in the accept queue.",
            "The limit is on the number, not on the count: with 20 descriptors above 500, a limit \
             lowered to 64 still left room for 59.",
        ],
        see_also: &["fs-nr-open", "accept-queue", "CLOSE_WAIT", "errors", "myth-limits-conf"],
    },
    LimitText {
        id: "fs-file-max",
        also: &["file-max", "file-nr", "enfile-limit"],
        title: "open files of the host",
        bounds: "Open files of all processes together. Each socket with a descriptor is one.",
        scope: "The host. A process with CAP_SYS_ADMIN in the first user namespace is exempt.",
        read: "/proc/sys/fs/file-nr: the first number is the use, the third the limit.",
        seen: "ENFILE.",
        proof: "The kernel log: \"VFS: file-max limit N reached\".",
        raise: "`sysctl -w fs.file-max=N` on the host.",
        measured: &[
            "Not measured, because it would disturb the whole host: read in the kernel source.",
        ],
        see_also: &["rlimit-nofile", "fs-nr-open", "errors"],
    },
    LimitText {
        id: "fs-nr-open",
        also: &["nr_open"],
        title: "the highest limit on descriptors a process can have",
        bounds: "How far RLIMIT_NOFILE of any process can be raised.",
        scope: "The host.",
        read: "/proc/sys/fs/nr_open.",
        seen: "EPERM from setrlimit(2) for a higher value; EMFILE beyond it. A service whose \
            configured limit is higher does not get it.",
        proof: "Compare the value in the unit or ulimit with /proc/PID/limits and this setting.",
        raise: "`sysctl -w fs.nr_open=N`, then raise RLIMIT_NOFILE.",
        measured: &["Not measured: read in the kernel source."],
        see_also: &["rlimit-nofile", "fs-file-max"],
    },
    LimitText {
        id: "ephemeral-ports",
        also: &["ip_local_port_range", "ip_local_reserved_ports", "port-exhaustion"],
        title: "local ports for connections to one destination",
        bounds: "Simultaneous connections from one source address to one destination address and \
            port: the ports of net.ipv4.ip_local_port_range, without those reserved and those held \
            by bind(2) or listen(2). Every state counts, TIME_WAIT too. For a client that binds \
            its address first, the same number holds for all destinations together.",
        scope: "The network namespace, for each (source address, destination address, destination \
            port).",
        read: "/proc/sys/net/ipv4/ip_local_port_range and ip_local_reserved_ports; the use from a \
            list of the sockets. In a container, its own values count.",
        seen: "EADDRNOTAVAIL from connect(2); EADDRINUSE from bind(2) to port 0; EAGAIN for UDP.",
        proof: "Only by counting: no kernel counter moves. `sockeye capacity --to ADDRESS:PORT`.",
        raise: "Use connections again; net.ipv4.tcp_tw_reuse = 1 for TIME_WAIT; \
            IP_BIND_ADDRESS_NO_PORT for clients that bind; more destinations or source addresses; \
            a wider range of even size, with the ports of services reserved.",
        measured: &[
            "Default range, one destination: 28232 connections, then EADDRNOTAVAIL.",
            "Range of 100 with 10 reserved: 90 to one destination, 90 more to a second, 90 more \
             from a second source address.",
            "A range of odd size yields its size or one less: of 99 ports, 99 in seven runs and 98 \
             in one.",
            "connect(2) takes 0.018 ms while less than half the range is in use to a destination, \
             0.33 to 0.57 ms above (12000 ports).",
            "Closing first, 100 ports: tcp_tw_reuse = 1 gave 100 new connections per second; 0 \
             gave 100 in all.",
        ],
        see_also: &[
            "ports",
            "4-tuple",
            "TIME_WAIT",
            "errors",
            "myth-65535-client",
            "myth-ports-last-one",
        ],
    },
    LimitText {
        id: "tcp-mem",
        also: &["tcp_mem"],
        title: "memory for data queued in all TCP sockets",
        bounds: "Data queued in all TCP sockets of the host, unread and unsent, in pages of memory \
            (4 KiB on most machines). Idle connections count nothing.",
        scope: "The host. In a container the setting is not there, and the limit holds all the \
            same.",
        read: "/proc/sys/net/ipv4/tcp_mem: three numbers, low, pressure, maximum. The use is `mem` \
            in /proc/net/sockstat, which is the host's in every namespace.",
        seen: "Above the second number buffers shrink; above the third senders wait or get EAGAIN, \
            received data is dropped, and closed sockets are ended with a RST.",
        proof: "TCPMemoryPressures, TCPAbortOnMemory and PruneCalled grow; the kernel log: \"out \
            of memory -- consider tuning tcp_mem\".",
        raise: "First find who does not read: large recv_queue and send_queue. Then \
            `sysctl -w net.ipv4.tcp_mem=\"LOW PRESSURE MAX\"` on the host, in pages.",
        measured: &[
            "4000 idle connections: 0 pages. 1000 unread bytes in each: 0.96 page for each \
             connection, the same in three runs.",
        ],
        see_also: &["memory", "recv_queue", "send_queue", "tcp-max-orphans", "myth-tcp-mem-bytes"],
    },
    LimitText {
        id: "memory",
        also: &["memory.max", "memcg", "oom", "ram"],
        title: "memory of the host or of the container",
        bounds: "Kernel memory of the sockets, and what the program keeps for each connection, \
            which is often much more.",
        scope: "The cgroup (container, service) and every cgroup above it; in the end the host.",
        read: "memory.max and memory.current of the cgroup (memory.limit_in_bytes in cgroup v1); \
            MemAvailable in /proc/meminfo.",
        seen: "No error: the kernel kills a process of the cgroup (SIGKILL).",
        proof: "oom_kill in memory.events (v2) or memory.oom_control (v1) grows; the kernel log \
            names the process.",
        raise: "Less memory for each connection in the program; then a higher limit of the \
            container or service (MemoryMax= in systemd).",
        measured: &[
            "An idle TCP socket with its descriptor: 3625 bytes of kernel memory; about 1.4 KiB of \
             an accepted one is charged to the server's cgroup.",
            "A TIME_WAIT: 256 bytes, up to 512 where it is the last user of its local port.",
            "A cgroup of 40 MB: the process was killed after about 10,500 sockets.",
        ],
        see_also: &["tcp-mem", "rlimit-nofile", "pids-max", "myth-time-wait-cost"],
    },
    LimitText {
        id: "nf-conntrack-max",
        also: &["nf_conntrack_max", "conntrack", "nf_conntrack"],
        title: "connections the firewall can track",
        bounds: "Entries of the connection-tracking table. Every connection through or from this \
            host is one, also over loopback, as soon as a firewall rule tracks connections.",
        scope: "One value for the host, compared with the entries of each network namespace.",
        read: "/proc/sys/net/netfilter/nf_conntrack_max and nf_conntrack_count. A count of 0: it \
            is not active here.",
        seen: "A new TCP connection: its SYN is dropped, ETIMEDOUT in the end. UDP: EPERM from \
            sendto(2). Existing connections go on.",
        proof: "`drop` and `early_drop` in /proc/net/stat/nf_conntrack; the kernel log: \
            \"nf_conntrack: table full, dropping packet\".",
        raise: "`sysctl -w net.netfilter.nf_conntrack_max=N` on the host; or do not track the busy \
            port (notrack). An entry takes 256 bytes.",
        measured: &[
            "A table of 262144, filled: exactly 262144 entries, 200 more refused; connect(2) timed \
             out, UDP got EPERM, an existing connection went on.",
            "A closed connection stays 120 s in this table, twice as long as TIME_WAIT: 262144 / \
             120 s allows 2184 closes per second.",
        ],
        see_also: &["errors", "SYN_SENT", "TIME_WAIT", "myth-conntrack-time-wait"],
    },
    LimitText {
        id: "tcp-max-tw-buckets",
        also: &["tcp_max_tw_buckets", "tw-buckets"],
        title: "sockets in TIME_WAIT",
        bounds: "Mini-sockets of a network namespace: TIME_WAIT, and FIN_WAIT_2 whose process has \
            closed it; IPv4 and IPv6 together.",
        scope: "The network namespace (the host before kernel 4.14).",
        read: "/proc/sys/net/ipv4/tcp_max_tw_buckets; the use is `tw` in /proc/net/sockstat.",
        seen: "Nothing. The next socket to close skips TIME_WAIT and is gone at once, without its \
            protection. A late segment is answered with a RST.",
        proof: "TCPTimeWaitOverflow grows. The kernel log says nothing.",
        raise: "`sysctl -w net.ipv4.tcp_max_tw_buckets=262144`. It costs 256 to 512 bytes for each \
            TIME_WAIT that exists. Never lower it to be rid of TIME_WAIT.",
        measured: &[
            "Limit 10, 25 closes: exactly 10 TIME_WAIT, 15 overflows, 15 RSTs sent.",
            "The default is half the entries of the table of connections: 131072 on the machine \
             measured, enough for about 2150 closes per second.",
        ],
        see_also: &[
            "TIME_WAIT",
            "FIN_WAIT_2",
            "myth-tw-buckets",
            "myth-tw-overflow-log",
            "myth-sockstat-tw",
        ],
    },
    LimitText {
        id: "tcp-max-orphans",
        also: &["tcp_max_orphans"],
        title: "closed sockets that still have something to send",
        bounds: "Orphans: sockets in FIN_WAIT_1, CLOSING and LAST_ACK whose process has closed \
            them.",
        scope: "The host. In a container the setting is not there, and the limit holds all the \
            same.",
        read: "/proc/sys/net/ipv4/tcp_max_orphans; the use is `orphan` in /proc/net/sockstat, \
            which is the host's in every namespace.",
        seen: "The program sees nothing. The orphan is ended with a RST, and its peer loses the \
            end of the data.",
        proof: "TCPAbortOnMemory grows; the kernel log: \"too many orphaned sockets\".",
        raise: "Send less before closing, with shorter send timeouts; then \
            `sysctl -w net.ipv4.tcp_max_orphans=N` on the host. Never lower it.",
        measured: &[
            "Not measured, because it would disturb the whole host: read in the kernel source. \
             Orphans that look suspicious count two or four times, so it can act below its value.",
        ],
        see_also: &["orphan", "FIN_WAIT_1", "LAST_ACK", "tcp-mem", "myth-sockstat-scope"],
    },
    LimitText {
        id: "somaxconn",
        also: &["net.core.somaxconn"],
        title: "the largest accept queue a program may ask for",
        bounds: "The number given to listen(2): the kernel takes the smaller of the two.",
        scope: "The network namespace; a container has its own, which begins with the default.",
        read: "/proc/sys/net/core/somaxconn. Default 4096 since kernel 5.4, 128 before. What a \
            listener has got is its `accept_queue_limit`.",
        seen: "Nothing at listen(2). Later the accept queue is smaller than the program asked.",
        proof: "A listener whose `accept_queue_limit` equals somaxconn although its program asks \
            for more.",
        raise: "`sysctl -w net.core.somaxconn=N`, then restart the program: the value is taken \
            when listen(2) is called. It does nothing for a program that asks for less.",
        measured: &[
            "somaxconn 4096: listen(100000) and listen(-1) give 4096, listen(0) gives 0, which \
             still holds one connection.",
        ],
        see_also: &["accept-queue", "queues", "accept_queue_limit", "myth-somaxconn-alone"],
    },
    LimitText {
        id: "accept-queue",
        also: &["backlog-full", "listenoverflows", "listendrops"],
        title: "connections that wait for accept(2)",
        bounds: "Connections of one listener whose handshake is done and that the program has not \
            accepted: limit + 1 fit, because the kernel compares with \"greater than\".",
        scope: "The listener; with SO_REUSEPORT each has its own.",
        read: "`accept_queue` and `accept_queue_limit` of the LISTEN row (netlink; /proc does not \
            tell the limit).",
        seen: "The server sees nothing. The client stays in SYN_SENT, its connect(2) takes \
            seconds and ends with ETIMEDOUT.",
        proof: "`accept_queue` above `accept_queue_limit`; `drops` of that listener, ListenOverflows \
            and ListenDrops grow.",
        raise: "First find why the program does not accept: busy, blocked, or out of descriptors. \
            Then ask for a larger backlog in its configuration, raise somaxconn to that, restart.",
        measured: &[
            "listen(0), listen(1), listen(5): full with 1, 2 and 6 connections.",
            "5 waiting clients: 5 drops at first, 20 after 3.2 s, counted by the listener.",
            "A queue of 65535 took 28232 connections while the server held no descriptor.",
        ],
        see_also: &["queues", "somaxconn", "rlimit-nofile", "drops", "myth-abort-on-overflow"],
    },
    LimitText {
        id: "pids-max",
        also: &["pids.max", "rlimit-nproc", "threads-max"],
        title: "processes and threads of a container or user",
        bounds: "Processes and threads of a cgroup. It bounds connections only for programs that \
            start one for each.",
        scope: "The cgroup (container, service); RLIMIT_NPROC does the same for a user.",
        read: "pids.max and pids.current of the cgroup.",
        seen: "EAGAIN from fork(2) or from the start of a thread.",
        proof: "`max` in pids.events grows.",
        raise: "TasksMax= in systemd, the pids limit of the container; better, a program that \
            serves many connections with one thread.",
        measured: &["Not measured: kernel documentation."],
        see_also: &["memory", "rlimit-nofile"],
    },
    LimitText {
        id: "epoll-max-user-watches",
        also: &["max_user_watches", "epoll"],
        title: "descriptors that epoll may watch",
        bounds: "Descriptors that all epoll instances of one user watch together. Hardly ever the \
            first limit: by default a twenty-fifth of the memory may go into it.",
        scope: "Each user of the host.",
        read: "/proc/sys/fs/epoll/max_user_watches. The use is the number of \"tfd:\" lines in \
            /proc/PID/fdinfo over all processes of the user; `capacity` does not count them.",
        seen: "ENOSPC from epoll_ctl(2), after the connection was accepted.",
        proof: "As many \"tfd:\" lines as the limit.",
        raise: "`sysctl -w fs.epoll.max_user_watches=N` on the host.",
        measured: &[
            "Not measured, because it would disturb the whole host: read in the kernel source.",
        ],
        see_also: &["rlimit-nofile", "memory", "errors"],
    },
    LimitText {
        id: "client-ports",
        also: &["65535"],
        title: "connections from one client address to one listener",
        bounds: "Connections to one listening address and port from one client address: the \
            client's ports are all that can differ, 65535 at most, and in practice as many as its \
            own ephemeral range has.",
        scope: "Each (client address, listening address, listening port).",
        read: "Nothing to read: it follows from the 4-tuple. The client's range is on the client.",
        seen: "The client sees EADDRNOTAVAIL. This host sees nothing.",
        proof: "One peer address, such as a proxy or a NAT gateway, holds tens of thousands of \
            this listener's connections.",
        raise: "More client addresses, or more listening addresses or ports.",
        measured: &[
            "A server with an ephemeral range of 10 ports accepted 500 of 500 connections: the \
             range of the server does not matter.",
        ],
        see_also: &["4-tuple", "LISTEN", "ephemeral-ports", "myth-65535-server"],
    },
];

/// The topics.
pub fn topics() -> impl Iterator<Item = Topic> {
    LIMITS.iter().map(|of| Topic {
        name: of.id,
        also: of.also.to_vec(),
        title: of.title.to_owned(),
        kind: Kind::Limit,
        blocks: blocks(of),
        see_also: of.see_also.to_vec(),
    })
}

fn blocks(of: &LimitText) -> Vec<Block> {
    let mut blocks = vec![
        text(of.bounds),
        fact("Scope", of.scope),
        fact("Read it", of.read),
        fact("When it is hit", of.seen),
        fact("The proof", of.proof),
        fact("Raise it", of.raise),
        heading("Measured"),
    ];
    blocks.extend(of.measured.iter().map(|measured| item(*measured)));
    blocks
}
