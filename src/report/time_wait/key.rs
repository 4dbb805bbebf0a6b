//! What TIME_WAIT sockets of one group have in common.

use crate::model::endpoint::Endpoint;
use serde::Serialize;
use std::net::IpAddr;

/// Who opened the connection that this machine closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The peer: it came in by a listener, whose port it shares with all others.
    Server,
    /// A process here: each holds a local port of its own towards the destination.
    Client,
}

/// What the sockets of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Came in by this listener, or by one that is gone.
    Server {
        /// Where it listens.
        at: Endpoint,
        /// Whether it still does.
        listening: bool,
    },
    /// Went out to this destination.
    Client {
        /// From this address.
        local: IpAddr,
        /// To this end.
        peer: Endpoint,
    },
}
