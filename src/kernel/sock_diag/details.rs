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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::netlink::attribute::push;
    use proptest::prelude::*;

    /// Words of the kernel's structs, in the machine's order.
    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    fn decoded(kind: u16, value: &[u8]) -> Option<Details> {
        let mut details = None;
        decode(kind, value, &mut details);
        details.map(|details| *details)
    }

    #[test]
    fn congestion_controls_tell_of_themselves() {
        let algorithm = |kind, value: &[u8]| decoded(kind, value).and_then(|d| d.algorithm);
        // `struct tcpvegas_info`.
        assert_eq!(
            algorithm(INET_DIAG_VEGASINFO, &words(&[1, 20, 300, 250])),
            Some(Algorithm::Vegas { enabled: true, rtt_count: 20, rtt_us: 300, min_rtt_us: 250 })
        );
        // `struct tcp_dctcp_info`: two halves of a word first.
        let mut dctcp = vec![];
        dctcp.extend([1u16.to_ne_bytes(), 0u16.to_ne_bytes()].concat());
        dctcp.extend(words(&[1024, 7, 9000]));
        assert_eq!(
            algorithm(INET_DIAG_DCTCPINFO, &dctcp),
            Some(Algorithm::Dctcp {
                enabled: true,
                ce_state: 0,
                alpha: 1024,
                ab_ecn: 7,
                ab_total: 9000
            })
        );
        // `struct tcp_bbr_info`: the lower half of the bandwidth first.
        assert_eq!(
            algorithm(INET_DIAG_BBRINFO, &words(&[5, 1, 412, 739, 512])),
            Some(Algorithm::Bbr {
                bandwidth: (1 << 32) + 5,
                min_rtt_us: 412,
                pacing_gain: 739,
                cwnd_gain: 512
            })
        );
        for kind in [INET_DIAG_VEGASINFO, INET_DIAG_DCTCPINFO, INET_DIAG_BBRINFO] {
            assert_eq!(decoded(kind, &words(&[1, 2])), None, "cut short: not told");
        }
    }

    #[test]
    fn classes_are_numbers() {
        assert_eq!(decoded(INET_DIAG_TCLASS, &[0x48]).and_then(|d| d.tclass), Some(0x48));
        let class = decoded(INET_DIAG_CLASS_ID, &words(&[0x10_0001])).and_then(|d| d.class_id);
        assert_eq!(class, Some(0x10_0001));
        assert_eq!((decoded(INET_DIAG_TCLASS, &[]), decoded(99, &[1])), (None, None));
    }

    #[test]
    fn of_a_signed_connection_the_peer_is_kept_and_the_key_is_not() {
        let one = |family: u8, length: u8, address: &[u8]| {
            let mut one = vec![family, length];
            one.extend(9u16.to_ne_bytes());
            one.extend(address);
            one.resize(20, 0);
            one.extend(b"TOPSECRET");
            one.resize(MD5SIG, 0);
            one
        };
        let value = [
            one(2, 32, &[10, 1, 2, 3]),
            one(10, 64, &[0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            // Of a family that is not of the internet.
            one(1, 8, &[1]),
        ]
        .concat();
        let details = decoded(INET_DIAG_MD5SIG, &value).unwrap();
        let peers = details.md5.as_ref().unwrap();
        let shown: Vec<_> =
            peers.iter().map(|peer| format!("{}/{}", peer.address, peer.prefix_length)).collect();
        assert_eq!(shown, ["10.1.2.3/32", "fd00:0:0:1::/64"]);
        assert!(!format!("{details:?}").contains("SECRET"));
        // None is an answer too: no peer has a key.
        assert_eq!(decoded(INET_DIAG_MD5SIG, &[]).and_then(|d| d.md5), Some(vec![]));
    }

    #[test]
    fn what_lies_on_top_is_told_by_name_and_by_its_own_attributes() {
        let mut tls = vec![];
        for (kind, number) in [(1, 0x0304u16), (2, 51), (3, 2), (4, 1)] {
            push(&mut tls, kind, &number.to_ne_bytes());
        }
        push(&mut tls, 5, &[]);
        let mut value = vec![];
        push(&mut value, 1, b"tls\0");
        push(&mut value, 2, &tls);
        let layer = decoded(INET_DIAG_ULP_INFO, &value).and_then(|d| d.upper_layer).unwrap();
        assert_eq!(layer.name, "tls");
        assert_eq!(
            layer.tls,
            Some(Tls {
                version: Some(0x0304),
                cipher: Some(51),
                sending: Some(2),
                receiving: Some(1),
                zerocopy: true,
                no_padding: false
            })
        );

        let mut subflow = vec![];
        for (kind, number) in [(1, 0xaau32), (2, 0xbb), (5, 5), (6, 6), (8, 0x101)] {
            push(&mut subflow, kind, &number.to_ne_bytes());
        }
        push(&mut subflow, 4, &(1u64 << 40).to_ne_bytes());
        push(&mut subflow, 7, &1400u16.to_ne_bytes());
        push(&mut subflow, 9, &[1]);
        push(&mut subflow, 10, &[2]);
        let mut value = vec![];
        push(&mut value, 1, b"mptcp\0");
        push(&mut value, 3, &subflow);
        let layer = decoded(INET_DIAG_ULP_INFO, &value).and_then(|d| d.upper_layer).unwrap();
        assert_eq!((layer.name.as_str(), layer.tls), ("mptcp", None));
        assert_eq!(
            layer.mptcp,
            Some(Subflow {
                flags: Some(0x101),
                token_remote: Some(0xaa),
                token_local: Some(0xbb),
                id_remote: Some(1),
                id_local: Some(2),
                map_seq: Some(1 << 40),
                map_subflow_seq: Some(5),
                ssn_offset: Some(6),
                map_bytes: Some(1400)
            })
        );
    }

    #[test]
    fn storages_are_one_for_each_map() {
        let one = |id: u32, kept: &[u8]| {
            let mut one = vec![];
            push(&mut one, 2, &id.to_ne_bytes());
            push(&mut one, 3, kept);
            one
        };
        let mut value = vec![];
        push(&mut value, 1, &one(7, &[0xde, 0xad]));
        push(&mut value, 1, &one(8, &[]));
        push(&mut value, 9, &one(9, &[1]));
        let storages = decoded(INET_DIAG_SK_BPF_STORAGES, &value).and_then(|d| d.storages).unwrap();
        let kept: Vec<_> = storages.iter().map(|one| (one.map_id, one.value.as_slice())).collect();
        assert_eq!(kept, [(7, &[0xde, 0xad][..]), (8, &[])]);
    }

    #[test]
    fn one_attribute_leaves_what_another_told() {
        let mut details = None;
        decode(INET_DIAG_TCLASS, &[3], &mut details);
        decode(INET_DIAG_CLASS_ID, &words(&[4]), &mut details);
        decode(INET_DIAG_VEGASINFO, &[], &mut details);
        let details = details.unwrap();
        assert_eq!((details.tclass, details.class_id, details.algorithm), (Some(3), Some(4), None));
    }

    proptest! {
        #[test]
        fn hostile_values_are_no_crash(kind in 0u16..32, value in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decoded(kind, &value);
        }
    }
}
