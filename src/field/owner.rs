//! Columns about who holds the socket.

use super::{
    definition::{Field, Reader},
    end::Side,
    need::Need,
    row::Row,
    value::{List, Value},
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
        read: Reader::Row(|row| Value::List(List::every(row, |(_, fd)| Value::Count(fd.into())))),
    },
    Field {
        id: "tid",
        json: "tid",
        header: "Tid",
        unit: "list",
        summary: "ids of the threads of the processes that hold the socket",
        source: "/proc/PID/task",
        need: Need::OWNERS.with(Need::THREADS),
        read: Reader::Row(|row| Value::List(List::indexed(row, thread))),
    },
    Field {
        id: "context",
        json: "context",
        header: "Context",
        unit: "list",
        summary: "SELinux contexts of the processes that hold the socket",
        source: "/proc/PID/attr/current",
        need: Need::OWNERS.with(Need::CONTEXTS),
        read: Reader::Row(|row| Value::List(List::indexed(row, context))),
    },
    Field {
        id: "socket_context",
        json: "socket_context",
        header: "SocketContext",
        unit: "name",
        summary: "SELinux context of the socket",
        source: "security.selinux of /proc/PID/fd/N",
        need: Need::OWNERS.with(Need::SOCKET_CONTEXTS),
        read: Reader::Row(|row| {
            let contexts = &row.context.owners.particulars.socket_contexts;
            let context = row.socket.inode.and_then(|inode| contexts.get(&inode));
            word(context.map(String::as_str))
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
        summary: "container of the processes that hold the socket, by name or by id",
        source: "/proc/PID/cgroup, files of the runtime",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| word(p.container.as_deref()))),
    },
    Field {
        id: "container.id",
        json: "container_id",
        header: "ContainerId",
        unit: "list",
        summary: "whole id of that container",
        source: "/proc/PID/cgroup",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| word(p.container_id()))),
    },
    Field {
        id: "pod",
        json: "pod",
        header: "Pod",
        unit: "list",
        summary: "pod of the processes that hold the socket, as NAMESPACE/NAME or by uid",
        source: "/proc/PID/cgroup, /var/log/pods",
        need: Need::OWNERS,
        read: Reader::Row(|row| each(row, |(p, _)| word(p.pod.as_deref()))),
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

/// Every thread of every process, each process once.
fn thread(row: Row<'_>, index: usize) -> Option<Value<'_>> {
    let threads = &row.context.owners.particulars.threads;
    let of = |process: &Process| threads.get(&process.pid);
    let thread = row.processes().filter_map(of).flatten().nth(index)?;
    Some(Value::Count(thread.tid.into()))
}

/// The context of every process, each process once.
fn context(row: Row<'_>, index: usize) -> Option<Value<'_>> {
    let contexts = &row.context.owners.particulars.contexts;
    let context = row.processes().filter_map(|process| contexts.get(&process.pid)).nth(index)?;
    Some(Value::Name(context.as_bytes()))
}

fn each(row: Row<'_>, of: fn((&Process, u32)) -> Value<'_>) -> Value<'_> {
    Value::List(List::distinct(row, Side::Local, of))
}

fn word(word: Option<&str>) -> Value<'_> {
    word.map_or(Value::Absent, |word| Value::Name(word.as_bytes()))
}
