//! Limits of the machine and of the network namespace.

use super::{
    limit::{Binding, Limit, LimitId, Scope},
    processes::{BYTES_PER_CONNECTION, BYTES_PER_CONNECTION_SOURCE},
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
    /// The limit that is met next.
    pub runner_up: Option<LimitId>,
    /// TIME_WAIT and orphan FIN_WAIT_2 mini-sockets now.
    pub time_wait: u64,
    /// Memory that can be had, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Kernel memory of one idle connection, in bytes.
    pub kernel_bytes_per_connection: u64,
    /// Where that figure comes from.
    pub kernel_bytes_per_connection_source: &'static str,
}

/// Sums it up.
pub fn room(snapshot: &Snapshot, limits: &[Limit]) -> HostRoom {
    let tcp = || snapshot.sockets.iter().filter(|s| s.protocol == Protocol::Tcp);
    let is_connection =
        |s: &&crate::model::outline::Outline| s.state != State::Listen && s.peer().is_some();
    let binding = Binding::of(limits);
    HostRoom {
        in_use: tcp().filter(is_connection).filter(|s| !s.is_mini()).count() as u64,
        remaining: binding.remaining,
        binding_limit: binding.limit,
        runner_up: binding.runner_up.map(|(id, _)| id),
        time_wait: tcp().filter(|s| s.is_mini()).count() as u64,
        memory_available_bytes: snapshot.limits.memory_available_bytes,
        kernel_bytes_per_connection: BYTES_PER_CONNECTION,
        kernel_bytes_per_connection_source: BYTES_PER_CONNECTION_SOURCE,
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
    limits.push(conntrack(snapshot));
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
            .noting(format!(
                "an upper bound: kernel memory alone, without what the program keeps; \
                 {BYTES_PER_CONNECTION} bytes for each connection ({BYTES_PER_CONNECTION_SOURCE})"
            )),
    );
    limits
}

const CONNTRACK_COUNT: &str = "net.netfilter.nf_conntrack_count";
const CONNTRACK_MAX: &str = "net.netfilter.nf_conntrack_max";

/// The table of connections of the firewall. Its module is often absent, or present and idle:
/// without an entry nothing sends packets through it.
fn conntrack(snapshot: &Snapshot) -> Limit {
    let settings = &snapshot.settings;
    let (count, most) = (settings.number(CONNTRACK_COUNT), settings.number(CONNTRACK_MAX));
    let limit = Limit::new(LimitId::NfConntrackMax, Scope::Netns, "this namespace", "entries")
        .with(most, count, "/proc/sys/net/netfilter/nf_conntrack_max, nf_conntrack_count")
        .unless_known(
            settings.missing.get(CONNTRACK_COUNT).or_else(|| settings.missing.get(CONNTRACK_MAX)),
        );
    match count {
        Some(0) => limit.noting(
            "inactive: no connection has an entry, so nothing sends packets through it; it does \
             not bind",
        ),
        None if settings.is_absent(CONNTRACK_COUNT) => {
            let mut limit = limit.noting("absent: the module is not loaded here; it does not bind");
            limit.unknown = None;
            limit
        }
        // The SYN is dropped.
        _ => limit
            .of_connections("ETIMEDOUT")
            .noting("a closed connection keeps its entry for 120 s by default"),
    }
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
        epoll(setting(
            LimitId::EpollMaxUserWatches,
            host,
            "each user",
            "watches",
            "fs.epoll.max_user_watches",
            0,
            None,
        )),
        setting(LimitId::ThreadsMax, host, "the machine", "threads", "kernel.threads-max", 0, None)
            .noting(THREADS),
        setting(LimitId::PidsMax, host, "the machine", "tasks", "kernel.pid_max", 0, None)
            .noting(THREADS),
    ]
}

/// What kernel.threads-max and kernel.pid_max are for.
const THREADS: &str = "bounds connections only of a program with a thread or process for each";

