//! The sockets of a watch from round to round: which are new, which have changed, which are gone.

use super::{
    held::{Held, Holders},
    log::{Event, Log},
};
use crate::collect::live::{
    entry::{ByKey, Entry, Key},
    refresh::Found,
};
use std::{sync::Arc, time::Duration};

/// How long a mark stays: long enough to be noticed, short enough to be true.
pub const MARKED: Duration = Duration::from_secs(3);

/// A row's place, for as long as it is shown.
pub type Slot = u32;

/// What happened to a socket lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was not there before.
    New,
    /// Its state is another.
    Changed,
    /// It is not there any more: what is shown is what it was.
    Gone,
}

/// One socket.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What the last round told.
    pub entry: Entry,
    /// Who holds it, or held it.
    pub held: Held,
    /// When it was first seen.
    pub seen: Duration,
    /// Whether it was there before the watch looked: it is older than its first sight.
    pub was_there: bool,
    mark: Option<Mark>,
    marked: Duration,
    round: u32,
}

impl Shown {
    /// What happened to it lately.
    pub fn mark(&self, now: Duration) -> Option<Mark> {
        self.mark.filter(|mark| *mark == Mark::Gone || now < self.marked + MARKED)
    }

    /// Takes what a round told of it.
    fn follow(&mut self, entry: &Entry, now: Duration, log: &mut Log) {
        if self.entry.state != entry.state || !self.is_there() {
            log.add(now, Event::Changed(self.entry.state), entry, self.held);
            self.mark = Some(Mark::Changed);
            self.marked = now;
            // Who held it closed it: what is left of it has no owner to look for.
            if self.held == Held::NotYet {
                self.held = Holders::unasked(entry);
            }
        }
        self.entry = *entry;
    }

    /// Whether it is still there.
    pub fn is_there(&self) -> bool {
        self.mark != Some(Mark::Gone)
    }
}

/// All of them. Memory is that of the sockets there are and were in the last seconds.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    slots: Vec<Option<Shown>>,
    free: Vec<Slot>,
    by_key: ByKey<Slot>,
    gone: Vec<Slot>,
    round: u32,
    /// Who holds them.
    pub holders: Holders,
    /// What the look-ups found so far, for sockets that come back into the view.
    known: Option<Found>,
}

impl Rows {
    /// Takes the sockets of a round. With `afresh` they answer another question than the last: what
    /// appears is not new, and what is missing is not gone.
    ///
    /// Gives the places that were freed and the ones that were taken.
    pub fn apply(&mut self, entries: &[Entry], now: Duration, afresh: bool, log: &mut Log) -> Turn {
        let first = self.round == 0;
        self.round = self.round.wrapping_add(1).max(1);
        let mut turn = Turn::default();
        for entry in entries {
            if let Some(slot) = self.by_key.get(&entry.key) {
                let row = self.slots.get_mut(*slot as usize).and_then(Option::as_mut);
                if let Some(row) = row {
                    row.round = self.round;
                    row.follow(entry, now, log);
                }
                continue;
            }
            let held = self.first_held(entry);
            let is_new = !first && !afresh;
            if is_new {
                log.add(now, Event::Opened, entry, held);
            }
            turn.taken.push(self.take(Shown {
                entry: *entry,
                held,
                seen: now,
                was_there: !is_new,
                mark: is_new.then_some(Mark::New),
                marked: now,
                round: self.round,
            }));
        }
        self.sweep(now, afresh, log, &mut turn);
        turn
    }

    fn take(&mut self, row: Shown) -> Slot {
        let key = row.entry.key;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot::try_from(self.slots.len() - 1).unwrap_or(Slot::MAX)
        });
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(row);
            self.by_key.insert(key, slot);
        }
        slot
    }

    /// Marks what this round did not tell of, and lets go of what is gone long enough.
    fn sweep(&mut self, now: Duration, afresh: bool, log: &mut Log, turn: &mut Turn) {
        let mut freed = vec![];
        let round = self.round;
        for (slot, place) in (0..).zip(&mut self.slots) {
            let Some(row) = place else { continue };
            if row.round == round {
                continue;
            }
            if row.is_there() && !afresh {
                row.mark = Some(Mark::Gone);
                row.marked = now;
                log.add(now, Event::Closed, &row.entry, row.held);
                self.gone.push(slot);
            } else if row.is_there() {
                self.by_key.remove(&row.entry.key);
                freed.push(slot);
            }
        }
        let mut kept = vec![];
        for slot in std::mem::take(&mut self.gone) {
            let Some(Some(row)) = self.slots.get(slot as usize) else { continue };
            if row.is_there() {
                // It came back: a row that a changing table had left out.
            } else if afresh || now >= row.marked + MARKED {
                self.by_key.remove(&row.entry.key);
                freed.push(slot);
            } else {
                kept.push(slot);
            }
        }
        self.gone = kept;
        for slot in &freed {
            if let Some(place) = self.slots.get_mut(*slot as usize) {
                *place = None;
            }
        }
        self.free.extend(&freed);
        turn.freed = freed;
    }

    /// A row.
    pub fn get(&self, slot: Slot) -> Option<&Shown> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The place of a socket.
    pub fn slot(&self, key: &Key) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    /// Every row with its place, those gone lately included.
    pub fn all(&self) -> impl Iterator<Item = (Slot, &Shown)> {
        (0..).zip(&self.slots).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    /// Sockets that are there.
    pub fn count(&self) -> usize {
        self.by_key.len() - self.gone.len()
    }

    fn first_held(&mut self, entry: &Entry) -> Held {
        let held = Holders::unasked(entry);
        let known = self.known.as_ref().filter(|_| held == Held::NotYet);
        known.and_then(|known| self.holders.told(entry, known)).unwrap_or(held)
    }

    /// Names the holders of rows nobody has been named for.
    pub fn name(&mut self, found: &Found) {
        // Of a socket that appears later it tells who holds it, never that nobody does.
        let nobody = Some(Arc::default());
        self.known = Some(Found { asked: nobody, owners: Arc::clone(&found.owners) });
        for row in self.slots.iter_mut().flatten().filter(|row| row.held == Held::NotYet) {
            if let Some(held) = self.holders.told(&row.entry, found) {
                row.held = held;
            }
        }
    }
}

/// What a round did to the places.
#[derive(Debug, Default)]
pub struct Turn {
    /// Places whose row is let go.
    pub freed: Vec<Slot>,
    /// Places of rows that were not there.
    pub taken: Vec<Slot>,
}
