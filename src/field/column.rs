//! Columns about the socket itself.

use super::{
    definition::{Field, Reader},
    end::{End, Side, local_port, peer_port},
    need::Need,
    row::Row,
    value::Value,
};
use crate::model::{
    family::{FamilyFacts, vsock},
    memory::SocketMemory,
    name::Name,
    protocol::{Family, Protocol},
    queues::Queues,
    socket::Socket,
    socket_type::SocketType,
};

macro_rules! columns {
    ($($id:literal $json:literal $header:literal $unit:literal $need:expr, $source:literal, $summary:literal, $read:expr;)*) => {
        /// The columns.
        pub const FIELDS: &[Field] = &[$(Field {
            id: $id, json: $json, header: $header, unit: $unit, summary: $summary,
            source: $source, need: $need, read: Reader::Row($read),
        }),*];
    };
}

#[rustfmt::skip]
columns! {
    "netid" "netid" "Netid" "word" Need::NONE, "protocol and type",
        "ss's word for protocol and type: tcp, u_str, p_raw, nl", |row| Value::Word(netid(row.socket));
    "type" "type" "Type" "word" Need::NONE, "udiag_type, pdiag_type, vdiag_type",
        "type: stream, dgram, raw, rdm, seqpacket",
        |row| row.socket.socket_type().map_or(Value::Absent, |kind| Value::Word(kind.name()));
    "protocol" "protocol" "Proto" "word" Need::NONE, "the dump it came from",
        "protocol, or the family that has one: tcp, udp, unix…", |row| Value::Word(row.socket.protocol.name());
    "family" "family" "Family" "word" Need::NONE, "inet_diag_msg.idiag_family",
        "address family: ipv4, ipv6, unix, packet…", |row| Value::Word(row.socket.family.name());
    "state" "state" "State" "state" Need::NONE, "inet_diag_msg.idiag_state",
        "state, by its documented name", |row| Value::State(row.socket.state);
    "state_number" "state_number" "St" "count" Need::NONE, "inet_diag_msg.idiag_state",
        "the kernel's number of the state", |row| Value::Count(row.socket.state.number().into());
    "recv_queue" "recv_queue_bytes" "Recv-Q" "bytes" Need::NONE, "inet_diag_msg.idiag_rqueue, not LISTEN",
        "bytes the process has not read; an unread FIN counts as 1", |row| data(row, |recv, _| recv);
    "send_queue" "send_queue_bytes" "Send-Q" "bytes" Need::NONE, "inet_diag_msg.idiag_wqueue, not LISTEN",
        "bytes not acknowledged by the peer; a queued FIN counts as 1", |row| data(row, |_, send| send);
    "accept_queue" "accept_queue" "Accept-Q" "count" Need::NONE, "inet_diag_msg.idiag_rqueue, LISTEN only",
        "connections that wait for accept(2)", |row| match row.socket.queues {
            Queues::Listen { accept_queue, limit } => {
                Value::Queue(accept_queue.into(), limit.map(u64::from))
            }
            _ => Value::Absent,
        };
    "accept_queue_limit" "accept_queue_limit" "Limit" "count" Need::NONE, "inet_diag_msg.idiag_wqueue, LISTEN only",
        "limit of the accept queue, min(listen backlog, somaxconn)", |row| match row.socket.queues {
            Queues::Listen { limit: Some(limit), .. } => Value::Count(limit.into()),
            _ => Value::Absent,
        };
    "local" "local" "Local" "endpoint" Need::NONE, "inet_diag_sockid.idiag_src, idiag_sport, idiag_if",
        "this end: address and port, path, protocol and interface", |row| if is_inet(row) {
            Value::Endpoint(row.socket.local, row.interface())
        } else {
            Value::End(row, Side::Local)
        };
    "local.address" "local.address" "LocalAddress" "address" Need::NONE, "inet_diag_sockid.idiag_src",
        "this end's address: IP address, path of a unix socket, id of a vsock",
        |row| match row.socket.family_facts.as_deref() {
            None => Value::Address(row.socket.local.address),
            Some(facts) => facts_address(facts, row.socket, Side::Local),
        };
    "local.port" "local.port" "LocalPort" "count" Need::NONE, "inet_diag_sockid.idiag_sport",
        "this end's port; of a raw socket the IP protocol",
        |row| if is_inet(row) {
            Value::Count(row.socket.local.port.into())
        } else {
            number(local_port(row.socket).filter(|_| has_ports(row)))
        };
    "local.interface" "local.interface" "Interface" "name" Need::INTERFACES, "inet_diag_sockid.idiag_if",
        "interface the socket is bound to, not the route's",
        |row| row.interface().map_or(Value::Absent, |name| Value::Name(name.as_bytes()));
    "peer" "peer" "Peer" "endpoint" Need::UNIX_PEERS, "inet_diag_sockid.idiag_dst, idiag_dport",
        "the other end: address and port, path or inode",
        |row| match row.socket.peer() {
            Some(peer) => Value::Endpoint(*peer, None),
            None => End::peer(row).map_or(Value::Absent, |_| Value::End(row, Side::Peer)),
        };
    "peer.address" "peer.address" "PeerAddress" "address" Need::UNIX_PEERS, "inet_diag_sockid.idiag_dst",
        "the other end's address",
        |row| match (row.socket.peer(), row.socket.family_facts.as_deref()) {
            (Some(peer), _) => Value::Address(peer.address),
            (None, Some(facts)) => facts_address(facts, row.socket, Side::Peer),
            (None, None) => Value::Absent,
        };
    "peer.port" "peer.port" "PeerPort" "count" Need::NONE, "inet_diag_sockid.idiag_dport",
        "the other end's port",
        |row| match row.socket.peer() {
            Some(peer) => Value::Count(peer.port.into()),
            None => number(peer_port(row.socket).filter(|_| has_ports(row))),
        };
    "inode" "inode" "Inode" "number" Need::NONE, "inet_diag_msg.idiag_inode",
        "socket inode, the key to its owners", |row| row.socket.inode.map_or(Value::Absent, Value::Count);
    "cookie" "cookie" "Cookie" "number" Need::NONE, "inet_diag_sockid.idiag_cookie",
        "identity for the whole life, TIME_WAIT included",
        |row| row.socket.cookie.map_or(Value::Absent, Value::Count);
    "uid" "uid" "Uid" "number" Need::NONE, "inet_diag_msg.idiag_uid",
        "user who created the socket", |row| count(row.socket.uid);
    "user" "user" "User" "name" Need::USERS, "idiag_uid, user database",
        "name of that user", |row| row.socket.uid.and_then(|uid| row.context.names.user(uid))
            .map_or(Value::Absent, |name| Value::Name(name.as_bytes()));
    "timer" "timer.kind" "Timer" "word" Need::NONE, "inet_diag_msg.idiag_timer",
        "running timer: retransmit, keepalive, time-wait, window-probe",
        |row| row.socket.timer.map_or(Value::Absent, |timer| Value::Word(timer.kind.name()));
    "timer.expires" "timer.expires_ms" "Expires" "ms" Need::NONE, "inet_diag_msg.idiag_expires",
        "time until the timer fires",
        |row| row.socket.timer.map_or(Value::Absent, |timer| Value::Milliseconds(timer.expires_ms.into()));
    "retransmits" "timer.retransmits" "Retr" "count" Need::NONE, "inet_diag_msg.idiag_retrans",
        "retransmissions or unanswered probes of the running timer",
        |row| row.socket.timer.map_or(Value::Absent, |timer| Value::Count(timer.retransmits.into()));
    "age" "age_ms" "Age" "ms" Need::NONE, "60 s - idiag_expires, TIME_WAIT only",
        "time in TIME_WAIT, a lower bound: a late segment restarts it",
        |row| row.socket.age_ms().map_or(Value::Absent, |age| Value::Milliseconds(age.into()));
    "netns" "netns.inode" "Netns" "number" Need::NONE, "/proc/PID/ns/net",
        "network namespace, by inode", |row| row.netns().and_then(|netns| netns.inode).map_or(Value::Absent, Value::Count);
    "netns.name" "netns.name" "NetnsName" "name" Need::NONE, "/run/netns, /proc/PID/cgroup, comm",
        "network namespace, by name",
        |row| row.netns().and_then(|netns| netns.name.as_deref())
            .map_or(Value::Absent, |name| Value::Name(name.as_bytes()));
    "netns.kind" "netns.kind" "NetnsKind" "word" Need::NONE, "what the name was read from",
        "what names it: named, host, pod, container, unit, process, mount, socket",
        |row| row.netns().and_then(|netns| netns.kind).map_or(Value::Absent, |kind| Value::Word(kind.name()));
    "cgroup" "cgroup" "Cgroup" "name" Need::CGROUPS, "INET_DIAG_CGROUP_ID, /sys/fs/cgroup",
        "cgroup v2 path of the socket",
        |row| row.socket.cgroup_id.and_then(|id| row.context.cgroups.path(id))
            .map_or(Value::Absent, |path| Value::Name(path.as_bytes()));
    "mark" "mark" "Mark" "number" Need::MARK, "INET_DIAG_MARK, needs CAP_NET_ADMIN",
        "SO_MARK", |row| count(row.socket.mark);
    "v6only" "v6only" "V6only" "flag" Need::UNASKED, "INET_DIAG_SKV6ONLY",
        "IPv6 listener that takes no IPv4", |row| row.socket.v6only.map_or(Value::Absent, Value::Flag);
    "shutdown" "shutdown" "Shutdown" "word" Need::UNASKED, "INET_DIAG_SHUTDOWN",
        "directions shut down: none, receive, send, both",
        |row| row.socket.shutdown.map_or(Value::Absent, |bits| Value::Word(shutdown_name(bits)));
    "tos" "tos" "Tos" "number" Need::TOS, "INET_DIAG_TOS",
        "type of service", |row| row.socket.tos.map_or(Value::Absent, |tos| Value::Count(tos.into()));
    "congestion" "congestion" "Congestion" "name" Need::CONGESTION, "INET_DIAG_CONG",
        "congestion control", |row| row.socket.congestion.as_ref()
            .map_or(Value::Absent, |congestion| Value::Name(congestion.name()));
    "rmem" "memory.rmem_alloc_bytes" "Rmem" "bytes" Need::MEMORY, "SK_MEMINFO_RMEM_ALLOC",
        "memory of the receive queue", |row| memory(row, |m| Some(m.rmem_alloc_bytes));
    "rcvbuf" "memory.rcvbuf_bytes" "RcvBuf" "bytes" Need::MEMORY, "SK_MEMINFO_RCVBUF",
        "limit of the receive queue", |row| memory(row, |m| Some(m.rcvbuf_bytes));
    "wmem" "memory.wmem_alloc_bytes" "Wmem" "bytes" Need::MEMORY, "SK_MEMINFO_WMEM_ALLOC",
        "memory handed to the device for sending", |row| memory(row, |m| Some(m.wmem_alloc_bytes));
    "sndbuf" "memory.sndbuf_bytes" "SndBuf" "bytes" Need::MEMORY, "SK_MEMINFO_SNDBUF",
        "limit of the send queue", |row| memory(row, |m| Some(m.sndbuf_bytes));
    "fwd_alloc" "memory.fwd_alloc_bytes" "FwdAlloc" "bytes" Need::MEMORY, "SK_MEMINFO_FWD_ALLOC",
        "memory reserved and not used yet", |row| memory(row, |m| Some(m.fwd_alloc_bytes));
    "wmem_queued" "memory.wmem_queued_bytes" "WmemQ" "bytes" Need::MEMORY, "SK_MEMINFO_WMEM_QUEUED",
        "memory of the send queue", |row| memory(row, |m| Some(m.wmem_queued_bytes));
    "optmem" "memory.optmem_bytes" "OptMem" "bytes" Need::MEMORY, "SK_MEMINFO_OPTMEM",
        "memory of options and filters", |row| memory(row, |m| Some(m.optmem_bytes));
    "lock_backlog" "memory.lock_backlog_bytes" "LockBacklog" "bytes" Need::MEMORY, "SK_MEMINFO_BACKLOG",
        "memory parked while the socket is locked", |row| memory(row, |m| m.lock_backlog_bytes);
    "drops" "memory.drops" "Drops" "count" Need::MEMORY, "SK_MEMINFO_DROPS, /proc/net/udp",
        "packets this socket dropped; LISTEN: refused SYNs",
        |row| match row.socket.drops {
            Some(drops) => Value::Count(drops.into()),
            None => row.socket.memory.and_then(|m| m.drops)
                .map_or(Value::Absent, |drops| Value::Count(drops.into())),
        };
}

