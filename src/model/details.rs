//! What few sockets have or few people ask for. Kept apart, so that a plain row stays small.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The rare facts of an internet socket. `None`: the kernel did not tell, or was not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// `IPV6_TCLASS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tclass: Option<u8>,
    /// Class of the net_cls cgroup (v1); where there is none, `SO_PRIORITY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_id: Option<u32>,
    /// What the congestion control says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// The protocol that runs on top of TCP in the kernel (`TCP_ULP`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_layer: Option<UpperLayer>,
    /// Peers with an MD5 key (`TCP_MD5SIG`, RFC 2385). `None` also without CAP_NET_ADMIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<Vec<Md5Peer>>,
    /// Values that BPF programs keep in the socket. `None` also where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storages: Option<Vec<BpfStorage>>,
}

impl Details {
    /// Whether nothing is told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a congestion control says of itself (`union tcp_cc_info`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Vegas and its kin: `struct tcpvegas_info`.
    Vegas {
        /// Whether it measures at present.
        enabled: bool,
        /// Round trips measured.
        rtt_count: u32,
        /// Its round-trip time, in µs.
        rtt_us: u32,
        /// The smallest one, in µs.
        min_rtt_us: u32,
    },
    /// DCTCP: `struct tcp_dctcp_info`.
    Dctcp {
        /// False: it fell back to Reno, because ECN was not negotiated.
        enabled: bool,
        /// Whether the last segment had a CE mark.
        ce_state: u16,
        /// Share of marked bytes, in 1/1024.
        alpha: u32,
        /// Bytes acknowledged with a mark, in this window.
        ab_ecn: u32,
        /// Bytes acknowledged, in this window.
        ab_total: u32,
    },
    /// BBR: `struct tcp_bbr_info`.
    Bbr {
        /// Bandwidth, in bytes per second.
        bandwidth: u64,
        /// The smallest round-trip time, in µs.
        min_rtt_us: u32,
        /// Gain of the pacing rate, in 1/256.
        pacing_gain: u32,
        /// Gain of the congestion window, in 1/256.
        cwnd_gain: u32,
    },
}

/// `INET_DIAG_ULP_INFO`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpperLayer {
    /// Its name: `tls`, `mptcp`, `espintcp`.
    pub name: String,
    /// What TLS says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What the subflow of an MPTCP connection says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mptcp: Option<Subflow>,
}

/// TLS in the kernel (`TLS_INFO_*` of `linux/tls.h`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// Version on the wire, 0x0303 or 0x0304.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u16>,
    /// Number of the cipher (`TLS_CIPHER_*`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<u16>,
    /// Who encrypts what is sent (`TLS_CONF_*`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending: Option<u16>,
    /// Who decrypts what is received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiving: Option<u16>,
    /// Whether sendfile(2) sends without a copy.
    pub zerocopy: bool,
    /// Whether the process promised that the peer pads no record.
    pub no_padding: bool,
}

impl Tls {
    /// The version, as people write it.
    pub fn version_name(&self) -> Option<&'static str> {
        match self.version? {
            0x0303 => Some("1.2"),
            0x0304 => Some("1.3"),
            _ => None,
        }
    }

    /// The cipher, by the name of its constant.
    pub fn cipher_name(&self) -> Option<&'static str> {
        Some(match self.cipher? {
            51 => "aes-gcm-128",
            52 => "aes-gcm-256",
            53 => "aes-ccm-128",
            54 => "chacha20-poly1305",
            55 => "sm4-gcm",
            56 => "sm4-ccm",
            57 => "aria-gcm-128",
            58 => "aria-gcm-256",
            _ => return None,
        })
    }

    /// Who does the work of one direction: nobody yet, the processor, or the device.
    pub fn work(number: Option<u16>) -> Option<&'static str> {
        Some(match number? {
            1 => "none",
            2 => "sw",
            3 => "hw",
            4 => "hw-record",
            _ => return None,
        })
    }
}

/// One path of an MPTCP connection (`MPTCP_SUBFLOW_ATTR_*` of `linux/mptcp.h`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subflow {
    /// `MPTCP_SUBFLOW_FLAG_*`.
    pub flags: Option<u32>,
    /// The peer's token of the connection.
    pub token_remote: Option<u32>,
    /// This side's token.
    pub token_local: Option<u32>,
    /// Address id of the peer's end.
    pub id_remote: Option<u8>,
    /// Address id of this end.
    pub id_local: Option<u8>,
    /// Sequence number of the connection's data that the mapping begins at.
    pub map_seq: Option<u64>,
    /// Sequence number of the subflow that the mapping begins at.
    pub map_subflow_seq: Option<u32>,
    /// Offset of the subflow's sequence numbers.
    pub ssn_offset: Option<u32>,
    /// Bytes the mapping covers.
    pub map_bytes: Option<u16>,
}

/// A peer whose segments are signed. The kernel tells the key too; it is never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Md5Peer {
    /// The peer.
    pub address: IpAddr,
    /// Bits of the address that count.
    pub prefix_length: u8,
}

/// What one BPF map keeps in a socket (`BPF_MAP_TYPE_SK_STORAGE`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfStorage {
    /// Id of the map.
    pub map_id: u32,
    /// The value; its meaning is the program's.
    pub value: Vec<u8>,
}
