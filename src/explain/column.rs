//! The columns, from the one table of them, with what else there is to say.

use super::{
    block::{Block, fact, heading, text},
    owner,
    topic::{Kind, Topic},
};
use crate::{
    field::{
        self,
        definition::{Field, Reader},
        need::Need,
    },
    model::{owner::Unowned, tcp_info::TcpField},
};

/// A trap of a column: what its summary has no room for, and what to read next.
#[derive(Debug)]
pub struct ColumnNote {
    /// The column.
    pub id: &'static str,
    /// What to know.
    pub note: &'static str,
    /// Topics to read next.
    pub see_also: &'static [&'static str],
}

/// Notes on columns that have a trap.
pub const NOTES: &[ColumnNote] = &[
    ColumnNote {
        id: "state",
        note: "Filters accept every tool's spelling; output has one.",
        see_also: &["handshake", "close"],
    },
    ColumnNote {
        id: "state_number",
        note: "7 is CLOSED, BOUND_INACTIVE or, for UDP, UNCONNECTED; 12, a request, is told as 3.",
        see_also: &["state"],
    },
    ColumnNote {
        id: "recv_queue",
        note: "In CLOSE_WAIT: 0, the program has read the end and does not close; 1, only the FIN \
            is unread; more, data is unread too.",
        see_also: &["queues", "CLOSE_WAIT"],
    },
    ColumnNote {
        id: "send_queue",
        note: "A SYN_SENT shows 1, the SYN. Bytes that stay, with the timer `window-probe`: the \
            peer does not read; with `retransmit`: nobody answers.",
        see_also: &["queues", "window-probe", "retransmit"],
    },
    ColumnNote {
        id: "accept_queue",
        note: "Shown as waiting/limit. It is full at limit + 1.",
        see_also: &["accept-queue", "queues"],
    },
    ColumnNote {
        id: "accept_queue_limit",
        note: "Fixed when the program calls listen(2); a later change of somaxconn does not move \
            it.",
        see_also: &["somaxconn", "queues"],
    },
    ColumnNote {
        id: "local",
        note: "This host's end, whoever connected.",
        see_also: &["4-tuple", "peer"],
    },
    ColumnNote {
        id: "peer",
        note: "The other end, whoever connected.",
        see_also: &["4-tuple", "local"],
    },
    ColumnNote {
        id: "inode",
        note: "The kernel gives numbers out again after a close: it is no identity over time. The \
            cookie is.",
        see_also: &["cookie", "owner"],
    },
    ColumnNote {
        id: "cookie",
        note: "The same number from SYN_RCVD to TIME_WAIT: a socket that was seen alive can be \
            known in TIME_WAIT.",
        see_also: &["TIME_WAIT", "inode"],
    },
    ColumnNote {
        id: "uid",
        note: "The kernel fills in 0 on TIME_WAIT and SYN_RCVD; that is not root, and nothing is \
            shown.",
        see_also: &["user", "owner_unknown"],
    },
    ColumnNote {
        id: "timer",
        note: "No timer on an idle connection means that it has no keepalive.",
        see_also: &["timers"],
    },
    ColumnNote {
        id: "timer.expires",
        note: "0 for a few seconds on a TIME_WAIT is lawful: the kernel's timers are coarse.",
        see_also: &["timers", "age"],
    },
    ColumnNote {
        id: "retransmits",
        note: "In SYN_SENT and SYN_RCVD the repeated SYNs; with the timer `keepalive` the \
            unanswered probes.",
        see_also: &["timers", "SYN_SENT"],
    },
    ColumnNote {
        id: "age",
        note: "A TIME_WAIT lasts 60 s, so the time left tells when it began: exact to about 4 ms. \
            A late segment starts the 60 s again, so it is a lower bound.",
        see_also: &["TIME_WAIT", "2msl"],
    },
    ColumnNote {
        id: "drops",
        note: "On a listener it counts connection requests that its full accept queue refused: the \
            only counter that tells which listener it was.",
        see_also: &["accept-queue", "UNCONNECTED"],
    },
    ColumnNote {
        id: "lock_backlog",
        note: "Not the backlog of listen(2): bytes that arrived while a process held the socket's \
            lock.",
        see_also: &["accept_queue_limit"],
    },
    ColumnNote {
        id: "unacked",
        note: "On a listener the kernel puts the accept queue here.",
        see_also: &["accept_queue"],
    },
    ColumnNote {
        id: "sacked",
        note: "On a listener the kernel puts the limit of the accept queue here.",
        see_also: &["accept_queue_limit"],
    },
    ColumnNote {
        id: "last_data_sent",
        note: "In SYN_SENT it has no meaning: the kernel reports the time since boot.",
        see_also: &["last_data_recv"],
    },
    ColumnNote {
        id: "last_ack_recv",
        note: "A CLOSE_WAIT is at least this old and at most `last_data_recv`.",
        see_also: &["CLOSE_WAIT", "last_data_recv"],
    },
    ColumnNote {
        id: "snd_wnd",
        note: "0 with data in the send queue: the peer's program does not read.",
        see_also: &["window-probe", "rwnd_limited"],
    },
    ColumnNote {
        id: "rwnd_limited",
        note: "When it grows as fast as `busy_time`, the peer's reading sets the speed.",
        see_also: &["busy_time", "snd_wnd"],
    },
    ColumnNote {
        id: "sndbuf_limited",
        note: "When it grows as fast as `busy_time`, the send buffer sets the speed.",
        see_also: &["busy_time", "sndbuf"],
    },
    ColumnNote {
        id: "owner",
        note: "Several processes may hold one socket, after fork(2) or when it was passed on.",
        see_also: &["owner_unknown", "pid"],
    },
];

