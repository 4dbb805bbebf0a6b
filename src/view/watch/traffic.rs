//! Bytes and retransmissions by the second, from what the kernel counted at two rounds.

use crate::collect::live::{
    entry::{ByKey, Key},
    refresh::Counted,
};
use std::time::Duration;

/// Two counts nearer to each other than this tell no rate.
const NEAREST: Duration = Duration::from_millis(400);
/// Counts of sockets nobody looks at any more are kept this long.
const KEPT: Duration = Duration::from_mins(1);

/// What flows, by the second. `None`: not known, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Bytes sent.
    pub sent: Option<f32>,
    /// Bytes received.
    pub received: Option<f32>,
    /// Segments sent again.
    pub retransmitted: Option<f32>,
}

/// One socket's counters, and what they grew by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Since it was opened.
    pub counted: Counted,
    /// Between the last two counts.
    pub rates: Rates,
    at: Duration,
}

/// Counters of the sockets that are looked at.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    flows: ByKey<Flow>,
}

impl Traffic {
    /// Takes what a round counted.
    pub fn apply(&mut self, counted: &[(Key, Counted)], now: Duration) {
        for (key, counted) in counted {
            let Some(flow) = self.flows.get_mut(key) else {
                let rates = Rates::default();
                self.flows.insert(*key, Flow { counted: *counted, rates, at: now });
                continue;
            };
            let elapsed = now.saturating_sub(flow.at);
            if elapsed < NEAREST {
                flow.counted.rtt_us = counted.rtt_us;
                continue;
            }
            flow.rates = Rates {
                sent: grown(flow.counted.sent, counted.sent, elapsed),
                received: grown(flow.counted.received, counted.received, elapsed),
                retransmitted: grown(flow.counted.retransmitted, counted.retransmitted, elapsed),
            };
            flow.counted = *counted;
            flow.at = now;
        }
    }

    /// Lets go of sockets nobody has looked at for a minute.
    pub fn forget(&mut self, now: Duration) {
        self.flows.retain(|_, flow| now.saturating_sub(flow.at) < KEPT);
    }

    /// What is known of one.
    pub fn of(&self, key: &Key) -> Option<&Flow> {
        self.flows.get(key)
    }
}

/// By how much a counter grew a second.
fn grown(before: Option<u64>, now: Option<u64>, elapsed: Duration) -> Option<f32> {
    let more = now?.saturating_sub(before?);
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    Some(more as f32 / elapsed.as_secs_f32())
}

/// The last minute of a rate, by the second.
#[derive(Debug, Clone)]
pub struct History {
    seconds: [f32; Self::LENGTH],
    /// Seconds since the watch began of the newest.
    last: u64,
    /// Whether anything was taken.
    begun: bool,
}

impl Default for History {
    fn default() -> Self {
        Self { seconds: [f32::NAN; Self::LENGTH], last: 0, begun: false }
    }
}

impl History {
    /// Seconds it holds.
    pub const LENGTH: usize = 60;

    /// Takes the rate of the time since the last one.
    pub fn push(&mut self, now: Duration, rate: f32) {
        let second = now.as_secs();
        let from = if self.begun { (self.last + 1).min(second) } else { second };
        // What lies further back than the ring is long is overwritten once, not for every second.
        let from = from.max(second.saturating_sub(Self::LENGTH as u64 - 1));
        for at in from..=second {
            if let Some(place) = self.seconds.get_mut(Self::place(at)) {
                *place = rate;
            }
        }
        (self.last, self.begun) = (second, true);
    }

    fn place(second: u64) -> usize {
        usize::try_from(second % Self::LENGTH as u64).unwrap_or(0)
    }

    /// Whether nothing was taken for as long as it goes back.
    pub fn is_old(&self, now: Duration) -> bool {
        now.as_secs() > self.last + Self::LENGTH as u64
    }

    /// The mean of each of `cells` parts of the last minute, the oldest first. `None`: not known.
    pub fn parts(&self, now: Duration, cells: usize) -> Vec<Option<f32>> {
        let (now, length) = (now.as_secs(), Self::LENGTH as u64);
        let cells_long = cells.max(1) as u64;
        let mut parts = vec![(0.0, 0u16); cells];
        for back in 0..length {
            let Some(second) = now.checked_sub(back).filter(|s| self.begun && *s <= self.last)
            else {
                continue;
            };
            if second + length <= self.last {
                continue;
            }
            let cell = usize::try_from((length - 1 - back) * cells_long / length).unwrap_or(0);
            let rate = self.seconds.get(Self::place(second)).copied().unwrap_or(f32::NAN);
            if let Some((sum, count)) = parts.get_mut(cell).filter(|_| !rate.is_nan()) {
                *sum += rate;
                *count += 1;
            }
        }
        let mean = |(sum, count): (f32, u16)| (count > 0).then(|| sum / f32::from(count));
        parts.into_iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { netns: 0, number: 7, is_cookie: true };

    fn counted(sent: u64) -> Counted {
        Counted { sent: Some(sent), received: Some(0), retransmitted: None, rtt_us: Some(5) }
    }

    #[test]
    fn a_rate_needs_two_counts_that_lie_apart() {
        let mut traffic = Traffic::default();
        let at = Duration::from_millis;
        traffic.apply(&[(KEY, counted(1000))], at(0));
        assert_eq!(traffic.of(&KEY).unwrap().rates, Rates::default());
        traffic.apply(&[(KEY, counted(1500))], at(100));
        assert_eq!(traffic.of(&KEY).unwrap().rates.sent, None, "too near");
        traffic.apply(&[(KEY, counted(3000))], at(1000));
        let rates = traffic.of(&KEY).unwrap().rates;
        assert_eq!((rates.sent, rates.received), (Some(2000.0), Some(0.0)));
        assert_eq!(rates.retransmitted, None, "what is not counted has no rate");
        traffic.forget(at(60_999));
        assert!(traffic.of(&KEY).is_some());
        traffic.forget(at(61_000));
        assert!(traffic.of(&KEY).is_none());
    }

    #[test]
    fn a_minute_is_kept_and_what_was_not_seen_is_unknown() {
        let mut history = History::default();
        let at = Duration::from_secs;
        for second in 100..=129 {
            history.push(at(second), 2.0);
        }
        assert_eq!(history.parts(at(129), 4), [None, None, Some(2.0), Some(2.0)]);
        assert_eq!(history.parts(at(159), 4), [Some(2.0), Some(2.0), None, None]);
        assert!(history.is_old(at(190)) && !history.is_old(at(189)));
        // A round that took long stands for all of its seconds.
        history.push(at(133), 6.0);
        assert_eq!(history.parts(at(133), 15)[14], Some(6.0));
        history.push(at(500), 1.0);
        assert_eq!(history.parts(at(500), 2), [Some(1.0), Some(1.0)]);
    }
}
