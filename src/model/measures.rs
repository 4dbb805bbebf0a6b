//! What was measured of sockets, as far as rules ask for it: of `struct tcp_info` a tenth, of their
//! memory a third, and how they differ from the first of two looks.
//!
//! A host has sockets by the million and most of them are idle: of each there stand only the numbers
//! that are known and not 0, in as many bytes as they need. Which ones these are is known of thousands,
//! and kept once.

use super::{
    earlier::{Earlier, Flow, drops},
    outline::Outline,
    socket::Socket,
    tcp_info::{TcpField, field},
    varint,
};
use hashbrown::HashMap;
use std::num::NonZeroU32;

/// A socket at the moment it is measured.
struct Sighting<'s> {
    socket: &'s Socket,
    earlier: Option<&'s Earlier>,
    /// What flowed since. `None`: it is not known.
    flowed: Option<Flow>,
}

impl Sighting<'_> {
    fn info(&self, field: &TcpField) -> Option<u64> {
        self.socket.tcp_info.as_ref()?.value(field)
    }
}

/// The table of what is kept: a name, and how it is read off a socket. What rules read of nearly every
/// socket comes first.
macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident = $read:expr;)*) => {
        #[expect(non_camel_case_types, reason = "they are the names of the methods")]
        enum At { $($name),* }

        /// How many numbers there may be of a socket.
        const NUMBER: usize = [$(At::$name),*].len();

        /// A shape has a bit for each.
        const _: () = assert!(NUMBER <= u32::BITS as usize);

        fn read(sighting: &Sighting<'_>) -> [Option<u64>; NUMBER] {
            [$({ let read: fn(&Sighting<'_>) -> Option<u64> = $read; read(sighting) }),*]
        }

        impl Measured<'_> {
            $($(#[$doc])* #[inline] pub fn $name(self) -> Option<u64> { self.number(At::$name) })*
        }
    };
}

measures! {
    /// Segments sent again within the window.
    resent = |s| Some(s.flowed?.retransmitted);
    /// Bytes of the receive queue, with their overhead.
    rmem_bytes = |s| Some(s.socket.memory?.rmem_alloc_bytes.into());
    /// Bytes queued for sending, unacknowledged ones included.
    wmem_bytes = |s| Some(s.socket.memory?.wmem_queued_bytes.into());
    /// Microseconds of the window with something to send.
    busy_us = |s| Some(s.flowed?.busy_us);
    /// Of these, limited by the window of the peer.
    rwnd_limited_us = |s| Some(s.flowed?.rwnd_limited_us);
    /// Of these, limited by the send buffer.
    sndbuf_limited_us = |s| Some(s.flowed?.sndbuf_limited_us);
    /// Bytes received within the window.
    received = |s| Some(s.flowed?.bytes_received);
    /// Bytes received and not read, or connections in the accept queue, at the first look.
    recv_before = |s| Some(s.earlier?.recv.into());
    /// Packets it dropped within the window; a listener: SYNs and connections.
    drops = |s| Some(drops(s.socket)?.saturating_sub(s.earlier?.drops?).into());
    /// Milliseconds since an ACK was received: of a CLOSE_WAIT or FIN_WAIT_2 nearly its age, and never
    /// more than that, since nothing comes after the FIN but answers to probes.
    silent_ms = |s| s.info(const { field("last_ack_recv") });
    /// Milliseconds since data was received.
    last_received_ms = |s| s.info(const { field("last_data_recv") });
    /// Milliseconds since data was sent.
    last_sent_ms = |s| s.info(const { field("last_data_sent") });
    /// Limit of the receive queue (`SO_RCVBUF`).
    rcvbuf_bytes = |s| Some(s.socket.memory?.rcvbuf_bytes.into());
    /// Segments sent and not acknowledged.
    unacked = |s| s.info(const { field("unacked") });
    /// How often the timeout was doubled.
    backoff = |s| s.info(const { field("backoff") });
    /// The retransmission timeout, in microseconds.
    rto_us = |s| s.info(const { field("rto") });
    /// Retransmission timeouts over the whole life.
    timeouts = |s| s.info(const { field("total_rto") });
    /// The largest segment this side sends, in bytes.
    segment_bytes = |s| s.info(const { field("mss") });
    /// Bytes acknowledged by the peer over the whole life.
    acked_bytes = |s| s.info(const { field("bytes_acked") });
    /// Bytes received over the whole life.
    received_bytes = |s| s.info(const { field("bytes_received") });
}

/// Which numbers of a socket are known, and which of them stand there, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Shape {
    known: u32,
    nonzero: u32,
}

/// The measures of many sockets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measures {
    /// Of each socket the place of its shape, and its numbers.
    bytes: Vec<u8>,
    shapes: Vec<Shape>,
    places: HashMap<Shape, u32>,
}

impl Measures {
    /// The outline of a socket, with what was measured of it, now and since the first look.
    pub fn outline(&mut self, socket: &Socket, earlier: Option<&Earlier>) -> Outline {
        let now = || Flow::of(socket);
        let flowed = earlier.and_then(|earlier| Some(now()?.since(earlier.flow.as_ref()?)));
        let numbers = read(&Sighting { socket, earlier, flowed });
        let mut outline = Outline::of(socket);
        outline.was = earlier.map(Earlier::state);
        outline.measures = self.add(&numbers);
        outline
    }

    /// Keeps the numbers of a socket; `None`: none is known. The place that is told is that of the end.
    fn add(&mut self, numbers: &[Option<u64>; NUMBER]) -> Option<NonZeroU32> {
        let mut shape = Shape::default();
        for (at, number) in numbers.iter().enumerate() {
            shape.known |= u32::from(number.is_some()) << at;
            shape.nonzero |= u32::from(number.is_some_and(|number| number != 0)) << at;
        }
        if shape.known == 0 {
            return None;
        }
        // 0 is no place.
        if self.bytes.is_empty() {
            self.bytes.push(0);
        }
        // What does not fit into four gigabytes, of a hundred million sockets, is not known.
        let place = NonZeroU32::new(u32::try_from(self.bytes.len()).ok()?)?;
        let next = u32::try_from(self.shapes.len()).ok()?;
        let shape_at = *self.places.entry(shape).or_insert(next);
        if shape_at == next {
            self.shapes.push(shape);
        }
        varint::write(&mut self.bytes, shape_at.into());
        for number in numbers.iter().flatten().filter(|number| **number != 0) {
            varint::write(&mut self.bytes, *number);
        }
        Some(place)
    }

    /// What was measured of a socket.
    #[inline]
    pub fn of(&self, outline: &Outline) -> Measured<'_> {
        let place = outline.measures.and_then(|place| usize::try_from(place.get()).ok());
        let Some(mut numbers) = place.and_then(|place| self.bytes.get(place..)) else {
            return Measured { shape: Shape::default(), numbers: &[] };
        };
        let shape = usize::try_from(varint::read(&mut numbers)).ok();
        let shape = shape.and_then(|at| self.shapes.get(at)).copied().unwrap_or_default();
        Measured { shape, numbers }
    }
}

/// What was measured of one socket. `None` is "it is not known": there was one look, the source does not
/// tell, or the kernel is older.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'m> {
    shape: Shape,
    numbers: &'m [u8],
}

