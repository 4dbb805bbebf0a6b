//! `struct tcp_info` (`linux/tcp.h`), kept as the kernel sent it and read by offset.
//!
//! Kernels send 104 to 280 bytes: a field exists if the struct is long enough, an unknown tail is
//! ignored. One table names every field; columns, JSON keys and the manual come from it.

pub use super::layout::Place;

/// Unit of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpUnit {
    /// A plain number.
    Count,
    /// Segments.
    Segments,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Bytes per second.
    BytesPerSecond,
}

/// One field of the struct.
#[derive(Debug)]
pub struct TcpField {
    /// Column id.
    pub id: &'static str,
    /// JSON key inside `tcp_info`, with the unit.
    pub key: &'static str,
    /// Table heading.
    pub header: &'static str,
    /// Its unit.
    pub unit: TcpUnit,
    /// Where it lies.
    pub place: Place,
    /// Kernel that added it; "old" where it is older than 4.4.
    pub since: &'static str,
    /// One line for help and the manual.
    pub summary: &'static str,
    /// Kernel name.
    pub source: &'static str,
}

macro_rules! fields {
    ($($id:literal $key:literal $header:literal $unit:ident $place:ident $offset:literal $since:literal $source:literal $summary:literal;)*) => {
        /// Every field, in the order of the struct.
        pub const TCP_FIELDS: &[TcpField] = &[$(TcpField {
            id: $id, key: $key, header: $header, unit: TcpUnit::$unit, place: Place::$place($offset),
            since: $since, summary: $summary, source: concat!("tcp_info.tcpi_", $source),
        }),*];
    };
}

