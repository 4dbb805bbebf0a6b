//! Listeners: how many connections their processes can hold.

use super::{
    destinations,
    limit::{Binding, Limit, LimitId, Scope},
    processes,
};
use crate::model::{
    endpoint::Endpoint, name::Name, protocol::Protocol, queues::Queues, snapshot::Snapshot,
    socket::Socket, state::State,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// A listening address; several sockets may share it (SO_REUSEPORT).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Address; `0.0.0.0` and `::` are every one.
    pub local_address: IpAddr,
    /// Port.
    pub local_port: u16,
    /// Who holds it.
    pub processes: Vec<Holder>,
    /// Connections that were accepted and are open.
    pub in_use: u64,
    /// How many accepted connections are possible in all.
    pub effective_max: Option<u64>,
    /// How many more can be accepted.
    pub remaining: Option<u64>,
    /// The limit that is met first.
    pub binding_limit: Option<LimitId>,
    /// Connections that wait for accept().
    pub accept_queue: u32,
    /// The backlog in force; one more fits. `None`: /proc does not tell.
    pub accept_queue_limit: Option<u32>,
    /// The limits, each.
    #[serde(skip)]
    pub limits: Vec<Limit>,
}

/// A process that holds a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Command.
    pub command: Name,
}

/// The listeners, by address and port.
pub fn list(snapshot: &Snapshot, host: &[Limit]) -> Vec<Listener> {
    let tcp = || snapshot.sockets.iter().filter(|s| s.protocol == Protocol::Tcp);
    let mut listening: BTreeMap<Endpoint, Vec<&Socket>> = BTreeMap::new();
    for socket in tcp().filter(|s| s.state == State::Listen) {
        listening.entry(socket.local).or_default().push(socket);
    }
    let mut connected: HashMap<u16, Vec<&Socket>> = HashMap::new();
    for socket in tcp().filter(|s| s.peer().is_some()) {
        connected.entry(socket.local.port).or_default().push(socket);
    }
    let specific: BTreeSet<Endpoint> = listening.keys().copied().collect();
    listening
        .into_iter()
        .map(|(local, sockets)| {
            let mut clients: HashMap<IpAddr, u64> = HashMap::new();
            let mut in_use = 0;
            let served = connected.get(&local.port).map(Vec::as_slice).unwrap_or_default();
            for socket in served.iter().filter(|s| belongs(s, local, &specific)) {
                *clients.entry(socket.remote.address.to_canonical()).or_default() += 1;
                // One without an inode waits in the accept queue, or has been closed.
                in_use += u64::from(socket.inode.is_some());
            }
            listener(snapshot, local, &sockets, (in_use, &clients), host)
        })
        .collect()
}

/// Whether a connection was accepted by this listener: the most specific address wins.
fn belongs(socket: &Socket, listener: Endpoint, all: &BTreeSet<Endpoint>) -> bool {
    let exact = Endpoint::new(socket.local.address, listener.port);
    let canonical = Endpoint::new(socket.local.address.to_canonical(), listener.port);
    if listener.is_wildcard() {
        let more_specific = all.contains(&exact) || all.contains(&canonical);
        let same_family = listener.address.is_ipv4() == socket.local.address.is_ipv4();
        !more_specific && same_family
    } else {
        listener == exact || listener == canonical
    }
}

fn listener(
    snapshot: &Snapshot,
    local: Endpoint,
    sockets: &[&Socket],
    (in_use, clients): (u64, &HashMap<IpAddr, u64>),
    host: &[Limit],
) -> Listener {
    let holders = |socket: &&Socket| {
        socket
            .inode
            .into_iter()
            .flat_map(|inode| snapshot.owners.holders(inode))
            .collect::<Vec<_>>()
    };
    let mut found: BTreeMap<u32, Name> = BTreeMap::new();
    for (process, _) in sockets.iter().flat_map(holders) {
        found.insert(process.pid, Name(process.command.clone()));
    }
    let pids: BTreeSet<u32> = found.keys().copied().collect();
    let mut limits: Vec<Limit> = destinations::together(snapshot, &pids).into_iter().collect();
    if limits.is_empty() {
        let mut unknown =
            Limit::new(LimitId::RlimitNofile, Scope::Process, local.to_string(), "descriptors");
        unknown.error_at_limit = Some("EMFILE");
        unknown.unknown = Some("its process, or the descriptors of it, cannot be seen".to_owned());
        limits.push(unknown);
    }
    let mut seen = BTreeSet::new();
    for process in pids.iter().filter_map(|pid| snapshot.limits.process(*pid)) {
        for limit in processes::cgroups(process, &snapshot.limits) {
            if seen.insert((limit.id, limit.subject.clone())) {
                limits.push(limit);
            }
        }
    }
    let exempt = !pids.is_empty()
        && pids.iter().all(|pid| {
            snapshot.limits.process(*pid).is_some_and(|p| p.exempt_from_file_max == Some(true))
        });
    limits.extend(host.iter().filter(|limit| !(exempt && limit.id == LimitId::FsFileMax)).cloned());
    let (mut queue, mut most) = (0, Some(0));
    for socket in sockets {
        if let Queues::Listen { accept_queue, limit } = socket.queues {
            queue += accept_queue;
            most = most.zip(limit).map(|(sum, limit)| sum + limit);
        }
    }
    let binding = Binding::of(&limits);
    limits.push(waiting(local, sockets.len(), queue, most));
    limits.extend(busiest_client(local, clients));
    Listener {
        local_address: local.address,
        local_port: local.port,
        processes: found.into_iter().map(|(pid, command)| Holder { pid, command }).collect(),
        in_use,
        effective_max: binding.remaining.map(|more| in_use + more),
        remaining: binding.remaining,
        binding_limit: binding.limit,
        accept_queue: queue,
        accept_queue_limit: most,
        limits,
    }
}

/// The accept queue: connections that open without the program doing anything. The queue is full
/// at its limit + 1, because the kernel compares with `>` (`sk_acceptq_is_full`).
fn waiting(local: Endpoint, sockets: usize, queue: u32, limit: Option<u32>) -> Limit {
    let value = limit.map(|limit| u64::from(limit) + sockets as u64);
    let mut waiting =
        Limit::new(LimitId::AcceptQueue, Scope::Process, local.to_string(), "connections")
            .with(value, Some(queue.into()), "listen() backlog and net.core.somaxconn, sock_diag")
            .noting("open before the program accepts them; beyond it clients get no answer");
    waiting.error_at_limit = Some("ETIMEDOUT");
    waiting.connections = waiting.free;
    waiting
}

/// Ports of the client address with the most connections: each has 65,535 towards a listener, in
/// every state, and each other address has as many.
fn busiest_client(local: Endpoint, clients: &HashMap<IpAddr, u64>) -> Option<Limit> {
    let (client, used) = clients.iter().max_by_key(|(client, used)| (**used, **client))?;
    let subject = format!("{client} to {local}");
    let mut limit = Limit::new(LimitId::ClientPorts, Scope::Netns, subject, "ports")
        .with(Some(65_535), Some(*used), "sockets")
        .noting("of the busiest client address; every other one has ports of its own");
    limit.error_at_limit = Some("EADDRNOTAVAIL");
    limit.connections = limit.free;
    Some(limit)
}
