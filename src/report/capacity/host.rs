//! Limits of the machine and of the network namespace.

use super::{
    limit::{Binding, Limit, LimitId, Scope},
    processes::BYTES_PER_CONNECTION,
};
use crate::model::{protocol::Protocol, snapshot::Snapshot, state::State};
use serde::Serialize;

/// The machine as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostRoom {
    /// TCP connections now, in every state but TIME_WAIT.
    pub in_use: u64,
    /// How many more.
    pub remaining: Option<u64>,
    /// The limit that is met first.
    pub binding_limit: Option<LimitId>,
    /// TIME_WAIT and orphan FIN_WAIT_2 mini-sockets now.
    pub time_wait: u64,
    /// Memory that can be had, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Kernel memory of one idle connection, in bytes.
    pub kernel_bytes_per_connection: u64,
}

/// Sums it up.
pub fn room(snapshot: &Snapshot, limits: &[Limit]) -> HostRoom {
    let tcp = || snapshot.sockets.iter().filter(|s| s.protocol == Protocol::Tcp);
    let is_connection =
        |s: &&crate::model::socket::Socket| s.state != State::Listen && s.peer().is_some();
    let binding = Binding::of(limits);
    HostRoom {
        in_use: tcp().filter(is_connection).filter(|s| !s.is_mini()).count() as u64,
        remaining: binding.remaining,
        binding_limit: binding.limit,
        time_wait: tcp().filter(|s| s.is_mini()).count() as u64,
        memory_available_bytes: snapshot.limits.memory_available_bytes,
        kernel_bytes_per_connection: BYTES_PER_CONNECTION,
    }
}

/// The limits that bind every connection of the machine. A process that is exempt from
/// `fs.file-max` does not see that one.
pub fn of_connections(snapshot: &Snapshot, exempt_from_file_max: bool) -> Vec<Limit> {
    let settings = &snapshot.settings;
    let missing = |name: &str| settings.missing.get(name);
    let mut limits = vec![];
    let mut file_max = Limit::new(LimitId::FsFileMax, Scope::Host, "all processes", "files")
        .with(
            settings.number_at("fs.file-nr", 2).or_else(|| settings.number("fs.file-max")),
            settings.number_at("fs.file-nr", 0),
            "/proc/sys/fs/file-nr",
        )
        .of_connections("ENFILE")
        .unless_known(missing("fs.file-nr"));
    if exempt_from_file_max {
        file_max.connections = None;
        file_max.error_at_limit = None;
        file_max.note = Some("does not bind this process: it has CAP_SYS_ADMIN".to_owned());
    }
    limits.push(file_max);
    limits.extend(conntrack(snapshot));
    limits.push(
        Limit::new(LimitId::Memory, Scope::Host, "the machine", "bytes")
            .with(
                snapshot.limits.memory_total_bytes,
                snapshot
                    .limits
                    .memory_total_bytes
                    .zip(snapshot.limits.memory_available_bytes)
                    .map(|(total, available)| total.saturating_sub(available)),
                "/proc/meminfo",
            )
            .each(BYTES_PER_CONNECTION, "ENOMEM")
            .unless_known(snapshot.limits.missing.get("memory"))
            .noting("an upper bound: kernel memory alone, without what the program keeps"),
    );
    limits
}

/// The table of connections of the firewall. Its module is often present and idle: without an
/// entry nothing sends packets through it.
fn conntrack(snapshot: &Snapshot) -> Option<Limit> {
    let count = snapshot.settings.number("net.netfilter.nf_conntrack_count").filter(|n| *n > 0)?;
    let limit = Limit::new(LimitId::NfConntrackMax, Scope::Netns, "this namespace", "entries")
        .with(
            snapshot.settings.number("net.netfilter.nf_conntrack_max"),
            Some(count),
            "/proc/sys/net/netfilter/nf_conntrack_max, nf_conntrack_count",
        )
        // The SYN is dropped.
        .of_connections("ETIMEDOUT")
        .unless_known(snapshot.settings.missing.get("net.netfilter.nf_conntrack_max"));
    Some(limit.noting("a closed connection keeps its entry for 120 s by default"))
}

/// Limits that do not bound the number of open connections, and are worth knowing beside it.
pub fn others(snapshot: &Snapshot) -> Vec<Limit> {
    let settings = &snapshot.settings;
    let gauge = |name: &str| snapshot.counters().and_then(|counters| counters.get(name));
    let setting = |id, scope, subject: &str, unit, name: &str, index, used| {
        Limit::new(id, scope, subject, unit)
            .with(
                settings.number_at(name, index),
                used,
                format!("/proc/sys/{}", name.replace('.', "/")),
            )
            .unless_known(settings.missing.get(name))
    };
    let (host, netns) = (Scope::Host, Scope::Netns);
    vec![
        setting(LimitId::FsNrOpen, host, "any process", "descriptors", "fs.nr_open", 0, None)
            .noting("the highest RLIMIT_NOFILE that can be set"),
        setting(
            LimitId::Somaxconn,
            netns,
            "any listener",
            "connections",
            "net.core.somaxconn",
            0,
            None,
        )
        .noting("caps the backlog of listen(); takes effect when the program listens again"),
        setting(
            LimitId::TcpMaxTwBuckets,
            netns,
            "this namespace",
            "sockets",
            "net.ipv4.tcp_max_tw_buckets",
            0,
            gauge("sockstat.TCP.tw"),
        )
        .noting("above it a close skips TIME_WAIT; never lower it"),
        setting(
            LimitId::TcpMaxOrphans,
            host,
            "the machine",
            "sockets",
            "net.ipv4.tcp_max_orphans",
            0,
            gauge("sockstat.TCP.orphan"),
        )
        .noting(
            "above it a connection closed by its program is reset; seen in the initial network \
             namespace alone",
        ),
        setting(
            LimitId::TcpMem,
            host,
            "the machine",
            "pages",
            "net.ipv4.tcp_mem",
            2,
            gauge("sockstat.TCP.mem"),
        )
        .noting(
            "bounds data waiting in queues, idle connections use none of it; seen in the initial \
             network namespace alone",
        ),
    ]
}