#[rustfmt::skip]
fields! {
    "ca_state" "ca_state" "CaState" Count U8 1 "old" "ca_state" "congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss";
    "rto_retransmits" "rto_retransmits" "RtoRetr" Count U8 2 "old" "retransmits" "timeouts of the oldest segment so far";
    "probes" "probes" "Probes" Count U8 3 "old" "probes" "unanswered window or keepalive probes";
    "backoff" "backoff" "Backoff" Count U8 4 "old" "backoff" "how often the timeout was doubled";
    "tcp_options" "options" "TcpOpts" Count U8 5 "old" "options" "1 timestamps 2 SACK 4 scaling 8 ECN 16 seen 32 SYN data 64 µs 128 TFO";
    "snd_wscale" "snd_wscale" "SndScale" Count LowNibble 6 "old" "snd_wscale" "window scale the peer announced";
    "rcv_wscale" "rcv_wscale" "RcvScale" Count HighNibble 6 "old" "rcv_wscale" "window scale this side announced";
    "app_limited" "delivery_rate_app_limited" "AppLim" Count Bit0 7 "4.9" "delivery_rate_app_limited" "1: delivery_rate was limited by the sender's program";
    "fastopen_client_fail" "fastopen_client_fail" "TfoFail" Count Bits12 7 "5.5" "fastopen_client_fail" "TCP Fast Open: 1 no cookie, 2 data not acknowledged, 3 SYN retransmitted";
    "rto" "rto_us" "Rto" Microseconds U32 8 "old" "rto" "retransmission timeout";
    "ato" "ato_us" "Ato" Microseconds U32 12 "old" "ato" "delayed-ACK timeout";
    "mss" "snd_mss_bytes" "Mss" Bytes U32 16 "old" "snd_mss" "largest segment this side sends";
    "rcv_mss" "rcv_mss_bytes" "RcvMss" Bytes U32 20 "old" "rcv_mss" "estimate of the peer's segment size";
    "unacked" "unacked_segments" "Unacked" Segments U32 24 "old" "unacked" "sent and not acknowledged; LISTEN: accept queue";
    "sacked" "sacked_segments" "Sacked" Segments U32 28 "old" "sacked" "selectively acknowledged; LISTEN: accept queue limit";
    "lost" "lost_segments" "Lost" Segments U32 32 "old" "lost" "taken for lost";
    "retrans" "retrans_segments" "Retrans" Segments U32 36 "old" "retrans" "retransmitted and not acknowledged";
    "fackets" "fackets_segments" "Fackets" Segments U32 40 "old" "fackets" "forward-acknowledged; 0 since kernel 4.15";
    "last_data_sent" "last_data_sent_ms" "LastSnd" Milliseconds U32 44 "old" "last_data_sent" "time since data was last sent";
    "last_data_recv" "last_data_recv_ms" "LastRcv" Milliseconds U32 52 "old" "last_data_recv" "time since data was last received";
    "last_ack_recv" "last_ack_recv_ms" "LastAck" Milliseconds U32 56 "old" "last_ack_recv" "time since an ACK was last received";
    "pmtu" "pmtu_bytes" "Pmtu" Bytes U32 60 "old" "pmtu" "path MTU";
    "rcv_ssthresh" "rcv_ssthresh_bytes" "RcvSsthr" Bytes U32 64 "old" "rcv_ssthresh" "limit of the announced window";
    "rtt" "rtt_us" "Rtt" Microseconds U32 68 "old" "rtt" "smoothed round-trip time";
    "rttvar" "rttvar_us" "RttVar" Microseconds U32 72 "old" "rttvar" "mean deviation of the round-trip time";
    "ssthresh" "snd_ssthresh_segments" "Ssthresh" Segments U32 76 "old" "snd_ssthresh" "slow-start threshold; 2147483647 is none";
    "cwnd" "snd_cwnd_segments" "Cwnd" Segments U32 80 "old" "snd_cwnd" "congestion window";
    "advmss" "advmss_bytes" "AdvMss" Bytes U32 84 "old" "advmss" "segment size this side announced";
    "reordering" "reordering_segments" "Reorder" Segments U32 88 "old" "reordering" "reordering tolerated";
    "rcv_rtt" "rcv_rtt_us" "RcvRtt" Microseconds U32 92 "old" "rcv_rtt" "round-trip time measured as receiver";
    "rcv_space" "rcv_space_bytes" "RcvSpace" Bytes U32 96 "old" "rcv_space" "receive buffer auto-tuning: bytes copied per round trip";
    "total_retrans" "total_retrans_segments" "TotRetr" Segments U32 100 "old" "total_retrans" "retransmitted over the whole life";
    "pacing_rate" "pacing_rate_bytes_per_second" "Pacing" BytesPerSecond U64 104 "old" "pacing_rate" "pacing rate";
    "max_pacing_rate" "max_pacing_rate_bytes_per_second" "MaxPacing" BytesPerSecond U64 112 "old" "max_pacing_rate" "limit of the pacing rate; all ones is none";
    "bytes_acked" "bytes_acked" "Acked" Bytes U64 120 "old" "bytes_acked" "sent and acknowledged over the whole life";
    "bytes_received" "bytes_received" "Received" Bytes U64 128 "old" "bytes_received" "received over the whole life";
    "segs_out" "segs_out" "SegsOut" Segments U32 136 "old" "segs_out" "segments sent, retransmissions included";
    "segs_in" "segs_in" "SegsIn" Segments U32 140 "old" "segs_in" "segments received";
    "notsent" "notsent_bytes" "NotSent" Bytes U32 144 "4.9" "notsent_bytes" "queued and never sent";
    "min_rtt" "min_rtt_us" "MinRtt" Microseconds U32 148 "4.9" "min_rtt" "smallest round-trip time seen";
    "data_segs_in" "data_segs_in" "DataIn" Segments U32 152 "4.9" "data_segs_in" "segments with data received";
    "data_segs_out" "data_segs_out" "DataOut" Segments U32 156 "4.9" "data_segs_out" "segments with data sent";
    "delivery_rate" "delivery_rate_bytes_per_second" "Delivery" BytesPerSecond U64 160 "4.9" "delivery_rate" "most recent rate at which data was delivered";
    "busy_time" "busy_time_us" "Busy" Microseconds U64 168 "4.14" "busy_time" "time with data to send";
    "rwnd_limited" "rwnd_limited_us" "RwndLim" Microseconds U64 176 "4.14" "rwnd_limited" "time limited by the peer's window";
    "sndbuf_limited" "sndbuf_limited_us" "SndLim" Microseconds U64 184 "4.14" "sndbuf_limited" "time limited by the send buffer";
    "delivered" "delivered_segments" "Delivered" Segments U32 192 "4.19" "delivered" "segments delivered";
    "delivered_ce" "delivered_ce_segments" "DelivCe" Segments U32 196 "4.19" "delivered_ce" "of those, marked by ECN";
    "bytes_sent" "bytes_sent" "Sent" Bytes U64 200 "4.19" "bytes_sent" "sent over the whole life, retransmissions included";
    "bytes_retrans" "bytes_retrans" "RetrBytes" Bytes U64 208 "4.19" "bytes_retrans" "of those, retransmitted";
    "dsack_dups" "dsack_dups" "Dsack" Segments U32 216 "4.19" "dsack_dups" "duplicates the peer reported";
    "reord_seen" "reord_seen" "ReordSeen" Count U32 220 "4.19" "reord_seen" "reordering events";
    "rcv_ooopack" "rcv_ooopack_segments" "RcvOoo" Segments U32 224 "5.4" "rcv_ooopack" "received out of order";
    "snd_wnd" "snd_wnd_bytes" "SndWnd" Bytes U32 228 "5.4" "snd_wnd" "window the peer announced";
    "rcv_wnd" "rcv_wnd_bytes" "RcvWnd" Bytes U32 232 "6.2" "rcv_wnd" "window this side announced";
    "rehash" "rehash" "Rehash" Count U32 236 "6.2" "rehash" "path changes after timeouts";
    "total_rto" "total_rto" "TotRto" Count U16 240 "6.6" "total_rto" "retransmission timeouts over the whole life";
    "total_rto_recoveries" "total_rto_recoveries" "RtoRecov" Count U16 242 "6.6" "total_rto_recoveries" "recoveries after timeouts";
    "total_rto_time" "total_rto_time_ms" "RtoTime" Milliseconds U32 244 "6.6" "total_rto_time" "time spent in those recoveries";
    "received_ce" "received_ce_segments" "RecvCe" Segments U32 248 "6.18" "received_ce" "segments received with a CE mark";
    "delivered_e1" "delivered_e1_bytes" "DelivE1" Bytes U32 252 "6.18" "delivered_e1_bytes" "delivered with ECT(1)";
    "delivered_e0" "delivered_e0_bytes" "DelivE0" Bytes U32 256 "6.18" "delivered_e0_bytes" "delivered with ECT(0)";
    "delivered_ce_bytes" "delivered_ce_bytes" "DelivCeB" Bytes U32 260 "6.18" "delivered_ce_bytes" "delivered with CE";
    "received_e1" "received_e1_bytes" "RecvE1" Bytes U32 264 "6.18" "received_e1_bytes" "received with ECT(1)";
    "received_e0" "received_e0_bytes" "RecvE0" Bytes U32 268 "6.18" "received_e0_bytes" "received with ECT(0)";
    "received_ce_bytes" "received_ce_bytes" "RecvCeB" Bytes U32 272 "6.18" "received_ce_bytes" "received with CE";
    "accecn" "accecn" "AccEcn" Count U32 276 "6.18" "accecn_fail_mode, tcpi_accecn_opt_seen" "raw word of AccECN: its two halves differ between 6.18 and 7.0";
}

