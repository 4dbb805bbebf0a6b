//! What a look shows of TIME_WAIT and of the connections around it, counted as the sockets come.
//!
//! Of what came in by a listener nothing is kept but counts and the addresses of peers; of an outgoing
//! connection eight bytes, because how many ports are left is known only by which are used.

use super::{history::History, key::Key, listeners::Listeners};
use crate::{
    collect::census::Open,
    model::{
        endpoint::Endpoint, owner::Owners, protocol::Protocol, snapshot::Snapshot, socket::Socket,
        state::State,
    },
    report::port_use::PortUse,
};
use hashbrown::{HashMap, HashSet};
use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

/// Open connections of one listener that are kept, to see which of them are closed: in the order of
/// the kernel's hash, which is none.
const SAMPLED: usize = 64;
/// And of all listeners.
const SAMPLED_IN_ALL: usize = 4096;

/// Addresses, each once.
#[derive(Debug, Default)]
pub struct Addresses {
    // By family: four bytes are a fourth of an address that may be either.
    v4: HashSet<Ipv4Addr>,
    v6: HashSet<Ipv6Addr>,
}

impl Addresses {
    fn insert(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => _ = self.v4.insert(address),
            IpAddr::V6(address) => _ = self.v6.insert(address),
        }
    }

    /// How many.
    pub fn number(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        let v6 = self.v6.iter().copied().map(IpAddr::V6);
        self.v4.iter().copied().map(IpAddr::V4).chain(v6)
    }
}

/// What came in by one listener.
#[derive(Debug)]
pub struct Incoming {
    /// Those in TIME_WAIT.
    pub history: History,
    /// Addresses of their peers.
    pub peers: Addresses,
    /// Inodes of those that were seen alive before.
    pub seen: Vec<u64>,
    /// Some of those that are open.
    open: Vec<Open>,
    /// Others of them, whose holders are known.
    known: Vec<Open>,
}

/// What went out from one address to one end.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The sockets, in any state.
    pub uses: Vec<PortUse>,
    /// How many of them are in TIME_WAIT.
    pub closed: u32,
    /// How many of them a process has open.
    pub open: u32,
    /// Inodes of those that were seen alive before.
    pub seen: Vec<u64>,
}

/// A socket in TIME_WAIT from a port that `connect(2)` does not choose, and on which nobody listens:
/// the others with its local end will tell whether somebody did.
#[derive(Debug)]
struct Stray {
    remote: Endpoint,
    used: PortUse,
    seen: Option<u64>,
}

/// From one address to one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuple {
    /// From here.
    pub local: IpAddr,
    /// To there.
    pub peer: Endpoint,
}

impl Hash for Tuple {
    // Every outgoing socket asks for its own: field by field it takes twice as long.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.local, self.peer.address) {
            (IpAddr::V4(local), IpAddr::V4(peer)) => {
                state.write_u64(u64::from(local.to_bits()) << 32 | u64::from(peer.to_bits()));
            }
            (local, peer) => {
                for address in [local, peer] {
                    match address {
                        IpAddr::V4(v4) => state.write_u32(v4.to_bits()),
                        IpAddr::V6(v6) => state.write_u128(v6.to_bits()),
                    }
                }
            }
        }
        state.write_u16(self.peer.port);
    }
}

/// The counts.
#[derive(Debug)]
pub struct Closes {
    /// What listens, and which addresses are this machine's.
    pub listeners: Listeners,
    /// Everything in TIME_WAIT.
    pub all: History,
    /// Orphans in FIN_WAIT_2.
    pub orphans: u32,
    /// What came in, by where the listener listens.
    pub incoming: HashMap<Endpoint, Incoming>,
    /// The same, of listeners that are gone; known once all have come.
    pub unheard: HashMap<Endpoint, Incoming>,
    /// What went out.
    pub outgoing: HashMap<Tuple, Outgoing>,
    /// By local end.
    strays: HashMap<Endpoint, Vec<Stray>>,
    /// The range `connect(2)` chooses from. `None`: it could not be read.
    range: Option<RangeInclusive<u16>>,
    window_ms: u32,
    /// Inodes by cookie of sockets that were alive before.
    alive_before: HashMap<u64, u64>,
    /// Holders, where a part of the descriptors told them.
    pub holders: Option<Owners>,
    /// Open connections that are kept of each listener, by its number, and of all.
    sampled_of: Vec<usize>,
    sampled: usize,
}

