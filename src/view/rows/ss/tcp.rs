//! `tcp_info` as `-i` shows it: what is zero is left out.

use super::{
    Shown,
    number::{bandwidth, general},
};
use crate::model::{
    details::{Algorithm, UpperLayer},
    socket::Socket,
    state::State,
    tcp_info::{Place, TcpInfo},
};
use std::io::Write;

// `TCPI_OPT_*` of `linux/tcp.h`.
const TIMESTAMPS: u64 = 1;
const SACK: u64 = 2;
const WSCALE: u64 = 4;
const ECN: u64 = 8;
const ECN_SEEN: u64 = 16;
const SYN_DATA: u64 = 32;

/// A retransmission timeout that was never measured (`TCP_TIMEOUT_FALLBACK`), in µs: not shown.
const FALLBACK_RTO: u64 = 3_000_000;
/// Where the slow-start threshold means something.
const SSTHRESH: std::ops::Range<u64> = 0..0xffff;
/// The reordering that every socket begins with (`tcp_reordering`).
const REORDERING: u64 = 3;

/// Fields by offset; one this kernel does not send is 0, as in ss.
struct Fields<'a>(&'a TcpInfo);

impl Fields<'_> {
    fn get(&self, place: Place) -> u64 {
        self.0.get(place).unwrap_or(0)
    }

    fn u8(&self, at: usize) -> u64 {
        self.get(Place::U8(at))
    }

    fn u32(&self, at: usize) -> u64 {
        self.get(Place::U32(at))
    }

    fn u64(&self, at: usize) -> u64 {
        self.get(Place::U64(at))
    }

    /// A number of 32 bits as a fraction of `unit`.
    fn in_units(&self, at: usize, unit: f64) -> f64 {
        f64::from(u32::try_from(self.u32(at)).unwrap_or(0)) / unit
    }
}

/// Writes what is known.
pub(super) fn write(out: &mut Vec<u8>, socket: &Socket, info: &TcpInfo, shown: Shown) {
    let algorithm = socket.details.as_ref().and_then(|details| details.algorithm);
    let fields = Fields(info);
    if shown.timers {
        options(out, fields.u8(5));
    }
    if let Some(congestion) = &socket.congestion {
        out.push(b' ');
        out.extend(congestion.name());
    }
    let rtt_us = round_trip_us(&fields, algorithm);
    times_and_sizes(out, &fields, rtt_us);
    totals(out, &fields);
    if let Some(algorithm) = algorithm {
        self::algorithm(out, algorithm, shown);
    }
    rates(out, &fields, rtt_us, shown);
    limits(out, &fields);
    losses(out, &fields, socket.state);
    receiving(out, &fields);
}

fn options(out: &mut Vec<u8>, bits: u64) {
    for (bit, word) in [
        (TIMESTAMPS, &b" ts"[..]),
        (SACK, b" sack"),
        (ECN, b" ecn"),
        (ECN_SEEN, b" ecnseen"),
        (SYN_DATA, b" fastopen"),
    ] {
        if bits & bit != 0 {
            out.extend(word);
        }
    }
}

/// Vegas measures its own.
fn round_trip_us(fields: &Fields<'_>, algorithm: Option<Algorithm>) -> f64 {
    match algorithm {
        Some(Algorithm::Vegas { enabled: true, rtt_us, .. })
            if (1..0x7fff_ffff).contains(&rtt_us) =>
        {
            rtt_us.into()
        }
        _ => fields.in_units(68, 1.0),
    }
}

/// ` key:number`, unless it is zero.
fn count(out: &mut Vec<u8>, key: &str, number: u64) {
    if number != 0 {
        let _ = write!(out, " {key}:{number}");
    }
}

/// ` key:number` with a fraction, unless it is zero.
fn fraction(out: &mut Vec<u8>, key: &str, number: f64) {
    if number != 0.0 {
        let _ = write!(out, " {key}:");
        general(out, number);
    }
}

fn times_and_sizes(out: &mut Vec<u8>, fields: &Fields<'_>, rtt_us: f64) {
    if fields.u8(5) & WSCALE != 0 {
        let (sent, received) = (fields.get(Place::LowNibble(6)), fields.get(Place::HighNibble(6)));
        let _ = write!(out, " wscale:{sent},{received}");
    }
    if fields.u32(8) != FALLBACK_RTO {
        fraction(out, "rto", fields.in_units(8, 1000.0));
    }
    count(out, "backoff", fields.u8(4));
    if rtt_us != 0.0 {
        fraction(out, "rtt", rtt_us / 1000.0);
        out.push(b'/');
        general(out, fields.in_units(72, 1000.0));
    }
    fraction(out, "ato", fields.in_units(12, 1000.0));
    count(out, "mss", fields.u32(16));
    count(out, "pmtu", fields.u32(60));
    count(out, "rcvmss", fields.u32(20));
    count(out, "advmss", fields.u32(84));
    count(out, "cwnd", fields.u32(80));
    if SSTHRESH.contains(&fields.u32(76)) {
        count(out, "ssthresh", fields.u32(76));
    }
}

fn totals(out: &mut Vec<u8>, fields: &Fields<'_>) {
    count(out, "bytes_sent", fields.u64(200));
    count(out, "bytes_retrans", fields.u64(208));
    count(out, "bytes_acked", fields.u64(120));
    count(out, "bytes_received", fields.u64(128));
    count(out, "segs_out", fields.u32(136));
    count(out, "segs_in", fields.u32(140));
    count(out, "data_segs_out", fields.u32(156));
    count(out, "data_segs_in", fields.u32(152));
}

