//! One look at a host: all that a report needs, so that it runs the same on a live machine, on a
//! recorded one and in a three-line test.

use super::{
    about::About,
    counters::{Counters, Sample},
    first_look::Before,
    limits::Limits,
    measures::Measures,
    outline::Outline,
    owner::Owners,
    settings::Settings,
};

/// A socket that was seen alive before the last look: what it became is known by its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alive {
    /// Identity, kept into TIME_WAIT.
    pub cookie: u64,
    /// Inode, the key to its owner.
    pub inode: u64,
}

/// One look at a host, in one network namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When, where, from which source, and what could not be seen.
    pub about: About,
    /// The sockets at the last look.
    pub sockets: Vec<Outline>,
    /// What was measured of them.
    pub measures: Measures,
    /// Sockets seen alive at the first look of the window; empty where there was one look.
    pub alive_before: Vec<Alive>,
    /// The first look, where the two are to be compared: each socket tells what it was. `None`: there
    /// was one look.
    pub before: Option<Before>,
    /// Who holds the sockets of either look.
    pub owners: Owners,
    /// Settings.
    pub settings: Settings,
    /// Limits of processes, cgroups and memory; empty where they were not asked for.
    pub limits: Limits,
    /// Counters, oldest first: two where a rate was wanted, and more in between where it matters
    /// whether something goes on; else one.
    pub samples: Vec<Sample>,
}

impl Snapshot {
    /// Time between the first and the last sample, in milliseconds. `None`: there are not two.
    pub fn window_ms(&self) -> Option<u64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        last.at_ms.checked_sub(first.at_ms).filter(|window| *window > 0)
    }

    /// The newest counters.
    pub fn counters(&self) -> Option<&Counters> {
        self.samples.last().map(|sample| &sample.counters)
    }

    /// In how many of the parts between two samples a counter grew, and how many parts there are.
    /// `None`: no window, or no such counter.
    pub fn parts_with_growth(&self, name: &str) -> Option<(usize, usize)> {
        let grown = self.growth(name)?;
        let parts = self.samples.iter().zip(self.samples.iter().skip(1));
        if grown == 0 {
            return Some((0, parts.count()));
        }
        let grew = parts.clone().filter(|(earlier, later)| {
            later.counters.growth(&earlier.counters, name).is_some_and(|grown| grown > 0)
        });
        Some((grew.count(), parts.count()))
    }

    /// By how much a counter grew over the window. `None`: no window, or no such counter.
    pub fn growth(&self, name: &str) -> Option<u64> {
        self.window_ms()?;
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        last.counters.growth(&first.counters, name)
    }
}
