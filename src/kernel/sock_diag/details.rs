//! Attributes of an answer that few sockets have or few people ask for.

use crate::{
    kernel::{
        bytes::{array, u8_at, u16_ne, u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::details::{Algorithm, BpfStorage, Details, Md5Peer, Subflow, Tls, UpperLayer},
};
use netlink_packet_sock_diag::INET_DIAG_VEGASINFO;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

// `linux/inet_diag.h`; not in the crate's constants.
const INET_DIAG_TCLASS: u16 = 6;
const INET_DIAG_DCTCPINFO: u16 = 9;
const INET_DIAG_BBRINFO: u16 = 16;
const INET_DIAG_CLASS_ID: u16 = 17;
const INET_DIAG_MD5SIG: u16 = 18;
const INET_DIAG_ULP_INFO: u16 = 19;
const INET_DIAG_SK_BPF_STORAGES: u16 = 20;

/// `struct tcp_diag_md5sig`: family, prefix length, key length, address, 80 bytes of key.
const MD5SIG: usize = 100;

/// Whether an attribute belongs here.
pub const fn is_rare(kind: u16) -> bool {
    matches!(
        kind,
        INET_DIAG_VEGASINFO
            | INET_DIAG_TCLASS
            | INET_DIAG_DCTCPINFO
            | INET_DIAG_BBRINFO
            | INET_DIAG_CLASS_ID
            | INET_DIAG_MD5SIG
            | INET_DIAG_ULP_INFO
            | INET_DIAG_SK_BPF_STORAGES
    )
}

/// Fills in what one attribute tells. One that is too short for its kind is passed over.
#[cold]
pub fn decode(kind: u16, value: &[u8], details: &mut Option<Box<Details>>) {
    let mut told = details.take().unwrap_or_default();
    match kind {
        INET_DIAG_TCLASS => told.tclass = u8_at(value, 0),
        INET_DIAG_CLASS_ID => told.class_id = u32_ne(value, 0),
        INET_DIAG_VEGASINFO => told.algorithm = vegas(value),
        INET_DIAG_DCTCPINFO => told.algorithm = dctcp(value),
        INET_DIAG_BBRINFO => told.algorithm = bbr(value),
        INET_DIAG_MD5SIG => {
            told.md5 = Some(value.chunks_exact(MD5SIG).filter_map(md5_peer).collect());
        }
        INET_DIAG_ULP_INFO => told.upper_layer = Some(upper_layer(value)),
        INET_DIAG_SK_BPF_STORAGES => told.storages = Some(storages(value)),
        _ => {}
    }
    *details = (!told.is_empty()).then_some(told);
}

fn vegas(value: &[u8]) -> Option<Algorithm> {
    Some(Algorithm::Vegas {
        enabled: u32_ne(value, 0)? != 0,
        rtt_count: u32_ne(value, 4)?,
        rtt_us: u32_ne(value, 8)?,
        min_rtt_us: u32_ne(value, 12)?,
    })
}

fn dctcp(value: &[u8]) -> Option<Algorithm> {
    Some(Algorithm::Dctcp {
        enabled: u16_ne(value, 0)? != 0,
        ce_state: u16_ne(value, 2)?,
        alpha: u32_ne(value, 4)?,
        ab_ecn: u32_ne(value, 8)?,
        ab_total: u32_ne(value, 12)?,
    })
}

fn bbr(value: &[u8]) -> Option<Algorithm> {
    Some(Algorithm::Bbr {
        // Two halves, the lower first on every machine.
        bandwidth: u64::from(u32_ne(value, 4)?) << 32 | u64::from(u32_ne(value, 0)?),
        min_rtt_us: u32_ne(value, 8)?,
        pacing_gain: u32_ne(value, 12)?,
        cwnd_gain: u32_ne(value, 16)?,
    })
}

/// The peer of one key. The key, which stands behind it, is not looked at.
fn md5_peer(value: &[u8]) -> Option<Md5Peer> {
    let address: IpAddr = match u8_at(value, 0)? {
        2 => Ipv4Addr::from(array::<4>(value, 4)?).into(),
        10 => Ipv6Addr::from(array::<16>(value, 4)?).into(),
        _ => return None,
    };
    Some(Md5Peer { address, prefix_length: u8_at(value, 1)? })
}

/// `INET_ULP_INFO_*`: a name, and what the protocol tells of itself.
fn upper_layer(value: &[u8]) -> UpperLayer {
    let mut layer = UpperLayer::default();
    for (kind, value) in Attributes::new(value) {
        match kind {
            1 => {
                let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
                layer.name = String::from_utf8_lossy(name).into_owned();
            }
            2 => layer.tls = Some(tls(value)),
            3 => layer.mptcp = Some(subflow(value)),
            _ => {}
        }
    }
    layer
}

/// `TLS_INFO_*`.
fn tls(value: &[u8]) -> Tls {
    let mut tls = Tls::default();
    for (kind, value) in Attributes::new(value) {
        match kind {
            1 => tls.version = u16_ne(value, 0),
            2 => tls.cipher = u16_ne(value, 0),
            3 => tls.sending = u16_ne(value, 0),
            4 => tls.receiving = u16_ne(value, 0),
            // Flags: their presence is the value.
            5 => tls.zerocopy = true,
            6 => tls.no_padding = true,
            _ => {}
        }
    }
    tls
}

/// `MPTCP_SUBFLOW_ATTR_*`.
fn subflow(value: &[u8]) -> Subflow {
    let mut subflow = Subflow::default();
    for (kind, value) in Attributes::new(value) {
        match kind {
            1 => subflow.token_remote = u32_ne(value, 0),
            2 => subflow.token_local = u32_ne(value, 0),
            4 => subflow.map_seq = u64_ne(value, 0),
            5 => subflow.map_subflow_seq = u32_ne(value, 0),
            6 => subflow.ssn_offset = u32_ne(value, 0),
            7 => subflow.map_bytes = u16_ne(value, 0),
            8 => subflow.flags = u32_ne(value, 0),
            9 => subflow.id_remote = u8_at(value, 0),
            10 => subflow.id_local = u8_at(value, 0),
            _ => {}
        }
    }
    subflow
}

/// `SK_DIAG_BPF_STORAGE_REP_*` (`linux/sock_diag.h`): one nest for each map.
fn storages(value: &[u8]) -> Vec<BpfStorage> {
    let one = |value| {
        let mut storage = BpfStorage { map_id: 0, value: vec![] };
        for (kind, value) in Attributes::new(value) {
            match kind {
                2 => storage.map_id = u32_ne(value, 0)?,
                3 => storage.value = value.to_vec(),
                _ => {}
            }
        }
        Some(storage)
    };
    Attributes::new(value)
        .filter(|(kind, _)| *kind == 1)
        .filter_map(|(_, value)| one(value))
        .collect()
}
