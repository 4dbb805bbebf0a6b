//! A socket in outline: what reports and rules look at, over and over, in less than ninety bytes, so
//! that a million of them can be held. What was measured of it stands in [`Measures`].
//!
//! [`Measures`]: super::measures::Measures

use super::{
    endpoint::Endpoint,
    owner::Unowned,
    protocol::{Family, Protocol},
    queues::Queues,
    socket::Socket,
    state::State,
    timer::Timer,
};
use std::num::{NonZeroU32, NonZeroU64};

/// A socket of the namespace that is reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    cookie: Option<NonZeroU64>,
    /// [`Socket::local`].
    pub local: Endpoint,
    /// [`Socket::remote`].
    pub remote: Endpoint,
    /// Received and sent bytes, or accept queue and limit.
    queues: (u32, u32),
    /// [`Socket::timer`].
    pub timer: Option<Timer>,
    // Inodes of sockets are numbers of 32 bits (`get_next_ino`) and begin with 1.
    inode: Option<NonZeroU32>,
    // `NOBODY`: none.
    uid: u32,
    /// [`Socket::interface`].
    pub interface: u32,
    /// Where its measures are. `None`: it has none.
    pub(super) measures: Option<NonZeroU32>,
    /// [`Socket::protocol`].
    pub protocol: Protocol,
    /// [`Socket::family`].
    pub family: Family,
    /// [`Socket::state`].
    pub state: State,
    /// Its state at the first of two looks. `None`: it was not there, or there was one look.
    pub was: Option<State>,
    /// Which of the fields above mean something, and what is one bit of a socket.
    told: u8,
}

const HAS_BYTES: u8 = 1;
const LISTENS: u8 = 2;
const HAS_LIMIT: u8 = 4;
const TELLS_V6ONLY: u8 = 8;
const IS_V6ONLY: u8 = 16;
const TELLS_OPTIONS: u8 = 32;
/// [`BIND_ADDRESS_NO_PORT`], of [`Socket::sockopt`] all that reports ask for.
const NAMES_NO_PORT: u8 = 64;

/// `bind_address_no_port` of `struct inet_diag_sockopt`: bit 0 of its second byte.
pub const BIND_ADDRESS_NO_PORT: u8 = 1;

/// `(uid_t) -1`, which is no user (setreuid(2): "leave unchanged").
const NOBODY: u32 = u32::MAX;

impl Outline {
    /// Of a socket that was looked at once.
    pub fn of(socket: &Socket) -> Self {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let (queues, of_queues) = match socket.queues {
            Queues::Absent => ((0, 0), 0),
            Queues::Data { recv, send } => ((recv, send), HAS_BYTES),
            Queues::Listen { accept_queue, limit } => {
                ((accept_queue, limit.unwrap_or(0)), LISTENS | flag(limit.is_some(), HAS_LIMIT))
            }
        };
        let names_no_port = socket.sockopt.is_some_and(|[_, two]| two & BIND_ADDRESS_NO_PORT != 0);
        Self {
            cookie: socket.cookie.and_then(NonZeroU64::new),
            local: socket.local,
            remote: socket.remote,
            queues,
            timer: socket.timer,
            // One that is too large is of no socket: a file told it.
            inode: socket.inode.and_then(|inode| NonZeroU32::new(u32::try_from(inode).ok()?)),
            uid: socket.uid.unwrap_or(NOBODY),
            interface: socket.interface,
            measures: None,
            protocol: socket.protocol,
            family: socket.family,
            state: socket.state,
            was: None,
            told: of_queues
                | flag(socket.v6only.is_some(), TELLS_V6ONLY)
                | flag(socket.v6only == Some(true), IS_V6ONLY)
                | flag(socket.sockopt.is_some(), TELLS_OPTIONS)
                | flag(names_no_port, NAMES_NO_PORT),
        }
    }

