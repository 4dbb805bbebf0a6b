//! What `-o`, `-e`, `-m`, `--tos`, `--cgroup` and `--inet-sockopt` add to a row.

use super::number;
use crate::{
    field::row::Row,
    model::{
        memory::SocketMemory,
        socket::Socket,
        sockopt::{self, SocketOptions},
        timer::{Timer, TimerKind},
    },
    view::escape,
};
use std::io::Write;

/// ` timer:(keepalive,119min,0)`; nothing where none runs.
pub(super) fn timer(out: &mut Vec<u8>, timer: Option<Timer>) {
    let Some(timer) = timer else { return };
    let name = match timer.kind {
        TimerKind::Retransmit => "on",
        TimerKind::Keepalive => "keepalive",
        TimerKind::TimeWait => "timewait",
        TimerKind::WindowProbe => "persist",
        TimerKind::Other(_) => "unknown",
    };
    let _ = write!(out, " timer:({name},");
    number::timer(out, timer.expires_ms);
    let _ = write!(out, ",{})", timer.retransmits);
}

/// ` uid:33 ino:4711 sk:51 fwmark:0x1 cgroup:/x v6only:0 <->`.
pub(super) fn identity(out: &mut Vec<u8>, row: Row<'_>) {
    let socket = row.socket;
    numbers(out, socket);
    cgroup(out, row);
    if let Some(only) = socket.v6only {
        let _ = write!(out, " v6only:{}", u8::from(only));
    }
    if let Some(bits) = socket.shutdown {
        out.extend(directions(bits));
    }
}

/// ` uid:33 ino:4711 sk:51 fwmark:0x1`.
pub(super) fn numbers(out: &mut Vec<u8>, socket: &Socket) {
    if let Some(uid) = socket.uid.filter(|uid| *uid != 0) {
        let _ = write!(out, " uid:{uid}");
    }
    let (inode, cookie) = (socket.inode.unwrap_or(0), socket.cookie.unwrap_or(0));
    let _ = write!(out, " ino:{inode} sk:{cookie:x}");
    if let Some(mark) = socket.mark.filter(|mark| *mark != 0) {
        let _ = write!(out, " fwmark:0x{mark:x}");
    }
}

/// Which directions are still open.
pub(super) fn directions(shut_down: u8) -> &'static [u8] {
    match shut_down & 3 {
        0 => b" <->",
        1 => b" -->",
        2 => b" <--",
        _ => b" ---",
    }
}

/// ` cgroup:/system.slice/nginx.service`, or its number where the path cannot be known.
pub(super) fn cgroup(out: &mut Vec<u8>, row: Row<'_>) {
    let Some(id) = row.socket.cgroup_id else { return };
    out.extend(b" cgroup:");
    let cgroups = &row.context.cgroups;
    match cgroups.path(id).filter(|_| !cgroups.is_unmounted()) {
        Some(path) => escape::for_terminal(out, path.as_bytes()),
        None => {
            let _ = write!(out, "unreachable:{id:x}");
        }
    }
}

/// ` tos:0x10 tclass:0 class_id:0`.
pub(super) fn traffic_class(out: &mut Vec<u8>, socket: &Socket) {
    let details = socket.details.as_deref();
    for (key, number) in [
        ("tos", socket.tos.map(u32::from)),
        ("tclass", details.and_then(|d| d.tclass).map(u32::from)),
        ("class_id", details.and_then(|d| d.class_id)),
    ] {
        match number {
            None => {}
            // As printf("%#x"): zero has no 0x.
            Some(0) => {
                let _ = write!(out, " {key}:0");
            }
            Some(number) => {
                let _ = write!(out, " {key}:{number:#x}");
            }
        }
    }
}

/// `inet-sockopt: ( is_icsk mc_loop)`.
pub(super) fn options(out: &mut Vec<u8>, options: SocketOptions) {
    out.extend(b"inet-sockopt: (");
    for option in sockopt::ALL.iter().filter(|option| options.has(**option)) {
        out.push(b' ');
        out.extend(option.name().as_bytes());
    }
    out.push(b')');
}

/// ` skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)`.
pub(super) fn memory(out: &mut Vec<u8>, memory: &SocketMemory) {
    let m = memory;
    let _ = write!(
        out,
        " skmem:(r{},rb{},t{},tb{},f{},w{},o{}",
        m.rmem_alloc_bytes,
        m.rcvbuf_bytes,
        m.wmem_alloc_bytes,
        m.sndbuf_bytes,
        m.fwd_alloc_bytes,
        m.wmem_queued_bytes,
        m.optmem_bytes
    );
    for (key, number) in [("bl", m.lock_backlog_bytes), ("d", m.drops)] {
        if let Some(number) = number {
            let _ = write!(out, ",{key}{number}");
        }
    }
    out.push(b')');
}
