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
use std::{cmp::Reverse, collections::BTreeMap};

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
    /// connections that are alive now, where possible of 1000 of them. `None`: several processes share the listener.
    pub share: Option<f64>,
    /// Sockets of the group that were seen in its hands.
    pub sockets_seen: u32,
}

/// Connections to a machine that are looked at where none goes to the destination itself: all are weak
/// evidence, and on loopback they are every one there is.
const SAMPLED: usize = 1000;

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
    /// What went out to each end where some process has a connection to.
    by_peer: HashMap<Endpoint, Vec<&'c Outgoing>>,
}

impl<'c> Attribution<'c> {
    /// Sorts them.
    pub fn of(closes: &'c Closes) -> Self {
        let mut by_peer: HashMap<Endpoint, Vec<&Outgoing>> = HashMap::new();
        for (tuple, outgoing) in closes.outgoing.iter().filter(|(_, outgoing)| outgoing.open > 0) {
            by_peer.entry(tuple.peer).or_default().push(outgoing);
        }
        Self { closes, by_peer }
    }

    /// Inodes of every socket whose holders say something about the parties of a group.
    pub fn inodes(&self, key: Key) -> Vec<u64> {
        let mut inodes = self.closes.seen_of(key).to_vec();
        let listener = match key {
            Key::Server { at, .. } => {
                inodes.extend(self.local_clients(key));
                inodes.extend(self.closes.open_of(key, usize::MAX).iter().map(|open| open.inode));
                self.closes.listeners.accepting(at)
            }
            Key::Client { peer, .. } => {
                let same = inodes.len();
                inodes.extend(self.to(peer));
                if inodes.len() == same {
                    inodes.extend(self.to_the_machine_of(peer));
                }
                self.closes.listeners.of_local_peer(peer)
            }
        };
        inodes.extend(listener.into_iter().flat_map(|listener| &listener.inodes));
        inodes
    }

    /// Names the parties of a group.
    pub fn parties(&self, key: Key, owners: &Owners) -> Parties {
        let seen = tally(owners, self.closes.seen_of(key).iter().copied());
        let listeners = &self.closes.listeners;
        match key {
            Key::Server { at, .. } => Parties {
                owners: service(owners, listeners.accepting(at), &seen),
                peer_owners: tally(owners, self.local_clients(key)).owners(Confidence::Likely),
            },
            Key::Client { peer, .. } => Parties {
                owners: self.clients(owners, peer, &seen),
                peer_owners: service(owners, listeners.of_local_peer(peer), &Tally::default()),
            },
        }
    }

    /// Inodes of the open connections to an end.
    fn to(&self, peer: Endpoint) -> impl Iterator<Item = u64> {
        self.by_peer.get(&peer).into_iter().flatten().flat_map(|outgoing| inodes(outgoing))
    }

    /// Inodes of those to other ports of the same machine, of so many that they tell who talks to it.
    fn to_the_machine_of(&self, peer: Endpoint) -> impl Iterator<Item = u64> {
        let is_other = move |end: &Endpoint| end.address == peer.address && end.port != peer.port;
        let others = self.by_peer.iter().filter(move |(end, _)| is_other(end));
        let theirs = others.flat_map(|(_, o)| o.iter().flat_map(|outgoing| inodes(outgoing)));
        theirs.take(SAMPLED)
    }

    /// Whoever was seen with one of the connections, then whoever has others to the same
    /// destination, else to the same machine.
    fn clients(&self, owners: &Owners, peer: Endpoint, seen: &Tally<'_>) -> Vec<Owner> {
        let mut known = seen.owners(Confidence::Certain);
        let mut add = |more: Vec<Owner>| {
            for owner in more {
                if known.iter().all(|one| one.pid != owner.pid) {
                    known.push(Owner { sockets_seen: 0, ..owner });
                }
            }
            known.is_empty()
        };
        if add(tally(owners, self.to(peer)).owners(Confidence::Likely)) {
            let others = self.to_the_machine_of(peer);
            add(tally(owners, others).owners(Confidence::Possible));
        }
        known
    }

    /// Inodes of connections from here to a listener, where some of its peers are local.
    fn local_clients(&self, key: Key) -> Vec<u64> {
        let listeners = &self.closes.listeners;
        let (Key::Server { at, .. }, Some(peers)) = (key, self.closes.peers_of(key)) else {
            return vec![];
        };
        if !peers.iter().any(|address| listeners.is_local(address)) {
            return vec![];
        }
        let reaches = |end: &Endpoint| {
            listeners.of_local_peer(*end).is_some_and(|listener| listener.at == at)
        };
        let reaching = self.by_peer.iter().filter(|(end, _)| reaches(end));
        reaching.flat_map(|(_, outgoing)| outgoing.iter().flat_map(|o| inodes(o))).collect()
    }
}

/// Inodes of those that are open.
fn inodes(outgoing: &Outgoing) -> impl Iterator<Item = u64> {
    outgoing.uses.iter().filter_map(PortUse::inode)
}

/// Whoever has the listener, and whoever was seen with one of its connections.
fn service(owners: &Owners, listener: Option<&Listener>, seen: &Tally<'_>) -> Vec<Owner> {
    let inodes = listener.map(|l| l.inodes.as_slice()).unwrap_or_default();
    let holders = tally(owners, inodes.iter().copied());
    let alone = holders.by_pid.len() == 1 && seen.by_pid.is_empty();
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
        for (process, _) in owners.holders(inode) {
            if last != Some(process.pid) {
                tally.by_pid.entry(process.pid).or_insert((process, 0)).1 += 1;
            }
            last = Some(process.pid);
        }
        tally.sockets += u32::from(last.is_some());
    }
    tally
}

/// Sockets by process.
#[derive(Debug, Default)]
struct Tally<'s> {
    by_pid: BTreeMap<u32, (&'s Process, u32)>,
    /// Sockets of known owner.
    sockets: u32,
}

impl Tally<'_> {
    /// Largest part first.
    fn owners(&self, confidence: Confidence) -> Vec<Owner> {
        let mut sorted: Vec<_> = self.by_pid.iter().collect();
        sorted.sort_by_key(|(pid, (_, sockets))| (Reverse(*sockets), **pid));
        let owner = |(pid, (process, sockets)): (&u32, &(&Process, u32))| Owner {
            pid: *pid,
            command: Name(process.command.clone()),
            unit: process.unit.clone(),
            container: process.container.clone(),
            confidence,
            share: Some(super::destination::part(*sockets, self.sockets)),
            sockets_seen: *sockets,
        };
        sorted.into_iter().map(owner).collect()
    }
}
