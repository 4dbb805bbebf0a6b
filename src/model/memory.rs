//! Kernel memory of a socket.

use serde::{Deserialize, Serialize};

/// `INET_DIAG_SKMEMINFO`, nine 32-bit counts (`SK_MEMINFO_*` in `linux/sock_diag.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SocketMemory {
    /// Bytes of the receive queue, with their overhead.
    pub rmem_alloc_bytes: u32,
    /// Limit of the receive queue (`SO_RCVBUF`), in bytes.
    pub rcvbuf_bytes: u32,
    /// Bytes handed to the device or the lower layer for sending.
    pub wmem_alloc_bytes: u32,
    /// Limit of the send queue (`SO_SNDBUF`), in bytes.
    pub sndbuf_bytes: u32,
    /// Bytes reserved in advance for the socket and not used yet.
    pub fwd_alloc_bytes: u32,
    /// Bytes queued for sending, unacknowledged ones included.
    pub wmem_queued_bytes: u32,
    /// Bytes of socket options and filters.
    pub optmem_bytes: u32,
    /// Bytes parked because a process holds the socket's lock. `None`: kernel before 3.x.
    pub lock_backlog_bytes: Option<u32>,
    /// Packets dropped by this socket; for a listener: SYNs refused by a full queue.
    /// `None`: kernel before 4.9.
    pub drops: Option<u32>,
}
