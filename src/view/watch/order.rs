//! The order of the rows: by a column when asked, and kept while somebody reads.

use super::{
    rows::{Rows, Slot, Turn},
    scene::Scene,
};
use std::cmp::Ordering;

/// Rows put in order at each round. Beyond them the order is made when somebody goes there.
const FRONT: usize = 1000;

/// What rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// What waits in them: the fullest first.
    Waiting,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
    /// Segments sent again.
    Retransmitted,
    /// Round-trip time.
    Rtt,
    /// How many sockets a group has.
    Sockets,
    /// Name of the holder.
    Process,
    /// This end.
    Local,
    /// The other end.
    Peer,
    /// State.
    State,
    /// Time since it was first seen; the oldest first.
    Age,
}

impl Sort {
    /// Every one, in the order of the menu.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Received,
        Self::Sent,
        Self::Retransmitted,
        Self::Rtt,
        Self::Sockets,
        Self::Process,
        Self::Local,
        Self::Peer,
        Self::State,
        Self::Age,
    ];

    /// The word in menus and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "queues",
            Self::Received => "in",
            Self::Sent => "out",
            Self::Retransmitted => "retransmits",
            Self::Rtt => "rtt",
            Self::Sockets => "sockets",
            Self::Process => "process",
            Self::Local => "local",
            Self::Peer => "peer",
            Self::State => "state",
            Self::Age => "age",
        }
    }

    /// One line for the menu.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Waiting => "what waits: bytes, connections not accepted",
            Self::Received => "bytes in",
            Self::Sent => "bytes out",
            Self::Retransmitted => "segments sent again",
            Self::Rtt => "round-trip time",
            Self::Sockets => "sockets in a group",
            Self::Process => "name of the process",
            Self::Local => "this end",
            Self::Peer => "the other end",
            Self::State => "state",
            Self::Age => "time since first seen",
        }
    }

    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.word() == word)
    }

    /// Whether the largest comes first unless asked otherwise.
    pub const fn is_descending(self) -> bool {
        matches!(
            self,
            Self::Waiting
                | Self::Received
                | Self::Sent
                | Self::Retransmitted
                | Self::Rtt
                | Self::Sockets
        )
    }

    /// Whether it depends on the counters of every socket.
    pub const fn needs_counters(self) -> bool {
        matches!(self, Self::Received | Self::Sent | Self::Retransmitted | Self::Rtt)
    }
}

/// An order asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// By what.
    pub sort: Sort,
    /// Largest first.
    pub descending: bool,
    /// By the sums since each was opened, not by the rates.
    pub totals: bool,
}

impl By {
    /// The usual direction.
    pub const fn usual(sort: Sort) -> Self {
        Self { sort, descending: sort.is_descending(), totals: false }
    }
}

/// Places of rows, in order.
#[derive(Debug, Clone, Default)]
pub struct Ordered {
    slots: Vec<Slot>,
    /// How many of the first are in order; the rest come after them.
    front: usize,
}

impl Ordered {
    /// Follows a round: what is let go is left out, what is new comes last. Nothing else moves.
    pub fn follow(&mut self, turn: &Turn) {
        if !turn.freed.is_empty() {
            let freed: std::collections::HashSet<Slot> = turn.freed.iter().copied().collect();
            self.slots.retain(|slot| !freed.contains(slot));
        }
        self.slots.extend(&turn.taken);
        self.front = self.front.min(self.slots.len());
    }

    /// Puts it in order, as far as somebody is to see it.
    pub fn sort(&mut self, by: By, scene: &Scene, seen_to: usize) {
        let wanted = seen_to.saturating_add(FRONT / 2).max(FRONT);
        let compare = |a: &Slot, b: &Slot| compare(*a, *b, by, scene);
        if wanted < self.slots.len() {
            self.slots.select_nth_unstable_by(wanted, compare);
            if let Some(front) = self.slots.get_mut(..wanted) {
                front.sort_unstable_by(compare);
            }
            self.front = wanted;
        } else {
            self.slots.sort_unstable_by(compare);
            self.front = self.slots.len();
        }
    }

    /// Puts the rest in order too, if somebody goes there.
    pub fn reach(&mut self, by: By, scene: &Scene, seen_to: usize) {
        if self.front < self.slots.len()
            && seen_to >= self.front
            && let Some(rest) = self.slots.get_mut(self.front..)
        {
            rest.sort_unstable_by(|a, b| compare(*a, *b, by, scene));
            self.front = self.slots.len();
        }
    }

    /// The places.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

fn compare(a: Slot, b: Slot, by: By, scene: &Scene) -> Ordering {
    let rows: &Rows = &scene.rows;
    let (Some(x), Some(y)) = (rows.get(a), rows.get(b)) else {
        return a.cmp(&b);
    };
    let flow = |row: &super::rows::Shown| scene.traffic.of(&row.entry.key);
    // What is not known comes last in either direction.
    let numbers = |x: Option<f64>, y: Option<f64>| match (x, y) {
        (Some(x), Some(y)) if by.descending => y.total_cmp(&x),
        (Some(x), Some(y)) => x.total_cmp(&y),
        (x, y) => y.is_some().cmp(&x.is_some()),
    };
    let directed = |order: Ordering| if by.descending { order.reverse() } else { order };
    let figure = |row| flow(row).and_then(|flow| by.figure(flow));
    let order = match by.sort {
        Sort::Waiting => directed(x.entry.waiting().cmp(&y.entry.waiting())),
        Sort::Received | Sort::Sent | Sort::Retransmitted | Sort::Rtt => {
            numbers(figure(x), figure(y))
        }
        Sort::Process => directed(rows.holders.name(x.held).cmp(&rows.holders.name(y.held))),
        Sort::Local => directed(x.entry.local.cmp(&y.entry.local)),
        Sort::Peer => directed(x.entry.remote.cmp(&y.entry.remote)),
        Sort::State => directed(x.entry.state.cmp(&y.entry.state)),
        Sort::Age => directed(x.seen.cmp(&y.seen)),
        Sort::Sockets => Ordering::Equal,
    };
    // The kernel counts cookies up: of equals the one that was known first. From /proc, which tells
    // none, by both ends.
    order.then_with(|| {
        if x.entry.key.is_cookie && y.entry.key.is_cookie {
            x.entry.key.cmp(&y.entry.key)
        } else {
            (x.entry.local, x.entry.remote).cmp(&(y.entry.local, y.entry.remote))
        }
    })
}

impl By {
    /// The figure of a flow that decides.
    #[expect(clippy::cast_precision_loss, reason = "the order of sums above 2^53 does not matter")]
    fn figure(self, flow: &super::traffic::Flow) -> Option<f64> {
        let (rates, sums) = (&flow.rates, &flow.counted);
        match (self.sort, self.totals) {
            (Sort::Received, false) => rates.received.map(f64::from),
            (Sort::Received, true) => sums.received.map(|n| n as f64),
            (Sort::Sent, false) => rates.sent.map(f64::from),
            (Sort::Sent, true) => sums.sent.map(|n| n as f64),
            (Sort::Retransmitted, false) => rates.retransmitted.map(f64::from),
            (Sort::Retransmitted, true) => sums.retransmitted.map(|n| n as f64),
            (Sort::Rtt, _) => sums.rtt_us.map(|n| n as f64),
            _ => None,
        }
    }
}