/// A field by its id, for who reads it of every socket.
///
/// # Panics
///
/// Where there is no such field: in a constant, which is where it is for, that does not compile.
pub const fn field(id: &str) -> &'static TcpField {
    let mut at = 0;
    while at < TCP_FIELDS.len() {
        if is_same(TCP_FIELDS[at].id, id) {
            return &TCP_FIELDS[at];
        }
        at += 1;
    }
    panic!("no such field of tcp_info")
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Where `rtt`, `rcv_rtt` and `min_rtt` lie.
const ROUND_TRIPS: [Place; 3] = [Place::U32(68), Place::U32(92), Place::U32(148)];

/// Bytes of the struct that this build knows (Linux 6.18).
const KNOWN: usize = 280;

/// The struct as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpInfo {
    bytes: [u8; KNOWN],
    len: u16,
}

impl TcpInfo {
    /// Keeps what the kernel sent; a longer struct than this build knows loses its tail.
    pub fn from_kernel(sent: &[u8]) -> Self {
        let mut info = Self { bytes: [0; KNOWN], len: 0 };
        info.take(sent);
        info
    }

    /// The same, in the place of another.
    #[inline]
    pub fn take(&mut self, sent: &[u8]) {
        if let Some(whole) = sent.first_chunk() {
            self.bytes = *whole;
        } else {
            self.bytes = [0; KNOWN];
            for (to, from) in self.bytes.iter_mut().zip(sent) {
                *to = *from;
            }
        }
        self.len = u16::try_from(sent.len().min(KNOWN)).unwrap_or(0);
    }