/// The topics.
pub fn topics() -> impl Iterator<Item = Topic> {
    field::all().iter().map(topic)
}

fn topic(field: &'static Field) -> Topic {
    let note = NOTES.iter().find(|note| note.id == field.id);
    let mut blocks: Vec<Block> = note.map(|note| text(note.note)).into_iter().collect();
    blocks.extend([
        fact("Unit", unit(field)),
        fact("Source", field.source),
        fact("In JSON", field.json),
        fact("Heading", field.header),
        fact("Cost", cost(field.need)),
        fact("Absent", absent(field)),
    ]);
    if field.id == "owner_unknown" {
        blocks.push(heading("The reasons"));
        for reason in Unowned::ALL {
            if let Some(of) = owner::text_of(reason) {
                blocks.push(fact(reason.name(), of.meaning));
            }
        }
    }
    let mut see_also: Vec<&'static str> = note.map(|n| n.see_also.to_vec()).unwrap_or_default();
    let reason = "owner_unknown";
    if field.need.includes(Need::OWNERS) && field.id != reason && !see_also.contains(&reason) {
        see_also.push(reason);
    }
    Topic {
        name: field.id,
        also: if field.json == field.id { vec![] } else { vec![field.json] },
        title: field.summary.to_owned(),
        kind: Kind::Column,
        blocks,
        see_also,
    }
}

/// The unit in words.
fn unit(field: &Field) -> &'static str {
    match field.unit {
        "ms" => "milliseconds",
        "µs" => "microseconds",
        "bytes/s" => "bytes per second",
        other => other,
    }
}

/// Holders of the sockets at the other ends.
const HELD_PEERS: Need = Need::OWNERS.with(Need::PEERS);

/// What showing it costs.
fn cost(need: Need) -> &'static str {
    [
        (
            HELD_PEERS,
            "connections are walked twice, once for their other ends, and the descriptors of \
             processes are read",
        ),
        (Need::PEERS, "connections are walked twice, once for their other ends"),
        (
            Need::OWNERS,
            "the descriptors of processes are read, until every shown row has its owner",
        ),
        (Need::TCP_INFO, "the kernel adds tcp_info to each row: about a third more of its time"),
        (Need::MEMORY, "the kernel adds 36 bytes to each row"),
        (Need::CONGESTION, "the kernel adds a name to each row"),
        (Need::TOS, "the kernel adds a byte to each row"),
        (Need::TRAFFIC_CLASS, "the kernel adds a few bytes to each row"),
        (Need::ALGORITHM, "the kernel adds 16 to 20 bytes to each row of TCP"),
        (Need::STORAGES, "the kernel adds what BPF programs keep to each row"),
        (Need::USERS, "the user database is read"),
        (Need::CGROUPS, "the tree under /sys/fs/cgroup is read"),
        (Need::INTERFACES, "the names of the interfaces are read"),
        (Need::UNIX_PEERS, "unix sockets are walked twice, once for their names"),
        (Need::FAMILY_DETAILS, "the kernel adds some bytes to each row"),
        (Need::FILTERS, "the kernel adds the programs to each row"),
        (Need::SUBFLOWS, "TCP sockets are walked too"),
    ]
    .into_iter()
    .find(|(what, _)| need.includes(*what))
    .map_or("none: it is in every answer of the kernel", |(_, cost)| cost)
}

