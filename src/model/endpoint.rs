//! One end of a connection.

use super::protocol::Family;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address; `0.0.0.0` or `::` is the wildcard.
    pub address: IpAddr,
    /// The port; 0 is none.
    pub port: u16,
}

impl Endpoint {
    /// Joins an address and a port.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }

    /// Neither address nor port, of this family; of a family without internet addresses, that of
    /// IPv6.
    pub const fn nothing(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            _ => Self::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
        }
    }

    /// The same end with an IPv4-mapped address as IPv4.
    // Mostly it is the same, and copied whole: in pieces it is slower to read again (perf).
    #[must_use]
    #[inline]
    pub fn canonical(self) -> Self {
        if let IpAddr::V6(v6) = self.address
            && let Some(v4) = v6.to_ipv4_mapped()
        {
            return Self::new(v4.into(), self.port);
        }
        self
    }

    /// Whether the address is the wildcard.
    pub const fn is_wildcard(&self) -> bool {
        self.address.is_unspecified()
    }

    /// Whether there is neither address nor port: no peer.
    pub const fn is_nothing(&self) -> bool {
        self.is_wildcard() && self.port == 0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}
