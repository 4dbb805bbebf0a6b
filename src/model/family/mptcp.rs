//! Multipath TCP sockets (`struct mptcp_info`, `linux/mptcp.h`).

use crate::model::{
    endpoint::Endpoint,
    layout::Place,
    state::State,
    tcp_info::{TcpField, TcpUnit},
};
use serde::{Deserialize, Serialize};

/// What an MPTCP socket has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mptcp {
    /// `struct mptcp_info`, where it was asked for.
    pub info: Option<MptcpInfo>,
    /// Its TCP connections, where they were looked up.
    pub subflows: Option<Vec<Subflow>>,
}

/// One of the TCP connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subflow {
    /// State.
    #[serde(with = "crate::model::state::by_name")]
    pub state: State,
    /// This end.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// Identity of the TCP socket.
    pub cookie: Option<u64>,
}

/// The struct as received: kernels send 40 to 96 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MptcpInfo(Box<[u8]>);

/// Bytes of the struct that this build knows (Linux 6.18).
const KNOWN: usize = 96;

impl MptcpInfo {
    /// Keeps what the kernel sent; a longer struct than this build knows loses its tail.
    pub fn from_kernel(sent: &[u8]) -> Self {
        Self(sent.get(..sent.len().min(KNOWN)).unwrap_or_default().into())
    }

    /// The bytes as received, at most those this build knows.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value of a field; `None` where this kernel's struct ends before it.
    pub fn value(&self, field: &TcpField) -> Option<u64> {
        field.place.read(&self.0)
    }

    /// Reads a field by column id; `None` where there is no such field or it has no value.
    pub fn by_id(&self, id: &str) -> Option<u64> {
        MPTCP_FIELDS.iter().find(|field| field.id == id).and_then(|field| self.value(field))
    }

    /// The connection's token on this side, which its subflows carry too.
    pub fn token(&self) -> Option<u32> {
        self.by_id("mptcp.token").and_then(|token| u32::try_from(token).ok())
    }
}

macro_rules! fields {
    ($($id:literal $key:literal $header:literal $unit:ident $place:ident $offset:literal $since:literal $source:literal $summary:literal;)*) => {
        /// Every field, in the order of the struct.
        pub const MPTCP_FIELDS: &[TcpField] = &[$(TcpField {
            id: $id, key: $key, header: $header, unit: TcpUnit::$unit, place: Place::$place($offset),
            since: $since, summary: $summary, source: concat!("mptcp_info.mptcpi_", $source),
        }),*];
    };
}

// Offsets of `include/uapi/linux/mptcp.h`; fields were only ever appended.
#[rustfmt::skip]
fields! {
    "mptcp.subflows_extra" "subflows_extra" "Subflows" Count U8 0 "5.9" "subflows" "subflows beyond the first";
    "mptcp.add_addr_signal" "add_addr_signal" "AddSignal" Count U8 1 "5.9" "add_addr_signal" "addresses announced to the peer";
    "mptcp.add_addr_accepted" "add_addr_accepted" "AddAccepted" Count U8 2 "5.9" "add_addr_accepted" "announced addresses of the peer accepted";
    "mptcp.subflows_max" "subflows_max" "SubflowsMax" Count U8 3 "5.9" "subflows_max" "limit of further subflows";
    "mptcp.add_addr_signal_max" "add_addr_signal_max" "AddSignalMax" Count U8 4 "5.9" "add_addr_signal_max" "limit of announced addresses";
    "mptcp.add_addr_accepted_max" "add_addr_accepted_max" "AddAcceptedMax" Count U8 5 "5.9" "add_addr_accepted_max" "limit of accepted addresses";
    "mptcp.flags" "flags" "MptcpFlags" Count U32 8 "5.9" "flags" "bits: 1 fell back to TCP, 2 the peer's key is known";
    "mptcp.token" "token" "Token" Count U32 12 "5.9" "token" "token of the connection on this side";
    "mptcp.write_seq" "write_seq" "WriteSeq" Count U64 16 "5.9" "write_seq" "sequence number of the next byte to send";
    "mptcp.snd_una" "snd_una" "SndUna" Count U64 24 "5.9" "snd_una" "first sequence number not acknowledged";
    "mptcp.rcv_nxt" "rcv_nxt" "RcvNxt" Count U64 32 "5.9" "rcv_nxt" "sequence number expected next";
    "mptcp.local_addr_used" "local_addr_used" "LocalUsed" Count U8 40 "5.12" "local_addr_used" "local addresses in use for subflows";
    "mptcp.local_addr_max" "local_addr_max" "LocalMax" Count U8 41 "5.12" "local_addr_max" "limit of local addresses";
    "mptcp.csum_enabled" "csum_enabled" "Csum" Count U8 42 "5.14" "csum_enabled" "1: data has checksums";
    "mptcp.retransmits" "retransmits" "MptcpRetr" Count U32 44 "6.5" "retransmits" "retransmissions over another subflow";
    "mptcp.bytes_retrans" "bytes_retrans" "MptcpRetrB" Bytes U64 48 "6.5" "bytes_retrans" "retransmitted over another subflow";
    "mptcp.bytes_sent" "bytes_sent" "MptcpSent" Bytes U64 56 "6.5" "bytes_sent" "sent over the whole life";
    "mptcp.bytes_received" "bytes_received" "MptcpRecv" Bytes U64 64 "6.5" "bytes_received" "received over the whole life";
    "mptcp.bytes_acked" "bytes_acked" "MptcpAcked" Bytes U64 72 "6.5" "bytes_acked" "acknowledged over the whole life";
    "mptcp.subflows_total" "subflows_total" "SubflowsTotal" Count U8 80 "6.8" "subflows_total" "subflows, the first included";
    "mptcp.endp_laminar_max" "endp_laminar_max" "LaminarMax" Count U8 81 "6.18" "endp_laminar_max" "limit of laminar endpoints";
    "mptcp.last_data_sent" "last_data_sent_ms" "MptcpLastSnd" Milliseconds U32 84 "6.10" "last_data_sent" "time since data was last sent";
    "mptcp.last_data_recv" "last_data_recv_ms" "MptcpLastRcv" Milliseconds U32 88 "6.10" "last_data_recv" "time since data was last received";
    "mptcp.last_ack_recv" "last_ack_recv_ms" "MptcpLastAck" Milliseconds U32 92 "6.10" "last_ack_recv" "time since an acknowledgement was last received";
}
