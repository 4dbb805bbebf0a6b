//! What is known of a socket beyond what an internet socket has, by family.
//!
//! It stands behind one pointer of [`super::socket::Socket`]: TCP and UDP sockets come by the
//! million and have none of it.

pub mod ethertype;
pub mod mptcp;
pub mod netlink;
pub mod packet;
pub mod sctp;
pub mod tipc;
pub mod unix;
pub mod vsock;
pub mod xdp;

use super::socket_type::SocketType;
use mptcp::Mptcp;
use netlink::Netlink;
use packet::Packet;
use sctp::Sctp;
use serde::{Deserialize, Serialize};
use tipc::Tipc;
use unix::Unix;
use vsock::Vsock;
use xdp::Xdp;

/// The facts only some family has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyFacts {
    /// `AF_UNIX`.
    Unix(Unix),
    /// `AF_PACKET`.
    Packet(Packet),
    /// `AF_NETLINK`.
    Netlink(Netlink),
    /// `AF_VSOCK`.
    Vsock(Vsock),
    /// `AF_XDP`.
    Xdp(Xdp),
    /// `AF_TIPC`.
    Tipc(Tipc),
    /// Multipath TCP.
    Mptcp(Mptcp),
    /// SCTP.
    Sctp(Sctp),
}

impl FamilyFacts {
    /// The socket's type, where the family has several.
    pub fn socket_type(&self) -> Option<SocketType> {
        match self {
            Self::Unix(unix) => Some(unix.kind),
            Self::Packet(packet) => Some(packet.kind),
            Self::Netlink(netlink) => netlink.kind,
            Self::Vsock(vsock) => Some(vsock.kind),
            Self::Tipc(tipc) => tipc.kind,
            Self::Xdp(_) | Self::Mptcp(_) | Self::Sctp(_) => None,
        }
    }
}
