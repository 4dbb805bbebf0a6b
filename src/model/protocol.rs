//! Protocols and address families, with the kernel's numbers.

use std::fmt;

/// A kind of socket sockeye can list: a transport protocol of the internet, or a family that has
/// only one.
///
/// In the order in which people ask for them; [`Protocol::LISTED`] is the order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// `IPPROTO_TCP`.
    Tcp,
    /// `IPPROTO_UDP`.
    Udp,
    /// `IPPROTO_UDPLITE`: UDP with a checksum over a part of the packet (gone in Linux 7.1).
    UdpLite,
    /// `SOCK_RAW` of the internet families: a socket that sees an IP protocol.
    Raw,
    /// `SOCK_DGRAM` of `IPPROTO_ICMP` and `IPPROTO_ICMPV6`: the sockets of an unprivileged `ping`.
    Icmp,
    /// `IPPROTO_MPTCP`: a connection over several TCP subflows.
    Mptcp,
    /// `IPPROTO_SCTP`.
    Sctp,
    /// `IPPROTO_DCCP` (gone in Linux 6.16).
    Dccp,
    /// `AF_UNIX`.
    Unix,
    /// `AF_PACKET`: a socket that sees frames of a network interface.
    Packet,
    /// `AF_NETLINK`: a socket that talks to the kernel.
    Netlink,
    /// `AF_VSOCK`: between a virtual machine and its host.
    Vsock,
    /// `AF_XDP`: frames of a queue of a network interface, past the network stack.
    Xdp,
    /// `AF_TIPC`.
    Tipc,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 14] = [
        Self::Tcp,
        Self::Udp,
        Self::UdpLite,
        Self::Raw,
        Self::Icmp,
        Self::Mptcp,
        Self::Sctp,
        Self::Dccp,
        Self::Unix,
        Self::Packet,
        Self::Netlink,
        Self::Vsock,
        Self::Xdp,
        Self::Tipc,
    ];

    /// Every protocol, in the order a listing shows them, which is that of ss; those it does not
    /// know stand beside their relatives.
    pub const LISTED: [Self; 14] = [
        Self::Netlink,
        Self::Packet,
        Self::Unix,
        Self::Raw,
        Self::Icmp,
        Self::Udp,
        Self::UdpLite,
        Self::Tcp,
        Self::Dccp,
        Self::Sctp,
        Self::Vsock,
        Self::Tipc,
        Self::Xdp,
        Self::Mptcp,
    ];

    /// The word in tables, JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UdpLite => "udplite",
            Self::Raw => "raw",
            Self::Icmp => "icmp",
            Self::Mptcp => "mptcp",
            Self::Sctp => "sctp",
            Self::Dccp => "dccp",
            Self::Unix => "unix",
            Self::Packet => "packet",
            Self::Netlink => "netlink",
            Self::Vsock => "vsock",
            Self::Xdp => "xdp",
            Self::Tipc => "tipc",
        }
    }

    /// The name as people write it in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::UdpLite => "UDP-Lite",
            Self::Raw => "raw",
            Self::Icmp => "ICMP",
            Self::Mptcp => "MPTCP",
            Self::Sctp => "SCTP",
            Self::Dccp => "DCCP",
            Self::Unix => "unix",
            Self::Packet => "packet",
            Self::Netlink => "netlink",
            Self::Vsock => "vsock",
            Self::Xdp => "XDP",
            Self::Tipc => "TIPC",
        }
    }

    /// The protocol with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// `IPPROTO_*` of `linux/in.h`; `None` for families that are not of the internet, and for
    /// ICMP, whose number differs by family.
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Tcp => Some(6),
            Self::Udp => Some(17),
            Self::UdpLite => Some(136),
            Self::Raw => Some(255),
            Self::Mptcp => Some(262),
            Self::Sctp => Some(132),
            Self::Dccp => Some(33),
            Self::Icmp
            | Self::Unix
            | Self::Packet
            | Self::Netlink
            | Self::Vsock
            | Self::Xdp
            | Self::Tipc => None,
        }
    }

    /// The one family of a protocol that is not of the internet.
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Unix => Some(Family::Unix),
            Self::Packet => Some(Family::Packet),
            Self::Netlink => Some(Family::Netlink),
            Self::Vsock => Some(Family::Vsock),
            Self::Xdp => Some(Family::Xdp),
            Self::Tipc => Some(Family::Tipc),
            _ => None,
        }
    }

    /// Whether its sockets have internet addresses.
    pub const fn is_inet(self) -> bool {
        self.family().is_none()
    }

    /// Whether its sockets have connections with the states of TCP.
    pub const fn has_tcp_states(self) -> bool {
        matches!(self, Self::Tcp | Self::Mptcp | Self::Dccp)
    }

    /// Whether its sockets can listen for connections.
    pub const fn can_listen(self) -> bool {
        self.has_tcp_states() || matches!(self, Self::Sctp | Self::Unix | Self::Vsock | Self::Tipc)
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
    /// `AF_UNIX`.
    Unix,
    /// `AF_PACKET`.
    Packet,
    /// `AF_NETLINK`.
    Netlink,
    /// `AF_VSOCK`.
    Vsock,
    /// `AF_XDP`.
    Xdp,
    /// `AF_TIPC`.
    Tipc,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 8] = [
        Self::Ipv4,
        Self::Ipv6,
        Self::Unix,
        Self::Packet,
        Self::Netlink,
        Self::Vsock,
        Self::Xdp,
        Self::Tipc,
    ];

    /// The two of the internet, in the order of a listing.
    pub const INET: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The word in JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Unix => "unix",
            Self::Packet => "packet",
            Self::Netlink => "netlink",
            Self::Vsock => "vsock",
            Self::Xdp => "xdp",
            Self::Tipc => "tipc",
        }
    }

    /// The name as people write it in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            other => other.name(),
        }
    }

    /// `AF_*` of `bits/socket.h`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 2,
            Self::Ipv6 => 10,
            Self::Unix => 1,
            Self::Packet => 17,
            Self::Netlink => 16,
            Self::Vsock => 40,
            Self::Xdp => 44,
            Self::Tipc => 30,
        }
    }

    /// The internet family with this `AF_*` number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::Ipv4),
            10 => Some(Self::Ipv6),
            _ => None,
        }
    }

    /// Whether it is of the internet.
    pub const fn is_inet(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
