//! Columns that few sockets have or few people ask for.

use super::{
    definition::{Field, Reader},
    need::Need,
    row::Row,
    value::{List, Value},
};
use crate::model::{
    details::{Algorithm, Details, Subflow, Tls, UpperLayer},
    sockopt::{self, SocketOptions},
};

macro_rules! columns {
    ($($id:literal $json:literal $header:literal $unit:literal $need:expr, $source:literal, $summary:literal, $read:expr;)*) => {
        /// The columns.
        pub const FIELDS: &[Field] = &[$(Field {
            id: $id, json: $json, header: $header, unit: $unit, summary: $summary,
            source: $source, need: $need, read: Reader::Row($read),
        }),*];
    };
}

#[rustfmt::skip]
columns! {
    "tclass" "tclass" "Tclass" "number" Need::TRAFFIC_CLASS, "INET_DIAG_TCLASS",
        "traffic class of an IPv6 socket", |row| number(row, |details| details.tclass);
    "class_id" "class_id" "ClassId" "number" Need::TRAFFIC_CLASS, "INET_DIAG_CLASS_ID, kernel 4.14",
        "class of its net_cls cgroup, or else SO_PRIORITY", |row| number(row, |details| details.class_id);
    "sockopt" "sockopt" "SockOpt" "list" Need::UNASKED, "INET_DIAG_SOCKOPT, kernel 5.10",
        "options that are set: freebind, transparent, mc_loop…", options;
    "bbr.bandwidth" "bbr.bandwidth_bytes_per_second" "BbrBw" "bytes/s" Need::ALGORITHM, "tcp_bbr_info.bbr_bw_lo, bbr_bw_hi, kernel 4.9",
        "BBR: bandwidth it found", |row| bbr(row, |bbr| Value::BytesPerSecond(bbr.0));
    "bbr.min_rtt" "bbr.min_rtt_us" "BbrMinRtt" "µs" Need::ALGORITHM, "tcp_bbr_info.bbr_min_rtt",
        "BBR: smallest round-trip time of the last seconds", |row| bbr(row, |bbr| Value::Microseconds(bbr.1.into()));
    "bbr.pacing_gain" "bbr.pacing_gain_256ths" "BbrPacing" "count" Need::ALGORITHM, "tcp_bbr_info.bbr_pacing_gain",
        "BBR: gain of the pacing rate, in 1/256", |row| bbr(row, |bbr| Value::Count(bbr.2.into()));
    "bbr.cwnd_gain" "bbr.cwnd_gain_256ths" "BbrCwnd" "count" Need::ALGORITHM, "tcp_bbr_info.bbr_cwnd_gain",
        "BBR: gain of the congestion window, in 1/256", |row| bbr(row, |bbr| Value::Count(bbr.3.into()));
    "dctcp.enabled" "dctcp.enabled" "Dctcp" "flag" Need::ALGORITHM, "tcp_dctcp_info.dctcp_enabled",
        "DCTCP: no, where it fell back to Reno for want of ECN", |row| dctcp(row, |dctcp| Value::Flag(dctcp.0));
    "dctcp.ce_state" "dctcp.ce_state" "DctcpCe" "count" Need::ALGORITHM, "tcp_dctcp_info.dctcp_ce_state",
        "DCTCP: 1 where the last segment had a CE mark", |row| dctcp(row, |dctcp| Value::Count(dctcp.1.into()));
    "dctcp.alpha" "dctcp.alpha_1024ths" "DctcpAlpha" "count" Need::ALGORITHM, "tcp_dctcp_info.dctcp_alpha",
        "DCTCP: share of marked bytes, in 1/1024", |row| dctcp(row, |dctcp| Value::Count(dctcp.2.into()));
    "dctcp.acked_ecn" "dctcp.acked_ecn_bytes" "DctcpEcn" "bytes" Need::ALGORITHM, "tcp_dctcp_info.dctcp_ab_ecn",
        "DCTCP: acknowledged with a mark in this window", |row| dctcp(row, |dctcp| Value::Bytes(dctcp.3.into()));
    "dctcp.acked" "dctcp.acked_bytes" "DctcpAcked" "bytes" Need::ALGORITHM, "tcp_dctcp_info.dctcp_ab_tot",
        "DCTCP: acknowledged in this window", |row| dctcp(row, |dctcp| Value::Bytes(dctcp.4.into()));
    "vegas.enabled" "vegas.enabled" "Vegas" "flag" Need::ALGORITHM, "tcpvegas_info.tcpv_enabled",
        "Vegas: whether it measures at present", |row| vegas(row, |vegas| Value::Flag(vegas.0));
    "vegas.rtt_count" "vegas.rtt_count" "VegasCount" "count" Need::ALGORITHM, "tcpvegas_info.tcpv_rttcnt",
        "Vegas: round trips measured", |row| vegas(row, |vegas| Value::Count(vegas.1.into()));
    "vegas.rtt" "vegas.rtt_us" "VegasRtt" "µs" Need::ALGORITHM, "tcpvegas_info.tcpv_rtt",
        "Vegas: round-trip time", |row| vegas(row, |vegas| Value::Microseconds(vegas.2.into()));
    "vegas.min_rtt" "vegas.min_rtt_us" "VegasMinRtt" "µs" Need::ALGORITHM, "tcpvegas_info.tcpv_minrtt",
        "Vegas: smallest round-trip time", |row| vegas(row, |vegas| Value::Microseconds(vegas.3.into()));
    "ulp" "ulp.name" "Ulp" "name" Need::TCP_INFO, "INET_DIAG_ULP_INFO, kernel 5.4",
        "protocol on top of TCP in the kernel: tls, mptcp",
        |row| upper_layer(row).map_or(Value::Absent, |ulp| Value::Name(ulp.name.as_bytes()));
    "ulp.tls_version" "ulp.tls_version" "TlsVersion" "word" Need::TCP_INFO, "TLS_INFO_VERSION",
        "TLS: version, 1.2 or 1.3", |row| tls(row, |tls| word(tls.version_name()));
    "ulp.tls_cipher" "ulp.tls_cipher" "TlsCipher" "word" Need::TCP_INFO, "TLS_INFO_CIPHER",
        "TLS: cipher", |row| tls(row, |tls| word(tls.cipher_name()));
    "ulp.tls_sending" "ulp.tls_sending" "TlsTx" "word" Need::TCP_INFO, "TLS_INFO_TXCONF",
        "TLS: who encrypts: none, sw, hw, hw-record", |row| tls(row, |tls| word(Tls::work(tls.sending)));
    "ulp.tls_receiving" "ulp.tls_receiving" "TlsRx" "word" Need::TCP_INFO, "TLS_INFO_RXCONF",
        "TLS: who decrypts: none, sw, hw, hw-record", |row| tls(row, |tls| word(Tls::work(tls.receiving)));
    "ulp.tls_zerocopy" "ulp.tls_zerocopy" "TlsZeroCopy" "flag" Need::TCP_INFO, "TLS_INFO_ZC_RO_TX, kernel 5.19",
        "TLS: sendfile(2) without a copy", |row| tls(row, |tls| Value::Flag(tls.zerocopy));
    "ulp.tls_no_padding" "ulp.tls_no_padding" "TlsNoPad" "flag" Need::TCP_INFO, "TLS_INFO_RX_NO_PAD, kernel 6.0",
        "TLS: the peer is expected to pad no record", |row| tls(row, |tls| Value::Flag(tls.no_padding));
    "ulp.mptcp_flags" "ulp.mptcp_flags" "MptcpFlags" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_FLAGS, kernel 5.6",
        "MPTCP: bits MPTCP_SUBFLOW_FLAG_* of the path", |row| subflow(row, |path| path.flags.map(u64::from));
    "ulp.mptcp_token_local" "ulp.mptcp_token_local" "TokenLocal" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_TOKEN_LOC",
        "MPTCP: this side's token of the connection", |row| subflow(row, |path| path.token_local.map(u64::from));
    "ulp.mptcp_token_remote" "ulp.mptcp_token_remote" "TokenRemote" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_TOKEN_REM",
        "MPTCP: the peer's token of the connection", |row| subflow(row, |path| path.token_remote.map(u64::from));
    "ulp.mptcp_id_local" "ulp.mptcp_id_local" "IdLocal" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_ID_LOC",
        "MPTCP: id of this end's address", |row| subflow(row, |path| path.id_local.map(u64::from));
    "ulp.mptcp_id_remote" "ulp.mptcp_id_remote" "IdRemote" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_ID_REM",
        "MPTCP: id of the peer's address", |row| subflow(row, |path| path.id_remote.map(u64::from));
    "ulp.mptcp_map_seq" "ulp.mptcp_map_seq" "MapSeq" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_MAP_SEQ",
        "MPTCP: where the mapping begins in the connection's data", |row| subflow(row, |path| path.map_seq);
    "ulp.mptcp_map_subflow_seq" "ulp.mptcp_map_subflow_seq" "MapSubflow" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_MAP_SFSEQ",
        "MPTCP: where it begins in the path's data", |row| subflow(row, |path| path.map_subflow_seq.map(u64::from));
    "ulp.mptcp_ssn_offset" "ulp.mptcp_ssn_offset" "SsnOffset" "number" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_SSN_OFFSET",
        "MPTCP: offset of the path's sequence numbers", |row| subflow(row, |path| path.ssn_offset.map(u64::from));
    "ulp.mptcp_map" "ulp.mptcp_map_bytes" "MapBytes" "bytes" Need::TCP_INFO, "MPTCP_SUBFLOW_ATTR_MAP_DATALEN",
        "MPTCP: bytes the mapping covers",
        |row| layer_of(row, |ulp| ulp.mptcp.and_then(|path| path.map_bytes))
            .map_or(Value::Absent, |bytes| Value::Bytes(bytes.into()));
    "md5" "md5" "Md5Peers" "list" Need::TCP_INFO, "INET_DIAG_MD5SIG, kernel 4.14, needs CAP_NET_ADMIN",
        "peers with an MD5 key (RFC 2385); keys are never read", md5;
    "bpf_maps" "bpf_maps" "BpfMaps" "list" Need::STORAGES, "INET_DIAG_SK_BPF_STORAGES, kernel 5.10, needs CAP_BPF",
        "ids of the BPF maps that keep something in the socket", storages;
}

