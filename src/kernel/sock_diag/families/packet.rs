//! `struct packet_diag_msg` (16 bytes) to a socket.

use super::{Wanted, by_show, memory, queues_by_memory};
use crate::{
    kernel::{
        bytes::{array, u8_at, u16_ne, u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::{
        family::{
            FamilyFacts,
            packet::{Fanout, Info, Instruction, Membership, Packet, Ring},
        },
        protocol::{Family, Protocol},
        socket::Socket,
        socket_type::SocketType,
        state::State,
    },
};

// `PACKET_SHOW_*` of `linux/packet_diag.h`.
const SHOW_INFO: u32 = 1;
const SHOW_MCLIST: u32 = 1 << 1;
const SHOW_RING_CFG: u32 = 1 << 2;
const SHOW_FANOUT: u32 = 1 << 3;
const SHOW_MEMINFO: u32 = 1 << 4;
const SHOW_FILTER: u32 = 1 << 5;

// `PACKET_DIAG_*`.
const INFO: u16 = 0;
const MCLIST: u16 = 1;
const RX_RING: u16 = 2;
const TX_RING: u16 = 3;
const FANOUT: u16 = 4;
const UID: u16 = 5;
const MEMINFO: u16 = 6;
const FILTER: u16 = 7;

/// `struct packet_diag_mclist`: four numbers, 32 bytes of address.
const MEMBERSHIP: usize = 44;
/// `struct sock_filter`.
const INSTRUCTION: usize = 8;

pub(super) fn request(wanted: Wanted) -> Vec<u8> {
    let mut show = SHOW_INFO | SHOW_MEMINFO | SHOW_RING_CFG | SHOW_FANOUT;
    if wanted.details {
        show |= SHOW_MCLIST;
    }
    if wanted.filters {
        show |= SHOW_FILTER;
    }
    by_show(Family::Packet.number(), 0, show)
}

/// Decodes one answer.
pub(super) fn decode(message: &[u8], asks_for_filter: bool) -> Option<Socket> {
    let (header, rest) = message.split_first_chunk::<16>()?;
    if u8_at(header, 0)? != Family::Packet.number() {
        return None;
    }
    let kind = SocketType::from_kernel(u8_at(header, 1)?);
    // In the host's order: `ntohs(po->num)`.
    let mut packet = Packet::of(kind, u16_ne(header, 2)?);
    packet.filter = asks_for_filter.then(Vec::new);
    let inode = u32_ne(header, 4)?;
    let mut socket = Socket {
        inode: (inode != 0).then_some(inode.into()),
        cookie: Some(u64_ne(header, 8)?),
        ..Socket::new(Protocol::Packet, Family::Packet, State::Unconnected)
    };
    for (kind, value) in Attributes::new(rest) {
        match kind {
            INFO => {
                socket.interface = u32_ne(value, 0).unwrap_or(0);
                packet.info = info(value);
            }
            MCLIST => {
                packet.memberships =
                    value.chunks_exact(MEMBERSHIP).filter_map(membership).collect();
            }
            RX_RING => packet.rx_ring = ring(value),
            TX_RING => packet.tx_ring = ring(value),
            FANOUT => packet.fanout = u32_ne(value, 0).map(fanout),
            UID => socket.uid = u32_ne(value, 0),
            MEMINFO => {
                socket.memory = memory(value);
                socket.queues = socket.memory.as_ref().map_or(socket.queues, queues_by_memory);
            }
            // Empty to who lacks CAP_NET_ADMIN; left out where the socket has no classic program
            // (`sock_diag_put_filterinfo`).
            FILTER if value.is_empty() => packet.filter = None,
            FILTER => {
                packet.filter =
                    Some(value.chunks_exact(INSTRUCTION).filter_map(instruction).collect());
            }
            _ => {}
        }
    }
    socket.family_facts = Some(Box::new(FamilyFacts::Packet(packet)));
    Some(socket)
}

fn info(value: &[u8]) -> Option<Info> {
    Some(Info {
        version: u32_ne(value, 4)?,
        reserve: u32_ne(value, 8)?,
        copy_threshold: u32_ne(value, 12)?,
        timestamp: u32_ne(value, 16)?,
        flags: u32_ne(value, 20)?,
    })
}

fn ring(value: &[u8]) -> Option<Ring> {
    let word = |index: usize| u32_ne(value, index * 4);
    Some(Ring {
        block_size: word(0)?,
        block_count: word(1)?,
        frame_size: word(2)?,
        frame_count: word(3)?,
        retire_ms: word(4)?,
        private_size: word(5)?,
        features: word(6)?,
    })
}

/// The group in the low half, type and flags in the high one (`pdiag_put_fanout`).
fn fanout(word: u32) -> Fanout {
    let [a, b, c, d] = word.to_be_bytes();
    Fanout { id: u16::from_be_bytes([c, d]), mode: u16::from_be_bytes([a, b]) }
}

fn membership(value: &[u8]) -> Option<Membership> {
    let length = usize::from(u16_ne(value, 10)?).min(32);
    let address: [u8; 32] = array(value, 12)?;
    Some(Membership {
        interface: u32_ne(value, 0)?,
        count: u32_ne(value, 4)?,
        kind: u16_ne(value, 8)?,
        address: address.get(..length)?.to_vec(),
    })
}

fn instruction(value: &[u8]) -> Option<Instruction> {
    Some(Instruction {
        code: u16_ne(value, 0)?,
        yes: u8_at(value, 2)?,
        no: u8_at(value, 3)?,
        k: u32_ne(value, 4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_a_fanout_is_the_low_half() {
        let told = fanout(0x8003_002a);
        assert_eq!((told.id, told.mode, told.mode_name()), (42, 0x8003, Some("rollover")));
    }
}
