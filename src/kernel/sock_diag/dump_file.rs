//! Raw dumps: the netlink messages of a dump one after the other, as `ss -D FILE` writes them and
//! reads them back from `TCPDIAG_FILE`. No header, the byte order of the machine, TCP alone.
//!
//! ss stops reading at the first NLMSG_DONE, so that of a dump it wrote itself it shows IPv4 alone.
//! Here a file is read to its end, and one is written with both families before a single DONE,
//! which ss reads whole.

use super::{inet, request::TCPDIAG_GETSOCK};
use crate::{
    kernel::{
        bytes::{array, u16_ne, u32_ne},
        error::Cause,
        netlink::frame::HEADER,
    },
    model::{protocol::Protocol, socket::Socket},
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use nix::errno::Errno;
use std::io::{self, BufRead, BufReader, Read, Write};

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_MULTI`: one of several messages.
const NLM_F_MULTI: u16 = 2;
/// The sequence number ss numbers its requests with.
const SEQUENCE: u32 = 123_456;
/// The shortest message: a header.
const SHORTEST: u32 = 16;
/// The longest message that is read. The kernel's are below 32 KiB.
const LONGEST: u32 = 1 << 20;

const AGAIN: &str =
    "record it again: `sockeye -ta -D FILE`, `ss -ta -D FILE` or `sockeye snapshot -o FILE`";

/// Writes a dump.
pub struct Writer<W> {
    to: W,
}

impl<W: Write> Writer<W> {
    /// Writes to `to`, which should be buffered.
    pub fn new(to: W) -> Self {
        Self { to }
    }

    /// One answer of the kernel, as it came.
    pub fn message(&mut self, kind: u16, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(HEADER + payload.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_ne_bytes())?;
        self.to.write_all(&kind.to_ne_bytes())?;
        self.to.write_all(&NLM_F_MULTI.to_ne_bytes())?;
        self.to.write_all(&SEQUENCE.to_ne_bytes())?;
        self.to.write_all(&0u32.to_ne_bytes())?;
        self.to.write_all(payload)?;
        let padding = payload.len().next_multiple_of(4) - payload.len();
        self.to.write_all([0; 4].get(..padding).unwrap_or_default())
    }

    /// The end mark, without which a dump counts as cut short.
    pub fn finish(mut self) -> io::Result<W> {
        self.message(NLMSG_DONE, &0u32.to_ne_bytes())?;
        self.to.flush()?;
        Ok(self.to)
    }
}

/// Whether a file that begins so is a dump, of this machine's byte order or the other.
pub fn is_dump(start: &[u8]) -> bool {
    kind_of(start).is_some()
}

/// Whether the byte order is the other one.
fn kind_of(start: &[u8]) -> Option<ByteOrder> {
    let (length, kind) = (u32_ne(start, 0)?, u16_ne(start, 4)?);
    let is_message = |length: u32, kind: u16| {
        let known = [NLMSG_ERROR, NLMSG_DONE, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK];
        (SHORTEST..=LONGEST).contains(&length) && known.contains(&kind)
    };
    if is_message(length, kind) {
        Some(ByteOrder::Own)
    } else if is_message(length.swap_bytes(), kind.swap_bytes()) {
        Some(ByteOrder::Other)
    } else {
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Own,
    Other,
}

/// Reads a dump to its end and hands every socket to `each`.
///
/// Refused, with the place in bytes: a message that is cut, lies about its length, or is no answer
/// about an internet socket; an error of the kernel's; an end without DONE.
pub fn decode(from: impl Read, mut each: impl FnMut(Socket)) -> Result<(), Cause> {
    let mut messages = Messages { from: BufReader::new(from), at: 0, payload: vec![] };
    let mut is_ended = false;
    while let Some((at, kind)) = messages.next()? {
        let payload = messages.payload.as_slice();
        is_ended = false;
        match kind {
            NLMSG_NOOP => {}
            NLMSG_DONE | NLMSG_ERROR => match array(payload, 0).map_or(0, i32::from_ne_bytes) {
                0 => is_ended = true,
                code => {
                    let errno = Errno::from_raw(code.checked_neg().unwrap_or(0));
                    return Err(wrong(at, &format!("the kernel answered {errno:?}")));
                }
            },
            SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => match inet::decode(Protocol::Tcp, payload) {
                Some(socket) => each(socket),
                None => return Err(wrong(at, "this is no answer about a TCP socket")),
            },
            kind => return Err(wrong(at, &format!("messages of type {kind} are not known"))),
        }
    }
    if is_ended {
        Ok(())
    } else {
        let why = format!("it is cut short: it ends at byte {} without its end mark", messages.at);
        Err(Cause::File { why, hint: AGAIN })
    }
}

fn wrong(at: u64, why: &str) -> Cause {
    Cause::File { why: format!("it is no dump of TCP sockets: at byte {at}: {why}"), hint: AGAIN }
}

struct Messages<R> {
    from: BufReader<R>,
    /// Bytes read.
    at: u64,
    payload: Vec<u8>,
}

impl<R: Read> Messages<R> {
    /// Where the next message begins, and its type; its content is in `payload`.
    fn next(&mut self) -> Result<Option<(u64, u16)>, Cause> {
        let start = self.at;
        if self.from.fill_buf().map_err(|e| Cause::from_io(&e))?.is_empty() {
            return Ok(None);
        }
        let mut header = [0; HEADER];
        self.fill(&mut header, start)?;
        let length = u32_ne(&header, 0).unwrap_or_default();
        let kind = u16_ne(&header, 4).unwrap_or_default();
        match kind_of(&header) {
            Some(ByteOrder::Other) => {
                return Err(Cause::File {
                    why: "it was recorded on a machine of the other byte order".to_owned(),
                    hint: "read it on a machine like the one that recorded it",
                });
            }
            None if !(SHORTEST..=LONGEST).contains(&length) => {
                return Err(wrong(start, &format!("a message cannot have {length} bytes")));
            }
            _ => {}
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(length as usize - HEADER, 0);
        self.fill(&mut payload, start)?;
        let padding = payload.len().next_multiple_of(4) - payload.len();
        self.payload = payload;
        // The last message may lack its padding.
        let mut rest = [0; 4];
        let read = self.from.read(rest.get_mut(..padding).unwrap_or_default());
        self.at += read.map_err(|e| Cause::from_io(&e))? as u64;
        Ok(Some((start, kind)))
    }

    fn fill(&mut self, bytes: &mut [u8], start: u64) -> Result<(), Cause> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest) {
                Ok(0) => {
                    let why = format!(
                        "it is cut short: the message at byte {start} ends at byte {}",
                        self.at
                    );
                    return Err(Cause::File { why, hint: AGAIN });
                }
                Ok(read) => {
                    filled += read;
                    self.at += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Cause::from_io(&error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A LISTEN socket on 127.0.0.1:80 as the fixed part of an answer, in either family.
    fn answer(family: u8) -> Vec<u8> {
        let mut payload = vec![0; inet::HEADER];
        (payload[0], payload[1], payload[5]) = (family, 10, 80);
        (payload[8], payload[11]) = (127, 1);
        payload[44] = 7;
        payload
    }

    fn dump(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut writer = Writer::new(vec![]);
        for payload in payloads {
            writer.message(SOCK_DIAG_BY_FAMILY, payload).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<usize, String> {
        let mut sockets = 0;
        let read = decode(bytes, |_| sockets += 1);
        read.map(|()| sockets).map_err(|cause| cause.to_string())
    }

    #[test]
    fn a_second_family_behind_the_first_end_mark_is_read_too() {
        let one = dump(&[answer(2), answer(2)]);
        let both = [one.clone(), dump(&[answer(10)])].concat();
        assert!(is_dump(&one));
        assert_eq!(read(&one), Ok(2));
        assert_eq!(read(&both), Ok(3));
    }

    #[test]
    fn a_cut_is_told_with_its_place() {
        let whole = dump(&[answer(2), answer(10)]);
        for cut in 1..whole.len() {
            let why = read(&whole[..cut]).unwrap_err();
            assert!(why.contains("cut short") && why.contains(&format!("byte {cut}")), "{why}");
        }
        // Between two messages nothing looks cut, and yet the end mark is missing.
        assert!(read(&whole[..88]).unwrap_err().contains("ends at byte 88 without its end mark"));
        assert!(read(&[]).is_err());
    }

    #[test]
    fn what_is_no_dump_is_told_with_its_place() {
        let whole = dump(&[answer(2), answer(10)]);
        for (at, byte, why) in [
            (88, 3, "at byte 88: a message cannot have 3 bytes"),
            (91, 0xff, "at byte 88: a message cannot have"),
            (92, 77, "at byte 88: messages of type 77"),
            (104, 1, "at byte 88: this is no answer about a TCP socket"),
        ] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let said = read(&bytes).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let mut failed = Writer::new(vec![]);
        failed.message(NLMSG_ERROR, &(-1i32).to_ne_bytes()).unwrap();
        assert!(read(&failed.finish().unwrap()).unwrap_err().contains("answered EPERM"));
        let mut other: Vec<u8> = 96u32.swap_bytes().to_ne_bytes().to_vec();
        other.extend(20u16.swap_bytes().to_ne_bytes());
        other.extend([0; 90]);
        assert!(is_dump(&other));
        assert!(read(&other).unwrap_err().contains("byte order"));
        assert!(!is_dump(b"\x1f\x8b\x08\0\0\0\0\0") && !is_dump(b"State Recv-Q"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_and_nothing_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            patch in prop::collection::vec((0usize..300, any::<u8>()), 0..6),
        ) {
            let _ = read(&bytes);
            let mut whole = dump(&[answer(2), answer(10), answer(2)]);
            for (at, byte) in patch {
                if let Some(place) = whole.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = read(&whole);
        }
    }
}
