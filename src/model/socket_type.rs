//! The type of a socket: what it promises of the data it carries.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `SOCK_*` of `bits/socket_type.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum SocketType {
    /// 1: bytes in order, connected.
    Stream,
    /// 2: messages, each for itself.
    Dgram,
    /// 3: what lies below: IP packets, frames with their header.
    Raw,
    /// 4: messages that arrive, in any order.
    Rdm,
    /// 5: messages in order, connected.
    Seqpacket,
    /// 10: `SOCK_PACKET`, the way to see frames before Linux 2.2.
    Packet,
    /// A number this build does not know.
    Other(u8),
}

impl SocketType {
    /// Every named type.
    pub const ALL: [Self; 6] =
        [Self::Stream, Self::Dgram, Self::Raw, Self::Rdm, Self::Seqpacket, Self::Packet];

    /// Decodes the kernel's number.
    pub const fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Stream,
            2 => Self::Dgram,
            3 => Self::Raw,
            4 => Self::Rdm,
            5 => Self::Seqpacket,
            10 => Self::Packet,
            other => Self::Other(other),
        }
    }

    /// The kernel's number: the inverse of [`Self::from_kernel`].
    pub const fn number(self) -> u8 {
        match self {
            Self::Stream => 1,
            Self::Dgram => 2,
            Self::Raw => 3,
            Self::Rdm => 4,
            Self::Seqpacket => 5,
            Self::Packet => 10,
            Self::Other(number) => number,
        }
    }

    /// The word in tables, JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Dgram => "dgram",
            Self::Raw => "raw",
            Self::Rdm => "rdm",
            Self::Seqpacket => "seqpacket",
            Self::Packet => "packet",
            Self::Other(_) => "unknown",
        }
    }
}

impl From<u8> for SocketType {
    fn from(number: u8) -> Self {
        Self::from_kernel(number)
    }
}

impl From<SocketType> for u8 {
    fn from(kind: SocketType) -> Self {
        kind.number()
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
