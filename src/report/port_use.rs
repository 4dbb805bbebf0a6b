//! Who uses a local port towards one end, eight bytes each: all that counting ports asks for, of
//! connections that come by the hundred thousand.

use crate::model::{
    outline::BIND_ADDRESS_NO_PORT,
    socket::{Socket, TIME_WAIT_MS},
    state::State,
};
use std::net::IpAddr;

/// A socket's use of a local port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortUse {
    /// The inode; of a mini-socket, which has none, the milliseconds it has left.
    stamp: u32,
    /// The port.
    pub port: u16,
    /// The kernel's number of its state.
    pub state_number: u8,
    /// Which of the bits below hold.
    told: u8,
}

const HAS_INODE: u8 = 1;
const HAS_TIME: u8 = 2;
/// It is of IPv6, with IPv4-mapped addresses.
const IS_MAPPED: u8 = 8;
/// It said that `bind(2)` shall not choose its port.
const NAMES_NO_PORT: u8 = 4;

impl PortUse {
    /// Of a TCP connection.
    #[inline]
    pub fn of(socket: &Socket) -> Self {
        // Inodes of sockets are numbers of 32 bits (`get_next_ino`), whatever file told of one.
        let (stamp, mut told) = match (socket.inode.map(u32::try_from), socket.timer) {
            (Some(Ok(inode)), _) => (inode, HAS_INODE),
            (_, Some(timer)) if socket.is_mini() => (timer.expires_ms, HAS_TIME),
            _ => (0, 0),
        };
        if let Some([_, flags]) = socket.sockopt
            && flags & BIND_ADDRESS_NO_PORT != 0
        {
            told |= NAMES_NO_PORT;
        }
        if let IpAddr::V6(v6) = socket.remote.address
            && v6.to_ipv4_mapped().is_some()
        {
            told |= IS_MAPPED;
        }
        Self { stamp, port: socket.local.port, state_number: socket.state.number(), told }
    }

    /// An address as the socket has it: IPv4-mapped, if it is of IPv6.
    pub fn own(&self, canonical: IpAddr) -> IpAddr {
        match canonical {
            IpAddr::V4(v4) if self.told & IS_MAPPED != 0 => v4.to_ipv6_mapped().into(),
            address => address,
        }
    }

    /// Whether it is in TIME_WAIT.
    pub fn is_closed(&self) -> bool {
        self.state_number == State::TimeWait.number()
    }

    /// Inode, the key to its owner. `None`: no process can have it, or it is not known.
    pub fn inode(&self) -> Option<u64> {
        (self.told & HAS_INODE != 0).then_some(self.stamp.into())
    }

    /// What a mini-socket has left, in milliseconds. `None`: it is none.
    pub fn left_ms(&self) -> Option<u32> {
        (self.told & HAS_TIME != 0).then_some(self.stamp)
    }

    /// [`Socket::age_ms`].
    pub fn age_ms(&self) -> Option<u32> {
        let left = self.left_ms().filter(|_| self.is_closed())?;
        Some(TIME_WAIT_MS.saturating_sub(left))
    }

    /// Whether the socket said that `bind(2)` shall not choose its port.
    pub fn names_no_port(&self) -> bool {
        self.told & NAMES_NO_PORT != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        timer::{Timer, TimerKind},
    };

    #[test]
    fn eight_bytes_say_what_the_socket_said() {
        assert_eq!(size_of::<PortUse>(), 8);
        let socket = |state| Socket::new(Protocol::Tcp, Family::Ipv4, state);
        let open = PortUse::of(&Socket { inode: Some(7), ..socket(State::CloseWait) });
        assert_eq!((open.inode(), open.left_ms(), open.age_ms()), (Some(7), None, None));
        assert_eq!((open.state_number, open.is_closed()), (8, false));
        let timer = Some(Timer { kind: TimerKind::TimeWait, expires_ms: 59_000, retransmits: 0 });
        let closed = PortUse::of(&Socket { timer, ..socket(State::TimeWait) });
        assert_eq!((closed.inode(), closed.age_ms()), (None, Some(1_000)));
        // An orphan FIN_WAIT_2 has time left, and no age.
        let orphan = PortUse::of(&Socket { timer, ..socket(State::FinWait2) });
        assert_eq!((orphan.left_ms(), orphan.age_ms()), (Some(59_000), None));
        let mapped = Endpoint::new("::ffff:10.0.0.9".parse().unwrap(), 80);
        let mapped = PortUse::of(&Socket { remote: mapped, ..socket(State::Established) });
        let (v4, v6) = ([10, 0, 0, 1].into(), "::ffff:10.0.0.1".parse::<IpAddr>().unwrap());
        assert_eq!((mapped.own(v4), open.own(v4)), (v6, v4));
        // No inode is better than another's.
        let strange = PortUse::of(&Socket { inode: Some(1 << 40), ..socket(State::Established) });
        assert_eq!(strange.inode(), None);
    }
}
