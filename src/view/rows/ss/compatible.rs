//! IPv6 addresses that hold one of IPv4.

use std::net::{IpAddr, Ipv6Addr};

/// inet_ntop(3) of glibc still writes `::a.b.c.d` (RFC 4291 section 2.5.5.1), which is deprecated.
pub(super) fn v4(address: Ipv6Addr) -> Option<IpAddr> {
    let [0, 0, 0, 0, 0, 0, high, _] = address.segments() else { return None };
    (high != 0).then(|| {
        let [.., a, b, c, d] = address.octets();
        IpAddr::from([a, b, c, d])
    })
}