    /// A socket of which nothing is known but this: what is asked of sockets is asked of it.
    #[inline]
    pub fn socket(&self) -> Socket {
        Socket {
            local: self.local,
            remote: self.remote,
            interface: self.interface,
            queues: self.queues(),
            timer: self.timer,
            inode: self.inode(),
            cookie: self.cookie(),
            uid: self.uid(),
            v6only: self.v6only(),
            sockopt: self
                .tells(TELLS_OPTIONS)
                .then(|| [0, if self.tells(NAMES_NO_PORT) { BIND_ADDRESS_NO_PORT } else { 0 }]),
            ..Socket::new(self.protocol, self.family, self.state)
        }
    }

    const fn tells(&self, flag: u8) -> bool {
        self.told & flag != 0
    }

    /// [`Socket::queues`].
    #[inline]
    pub fn queues(&self) -> Queues {
        let (first, second) = self.queues;
        if self.tells(LISTENS) {
            Queues::Listen { accept_queue: first, limit: self.tells(HAS_LIMIT).then_some(second) }
        } else if self.tells(HAS_BYTES) {
            Queues::Data { recv: first, send: second }
        } else {
            Queues::Absent
        }
    }

    /// [`Socket::v6only`].
    #[inline]
    pub fn v6only(&self) -> Option<bool> {
        self.tells(TELLS_V6ONLY).then(|| self.tells(IS_V6ONLY))
    }

    /// [`Socket::inode`].
    #[inline]
    pub fn inode(&self) -> Option<u64> {
        self.inode.map(|inode| inode.get().into())
    }

    /// [`Socket::cookie`].
    #[inline]
    pub fn cookie(&self) -> Option<u64> {
        self.cookie.map(NonZeroU64::get)
    }

    /// [`Socket::uid`].
    #[inline]
    pub fn uid(&self) -> Option<u32> {
        (self.uid != NOBODY).then_some(self.uid)
    }

    /// [`Socket::peer`].
    #[inline]
    pub fn peer(&self) -> Option<&Endpoint> {
        (!self.remote.is_nothing()).then_some(&self.remote)
    }

    /// [`Socket::is_mini`].
    #[inline]
    pub fn is_mini(&self) -> bool {
        self.socket().is_mini()
    }

    /// [`Socket::age_ms`].
    #[inline]
    pub fn age_ms(&self) -> Option<u32> {
        self.socket().age_ms()
    }

    /// [`Socket::unowned`].
    #[inline]
    pub fn unowned(&self) -> Option<Unowned> {
        self.socket().unowned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timer::TimerKind;

    #[test]
    fn a_million_take_88_megabytes() {
        assert_eq!(size_of::<Outline>(), 88);
    }

    #[test]
    fn an_outline_is_the_socket_without_what_nobody_reports() {
        let ends = ["10.0.0.1:443", "[2001:db8::1]:51234"].map(|end| {
            let end: std::net::SocketAddr = end.parse().unwrap();
            Endpoint::new(end.ip(), end.port())
        });
        let bare = Socket::new(Protocol::Tcp, Family::Ipv4, State::Listen);
        let socket = Socket {
            local: ends[0],
            remote: ends[1],
            interface: 7,
            queues: Queues::Listen { accept_queue: 3, limit: None },
            timer: Some(Timer { kind: TimerKind::Other(9), expires_ms: 5, retransmits: 6 }),
            inode: Some(4711),
            cookie: Some(u64::MAX),
            uid: Some(0),
            v6only: Some(true),
            sockopt: Some([0, BIND_ADDRESS_NO_PORT]),
            ..bare.clone()
        };
        assert_eq!(Outline::of(&socket).socket(), socket);
        assert_eq!(Outline::of(&bare).socket(), bare);
        let more = Some([0xff, 0xff]);
        let marked = Socket { mark: Some(1), drops: Some(2), sockopt: more, ..socket.clone() };
        assert_eq!(Outline::of(&marked).socket(), socket);
    }

    #[test]
    fn an_inode_that_no_socket_can_have_is_not_another_one() {
        let strange = Socket {
            inode: Some((1 << 32) + 7),
            ..Socket::new(Protocol::Tcp, Family::Ipv4, State::Established)
        };
        assert_eq!(Outline::of(&strange).inode(), None);
    }
}
