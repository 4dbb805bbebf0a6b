//! What a destination's TIME_WAIT costs: local ports.

use super::{expected, history::SECONDS};
use crate::{
    model::{endpoint::Endpoint, settings::Settings, socket::TIME_WAIT_MS, state::State},
    report::{
        ephemeral::{self, EphemeralPorts},
        port_use::PortUse,
    },
};
use std::{collections::BTreeMap, net::IpAddr};

/// How long a TIME_WAIT must have lasted before it is taken over, since 6.14; before, a second.
pub const REUSE_DELAY: &str = "net.ipv4.tcp_tw_reuse_delay";
/// What it is where this kernel has no such setting.
const REUSE_DELAY_MS: u32 = 1_000;
/// The part of the range from which on clients that bind first are believed to starve others.
const MOST: f64 = 0.7;

/// Ports towards a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Ports {
    /// Ports connect(2) can choose.
    pub usable: u32,
    /// Those in use towards this destination, in any state.
    pub in_use: u32,
    /// Sockets on them by state.
    pub by_state: BTreeMap<State, u32>,
    /// Of those in use: in TIME_WAIT and free to be taken over now.
    pub reusable: u32,
    /// Ports not in use towards this destination that sockets of others keep from it: bound before
    /// they were connected.
    pub kept_by_others: u32,
    /// Of those in use: their sockets were bound before they were connected, it seems.
    pub bound: u32,
    /// In how many seconds none is left at the present rate. `None`: that does not happen.
    pub time_to_full_s: Option<u32>,
    /// Connections a second that can be opened for ever when this side closes each first.
    pub rate_ceiling_per_second: f64,
}

impl Ports {
    /// Ports that the next connect(2) cannot have.
    pub fn taken(&self) -> u32 {
        (self.in_use + self.kept_by_others).saturating_sub(self.reusable)
    }

    /// Part of the usable ports that cannot be had, 0 to 1.
    pub fn taken_part(&self) -> f64 {
        part(self.taken(), self.usable)
    }
}

/// A part of a whole; of nothing everything is used.
pub fn part(some: u32, whole: u32) -> f64 {
    if whole == 0 { 1.0 } else { f64::from(some) / f64::from(whole) }
}

/// After how many milliseconds connect(2) takes over a socket in TIME_WAIT between these
/// addresses. `None`: not before its 60 s are over.
///
/// `tcp_twsk_unique`: `tcp_tw_reuse` 1, or 2 and a loopback address; and timestamps, which the
/// peer must have agreed to as well and which a socket in TIME_WAIT does not show.
pub fn reuse_after_ms(settings: &Settings, local: IpAddr, peer: IpAddr) -> Option<u32> {
    let loopback = local.is_loopback() || peer.is_loopback();
    let on = match settings.number("net.ipv4.tcp_tw_reuse")? {
        1 => true,
        2 => loopback,
        _ => false,
    };
    if !on || settings.number("net.ipv4.tcp_timestamps") == Some(0) {
        return None;
    }
    let delay = settings.number(REUSE_DELAY);
    Some(delay.and_then(|ms| u32::try_from(ms).ok()).unwrap_or(REUSE_DELAY_MS))
}

/// Counts the ports of a destination, by the uses of ports between these two addresses.
///
/// `closes` were seen within `window_ms`.
pub fn ports(
    ports: &EphemeralPorts,
    settings: &Settings,
    uses: &[PortUse],
    (local, peer): (IpAddr, Endpoint),
    (closes, window_ms): (u32, u32),
) -> Ports {
    let found = ephemeral::in_use(uses, ports);
    let hold_ms = reuse_after_ms(settings, local, peer.address);
    // A socket that was bound first keeps its port also from those that could take it over.
    let hold = |bound: bool| hold_ms.filter(|_| !bound).unwrap_or(TIME_WAIT_MS);
    let (mut bound, mut reusable) = (0u32, 0);
    let mut free_in = [0; SECONDS as usize + 1];
    for used in uses.iter().filter(|used| ports.contains(used.port)) {
        let is_bound = ports.is_suspected(used.port);
        bound += u32::from(is_bound);
        let Some(age) = used.age_ms() else { continue };
        if age <= hold(is_bound) {
            let due_in = (hold(is_bound) - age).div_ceil(1000);
            if let Some(second) = free_in.get_mut(due_in as usize) {
                *second += 1;
            }
        } else if hold_ms.is_some() {
            reusable += 1;
        }
    }
    let bound = bound.min(found.total);
    let mut counted = Ports {
        usable: ports.usable(),
        in_use: found.total,
        by_state: found.by_state,
        reusable,
        kept_by_others: kept_by_others(ports).map_or(0, |kept| kept.saturating_sub(bound)),
        bound,
        time_to_full_s: None,
        rate_ceiling_per_second: 0.0,
    };
    let mostly_bound = bound * 2 > found.total;
    counted.rate_ceiling_per_second = expected::per_second(counted.usable, hold(mostly_bound));
    counted.time_to_full_s =
        time_to_full(&counted, &free_in, hold(mostly_bound), closes, window_ms);
    counted
}

/// Ports that clients which bind first keep from everybody, where they are most of the range.
///
/// How a socket got its port is guessed from its parity, and the second half of a range that was
/// full a minute ago looks the same: a few are no proof.
fn kept_by_others(ports: &EphemeralPorts) -> Option<u32> {
    let suspected = ports.suspected();
    (part(suspected, ports.usable()) >= MOST).then_some(suspected)
}

/// In how many seconds no port is left, if closes go on at this rate, open connections stay as
/// many, and as many of those in TIME_WAIT now are freed as `free_in` says, second by second.
///
/// After the time a port is held nothing changes any more: as many are freed as are taken.
fn time_to_full(
    ports: &Ports,
    free_in: &[u32],
    hold_ms: u32,
    closes: u32,
    window_ms: u32,
) -> Option<u32> {
    let taken = ports.taken();
    if taken >= ports.usable {
        return Some(0);
    }
    let mut freed = 0u64;
    let new_by = |ms: u64| u64::from(closes) * ms / u64::from(window_ms.max(1));
    for (second, more) in (0u32..).zip(free_in) {
        freed += u64::from(*more);
        // What this rate puts into TIME_WAIT from now on stays for the time a port is held.
        let new = new_by(u64::from(second.saturating_mul(1000).min(hold_ms)));
        if u64::from(taken) + new >= u64::from(ports.usable) + freed {
            return Some(second);
        }
    }
    None
}
