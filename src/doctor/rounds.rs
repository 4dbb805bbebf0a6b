//! What earlier rounds of a watch saw, as counts: what grows slowly is found by its growth, however
//! young each part of it is.
//!
//! A leak only grows; what is in use comes and goes. What is kept is bounded: so many counts of a
//! kind in a round, and so many rounds, the older ones further apart.

use super::{
    evidence::{Direction, Evidence},
    threshold::Threshold,
};
use crate::model::{outline::Outline, state::State};
use std::{
    collections::{BTreeMap, VecDeque},
    time::SystemTime,
};

/// For how long something must have grown, of rules that find a leak by its growth.
pub const GROWING: Threshold = Threshold::new(
    "growing_s",
    10.0,
    "over three rounds of --watch or more, without a fall: what is in use goes down again sooner",
);

/// Rounds without a fall that make growth, this one counted.
const FEWEST: usize = 3;
/// Rounds that are kept.
const ROUNDS: usize = 64;
/// The kernel's own keepalive would have asked by then (`TCP_KEEPALIVE_TIME`).
const IDLE_MS: u64 = 7_200_000;
/// Counts that are kept of a round, the largest.
const COUNTS: usize = 1024;

/// What is counted in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// CLOSE_WAIT of programs that were it at both looks of the round: a healthy one closes within
    /// milliseconds.
    CloseWait(Direction),
    /// The same of FIN_WAIT_2.
    HalfClosed(Direction),
    /// ESTABLISHED of programs without a timer, with nothing sent or received for two hours.
    Idle(Direction),
    /// Descriptors of a process that count against its limit.
    Descriptors(u32),
    /// Descriptors of dead sockets of a process.
    DeadSockets(u32),
    /// Connections that came in a minute, at the pace of the window.
    AcceptedPerMinute,
}

/// The counts of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    at: SystemTime,
    counts: BTreeMap<Watched, u64>,
    /// Whether there were more than are kept: what is not there is then unknown, and not 0.
    is_cut: bool,
}

impl Round {
    /// Counts.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let mut counts: BTreeMap<Watched, u64> = BTreeMap::new();
        for socket in evidence.tcp().filter(|socket| socket.inode().is_some()) {
            if let Some(watched) = lasting(evidence, socket) {
                *counts.entry(watched).or_default() += 1;
            }
        }
        for process in &evidence.snapshot.limits.processes {
            if let Some(open) = process.soft.and_then(|soft| process.below(soft)) {
                counts.insert(Watched::Descriptors(process.pid), open);
            }
            if let Some(dead) = process.dead_sockets.filter(|dead| *dead > 0) {
                counts.insert(Watched::DeadSockets(process.pid), dead);
            }
        }
        if let Some((accepted, window_ms)) =
            evidence.growth("Tcp.PassiveOpens").zip(evidence.snapshot.window_ms())
        {
            let per_minute = accepted.count.saturating_mul(60_000) / window_ms.max(1);
            counts.insert(Watched::AcceptedPerMinute, per_minute);
        }
        let is_cut = counts.len() > COUNTS;
        if is_cut {
            let mut sizes: Vec<u64> = counts.values().copied().collect();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let least = sizes.get(COUNTS).copied().unwrap_or(0);
            counts.retain(|_, count| *count > least);
        }
        Self { at: evidence.snapshot.about.generated_at, counts, is_cut }
    }

    fn count(&self, watched: Watched) -> Option<u64> {
        self.counts.get(&watched).copied().or((!self.is_cut).then_some(0))
    }
}

/// As what a socket counts, if it was at both looks what it is.
fn lasting(evidence: &Evidence<'_>, socket: &Outline) -> Option<Watched> {
    let is_idle = || evidence.measured(socket).idle_ms().is_some_and(|ms| ms >= IDLE_MS);
    // A one-way stream is in use.
    let receives = || evidence.measured(socket).received().is_some_and(|bytes| bytes > 0);
    let watched = match socket.state {
        State::CloseWait => Watched::CloseWait,
        State::FinWait2 if !receives() => Watched::HalfClosed,
        State::Established if socket.timer.is_none() && is_idle() => Watched::Idle,
        _ => return None,
    };
    socket.was.filter(|was| *was == socket.state)?;
    evidence.direction(socket).map(watched)
}

/// The rounds before this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    rounds: VecDeque<Round>,
}

/// A round of a watch, and those before it.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'r> {
    /// Those before.
    pub before: &'r Rounds,
    /// This one.
    pub now: &'r Round,
}

impl Watch<'_> {
    /// How a count went up to now. `None`: this is the first round.
    pub fn trend(&self, watched: Watched) -> Option<Trend> {
        self.before.trend(watched, self.now)
    }
}

/// How a count went over rounds that never fell, the last of them now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trend {
    /// Rounds, this one counted.
    pub rounds: usize,
    /// The count at the first of them.
    pub from: u64,
    /// The count now.
    pub to: u64,
    /// Time between the two, in milliseconds.
    pub over_ms: u64,
    /// From how many of the rounds to the next it rose.
    pub rises: usize,
}

impl Trend {
    /// Whether it rose again and again, over so many seconds.
    pub fn grows_for(&self, seconds: f64) -> bool {
        let over_ms = u32::try_from(self.over_ms).unwrap_or(u32::MAX);
        self.rounds >= FEWEST && self.rises + 1 >= FEWEST && f64::from(over_ms) >= seconds * 1000.0
    }

