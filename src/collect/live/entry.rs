//! One socket in the form in which a hundred thousand are kept.

use crate::{
    kernel::sock_diag::exact::Identity,
    model::{
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
        timer::{Timer, TimerKind},
    },
};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
    num::NonZeroU32,
};

/// What a socket is known by from its first packet until the end of TIME_WAIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Inode of its network namespace, which has 32 bits in the kernel (`struct ns_common`); 0: it
    /// could not be read.
    pub netns: u32,
    /// The cookie; from /proc, which tells none, a number made of protocol and both ends.
    pub number: u64,
    /// Whether the number is a cookie.
    pub is_cookie: bool,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.number ^ u64::from(self.netns).rotate_left(32));
    }
}

/// A map by sockets. Cookies are numbers the kernel counts up, nothing an attacker chooses: one
/// multiplication spreads them, where the default hash is felt at a hundred thousand a second.
pub type ByKey<V> = HashMap<Key, V, BuildHasherDefault<Multiplied>>;

/// Spreads the number of a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Multiplied(u64);

impl Hasher for Multiplied {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio (Knuth, TAOCP 6.4).
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A socket without its attributes: some 100 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// What it is known by.
    pub key: Key,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// State.
    pub state: State,
    /// This end.
    pub local: Endpoint,
    /// The other end; the wildcard with port 0 is "no peer".
    pub remote: Endpoint,
    /// What waits in it.
    pub queues: Queues,
    /// The running timer.
    pub timer: Option<Timer>,
    /// Socket inode. `None`: no file.
    pub inode: Option<NonZeroU32>,
    /// Interface it is bound to; 0: none.
    pub interface: u32,
    /// User who created it, as far as the kernel tells.
    pub uid: Option<u32>,
}

impl Entry {
    /// Of a socket in a namespace with this inode.
    pub fn of(socket: &Socket, netns: Option<u64>) -> Self {
        let netns = netns.and_then(|inode| u32::try_from(inode).ok()).unwrap_or(0);
        let number = socket.cookie.unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            (socket.protocol, socket.local, socket.remote, socket.inode).hash(&mut hasher);
            hasher.finish()
        });
        Self {
            key: Key { netns, number, is_cookie: socket.cookie.is_some() },
            protocol: socket.protocol,
            family: socket.family,
            state: socket.state,
            local: socket.local,
            remote: socket.remote,
            queues: socket.queues,
            timer: socket.timer,
            // The kernel's number has 32 bits (`idiag_inode`).
            inode: socket.inode.and_then(|inode| NonZeroU32::new(u32::try_from(inode).ok()?)),
            interface: socket.interface,
            uid: socket.uid,
        }
    }

    /// The same as a socket, with what no entry holds unknown.
    pub fn socket(&self) -> Socket {
        Socket {
            local: self.local,
            remote: self.remote,
            interface: self.interface,
            queues: self.queues,
            timer: self.timer,
            inode: self.inode.map(|inode| u64::from(inode.get())),
            cookie: self.key.is_cookie.then_some(self.key.number),
            uid: self.uid,
            ..Socket::new(self.protocol, self.family, self.state)
        }
    }

    /// How the kernel finds it again. `None`: it has no cookie, or is none that can be asked for.
    pub fn identity(&self) -> Option<Identity> {
        let is_known = self.key.is_cookie && matches!(self.protocol, Protocol::Tcp | Protocol::Udp);
        is_known.then(|| Identity::of(&self.socket()))
    }

    /// The other end. `None`: there is none.
    pub fn peer(&self) -> Option<Endpoint> {
        (!self.remote.is_nothing()).then_some(self.remote)
    }

    /// Whether it is a mini-socket: TIME_WAIT, or a FIN_WAIT_2 whose process is gone.
    pub fn is_mini(&self) -> bool {
        self.state == State::TimeWait
            || self.timer.is_some_and(|timer| timer.kind == TimerKind::TimeWait)
    }

    /// Whether its state has counters of bytes and segments (`struct tcp_info`).
    pub fn has_counters(&self) -> bool {
        self.protocol == Protocol::Tcp
            && !self.is_mini()
            && !matches!(self.state, State::Listen | State::SynRcvd | State::BoundInactive)
    }

    /// What waits in it: bytes, or for a listener connections.
    pub fn waiting(&self) -> u64 {
        match self.queues {
            Queues::Listen { accept_queue, .. } => accept_queue.into(),
            Queues::Data { recv, send } => u64::from(recv) + u64::from(send),
            Queues::Absent => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 112, "{}", size_of::<Entry>());
    }
}
