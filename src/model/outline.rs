//! A socket in outline: what reports and rules look at, over and over, in less than a hundred bytes, so
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
    /// [`Socket::queues`].
    pub queues: Queues,
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
    /// [`Socket::v6only`].
    pub v6only: Option<bool>,
    /// [`Socket::sockopt`].
    pub sockopt: Option<[u8; 2]>,
}

/// `(uid_t) -1`, which is no user (setreuid(2): "leave unchanged").
const NOBODY: u32 = u32::MAX;

impl Outline {
    /// Of a socket that was looked at once.
    pub fn of(socket: &Socket) -> Self {
        Self {
            cookie: socket.cookie.and_then(NonZeroU64::new),
            local: socket.local,
            remote: socket.remote,
            queues: socket.queues,
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
            v6only: socket.v6only,
            sockopt: socket.sockopt,
        }
    }

    /// A socket of which nothing is known but this: what is asked of sockets is asked of it.
    #[inline]
    pub fn socket(&self) -> Socket {
        Socket {
            local: self.local,
            remote: self.remote,
            interface: self.interface,
            queues: self.queues,
            timer: self.timer,
            inode: self.inode(),
            cookie: self.cookie(),
            uid: self.uid(),
            v6only: self.v6only,
            sockopt: self.sockopt,
            ..Socket::new(self.protocol, self.family, self.state)
        }
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
    fn a_million_take_less_than_a_hundred_megabytes() {
        assert_eq!(size_of::<Outline>(), 96);
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
            sockopt: Some([1, 2]),
            ..bare.clone()
        };
        assert_eq!(Outline::of(&socket).socket(), socket);
        assert_eq!(Outline::of(&bare).socket(), bare);
        let marked = Socket { mark: Some(1), drops: Some(2), ..socket.clone() };
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
