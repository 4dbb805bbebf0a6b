//! Two namespaces joined by a wire, and black holes on it.

use super::namespace::{Namespace, ip};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The interface at either end.
pub(crate) const INTERFACE: &str = "wire";
/// Address of the near end.
pub(crate) const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
/// IPv6 address of the near end.
pub(crate) const NEAR6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1));
/// IPv6 address of the far end.
pub(crate) const FAR6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2));
/// How many IPv4 addresses the far end has: each can become a black hole of its own.
const FAR_ADDRESSES: u8 = 10;

/// A far IPv4 address, from 0 up.
pub(crate) fn far(number: u8) -> IpAddr {
    assert!(number < FAR_ADDRESSES);
    IpAddr::V4(Ipv4Addr::new(10, 77, 0, 10 + number))
}

/// An address of the wire's network that nobody has.
pub(crate) const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 250));

/// Two namespaces joined by a veth pair.
pub(crate) struct Link {
    /// The end that is looked at.
    pub(crate) near: Namespace,
    /// The end that plays the peers.
    pub(crate) far: Namespace,
}

impl Link {
    /// Makes both and joins them.
    pub(crate) fn new() -> Self {
        let link = Self { near: Namespace::new(), far: Namespace::new() };
        let (near, far_name) = (link.near.name(), link.far.name());
        // Made inside the namespaces, so that no interface appears on the machine itself.
        ip(&[
            "link", "add", INTERFACE, "netns", near, "type", "veth", "peer", "name", INTERFACE,
            "netns", far_name,
        ]);
        link.near.add_addresses(&[NEAR, NEAR6]);
        let many: Vec<IpAddr> = (0..FAR_ADDRESSES).map(far).chain([FAR6]).collect();
        link.far.add_addresses(&many);
        link.near.ip(&["link", "set", INTERFACE, "up"]);
        link.far.ip(&["link", "set", INTERFACE, "up"]);
        link
    }

    /// Loses from now on whatever the near end sends to `address`, which the far end still sends
    /// from: a permanent neighbour entry with a MAC that nobody has.
    pub(crate) fn lose_packets_to(&self, address: IpAddr) {
        self.near.ip(&[
            "neigh",
            "replace",
            &address.to_string(),
            "lladdr",
            "02:00:00:00:00:99",
            "nud",
            "permanent",
            "dev",
            INTERFACE,
        ]);
    }
}

impl Namespace {
    fn add_addresses(&self, addresses: &[IpAddr]) {
        for address in addresses {
            match address {
                IpAddr::V4(_) => {
                    self.ip(&["addr", "add", &format!("{address}/24"), "dev", INTERFACE]);
                }
                // Without the check for duplicates the address is usable at once.
                IpAddr::V6(_) => {
                    self.ip(&["addr", "add", &format!("{address}/64"), "dev", INTERFACE, "nodad"]);
                }
            }
        }
    }
}