impl Closes {
    /// Of a namespace with these listeners, of which the rest is known but for its sockets.
    pub fn new(snapshot: &Snapshot, listeners: Listeners, window_ms: u32) -> Self {
        Self {
            listeners,
            all: History::new(window_ms),
            orphans: 0,
            incoming: HashMap::new(),
            unheard: HashMap::new(),
            outgoing: HashMap::new(),
            strays: HashMap::new(),
            range: snapshot.settings.port_range(),
            window_ms,
            alive_before: snapshot.alive_before.iter().map(|a| (a.cookie, a.inode)).collect(),
            holders: Some(&snapshot.owners).filter(|owners| owners.are_sample()).cloned(),
            sampled_of: vec![],
            sampled: 0,
        }
    }

    /// One more socket; listeners are known already.
    pub fn add(&mut self, socket: &Socket) {
        if socket.protocol != Protocol::Tcp || socket.state == State::Listen {
            return;
        }
        let (local, remote) = (socket.local.canonical(), socket.remote.canonical());
        // The port tells sooner.
        if remote.port == 0 && remote.is_nothing() {
            return self.listeners.meet_address(local.address);
        }
        let is_closed = socket.state == State::TimeWait;
        if is_closed {
            self.all.add(socket.timer.map(|timer| timer.expires_ms));
        } else {
            self.orphans += u32::from(socket.state == State::FinWait2 && socket.is_mini());
        }
        if let Some(listener) = self.listeners.accepting(local) {
            let (at, number) = (listener.at, listener.number);
            self.listeners.meet_address(local.address);
            if is_closed {
                self.closed_by_server(at, socket, remote);
            } else {
                self.sample(at, number, socket);
            }
            return;
        }
        let seen = if is_closed { self.seen(socket) } else { None };
        let used = PortUse::of(socket);
        if is_closed && self.range.as_ref().is_some_and(|range| !range.contains(&local.port)) {
            self.listeners.meet_address(local.address);
            self.strays.entry(local).or_default().push(Stray { remote, used, seen });
            return;
        }
        self.went_out(Tuple { local: local.address, peer: remote }, used, seen);
    }

    fn seen(&self, socket: &Socket) -> Option<u64> {
        if self.alive_before.is_empty() {
            return None;
        }
        self.alive_before.get(&socket.cookie?).copied()
    }

    fn closed_by_server(&mut self, at: Endpoint, socket: &Socket, remote: Endpoint) {
        let seen = self.seen(socket);
        let incoming = self.incoming.entry(at).or_insert_with(|| Incoming::new(self.window_ms));
        incoming.closed(socket.timer.map(|timer| timer.expires_ms), remote, seen);
    }

    /// Keeps an accepted connection, if few are kept or its holder is known.
    fn sample(&mut self, at: Endpoint, number: usize, socket: &Socket) {
        let Some(inode) = socket.inode.filter(|_| socket.interface == 0) else { return };
        let is_known = self.is_known(inode);
        if self.sampled_of.len() <= number {
            self.sampled_of.resize(number + 1, 0);
        }
        let Some(kept) = self.sampled_of.get_mut(number) else { return };
        let has_room = *kept < SAMPLED && self.sampled < SAMPLED_IN_ALL;
        if !(has_room || is_known) {
            return;
        }
        let incoming = self.incoming.entry(at).or_insert_with(|| Incoming::new(self.window_ms));
        let open = Open { local: socket.local, remote: socket.remote, inode };
        if is_known {
            incoming.known.push(open);
        } else {
            incoming.open.push(open);
            *kept += 1;
            self.sampled += 1;
        }
    }

    /// Whether a part of the descriptors told who holds a socket.
    fn is_known(&self, inode: u64) -> bool {
        self.holders.as_ref().is_some_and(|owners| owners.holds(inode))
    }

    fn went_out(&mut self, tuple: Tuple, used: PortUse, seen: Option<u64>) {
        // The first of a tuple tells of its address for all: of a million sockets few do.
        let outgoing = self.outgoing.entry(tuple).or_insert_with(|| {
            self.listeners.meet_address(tuple.local);
            Outgoing::default()
        });
        outgoing.closed += u32::from(used.is_closed());
        outgoing.open += u32::from(used.inode().is_some());
        outgoing.uses.push(used);
        outgoing.seen.extend(seen);
    }

