//! Sockets that end, as the kernel announces them to whoever listens: no privilege is needed
//! (`NL_CFG_F_NONROOT_RECV`).
//!
//! A message comes when a whole socket is freed (`sock_diag_broadcast_destroy`): at the start of
//! TIME_WAIT, not at its end. It has the last `tcp_info` and the cookie, state 7, no inode and no
//! user. After a reset by SO_LINGER or a connection that failed, address and peer are zero.

use super::inet;
use crate::{
    kernel::{
        error::Error,
        netlink::{
            attribute::Attributes,
            frame::{Frame, Frames},
        },
    },
    model::{protocol::Protocol, queues::Queues, socket::Socket, state::State},
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use netlink_sys::{Socket as Netlink, SocketAddr, constants::NETLINK_SOCK_DIAG};
use nix::{
    libc,
    sys::socket::{setsockopt, sockopt},
};
use std::os::fd::{AsFd, BorrowedFd};

/// `SKNLGRP_INET_TCP_DESTROY`, `…UDP_DESTROY`, and both of IPv6 (`linux/sock_diag.h`), as a mask.
const GROUPS: u32 = 0b1111;
/// `INET_DIAG_PROTOCOL`.
const PROTOCOL: u16 = 10;
/// Memory for messages that were not read yet. The kernel counts about 2 KiB for each.
const BUFFER: usize = 16 << 20;
/// Messages read at once.
const MOST: usize = 100_000;

/// An open subscription, to the sockets of the network namespace of the thread that opened it.
pub struct Destroyed {
    socket: Netlink,
    buffer: Vec<u8>,
}

impl Destroyed {
    /// Subscribes.
    pub fn subscribe() -> Result<Self, Error> {
        let subject = "socket(AF_NETLINK, NETLINK_SOCK_DIAG)";
        let failed = |error: &std::io::Error| Error::io("open", subject, error);
        let mut socket = Netlink::new(NETLINK_SOCK_DIAG).map_err(|e| failed(&e))?;
        // Beyond net.core.rmem_max as root; as much as that allows else.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
            let _ = setsockopt(&socket, sockopt::RcvBuf, &BUFFER);
        }
        socket.bind(&SocketAddr::new(0, GROUPS)).map_err(|e| {
            Error::io("subscribe to", "the multicast groups of sockets that end", &e)
        })?;
        Ok(Self { socket, buffer: vec![0; 32 * 1024] })
    }

    /// The descriptor, readable when there is something.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Hands every socket that ended to `each`, without waiting for one, and tells how often
    /// messages were lost because this program did not keep up (ENOBUFS). How many, nobody counts.
    pub fn receive(&mut self, mut each: impl FnMut(Socket)) -> Result<u64, Error> {
        let mut lost = 0;
        for _ in 0..MOST {
            let mut room = self.buffer.as_mut_slice();
            let received = match self.socket.recv(&mut room, libc::MSG_DONTWAIT) {
                Ok(received) => received,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => break,
                    Some(libc::EINTR) => continue,
                    Some(libc::ENOBUFS) => {
                        lost += 1;
                        continue;
                    }
                    _ => {
                        return Err(Error::io("read", "announcements of sockets that end", &error));
                    }
                },
            };
            let datagram = self.buffer.get(..received.min(self.buffer.len())).unwrap_or_default();
            for frame in Frames::new(datagram) {
                if let Frame::Message { kind: SOCK_DIAG_BY_FAMILY, payload } = frame
                    && let Some(socket) = decode(payload)
                {
                    each(socket);
                }
            }
        }
        Ok(lost)
    }
}

/// Decodes an announcement. `None`: cut short, or of a protocol that is not listed.
pub fn decode(payload: &[u8]) -> Option<Socket> {
    let attributes = payload.get(inet::HEADER..)?;
    let number = Attributes::new(attributes).find(|(kind, _)| *kind == PROTOCOL)?.1;
    let number = u16::from(*number.first()?);
    let protocol = Protocol::ALL.into_iter().find(|p| p.number() == Some(number))?;
    let mut socket = inet::decode(protocol, payload)?;
    // The kernel says 7 of all and fills in user 0. The queues are what was left in them; of UDP it
    // has none to tell (it says -1).
    socket.state = State::Closed;
    if protocol != Protocol::Tcp {
        socket.queues = Queues::Absent;
    }
    (socket.uid, socket.inode, socket.timer) = (None, None, None);
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::netlink::attribute;

    #[test]
    fn an_announcement_has_a_protocol_and_neither_user_nor_queue() {
        let mut payload = vec![0; inet::HEADER];
        (payload[0], payload[1]) = (2, 7);
        payload[44] = 81;
        payload[60..64].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(decode(&payload), None, "without protocol it is not known what it is");
        attribute::push(&mut payload, PROTOCOL, &[17]);
        let socket = decode(&payload).unwrap();
        assert_eq!((socket.protocol, socket.state), (Protocol::Udp, State::Closed));
        assert_eq!((socket.cookie, socket.uid, socket.queues), (Some(81), None, Queues::Absent));
        for cut in 0..payload.len() {
            let _ = decode(&payload[..cut]);
        }
    }
}
