//! A dump of sockets, without the duplicates a changing table makes.

use super::{
    bytecode::Program,
    inet,
    request::{Request, TCPDIAG_GETSOCK},
};
use crate::{
    kernel::{
        error::Error,
        netlink::connection::{Connection, DumpEnd, Next, Piece},
    },
    model::socket::Socket,
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

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
    tally.end = connection.dump(&request.subject(), kind, &body, |piece| match piece {
        Piece::Datagram => {
            recent.turn();
            Next::More
        }
        Piece::Message { kind: SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK, payload } => {
            match &mut inet::decode(request.protocol, payload) {
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

/// Cookies of the last two datagrams.
#[derive(Debug, Default)]
pub(super) struct Recent {
    before: HashSet<u64, Spread>,
    now: HashSet<u64, Spread>,
}

impl Recent {
    pub(super) fn turn(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
    }

    pub(super) fn is_new(&mut self, cookie: Option<u64>) -> bool {
        let Some(cookie) = cookie else { return true };
        self.now.insert(cookie) && !self.before.contains(&cookie)
    }
}

/// Cookies are numbers the kernel counts up, nothing an attacker chooses: one multiplication
/// spreads them, where the default hash would be felt at a million sockets.
type Spread = BuildHasherDefault<Multiplied>;

#[derive(Debug, Default)]
struct Multiplied(u64);

impl Hasher for Multiplied {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio (Knuth, TAOCP 6.4).
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_a_shifted_chain_repeats_are_left_out() {
        let mut recent = Recent::default();
        let mut walk = |cookies: &[u64]| {
            recent.turn();
            cookies.iter().filter(|c| recent.is_new(Some(**c))).copied().collect::<Vec<_>>()
        };
        assert_eq!(walk(&[1, 2, 3]), [1, 2, 3]);
        assert_eq!(walk(&[2, 3, 4]), [4], "from one datagram to the next");
        assert_eq!(walk(&[5, 6, 7, 6, 7, 8]), [5, 6, 7, 8], "within a datagram");
        assert_eq!(walk(&[7]), [0u64; 0]);
    }
}
