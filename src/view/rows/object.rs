//! One socket as a JSON object.

use crate::{
    field::{
        self,
        column::shutdown_name,
        definition::Field,
        details,
        end::{End, Side},
        families,
        row::Row,
        value::Value,
    },
    model::{
        details::BpfStorage,
        endpoint::Endpoint,
        family::{mptcp::Subflow, packet::Instruction, unix},
        memory::SocketMemory,
        owner::{Process, UNKNOWN_FD},
        queues::Queues,
        socket::Socket,
        tcp_info::{TCP_FIELDS, TcpInfo},
        timer::TimerKind,
    },
    view::{address, json},
};
use std::io::Write;

/// Writes the whole object of schema `sockeye.sockets/1`.
pub fn whole(out: &mut Vec<u8>, row: Row<'_>) {
    let s = row.socket;
    head(out, s);
    if s.family.is_inet() {
        local(out, &s.local, row.interface());
        out.extend(b",\"peer\":");
        match s.peer() {
            Some(end) => peer(out, end),
            None => out.extend(b"null"),
        }
    } else {
        family_local(out, row);
        out.extend(b",\"peer\":");
        family_peer(out, row);
    }
    queues(out, s.queues);
    out.extend(b",\"inode\":");
    json::number_or_null(out, s.inode);
    out.extend(b",\"cookie\":");
    json::number_or_null(out, s.cookie);
    user(out, row);
    timer(out, s);
    rest(out, row);
}

/// Up to this end.
pub(super) fn head(out: &mut Vec<u8>, s: &Socket) {
    out.extend(b"{\"protocol\":\"");
    out.extend(s.protocol.name().as_bytes());
    out.extend(b"\",\"family\":\"");
    out.extend(s.family.name().as_bytes());
    out.extend(b"\",\"state\":\"");
    out.extend(s.state.name().as_bytes());
    out.extend(b"\",\"state_number\":");
    json::number(out, s.state.number());
    out.extend(b",\"local\":");
}

pub(super) fn user(out: &mut Vec<u8>, row: Row<'_>) {
    let uid = row.socket.uid;
    out.extend(b",\"uid\":");
    json::number_or_null(out, uid);
    out.extend(b",\"user\":");
    json::string_or_null(out, uid.and_then(|uid| row.context.names.user(uid)));
}

/// Up to the time of a timer.
pub(super) fn timer_begin(out: &mut Vec<u8>, kind: TimerKind) {
    out.extend(b",\"timer\":{\"kind\":\"");
    out.extend(kind.name().as_bytes());
    out.extend(b"\",\"expires_ms\":");
}

pub(super) fn timer(out: &mut Vec<u8>, s: &Socket) {
    match s.timer {
        None => out.extend(b",\"timer\":null"),
        Some(timer) => {
            timer_begin(out, timer.kind);
            json::number(out, timer.expires_ms);
            out.extend(b",\"retransmits\":");
            json::number(out, timer.retransmits);
            out.push(b'}');
        }
    }
    out.extend(b",\"age_ms\":");
    json::number_or_null(out, s.age_ms());
}

/// From the owners to the end.
pub(super) fn rest(out: &mut Vec<u8>, row: Row<'_>) {
    let s = row.socket;
    out.extend(b",\"processes\":");
    processes(out, row);
    out.extend(b",\"owner_unknown\":");
    match row.unowned() {
        Some(why) => json::word(out, why.name()),
        None => out.extend(b"null"),
    }
    out.extend(b",\"netns\":{\"inode\":");
    let netns = row.netns();
    json::number_or_null(out, netns.and_then(|netns| netns.inode));
    out.extend(b",\"name\":");
    json::string_or_null(out, netns.and_then(|netns| netns.name.as_deref()));
    out.extend(b",\"kind\":");
    match netns.and_then(|netns| netns.kind) {
        Some(kind) => json::word(out, kind.name()),
        None => out.extend(b"null"),
    }
    out.extend(b"},\"cgroup\":");
    json::string_or_null(out, s.cgroup_id.and_then(|id| row.context.cgroups.path(id)));
    out.extend(b",\"mark\":");
    json::number_or_null(out, s.mark);
    out.extend(b",\"congestion\":");
    match &s.congestion {
        Some(congestion) => json::name(out, congestion.name()),
        None => out.extend(b"null"),
    }
    out.extend(b",\"tcp_info\":");
    tcp_info(out, s.tcp_info.as_deref());
    out.extend(b",\"memory\":");
    memory(out, s.memory.as_ref(), s.drops);
    flags(out, row);
    rare(out, row);
    if let Some(name) = families::object(s.protocol) {
        of_family(out, name, row);
    }
    out.push(b'}');
}

