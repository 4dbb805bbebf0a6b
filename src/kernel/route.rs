//! Which source address the kernel would choose.

use super::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Ports to try when the kernel has none to choose.
const FALLBACK: std::ops::Range<u16> = 1024..1280;

/// The source address of a connection to `to`, by the routing table of the calling thread's
/// namespace. Connecting a datagram socket looks the route up and sends nothing.
pub fn source_to(to: SocketAddr) -> Result<IpAddr, Error> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let failed = |error: std::io::Error| Error::io("find a route to", to.to_string(), &error);
    // Where the port range has no port left for datagram sockets, one outside of it is named.
    let mut bound = UdpSocket::bind((any, 0));
    for port in FALLBACK {
        if bound.is_ok() {
            break;
        }
        bound = UdpSocket::bind((any, port));
    }
    let socket = bound.map_err(failed)?;
    socket.connect(to).map_err(failed)?;
    Ok(socket.local_addr().map_err(failed)?.ip())
}