impl Measured<'_> {
    #[inline]
    fn number(self, at: At) -> Option<u64> {
        let bit = 1u32 << at as u32;
        if self.shape.nonzero & bit != 0 {
            let mut numbers = self.numbers;
            varint::skip(&mut numbers, (self.shape.nonzero & (bit - 1)).count_ones());
            return Some(varint::read(&mut numbers));
        }
        (self.shape.known & bit != 0).then_some(0)
    }

    /// Milliseconds since data was sent or received, whichever is less.
    pub fn idle_ms(self) -> Option<u64> {
        Some(self.last_sent_ms()?.min(self.last_received_ms()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        memory::SocketMemory,
        protocol::{Family, Protocol},
        state::State,
        tcp_info::{Place, TcpInfo},
    };

    /// An open connection of whose `tcp_info` so many bytes are told, with these numbers.
    fn connection(length: usize, numbers: &[(&str, u32)]) -> Socket {
        let mut bytes = vec![0; length];
        for (id, number) in numbers {
            let Place::U32(at) = field(id).place else { panic!("{id} is not of 32 bits") };
            bytes[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, State::Established);
        socket.cookie = Some(1);
        socket.tcp_info = Some(Box::new(TcpInfo::from_kernel(&bytes)));
        socket
    }

    #[test]
    fn each_socket_has_its_own_numbers_and_what_is_unknown_is_not_0() {
        let mut all = Measures::default();
        let bare = Socket { tcp_info: None, ..connection(0, &[]) };
        let mut idle = connection(232, &[("last_ack_recv", 7_200_000), ("last_data_sent", 9)]);
        let silent = all.outline(&bare, None);
        let idle_before = all.outline(&idle, None);
        idle.memory = Some(SocketMemory { rcvbuf_bytes: u32::MAX, ..SocketMemory::default() });
        let with_memory = all.outline(&idle, None);
        let old = all.outline(&connection(104, &[("rto", 204_000), ("mss", 1448)]), None);
        let measured = all.of(&silent);
        assert_eq!(
            (measured.silent_ms(), measured.rmem_bytes(), measured.idle_ms()),
            (None, None, None)
        );
        let measured = all.of(&idle_before);
        assert_eq!((measured.silent_ms(), measured.idle_ms()), (Some(7_200_000), Some(0)));
        assert_eq!((measured.last_sent_ms(), measured.unacked()), (Some(9), Some(0)));
        assert_eq!((measured.rcvbuf_bytes(), measured.timeouts()), (None, None));
        let measured = all.of(&with_memory);
        assert_eq!(
            (measured.rmem_bytes(), measured.rcvbuf_bytes()),
            (Some(0), Some(u32::MAX.into()))
        );
        assert_eq!((measured.silent_ms(), measured.last_sent_ms()), (Some(7_200_000), Some(9)));
        // The struct of an old kernel ends before the counts of bytes.
        let measured = all.of(&old);
        assert_eq!((measured.rto_us(), measured.segment_bytes()), (Some(204_000), Some(1448)));
        assert_eq!((measured.acked_bytes(), measured.backoff()), (None, Some(0)));
    }

    #[test]
    fn of_two_looks_the_difference_is_measured() {
        let mut all = Measures::default();
        let mut before = connection(232, &[("total_retrans", 3), ("segs_out", 10)]);
        let mut now = connection(232, &[("total_retrans", 5), ("segs_out", 20)]);
        let drops = |drops| SocketMemory { drops: Some(drops), ..SocketMemory::default() };
        (before.memory, now.memory) = (Some(drops(4)), Some(drops(4)));
        before.state = State::SynSent;
        let earlier = Earlier::of(&before);
        let both = all.outline(&now, Some(&earlier));
        let new = all.outline(&now, None);
        let measured = all.of(&both);
        assert_eq!(both.was, Some(State::SynSent));
        assert_eq!(
            (measured.resent(), measured.busy_us(), measured.drops()),
            (Some(2), Some(0), Some(0))
        );
        assert_eq!(measured.recv_before(), Some(0));
        let measured = all.of(&new);
        assert_eq!(new.was, None);
        assert_eq!(
            (measured.resent(), measured.drops(), measured.recv_before()),
            (None, None, None)
        );
    }

    #[test]
    fn an_idle_connection_takes_a_few_bytes() {
        let mut all = Measures::default();
        let idle = connection(
            232,
            &[
                ("last_ack_recv", 60_000),
                ("last_data_sent", 60_000),
                ("rto", 204_000),
                ("mss", 1448),
            ],
        );
        for _ in 0..1000 {
            all.outline(&idle, Some(&Earlier::of(&idle)));
        }
        assert_eq!((all.shapes.len(), all.bytes.len()), (1, 1 + 1000 * 12));
    }
}
