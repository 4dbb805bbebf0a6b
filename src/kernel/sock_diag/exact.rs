//! Requests about one socket: named by both ends and its cookie, so that an answer is never about
//! another one that took its place.

use super::{inet, request::Extensions};
use crate::{
    kernel::{error::Error, netlink::connection::Connection},
    model::{
        closing::{Closing, Refusal},
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        socket::Socket,
        state::State,
    },
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use nix::errno::Errno;
use std::net::IpAddr;

/// `SOCK_DESTROY`.
const SOCK_DESTROY: u16 = 21;
/// `INET_DIAG_NOCOOKIE`: whatever cookie it has.
const NO_COOKIE: u64 = u64::MAX;
/// How often a member of a group of sockets with one address is looked for. The kernel picks the
/// member by a hash of the peer: with 32 members one is missed once in ten million times.
const TRIES: u16 = 512;
/// Sockets asked for in one message: their answers have room in the receive buffer, two to three
/// kibibytes each as it counts them.
const TOGETHER: usize = 32;

/// Which socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Protocol.
    pub protocol: Protocol,
    /// Family.
    pub family: Family,
    /// This end.
    pub local: Endpoint,
    /// The other end, the wildcard with port 0 where there is none.
    pub remote: Endpoint,
    /// Interface it is bound to; 0: none.
    pub interface: u32,
    /// Its cookie; `None`: whichever socket has these ends.
    pub cookie: Option<u64>,
}

impl Identity {
    /// Of a socket.
    pub fn of(socket: &Socket) -> Self {
        Self {
            protocol: socket.protocol,
            family: socket.family,
            local: socket.local,
            remote: socket.remote,
            interface: socket.interface,
            cookie: socket.cookie,
        }
    }

    /// As the kernel looks a socket up to tell of it: of UDP it takes the ends the other way round,
    /// "for historical reasons" (`udp_dump_one`), and as they are when it is to close one
    /// (`udp_diag_destroy`).
    fn to_find(self) -> Self {
        match self.protocol {
            Protocol::Udp | Protocol::UdpLite => {
                Self { local: self.remote, remote: self.local, ..self }
            }
            _ => self,
        }
    }

    /// `struct inet_diag_req_v2` with every field of the socket's id.
    fn request(self, extensions: Extensions) -> Vec<u8> {
        // TCP, UDP and UDP-Lite: the struct has one byte for the protocol.
        let protocol = self.protocol.number().and_then(|number| u8::try_from(number).ok());
        let mut body = vec![self.family.number(), protocol.unwrap_or(0), extensions.byte(), 0];
        body.extend(u32::MAX.to_ne_bytes());
        body.extend(self.local.port.to_be_bytes());
        body.extend(self.remote.port.to_be_bytes());
        for end in [self.local, self.remote] {
            let mut address = [0; 16];
            match end.address {
                IpAddr::V4(v4) => {
                    let (first, _) = address.split_at_mut(4);
                    first.copy_from_slice(&v4.octets());
                }
                IpAddr::V6(v6) => address = v6.octets(),
            }
            body.extend(address);
        }
        body.extend(self.interface.to_ne_bytes());
        body.extend(self.cookie.unwrap_or(NO_COOKIE).to_ne_bytes());
        body
    }
}

/// A connection for such requests, about sockets of the network namespace of the thread that opened
/// it.
pub struct Inquiry {
    connection: Connection,
}

impl Inquiry {
    /// Opens it.
    pub fn open() -> Result<Self, Error> {
        Ok(Self { connection: Connection::open()? })
    }

    /// The socket as it is now; `None`: there is none with this identity.
    pub fn find(&mut self, identity: Identity) -> Result<Option<Socket>, Error> {
        self.find_with(identity, Extensions::NONE)
    }