/// When nothing is shown.
fn absent(field: &Field) -> String {
    match field.read {
        Reader::TcpInfo(TcpField { since: "old", .. }) => {
            "for UDP, on TIME_WAIT, SYN_RCVD and BOUND_INACTIVE, on a FIN_WAIT_2 that its process \
             has closed, and from /proc"
                .to_owned()
        }
        Reader::TcpInfo(TcpField { since, .. }) => format!(
            "before kernel {since}; for UDP, on TIME_WAIT, SYN_RCVD and BOUND_INACTIVE, on a \
             FIN_WAIT_2 that its process has closed, and from /proc"
        ),
        Reader::MptcpInfo(TcpField { since, .. }) => {
            format!("for every protocol but MPTCP, and before kernel {since}")
        }
        Reader::Row(_) => match field.summary.split_once(": ") {
            Some((family, _)) if field.json.starts_with(&format!("{family}.")) => {
                format!("for every socket that is not {family}, and where it has none")
            }
            _ => absent_of_row(field.id).to_owned(),
        },
    }
}

/// The same for columns that are not in tcp_info.
fn absent_of_row(id: &str) -> &'static str {
    match id {
        "recv_queue" | "send_queue" => {
            "on LISTEN, which has an accept queue; on TIME_WAIT and SYN_RCVD"
        }
        "accept_queue" => "on every state but LISTEN",
        "accept_queue_limit" => "on every state but LISTEN, and from /proc",
        "type" => "for families with one type: those of the internet and XDP",
        "local.address" => {
            "when a unix socket has no name, and for packet, netlink and XDP sockets"
        }
        "local.port" => "for unix, packet and XDP sockets",
        "local.interface" => "when the socket is bound to no interface",
        "peer" | "peer.address" | "peer.port" => {
            "when there is no peer: LISTEN, BOUND_INACTIVE, UNCONNECTED"
        }
        "inode" => "when no process has it: TIME_WAIT, SYN_RCVD, not accepted, orphan",
        "cookie" => "from /proc",
        "uid" => "on TIME_WAIT and SYN_RCVD",
        "user" => "on TIME_WAIT and SYN_RCVD, and when the user has no name",
        "timer" | "timer.expires" | "retransmits" => "when no timer runs",
        "age" => "on every state but TIME_WAIT",
        "netns" => "when the namespace could not be told",
        "netns.name" | "netns.kind" => "when the namespace has no name",
        "cgroup" => {
            "on TIME_WAIT and SYN_RCVD, before kernel 5.10, without cgroup v2, and from /proc"
        }
        "mark" => "without CAP_NET_ADMIN, and from /proc",
        "v6only" => "on every socket but IPv6 listeners, and from /proc",
        "drops" => "on TIME_WAIT and SYN_RCVD, before kernel 4.9, and for TCP from /proc",
        "shutdown" | "tos" | "congestion" | "rmem" | "rcvbuf" | "wmem" | "sndbuf" | "fwd_alloc"
        | "wmem_queued" | "optmem" | "lock_backlog" => "on TIME_WAIT and SYN_RCVD, and from /proc",
        "owner" => "never: where no process is named, the reason is",
        "process" | "pid" | "fd" => "when no process is known; `owner_unknown` says why",
        "tid" => "when no process is known, and in a snapshot",
        "context" | "socket_context" => {
            "when no process is known, where SELinux is not enabled, and in a snapshot"
        }
        "unit" | "container" | "container.id" | "pod" => {
            "when no process is known, or its cgroup names none"
        }
        "owner_unknown" => "when a process is named",
        "peer.process" | "peer.pid" => {
            "when the other end is on another host, behind an address translation, or one of \
             several with the same addresses; in another network namespace without --all-netns; \
             when nobody holds it"
        }
        "peer.unit" | "peer.container" | "peer.pod" => {
            "when no process of the other end is known, or its cgroup names none"
        }
        "peer.netns" | "peer.netns.name" => {
            "when the other end is on another host, behind an address translation, or one of \
             several with the same addresses; in another network namespace without --all-netns"
        }
        "tclass" => "for IPv4, on TIME_WAIT and SYN_RCVD, and from /proc",
        "class_id" => "on TIME_WAIT and SYN_RCVD, before kernel 4.14, and from /proc",
        "sockopt" => {
            "when none is set, on TIME_WAIT and SYN_RCVD, before kernel 5.10, and from /proc"
        }
        "md5" => "when no peer has a key, without CAP_NET_ADMIN, and from /proc",
        "bpf_maps" => "when no program keeps anything, without CAP_BPF, and from /proc",
        id if id.starts_with("ulp.tls") => "when no TLS runs on top of the socket",
        id if id.starts_with("ulp.mptcp") => "when the socket is no path of MPTCP",
        id if id.starts_with("ulp") => "when nothing runs on top of the socket, and from /proc",
        id if id.starts_with("bbr.") => "when the congestion control is not bbr, and from /proc",
        id if id.starts_with("dctcp.") => {
            "when the congestion control is not dctcp, and from /proc"
        }
        id if id.starts_with("vegas.") => {
            "when the congestion control does not measure as Vegas does, and from /proc"
        }
        _ => "never",
    }
}
