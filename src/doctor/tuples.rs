//! TCP sockets by the addresses they have in common.

use crate::{
    model::{endpoint::Endpoint, outline::Outline, protocol::Protocol},
    report::time_wait::listeners::canonical,
};
use hashbrown::HashMap;
use std::net::IpAddr;

/// TCP sockets by (local address, peer), IPv4-mapped addresses as IPv4.
pub struct Tuples<'s>(HashMap<(IpAddr, Endpoint), Vec<&'s Outline>>);

impl<'s> Tuples<'s> {
    /// Sorts sockets once.
    pub fn of(sockets: &'s [Outline]) -> Self {
        let mut tuples: HashMap<_, Vec<&Outline>> = HashMap::new();
        let tcp = |s: &&Outline| s.protocol == Protocol::Tcp && s.peer().is_some();
        for socket in sockets.iter().filter(tcp) {
            let key = (socket.local.address.to_canonical(), canonical(socket.remote));
            tuples.entry(key).or_default().push(socket);
        }
        Self(tuples)
    }

    /// Every tuple with its sockets.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, Endpoint, &[&'s Outline])> {
        self.0.iter().map(|((local, peer), sockets)| (*local, *peer, sockets.as_slice()))
    }

    /// Those of one tuple.
    pub fn get(&self, local: IpAddr, peer: Endpoint) -> &[&'s Outline] {
        self.0.get(&(local, peer)).map(Vec::as_slice).unwrap_or_default()
    }
}
