//! What a round found out.

use super::entry::{Entry, Key};
use crate::{
    field::row::Context,
    model::{
        about::SourceKind,
        gap::Gap,
        netns::Netns,
        owner::Owners,
        socket::Socket,
        tcp_info::{TCP_FIELDS, TcpField, TcpInfo},
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

/// Counters of one socket since it was opened; `None`: its kernel does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Bytes sent, retransmissions left out.
    pub sent: Option<u64>,
    /// Bytes received.
    pub received: Option<u64>,
    /// Segments sent again.
    pub retransmitted: Option<u64>,
    /// Smoothed round-trip time, in microseconds. `None`: never measured.
    pub rtt_us: Option<u64>,
}

/// The fields of `tcp_info` they are read from, found once: it is done for every row.
static PLACES: LazyLock<[Option<&TcpField>; 6]> = LazyLock::new(|| {
    ["bytes_sent", "bytes_retrans", "bytes_acked", "bytes_received", "total_retrans", "rtt"]
        .map(|id| TCP_FIELDS.iter().find(|field| field.id == id))
});

impl Counted {
    /// Reads them off.
    ///
    /// `bytes_sent` and `bytes_retrans` came with 4.19; before, what the peer has acknowledged is
    /// the nearest (`bytes_acked`).
    pub fn of(info: &TcpInfo) -> Self {
        let [sent, again, acked, received, retransmitted, rtt] =
            PLACES.map(|field| field.and_then(|field| info.value(field)));
        Self {
            sent: sent.zip(again).map(|(sent, again)| sent.saturating_sub(again)).or(acked),
            received,
            retransmitted,
            rtt_us: rtt,
        }
    }
}

/// Owners that were looked for.
#[derive(Debug, Clone)]
pub struct Found {
    /// Inodes that were looked for. `None`: every one.
    pub asked: Option<Arc<HashSet<u64>>>,
    /// Who holds them.
    pub owners: Arc<Owners>,
}

/// A socket with everything that is known of it.
#[derive(Debug)]
pub struct Detail {
    /// Which.
    pub key: Key,
    /// The socket, with every attribute.
    pub socket: Socket,
    /// Its owners and names.
    pub context: Context,
}

/// The answer of a round.
#[derive(Debug)]
pub struct Refresh {
    /// Number of the question it answers.
    pub question: u64,
    /// When, since the watch began.
    pub at: Duration,
    /// When, by the clock.
    pub time: SystemTime,
    /// Every socket that was asked for. `None`: only what is on the screen was asked about.
    pub entries: Option<Vec<Entry>>,
    /// Sockets left out because the filter could not be answered of them.
    pub unanswered: u64,
    /// Counters of those they were wanted of.
    pub counted: Vec<(Key, Counted)>,
    /// Owners, where a look-up has ended.
    pub found: Option<Found>,
    /// The socket everything was wanted of. `None`: none was, or it is gone.
    pub detail: Option<Box<Detail>>,
    /// Where the sockets came from.
    pub source: SourceKind,
    /// Why /proc was read instead of netlink.
    pub fallback_reason: Option<String>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// The namespaces looked at. Empty: as before.
    pub namespaces: Vec<Netns>,
    /// Time the round took.
    pub cost: Duration,
}
