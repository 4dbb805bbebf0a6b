//! Counters of the network stack.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counters by group and name: `TcpExt.TCPTimeWaitOverflow`, `Tcp.ActiveOpens` (they grow), and
/// gauges of /proc/net/sockstat: `sockstat.TCP.tw`, `sockstat6.TCP6.inuse` (they go up and down).
///
/// A name that is missing is one this kernel does not have, or whose file could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The values.
    pub values: BTreeMap<String, u64>,
}

impl Counters {
    /// A counter or gauge.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.values.get(name).copied()
    }

    /// By how much a counter grew since `earlier`. `None`: it is missing in one of them, or it
    /// went back (another namespace, a reboot).
    pub fn growth(&self, earlier: &Self, name: &str) -> Option<u64> {
        self.get(name)?.checked_sub(earlier.get(name)?)
    }
}

/// The counters at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the first sample of the snapshot, by a clock that does not jump.
    pub at_ms: u64,
    /// The counters.
    pub counters: Counters,
}
