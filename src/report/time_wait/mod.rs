//! TIME_WAIT: how many, how fast, who closes, whether it harms, and what to do.

pub mod advice;
pub mod attribution;
pub mod destination;
pub mod expected;
pub mod groups;
pub mod history;
pub mod listeners;
pub mod programs;
pub mod split;
pub mod verdict;

use super::{
    ephemeral::EphemeralPorts,
    remedy::{Avoid, Remedy},
};
use crate::model::{snapshot::Snapshot, socket::Socket, state::State};
use advice::Situation;
use expected::{RateSource, Trend};
use groups::{Group, whole};
use history::Bar;
use serde::Serialize;
use split::Side;
use verdict::{Verdict, Why};

/// Bytes of a mini-socket (`tw_sock_TCP` and `tw_sock_TCPv6`, measured on 6.18).
const MINI_BYTES: u64 = 256;
/// Bytes of the two bind buckets that the last user of a local port keeps.
const BIND_BYTES: u64 = 256;

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
    /// What to do, in the order to try it.
    pub advice: Vec<Remedy>,
    /// What not to do.
    pub avoid: Vec<Avoid>,
}

/// Makes the report, with at most so many groups.
pub fn of(snapshot: &Snapshot, limit: Option<usize>) -> TimeWait {
    let time_wait: Vec<&Socket> =
        snapshot.sockets.iter().filter(|s| s.state == State::TimeWait).collect();
    let orphans = snapshot.sockets.iter().filter(|s| s.state == State::FinWait2 && s.is_mini());
    let orphans = orphans.fold(0, |sum, _| sum + 1);
    let total = whole(time_wait.len());
    let closed_per_second = history::per_second(time_wait.iter().copied());
    let expected = expected::of(snapshot, total, orphans, &closed_per_second);
    let overflows = snapshot.growth("TcpExt.TCPTimeWaitOverflow");
    let buckets = snapshot.settings.number("net.ipv4.tcp_max_tw_buckets");
    let ephemeral = EphemeralPorts::of(snapshot);
    let mut groups = groups::of(snapshot, ephemeral.as_ref());
    let on = |side| groups.iter().filter(|g| g.side == side).map(|g| g.count).sum();
    let (server_side, client_side) = (on(Side::Server), on(Side::Client));

    let table_limit = buckets.and_then(|limit| u32::try_from(limit).ok());
    let of_all = [
        verdict::table(total + orphans, table_limit, overflows, expected.total, expected.trend),
        verdict::collisions(snapshot),
    ];
    let mut reasons: Vec<Why> = groups.first().map(|worst| worst.reason).into_iter().collect();
    reasons.extend(of_all.into_iter().flatten());
    if reasons.is_empty() {
        reasons.push(Why::Nothing);
    }
    // Worst first; of equals the groups' before the rest.
    reasons.sort_by_key(|why| std::cmp::Reverse(why.verdict()));
    let verdict = reasons.first().map_or(Verdict::Harmless, |why| why.verdict());
    let situation = Situation {
        snapshot,
        groups: &groups,
        orphans,
        total,
        expected: expected.total,
        reasons: &reasons,
    };
    let (advice, avoid) = (advice::remedies(&situation), advice::avoid(&situation));
    let left_out = limit.map_or(0, |limit| groups.len().saturating_sub(limit));
    groups.truncate(limit.unwrap_or(usize::MAX));
    TimeWait {
        total,
        server_side,
        client_side,
        limit: buckets,
        window_ms: snapshot.window_ms(),
        rate_per_second: expected.rate_per_second,
        rate_source: expected.source,
        expected_total: expected.total,
        trend: expected.trend,
        overflows,
        recycled: snapshot.growth("TcpExt.TWRecycled"),
        orphan_fin_wait_2: orphans,
        memory_bytes: u64::from(total + orphans) * MINI_BYTES + u64::from(client_side) * BIND_BYTES,
        clear_in_ms: time_wait.iter().filter_map(|s| s.timer).map(|t| t.expires_ms).max(),
        age_histogram: history::histogram(time_wait.iter().copied()),
        closed_per_second,
        verdict,
        reasons,
        groups,
        groups_left_out: whole(left_out),
        advice,
        avoid,
    }
}

#[cfg(test)]
mod tests;