/// One watch for each connection in an epoll set. How many a user has is in the fdinfo of every
/// epoll descriptor of every one of its processes: more work than the rest of the report.
fn epoll(limit: Limit) -> Limit {
    let limit = limit.noting("ENOSPC from epoll_ctl(); 4 % of memory by default, seldom near");
    match (limit.value, &limit.unknown) {
        (Some(_), None) => Limit {
            unknown: Some(
                "how many are used is not counted: it stands in /proc/PID/fdinfo of every epoll \
                 descriptor of the user"
                    .to_owned(),
            ),
            ..limit
        },
        _ => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capacity::fixture;

    fn conntrack_of(count: Option<&str>, why: Option<&str>) -> Limit {
        let mut snapshot = fixture::snapshot();
        let settings = &mut snapshot.settings;
        settings.values.insert(CONNTRACK_MAX.to_owned(), "10".to_owned());
        if let Some(count) = count {
            settings.values.insert(CONNTRACK_COUNT.to_owned(), count.to_owned());
        }
        if let Some(why) = why {
            settings.missing.insert(CONNTRACK_COUNT.to_owned(), why.to_owned());
        }
        conntrack(&snapshot)
    }

    #[test]
    fn the_table_of_connections_binds_where_it_is_in_use() {
        for (count, more) in [("1", 9), ("9", 1), ("10", 0), ("11", 0)] {
            let limit = conntrack_of(Some(count), None);
            assert_eq!((limit.connections, limit.error_at_limit), (Some(more), Some("ETIMEDOUT")));
        }
        let idle = conntrack_of(Some("0"), None);
        assert!(idle.connections.is_none() && !idle.is_unknown());
        assert!(idle.note.unwrap().starts_with("inactive"));
        let absent = conntrack_of(None, Some("cannot open x: ENOENT (No such file or directory)"));
        assert!(!absent.is_unknown() && absent.unknown.is_none());
        assert!(absent.note.unwrap().starts_with("absent"));
        let refused = conntrack_of(None, Some("cannot open x: EACCES (Permission denied)"));
        assert!(refused.is_unknown() && refused.unknown.unwrap().contains("EACCES"));
    }

    #[test]
    fn what_bounds_something_else_never_bounds_connections() {
        let mut snapshot = fixture::snapshot();
        for name in ["fs.epoll.max_user_watches", "kernel.threads-max", "kernel.pid_max"] {
            snapshot.settings.values.insert(name.to_owned(), "1".to_owned());
        }
        let limits = others(&snapshot);
        for id in [LimitId::EpollMaxUserWatches, LimitId::ThreadsMax, LimitId::PidsMax] {
            let limit = limits.iter().find(|limit| limit.id == id).unwrap();
            assert_eq!((limit.value, limit.connections), (Some(1), None), "{id:?}");
            assert!(limit.note.is_some());
        }
        assert_eq!(Binding::of(&limits).limit, None);
        let epoll = limits.iter().find(|l| l.id == LimitId::EpollMaxUserWatches).unwrap();
        assert!(epoll.unknown.as_deref().unwrap().contains("fdinfo"));
    }

    #[test]
    fn memory_says_how_much_a_connection_takes_and_who_measured_it() {
        let mut snapshot = fixture::snapshot();
        snapshot.limits.memory_total_bytes = Some(10 * BYTES_PER_CONNECTION);
        for (available, more) in [
            (BYTES_PER_CONNECTION - 1, 0),
            (BYTES_PER_CONNECTION, 1),
            (2 * BYTES_PER_CONNECTION, 2),
        ] {
            snapshot.limits.memory_available_bytes = Some(available);
            let limits = of_connections(&snapshot, false);
            let memory = limits.iter().find(|limit| limit.id == LimitId::Memory).unwrap();
            assert_eq!(memory.connections, Some(more));
            assert_eq!(memory.units_per_connection, Some(BYTES_PER_CONNECTION));
            assert!(memory.note.as_deref().unwrap().contains("measured on Linux 6.18"));
        }
    }
}
