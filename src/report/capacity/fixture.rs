//! A machine for the tests of this report.

use crate::model::{
    about::{About, Host, SourceKind},
    endpoint::Endpoint,
    limits::{Limits, ProcessLimits},
    measures::Measures,
    netns::Netns,
    outline::Outline,
    owner::{Owners, Process, Unowned},
    protocol::{Family, Protocol},
    queues::Queues,
    settings::Settings,
    snapshot::Snapshot,
    socket::Socket,
    state::State,
};
use std::time::SystemTime;

/// One on which nothing was read.
pub(super) fn snapshot() -> Snapshot {
    Snapshot {
        about: About {
            generated_at: SystemTime::UNIX_EPOCH,
            host: Host::default(),
            source: SourceKind::Netlink,
            fallback_reason: None,
            netns: Netns::default(),
            gaps: vec![],
        },
        sockets: vec![],
        measures: Measures::default(),
        alive_before: vec![],
        before: None,
        owners: Owners::default(),
        settings: Settings::default(),
        limits: Limits::default(),
        samples: vec![],
    }
}

pub(super) fn end(text: &str) -> Endpoint {
    let at: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(at.ip(), at.port())
}

/// An IPv4 socket; inode 0 is none.
pub(super) fn socket(state: State, local: &str, remote: &str, inode: u64) -> Outline {
    Outline::of(&whole(state, local, remote, inode))
}

fn whole(state: State, local: &str, remote: &str, inode: u64) -> Socket {
    Socket {
        local: end(local),
        remote: end(remote),
        inode: (inode != 0).then_some(inode),
        ..Socket::new(Protocol::Tcp, Family::Ipv4, state)
    }
}

/// A listener with this backlog.
pub(super) fn listening(local: &str, inode: u64, backlog: u32) -> Outline {
    Outline::of(&Socket {
        queues: Queues::Listen { accept_queue: 0, limit: Some(backlog) },
        ..whole(State::Listen, local, "0.0.0.0:0", inode)
    })
}

/// A process of a machine.
pub(super) struct Program {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) command: &'static str,
    /// Its soft limit of descriptors; three are open.
    pub(super) soft: u64,
    /// Inodes of the sockets it holds.
    pub(super) inodes: &'static [u64],
}

/// Starts the programs.
pub(super) fn run(snapshot: &mut Snapshot, programs: &[Program]) {
    let mut owners = Owners::default();
    for program in programs {
        let process =
            Process { pid: program.pid, command: program.command.into(), ..Process::default() };
        let held: Vec<_> = program.inodes.iter().copied().zip(3..).collect();
        owners.add(process, &held);
        snapshot.limits.processes.push(ProcessLimits {
            pid: program.pid,
            parent: Some(program.parent),
            command: program.command.into(),
            soft: Some(program.soft),
            hard: Some(program.soft),
            descriptors: Some(vec![(0, 2)]),
            counted: None,
            exempt_from_file_max: Some(false),
            dead_sockets: None,
            cgroups: vec![],
        });
    }
    snapshot.owners = owners.finished(Some(Unowned::Kernel));
}
