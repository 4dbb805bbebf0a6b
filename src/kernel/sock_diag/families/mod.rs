//! Families that are not of the internet: one file each, with its request and its answer
//! (`linux/{unix,packet,netlink,vm_sockets,xdp}_diag.h`, `linux/tipc_sockets_diag.h`).
//!
//! Decoded in place from the receive buffer, as inet_diag is. netlink-packet-sock-diag knows unix
//! sockets alone, keeps neither their memory nor their users, and refuses the whole answer for one
//! attribute; in the tests it is the oracle of what both know.

pub mod netlink;
pub mod packet;
pub mod tipc;
pub mod unix;
pub mod vsock;
pub mod xdp;

use super::{attributes, dump::Tally, recent::Recent};
use crate::{
    kernel::{
        error::Error,
        netlink::connection::{Connection, Next, Piece},
    },
    model::{
        memory::SocketMemory, protocol::Protocol, queues::Queues, socket::Socket, state::StateSet,
    },
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;

/// `sdiag_cookie`: any socket.
const ANY_COOKIE: [u8; 8] = [0xff; 8];

/// What is asked for beyond what every row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Memory.
    pub memory: bool,
    /// What ss shows with `-e`: files, pending connections, rings, groups.
    pub details: bool,
    /// Classic BPF programs.
    pub filters: bool,
}

/// Asks for the sockets of a family and hands each to `each` once.
///
/// Position and duplicates: as in [`super::dump`].
pub fn sockets(
    connection: &mut Connection,
    protocol: Protocol,
    states: StateSet,
    wanted: Wanted,
    mut each: impl FnMut(Socket) -> Next,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut recent = Recent::default();
    let subject = format!("{} sockets", protocol.title());
    let body = request(protocol, states, wanted);
    tally.end = connection.dump(&subject, SOCK_DIAG_BY_FAMILY, &body, |piece| match piece {
        Piece::Datagram => {
            recent.turn();
            Next::More
        }
        Piece::Message { kind: SOCK_DIAG_BY_FAMILY, payload } => {
            match decode(protocol, payload, wanted) {
                Some(socket) if recent.is_new(socket.cookie) => each(socket),
                Some(_) => {
                    tally.duplicates += 1;
                    Next::More
                }
                None => {
                    tally.undecoded += 1;
                    Next::More
                }
            }
        }
        Piece::Message { .. } => {
            tally.undecoded += 1;
            Next::More
        }
    })?;
    Ok(tally)
}

/// The body of a request.
fn request(protocol: Protocol, states: StateSet, wanted: Wanted) -> Vec<u8> {
    match protocol {
        Protocol::Unix => unix::request(states, unix::show(wanted)),
        Protocol::Packet => packet::request(wanted),
        Protocol::Netlink => netlink::request(),
        Protocol::Vsock => vsock::request(states),
        Protocol::Xdp => xdp::request(),
        Protocol::Tipc => tipc::request(states),
        // The internet's protocols are asked for by `request::Request`.
        _ => vec![],
    }
}

/// One answer. `None`: cut short, or of another family.
pub fn decode(protocol: Protocol, message: &[u8], wanted: Wanted) -> Option<Socket> {
    let mut socket = match protocol {
        Protocol::Unix => unix::decode(message)?,
        Protocol::Packet => packet::decode(message, wanted.filters)?,
        Protocol::Netlink => netlink::decode(message)?,
        Protocol::Vsock => vsock::decode(message)?,
        Protocol::Xdp => xdp::decode(message)?,
        Protocol::Tipc => tipc::decode(message)?,
        _ => return None,
    };
    // Some queues are known from the memory alone, which is asked for in any case.
    if !wanted.memory {
        socket.memory = None;
    }
    Some(socket)
}

/// The queues of a family that counts them by the memory they take.
fn queues_by_memory(memory: &SocketMemory) -> Queues {
    Queues::Data { recv: memory.rmem_alloc_bytes, send: memory.wmem_alloc_bytes }
}

/// Nine words of memory, as every family sends them (`sock_diag_put_meminfo`).
fn memory(value: &[u8]) -> Option<SocketMemory> {
    attributes::memory(value)
}

/// A request of five words: family and protocol, inode, what to show, cookie.
fn by_show(family: u8, protocol: u8, show: u32) -> Vec<u8> {
    let mut body = vec![family, protocol, 0, 0];
    body.extend(0u32.to_ne_bytes());
    body.extend(show.to_ne_bytes());
    body.extend(ANY_COOKIE);
    body
}

/// A request of six words: family, states, inode, what to show, cookie.
fn by_states(family: u8, states: StateSet, show: u32) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0];
    body.extend(states.bits().to_ne_bytes());
    body.extend(0u32.to_ne_bytes());
    body.extend(show.to_ne_bytes());
    body.extend(ANY_COOKIE);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::protocol::Family;

    #[test]
    fn requests_have_the_kernels_sizes() {
        let states = StateSet::ALL;
        for (protocol, size) in [
            (Protocol::Unix, 24),
            (Protocol::Packet, 20),
            (Protocol::Netlink, 20),
            (Protocol::Vsock, 24),
            (Protocol::Xdp, 20),
            (Protocol::Tipc, 8),
        ] {
            let body = request(protocol, states, Wanted::default());
            assert_eq!(body.len(), size, "{protocol}");
            assert_eq!(Some(body[0]), protocol.family().map(Family::number));
        }
    }
}
