//! A dump of sockets, without the duplicates a changing table makes.

use super::{
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
/// The kernel remembers its position as (bucket, index in the chain) and inserts new sockets at
/// the head of a chain. So a socket can come twice only as one of the first rows of a datagram,
/// having been one of the last of the one before: it is enough to compare those cookies.
pub fn sockets(
    connection: &mut Connection,
    request: &Request,
    mut each: impl FnMut(Socket) -> Next,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut seam = Seam::default();
    let (kind, body) = request.message();
    tally.end = connection.dump(request.subject(), kind, &body, |piece| match piece {
        Piece::Datagram => {
            seam.turn();
            Next::More
        }
        Piece::Message { kind: SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK, payload } => {
            match inet::decode(request.protocol, payload) {
                Some(socket) if seam.is_new(socket.cookie) => each(socket),
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

/// Cookies on both sides of the border between two datagrams.
#[derive(Debug, Default)]
struct Seam {
    before: Vec<u64>,
    now: Vec<u64>,
    /// Whether every row of this datagram so far was a repetition.
    leading: bool,
}

impl Seam {
    fn turn(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        self.leading = true;
    }

    fn is_new(&mut self, cookie: Option<u64>) -> bool {
        let Some(cookie) = cookie else { return true };
        self.leading = self.leading && self.before.contains(&cookie);
        self.now.push(cookie);
        !self.leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_a_shifted_chain_repeats_are_left_out() {
        let mut seam = Seam::default();
        let mut walk = |cookies: &[u64]| {
            seam.turn();
            cookies.iter().filter(|c| seam.is_new(Some(**c))).copied().collect::<Vec<_>>()
        };
        assert_eq!(walk(&[1, 2, 3]), [1, 2, 3]);
        assert_eq!(walk(&[2, 3, 4]), [4]);
        assert_eq!(walk(&[5, 6]), [5, 6]);
        assert_eq!(walk(&[6]), [0u64; 0]);
    }
}