    /// All have come. Several peers with one local end: nobody connects from one port to many, so
    /// something listened there. A port that `connect(2)` chooses from proves nothing, it is used for
    /// many destinations at once.
    pub fn settle(&mut self) {
        for (local, strays) in std::mem::take(&mut self.strays) {
            let peers: HashSet<Endpoint> = strays.iter().map(|stray| stray.remote).collect();
            for Stray { remote, used, seen } in strays {
                if peers.len() > 1 {
                    let gone = self.unheard.entry(local);
                    let gone = gone.or_insert_with(|| Incoming::new(self.window_ms));
                    gone.closed(used.left_ms(), remote, seen);
                } else {
                    self.went_out(Tuple { local: local.address, peer: remote }, used, seen);
                }
            }
        }
        self.incoming.retain(|_, incoming| incoming.history.count > 0);
    }

    /// Open connections that processes here have to each end.
    pub fn open_by_peer(&self) -> HashMap<Endpoint, u32> {
        let mut open = HashMap::new();
        for (tuple, outgoing) in self.outgoing.iter().filter(|(_, outgoing)| outgoing.open > 0) {
            *open.entry(tuple.peer).or_default() += outgoing.open;
        }
        open
    }

    /// What went out from an address to an end.
    pub fn to(&self, local: IpAddr, peer: Endpoint) -> Option<&Outgoing> {
        self.outgoing.get(&Tuple { local, peer })
    }

    /// Inodes of a group's sockets that were seen alive before.
    pub fn seen_of(&self, key: Key) -> &[u64] {
        match key {
            Key::Server { at, .. } => self.server(key, at).map(|incoming| &incoming.seen),
            Key::Client { local, peer } => self.to(local, peer).map(|out| &out.seen),
        }
        .map(Vec::as_slice)
        .unwrap_or_default()
    }

    /// Addresses of the peers of a group that came in; `None`: it went out.
    pub fn peers_of(&self, key: Key) -> Option<&Addresses> {
        let Key::Server { at, .. } = key else { return None };
        Some(&self.server(key, at)?.peers)
    }

    fn server(&self, key: Key, at: Endpoint) -> Option<&Incoming> {
        match key {
            Key::Server { listening: true, .. } => self.incoming.get(&at),
            _ => self.unheard.get(&at),
        }
    }

    /// Open connections of a group, at most so many: some of them may be in TIME_WAIT soon. With
    /// `known` only those whose holder a part of the descriptors told.
    pub fn open_of(&self, key: Key, most: usize, known: bool) -> Vec<Open> {
        match key {
            Key::Server { at, .. } => {
                let Some(incoming) = self.server(key, at) else { return vec![] };
                let others = incoming.open.iter().filter(|_| !known);
                incoming.known.iter().chain(others).take(most).copied().collect()
            }
            Key::Client { local, peer } => {
                let uses = self.to(local, peer).map(|out| out.uses.as_slice());
                let open = |used: &PortUse| {
                    let local = Endpoint::new(used.own(local), used.port);
                    let remote = Endpoint::new(used.own(peer.address), peer.port);
                    Some(Open { local, remote, inode: used.inode()? })
                };
                let open = uses.unwrap_or_default().iter().filter_map(open);
                open.filter(|open| !known || self.is_known(open.inode)).take(most).collect()
            }
        }
    }

    /// A connection of a group that was open is in TIME_WAIT.
    pub fn saw(&mut self, key: Key, inode: u64) {
        let seen = match key {
            Key::Server { at, listening: true } => {
                self.incoming.get_mut(&at).map(|incoming| &mut incoming.seen)
            }
            Key::Server { at, .. } => self.unheard.get_mut(&at).map(|gone| &mut gone.seen),
            Key::Client { local, peer } => {
                self.outgoing.get_mut(&Tuple { local, peer }).map(|outgoing| &mut outgoing.seen)
            }
        };
        if let Some(seen) = seen {
            seen.push(inode);
        }
    }

    /// A history of the same window, of nothing so far.
    pub fn history(&self) -> History {
        History::new(self.window_ms)
    }

    /// The window in which closes are counted apart, in milliseconds.
    pub fn window_ms(&self) -> u32 {
        self.window_ms
    }
}

impl Incoming {
    fn new(window_ms: u32) -> Self {
        Self {
            history: History::new(window_ms),
            peers: Addresses::default(),
            seen: vec![],
            open: vec![],
            known: vec![],
        }
    }

    fn closed(&mut self, left_ms: Option<u32>, remote: Endpoint, seen: Option<u64>) {
        self.history.add(left_ms);
        self.peers.insert(remote.address);
        self.seen.extend(seen);
    }
}
