//! TIME_WAIT sockets by what they stand for: a listener they came in by, or a destination they
//! went out to.

use super::listeners::{Listeners, canonical};
use crate::model::{endpoint::Endpoint, snapshot::Snapshot, socket::Socket, state::State};
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    net::IpAddr,
};

/// Who opened the connection that this machine closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The peer: it came in by a listener, whose port it shares with all others.
    Server,
    /// A process here: each holds a local port of its own towards the destination.
    Client,
}

/// What the sockets of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Came in by this listener, or by one that is gone.
    Server {
        /// Where it listens.
        at: Endpoint,
        /// Whether it still does.
        listening: bool,
    },
    /// Went out to this destination.
    Client {
        /// From this address.
        local: IpAddr,
        /// To this end.
        peer: Endpoint,
    },
}

/// The sockets of a group.
#[derive(Debug, Clone)]
pub struct Members<'s> {
    /// What they have in common.
    pub key: Key,
    /// Those in TIME_WAIT.
    pub sockets: Vec<&'s Socket>,
}

/// Splits the sockets in TIME_WAIT, largest group first.
pub fn split<'s>(snapshot: &'s Snapshot, listeners: &Listeners) -> Vec<Members<'s>> {
    let range = snapshot.settings.port_range();
    let sockets: Vec<&Socket> =
        snapshot.sockets.iter().filter(|s| s.state == State::TimeWait).collect();
    // Several peers with one local end: nobody connects from one port to many, so something
    // listened there. A port that connect(2) chooses from proves nothing, it is used for many
    // destinations at once.
    let mut peers: HashMap<Endpoint, HashSet<Endpoint>> = HashMap::new();
    for socket in &sockets {
        let chosen = range.as_ref().is_none_or(|range| range.contains(&socket.local.port));
        if !chosen && listeners.accepting(socket.local).is_none() {
            peers.entry(canonical(socket.local)).or_default().insert(canonical(socket.remote));
        }
    }
    let listened =
        |local: Endpoint| peers.get(&local).is_some_and(|peers: &HashSet<_>| peers.len() > 1);
    let mut groups: HashMap<Key, Vec<&Socket>> = HashMap::new();
    for socket in sockets {
        let (local, peer) = (canonical(socket.local), canonical(socket.remote));
        let key = if let Some(listener) = listeners.accepting(local) {
            Key::Server { at: listener.at, listening: true }
        } else if listened(local) {
            Key::Server { at: local, listening: false }
        } else {
            Key::Client { local: local.address, peer }
        };
        groups.entry(key).or_default().push(socket);
    }
    let mut groups: Vec<Members<'_>> =
        groups.into_iter().map(|(key, sockets)| Members { key, sockets }).collect();
    groups.sort_by_key(|group| (Reverse(group.sockets.len()), group.key));
    groups
}
