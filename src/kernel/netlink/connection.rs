//! One connection to `NETLINK_SOCK_DIAG`.

use super::frame::{Frame, Frames};
use crate::kernel::error::{Cause, Error};
use netlink_sys::{Socket, SocketAddr, constants::NETLINK_SOCK_DIAG};
use nix::{
    errno::Errno,
    libc,
    sys::{
        socket::{setsockopt, sockopt},
        time::TimeVal,
    },
};
use std::time::Duration;

/// The kernel caps a dump datagram at 32 KiB whatever the buffer (measured on 6.18); twice that
/// leaves room for kernels that do not, and larger buffers gain nothing.
const BUFFER: usize = 64 * 1024;
/// How long one answer may take. A dump is made in pieces of 32 KiB, each in well under a second.
const PATIENCE: Duration = Duration::from_secs(10);
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;

/// An open connection. Its network namespace is that of the thread that opened it.
pub struct Connection {
    // netlink-sys derives Clone beside a closing Drop: never cloned here.
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
}

/// What a dump said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DumpEnd {
    /// The kernel said that the table changed while it was dumped.
    pub interrupted: bool,
    /// Messages that were cut, so that rows may be missing.
    pub truncated: u32,
}

/// What the caller wants after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next message.
    More,
    /// Nothing more: the rest of the dump is not read.
    Stop,
}