/// The object of a family or protocol, under its name.
fn of_family(out: &mut Vec<u8>, name: &'static str, row: Row<'_>) {
    let children = field::all().iter().filter(|field| parent_of(field) == Some(name));
    out.extend(b",\"");
    out.extend(name.as_bytes());
    out.extend(b"\":{");
    for (index, field) in children.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::string(out, field.json.get(name.len() + 1..).unwrap_or_default());
        out.push(b':');
        member(out, field, row);
    }
    out.push(b'}');
}

/// This end of a socket that is not of the internet: what of it is an address and a port.
fn family_local(out: &mut Vec<u8>, row: Row<'_>) {
    family_end(out, row, ["local.address", "local.port"]);
    out.extend(b",\"interface\":");
    json::string_or_null(out, row.interface());
    out.push(b'}');
}

fn family_peer(out: &mut Vec<u8>, row: Row<'_>) {
    if End::peer(row).is_none() {
        return out.extend(b"null");
    }
    family_end(out, row, ["peer.address", "peer.port"]);
    out.push(b'}');
}

fn family_end(out: &mut Vec<u8>, row: Row<'_>, columns: [&str; 2]) {
    for (key, id) in [&b"{\"address\":"[..], b",\"port\":"].into_iter().zip(columns) {
        out.extend(key);
        value(out, &field::find(id).map_or(Value::Absent, |field| field.value(row)));
    }
}

/// What comes unasked and is small.
fn flags(out: &mut Vec<u8>, row: Row<'_>) {
    let s = row.socket;
    out.extend(match s.v6only {
        None => &b",\"v6only\":null"[..],
        Some(false) => b",\"v6only\":false",
        Some(true) => b",\"v6only\":true",
    });
    out.extend(b",\"shutdown\":");
    match s.shutdown {
        Some(bits) => json::word(out, shutdown_name(bits)),
        None => out.extend(b"null"),
    }
    out.extend(b",\"sockopt\":");
    match s.sockopt {
        Some(_) => value(out, &details::options(row)),
        None => out.extend(b"null"),
    }
    out.extend(b",\"tos\":");
    json::number_or_null(out, s.tos);
}

/// Objects of what few sockets have.
const RARE: [&str; 4] = ["bbr", "dctcp", "vegas", "ulp"];

/// What few sockets have or few people ask for.
fn rare(out: &mut Vec<u8>, row: Row<'_>) {
    let Some(told) = row.socket.details.as_deref() else {
        return out.extend(
            b",\"tclass\":null,\"class_id\":null,\"bbr\":null,\"dctcp\":null,\"vegas\":null\
            ,\"ulp\":null,\"md5\":null,\"bpf_maps\":null",
        );
    };
    out.extend(b",\"tclass\":");
    json::number_or_null(out, told.tclass);
    out.extend(b",\"class_id\":");
    json::number_or_null(out, told.class_id);
    for parent in RARE {
        let children = details::FIELDS.iter();
        let children = children.filter(|field| parent_of(field) == Some(parent)).collect();
        out.extend(b",\"");
        out.extend(parent.as_bytes());
        out.extend(b"\":");
        nested(out, parent, children, row);
    }
    out.extend(b",\"md5\":");
    match told.md5 {
        Some(_) => value(out, &details::md5(row)),
        None => out.extend(b"null"),
    }
    out.extend(b",\"bpf_maps\":");
    match &told.storages {
        Some(storages) => bpf_maps(out, storages),
        None => out.extend(b"null"),
    }
}

