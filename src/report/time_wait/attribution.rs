//! Who closed what is in TIME_WAIT. The kernel keeps neither process nor user of it, only the
//! cookie of the connection it was: who had that cookie alive is certain; who talks to the same
//! destination now is likely; who talks to the same machine is possible.

use super::{
    closes::{Closes, Outgoing},
    key::Key,
    listeners::Listener,
};
use crate::{
    model::{
        endpoint::Endpoint,
        name::Name,
        owner::{Owners, Process},
    },
    report::port_use::PortUse,
};
use hashbrown::HashMap;
use serde::Serialize;
use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr};

/// How much is known of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It held one of these sockets alive, or it is the listener.
    Certain,
    /// It has connections to the same destination.
    Likely,
    /// It has connections to another port of the same machine.
    Possible,
}

/// A process that may have closed them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Its name.
    pub command: Name,
    /// systemd unit.
    pub unit: Option<String>,
    /// Container.
    pub container: Option<String>,
    /// How much is known.
    pub confidence: Confidence,
    /// Its part, 0 to 1: of the group's sockets that were seen alive, where certain; else of the
    /// connections that are alive now, where possible of 1000 of them. `None`: several processes share
    /// the listener, or not every descriptor was looked at.
    pub share: Option<f64>,
    /// Sockets of the group that were seen in its hands.
    pub sockets_seen: u32,
}

/// Connections to a machine whose holders are looked for where none goes to the destination itself: all
/// are weak evidence, and on loopback they are every one there is.
const SAMPLED: usize = 1000;
/// Where a part of the descriptors was looked at, so many connections to one end with known holders tell
/// enough: of who has a twentieth of them three are expected, and that there is none has a chance of one in
/// 27.
const ENOUGH: usize = 64;

/// Owners of a group, and those of its peers where these are on this machine too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parties {
    /// Of this side.
    pub owners: Vec<Owner>,
    /// Of the other.
    pub peer_owners: Vec<Owner>,
}

/// Open connections and listeners, sorted to look up who closed what.
pub struct Attribution<'c> {
    closes: &'c Closes,
    owners: &'c Owners,
    /// What went out to each end where some process has a connection to.
    by_peer: HashMap<Endpoint, Vec<&'c Outgoing>>,
    /// Connections to each machine to which a group went without one to its own end.
    by_machine: HashMap<IpAddr, Circle>,
}

/// Open connections whose holders may have closed others.
#[derive(Debug, Default)]
struct Circle {
    /// Inodes of those that are looked at.
    inodes: Vec<u64>,
    /// How many there are.
    number: usize,
}

impl<'c> Attribution<'c> {
    /// Sorts them for these groups; owners are those known so far.
    pub fn of(closes: &'c Closes, owners: &'c Owners, keys: impl Iterator<Item = Key>) -> Self {
        let mut by_peer: HashMap<Endpoint, Vec<&Outgoing>> = HashMap::new();
        for (tuple, outgoing) in closes.outgoing.iter().filter(|(_, outgoing)| outgoing.open > 0) {
            by_peer.entry(tuple.peer).or_default().push(outgoing);
        }
        let mut attribution = Self { closes, owners, by_peer, by_machine: HashMap::new() };
        for key in keys {
            if let Key::Client { peer, .. } = key
                && !attribution.by_peer.contains_key(&peer)
                && !attribution.by_machine.contains_key(&peer.address)
            {
                let circle = attribution.to_the_machine(peer.address);
                attribution.by_machine.insert(peer.address, circle);
            }
        }
        attribution
    }

    /// Inodes of every socket whose holders say something about the parties of a group.
    pub fn inodes(&self, key: Key) -> Vec<u64> {
        let mut inodes = self.closes.seen_of(key).to_vec();
        match key {
            Key::Server { .. } => {
                inodes.extend(self.local_clients(key).inodes);
                let open = self.closes.open_of(key, usize::MAX, false);
                inodes.extend(open.iter().map(|open| open.inode));
            }
            Key::Client { peer, .. } => {
                inodes.extend(self.to(peer).inodes);
                inodes.extend(self.to_the_machine_of(peer));
            }
        }
        inodes.extend(self.listener(key).into_iter().flat_map(|listener| &listener.inodes));
        inodes
    }