/// Which directions are shut down (`RCV_SHUTDOWN` 1, `SEND_SHUTDOWN` 2).
pub const fn shutdown_name(bits: u8) -> &'static str {
    match bits & 3 {
        0 => "none",
        1 => "receive",
        2 => "send",
        _ => "both",
    }
}

/// Whether the ends are internet addresses.
fn is_inet(row: Row<'_>) -> bool {
    row.socket.family_facts.is_none() || row.socket.family.is_inet()
}

/// Whether the family has ports: unix sockets are numbered by inode in ss alone, packet and XDP
/// sockets by interface and queue.
fn has_ports(row: Row<'_>) -> bool {
    matches!(row.socket.family, Family::Netlink | Family::Vsock | Family::Tipc)
}

fn number(number: Option<u64>) -> Value<'static> {
    number.map_or(Value::Absent, Value::Count)
}

/// The address of an end of a socket with facts of its own.
fn facts_address<'a>(facts: &'a FamilyFacts, socket: &'a Socket, side: Side) -> Value<'a> {
    let path = |name: Option<&'a Name>| name.map_or(Value::Absent, Value::Path);
    let label = |known: bool, number| if known { Value::Label(number) } else { Value::Absent };
    match (facts, side) {
        (FamilyFacts::Unix(unix), Side::Local) => path(unix.path.as_ref()),
        (FamilyFacts::Unix(unix), Side::Peer) => path(unix.peer_path.as_ref()),
        (FamilyFacts::Vsock(vsock), Side::Local) => {
            label(vsock.local.cid != vsock::ANY, vsock.local.cid)
        }
        (FamilyFacts::Vsock(vsock), Side::Peer) => {
            label(vsock.peer.cid != vsock::ANY, vsock.peer.cid)
        }
        (FamilyFacts::Tipc(tipc), Side::Local) => Value::Label(tipc.node),
        (FamilyFacts::Tipc(tipc), Side::Peer) => {
            tipc.connection.map_or(Value::Absent, |peer| Value::Label(peer.node))
        }
        (FamilyFacts::Mptcp(_) | FamilyFacts::Sctp(_), Side::Local) => {
            Value::Address(socket.local.address)
        }
        _ => Value::Absent,
    }
}

