//! A dump of sockets, without the duplicates a changing table makes.

use super::{
    bytecode::Program,
    inet::Decoder,
    recent::Recent,
    request::{Request, TCPDIAG_GETSOCK},
};
use crate::{
    kernel::{
        error::Error,
        netlink::connection::{Connection, DumpEnd, Next, Piece},
        privilege::WithoutNetAdmin,
    },
    model::socket::Socket,
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;

/// What a dump said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows that came twice and were left out.
    pub duplicates: u32,
    /// Messages that could not be decoded.
    pub undecoded: u32,
    /// What netlink said.
    pub end: DumpEnd,
}

/// Asks, and hands every socket to `each` once.
///
/// The kernel remembers its position as (bucket, index in the chain), inserts new sockets at the
/// head of a chain, and lets go of the chain after every 16 sockets (`SKARR_SZ` in
/// `net/ipv4/inet_diag.c`) as well as at the end of a datagram. As many sockets come again as were
/// inserted meanwhile, right after they came first: it is enough to remember the cookies of this
/// datagram and the one before, whatever the size of the table.
pub fn sockets(
    connection: &mut Connection,
    request: &Request,
    each: impl FnMut(&mut Socket) -> Next,
) -> Result<Tally, Error> {
    selected(connection, request, None, each)
}

/// The same, of those sockets the program selects in the kernel.
pub fn selected(
    connection: &mut Connection,
    request: &Request,
    program: Option<&Program>,
    mut each: impl FnMut(&mut Socket) -> Next,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut recent = Recent::default();
    let (kind, body) = request.message_with(program);
    let mut decoder = Decoder::new(request.protocol, request.extensions);
    let is_spare = !request.extensions.needs_net_admin();
    let _set_aside = is_spare.then(WithoutNetAdmin::begin);
    tally.end = connection.dump(&request.subject(), kind, &body, |piece| match piece {
        Piece::Datagram => {
            recent.turn();
            Next::More
        }
        Piece::Message { kind: SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK, payload } => {
            let Some(socket) = decoder.decode(payload) else {
                tally.undecoded += 1;
                return Next::More;
            };
            if recent.is_new(socket.cookie) {
                each(socket)
            } else {
                tally.duplicates += 1;
                Next::More
            }
        }
        Piece::Message { .. } => {
            tally.undecoded += 1;
            Next::More
        }
    })?;
    Ok(tally)
}