    /// Whether what a part of the descriptors told is enough for a group: who listens, and who has most
    /// of the open connections that may tell whose these were.
    pub fn is_known(&self, key: Key) -> bool {
        let mut listening = self.listener(key).into_iter().flat_map(|listener| &listener.inodes);
        let is_enough = |circle: &Circle| self.is_enough(circle);
        let has_clients = match key {
            Key::Server { .. } => is_enough(&self.local_clients(key)),
            Key::Client { peer, .. } => {
                is_enough(&self.to(peer))
                    && self.by_machine.get(&peer.address).is_none_or(is_enough)
            }
        };
        has_clients && listening.all(|inode| self.owners.holds(*inode))
    }

    /// Whether the holders that are known are those of about all of these connections.
    fn is_enough(&self, circle: &Circle) -> bool {
        let weight: u64 = circle.inodes.iter().map(|i| u64::from(weight(self.owners, *i))).sum();
        let number = circle.number as u64;
        let about = number * 2 / 3..=number * 3 / 2;
        let has_all = circle.inodes.len() == circle.number;
        has_all || (circle.inodes.len() >= ENOUGH && about.contains(&weight))
    }

    /// Names the parties of a group.
    pub fn parties(&self, key: Key) -> Parties {
        let owners = self.owners;
        let seen = tally(owners, self.closes.seen_of(key).iter().copied());
        let listener = self.listener(key);
        match key {
            Key::Server { .. } => Parties {
                owners: service(owners, listener, &seen),
                peer_owners: tally(owners, self.local_clients(key).inodes)
                    .owners(Confidence::Likely),
            },
            Key::Client { peer, .. } => Parties {
                owners: self.clients(peer, &seen),
                peer_owners: service(owners, listener, &Tally::default()),
            },
        }
    }

    /// The listener on this machine that is a party of a group.
    fn listener(&self, key: Key) -> Option<&'c Listener> {
        match key {
            Key::Server { at, .. } => self.closes.listeners.accepting(at),
            Key::Client { peer, .. } => self.closes.listeners.of_local_peer(peer),
        }
    }

    /// Of open connections all, or where a part of the descriptors was looked at those whose holders
    /// it told.
    fn circle<'o>(&self, outgoing: impl Iterator<Item = &'o Outgoing>) -> Circle {
        let mut circle = Circle::default();
        for outgoing in outgoing {
            circle.number += outgoing.open as usize;
            let inodes = outgoing.uses.iter().filter_map(PortUse::inode);
            if self.owners.are_sample() {
                circle.inodes.extend(inodes.filter(|inode| self.owners.holds(*inode)));
            } else {
                circle.inodes.extend(inodes);
            }
        }
        circle
    }

    /// The open connections to an end.
    fn to(&self, peer: Endpoint) -> Circle {
        self.circle(self.by_peer.get(&peer).into_iter().flatten().copied())
    }

    /// Those to any port of a machine, of so many that they tell who talks to it.
    fn to_the_machine(&self, address: IpAddr) -> Circle {
        let there = self.by_peer.iter().filter(|(end, _)| end.address == address);
        let mut circle = self.circle(there.flat_map(|(_, outgoing)| outgoing.iter().copied()));
        if circle.inodes.len() > SAMPLED && !self.owners.are_sample() {
            // Any, and the same whenever this is asked.
            circle.inodes.select_nth_unstable_by_key(SAMPLED, |inode| anywhere(*inode));
            circle.inodes.truncate(SAMPLED);
        }
        circle
    }

    /// Inodes of those to the machine of an end to which there is none.
    fn to_the_machine_of(&self, peer: Endpoint) -> impl Iterator<Item = u64> {
        let is_asked = !self.by_peer.contains_key(&peer);
        let circle = self.by_machine.get(&peer.address).filter(|_| is_asked);
        circle.into_iter().flat_map(|circle| circle.inodes.iter().copied())
    }

    /// Whoever was seen with one of the connections, then whoever has others to the same
    /// destination, else to the same machine.
    fn clients(&self, peer: Endpoint, seen: &Tally<'_>) -> Vec<Owner> {
        let mut known = seen.owners(Confidence::Certain);
        let mut add = |more: Vec<Owner>| {
            for owner in more {
                if known.iter().all(|one| one.pid != owner.pid) {
                    known.push(Owner { sockets_seen: 0, ..owner });
                }
            }
            known.is_empty()
        };
        if add(tally(self.owners, self.to(peer).inodes).owners(Confidence::Likely)) {
            let others = self.to_the_machine_of(peer);
            add(tally(self.owners, others).owners(Confidence::Possible));
        }
        known
    }

    /// Connections from here to a listener, where some of its peers are local.
    fn local_clients(&self, key: Key) -> Circle {
        let listeners = &self.closes.listeners;
        let (Key::Server { at, .. }, Some(peers)) = (key, self.closes.peers_of(key)) else {
            return Circle::default();
        };
        if !peers.iter().any(|address| listeners.is_local(address)) {
            return Circle::default();
        }
        let reaches = |end: &Endpoint| {
            listeners.of_local_peer(*end).is_some_and(|listener| listener.at == at)
        };
        let reaching = self.by_peer.iter().filter(|(end, _)| reaches(end));
        self.circle(reaching.flat_map(|(_, outgoing)| outgoing.iter().copied()))
    }
}