fn details(row: Row<'_>) -> Option<&Details> {
    row.socket.details.as_deref()
}

fn number<N: Into<u64>>(row: Row<'_>, of: fn(&Details) -> Option<N>) -> Value<'static> {
    details(row).and_then(of).map_or(Value::Absent, |number| Value::Count(number.into()))
}

fn word(word: Option<&'static str>) -> Value<'static> {
    word.map_or(Value::Absent, Value::Word)
}

// Functions, because a constructor is not general over the row's lifetime.

/// Options that are set.
pub fn options(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        let options = SocketOptions::from_kernel(row.socket.sockopt?);
        let set = sockopt::ALL.into_iter().filter(|option| options.has(*option)).nth(index)?;
        Some(Value::Word(set.name()))
    }))
}

/// Peers with a key.
pub fn md5(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        let peer = details(row)?.md5.as_ref()?.get(index)?;
        Some(Value::Prefix(peer.address, peer.prefix_length))
    }))
}

fn storages(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        Some(Value::Count(details(row)?.storages.as_ref()?.get(index)?.map_id.into()))
    }))
}

fn algorithm(row: Row<'_>) -> Option<Algorithm> {
    details(row)?.algorithm
}

/// Bandwidth, smallest round-trip time, both gains.
type Bbr = (u64, u32, u32, u32);

