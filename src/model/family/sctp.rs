//! SCTP sockets (`struct sctp_info`, `linux/sctp.h`; attributes of `net/sctp/diag.c`).

use crate::model::layout::Place;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What an SCTP socket has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sctp {
    /// `enum sctp_state` of an association; `None`: an endpoint.
    #[serde(default)]
    pub association_state: Option<u8>,
    /// Addresses of this end: an association has several.
    pub locals: Vec<IpAddr>,
    /// Addresses of the other end.
    pub peers: Vec<IpAddr>,
    /// `struct sctp_info`, where it was asked for.
    pub info: Option<SctpInfo>,
}

/// The struct as received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SctpInfo(Box<[u8]>);

/// Bytes of the struct (Linux 6.18).
const KNOWN: usize = 368;

impl SctpInfo {
    /// Keeps what the kernel sent; a longer struct than this build knows loses its tail.
    pub fn from_kernel(sent: &[u8]) -> Self {
        Self(sent.get(..sent.len().min(KNOWN)).unwrap_or_default().into())
    }

    /// The bytes as received, at most those this build knows.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a field; `None` where this kernel's struct ends before it.
    pub fn get(&self, place: Place) -> Option<u64> {
        place.read(&self.0)
    }

    /// Reads a field by its name in `struct sctp_info`, without `sctpi_`.
    pub fn by_name(&self, name: &str) -> Option<u64> {
        SCTP_FIELDS.iter().find(|(known, _)| *known == name).and_then(|(_, place)| self.get(*place))
    }
}

/// The fields about the association and the socket, by offset.
pub const SCTP_FIELDS: [(&str, Place); 24] = [
    ("tag", Place::U32(0)),
    ("state", Place::U32(4)),
    ("rwnd", Place::U32(8)),
    ("unackdata", Place::U16(12)),
    ("penddata", Place::U16(14)),
    ("instrms", Place::U16(16)),
    ("outstrms", Place::U16(18)),
    ("fragmentation_point", Place::U32(20)),
    ("inqueue", Place::U32(24)),
    ("outqueue", Place::U32(28)),
    ("overall_error", Place::U32(32)),
    ("max_burst", Place::U32(36)),
    ("maxseg", Place::U32(40)),
    ("peer_rwnd", Place::U32(44)),
    ("peer_tag", Place::U32(48)),
    ("peer_capable", Place::U8(52)),
    ("peer_sack", Place::U8(53)),
    ("s_autoclose", Place::U32(344)),
    ("s_adaptation_ind", Place::U32(348)),
    ("s_pd_point", Place::U32(352)),
    ("s_nodelay", Place::U8(356)),
    ("s_disable_fragments", Place::U8(357)),
    ("s_v4mapped", Place::U8(358)),
    ("s_frag_interleave", Place::U8(359)),
];
