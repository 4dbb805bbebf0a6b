//! TCP and UDP sockets in known situations. Everything here is called inside `Namespace::run`.

use super::deadline::PATIENCE;
use nix::sys::stat::fstat;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::Read,
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
};

/// Both ends of a connection.
pub(crate) struct Pair {
    /// The end in the near namespace.
    pub(crate) near: Socket,
    /// The end in the far one.
    pub(crate) far: Socket,
}

/// An unbound TCP socket of the address's family, with a limit on every wait.
pub(crate) fn tcp(family_of: IpAddr) -> Socket {
    let socket =
        Socket::new(Domain::for_address(at(family_of, 0)), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A TCP socket bound and nothing more.
pub(crate) fn bound(address: SocketAddr) -> Socket {
    let socket = tcp(address.ip());
    socket.bind(&address.into()).unwrap();
    socket
}

/// A listener; on an IPv6 address it takes IPv4 connections too.
pub(crate) fn listener(address: SocketAddr, backlog: i32) -> Socket {
    let socket = tcp(address.ip());
    if address.is_ipv6() {
        socket.set_only_v6(false).unwrap();
    }
    socket.bind(&address.into()).unwrap();
    socket.listen(backlog).unwrap();
    socket
}

/// An open connection to `to` from a free port of `from`.
pub(crate) fn connect(from: IpAddr, to: SocketAddr) -> Socket {
    let socket = bound(at(from, 0));
    socket.connect_timeout(&to.into(), PATIENCE).unwrap();
    socket
}

/// A connection that has only been begun: the SYN is out.
pub(crate) fn begin_connect(from: IpAddr, to: SocketAddr) -> Socket {
    let socket = bound(at(from, 0));
    socket.set_nonblocking(true).unwrap();
    let begun = socket.connect(&to.into()).unwrap_err();
    assert_eq!(begun.raw_os_error(), Some(nix::libc::EINPROGRESS), "{begun}");
    socket
}

/// A UDP socket bound to an address.
pub(crate) fn udp(address: SocketAddr) -> Socket {
    let socket =
        Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP)).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

/// Reads until the peer has closed: when this returns the FIN has arrived here.
pub(crate) fn read_to_end(mut socket: &Socket) {
    socket.read_to_end(&mut vec![]).unwrap();
}

/// An address with a port.
pub(crate) fn at(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}

/// This end, without the scope that only link-local addresses need.
pub(crate) fn local(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    at(address.ip(), address.port())
}

/// The other end.
pub(crate) fn peer(socket: &Socket) -> SocketAddr {
    let address = socket.peer_addr().unwrap().as_socket().unwrap();
    at(address.ip(), address.port())
}

/// The socket's inode, as /proc/PID/fd shows it.
pub(crate) fn inode(socket: &Socket) -> u64 {
    fstat(socket).unwrap().st_ino
}

/// The socket's descriptor in this process.
pub(crate) fn descriptor(socket: &Socket) -> u32 {
    u32::try_from(socket.as_raw_fd()).unwrap()
}
