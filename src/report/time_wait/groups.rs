//! Figures of each listener and each destination.

use super::{
    attribution::Owner,
    closes::Closes,
    destination::{self, Ports, part},
    expected,
    key::{Key, Side},
    split::{self, Members},
    verdict::{self, Verdict, Why},
};
use crate::{model::settings::Settings, report::ephemeral::EphemeralPorts};
use serde::Serialize;
use std::{cmp::Reverse, net::IpAddr};

/// Sockets in TIME_WAIT that came in by one listener, or went out to one destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What its sockets have in common.
    #[serde(skip)]
    pub key: Key,
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

/// The groups, the most harmful first, then the largest; whose they are is not known yet.
pub fn of(closes: &Closes, settings: &Settings, ephemeral: Option<&EphemeralPorts>) -> Vec<Group> {
    let open_to = closes.open_by_peer();
    let window_ms = closes.window_ms();
    let judged = |members: Members| {
        let closes_seen = members.history.closed_within();
        let mut group = Group::of(&members, window_ms);
        if let Key::Client { local, peer } = members.key {
            let alive = open_to.get(&peer).copied().unwrap_or(0);
            let uses = closes.to(local, peer).map(|to| to.uses.as_slice());
            let ports = ephemeral.map(|ephemeral| {
                let (uses, seen) = (uses.unwrap_or_default(), (closes_seen, window_ms));
                destination::ports(ephemeral, settings, uses, (local, peer), seen)
            });
            group.reason =
                verdict::destination(ports.as_ref(), group.rate_per_second, group.count, alive);
            group.verdict = group.reason.verdict();
            group.alive = Some(alive);
            group.add(ports);
        }
        group
    };
    let mut groups: Vec<Group> = split::split(closes).into_iter().map(judged).collect();
    groups.sort_by_key(|group| (Reverse(group.verdict), Reverse(group.count)));
    groups
}

impl Group {
    /// What a group has whatever its side.
    fn of(members: &Members, window_ms: u32) -> Self {
        let (side, local_address, local_port, peer, listening) = match members.key {
            Key::Server { at, listening } => {
                (Side::Server, at.address, Some(at.port), None, Some(listening))
            }
            Key::Client { local, peer } => (Side::Client, local, None, Some(peer), None),
        };
        let history = &members.history;
        Self {
            key: members.key,
            side,
            local_address,
            local_port,
            peer_address: peer.map(|peer| peer.address),
            peer_port: peer.map(|peer| peer.port),
            listening,
            count: history.count,
            oldest_age_ms: history.oldest_ms,
            rate_per_second: expected::per_second(history.closed_within(), window_ms),
            closed_per_second: history.per_second(),
            peer_addresses: whole(members.peer_addresses),
            alive: None,
            ports_usable: None,
            ports_in_use: None,
            ports_reusable: None,
            ports_kept_by_others: None,
            utilization: None,
            time_to_full_s: None,
            rate_ceiling_per_second: None,
            owners: vec![],
            peer_owners: vec![],
            verdict: Verdict::Harmless,
            reason: Why::ServerSide,
            ports: None,
        }
    }

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
