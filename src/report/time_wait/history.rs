//! The last minute, rebuilt from one look: what remains of the fixed 60 s says when each socket
//! was closed, so closes per second are known from before the program was started.
//!
//! It is a lower bound. A socket that was taken over by a new connection, or killed by a RST, is
//! gone; and a late segment of the old connection starts its 60 s again
//! (`tcp_timewait_state_process`).

use crate::model::socket::{Socket, TIME_WAIT_MS};
use serde::Serialize;

/// Seconds a history reaches back.
pub const SECONDS: u32 = TIME_WAIT_MS / 1000;
/// Width of a bar of the histogram, in seconds.
const BAR_S: u32 = 5;
/// A socket outlives its 60 s until its slot of the kernel's timer wheel comes round: at most 512
/// ticks, 5.12 s where the kernel has 100 ticks a second (`kernel/time/timer.c`).
const LATEST_S: u32 = SECONDS + 6;

/// Sockets by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// From this age, in seconds, included.
    pub from_s: u32,
    /// To this age, in seconds, excluded.
    pub to_s: u32,
    /// Sockets in TIME_WAIT of that age.
    pub count: u32,
}

/// Sockets by age in bars of five seconds; the last bar holds those the timer wheel has not come
/// round to.
pub fn histogram<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = (0..SECONDS / BAR_S)
        .map(|bar| Bar { from_s: bar * BAR_S, to_s: (bar + 1) * BAR_S, count: 0 })
        .chain([Bar { from_s: SECONDS, to_s: LATEST_S, count: 0 }])
        .collect();
    for age in ages(sockets) {
        if let Some(bar) = bars.get_mut((age / 1000 / BAR_S) as usize) {
            bar.count += 1;
        }
    }
    bars
}

/// Closes in each of the last 60 seconds, the last second first.
pub fn per_second<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<u32> {
    let mut seconds = vec![0; SECONDS as usize];
    for age in ages(sockets) {
        if let Some(second) = seconds.get_mut((age / 1000) as usize) {
            *second += 1;
        }
    }
    seconds
}

/// Closes within the last `window_ms`.
pub fn closed_within<'s>(sockets: impl IntoIterator<Item = &'s Socket>, window_ms: u32) -> u32 {
    ages(sockets).filter(|age| *age < window_ms).fold(0, |sum, _| sum + 1)
}

/// Ages in milliseconds, 60000 for those past their time.
fn ages<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> impl Iterator<Item = u32> {
    sockets.into_iter().filter_map(Socket::age_ms)
}
