//! `struct vsock_diag_msg` (32 bytes) to a socket.

use super::by_states;
use crate::{
    kernel::bytes::{u8_at, u32_ne, u64_ne},
    model::{
        family::{
            FamilyFacts,
            vsock::{Vsock, VsockAddress},
        },
        protocol::{Family, Protocol},
        socket::Socket,
        socket_type::SocketType,
        state::{State, StateSet},
    },
};

pub(super) fn request(states: StateSet) -> Vec<u8> {
    by_states(Family::Vsock.number(), states, 0)
}

/// Decodes one answer. It has no attributes, and tells of no queue.
pub(super) fn decode(message: &[u8]) -> Option<Socket> {
    let (header, _) = message.split_first_chunk::<32>()?;
    if u8_at(header, 0)? != Family::Vsock.number() {
        return None;
    }
    let address =
        |at| Some(VsockAddress { cid: u32_ne(header, at)?, port: u32_ne(header, at + 4)? });
    let inode = u32_ne(header, 20)?;
    let vsock = Vsock {
        kind: SocketType::from_kernel(u8_at(header, 1)?),
        local: address(4)?,
        peer: address(12)?,
    };
    Some(Socket {
        inode: (inode != 0).then_some(inode.into()),
        cookie: Some(u64_ne(header, 24)?),
        shutdown: u8_at(header, 3),
        family_facts: Some(Box::new(FamilyFacts::Vsock(vsock))),
        ..Socket::new(
            Protocol::Vsock,
            Family::Vsock,
            State::from_kernel(Protocol::Vsock, u8_at(header, 2)?),
        )
    })
}
