//! How many sockets there are, by protocol, family and state.

use crate::model::{
    protocol::{Family, Protocol},
    socket::Socket,
    state::State,
};
use serde::Serialize;
use std::{borrow::Borrow, collections::BTreeMap};

/// What is counted apart.
type Kind = (Protocol, Family, State);

/// Counts, row by row: no socket is kept.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// In the order they came. A host has a dozen kinds, and a million rows ask for one of the first
    /// few: to go through them is faster than any map.
    counts: Vec<(Kind, u64)>,
}

/// One count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Protocol.
    pub protocol: &'static str,
    /// Family.
    pub family: &'static str,
    /// Documented name of the state.
    pub state: &'static str,
    /// Sockets.
    pub count: u64,
}

impl Summary {
    /// Counts sockets.
    pub fn of(sockets: impl IntoIterator<Item: Borrow<Socket>>) -> Self {
        let mut summary = Self::default();
        sockets.into_iter().for_each(|socket| summary.add(socket.borrow()));
        summary
    }

    /// Counts one more.
    pub fn add(&mut self, socket: &Socket) {
        let kind = (socket.protocol, socket.family, socket.state);
        match self.counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((kind, 1)),
        }
    }

    /// Every count that is not zero.
    pub fn counts(&self) -> Vec<Count> {
        let mut counts = self.counts.clone();
        counts.sort_unstable();
        let count = |((protocol, family, state), count): (Kind, u64)| Count {
            protocol: protocol.name(),
            family: family.name(),
            state: state.name(),
            count,
        };
        counts.into_iter().map(count).collect()
    }

    /// States of a protocol with their counts over both families, largest first.
    pub fn states(&self, protocol: Protocol) -> Vec<(State, u64)> {
        let mut states: BTreeMap<State, u64> = BTreeMap::new();
        for ((_, _, state), count) in self.counts.iter().filter(|((p, ..), _)| *p == protocol) {
            *states.entry(*state).or_default() += count;
        }
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        states
    }

    /// Sockets of a protocol and family in a state.
    pub fn count(&self, protocol: Protocol, family: Family, state: State) -> u64 {
        let kind = (protocol, family, state);
        self.counts.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }

    /// Sockets of a protocol.
    pub fn total(&self, protocol: Protocol) -> u64 {
        self.counts.iter().filter(|((p, ..), _)| *p == protocol).map(|(_, count)| count).sum()
    }
}
