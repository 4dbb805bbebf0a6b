//! `AF_VSOCK` sockets (`linux/vm_sockets_diag.h`, vsock(7)).

use crate::model::socket_type::SocketType;
use serde::{Deserialize, Serialize};

/// `VMADDR_CID_ANY`, `VMADDR_PORT_ANY`: the wildcard.
pub const ANY: u32 = u32::MAX;

/// What a vsock socket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vsock {
    /// Stream, dgram or seqpacket.
    pub kind: SocketType,
    /// This end.
    pub local: VsockAddress,
    /// The other end; [`ANY`] is none.
    pub peer: VsockAddress,
}

/// One end: 32 bits for the machine, 32 for the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VsockAddress {
    /// Context id: 0 hypervisor, 1 this machine, 2 host, from 3 on virtual machines.
    pub cid: u32,
    /// Port.
    pub port: u32,
}

impl VsockAddress {
    /// Whether it is no address: neither machine nor port.
    pub const fn is_nothing(self) -> bool {
        self.cid == ANY && self.port == ANY
    }
}
