//! What a column holds, and so what it can be compared with.

use crate::{
    field::definition::Field,
    kernel::sock_diag::bytecode::End,
    model::{owner::Unowned, socket_type::SocketType},
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A state.
    State,
    /// A transport protocol.
    Protocol,
    /// An address family.
    Family,
    /// A port.
    Port(End),
    /// An address.
    Address(End),
    /// Both.
    Endpoint(End),
    /// An interface.
    Interface,
    /// A socket mark.
    Mark,
    /// A path of a cgroup.
    Cgroup,
    /// A number.
    Number(Unit),
    /// A name somebody chose.
    Name,
    /// One of a few words.
    Word,
    /// Yes or no.
    Flag,
}

/// In what a number is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

/// The kind of a column.
pub fn kind(field: &Field) -> Kind {
    match (field.id, field.unit) {
        ("protocol", _) => Kind::Protocol,
        ("family", _) => Kind::Family,
        ("local", _) => Kind::Endpoint(End::Local),
        ("peer", _) => Kind::Endpoint(End::Peer),
        ("local.address", _) => Kind::Address(End::Local),
        ("peer.address", _) => Kind::Address(End::Peer),
        ("local.port", _) => Kind::Port(End::Local),
        ("peer.port", _) => Kind::Port(End::Peer),
        ("local.interface", _) => Kind::Interface,
        ("mark", _) => Kind::Mark,
        ("cgroup", _) => Kind::Cgroup,
        ("pid" | "peer.pid" | "tid" | "fd" | "bpf_maps" | "netlink.groups" | "pending", _) => {
            Kind::Number(Unit::Count)
        }
        (_, "state") => Kind::State,
        (_, "name" | "list") => Kind::Name,
        (_, "word") => Kind::Word,
        (_, "flag") => Kind::Flag,
        (_, "ms") => Kind::Number(Unit::Milliseconds),
        (_, "µs") => Kind::Number(Unit::Microseconds),
        (_, "bytes") => Kind::Number(Unit::Bytes),
        (_, "bytes/s") => Kind::Number(Unit::BytesPerSecond),
        _ => Kind::Number(Unit::Count),
    }
}

/// An example of a comparison with this column, for hints.
pub fn example(field: &Field) -> String {
    let value = match kind(field) {
        Kind::State => "= TIME_WAIT",
        Kind::Protocol => "= tcp",
        Kind::Family => "= ipv6",
        Kind::Port(_) => "in 443,8000-8999",
        Kind::Address(_) => "= 10.0.0.0/8",
        Kind::Endpoint(_) => "= 10.0.0.0/8:443",
        Kind::Interface => "= eth0",
        Kind::Mark => "= 0x1/0xff",
        Kind::Cgroup => "= /system.slice/*",
        Kind::Number(Unit::Count) => "> 0",
        Kind::Number(Unit::Bytes) => "> 64KiB",
        Kind::Number(Unit::BytesPerSecond) => "> 10Mbit",
        Kind::Number(Unit::Milliseconds) => "> 30s",
        Kind::Number(Unit::Microseconds) => "> 50ms",
        Kind::Name => "= nginx*",
        Kind::Word => return format!("{} = {}", field.id, words(field).first().unwrap_or(&"x")),
        Kind::Flag => "= true",
    };
    format!("{} {value}", field.id)
}

/// The words of a column that has few.
pub(super) fn words(field: &Field) -> Vec<&'static str> {
    match field.id {
        "timer" => vec!["retransmit", "keepalive", "time-wait", "window-probe"],
        "shutdown" => vec!["none", "receive", "send", "both"],
        "type" => SocketType::ALL.map(SocketType::name).to_vec(),
        "owner_unknown" => Unowned::ALL.map(Unowned::name).to_vec(),
        _ => vec![],
    }
}
