//! `AF_XDP` sockets (`linux/xdp_diag.h`). The interface is
//! [`crate::model::socket::Socket::interface`].

use serde::{Deserialize, Serialize};

/// What an XDP socket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Xdp {
    /// Queue of the interface.
    pub queue_id: Option<u32>,
    /// Entries of the ring for received frames.
    pub rx_entries: Option<u32>,
    /// Entries of the ring for frames to send.
    pub tx_entries: Option<u32>,
    /// Its memory for frames, shared or its own.
    pub umem: Option<Umem>,
    /// Entries of the ring of free frames.
    pub fill_entries: Option<u32>,
    /// Entries of the ring of sent frames.
    pub completion_entries: Option<u32>,
    /// Counters. `None` before kernel 5.9.
    pub statistics: Option<Statistics>,
}

/// `struct xdp_diag_umem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Umem {
    /// Bytes.
    pub size: u64,
    /// Number of the memory.
    pub id: u32,
    /// Pages.
    pub pages: u32,
    /// Bytes of a chunk.
    pub chunk_size: u32,
    /// Bytes left free before a frame.
    pub headroom: u32,
    /// Interface.
    pub interface: u32,
    /// Queue.
    pub queue_id: u32,
    /// `XDP_DU_F_*`: 1 zero copy.
    pub flags: u32,
    /// How many sockets use it.
    pub references: u32,
}

/// `struct xdp_diag_stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Frames dropped.
    pub rx_dropped: u64,
    /// Invalid descriptors in the fill ring.
    pub rx_invalid: u64,
    /// Frames lost to a full receive ring.
    pub rx_full: u64,
    /// Frames lost to an empty fill ring.
    pub fill_ring_empty: u64,
    /// Invalid descriptors in the send ring.
    pub tx_invalid: u64,
    /// How often the send ring was found empty.
    pub tx_ring_empty: u64,
}