    /// After how many seconds so many more are reached at its pace. `None`: it has none.
    pub fn reaches_in_s(&self, more: u64) -> Option<u64> {
        let ms = more.checked_mul(self.over_ms)?.checked_div(self.to.checked_sub(self.from)?)?;
        Some(ms / 1000)
    }

    /// `grew from 12 to 40 over 5 rounds, in 20 s`.
    pub fn text(&self) -> String {
        let (from, to, rounds) = (self.from, self.to, self.rounds);
        format!("grew from {from} to {to} over {rounds} rounds, in {} s", self.over_ms / 1000)
    }
}

impl Rounds {
    /// Adds a round.
    pub fn add(&mut self, round: Round) {
        self.rounds.push_back(round);
        if self.rounds.len() > ROUNDS {
            // Every second one goes, and the newest stays: the whole watch in half the rounds.
            let mut number = self.rounds.len();
            self.rounds.retain(|_| {
                number -= 1;
                number.is_multiple_of(2)
            });
        }
    }

    /// How a count went up to now. `None`: this is the first round.
    pub fn trend(&self, watched: Watched, now: &Round) -> Option<Trend> {
        self.rounds.back()?;
        let to = now.count(watched)?;
        let (mut first, mut rounds, mut rises) = ((to, now.at), 1, 0);
        for round in self.rounds.iter().rev() {
            let Some(count) = round.count(watched).filter(|count| *count <= first.0) else { break };
            rises += usize::from(count < first.0);
            rounds += 1;
            first = (count, round.at);
        }
        let over = now.at.duration_since(first.1).unwrap_or_default();
        let over_ms = u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
        Some(Trend { rounds, from: first.0, to, over_ms, rises })
    }

    /// What a count usually was in the rounds before: the middle one. `None`: they are too few.
    pub fn usually(&self, watched: Watched) -> Option<u64> {
        let mut counts: Vec<u64> =
            self.rounds.iter().filter_map(|round| round.count(watched)).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().filter(|_| counts.len() >= FEWEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const KEY: Watched = Watched::Descriptors(7);

    /// Rounds a second apart.
    fn rounds(counts: &[u64]) -> Vec<Round> {
        let round = |(number, count): (u64, &u64)| Round {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(number),
            counts: BTreeMap::from([(KEY, *count)]),
            is_cut: false,
        };
        (0..).zip(counts).map(round).collect()
    }

    fn kept(rounds: Vec<Round>) -> Rounds {
        let mut kept = Rounds::default();
        for round in rounds {
            kept.add(round);
        }
        kept
    }

    fn trend(counts: &[u64]) -> Option<Trend> {
        let mut rounds = rounds(counts);
        let now = rounds.pop().unwrap();
        kept(rounds).trend(KEY, &now)
    }

    #[test]
    fn what_rises_again_and_again_grows() {
        let grows = |counts: &[u64]| trend(counts).is_some_and(|trend| trend.grows_for(2.0));
        assert!(grows(&[1, 2, 3]));
        assert!(grows(&[9, 1, 1, 2, 2, 3]));
        assert!(!grows(&[1]), "one round");
        assert!(!grows(&[1, 3]), "two rounds");
        assert!(!grows(&[3, 3, 3]), "it stands");
        assert!(!grows(&[1, 3, 3, 3]), "it rose once");
        assert!(!grows(&[1, 5, 2, 6, 3]), "it comes and goes");
        assert!(!trend(&[1, 2, 3]).unwrap().grows_for(2.1), "not long enough");
    }

    #[test]
    fn the_pace_tells_when_a_limit_is_reached() {
        let grown = trend(&[9, 10, 20, 30]).unwrap();
        assert_eq!((grown.from, grown.to, grown.over_ms), (9, 30, 3000));
        assert_eq!(grown.reaches_in_s(70), Some(10));
        assert_eq!(grown.text(), "grew from 9 to 30 over 4 rounds, in 3 s");
        assert_eq!(trend(&[3, 3, 3]).unwrap().reaches_in_s(70), None);
    }

    #[test]
    fn what_was_not_there_was_none_unless_not_all_were_kept() {
        let mut rounds = rounds(&[0, 0, 5]);
        let now = rounds.pop().unwrap();
        rounds[0].counts.clear();
        rounds[1].counts.clear();
        rounds[0].is_cut = true;
        assert_eq!(kept(rounds).trend(KEY, &now).unwrap().rounds, 2);
    }

    #[test]
    fn a_watch_of_days_keeps_its_beginning_and_few_rounds() {
        let before = kept(rounds(&(0..100_000).collect::<Vec<_>>()));
        assert!(before.rounds.len() <= ROUNDS, "{}", before.rounds.len());
        assert_eq!(before.rounds.back().unwrap().count(KEY), Some(99_999));
        assert!(before.rounds.front().unwrap().count(KEY).unwrap() < 50_000);
    }

    #[test]
    fn what_is_usual_is_the_middle_and_not_the_peak() {
        let mut before = kept(rounds(&[10, 900]));
        assert_eq!(before.usually(KEY), None);
        before.add(rounds(&[12]).remove(0));
        assert_eq!(before.usually(KEY), Some(12));
    }
}
