//! `AF_PACKET` sockets (`linux/packet_diag.h`, packet(7)).

use crate::model::socket_type::SocketType;
use serde::{Deserialize, Serialize};

/// What a packet socket has. Its interface is [`crate::model::socket::Socket::interface`]; 0 is
/// every interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Raw: frames with their header; dgram: without.
    pub kind: SocketType,
    /// `ETH_P_*` of the frames it takes, in the host's order; 3 (`ETH_P_ALL`) is every frame, 0 is
    /// none.
    pub protocol: u16,
    /// What it was set to. `None` from /proc.
    pub info: Option<Info>,
    /// The ring for received frames, where there is one.
    pub rx_ring: Option<Ring>,
    /// The ring for frames to send, where there is one.
    pub tx_ring: Option<Ring>,
    /// The group whose members share the frames, where it is in one.
    pub fanout: Option<Fanout>,
    /// Memberships (multicast, promiscuous), where they were asked for.
    pub memberships: Vec<Membership>,
    /// Its classic BPF program. `None`: not asked for, or hidden from this user; empty: it has no
    /// classic one.
    pub filter: Option<Vec<Instruction>>,
}

impl Packet {
    /// A socket of this type and protocol of which nothing else is known.
    pub const fn of(kind: SocketType, protocol: u16) -> Self {
        Self {
            kind,
            protocol,
            info: None,
            rx_ring: None,
            tx_ring: None,
            fanout: None,
            memberships: vec![],
            filter: None,
        }
    }
}

/// `struct packet_diag_info`, the interface apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Info {
    /// Version of the rings (`PACKET_VERSION`), from 0.
    pub version: u32,
    /// `PACKET_RESERVE`, in bytes.
    pub reserve: u32,
    /// `PACKET_COPY_THRESH`, in bytes.
    pub copy_threshold: u32,
    /// `PACKET_TIMESTAMP`.
    pub timestamp: u32,
    /// `PDI_*`: 1 running, 2 auxdata, 4 origdev, 8 vnethdr, 16 loss.
    pub flags: u32,
}

impl Info {
    /// Words of the flags that are set, in the order of their bits.
    pub fn flag_names(self) -> impl Iterator<Item = &'static str> {
        ["running", "auxdata", "origdev", "vnethdr", "loss"]
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.flags & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}

/// `struct packet_diag_ring`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ring {
    /// Bytes of a block.
    pub block_size: u32,
    /// Blocks.
    pub block_count: u32,
    /// Bytes of a frame.
    pub frame_size: u32,
    /// Frames.
    pub frame_count: u32,
    /// Time after which an unfilled block is handed over, in milliseconds (version 3).
    pub retire_ms: u32,
    /// Bytes of private data of each block (version 3).
    pub private_size: u32,
    /// `TP_FT_REQ_*` (version 3).
    pub features: u32,
}

/// `PACKET_FANOUT`: the group and how frames are dealt to its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fanout {
    /// The group.
    pub id: u16,
    /// `PACKET_FANOUT_*` with its flags in the high byte.
    pub mode: u16,
}

impl Fanout {
    /// The word of the mode (`linux/if_packet.h`); `None` for one this build does not know.
    pub const fn mode_name(self) -> Option<&'static str> {
        Some(match self.mode & 0xff {
            0 => "hash",
            1 => "lb",
            2 => "cpu",
            3 => "rollover",
            4 => "random",
            5 => "qm",
            6 => "cbpf",
            7 => "ebpf",
            _ => return None,
        })
    }
}

/// `struct packet_diag_mclist`: an `PACKET_ADD_MEMBERSHIP`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Interface.
    pub interface: u32,
    /// How often it was added.
    pub count: u32,
    /// `PACKET_MR_*`: 0 multicast, 1 promiscuous, 2 all multicast, 3 unicast.
    pub kind: u16,
    /// Its link-layer address; empty for promiscuous and all multicast.
    pub address: Vec<u8>,
}

impl Membership {
    /// The word of its kind.
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            0 => "multicast",
            1 => "promiscuous",
            2 => "allmulti",
            3 => "unicast",
            _ => "unknown",
        }
    }
}

/// `struct sock_filter`: an instruction of classic BPF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip if a test holds.
    pub yes: u8,
    /// Instructions to skip if not.
    pub no: u8,
    /// Its number.
    pub k: u32,
}