/// A number that has nothing to do with that of a socket: 2^64 divided by the golden ratio (Knuth,
/// TAOCP 6.4).
fn anywhere(inode: u64) -> u64 {
    inode.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)
}

/// How many sockets one whose holder is known stands for.
fn weight(owners: &Owners, inode: u64) -> u32 {
    owners.holders(inode).map(|(process, fd)| owners.weight(process.pid, fd)).max().unwrap_or(0)
}

/// Whoever has the listener, and whoever was seen with one of its connections.
fn service(owners: &Owners, listener: Option<&Listener>, seen: &Tally<'_>) -> Vec<Owner> {
    let inodes = listener.map(|l| l.inodes.as_slice()).unwrap_or_default();
    let holders = tally(owners, inodes.iter().copied());
    // Of a listener with one holder that is known, a part of the descriptors does not tell that it is
    // the only one.
    let alone = holders.by_pid.len() == 1 && seen.by_pid.is_empty() && !owners.are_sample();
    let mut known = seen.owners(Confidence::Certain);
    for owner in holders.owners(Confidence::Certain) {
        if known.iter().all(|one| one.pid != owner.pid) {
            let share = alone.then_some(1.0);
            known.push(Owner { share, sockets_seen: 0, ..owner });
        }
    }
    known
}

fn tally(owners: &Owners, inodes: impl IntoIterator<Item = u64>) -> Tally<'_> {
    let mut tally = Tally::default();
    for inode in inodes {
        // A socket shared by fork counts for each process that has it, once whatever its descriptors,
        // which come one after the other.
        let mut last = None;
        for (process, fd) in owners.holders(inode) {
            if last != Some(process.pid) {
                let part = tally.by_pid.entry(process.pid).or_insert(Part::of(process));
                part.sockets += 1;
                part.weight += owners.weight(process.pid, fd);
            }
            last = Some(process.pid);
        }
        tally.weight += weight(owners, inode);
    }
    tally
}

/// Sockets by process.
#[derive(Debug, Default)]
struct Tally<'s> {
    by_pid: BTreeMap<u32, Part<'s>>,
    /// Sockets of known owner, and those they stand for.
    weight: u32,
}

/// The sockets of a process.
#[derive(Debug)]
struct Part<'s> {
    process: &'s Process,
    sockets: u32,
    /// With those they stand for.
    weight: u32,
}

impl<'s> Part<'s> {
    fn of(process: &'s Process) -> Self {
        Self { process, sockets: 0, weight: 0 }
    }
}

impl Tally<'_> {
    /// Largest part first.
    fn owners(&self, confidence: Confidence) -> Vec<Owner> {
        let mut sorted: Vec<&Part<'_>> = self.by_pid.values().collect();
        sorted.sort_by_key(|part| (Reverse(part.weight), part.process.pid));
        let owner = |part: &Part<'_>| Owner {
            pid: part.process.pid,
            command: Name(part.process.command.clone()),
            unit: part.process.unit.clone(),
            container: part.process.container.clone(),
            confidence,
            share: Some(super::destination::part(part.weight, self.weight)),
            sockets_seen: part.sockets,
        };
        sorted.into_iter().map(owner).collect()
    }
}
