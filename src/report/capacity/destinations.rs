//! Outgoing connections: ports for each (local address, peer address, peer port).

use super::{
    limit::{Binding, Limit, LimitId, Scope},
    processes,
    reuse::Reuse,
};
use crate::{
    model::{
        endpoint::Endpoint, outline::Outline, ports::PortSet, protocol::Protocol,
        snapshot::Snapshot, state::State,
    },
    report::{
        ephemeral::{EphemeralPorts, ports_in_use_among},
        tuples::Tuples,
    },
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Where the ports were read.
pub const SOURCE: &str = "/proc/sys/net/ipv4/ip_local_port_range, ip_local_reserved_ports, sockets";

/// A destination in use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Destination {
    /// Source address.
    pub local_address: IpAddr,
    /// Destination address.
    pub peer_address: IpAddr,
    /// Destination port.
    pub peer_port: u16,
    /// Ports of the range.
    pub ports_total: u32,
    /// Ports taken out by ip_local_reserved_ports.
    pub ports_reserved: u32,
    /// Ports kept by listeners and bound sockets.
    pub ports_unusable: u32,
    /// Ports connect() can choose.
    pub ports_usable: u32,
    /// Ports in use, in any state.
    pub ports_in_use: u32,
    /// Of these, in TIME_WAIT and free to be taken over.
    pub ports_reusable: u32,
    /// Ports in use by state.
    pub in_use_by_state: BTreeMap<&'static str, u32>,
    /// How many connections are possible in all.
    pub effective_max: Option<u64>,
    /// How many more.
    pub remaining: Option<u64>,
    /// The lower end, where that is an interval.
    pub remaining_low: Option<u64>,
    /// The limit that is met first.
    pub binding_limit: Option<LimitId>,
    /// Ports that connect() finds quickly: it tries one half of the range first.
    pub ports_fast: u32,
    /// How many new connections a second can be kept up when this side closes first.
    pub rate_ceiling_per_second: f64,
}

impl Destination {
    /// Its ports, as a limit.
    pub fn limit(&self) -> Limit {
        let peer = Endpoint::new(self.peer_address, self.peer_port);
        Limit::new(
            LimitId::EphemeralPorts,
            Scope::Netns,
            format!("{} to {peer}", self.local_address),
            "ports",
        )
        .with(
            Some(self.ports_usable.into()),
            Some((self.ports_in_use - self.ports_reusable).into()),
            SOURCE,
        )
        .of_connections("EADDRNOTAVAIL")
    }
}

/// The ports left for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Ports in use in any state.
    pub in_use: u32,
    /// Ports in use by state.
    pub by_state: BTreeMap<State, u32>,
    /// Ports in use that can be taken over.
    pub reusable: u32,
    /// Free ports, those that can be taken over included.
    pub free: u32,
    /// Free ports that are certain to be usable.
    pub free_low: u32,
    /// Free ports in the half connect() tries first.
    pub fast: u32,
}

impl Room {
    /// Ports that are held and cannot be taken over.
    pub fn held(&self) -> u32 {
        self.in_use - self.reusable
    }
}

/// What is the same for every destination, counted once.
pub struct Ground<'s> {
    /// The ports.
    pub ports: &'s EphemeralPorts,
    usable: u32,
    usable_fast: u32,
    suspected: u32,
    reuse: Reuse,
}

impl<'s> Ground<'s> {
    /// Counts it.
    pub fn new(ports: &'s EphemeralPorts, reuse: Reuse) -> Self {
        Self {
            ports,
            usable: ports.usable(),
            usable_fast: ports.usable_first(),
            suspected: ports.suspected(),
            reuse,
        }
    }

    /// The ports left, where these sockets are all that can have the tuple.
    pub fn room(&self, sockets: &[&Outline], local: IpAddr, peer: Endpoint) -> Room {
        let ports = self.ports;
        let all = sockets.iter().copied();
        let in_use = ports_in_use_among(all, ports, local, peer.address, peer.port);
        let mut held = PortSet::empty();
        for socket in sockets {
            if has_tuple(socket, local, peer) && !self.reuse.frees(socket) {
                held.insert(socket.local.port);
            }
        }
        let (mut used, mut suspected, mut fast) = (0, 0, 0);
        let seen: BTreeSet<u16> = sockets.iter().map(|s| s.local.port).collect();
        for port in seen.into_iter().filter(|p| ports.contains(*p) && held.contains(*p)) {
            used += 1;
            suspected += u32::from(ports.is_suspected(port));
            fast += u32::from(ports.is_connects_parity(port));
        }
        let free = self.usable - used;
        // A search of an odd-sized range leaves out its first or its last port.
        let ends = [*ports.range().start(), *ports.range().end()];
        let is_free = |port: &u16| ports.contains(*port) && !held.contains(*port);
        let missed = ports.is_odd() && ends.iter().any(is_free);
        let certain = free - (self.suspected - suspected);
        Room {
            in_use: in_use.total,
            by_state: in_use.by_state,
            reusable: in_use.total - used,
            free,
            free_low: certain.saturating_sub(u32::from(missed)),
            fast: self.usable_fast - fast,
        }
    }