fn bbr(row: Row<'_>, of: fn(Bbr) -> Value<'static>) -> Value<'static> {
    match algorithm(row) {
        Some(Algorithm::Bbr { bandwidth, min_rtt_us, pacing_gain, cwnd_gain }) => {
            of((bandwidth, min_rtt_us, pacing_gain, cwnd_gain))
        }
        _ => Value::Absent,
    }
}

/// Enabled, CE state, alpha, bytes with a mark, bytes.
type Dctcp = (bool, u16, u32, u32, u32);

fn dctcp(row: Row<'_>, of: fn(Dctcp) -> Value<'static>) -> Value<'static> {
    match algorithm(row) {
        Some(Algorithm::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_total }) => {
            of((enabled, ce_state, alpha, ab_ecn, ab_total))
        }
        _ => Value::Absent,
    }
}

/// Enabled, round trips, round-trip time, smallest one.
type Vegas = (bool, u32, u32, u32);

fn vegas(row: Row<'_>, of: fn(Vegas) -> Value<'static>) -> Value<'static> {
    match algorithm(row) {
        Some(Algorithm::Vegas { enabled, rtt_count, rtt_us, min_rtt_us }) => {
            of((enabled, rtt_count, rtt_us, min_rtt_us))
        }
        _ => Value::Absent,
    }
}

fn upper_layer(row: Row<'_>) -> Option<&UpperLayer> {
    details(row)?.upper_layer.as_ref()
}

fn layer_of<T>(row: Row<'_>, of: fn(&UpperLayer) -> Option<T>) -> Option<T> {
    upper_layer(row).and_then(of)
}

fn tls(row: Row<'_>, of: fn(&Tls) -> Value<'static>) -> Value<'static> {
    upper_layer(row).and_then(|ulp| ulp.tls.as_ref()).map_or(Value::Absent, of)
}

fn subflow(row: Row<'_>, of: fn(&Subflow) -> Option<u64>) -> Value<'static> {
    let path = upper_layer(row).and_then(|ulp| ulp.mptcp.as_ref());
    path.and_then(of).map_or(Value::Absent, Value::Count)
}
