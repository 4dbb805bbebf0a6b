//! What changed since a moment: how much, and the last of it.

use super::held::Held;
use crate::{collect::live::entry::Entry, model::state::State};
use std::{collections::VecDeque, time::Duration};

/// Events kept: a bound, the counts go on.
const KEPT: usize = 1000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A socket appeared.
    Opened,
    /// From this state to the one it has now.
    Changed(State),
    /// It is not there any more, or what was asked no longer takes it.
    Closed,
}

/// One line of it.
#[derive(Debug, Clone)]
pub struct Change {
    /// When, since the watch began.
    pub at: Duration,
    /// What.
    pub event: Event,
    /// The socket, as it is or was.
    pub entry: Entry,
    /// Who holds it, or held it.
    pub held: Held,
}

/// The changes since a moment.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Since when.
    pub since: Duration,
    /// How many appeared.
    pub opened: u64,
    /// How many changed their state.
    pub changed: u64,
    /// How many are gone.
    pub closed: u64,
    /// The last of them, newest first.
    pub last: VecDeque<Change>,
}

impl Log {
    /// Begins anew.
    pub fn reset(&mut self, now: Duration) {
        *self = Self { since: now, ..Self::default() };
    }

    /// Takes one.
    pub fn add(&mut self, at: Duration, event: Event, entry: &Entry, held: Held) {
        match event {
            Event::Opened => self.opened += 1,
            Event::Changed(_) => self.changed += 1,
            Event::Closed => self.closed += 1,
        }
        self.last.truncate(KEPT - 1);
        self.last.push_front(Change { at, event, entry: *entry, held });
    }
}
