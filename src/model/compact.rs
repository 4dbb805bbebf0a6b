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
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A socket without what [`Commons`] keeps of it.
#[derive(Debug, Clone, Copy)]
pub struct Compact {
    // Bytes: a number of 16 would make the whole wider than its parts.
    pub(super) local: [u8; 16],
    pub(super) remote: [u8; 16],
    pub(super) cookie: u64,
    pub(super) inode: u32,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    pub(super) expires_ms: u32,
    pub(super) manner: Manner,
}

/// What is mostly that of other sockets too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Received and sent bytes, or accept queue and limit.
    queues: (u32, u32),
    common: u32,
    state: State,
    timer: Option<TimerKind>,
    retransmits: u8,
    /// Which of all fields mean something.
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
            expires_ms: timer.map_or(0, |timer| timer.expires_ms),
            manner: Manner {
                queues,
                common: self.place(common)?,
                state,
                timer: timer.map(|timer| timer.kind),
                retransmits: timer.map_or(0, |timer| timer.retransmits),
                told: of_queues
                    | flag(local.address.is_ipv4(), LOCAL_IS_V4)
                    | flag(remote.address.is_ipv4(), REMOTE_IS_V4)
                    | flag(inode.is_some(), HAS_INODE)
                    | flag(cookie.is_some(), HAS_COOKIE),
            },
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
        let Manner { queues, common, state, timer, retransmits, .. } = compact.manner;
        let common = self.kept.get(common as usize)?;
        let is_told = |flag| compact.tells(flag);
        let mut socket = Socket::new(common.protocol, common.family, state);
        socket.netns = common.netns;
        socket.local = compact.local();
        socket.remote = compact.remote();
        socket.interface = common.interface;
        let (first, second) = queues;
        socket.queues = if is_told(LISTENS) {
            Queues::Listen { accept_queue: first, limit: is_told(HAS_LIMIT).then_some(second) }
        } else if is_told(HAS_BYTES) {
            Queues::Data { recv: first, send: second }
        } else {
            Queues::Absent
        };
        let expires_ms = compact.expires_ms;
        socket.timer = timer.map(|kind| Timer { kind, expires_ms, retransmits });
        socket.inode = is_told(HAS_INODE).then_some(compact.inode.into());
        socket.cookie = compact.cookie();
        socket.uid = common.uid;
        common.unasked.fill(&mut socket);
        Some(socket)
    }
}

impl Compact {
    /// What a socket is compared with that has none before it.
    pub(super) const NOTHING: Self = Self {
        local: [0; 16],
        remote: [0; 16],
        cookie: 0,
        inode: 0,
        local_port: 0,
        remote_port: 0,
        expires_ms: 0,
        manner: Manner {
            queues: (0, 0),
            common: 0,
            state: State::Closed,
            timer: None,
            retransmits: 0,
            told: 0,
        },
    };

    /// [`Socket::local`].
    pub fn local(&self) -> Endpoint {
        Endpoint::new(address(self.local, self.tells(LOCAL_IS_V4)), self.local_port)
    }

    /// [`Socket::remote`].
    pub fn remote(&self) -> Endpoint {
        Endpoint::new(address(self.remote, self.tells(REMOTE_IS_V4)), self.remote_port)
    }

    /// [`Socket::cookie`].
    pub fn cookie(&self) -> Option<u64> {
        self.tells(HAS_COOKIE).then_some(self.cookie)
    }

    fn tells(&self, flag: u8) -> bool {
        self.manner.told & flag != 0
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
