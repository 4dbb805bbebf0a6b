//! TIME_WAIT sockets by what they stand for: a listener they came in by, or a destination they
//! went out to.

use super::{
    closes::{Closes, Incoming},
    history::History,
    key::Key,
};
use crate::model::endpoint::Endpoint;
use std::cmp::Reverse;

/// The sockets of a group, counted.
#[derive(Debug)]
pub struct Members {
    /// What they have in common.
    pub key: Key,
    /// When they were closed.
    pub history: History,
    /// Distinct addresses of peers.
    pub peer_addresses: usize,
}

/// Splits what is in TIME_WAIT, largest group first.
pub fn split(closes: &Closes) -> Vec<Members> {
    let server = |listening| {
        move |(at, incoming): (&Endpoint, &Incoming)| Members {
            key: Key::Server { at: *at, listening },
            history: incoming.history.clone(),
            peer_addresses: incoming.peers.number(),
        }
    };
    let heard = closes.incoming.iter().map(server(true));
    let unheard = closes.unheard.iter().map(server(false));
    let clients = closes.outgoing.iter().filter(|(_, outgoing)| outgoing.closed > 0);
    let clients = clients.map(|(tuple, outgoing)| {
        let mut history = closes.history();
        outgoing.uses.iter().filter(|used| used.is_closed()).for_each(|u| history.add(u.left_ms()));
        let key = Key::Client { local: tuple.local, peer: tuple.peer };
        Members { key, history, peer_addresses: 1 }
    });
    let mut groups: Vec<Members> = heard.chain(unheard).chain(clients).collect();
    groups.sort_by_key(|group| (Reverse(group.history.count), group.key));
    groups
}
