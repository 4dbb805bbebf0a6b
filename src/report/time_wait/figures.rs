//! The figures of the report, as its JSON has them.

use super::{
    expected::{RateSource, Trend},
    groups::Group,
    history::Bar,
    verdict::{Verdict, Why},
};
use crate::report::remedy::{Avoid, Remedy};
use serde::Serialize;

/// The figures of the report.
#[derive(Debug, Clone, Serialize)]
pub struct TimeWait {
    /// Sockets in TIME_WAIT.
    pub total: u32,
    /// Those that came in by a listener.
    pub server_side: u32,
    /// Those that went out.
    pub client_side: u32,
    /// `tcp_max_tw_buckets`: mini-sockets the kernel keeps. `None`: it could not be read.
    pub limit: Option<u64>,
    /// Time between two looks, in milliseconds. `None`: there was one.
    pub window_ms: Option<u64>,
    /// Sockets that entered TIME_WAIT per second.
    pub rate_per_second: Option<f64>,
    /// Where the rate comes from.
    pub rate_source: Option<RateSource>,
    /// What that rate leaves behind if it stays: rate × 60 s.
    pub expected_total: Option<u32>,
    /// How total and expectation fit together.
    pub trend: Trend,
    /// Closes that found the kernel's table full, in the window.
    pub overflows: Option<u64>,
    /// Sockets in TIME_WAIT that connect(2) took over, in the window.
    pub recycled: Option<u64>,
    /// FIN_WAIT_2 whose process is gone; the kernel counts them with TIME_WAIT (`tw` of sockstat).
    pub orphan_fin_wait_2: u32,
    /// Memory, estimated: 256 bytes each, and as much again for the port of an outgoing one.
    pub memory_bytes: u64,
    /// Until the last of those here is gone, if no more are closed, in milliseconds; up to 5 s
    /// more by the kernel's timer wheel. `None`: there are none.
    pub clear_in_ms: Option<u32>,
    /// Sockets by age.
    pub age_histogram: Vec<Bar>,
    /// Closes in each of the last 60 seconds, the last second first.
    pub closed_per_second: Vec<u32>,
    /// Whether any of it harms.
    pub verdict: Verdict,
    /// Why: the worst of the groups, then what concerns all.
    pub reasons: Vec<Why>,
    /// Listeners and destinations, the most harmful first, then the largest.
    pub groups: Vec<Group>,
    /// Groups left out by a limit.
    pub groups_left_out: u32,
    /// Whether owners are those that a part of the descriptors told: shares are about right, and who has
    /// less than a twentieth of the open connections may be missing.
    pub owners_sampled: bool,
    /// What to do, in the order to try it.
    pub advice: Vec<Remedy>,
    /// What not to do.
    pub avoid: Vec<Avoid>,
}
