//! The TCP sockets of a snapshot in the ways rules ask for them, sorted once: a server has them by the
//! million, there are dozens of rules, and each walk over all of them takes a tenth of a second.

use crate::model::{
    endpoint::Endpoint, outline::Outline, protocol::Protocol, state::State, timer::TimerKind,
};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Which way a connection was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// It came in by the listener at this end, IPv4-mapped addresses as IPv4.
    In(Endpoint),
    /// It went out to this end.
    Out(Endpoint),
}

/// Sockets, in the order of the kernel.
type Sockets<'s> = Vec<&'s Outline>;

/// Sorted by what each socket says of itself.
pub(super) struct ByState<'s> {
    sockets: &'s [Outline],
    /// Places of sockets, half as large as pointers.
    states: BTreeMap<State, Vec<u32>>,
    /// Those with data, or a window, that the peer has not acknowledged.
    pub(super) unanswered: Sockets<'s>,
}

impl<'s> ByState<'s> {
    pub(super) fn of(sockets: &'s [Outline]) -> Self {
        let mut sorted = Self { sockets, states: BTreeMap::new(), unanswered: vec![] };
        let is_tcp = |(_, socket): &(u32, &Outline)| socket.protocol == Protocol::Tcp;
        for (at, socket) in (0..).zip(sockets).filter(is_tcp) {
            sorted.states.entry(socket.state).or_default().push(at);
            let kind = socket.timer.map(|timer| timer.kind);
            if matches!(kind, Some(TimerKind::Retransmit | TimerKind::WindowProbe)) {
                sorted.unanswered.push(socket);
            }
        }
        sorted
    }

    pub(super) fn state(&self, state: State) -> impl Iterator<Item = &'s Outline> + Clone {
        let places = self.states.get(&state).into_iter().flatten();
        places.filter_map(|at| self.sockets.get(*at as usize))
    }
}

/// Connections in any state by the listener they came in by.
pub(super) fn by_listener<'s>(
    sockets: impl Iterator<Item = &'s Outline>,
    direction: impl Fn(&Outline) -> Option<Direction>,
) -> BTreeMap<Endpoint, Sockets<'s>> {
    let mut incoming: HashMap<Endpoint, Sockets<'s>> = HashMap::new();
    for socket in sockets {
        if let Some(Direction::In(at)) = direction(socket) {
            incoming.entry(at).or_default().push(socket);
        }
    }
    incoming.into_iter().collect()
}