/// Ids of the maps and their values, whose meaning is the programs'.
fn bpf_maps(out: &mut Vec<u8>, storages: &[BpfStorage]) {
    out.push(b'[');
    for (index, storage) in storages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(b"{\"map_id\":");
        json::number(out, storage.map_id);
        out.extend(b",\"value_hex\":\"");
        for byte in &storage.value {
            let _ = write!(out, "{byte:02x}");
        }
        out.extend(b"\"}");
    }
    out.push(b']');
}

fn local(out: &mut Vec<u8>, end: &Endpoint, interface: Option<&str>) {
    out.extend(b"{\"address\":\"");
    address::write(out, end.address);
    out.extend(b"\",\"port\":");
    json::number(out, end.port);
    out.extend(b",\"interface\":");
    json::string_or_null(out, interface);
    out.push(b'}');
}

fn peer(out: &mut Vec<u8>, end: &Endpoint) {
    out.extend(b"{\"address\":\"");
    address::write(out, end.address);
    out.extend(b"\",\"port\":");
    json::number(out, end.port);
    out.push(b'}');
}

fn queues(out: &mut Vec<u8>, queues: Queues) {
    match queues {
        Queues::Data { recv, send } => {
            out.extend(b",\"recv_queue_bytes\":");
            json::number(out, recv);
            out.extend(b",\"send_queue_bytes\":");
            json::number(out, send);
            out.extend(b",\"accept_queue\":null,\"accept_queue_limit\":null");
        }
        Queues::Listen { accept_queue, limit } => {
            out.extend(b",\"recv_queue_bytes\":null,\"send_queue_bytes\":null,\"accept_queue\":");
            json::number(out, accept_queue);
            out.extend(b",\"accept_queue_limit\":");
            json::number_or_null(out, limit);
        }
        Queues::Absent => {
            out.extend(b",\"recv_queue_bytes\":null,\"send_queue_bytes\":null");
            out.extend(b",\"accept_queue\":null,\"accept_queue_limit\":null");
        }
    }
}

fn processes(out: &mut Vec<u8>, row: Row<'_>) {
    holders(out, row.holders());
}

/// One TCP connection of an MPTCP connection.
fn connection(out: &mut Vec<u8>, subflow: &Subflow) {
    out.extend(b"{\"state\":");
    json::word(out, subflow.state.name());
    out.extend(b",\"local\":");
    peer(out, &subflow.local);
    out.extend(b",\"peer\":");
    peer(out, &subflow.peer);
    out.extend(b",\"cookie\":");
    json::number_or_null(out, subflow.cookie);
    out.push(b'}');
}

fn holders<'p>(out: &mut Vec<u8>, holders: impl Iterator<Item = (&'p Process, u32)>) {
    out.push(b'[');
    for (index, (process, fd)) in holders.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(b"{\"pid\":");
        json::number(out, process.pid);
        out.extend(b",\"command\":");
        json::name(out, &process.command);
        out.extend(b",\"fd\":");
        json::number_or_null(out, (fd != UNKNOWN_FD).then_some(fd));
        out.extend(b",\"unit\":");
        json::string_or_null(out, process.unit.as_deref());
        out.extend(b",\"container\":");
        json::string_or_null(out, process.container.as_deref());
        out.extend(b",\"container_id\":");
        json::string_or_null(out, process.container_id());
        out.extend(b",\"pod\":");
        json::string_or_null(out, process.pod.as_deref());
        out.push(b'}');
    }
    out.push(b']');
}

/// Fields this kernel does not send are left `null`, so that every object has the same keys.
fn tcp_info(out: &mut Vec<u8>, info: Option<&TcpInfo>) {
    let Some(info) = info else {
        return out.extend(b"null");
    };
    for (index, field) in TCP_FIELDS.iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        out.push(b'"');
        out.extend(field.key.as_bytes());
        out.extend(b"\":");
        json::number_or_null(out, info.value(field));
    }
    out.push(b'}');
}

