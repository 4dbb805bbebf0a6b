//! Columns about the socket at the other end, where it is on this host: beside this one, in another
//! network namespace, or the one a unix socket is connected to.

use super::{
    definition::{Field, Reader},
    end::Side,
    need::Need,
    row::Row,
    value::{List, Value},
};
use crate::model::{netns::Netns, owner::Process};

macro_rules! columns {
    ($($id:literal $json:literal $header:literal $unit:literal $need:expr, $source:literal, $summary:literal, $read:expr;)*) => {
        /// The columns.
        pub const FIELDS: &[Field] = &[$(Field {
            id: $id, json: $json, header: $header, unit: $unit, summary: $summary,
            source: $source, need: $need, read: Reader::Row($read),
        }),*];
    };
}

/// The sockets at the other ends, and who holds them.
const HELD: Need = Need::OWNERS.with(Need::PEERS);

#[rustfmt::skip]
columns! {
    "peer.process" "peer.process" "PeerCommand" "list" HELD, "both ends, /proc/PID/fd, comm",
        "names of the processes that hold the other end, where it is on this host",
        |row| each(row, |(p, _)| Value::Name(&p.command));
    "peer.pid" "peer.pid" "PeerPid" "list" HELD, "both ends, /proc/PID/fd",
        "ids of those processes", |row| each(row, |(p, _)| Value::Count(p.pid.into()));
    "peer.unit" "peer.unit" "PeerUnit" "list" HELD, "both ends, /proc/PID/cgroup",
        "systemd unit of those processes", |row| each(row, |(p, _)| word(p.unit.as_deref()));
    "peer.container" "peer.container" "PeerContainer" "list" HELD, "both ends, /proc/PID/cgroup, files of the runtime",
        "container of those processes, by name or by id", |row| each(row, |(p, _)| word(p.container.as_deref()));
    "peer.pod" "peer.pod" "PeerPod" "list" HELD, "both ends, /proc/PID/cgroup, /var/log/pods",
        "pod of those processes, as NAMESPACE/NAME or by uid", |row| each(row, |(p, _)| word(p.pod.as_deref()));
    "peer.netns" "peer.netns.inode" "PeerNetns" "number" Need::PEERS, "both ends, /proc/PID/ns/net",
        "network namespace of the other end, by inode",
        |row| netns(row).and_then(|netns| netns.inode).map_or(Value::Absent, Value::Count);
    "peer.netns.name" "peer.netns.name" "PeerNetnsName" "name" Need::PEERS, "both ends, /run/netns, /proc/PID/cgroup, comm",
        "network namespace of the other end, by name",
        |row| word(netns(row).and_then(|netns| netns.name.as_deref()));
}

fn each(row: Row<'_>, of: fn((&Process, u32)) -> Value<'_>) -> Value<'_> {
    Value::List(List::distinct(row, Side::Peer, of))
}

fn netns(row: Row<'_>) -> Option<&Netns> {
    row.peer_space().map(|space| &space.netns)
}

fn word(word: Option<&str>) -> Value<'_> {
    word.map_or(Value::Absent, |word| Value::Name(word.as_bytes()))
}
