//! Who closed what is in TIME_WAIT. The kernel keeps neither process nor user of it, only the
//! cookie of the connection it was: who had that cookie alive is certain; who talks to the same
//! destination now is likely; who talks to the same machine is possible.

use super::{
    listeners::{Listener, Listeners, canonical},
    split::{Key, Members},
};
use crate::model::{
    endpoint::Endpoint,
    name::Name,
    owner::{Owners, Process},
    protocol::Protocol,
    snapshot::Snapshot,
    socket::Socket,
    state::State,
};
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

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
    /// connections that are alive now. `None`: several processes share the listener.
    pub share: Option<f64>,
    /// Sockets of the group that were seen in its hands.
    pub sockets_seen: u32,
}

/// Owners of a group, and those of its peers where these are on this machine too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parties {
    /// Of this side.
    pub owners: Vec<Owner>,
    /// Of the other.
    pub peer_owners: Vec<Owner>,
}

/// What is known of living and former sockets, sorted for look-up.
pub struct Attribution<'s> {
    owners: &'s Owners,
    listeners: &'s Listeners,
    alive_before: HashMap<u64, u64>,
    outgoing: HashMap<Endpoint, Vec<u64>>,
}

impl<'s> Attribution<'s> {
    /// Sorts a snapshot.
    pub fn of(snapshot: &'s Snapshot, listeners: &'s Listeners) -> Self {
        let mut outgoing: HashMap<Endpoint, Vec<u64>> = HashMap::new();
        for socket in snapshot.sockets.iter().filter(|s| is_outgoing(s, listeners)) {
            outgoing.entry(canonical(socket.remote)).or_default().extend(socket.inode);
        }
        Self {
            owners: &snapshot.owners,
            listeners,
            alive_before: snapshot.alive_before.iter().map(|a| (a.cookie, a.inode)).collect(),
            outgoing,
        }
    }

    /// Live connections from here to a destination that some process has.
    pub fn alive_to(&self, peer: Endpoint) -> u32 {
        self.outgoing.get(&peer).map_or(0, |inodes| inodes.iter().fold(0, |n, _| n + 1))
    }

    /// Names the parties of a group.
    pub fn parties(&self, members: &Members<'_>) -> Parties {
        let seen = self.tally(
            members.sockets.iter().filter_map(|s| self.alive_before.get(&s.cookie?).copied()),
        );
        match members.key {
            Key::Server { at, .. } => Parties {
                owners: self.service(self.listeners.accepting(at), &seen),
                peer_owners: self.local_clients(at, members),
            },
            Key::Client { peer, .. } => Parties {
                owners: self.clients(peer, &seen),
                peer_owners: self.service(self.listeners.of_local_peer(peer), &Tally::default()),
            },
        }
    }

    /// Whoever has the listener, and whoever was seen with one of its connections.
    fn service(&self, listener: Option<&Listener>, seen: &Tally<'_>) -> Vec<Owner> {
        let inodes = listener.map(|l| l.inodes.as_slice()).unwrap_or_default();
        let holders = self.tally(inodes.iter().copied());
        let alone = holders.by_pid.len() == 1 && seen.by_pid.is_empty();
        let mut owners = seen.owners(Confidence::Certain);
        for owner in holders.owners(Confidence::Certain) {
            if owners.iter().all(|known| known.pid != owner.pid) {
                let share = alone.then_some(1.0);
                owners.push(Owner { share, sockets_seen: 0, ..owner });
            }
        }
        owners
    }

    /// Whoever was seen with one of the connections, then whoever has others to the same
    /// destination, else to the same machine.
    fn clients(&self, peer: Endpoint, seen: &Tally<'_>) -> Vec<Owner> {
        let mut owners = seen.owners(Confidence::Certain);
        let mut add = |more: Vec<Owner>| {
            for owner in more {
                if owners.iter().all(|known| known.pid != owner.pid) {
                    owners.push(Owner { sockets_seen: 0, ..owner });
                }
            }
            owners.is_empty()
        };
        let same = self.outgoing.get(&peer).into_iter().flatten().copied();
        if add(self.tally(same).owners(Confidence::Likely)) {
            let machine = |end: &Endpoint| end.address == peer.address && end.port != peer.port;
            let others = self.outgoing.iter().filter(|(end, _)| machine(end));
            add(self
                .tally(others.flat_map(|(_, i)| i.iter().copied()))
                .owners(Confidence::Possible));
        }
        owners
    }

    /// Processes here that have connections to this listener now, where some peer is local.
    fn local_clients(&self, at: Endpoint, members: &Members<'_>) -> Vec<Owner> {
        let peers: BTreeSet<IpAddr> = members
            .sockets
            .iter()
            .map(|s| s.remote.address.to_canonical())
            .filter(|address| self.listeners.is_local(*address))
            .collect();
        if peers.is_empty() {
            return vec![];
        }
        let reaches = |end: &Endpoint| {
            self.listeners.of_local_peer(*end).is_some_and(|listener| listener.at == at)
        };
        let inodes = self.outgoing.iter().filter(|(end, _)| reaches(end));
        self.tally(inodes.flat_map(|(_, i)| i.iter().copied())).owners(Confidence::Likely)
    }

    fn tally(&self, inodes: impl Iterator<Item = u64>) -> Tally<'s> {
        let mut tally = Tally::default();
        for inode in inodes {
            // A socket shared by fork counts for each process that has it.
            let holders: BTreeMap<u32, &Process> =
                self.owners.holders(inode).map(|(process, _)| (process.pid, process)).collect();
            tally.sockets += u32::from(!holders.is_empty());
            for (pid, process) in holders {
                tally.by_pid.entry(pid).or_insert((process, 0)).1 += 1;
            }
        }
        tally
    }
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

/// Whether a socket is a live connection that was opened from here.
fn is_outgoing(socket: &Socket, listeners: &Listeners) -> bool {
    socket.protocol == Protocol::Tcp
        && socket.inode.is_some()
        && socket.peer().is_some()
        && socket.state != State::Listen
        && !socket.is_mini()
        && listeners.accepting(socket.local).is_none()
}