    /// The same, with these attributes.
    pub fn find_with(
        &mut self,
        identity: Identity,
        extensions: Extensions,
    ) -> Result<Option<Socket>, Error> {
        let mut found = None;
        let asked = self.connection.ask(
            "ask for",
            "a socket",
            SOCK_DIAG_BY_FAMILY,
            &identity.to_find().request(extensions),
            |payload| found = inet::decode(identity.protocol, payload),
        );
        match asked {
            // Without a connection the kernel looks for a listener that would take one.
            Ok(()) => Ok(found.filter(|found| found.remote == identity.remote)),
            // ENOENT: no such socket; ESTALE: its cookie is another (`sock_diag_check_cookie`).
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same of many, each as it is now; `None`: there is none with this identity. A lookup takes a
    /// few microseconds, a walk over the tables of the machine as long as hundreds of them.
    pub fn find_each(
        &mut self,
        identities: &[Identity],
        extensions: Extensions,
        mut each: impl FnMut(&Identity, Option<Socket>),
    ) -> Result<(), Error> {
        for some in identities.chunks(TOGETHER) {
            let bodies: Vec<Vec<u8>> =
                some.iter().map(|identity| identity.to_find().request(extensions)).collect();
            let mut failed = None;
            self.connection.ask_each(
                "sockets",
                SOCK_DIAG_BY_FAMILY,
                bodies.iter().map(Vec::as_slice),
                |at, answer| {
                    let Some(identity) = some.get(at) else { return };
                    match answer {
                        Ok(payload) => {
                            let found = inet::decode(identity.protocol, payload);
                            each(identity, found.filter(|found| found.remote == identity.remote));
                        }
                        Err(Errno::ENOENT | Errno::ESTALE) => each(identity, None),
                        Err(errno) => {
                            failed.get_or_insert(errno);
                        }
                    }
                },
            )?;
            if let Some(errno) = failed {
                return Err(Error::errno("ask for", "a socket", errno));
            }
        }
        Ok(())
    }

    /// Closes a socket: its process gets ECONNABORTED, its peer a RST (`tcp_abort`).
    ///
    /// TIME_WAIT is closed since kernel 6.1; an older one answers EOPNOTSUPP, as one without
    /// `SOCK_DESTROY` does. An error is one of asking, not of what was asked.
    pub fn close(&mut self, socket: &Socket) -> Result<Closing, Error> {
        if !can_close(socket) {
            return Ok(Closing::Refused(Refusal::Unsupported));
        }
        let mut identity = Identity::of(socket);
        // Listeners that share an address (SO_REUSEPORT) are told apart by the peer that would reach
        // them: with another peer's port the kernel finds another. The cookie keeps it from closing
        // any but the one that is meant.
        let is_shared = socket.peer().is_none();
        for port in 0..if is_shared { TRIES } else { 1 } {
            if is_shared {
                identity.remote.port = port;
            }
            let request = identity.request(Extensions::NONE);
            let asked = self.connection.ask("close", "a socket", SOCK_DESTROY, &request, |_| {});
            match asked {
                Ok(()) => return Ok(Closing::Closed),
                Err(error) => match error.as_errno() {
                    Some(Errno::ENOENT | Errno::ESTALE) => {}
                    Some(Errno::EPERM) => return Ok(Closing::Refused(Refusal::Permission)),
                    Some(Errno::EOPNOTSUPP) => return Ok(Closing::Refused(Refusal::Unsupported)),
                    Some(errno) => return Ok(Closing::Refused(Refusal::Other(errno as i32))),
                    None => return Err(error),
                },
            }
        }
        Ok(Closing::Gone)
    }
}

/// Whether the kernel can close sockets of this kind, with the right and the option to do so
/// (`CONFIG_INET_DIAG_DESTROY`): a socket that is bound and nothing more is in none of the tables
/// that `SOCK_DESTROY` looks into. Other protocols have no such operation (`diag_destroy` of their
/// handlers), but for raw sockets, which it finds by an IP protocol that no answer tells.
pub fn can_close(socket: &Socket) -> bool {
    let has_means = matches!(socket.protocol, Protocol::Tcp | Protocol::Udp | Protocol::UdpLite);
    has_means && socket.state != State::BoundInactive && socket.cookie.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_named_by_every_field_of_its_id() {
        let identity = Identity {
            protocol: Protocol::Tcp,
            family: Family::Ipv4,
            local: Endpoint::new([10, 0, 0, 1].into(), 0x1234),
            remote: Endpoint::new([10, 0, 0, 9].into(), 443),
            interface: 7,
            cookie: Some(0x0102_0304_0506_0708),
        };
        let body = identity.request(Extensions::INFO);
        assert_eq!(body.len(), 56);
        assert_eq!(body[..4], [2, 6, 2, 0]);
        assert_eq!(body[8..12], [0x12, 0x34, 1, 0xbb]);
        assert_eq!(body[12..16], [10, 0, 0, 1]);
        assert_eq!(body[28..32], [10, 0, 0, 9]);
        assert_eq!(body[44..48], 7u32.to_ne_bytes());
        assert_eq!(body[48..], 0x0102_0304_0506_0708u64.to_ne_bytes());
        let any = Identity { cookie: None, ..identity };
        assert_eq!(any.request(Extensions::NONE)[48..], [0xff; 8]);
    }
}
