//! `struct inet_diag_msg` (72 bytes, `linux/inet_diag.h`) to a socket.
//!
//! Decoded in place from the receive buffer, by our own code: netlink-packet-sock-diag drops the
//! time left of TIME_WAIT and the retransmit counts of other timers, refuses the legacy message
//! type and shorter `tcp_info`, and allocates for every row. In the tests it is the oracle.

use super::{associations, attributes};
use crate::{
    kernel::bytes::{array, u8_at, u16_be, u32_ne, u64_ne},
    model::{
        endpoint::Endpoint,
        netns::NetnsIndex,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
        timer::{Timer, TimerKind},
    },
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of the fixed part.
pub const HEADER: usize = 72;

/// Decodes one answer. `None`: cut short, or not an internet socket.
pub fn decode(protocol: Protocol, message: &[u8]) -> Option<Socket> {
    let mut socket = Socket::new(protocol, Family::Ipv4, State::Closed);
    decode_into(&mut socket, message, true).then_some(socket)
}

/// The same over a socket of the same protocol that was decoded before: rows come by the million, and
/// moving each twice takes as long as reading it (callgrind). `attributes`: whether to read them,
/// for this one and for all that came before. False: the socket is not to be used.
pub fn decode_into(socket: &mut Socket, message: &[u8], attributes: bool) -> bool {
    let Some((header, rest)) = message.split_first_chunk::<HEADER>() else { return false };
    if decode_header(socket, header).is_none() {
        return false;
    }
    if attributes {
        attributes::decode(rest, socket);
        if socket.protocol == Protocol::Sctp {
            associations::learn_state(socket, header[1]);
        }
    }
    true
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