fn count(number: Option<u32>) -> Value<'static> {
    number.map_or(Value::Absent, |number| Value::Count(number.into()))
}

fn data(row: Row<'_>, which: fn(u32, u32) -> u32) -> Value<'static> {
    match row.socket.queues {
        Queues::Data { recv, send } => Value::Bytes(which(recv, send).into()),
        _ => Value::Absent,
    }
}

fn memory(row: Row<'_>, which: fn(&SocketMemory) -> Option<u32>) -> Value<'static> {
    let bytes = row.socket.memory.as_ref().and_then(which);
    bytes.map_or(Value::Absent, |bytes| Value::Bytes(bytes.into()))
}

/// The word that ss prints for a socket.
pub fn netid(socket: &Socket) -> &'static str {
    use SocketType::{Dgram, Packet, Raw, Rdm, Seqpacket, Stream};
    match (socket.protocol, socket.socket_type()) {
        (Protocol::Unix, Some(Stream)) => "u_str",
        (Protocol::Unix, Some(Dgram)) => "u_dgr",
        (Protocol::Unix, Some(Seqpacket)) => "u_seq",
        (Protocol::Packet, Some(Raw | Packet)) => "p_raw",
        (Protocol::Packet, Some(Dgram)) => "p_dgr",
        (Protocol::Netlink, _) => "nl",
        (Protocol::Vsock, Some(Stream)) => "v_str",
        (Protocol::Vsock, Some(Dgram)) => "v_dgr",
        (Protocol::Tipc, Some(Stream)) => "ti_st",
        (Protocol::Tipc, Some(Dgram)) => "ti_dg",
        (Protocol::Tipc, Some(Rdm)) => "ti_rd",
        (Protocol::Tipc, Some(Seqpacket)) => "ti_sq",
        (protocol, _) => protocol.name(),
    }
}