    /// Connections a second that can be kept up when this side closes first: each port rests 60 s
    /// in TIME_WAIT, or the delay after which it may be taken over.
    pub fn rate_ceiling(&self, local: IpAddr, peer: IpAddr) -> f64 {
        let rest_ms = if self.reuse.applies(local, peer) { self.reuse.delay_ms } else { 60_000 };
        let rest_ms = u32::try_from(rest_ms.max(1)).unwrap_or(u32::MAX);
        f64::from(self.usable) * 1000.0 / f64::from(rest_ms)
    }

    /// Why the figures are intervals.
    pub fn uncertainty(&self) -> Vec<String> {
        let mut why = vec![];
        if self.suspected > 0 {
            why.push(format!(
                "{} ports are probably blocked as well: their connections look like those of a \
                 program that calls bind() before connect(), or of a listener that is gone; the \
                 kernel does not tell",
                self.suspected
            ));
        }
        if self.ports.is_odd() {
            why.push(format!(
                "the range has an odd number of ports ({}): each search leaves out its first or \
                 its last one",
                self.ports.total()
            ));
        }
        why
    }
}

/// The limit of ports for a destination.
pub fn limit(room: &Room, local: IpAddr, peer: Endpoint) -> Limit {
    let subject = format!("{local} to {peer}");
    let mut limit = Limit::new(LimitId::EphemeralPorts, Scope::Netns, subject, "ports")
        .with(Some(u64::from(room.free + room.held())), Some(u64::from(room.held())), SOURCE)
        .of_connections("EADDRNOTAVAIL");
    limit.connections_low = (room.free_low != room.free).then_some(u64::from(room.free_low));
    limit
}

/// The destinations in use, fullest first.
pub fn list(
    snapshot: &Snapshot,
    tuples: &Tuples<'_>,
    ground: &Ground<'_>,
    host: &[Limit],
) -> Vec<Destination> {
    let ports = ground.ports;
    let (total, reserved, unusable) = (ports.total(), ports.reserved(), ports.unusable());
    let is_use = |s: &&&Outline| ground.ports.contains(s.local.port);
    let mut list: Vec<Destination> = tuples
        .iter()
        .filter_map(|((local, peer), sockets)| {
            let sockets: Vec<&Outline> = sockets.iter().filter(is_use).copied().collect();
            sockets.first()?;
            let room = ground.room(&sockets, local, peer);
            let ports = limit(&room, local, peer);
            let descriptors = descriptors(snapshot, &sockets);
            let binding =
                Binding::of([Some(&ports), descriptors.as_ref()].into_iter().flatten().chain(host));
            Some(Destination {
                local_address: local,
                peer_address: peer.address,
                peer_port: peer.port,
                ports_total: total,
                ports_reserved: reserved,
                ports_unusable: unusable,
                ports_usable: ground.usable,
                ports_in_use: room.in_use,
                ports_reusable: room.reusable,
                in_use_by_state: room.by_state.iter().map(|(s, n)| (s.name(), *n)).collect(),
                effective_max: binding.remaining.map(|more| more + u64::from(room.held())),
                remaining: binding.remaining,
                remaining_low: binding.remaining_low,
                binding_limit: binding.limit,
                ports_fast: ground.usable_fast,
                rate_ceiling_per_second: ground.rate_ceiling(local, peer.address),
            })
        })
        .collect();
    list.sort_by_key(|d| {
        (std::cmp::Reverse(d.ports_in_use), d.local_address, d.peer_address, d.peer_port)
    });
    list
}

/// Descriptors left to the processes that hold these sockets, together. `None`: one of them is
/// not known.
fn descriptors(snapshot: &Snapshot, sockets: &[&Outline]) -> Option<Limit> {
    let inodes = sockets.iter().filter_map(|s| s.inode());
    let pids: BTreeSet<u32> = inodes
        .flat_map(|inode| snapshot.owners.holders(inode).map(|(process, _)| process.pid))
        .collect();
    together(snapshot, &pids)
}

/// Descriptors left to several processes together.
pub fn together(snapshot: &Snapshot, pids: &BTreeSet<u32>) -> Option<Limit> {
    let rooms: Option<Vec<Limit>> = pids
        .iter()
        .map(|pid| {
            let process = snapshot.limits.process(*pid)?;
            Some(processes::descriptors(process, &snapshot.limits))
        })
        .collect();
    let mut rooms = rooms?;
    if rooms.len() < 2 {
        return rooms.pop();
    }
    let subject = format!("{} processes together", rooms.len());
    let sum = |of: fn(&Limit) -> Option<u64>| rooms.iter().map(of).sum::<Option<u64>>();
    Some(
        Limit::new(LimitId::RlimitNofile, Scope::Process, subject, "descriptors")
            .with(sum(|l| l.value), sum(|l| l.used), "/proc/PID/limits, fd")
            .of_connections("EMFILE"),
    )
}

/// Whether a socket has this local address and this peer.
pub fn has_tuple(socket: &Outline, local: IpAddr, peer: Endpoint) -> bool {
    socket.protocol == Protocol::Tcp
        && socket.local.address.to_canonical() == local.to_canonical()
        && socket.remote.address.to_canonical() == peer.address.to_canonical()
        && socket.remote.port == peer.port
}
