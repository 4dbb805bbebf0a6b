//! Transport protocols and address families, with the kernel's numbers.

use std::fmt;

/// A transport protocol sockeye can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// `IPPROTO_TCP`.
    Tcp,
    /// `IPPROTO_UDP`.
    Udp,
}

impl Protocol {
    /// Every protocol, in the order a listing shows them.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// The word in tables, JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// `IPPROTO_*` of `linux/in.h`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Whether sockets of this protocol have connections with the states of TCP.
    pub const fn has_tcp_states(self) -> bool {
        matches!(self, Self::Tcp)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The address family of a socket.
///
/// An `AF_INET6` socket that talks to an IPv4 host keeps family IPv6 and shows
/// v4-mapped addresses (`::ffff:10.0.0.1`), as the kernel reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// `AF_INET`.
    Ipv4,
    /// `AF_INET6`.
    Ipv6,
}

impl Family {
    /// Both, in the order of a listing.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The word in JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// `AF_*` of `bits/socket.h`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 2,
            Self::Ipv6 => 10,
        }
    }

    /// The family with this `AF_*` number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::Ipv4),
            10 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
