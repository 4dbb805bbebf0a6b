//! Descriptors of processes, memory and tasks of their cgroups.

use super::limit::{Limit, LimitId, Scope};
use crate::model::{
    limits::{CgroupLimit, Limits, ProcessLimits, Resource},
    name::{Name, lossless},
    snapshot::Snapshot,
};
use serde::Serialize;

/// Kernel memory of an idle connection, in bytes: the socket, its inode, file and directory entry
/// (2368 + 832 + 192 + 192, measured on 6.18), and the bind bucket of a client. What the program
/// keeps for it comes on top, and is not known.
pub const BYTES_PER_CONNECTION: u64 = 3840;
/// Where [`BYTES_PER_CONNECTION`] comes from.
pub const BYTES_PER_CONNECTION_SOURCE: &str = "measured on Linux 6.18, x86-64, for an idle TCP \
    socket: 2368 socket, 832 inode, 192 file, 192 directory entry, 256 bind buckets of a client";

/// A process and its descriptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessRoom {
    /// Process id.
    pub pid: u32,
    /// Command.
    pub command: Name,
    /// Open descriptors. `None`: they may not be counted.
    pub open_files: Option<u64>,
    /// Of these, how many have a number below the soft limit.
    pub open_files_below_limit: Option<u64>,
    /// Soft limit of RLIMIT_NOFILE. `None`: unlimited, or unknown.
    pub limit_soft: Option<u64>,
    /// Hard limit. `None`: unlimited, or unknown.
    pub limit_hard: Option<u64>,
    /// How many more it can open.
    pub remaining: Option<u64>,
    /// Sockets it holds.
    pub sockets: usize,
}

/// The processes that hold sockets, fullest first.
pub fn rooms(snapshot: &Snapshot) -> Vec<ProcessRoom> {
    let finite = |limit: Option<u64>| limit.filter(|limit| *limit != u64::MAX);
    let mut rooms: Vec<ProcessRoom> = snapshot
        .limits
        .processes
        .iter()
        .map(|process| ProcessRoom {
            pid: process.pid,
            command: Name(process.command.clone()),
            open_files: process.open(),
            open_files_below_limit: process.soft.and_then(|soft| process.below(soft)),
            limit_soft: finite(process.soft),
            limit_hard: finite(process.hard),
            remaining: descriptors(process, &snapshot.limits).free,
            sockets: snapshot.owners.descriptors_of(process.pid),
        })
        .collect();
    rooms.sort_by_key(|room| (room.remaining.unwrap_or(u64::MAX), room.pid));
    rooms
}

/// RLIMIT_NOFILE of a process.
pub fn descriptors(process: &ProcessLimits, limits: &Limits) -> Limit {
    let subject = format!("{}[{}]", lossless(&process.command), process.pid);
    let used = process.soft.and_then(|soft| process.below(soft));
    let limit = Limit::new(LimitId::RlimitNofile, Scope::Process, subject, "descriptors")
        .with(process.soft, used, format!("/proc/{}/limits, fd", process.pid))
        .of_connections("EMFILE")
        .unless_known(limits.missing.get(&format!("process {}", process.pid)));
    match process.open().zip(used) {
        Some((open, used)) if open > used => limit.noting(format!(
            "{} open descriptors have a number of {} or more and take nothing away",
            open - used,
            process.soft.unwrap_or_default()
        )),
        _ => limit,
    }
}

/// Memory and pids limits on the way from the cgroups of a process to the root.
pub fn cgroups(process: &ProcessLimits, limits: &Limits) -> Vec<Limit> {
    let binds = |limit: &&CgroupLimit| {
        let key = limit.key();
        let is_above = |own: &String| {
            own == &key
                || key.ends_with(":/") && own.starts_with(key.trim_end_matches('/'))
                || own.strip_prefix(&key).is_some_and(|rest| rest.starts_with('/'))
        };
        limit.limit.is_some() && process.cgroups.iter().any(is_above)
    };
    limits.cgroups.iter().filter(binds).map(cgroup).collect()
}

fn cgroup(limit: &CgroupLimit) -> Limit {
    match limit.resource {
        Resource::Memory => Limit::new(LimitId::Memory, Scope::Cgroup, limit.path.clone(), "bytes")
            .with(limit.limit, limit.used, limit.file.clone())
            .each(BYTES_PER_CONNECTION, "ENOMEM")
            .noting(format!(
                "an upper bound: kernel memory alone, {BYTES_PER_CONNECTION} bytes for each \
                 connection ({BYTES_PER_CONNECTION_SOURCE}); at the limit the kernel may also \
                 kill a process of the cgroup (SIGKILL)"
            )),
        Resource::Pids => Limit::new(LimitId::PidsMax, Scope::Cgroup, limit.path.clone(), "tasks")
            .with(limit.limit, limit.used, limit.file.clone())
            .noting("bounds connections only of a program with a thread or process for each"),
    }
}
