//! The last minute, rebuilt from one look: what remains of the fixed 60 s says when each socket
//! was closed, so closes per second are known from before the program was started.
//!
//! It is a lower bound. A socket that was taken over by a new connection, or killed by a RST, is
//! gone; and a late segment of the old connection starts its 60 s again
//! (`tcp_timewait_state_process`).

use crate::model::socket::TIME_WAIT_MS;
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

/// When sockets in TIME_WAIT were closed, counted as they come: none is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    window_ms: u32,
    /// Sockets, those of unknown age included.
    pub count: u32,
    /// By whole seconds of age; the last are past their time.
    seconds: [u32; SECONDS as usize + 1],
    within: u32,
    /// Age of the oldest, in milliseconds, at most 60000. `None`: no age is known.
    pub oldest_ms: Option<u32>,
    /// What the youngest has left, in milliseconds. `None`: no age is known.
    pub left_ms: Option<u32>,
}

impl History {
    /// Of nothing so far; closes within the last `window_ms` are counted apart.
    pub const fn new(window_ms: u32) -> Self {
        let seconds = [0; SECONDS as usize + 1];
        Self { window_ms, count: 0, seconds, within: 0, oldest_ms: None, left_ms: None }
    }

    /// One more socket in TIME_WAIT, with what it has left of its 60 s, in milliseconds.
    pub fn add(&mut self, left_ms: Option<u32>) {
        self.count += 1;
        let Some(left) = left_ms else { return };
        let age = TIME_WAIT_MS.saturating_sub(left);
        if let Some(second) = self.seconds.get_mut((age / 1000) as usize) {
            *second += 1;
        }
        self.within += u32::from(age < self.window_ms);
        self.oldest_ms = self.oldest_ms.max(Some(age));
        self.left_ms = self.left_ms.max(Some(left));
    }

    /// Closes within the window.
    pub const fn closed_within(&self) -> u32 {
        self.within
    }

    /// Closes in each of the last 60 seconds, the last second first.
    pub fn per_second(&self) -> Vec<u32> {
        self.seconds.iter().copied().take(SECONDS as usize).collect()
    }

    /// Sockets by age in bars of five seconds; the last bar holds those the timer wheel has not come
    /// round to.
    pub fn histogram(&self) -> Vec<Bar> {
        let bars = self.seconds.chunks(BAR_S as usize).map(|seconds| seconds.iter().sum());
        let from = (0..).step_by(BAR_S as usize);
        let bar = |(from_s, count)| {
            let to_s = if from_s < SECONDS { from_s + BAR_S } else { LATEST_S };
            Bar { from_s, to_s, count }
        };
        from.zip(bars).map(bar).collect()
    }
}

/// Closes within the last `window_ms`, of sockets that are in TIME_WAIT for so many milliseconds.
pub fn closed_within(ages: impl IntoIterator<Item = u32>, window_ms: u32) -> u32 {
    ages.into_iter().filter(|age| *age < window_ms).fold(0, |sum, _| sum + 1)
}
