//! `struct netlink_diag_msg` (28 bytes) to a socket.

use super::{by_show, memory, queues_by_memory};
use crate::{
    kernel::{
        bytes::{u8_at, u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::{
        family::{FamilyFacts, netlink::Netlink},
        protocol::{Family, Protocol},
        socket::Socket,
        socket_type::SocketType,
        state::State,
    },
};

/// `NDIAG_PROTO_ALL`.
const EVERY_PROTOCOL: u8 = 255;
/// `NDIAG_SHOW_*`: memory, groups, flags. Not the ring, which kernel 4.6 removed.
const SHOW: u32 = 1 | 1 << 1 | 1 << 3;

// `NETLINK_DIAG_*`.
const MEMINFO: u16 = 0;
const GROUPS: u16 = 1;
const FLAGS: u16 = 4;

pub(super) fn request() -> Vec<u8> {
    by_show(Family::Netlink.number(), EVERY_PROTOCOL, SHOW)
}

/// Decodes one answer.
///
/// `ndiag_state` says whether `connect(2)` fixed the other end. Every tool shows netlink sockets
/// without a state: the other end says it.
pub(super) fn decode(message: &[u8]) -> Option<Socket> {
    let (header, rest) = message.split_first_chunk::<28>()?;
    if u8_at(header, 0)? != Family::Netlink.number() {
        return None;
    }
    let connected = u8_at(header, 3)? == 1;
    let mut netlink = Netlink {
        kind: Some(SocketType::from_kernel(u8_at(header, 1)?)),
        peer_port_id: connected.then_some(u32_ne(header, 8)?),
        peer_group: connected.then_some(u32_ne(header, 12)?),
        connected: Some(connected),
        ..Netlink::of(u8_at(header, 2)?, u32_ne(header, 4)?)
    };
    let inode = u32_ne(header, 16)?;
    let mut socket = Socket {
        inode: (inode != 0).then_some(inode.into()),
        cookie: Some(u64_ne(header, 20)?),
        ..Socket::new(Protocol::Netlink, Family::Netlink, State::Unconnected)
    };
    for (kind, value) in Attributes::new(rest) {
        match kind {
            MEMINFO => {
                socket.memory = memory(value);
                socket.queues = socket.memory.as_ref().map_or(socket.queues, queues_by_memory);
            }
            GROUPS => netlink.groups = groups(value),
            FLAGS => netlink.flags = u32_ne(value, 0),
            _ => {}
        }
    }
    socket.family_facts = Some(Box::new(FamilyFacts::Netlink(netlink)));
    Some(socket)
}

/// A bitmap of the kernel's `unsigned long`s: group 1 is the lowest bit of the first.
fn groups(value: &[u8]) -> Vec<u32> {
    let words = value.chunks_exact(8).filter_map(|word| u64_ne(word, 0));
    let mut groups: Vec<u32> = if value.len().is_multiple_of(8) {
        words
            .flat_map(|word| [word & u64::from(u32::MAX), word >> 32])
            .filter_map(|half| u32::try_from(half).ok())
            .collect()
    } else {
        // A 32-bit kernel.
        value.chunks_exact(4).filter_map(|word| u32_ne(word, 0)).collect()
    };
    while groups.pop_if(|word| *word == 0).is_some() {}
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_in_words_of_32() {
        let value = [1u64 | 1 << 33, 0].map(u64::to_ne_bytes).concat();
        assert_eq!(groups(&value), [1, 2]);
        assert_eq!(groups(&7u32.to_ne_bytes()), [7]);
        assert_eq!(groups(&[]), [0u32; 0]);
    }
}