fn memory(out: &mut Vec<u8>, memory: Option<&SocketMemory>, drops: Option<u32>) {
    if memory.is_none() && drops.is_none() {
        return out.extend(b"null");
    }
    let of = |read: fn(&SocketMemory) -> u32| memory.map(read);
    for (key, value) in [
        ("{\"rmem_alloc_bytes\":", of(|m| m.rmem_alloc_bytes)),
        (",\"rcvbuf_bytes\":", of(|m| m.rcvbuf_bytes)),
        (",\"wmem_alloc_bytes\":", of(|m| m.wmem_alloc_bytes)),
        (",\"sndbuf_bytes\":", of(|m| m.sndbuf_bytes)),
        (",\"fwd_alloc_bytes\":", of(|m| m.fwd_alloc_bytes)),
        (",\"wmem_queued_bytes\":", of(|m| m.wmem_queued_bytes)),
        (",\"optmem_bytes\":", of(|m| m.optmem_bytes)),
        (",\"lock_backlog_bytes\":", memory.and_then(|m| m.lock_backlog_bytes)),
        (",\"drops\":", memory.and_then(|m| m.drops).or(drops)),
    ] {
        out.extend(key.as_bytes());
        json::number_or_null(out, value);
    }
    out.push(b'}');
}

/// Objects that are `null` where nothing in them is known, as in the whole object.
const NULLABLE: [&str; 18] = [
    "peer",
    "peer.netns",
    "timer",
    "tcp_info",
    "memory",
    "bbr",
    "dctcp",
    "vegas",
    "ulp",
    "unix",
    "packet",
    "netlink",
    "raw",
    "mptcp",
    "vsock",
    "xdp",
    "sctp",
    "tipc",
];

/// Writes an object of these columns alone, nested as the whole one is. Each key once, whatever
/// was asked for twice.
pub fn selected(out: &mut Vec<u8>, fields: &[&'static Field], row: Row<'_>) {
    let whole = |place: &str| fields.iter().any(|f| f.json == place);
    // An end that columns add to is made of its own columns.
    let is_added = |f: &&Field| parent_of(f) == Some("peer") && !PEER.contains(&f.json);
    let is_open = whole("peer") && fields.iter().any(is_added);
    let mut todo: Vec<&Field> = vec![];
    let mut add = |field: &'static Field| {
        if todo.iter().all(|known| known.json != field.json) {
            todo.push(field);
        }
    };
    for &field in fields {
        // `peer` has `peer.port` in it.
        let inside = parent_of(field).filter(|parent| !is_open || *parent != "peer");
        if is_open && field.json == "peer" {
            PEER.into_iter().filter_map(field::find).for_each(&mut add);
        } else if !inside.is_some_and(whole) {
            add(field);
        }
    }
    members(out, "", todo, row);
}

/// The columns that are in the peer of a whole object.
const PEER: [&str; 2] = ["peer.address", "peer.port"];

fn parent_of(field: &Field) -> Option<&'static str> {
    field.json.split_once('.').map(|(parent, _)| parent)
}

/// Writes the object called `parent` of columns that are in it.
fn nested(out: &mut Vec<u8>, parent: &str, children: Vec<&Field>, row: Row<'_>) {
    let is_absent = |field: &&Field| field.value(row).is_absent() && !is_family(parent, row);
    if NULLABLE.contains(&parent) && children.iter().all(is_absent) {
        return out.extend(b"null");
    }
    let inside = children.first().and_then(|child| child.json.get(..=parent.len()));
    members(out, inside.unwrap_or_default(), children, row);
}