    /// The bytes as received, at most those this build knows.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Reads a field; `None` where this kernel's struct ends before it.
    #[inline]
    pub fn get(&self, place: Place) -> Option<u64> {
        place.read(self.bytes())
    }

    /// The value of a field; `None` where this kernel's struct ends before it, and for a round-trip
    /// time that was never measured.
    ///
    /// That is 0 in `srtt_us` and `rcv_rtt_est`, and all ones in the smallest one
    /// (`tcp_init_sock` resets it so); a listener fills in none of them (`tcp_get_info`).
    #[inline]
    pub fn value(&self, field: &TcpField) -> Option<u64> {
        let value = self.get(field.place)?;
        let unmeasured = value == 0 || value == u64::from(u32::MAX);
        (!(unmeasured && ROUND_TRIPS.contains(&field.place))).then_some(value)
    }

    /// Reads a field by column id; `None` where there is no such field or it has no value.
    pub fn by_id(&self, id: &str) -> Option<u64> {
        TCP_FIELDS.iter().find(|f| f.id == id).and_then(|f| self.value(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_struct_lacks_fields_and_a_longer_one_loses_its_tail() {
        let mut sent = vec![0u8; 300];
        sent[68..72].copy_from_slice(&412u32.to_ne_bytes());
        sent[228..232].copy_from_slice(&65535u32.to_ne_bytes());
        let whole = TcpInfo::from_kernel(&sent);
        assert_eq!(whole.by_id("rtt"), Some(412));
        assert_eq!(whole.by_id("snd_wnd"), Some(65535));
        assert_eq!(whole.bytes().len(), KNOWN);
        let old = TcpInfo::from_kernel(&sent[..104]);
        assert_eq!(old.by_id("rtt"), Some(412));
        assert_eq!(old.by_id("snd_wnd"), None);
        assert_eq!(old.by_id("pacing_rate"), None);
        for cut in 0..sent.len() {
            let _ = TcpInfo::from_kernel(&sent[..cut]).by_id("received_ce_bytes");
        }
    }

    #[test]
    fn a_round_trip_that_was_never_measured_has_no_value() {
        let mut sent = vec![0u8; KNOWN];
        sent[148..152].copy_from_slice(&u32::MAX.to_ne_bytes());
        let unmeasured = TcpInfo::from_kernel(&sent);
        for id in ["rtt", "rcv_rtt", "min_rtt"] {
            assert_eq!(unmeasured.by_id(id), None, "{id}");
        }
        assert_eq!(unmeasured.by_id("rttvar"), Some(0));
        for at in [68, 92, 148] {
            sent[at..at + 4].copy_from_slice(&13u32.to_ne_bytes());
        }
        let measured = TcpInfo::from_kernel(&sent);
        for id in ["rtt", "rcv_rtt", "min_rtt"] {
            assert_eq!(measured.by_id(id), Some(13), "{id}");
        }
        let places: Vec<Place> = ["rtt", "rcv_rtt", "min_rtt"]
            .iter()
            .filter_map(|id| TCP_FIELDS.iter().find(|f| f.id == *id))
            .map(|f| f.place)
            .collect();
        assert_eq!(places, ROUND_TRIPS);
    }

    #[test]
    fn fields_lie_inside_the_struct_and_do_not_overlap() {
        let mut end = 0;
        for f in TCP_FIELDS {
            let (at, size) = match f.place {
                Place::U8(at)
                | Place::LowNibble(at)
                | Place::HighNibble(at)
                | Place::Bit0(at)
                | Place::Bits12(at) => (at, 1),
                Place::U16(at) => (at, 2),
                Place::U32(at) => (at, 4),
                Place::U64(at) => (at, 8),
            };
            let shares = matches!(f.place, Place::HighNibble(_) | Place::Bits12(_));
            assert!(at >= end || shares, "{} overlaps", f.id);
            end = at + size;
            assert!(end <= KNOWN);
        }
    }
}
