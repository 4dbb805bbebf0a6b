//! Columns about who holds the socket.

use super::{
    definition::{Field, Reader},
    need::Need,
    row::Row,
    value::Value,
};
use crate::model::owner::Process;

/// The columns.
pub const FIELDS: &[Field] = &[
    Field {
        id: "owner",
        json: "processes",
        header: "Process",
        unit: "list",
        summary: "processes that hold the socket, or why there is none",
        source: "/proc/PID/fd, comm",
        need: Need::OWNERS,
        read: Reader::Row(owners),
    },
    Field {
        id: "process",
        json: "process",
        header: "Command",
        unit: "list",
        summary: "names of the processes that hold the socket",
        source: "/proc/PID/comm",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| Value::Name(&p.command))),
    },
    Field {
        id: "pid",
        json: "pid",
        header: "Pid",
        unit: "list",
        summary: "ids of the processes that hold the socket",
        source: "/proc/PID",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| Value::Count(p.pid.into()))),
    },
    Field {
        id: "fd",
        json: "fd",
        header: "Fd",
        unit: "list",
        summary: "descriptor numbers, in the order of pid",
        source: "/proc/PID/fd",
        need: Need::OWNERS,
        read: Reader::Row(|row| {
            Value::List(row.holders().map(|(_, fd)| Value::Count(fd.into())).collect())
        }),
    },
    Field {
        id: "unit",
        json: "unit",
        header: "Unit",
        unit: "list",
        summary: "systemd unit of the processes that hold the socket",
        source: "/proc/PID/cgroup",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| word(p.unit.as_deref()))),
    },
    Field {
        id: "container",
        json: "container",
        header: "Container",
        unit: "list",
        summary: "container of the processes that hold the socket, from the cgroup path",
        source: "/proc/PID/cgroup",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| word(p.container.as_deref()))),
    },
    Field {
        id: "owner_unknown",
        json: "owner_unknown",
        header: "OwnerUnknown",
        unit: "word",
        summary: "why no process is named: time-wait, orphan, not-accepted, permission…",
        source: "state, inode, /proc",
        need: Need::OWNERS,
        read: Reader::Row(|row| row.unowned().map_or(Value::Absent, |why| Value::Word(why.name()))),
    },
];

// A function, because the constructor is not general over the row's lifetime.
fn owners(row: Row<'_>) -> Value<'_> {
    Value::Owners(row)
}

/// One value for each holder, without repetitions.
fn each<'a>(row: Row<'a>, value: fn((&'a Process, u32)) -> Value<'a>) -> Value<'a> {
    let mut values: Vec<Value<'a>> = vec![];
    for found in row.holders().map(value).filter(|v| !v.is_absent()) {
        if values.iter().all(|v| v.order(&found).is_ne()) {
            values.push(found);
        }
    }
    Value::List(values)
}

fn word(word: Option<&str>) -> Value<'_> {
    word.map_or(Value::Absent, |word| Value::Name(word.as_bytes()))
}
