//! Figures of each listener and each destination.

use super::{
    attribution::{Attribution, Owner, Parties},
    destination::{self, Ports, Tuples, part},
    expected, history,
    listeners::Listeners,
    split::{self, Key, Members, Side},
    verdict::{self, Verdict, Why},
};
use crate::{
    model::{snapshot::Snapshot, socket::Socket},
    report::ephemeral::EphemeralPorts,
};
use serde::Serialize;
use std::{cmp::Reverse, collections::HashSet, net::IpAddr};

/// Sockets in TIME_WAIT that came in by one listener, or went out to one destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Who opened the connections.
    pub side: Side,
    /// Where the listener listens, the wildcard included; or the address connected from.
    pub local_address: IpAddr,
    /// Port of the listener. `None`: each has its own.
    pub local_port: Option<u16>,
    /// Address of the destination. `None` on the server side: see `peer_addresses`.
    pub peer_address: Option<IpAddr>,
    /// Port of the destination. `None` on the server side.
    pub peer_port: Option<u16>,
    /// Whether the listener is still there. `None` on the client side.
    pub listening: Option<bool>,
    /// Sockets in TIME_WAIT.
    pub count: u32,
    /// Age of the oldest, in milliseconds, at most 60000. `None`: no age is known.
    pub oldest_age_ms: Option<u32>,
    /// Sockets that entered TIME_WAIT per second, those that are gone already not counted.
    pub rate_per_second: f64,
    /// Closes in each of the last 60 seconds, the last second first.
    pub closed_per_second: Vec<u32>,
    /// Distinct addresses of peers.
    pub peer_addresses: u32,
    /// Connections alive: to the destination, opened from here. `None` on the server side.
    pub alive: Option<u32>,
    /// Ports that connect(2) can choose. `None` on the server side, which uses none; or the range
    /// could not be read.
    pub ports_usable: Option<u32>,
    /// Those in use towards this destination, in any state.
    pub ports_in_use: Option<u32>,
    /// Of those: in TIME_WAIT and free to be taken over by the next connect(2).
    pub ports_reusable: Option<u32>,
    /// Usable ports that clients which bind first seem to keep from this destination.
    pub ports_kept_by_others: Option<u32>,
    /// In use ÷ usable, 0 to 1.
    pub utilization: Option<f64>,
    /// In how many seconds no port is left at the present rate. `None`: never.
    pub time_to_full_s: Option<u32>,
    /// Connections per second that can be opened for ever while this side closes first.
    pub rate_ceiling_per_second: Option<f64>,
    /// Who closed them, as far as can be known.
    pub owners: Vec<Owner>,
    /// Who is at the other end, where that is on this machine.
    pub peer_owners: Vec<Owner>,
    /// Whether it harms.
    pub verdict: Verdict,
    /// Why.
    pub reason: Why,
    /// The ports in full.
    #[serde(skip)]
    pub ports: Option<Ports>,
}

impl Group {
    /// Whether its sockets seem to be bound before they are connected.
    pub fn binds_first(&self) -> bool {
        self.ports.as_ref().is_some_and(|ports| ports.bound * 2 > ports.in_use)
    }
}

/// The groups of a snapshot, the most harmful first, then the largest.
pub fn of(snapshot: &Snapshot, ephemeral: Option<&EphemeralPorts>) -> Vec<Group> {
    let listeners = Listeners::of(&snapshot.sockets);
    let attribution = Attribution::of(snapshot, &listeners);
    let tuples = Tuples::of(&snapshot.sockets);
    let window_ms = expected::window_ms(snapshot);
    let mut groups: Vec<Group> = split::split(snapshot, &listeners)
        .iter()
        .map(|members| {
            let mut group = figures(members, window_ms, attribution.parties(members));
            if let Key::Client { local, peer } = members.key {
                let alive = attribution.alive_to(peer);
                let closes = history::closed_within(sockets(members), window_ms);
                let ports = ephemeral.map(|ephemeral| {
                    let closes = (closes, window_ms);
                    destination::ports(
                        ephemeral,
                        &snapshot.settings,
                        &tuples,
                        (local, peer),
                        closes,
                    )
                });
                group.reason =
                    verdict::destination(ports.as_ref(), group.rate_per_second, group.count, alive);
                group.verdict = group.reason.verdict();
                group.alive = Some(alive);
                group.add(ports);
            }
            group
        })
        .collect();
    groups.sort_by_key(|group| (Reverse(group.verdict), Reverse(group.count)));
    groups
}

fn sockets<'s>(members: &'s Members<'s>) -> impl Iterator<Item = &'s Socket> {
    members.sockets.iter().copied()
}

/// What a group has whatever its side.
fn figures(members: &Members<'_>, window_ms: u32, parties: Parties) -> Group {
    let (side, local_address, local_port, peer, listening) = match members.key {
        Key::Server { at, listening } => {
            (Side::Server, at.address, Some(at.port), None, Some(listening))
        }
        Key::Client { local, peer } => (Side::Client, local, None, Some(peer), None),
    };
    let peers: HashSet<IpAddr> =
        sockets(members).map(|s| s.remote.address.to_canonical()).collect();
    let closes = history::closed_within(sockets(members), window_ms);
    Group {
        side,
        local_address,
        local_port,
        peer_address: peer.map(|peer| peer.address),
        peer_port: peer.map(|peer| peer.port),
        listening,
        count: whole(members.sockets.len()),
        oldest_age_ms: sockets(members).filter_map(Socket::age_ms).max(),
        rate_per_second: expected::per_second(closes, window_ms),
        closed_per_second: history::per_second(sockets(members)),
        peer_addresses: whole(peers.len()),
        alive: None,
        ports_usable: None,
        ports_in_use: None,
        ports_reusable: None,
        ports_kept_by_others: None,
        utilization: None,
        time_to_full_s: None,
        rate_ceiling_per_second: None,
        owners: parties.owners,
        peer_owners: parties.peer_owners,
        verdict: Verdict::Harmless,
        reason: Why::ServerSide,
        ports: None,
    }
}

impl Group {
    fn add(&mut self, ports: Option<Ports>) {
        if let Some(ports) = &ports {
            self.ports_usable = Some(ports.usable);
            self.ports_in_use = Some(ports.in_use);
            self.ports_reusable = Some(ports.reusable);
            self.ports_kept_by_others = Some(ports.kept_by_others);
            self.utilization = Some(part(ports.in_use, ports.usable));
            self.time_to_full_s = ports.time_to_full_s;
            self.rate_ceiling_per_second = Some(ports.rate_ceiling_per_second);
        }
        self.ports = ports;
    }
}

/// A length as a count.
pub fn whole(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