impl Connection {
    /// Opens a connection in the calling thread's network namespace.
    pub fn open() -> Result<Self, Error> {
        let subject = "socket(AF_NETLINK, NETLINK_SOCK_DIAG)";
        let socket = Socket::new(NETLINK_SOCK_DIAG).map_err(|e| Error::io("open", subject, &e))?;
        let seconds = i64::try_from(PATIENCE.as_secs()).unwrap_or(10);
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(seconds, 0))
            .map_err(|e| Error::errno("set a timeout on", subject, e))?;
        Ok(Self { socket, buffer: Vec::with_capacity(BUFFER), sequence: 0 })
    }

    /// Sends a dump request and hands every message to `each` as (type, payload); a datagram's
    /// beginning is told by `datagram`.
    ///
    /// `what` names the request in errors (`TCP sockets`).
    pub fn dump(
        &mut self,
        what: &str,
        kind: u16,
        request: &[u8],
        mut each: impl FnMut(Piece<'_>) -> Next,
    ) -> Result<DumpEnd, Error> {
        self.send(what, kind, NLM_F_REQUEST | NLM_F_DUMP, request)?;
        let mut end = DumpEnd::default();
        loop {
            let received = self.receive(what)?;
            let datagram = self.buffer.get(..received.min(self.buffer.len())).unwrap_or_default();
            // With MSG_TRUNC the length is that of the whole datagram, not of what fitted.
            end.truncated += u32::from(received > self.buffer.len());
            // An answer to an earlier, abandoned request.
            if crate::kernel::bytes::u32_ne(datagram, 8) != Some(self.sequence) {
                continue;
            }
            if each(Piece::Datagram) == Next::Stop {
                return Ok(end);
            }
            let mut frames = Frames::new(datagram);
            while let Some(frame) = frames.next() {
                match frame {
                    Frame::Message { kind, payload } => {
                        if each(Piece::Message { kind, payload }) == Next::Stop {
                            return Ok(end);
                        }
                    }
                    Frame::Truncated => end.truncated += 1,
                    Frame::Done(0) => {
                        end.interrupted |= frames.was_interrupted();
                        return Ok(end);
                    }
                    Frame::Done(code) | Frame::Error(code) => {
                        let errno = Errno::from_raw(code.checked_neg().unwrap_or(0));
                        return Err(Error::errno("ask the kernel for", what, errno));
                    }
                }
            }
            end.interrupted |= frames.was_interrupted();
        }
    }

    /// Sends a request about one thing. The answer's message goes to `each`, if there is one: a
    /// request to do something is only acknowledged.
    ///
    /// `attempted` and `what` name the request in errors (`close`, `a TCP socket`); the errno of a
    /// refusal is in the error.
    pub fn ask(
        &mut self,
        attempted: &'static str,
        what: &str,
        kind: u16,
        request: &[u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        self.send(what, kind, NLM_F_REQUEST | NLM_F_ACK, request)?;
        loop {
            let received = self.receive(what)?;
            let datagram = self.buffer.get(..received.min(self.buffer.len())).unwrap_or_default();
            if crate::kernel::bytes::u32_ne(datagram, 8) != Some(self.sequence) {
                continue;
            }
            for frame in Frames::new(datagram) {
                match frame {
                    Frame::Message { payload, .. } => each(payload),
                    Frame::Error(0) | Frame::Done(0) => return Ok(()),
                    Frame::Error(code) | Frame::Done(code) => {
                        let errno = Errno::from_raw(code.checked_neg().unwrap_or(0));
                        return Err(Error::errno(attempted, what, errno));
                    }
                    Frame::Truncated => {
                        return Err(Error {
                            attempted,
                            subject: what.to_owned(),
                            cause: Cause::Malformed("the kernel's answer is cut"),
                        });
                    }
                }
            }
        }
    }

    /// Sends requests with one answer each together, and hands the answers to `each` in their order:
    /// `Err` where the kernel answers with an error.
    ///
    /// The kernel answers all of them before sending returns (`netlink_rcv_skb`): as many as there is
    /// room for in the receive buffer, a hundred small ones with the default of 208 KiB.
    pub fn ask_each<'r>(
        &mut self,
        what: &str,
        kind: u16,
        requests: impl IntoIterator<Item = &'r [u8]>,
        mut each: impl FnMut(usize, Result<&[u8], Errno>),
    ) -> Result<(), Error> {
        let before = self.sequence;
        let mut messages = vec![];
        for request in requests {
            self.append(&mut messages, kind, NLM_F_REQUEST, request);
        }
        self.send_all(what, &messages)?;
        let asked = self.sequence.wrapping_sub(before);
        let mut answered = 0;
        while answered < asked {
            let received = self.receive(what)?;
            let datagram = self.buffer.get(..received.min(self.buffer.len())).unwrap_or_default();
            let sequence = crate::kernel::bytes::u32_ne(datagram, 8).unwrap_or(before);
            // An answer to an earlier, abandoned request.
            if sequence.wrapping_sub(before).wrapping_sub(1) != answered {
                continue;
            }
            let answer = match Frames::new(datagram).next() {
                Some(Frame::Message { payload, .. }) => Ok(payload),
                Some(Frame::Error(code) | Frame::Done(code)) => {
                    Err(Errno::from_raw(code.checked_neg().unwrap_or(0)))
                }
                Some(Frame::Truncated) | None => Err(Errno::EBADMSG),
            };
            each(answered as usize, answer);
            answered += 1;
        }
        Ok(())
    }

    fn send(&mut self, what: &str, kind: u16, flags: u16, request: &[u8]) -> Result<(), Error> {
        let mut message = Vec::with_capacity(128);
        self.append(&mut message, kind, flags, request);
        self.send_all(what, &message)
    }

    /// Appends a message with the next sequence number.
    fn append(&mut self, messages: &mut Vec<u8>, kind: u16, flags: u16, request: &[u8]) {
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::try_from(super::frame::HEADER + request.len()).unwrap_or(u32::MAX);
        messages.extend(length.to_ne_bytes());
        messages.extend(kind.to_ne_bytes());
        messages.extend(flags.to_ne_bytes());
        messages.extend(self.sequence.to_ne_bytes());
        messages.extend(0u32.to_ne_bytes());
        messages.extend(request);
        // NLMSG_ALIGN: the next one begins at a multiple of four.
        messages.resize(messages.len().next_multiple_of(4), 0);
    }

    fn send_all(&mut self, what: &str, messages: &[u8]) -> Result<(), Error> {
        self.socket
            .send_to(messages, &SocketAddr::new(0, 0), 0)
            .map_err(|e| Error::io("ask the kernel for", what, &e))?;
        Ok(())
    }

    fn receive(&mut self, what: &str) -> Result<usize, Error> {
        loop {
            self.buffer.clear();
            match self.socket.recv(&mut self.buffer, libc::MSG_TRUNC) {
                Ok(length) => return Ok(length),
                Err(e) if e.raw_os_error() == Some(libc::EINTR) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    return Err(Error {
                        attempted: "ask the kernel for",
                        subject: what.to_owned(),
                        cause: Cause::Silence(PATIENCE.as_secs()),
                    });
                }
                Err(e) => return Err(Error::io("read the kernel's answer about", what, &e)),
            }
        }
    }
}

/// What a dump hands on.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A new datagram begins.
    Datagram,
    /// A message of it.
    Message {
        /// `nlmsg_type`.
        kind: u16,
        /// What follows the header.
        payload: &'a [u8],
    },
}
