//! `struct xdp_diag_msg` (16 bytes) to a socket.

use super::{by_show, memory, queues_by_memory};
use crate::{
    kernel::{
        bytes::{u8_at, u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::{
        family::{
            FamilyFacts,
            xdp::{Statistics, Umem, Xdp},
        },
        protocol::{Family, Protocol},
        socket::Socket,
        state::State,
    },
};

/// `XDP_SHOW_*`: interface, rings, memory for frames, memory, counters.
const SHOW: u32 = 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4;

// `XDP_DIAG_*`.
const INFO: u16 = 1;
const UID: u16 = 2;
const RX_RING: u16 = 3;
const TX_RING: u16 = 4;
const UMEM: u16 = 5;
const FILL_RING: u16 = 6;
const COMPLETION_RING: u16 = 7;
const MEMINFO: u16 = 8;
const STATS: u16 = 9;

pub(super) fn request() -> Vec<u8> {
    by_show(Family::Xdp.number(), 0, SHOW)
}

/// Decodes one answer.
pub(super) fn decode(message: &[u8]) -> Option<Socket> {
    let (header, rest) = message.split_first_chunk::<16>()?;
    if u8_at(header, 0)? != Family::Xdp.number() {
        return None;
    }
    let mut xdp = Xdp::default();
    let inode = u32_ne(header, 4)?;
    let mut socket = Socket {
        inode: (inode != 0).then_some(inode.into()),
        cookie: Some(u64_ne(header, 8)?),
        ..Socket::new(Protocol::Xdp, Family::Xdp, State::Unconnected)
    };
    for (kind, value) in Attributes::new(rest) {
        let entries = || u32_ne(value, 0);
        match kind {
            INFO => {
                socket.interface = u32_ne(value, 0).unwrap_or(0);
                xdp.queue_id = u32_ne(value, 4);
            }
            UID => socket.uid = u32_ne(value, 0),
            RX_RING => xdp.rx_entries = entries(),
            TX_RING => xdp.tx_entries = entries(),
            UMEM => xdp.umem = umem(value),
            FILL_RING => xdp.fill_entries = entries(),
            COMPLETION_RING => xdp.completion_entries = entries(),
            MEMINFO => {
                socket.memory = memory(value);
                socket.queues = socket.memory.as_ref().map_or(socket.queues, queues_by_memory);
            }
            STATS => xdp.statistics = statistics(value),
            _ => {}
        }
    }
    socket.family_facts = Some(Box::new(FamilyFacts::Xdp(xdp)));
    Some(socket)
}

fn umem(value: &[u8]) -> Option<Umem> {
    Some(Umem {
        size: u64_ne(value, 0)?,
        id: u32_ne(value, 8)?,
        pages: u32_ne(value, 12)?,
        chunk_size: u32_ne(value, 16)?,
        headroom: u32_ne(value, 20)?,
        interface: u32_ne(value, 24)?,
        queue_id: u32_ne(value, 28)?,
        flags: u32_ne(value, 32)?,
        references: u32_ne(value, 36)?,
    })
}

fn statistics(value: &[u8]) -> Option<Statistics> {
    let word = |index: usize| u64_ne(value, index * 8);
    Some(Statistics {
        rx_dropped: word(0)?,
        rx_invalid: word(1)?,
        rx_full: word(2)?,
        fill_ring_empty: word(3)?,
        tx_invalid: word(4)?,
        tx_ring_empty: word(5)?,
    })
}
