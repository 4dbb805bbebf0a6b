//! `AF_TIPC` sockets (`linux/tipc_netlink.h`, `linux/tipc_sockets_diag.h`).

use crate::model::socket_type::SocketType;
use serde::{Deserialize, Serialize};

/// What a TIPC socket has. Numbers are those of the host's byte order, as TIPC writes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tipc {
    /// Stream, dgram, rdm or seqpacket.
    pub kind: Option<SocketType>,
    /// Address of this node.
    pub node: u32,
    /// The port, which TIPC calls reference.
    pub reference: u32,
    /// The connection, where there is one.
    pub connection: Option<Connection>,
    /// Whether a name is published for it.
    pub has_publication: bool,
    /// Messages the process has not read.
    pub recv_messages: Option<u32>,
    /// Messages that were not sent yet.
    pub send_messages: Option<u32>,
    /// Messages dropped.
    pub drops: Option<u32>,
    /// Whether it waits for a congested link.
    pub link_congested: bool,
    /// Whether it waits for its peer.
    pub connection_congested: bool,
}

/// A connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Connection {
    /// Node of the other end.
    pub node: u32,
    /// Port of the other end.
    pub port: u32,
    /// Type and instance of the name over which it was made, where it was.
    pub via: Option<(u32, u32)>,
}
