//! `struct inet_diag_msg` (72 bytes, `linux/inet_diag.h`) to a socket.
//!
//! Decoded in place from the receive buffer, by our own code: netlink-packet-sock-diag drops the
//! time left of TIME_WAIT and the retransmit counts of other timers, refuses the legacy message
//! type and shorter `tcp_info`, and allocates for every row. In the tests it is the oracle.

use super::{associations, attributes, request::Extensions};
use crate::{
    kernel::bytes::{array, u8_at, u16_be, u32_ne, u64_ne},
    model::{
        endpoint::Endpoint,
        netns::NetnsIndex,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::{Socket, Unasked},
        state::State,
        timer::{Timer, TimerKind},
    },
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of the fixed part.
pub const HEADER: usize = 72;

/// Decodes one answer. `None`: cut short, or not an internet socket.
pub fn decode(protocol: Protocol, message: &[u8]) -> Option<Socket> {
    let mut decoder = Decoder::new(protocol, Extensions::UNASKED);
    decoder.decode(message)?;
    Some(decoder.socket)
}

/// Decodes the answers of a dump, each in the place of the one before.
pub struct Decoder {
    socket: Socket,
    reads: Reads,
    /// Whether the socket has what the attributes of one before told.
    is_told: bool,
    /// Attributes seen lately, and what they tell: most sockets of a host have the options and the
    /// cgroup of one before. Comparing them takes half as long as reading them (callgrind).
    known: Vec<Known>,
}

/// Attributes and what they tell.
struct Known {
    bytes: Vec<u8>,
    /// Their last word.
    end: u64,
    told: Unasked,
}

/// Whose attributes are read. Most listings show nothing that an attribute tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Nothing,
    /// Those of sockets with an end that is the IPv6 wildcard.
    OfWildcards,
    Everything,
}

/// How many bytes of attributes are worth comparing: six of them.
const FEW: usize = 64;
/// With how many, and how many of them stay where they are: the two ends of a connection take turns.
const REMEMBERED: usize = 8;
const AT_HAND: usize = 4;

impl Decoder {
    /// Of sockets of a protocol. Attributes nobody asked for are left unread.
    pub fn new(protocol: Protocol, asked: Extensions) -> Self {
        let socket = Socket::new(protocol, Family::Ipv4, State::Closed);
        let reads = match asked {
            Extensions::NONE => Reads::Nothing,
            // The state of an association is an attribute.
            Extensions::V6ONLY if protocol != Protocol::Sctp => Reads::OfWildcards,
            _ => Reads::Everything,
        };
        Self { socket, reads, is_told: false, known: vec![] }
    }

    /// Decodes one answer. `None`: cut short, or not an internet socket.
    #[inline]
    pub fn decode(&mut self, message: &[u8]) -> Option<&mut Socket> {
        let (header, rest) = message.split_first_chunk::<HEADER>()?;
        decode_header(&mut self.socket, header)?;
        match self.reads {
            Reads::Nothing => {}
            Reads::OfWildcards => self.read_of_wildcard(rest),
            Reads::Everything => {
                self.read_attributes(rest);
                if self.socket.protocol == Protocol::Sctp {
                    associations::learn_state(&mut self.socket, header[1]);
                }
            }
        }
        Some(&mut self.socket)
    }

    #[inline]
    fn read_of_wildcard(&mut self, bytes: &[u8]) {
        const WILDCARD: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let Socket { local, remote, .. } = &self.socket;
        if local.address == WILDCARD || remote.address == WILDCARD {
            self.read_attributes(bytes);
            self.is_told = true;
        } else if std::mem::take(&mut self.is_told) {
            Unasked::NOTHING.fill(&mut self.socket);
        }
    }

    #[inline]
    fn read_attributes(&mut self, bytes: &[u8]) {
        // TIME_WAIT has none, and comparing nothing with nothing is slow: glibc's memcmp(3) for AVX-512
        // loads it through an empty mask, from a place that is no memory (a tenth of such a dump).
        if bytes.is_empty() {
            return attributes::fill(&mut self.socket, Unasked::NOTHING);
        }
        let end = end(bytes);
        match self.known.iter().position(|known| known.are(bytes, end)) {
            Some(at) => {
                if let Some(known) = self.known.get(at) {
                    attributes::fill(&mut self.socket, known.told);
                }
                // What comes often comes to the front.
                if at >= AT_HAND {
                    self.known.swap(at, at - 1);
                }
            }
            None => self.learn(bytes),
        }
    }

