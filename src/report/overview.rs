//! What is going on here: counts, listeners, the busiest peers and processes.

use super::summary::{Count, Summary};
use crate::model::{
    endpoint::Endpoint, protocol::Protocol, queues::Queues, snapshot::Snapshot, socket::Socket,
    state::State,
};
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// The overview.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// Sockets by protocol, family and state.
    pub counts: Vec<Count>,
    /// What listens, fullest accept queue first, then most connections.
    pub listeners: Vec<Listener>,
    /// Peers with the most connections.
    pub peers: Vec<Peer>,
    /// Processes with the most connections; empty where no owner is known.
    pub processes: Vec<Holder>,
    /// The same counts, for the page.
    #[serde(skip)]
    pub summary: Summary,
}

/// A process that has sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Process id; of several with one name the lowest.
    pub pid: u32,
    /// Its name, bytes that are not UTF-8 replaced.
    pub command: String,
    /// Connections it holds, with those of other processes of this name.
    pub connections: u64,
}

/// Something that listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Protocol.
    pub protocol: &'static str,
    /// Address.
    pub local_address: IpAddr,
    /// Port.
    pub local_port: u16,
    /// Connections that wait for `accept(2)`; `None` for UDP.
    pub accept_queue: Option<u32>,
    /// Its limit; `None` for UDP and from /proc.
    pub accept_queue_limit: Option<u32>,
    /// Connections to it that are open; `None` for UDP, which has none.
    pub connections: Option<u64>,
    /// Who listens.
    pub processes: Vec<Holder>,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Address.
    pub address: IpAddr,
    /// Connections that are open.
    pub connections: u64,
}

/// Makes the overview, at most `most` lines of each kind.
pub fn of(snapshot: &Snapshot, most: usize) -> Overview {
    let summary = Summary::of(&snapshot.sockets);
    let mut per_port: HashMap<u16, Vec<IpAddr>> = HashMap::new();
    let mut per_peer: HashMap<IpAddr, u64> = HashMap::new();
    let mut per_process: HashMap<&[u8], (u32, u64)> = HashMap::new();
    for socket in snapshot.sockets.iter().filter(|s| is_open(s)) {
        per_port.entry(socket.local.port).or_default().push(socket.local.address);
        if let Some(peer) = socket.peer() {
            *per_peer.entry(peer.address).or_default() += 1;
        }
        let names: BTreeSet<(&[u8], u32)> = socket
            .inode
            .into_iter()
            .flat_map(|inode| snapshot.owners.holders(inode))
            .map(|(process, _)| (process.command.as_slice(), process.pid))
            .collect();
        let mut last = None;
        for (command, pid) in names {
            if last != Some(command) {
                let entry = per_process.entry(command).or_insert((pid, 0));
                *entry = (entry.0.min(pid), entry.1 + 1);
            }
            last = Some(command);
        }
    }
    let mut listeners: Vec<Listener> =
        snapshot.sockets.iter().filter_map(|s| listener(snapshot, s, &per_port)).collect();
    listeners.sort_by_key(|l| {
        (std::cmp::Reverse((l.accept_queue, l.connections)), l.local_port, l.local_address)
    });
    listeners.truncate(most);
    let peer = |(address, connections)| Peer { address, connections };
    let holder = |(command, (pid, connections)): (&[u8], (u32, u64))| Holder {
        pid,
        command: String::from_utf8_lossy(command).into_owned(),
        connections,
    };
    Overview {
        counts: summary.counts(),
        listeners,
        peers: largest(per_peer.into_iter().map(peer), most, |p| (p.connections, p.address)),
        processes: largest(per_process.into_iter().map(holder), most, |h| (h.connections, h.pid)),
        summary,
    }
}

/// Whether a connection is open: a process can still use it, or will.
fn is_open(socket: &Socket) -> bool {
    socket.protocol == Protocol::Tcp
        && matches!(socket.state, State::Established | State::CloseWait | State::SynSent)
}

fn listener(
    snapshot: &Snapshot,
    socket: &Socket,
    per_port: &HashMap<u16, Vec<IpAddr>>,
) -> Option<Listener> {
    let (accept_queue, limit) = match (socket.state, socket.queues) {
        (State::Listen, Queues::Listen { accept_queue, limit }) => (Some(accept_queue), limit),
        // A datagram socket without a peer and with a port takes datagrams from anyone.
        (State::Unconnected, _) if socket.local.port != 0 => (None, None),
        _ => return None,
    };
    let Endpoint { address, port } = socket.local;
    let connections = accept_queue.map(|_| {
        let locals = per_port.get(&port).map(Vec::as_slice).unwrap_or_default();
        // A connection has the family of its listener: an IPv4 peer of a dual-stack listener shows
        // a v4-mapped address.
        let reaches = |local: &&IpAddr| {
            **local == address || address.is_unspecified() && address.is_ipv6() == local.is_ipv6()
        };
        locals.iter().filter(reaches).count() as u64
    });
    let mut processes: Vec<Holder> = vec![];
    for (process, _) in socket.inode.into_iter().flat_map(|inode| snapshot.owners.holders(inode)) {
        if processes.iter().all(|p| p.pid != process.pid) {
            let command = String::from_utf8_lossy(&process.command).into_owned();
            processes.push(Holder {
                pid: process.pid,
                command,
                connections: connections.unwrap_or(0),
            });
        }
    }
    Some(Listener {
        protocol: socket.protocol.name(),
        local_address: address,
        local_port: port,
        accept_queue,
        accept_queue_limit: limit,
        connections,
        processes,
    })
}

/// The largest by a key, at most so many.
fn largest<T, K: Ord>(all: impl Iterator<Item = T>, most: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| std::cmp::Reverse(key(one)));
    all.truncate(most);
    all
}
