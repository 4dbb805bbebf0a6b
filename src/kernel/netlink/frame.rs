//! Netlink messages inside a datagram. Cannot panic, whatever the bytes are.

use crate::kernel::bytes::{array, u16_ne, u32_ne};

/// `struct nlmsghdr`.
pub const HEADER: usize = 16;
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP_INTR: u16 = 0x10;

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An answer.
    Message {
        /// `nlmsg_type`.
        kind: u16,
        /// What follows the header.
        payload: &'a [u8],
    },
    /// The dump ended. Its payload is 0 or minus an errno: a dump for a protocol the kernel lacks
    /// ends with -ENOENT here and sends no error message (measured on 6.18).
    Done(i32),
    /// The request failed: minus an errno, or 0 for an acknowledgement.
    Error(i32),
    /// The datagram ends inside a message; nothing after it can be read.
    Truncated,
}

/// Walks the messages of one datagram.
#[derive(Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    interrupted: bool,
}

impl<'a> Frames<'a> {
    /// Starts at the first message.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram, interrupted: false }
    }

    /// Whether a message walked so far said that the table changed during the dump.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let header = (u32_ne(self.rest, 0), u16_ne(self.rest, 4), u16_ne(self.rest, 6));
            let (Some(length), Some(kind), Some(flags)) = header else {
                self.rest = &[];
                return Some(Frame::Truncated);
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some(payload) = self.rest.get(HEADER..length) else {
                self.rest = &[];
                return Some(Frame::Truncated);
            };
            // The last message may lack its padding.
            self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            self.interrupted |= flags & NLM_F_DUMP_INTR != 0;
            let number = || array(payload, 0).map_or(0, i32::from_ne_bytes);
            return Some(match kind {
                NLMSG_NOOP => continue,
                NLMSG_DONE => Frame::Done(number()),
                NLMSG_ERROR => Frame::Error(number()),
                kind => Frame::Message { kind, payload },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + payload.len()).unwrap();
        let mut out = length.to_ne_bytes().to_vec();
        out.extend(kind.to_ne_bytes());
        out.extend(2u16.to_ne_bytes());
        out.extend([0; 8]);
        out.extend(payload);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    #[test]
    fn the_error_hidden_in_done_is_seen() {
        let mut datagram = message(20, b"abcde");
        datagram.extend(message(NLMSG_DONE, &(-2i32).to_ne_bytes()));
        let mut frames = Frames::new(&datagram);
        assert_eq!(frames.next(), Some(Frame::Message { kind: 20, payload: b"abcde" }));
        assert_eq!(frames.next(), Some(Frame::Done(-2)));
        assert_eq!(frames.next(), None);
    }

    #[test]
    fn every_truncation_ends_the_walk() {
        let mut datagram = message(20, &[7; 40]);
        datagram.extend(message(NLMSG_ERROR, &(-1i32).to_ne_bytes()));
        for cut in 0..datagram.len() {
            assert!(Frames::new(&datagram[..cut]).count() <= 2, "{cut}");
        }
    }

    #[test]
    fn a_length_that_lies_is_a_truncation() {
        for length in [0u32, 1, 15, 5000, u32::MAX] {
            let mut datagram = message(20, &[7; 40]);
            datagram[..4].copy_from_slice(&length.to_ne_bytes());
            let frames: Vec<_> = Frames::new(&datagram).collect();
            assert_eq!(frames, [Frame::Truncated], "{length}");
        }
    }
}