    #[inline(never)]
    fn learn(&mut self, bytes: &[u8]) {
        attributes::decode(bytes, &mut self.socket);
        if bytes.len() <= FEW
            && let Some(told) = attributes::unasked_alone(&self.socket)
        {
            self.known.truncate(REMEMBERED - 1);
            self.known.push(Known::new(bytes, told));
        }
    }
}

impl Known {
    fn new(bytes: &[u8], told: Unasked) -> Self {
        Self { bytes: bytes.to_vec(), end: end(bytes), told }
    }

    /// Whether they are the same bytes, which end so. In words: memcmp(3) takes twice as long for so
    /// few. The last are the flags of the socket, in which most differ that do.
    #[inline]
    fn are(&self, bytes: &[u8], end: u64) -> bool {
        if self.end != end || self.bytes.len() != bytes.len() {
            return false;
        }
        if bytes.len() < size_of_val(&end) {
            return self.bytes == bytes;
        }
        let words = self.bytes.as_chunks().0.iter().zip(bytes.as_chunks().0);
        let differing = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
        words.fold(0, |so_far, (a, b)| so_far | differing(a, b)) == 0
    }
}

/// The last word of attributes; 0 where there is none.
#[inline]
fn end(bytes: &[u8]) -> u64 {
    bytes.last_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn decode_header(socket: &mut Socket, header: &[u8; HEADER]) -> Option<()> {
    let family = Family::from_number(u8_at(header, 0)?)?;
    let state = State::from_kernel(socket.protocol, u8_at(header, 1)?);
    let timer = TimerKind::from_kernel(u8_at(header, 2)?);
    let retransmits = u8_at(header, 3)?;
    let address = |at| -> Option<IpAddr> {
        Some(match family {
            Family::Ipv4 => Ipv4Addr::from(array::<4>(header, at)?).into(),
            _ => Ipv6Addr::from(array::<16>(header, at)?).into(),
        })
    };
    let expires_ms = u32_ne(header, 52)?;
    let (rqueue, wqueue) = (u32_ne(header, 56)?, u32_ne(header, 60)?);
    let uid = u32_ne(header, 64)?;
    let inode = u32_ne(header, 68)?;
    // Mini-sockets and request sockets own neither queues nor a user: the kernel leaves zeros
    // (tcp_twsk_diag_fill, tcp_req_diag_fill), which would read as "empty" and "root".
    let filler =
        timer == Some(TimerKind::TimeWait) || matches!(state, State::TimeWait | State::SynRcvd);
    socket.netns = NetnsIndex::FIRST;
    socket.family = family;
    socket.state = state;
    socket.local = Endpoint::new(address(8)?, u16_be(header, 4)?);
    socket.remote = Endpoint::new(address(24)?, u16_be(header, 6)?);
    socket.interface = u32_ne(header, 40)?;
    socket.queues = match state {
        State::Listen => Queues::Listen { accept_queue: rqueue, limit: Some(wqueue) },
        _ if filler => Queues::Absent,
        _ => Queues::Data { recv: rqueue, send: wqueue },
    };
    socket.timer = timer.map(|kind| Timer { kind, expires_ms, retransmits });
    socket.inode = (inode != 0).then_some(inode.into());
    socket.cookie = Some(u64_ne(header, 44)?);
    socket.uid = (!filler).then_some(uid);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_equal_where_every_one_is(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            (at, change) in (0usize..64, 0u8..3),
            longer: bool,
        ) {
            let mut other = bytes.clone();
            if let Some(byte) = other.get_mut(at) {
                *byte ^= change;
            }
            other.extend(longer.then_some(0));
            let known = Known::new(&bytes, Unasked::NOTHING);
            prop_assert_eq!(known.are(&other, end(&other)), bytes == other);
        }
    }
}