/// Writes an object of columns whose places begin with `within`.
fn members(out: &mut Vec<u8>, within: &str, mut todo: Vec<&Field>, row: Row<'_>) {
    let place = |field: &Field| field.json.get(within.len()..).unwrap_or_default();
    out.push(b'{');
    let mut first = true;
    while let Some(&field) = todo.first() {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        let Some((name, _)) = place(field).split_once('.') else {
            json::string(out, place(field));
            out.push(b':');
            member(out, field, row);
            todo.remove(0);
            continue;
        };
        json::string(out, name);
        out.push(b':');
        let parent = field.json.get(..within.len() + name.len()).unwrap_or_default();
        let inside = field.json.get(..=parent.len()).unwrap_or_default();
        let (children, others): (Vec<&Field>, _) =
            todo.into_iter().partition(|f| f.json.starts_with(inside));
        todo = others;
        nested(out, parent, children, row);
    }
    out.push(b'}');
}

/// Whether a row has the object of this name, whatever is known in it.
fn is_family(parent: &str, row: Row<'_>) -> bool {
    families::object(row.socket.protocol) == Some(parent)
}

fn member(out: &mut Vec<u8>, field: &Field, row: Row<'_>) {
    match field.value(row) {
        // This end has an interface, also where it is none.
        Value::Endpoint(end, bound) if field.id == "local" => local(out, &end, bound),
        Value::End(row, Side::Local) => family_local(out, row),
        Value::End(row, Side::Peer) => family_peer(out, row),
        // A list without a value is empty where it was told, and not where it was not.
        Value::List(list) if list.is_empty() && !is_told(field, row) => out.extend(b"null"),
        // The maps with their values.
        Value::List(_) if field.id == "bpf_maps" => match &row.socket.details {
            Some(details) => bpf_maps(out, details.storages.as_deref().unwrap_or_default()),
            None => out.extend(b"null"),
        },
        other => value(out, &other),
    }
}

/// Whether the source told of a list; of owners it always does.
fn is_told(field: &Field, row: Row<'_>) -> bool {
    let details = row.socket.details.as_deref();
    match field.id {
        // Nobody at the other end is known.
        _ if parent_of(field) == Some("peer") => false,
        _ if parent_of(field).is_some() => families::is_told(field, row),
        "sockopt" => row.socket.sockopt.is_some(),
        "md5" => details.is_some_and(|details| details.md5.is_some()),
        "bpf_maps" => details.is_some_and(|details| details.storages.is_some()),
        _ => true,
    }
}

/// Writes one value.
pub fn value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Absent => out.extend(b"null"),
        Value::Count(n)
        | Value::Queue(n, _)
        | Value::Bytes(n)
        | Value::Milliseconds(n)
        | Value::Microseconds(n)
        | Value::BytesPerSecond(n) => json::number(out, *n),
        Value::Flag(flag) => out.extend(if *flag { &b"true"[..] } else { b"false" }),
        Value::Word(word) => json::string(out, word),
        Value::Name(name) => json::name(out, name),
        Value::Path(name) => json::name(out, &unix::written(name)),
        // An address is text, whatever its family.
        Value::Label(n) => {
            out.push(b'"');
            json::number(out, *n);
            out.push(b'"');
        }
        Value::End(row, Side::Local) => family_local(out, *row),
        Value::End(row, Side::Peer) => family_peer(out, *row),
        Value::Connection(subflow) => connection(out, subflow),
        Value::Instruction(Instruction { code, yes, no, k }) => {
            let _ = write!(out, "\"0x{code:02x} {yes} {no} {k}\"");
        }
        Value::Address(address) => {
            out.push(b'"');
            address::write(out, *address);
            out.push(b'"');
        }
        Value::Prefix(ip, length) => {
            out.extend(b"{\"address\":\"");
            address::write(out, *ip);
            out.extend(b"\",\"prefix_length\":");
            json::number(out, *length);
            out.push(b'}');
        }
        Value::Endpoint(end, _) => peer(out, end),
        Value::State(state) => json::word(out, state.name()),
        Value::List(values) => {
            out.push(b'[');
            for (index, inner) in values.values().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::value(out, &inner);
            }
            out.push(b']');
        }
        Value::Owners(row) => processes(out, *row),
        Value::PeerOwners(row) => holders(out, row.peer_holders()),
    }
}
