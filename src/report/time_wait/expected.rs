//! How many sockets a rate of closing leaves in TIME_WAIT, and why there are more or fewer.
//!
//! Each stays 60 s, so a steady rate leaves rate × 60 (Little's law). Where the two disagree, the
//! rate has changed within the minute, or sockets do not stay.

use super::history::{History, SECONDS};
use crate::model::{snapshot::Snapshot, socket::TIME_WAIT_MS};
use serde::Serialize;
use std::cmp::Ordering;

/// Window for a rate where there was one look only, in milliseconds.
const HISTORY_WINDOW_MS: u32 = 5_000;
/// A difference this small is chance: one close more or less in a window of one second is 60.
const CHANCE: u32 = 120;
/// The same where ten seconds were counted.
const FEW: u32 = 12;

/// Where the rate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RateSource {
    /// Growth of `TW` and `TWKilled`: exact, orphan FIN_WAIT_2 included.
    Counters,
    /// Sockets younger than the window: those that are gone already are missing.
    History,
}

/// How total and rate fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// They agree.
    Steady,
    /// Closing has become faster within the last minute.
    Burst,
    /// Closing has become slower, or stopped.
    Decay,
    /// The kernel's table is full: closes skip TIME_WAIT.
    Overflow,
    /// connect(2) takes TIME_WAIT sockets over (`tcp_tw_reuse`).
    Recycling,
    /// Sockets leave before their time, which no counter tells: a new connection of the same
    /// client port was accepted, or a RST arrived.
    EndedEarly,
    /// No rate is known.
    Unknown,
}

/// Rate and expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Sockets that entered TIME_WAIT per second.
    pub rate_per_second: Option<f64>,
    /// Where that comes from.
    pub source: Option<RateSource>,
    /// What the rate leaves behind if it stays.
    pub total: Option<u32>,
    /// How it fits what is there.
    pub trend: Trend,
}

/// The window in which a rate is counted, in milliseconds.
pub fn window_ms(snapshot: &Snapshot) -> u32 {
    let measured = snapshot.window_ms().and_then(|window| u32::try_from(window).ok());
    measured.map_or(HISTORY_WINDOW_MS, |window| window.clamp(1, TIME_WAIT_MS))
}

/// A number of events in a window as a rate, to a hundredth.
pub fn per_second(events: u32, window_ms: u32) -> f64 {
    (f64::from(events) * 100_000.0 / f64::from(window_ms.max(1))).round() / 100.0
}

/// Compares. `history` is that of all sockets in TIME_WAIT.
pub fn of(snapshot: &Snapshot, history: &History, orphans: u32) -> Expected {
    let (total, seconds) = (history.count, history.per_second());
    let counted = created(snapshot);
    let (events, window, source) = if let Some((events, window)) = counted {
        (events, window, RateSource::Counters)
    } else {
        let window = window_ms(snapshot);
        (history.closed_within(), window, RateSource::History)
    };
    let knows_ages = total == 0 || seconds.iter().any(|n| *n > 0) || counted.is_some();
    if !knows_ages && history.oldest_ms.is_none() {
        return Expected {
            rate_per_second: None,
            source: None,
            total: None,
            trend: Trend::Unknown,
        };
    }
    let expected = u64::from(events) * u64::from(TIME_WAIT_MS) / u64::from(window.max(1));
    let expected = u32::try_from(expected).unwrap_or(u32::MAX);
    // The counters count orphan FIN_WAIT_2 as well, which are mini-sockets of the same kind.
    let present = if source == RateSource::Counters { total + orphans } else { total };
    Expected {
        rate_per_second: Some(per_second(events, window)),
        source: Some(source),
        total: Some(expected),
        trend: trend(snapshot, present, expected, &seconds),
    }
}

/// Mini-sockets created in the window, by the counters, where they count creations.
///
/// Linux 6.1 counts `TW` and `TWKilled` when a mini-socket is made, 5.15 when its timer runs out.
/// The history is right on either, so the counters are used only where that is certain: by the
/// release, and because more were counted than there are.
fn created(snapshot: &Snapshot) -> Option<(u32, u32)> {
    let window = u32::try_from(snapshot.window_ms()?).ok()?;
    let counters = snapshot.counters()?;
    let counted = counters.get("TcpExt.TW")? + counters.get("TcpExt.TWKilled")?;
    let (major, minor) = release(snapshot.about.host.kernel.as_deref()?)?;
    if (major, minor) < (6, 1) || counters.get("sockstat.TCP.tw").is_some_and(|tw| tw > counted) {
        return None;
    }
    let grown = snapshot.growth("TcpExt.TW")? + snapshot.growth("TcpExt.TWKilled")?;
    Some((u32::try_from(grown).ok()?, window))
}

/// `6.18.44-fc` as (6, 18).
pub fn release(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Within twice of each other.
fn similar(a: u32, b: u32) -> bool {
    a <= b.saturating_mul(2) && b <= a.saturating_mul(2)
}

fn trend(snapshot: &Snapshot, present: u32, expected: u32, seconds: &[u32]) -> Trend {
    if similar(expected, present) {
        return Trend::Steady;
    }
    if expected.abs_diff(present) <= CHANCE {
        // Too few in a short window to tell: the last ten seconds tell better.
        let recent = seconds.iter().take(10).sum::<u32>() * 6;
        return match recent.cmp(&present) {
            _ if similar(recent, present) || recent.abs_diff(present) <= FEW => Trend::Steady,
            Ordering::Less => Trend::Decay,
            _ => Trend::Burst,
        };
    }
    if expected < present {
        return Trend::Decay;
    }
    let grows = |name| snapshot.growth(name).is_some_and(|grown| grown > 0);
    if grows("TcpExt.TCPTimeWaitOverflow") {
        return Trend::Overflow;
    }
    if grows("TcpExt.TWRecycled") {
        return Trend::Recycling;
    }
    // The last seconds are as dense as the rate says, those before are not: it has just begun.
    let recent: u32 = seconds.iter().take(3).sum();
    let expected_recent = u64::from(expected) * 3 / u64::from(SECONDS);
    if u64::from(recent) * 2 >= expected_recent { Trend::Burst } else { Trend::EndedEarly }
}
