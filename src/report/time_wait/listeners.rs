//! Which listener a connection came in by, and which addresses are this machine's own.

use crate::model::{
    endpoint::Endpoint, ports::PortSet, protocol::Protocol, socket::Socket, state::State,
};
use hashbrown::{HashMap, HashSet};
use std::{
    borrow::Borrow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Something that accepts connections; several sockets with SO_REUSEPORT are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens, IPv4-mapped addresses as IPv4.
    pub at: Endpoint,
    /// Inodes of its sockets.
    pub inodes: Vec<u64>,
    /// Its place among the listeners, in the order they were met.
    pub number: usize,
    only_v6: bool,
}

/// The listeners and addresses of a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    by_port: HashMap<u16, Vec<Listener>>,
    number: usize,
    /// The ports of those, as bits: every socket asks, and most are on none of them.
    ports: PortSet,
    addresses: HashSet<IpAddr>,
    /// The address that was met last: mostly it is met again.
    met: Option<IpAddr>,
}

impl Listeners {
    /// Reads them off.
    pub fn of(sockets: impl IntoIterator<Item: Borrow<Socket>>) -> Self {
        let mut listeners = Self::default();
        for socket in sockets {
            listeners.meet(socket.borrow());
        }
        listeners
    }

    /// One more socket: its address is this machine's, and perhaps it listens.
    #[inline]
    pub fn meet(&mut self, socket: &Socket) {
        if socket.protocol != Protocol::Tcp {
            return;
        }
        let at = socket.local.canonical();
        self.meet_address(at.address);
        if socket.state == State::Listen {
            self.add(at, socket);
        }
    }

    /// An address is this machine's.
    #[inline]
    pub fn meet_address(&mut self, address: IpAddr) {
        if self.met != Some(address) && !address.is_unspecified() {
            self.met = Some(address);
            self.addresses.insert(address);
        }
    }

    fn add(&mut self, at: Endpoint, socket: &Socket) {
        self.ports.insert(at.port);
        let here = self.by_port.entry(at.port).or_default();
        let only_v6 = socket.v6only == Some(true);
        let is_same = |known: &&mut Listener| known.at == at && known.only_v6 == only_v6;
        if let Some(known) = here.iter_mut().find(is_same) {
            return known.inodes.extend(socket.inode);
        }
        let inodes = socket.inode.into_iter().collect();
        here.push(Listener { at, inodes, number: self.number, only_v6 });
        self.number += 1;
    }

    /// The listener that a connection with this local end came in by: the one with the address,
    /// else the wildcard of its family, else an IPv6 wildcard that takes IPv4 too.
    #[inline]
    pub fn accepting(&self, local: Endpoint) -> Option<&Listener> {
        if !self.ports.contains(local.port) {
            return None;
        }
        let local = local.canonical();
        let here = self.by_port.get(&local.port)?;
        let at = |address: IpAddr| here.iter().find(|l| l.at.address == address);
        let any_v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let any_v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        at(local.address).or_else(|| match local.address {
            IpAddr::V4(_) => {
                at(any_v4).or_else(|| here.iter().find(|l| l.at.address == any_v6 && !l.only_v6))
            }
            IpAddr::V6(_) => at(any_v6),
        })
    }

    /// The listener on this machine that a peer of a local connection is.
    pub fn of_local_peer(&self, peer: Endpoint) -> Option<&Listener> {
        self.is_local(peer.address).then(|| self.accepting(peer)).flatten()
    }

    /// Ports that somebody listens on, whatever the address.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.by_port.keys().copied()
    }

    /// Whether somebody here listens at this end, or at the wildcard with its port if the address is
    /// this machine's.
    pub fn have(&self, end: Endpoint) -> bool {
        let here = self.by_port.get(&end.port).map(Vec::as_slice).unwrap_or_default();
        let is_local = self.is_local(end.address);
        here.iter().any(|l| l.at.address == end.address || (is_local && l.at.is_wildcard()))
    }

    /// Whether an address is this machine's: loopback, or one that some socket has.
    pub fn is_local(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.addresses.contains(&address)
    }
}
