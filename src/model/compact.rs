//! Sockets in 72 bytes each, to hold a million of them.
//!
//! Most of what is known of a socket is known of thousands: the user, the cgroup, the namespace. It is
//! kept once, and each socket says which. A [`Socket`] of which more is known than that, such as
//! `tcp_info`, has no such form.

use super::{
    endpoint::Endpoint,
    netns::NetnsIndex,
    protocol::{Family, Protocol},
    queues::Queues,
    socket::{Socket, Unasked},
    state::State,
    timer::{Timer, TimerKind},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A socket without what [`Commons`] keeps of it.
#[derive(Debug, Clone, Copy)]
pub struct Compact {
    // Bytes: a number of 16 would make the whole wider than its parts.
    local: [u8; 16],
    remote: [u8; 16],
    cookie: u64,
    inode: u32,
    local_port: u16,
    remote_port: u16,
    /// Received and sent bytes, or accept queue and limit.
    queues: (u32, u32),
    expires_ms: u32,
    common: u32,
    state: State,
    timer: Option<TimerKind>,
    retransmits: u8,
    /// Which of the fields above mean something.
    told: u8,
}

const LOCAL_IS_V4: u8 = 1;
const REMOTE_IS_V4: u8 = 2;
const HAS_INODE: u8 = 4;
const HAS_COOKIE: u8 = 8;
const HAS_BYTES: u8 = 16;
const LISTENS: u8 = 32;
const HAS_LIMIT: u8 = 64;

/// What many sockets have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Common {
    netns: NetnsIndex,
    protocol: Protocol,
    family: Family,
    interface: u32,
    uid: Option<u32>,
    unasked: Unasked,
}

/// What the sockets of a collection have in common.
#[derive(Debug, Default)]
pub struct Commons {
    kept: Vec<Common>,
    places: HashMap<Common, u32>,
    last: u32,
}

impl Commons {
    /// The compact form of a socket; `None`: there is more to it than that has room for.
    pub fn compact(&mut self, socket: &Socket) -> Option<Compact> {
        let Socket {
            netns,
            protocol,
            family,
            state,
            local,
            remote,
            interface,
            queues,
            timer,
            inode,
            cookie,
            uid,
            drops: None,
            tcp_info: None,
            memory: None,
            congestion: None,
            details: None,
            family_facts: None,
            // Named, so that a new field of a socket is not lost here: `Unasked`.
            mark: _,
            cgroup_id: _,
            shutdown: _,
            v6only: _,
            sockopt: _,
            tos: _,
        } = *socket
        else {
            return None;
        };
        let unasked = Unasked::of(socket);
        let common = Common { netns, protocol, family, interface, uid, unasked };
        let (queues, of_queues) = match queues {
            Queues::Absent => ((0, 0), 0),
            Queues::Data { recv, send } => ((recv, send), HAS_BYTES),
            Queues::Listen { accept_queue, limit } => (
                (accept_queue, limit.unwrap_or(0)),
                LISTENS | if limit.is_some() { HAS_LIMIT } else { 0 },
            ),
        };
        let flag = |is: bool, flag| if is { flag } else { 0 };
        Some(Compact {
            local: bits(local.address),
            remote: bits(remote.address),
            cookie: cookie.unwrap_or(0),
            inode: u32::try_from(inode.unwrap_or(0)).ok()?,
            local_port: local.port,
            remote_port: remote.port,
            queues,
            expires_ms: timer.map_or(0, |timer| timer.expires_ms),
            common: self.place(common)?,
            state,
            timer: timer.map(|timer| timer.kind),
            retransmits: timer.map_or(0, |timer| timer.retransmits),
            told: of_queues
                | flag(local.address.is_ipv4(), LOCAL_IS_V4)
                | flag(remote.address.is_ipv4(), REMOTE_IS_V4)
                | flag(inode.is_some(), HAS_INODE)
                | flag(cookie.is_some(), HAS_COOKIE),
        })
    }

    fn place(&mut self, common: Common) -> Option<u32> {
        if self.kept.get(self.last as usize) != Some(&common) {
            let next = u32::try_from(self.kept.len()).ok()?;
            self.last = *self.places.entry(common).or_insert(next);
            if self.last == next {
                self.kept.push(common);
            }
        }
        Some(self.last)
    }

    /// The socket again. `None`: it was not compacted here.
    pub fn socket(&self, compact: &Compact) -> Option<Socket> {
        let common = self.kept.get(compact.common as usize)?;
        let is_told = |flag| compact.told & flag != 0;
        let mut socket = Socket::new(common.protocol, common.family, compact.state);
        socket.netns = common.netns;
        socket.local = compact.local();
        socket.remote = compact.remote();
        socket.interface = common.interface;
        let (first, second) = compact.queues;
        socket.queues = if is_told(LISTENS) {
            Queues::Listen { accept_queue: first, limit: is_told(HAS_LIMIT).then_some(second) }
        } else if is_told(HAS_BYTES) {
            Queues::Data { recv: first, send: second }
        } else {
            Queues::Absent
        };
        socket.timer = compact.timer.map(|kind| Timer {
            kind,
            expires_ms: compact.expires_ms,
            retransmits: compact.retransmits,
        });
        socket.inode = is_told(HAS_INODE).then_some(compact.inode.into());
        socket.cookie = compact.cookie();
        socket.uid = common.uid;
        common.unasked.fill(&mut socket);
        Some(socket)
    }
}

impl Compact {
    /// [`Socket::local`].
    pub fn local(&self) -> Endpoint {
        Endpoint::new(address(self.local, self.told & LOCAL_IS_V4 != 0), self.local_port)
    }

    /// [`Socket::remote`].
    pub fn remote(&self) -> Endpoint {
        Endpoint::new(address(self.remote, self.told & REMOTE_IS_V4 != 0), self.remote_port)
    }

    /// [`Socket::cookie`].
    pub fn cookie(&self) -> Option<u64> {
        (self.told & HAS_COOKIE != 0).then_some(self.cookie)
    }
}

/// Sockets in the order they came, compact until one comes that has no such form.
#[derive(Debug)]
pub enum Collection {
    /// Each in its compact form.
    Compact(Vec<Compact>, Box<Commons>),
    /// As they are.
    Whole(Vec<Socket>),
}

impl Default for Collection {
    fn default() -> Self {
        Self::Compact(vec![], Box::default())
    }
}

impl Collection {
    /// Adds one.
    pub fn push(&mut self, socket: &Socket) {
        if let Self::Compact(rows, commons) = self {
            if let Some(compact) = commons.compact(socket) {
                return rows.push(compact);
            }
            *self = Self::Whole(self.iter().map(Cow::into_owned).collect());
        }
        if let Self::Whole(sockets) = self {
            sockets.push(socket.clone());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Compact(rows, _) => rows.len(),
            Self::Whole(sockets) => sockets.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, Socket>> {
        let (compact, whole) = match self {
            Self::Compact(rows, commons) => (Some((rows, commons)), None),
            Self::Whole(sockets) => (None, Some(sockets)),
        };
        let compact = compact.into_iter().flat_map(|(rows, commons)| {
            rows.iter().filter_map(|row| commons.socket(row)).map(Cow::Owned)
        });
        compact.chain(whole.into_iter().flatten().map(Cow::Borrowed))
    }
}

fn bits(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()).to_ne_bytes(),
        IpAddr::V6(v6) => v6.to_bits().to_ne_bytes(),
    }
}

fn address(bits: [u8; 16], is_v4: bool) -> IpAddr {
    let bits = u128::from_ne_bytes(bits);
    match u32::try_from(bits) {
        Ok(bits) if is_v4 => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}