fn algorithm(out: &mut Vec<u8>, algorithm: Algorithm, shown: Shown) {
    match algorithm {
        Algorithm::Vegas { .. } => {}
        Algorithm::Dctcp { enabled: false, .. } => out.extend(b" dctcp:fallback_mode"),
        Algorithm::Dctcp { ce_state, alpha, ab_ecn, ab_total, .. } => {
            let _ = write!(
                out,
                " dctcp:(ce_state:{ce_state},alpha:{alpha},ab_ecn:{ab_ecn},ab_tot:{ab_total})"
            );
        }
        Algorithm::Bbr { bandwidth: bytes, min_rtt_us, pacing_gain, cwnd_gain } => {
            out.extend(b" bbr:(bw:");
            bandwidth(out, in_bits(bytes), shown.numeric);
            out.extend(b"bps,mrtt:");
            general(out, f64::from(min_rtt_us) / 1000.0);
            for (key, gain) in [("pacing_gain", pacing_gain), ("cwnd_gain", cwnd_gain)] {
                if gain != 0 {
                    let _ = write!(out, ",{key}:");
                    general(out, f64::from(gain) / 256.0);
                }
            }
            out.push(b')');
        }
    }
}

/// Bytes to bits, as ss reckons: in floating point.
#[expect(clippy::cast_precision_loss, reason = "ss prints no more digits than a double has")]
fn in_bits(bytes: u64) -> f64 {
    bytes as f64 * 8.0
}

fn rates(out: &mut Vec<u8>, fields: &Fields<'_>, rtt_us: f64, shown: Shown) {
    let (mss, cwnd) = (fields.in_units(16, 1.0), fields.in_units(80, 1.0));
    if rtt_us > 0.0 && mss > 0.0 && cwnd > 0.0 {
        out.extend(b" send ");
        bandwidth(out, cwnd * mss * 8.0 * 1_000_000.0 / rtt_us, shown.numeric);
        out.extend(b"bps");
    }
    count(out, "lastsnd", fields.u32(44));
    count(out, "lastrcv", fields.u32(52));
    count(out, "lastack", fields.u32(56));
    let known = |rate: u64| (rate != 0 && rate != u64::MAX).then(|| in_bits(rate));
    let most = known(fields.u64(112));
    if let Some(rate) = known(fields.u64(104)) {
        out.extend(b" pacing_rate ");
        bandwidth(out, rate, shown.numeric);
        out.extend(b"bps");
        if let Some(most) = most {
            out.push(b'/');
            bandwidth(out, most, shown.numeric);
            out.extend(b"bps");
        }
    }
    if let Some(rate) = known(fields.u64(160)) {
        out.extend(b" delivery_rate ");
        bandwidth(out, rate, shown.numeric);
        out.extend(b"bps");
    }
    count(out, "delivered", fields.u32(192));
    count(out, "delivered_ce", fields.u32(196));
    if fields.get(Place::Bit0(7)) != 0 {
        out.extend(b" app_limited");
    }
}

fn limits(out: &mut Vec<u8>, fields: &Fields<'_>) {
    let busy = fields.u64(168);
    if busy == 0 {
        return;
    }
    let _ = write!(out, " busy:{}ms", busy / 1000);
    for (key, at) in [("rwnd_limited", 176), ("sndbuf_limited", 184)] {
        let limited = fields.u64(at);
        if limited != 0 {
            let share = 100.0 * in_bits(limited) / in_bits(busy);
            let _ = write!(out, " {key}:{}ms({share:.1}%)", limited / 1000);
        }
    }
}

fn losses(out: &mut Vec<u8>, fields: &Fields<'_>, state: State) {
    count(out, "unacked", fields.u32(24));
    let (now, total) = (fields.u32(36), fields.u32(100));
    if now != 0 || total != 0 {
        let _ = write!(out, " retrans:{now}/{total}");
    }
    count(out, "lost", fields.u32(32));
    // Of a listener it is the limit of the accept queue.
    if state != State::Listen {
        count(out, "sacked", fields.u32(28));
    }
    count(out, "dsack_dups", fields.u32(216));
    count(out, "fackets", fields.u32(40));
    if fields.u32(88) != REORDERING {
        let _ = write!(out, " reordering:{}", fields.u32(88));
    }
    count(out, "reord_seen", fields.u32(220));
}

fn receiving(out: &mut Vec<u8>, fields: &Fields<'_>) {
    fraction(out, "rcv_rtt", fields.in_units(92, 1000.0));
    count(out, "rcv_space", fields.u32(96));
    count(out, "rcv_ssthresh", fields.u32(64));
    count(out, "notsent", fields.u32(144));
    // All ones: never measured.
    if fields.u32(148) != u64::from(u32::MAX) {
        fraction(out, "minrtt", fields.in_units(148, 1000.0));
    }
    count(out, "rcv_ooopack", fields.u32(224));
    count(out, "snd_wnd", fields.u32(228));
}

/// TLS or MPTCP on top.
pub(super) fn upper_layer(out: &mut Vec<u8>, layer: &UpperLayer) {
    out.extend(b" tcp-ulp-");
    out.extend(layer.name.as_bytes());
    if let Some(tls) = &layer.tls {
        // 6.1.0 knows no cipher by name that came later; the number stands in brackets there.
        for (key, name) in [
            ("version", tls.version_name()),
            ("cipher", tls.cipher_name()),
            ("rxconf", crate::model::details::Tls::work(tls.receiving)),
            ("txconf", crate::model::details::Tls::work(tls.sending)),
        ] {
            if let Some(name) = name {
                let _ = write!(out, " {key}: {name}");
            }
        }
        if tls.zerocopy {
            out.extend(b" zc_ro_tx");
        }
        if tls.no_padding {
            out.extend(b" no_pad_rx");
        }
    }
    if let Some(subflow) = &layer.mptcp {
        super::mptcp::subflow(out, subflow);
    }
}
