//! What listens, and who.

use crate::model::{
    endpoint::Endpoint, name::Name, outline::Outline, queues::Queues, snapshot::Snapshot,
    state::State,
};
use serde::Serialize;
use std::{collections::BTreeMap, net::IpAddr};

/// A process that has sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Process id; of several with one name the lowest.
    pub pid: u32,
    /// Its name.
    pub command: Name,
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

/// The listener a socket is, with its connections among the local ends by port; `None`: it does not
/// listen.
pub fn listener(
    snapshot: &Snapshot,
    socket: &Outline,
    per_port: &BTreeMap<u16, Vec<IpAddr>>,
) -> Option<Listener> {
    let (accept_queue, limit) = match (socket.state, socket.queues()) {
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
    for (process, _) in socket.inode().into_iter().flat_map(|inode| snapshot.owners.holders(inode))
    {
        if processes.iter().all(|p| p.pid != process.pid) {
            let command = Name(process.command.clone());
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
