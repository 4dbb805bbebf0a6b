//! The TCP sockets of a snapshot in the ways rules ask for them, sorted once: a server has them by the
//! million, there are dozens of rules, and each walk over all of them takes a tenth of a second.

use crate::model::{
    endpoint::Endpoint, outline::Outline, protocol::Protocol, state::State, timer::TimerKind,
};
use hashbrown::HashMap;
use std::{collections::BTreeMap, net::IpAddr};

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
#[derive(Default)]
pub(super) struct ByState<'s> {
    states: BTreeMap<State, Sockets<'s>>,
    /// Those with data, or a window, that the peer has not acknowledged.
    pub(super) unanswered: Sockets<'s>,
}

impl<'s> ByState<'s> {
    pub(super) fn of(sockets: &'s [Outline]) -> Self {
        let mut sorted = Self::default();
        for socket in sockets.iter().filter(|socket| socket.protocol == Protocol::Tcp) {
            sorted.states.entry(socket.state).or_default().push(socket);
            let kind = socket.timer.map(|timer| timer.kind);
            if matches!(kind, Some(TimerKind::Retransmit | TimerKind::WindowProbe)) {
                sorted.unanswered.push(socket);
            }
        }
        sorted
    }

    pub(super) fn state(&self, state: State) -> &[&'s Outline] {
        self.states.get(&state).map_or(&[], Vec::as_slice)
    }
}

/// Connections in any state, sorted by which way they were opened.
#[derive(Default)]
pub(super) struct ByDirection<'s> {
    /// By the listener they came in by.
    pub(super) incoming: BTreeMap<Endpoint, Sockets<'s>>,
    /// By the address they went out from and the end they went to.
    pub(super) outgoing: BTreeMap<(IpAddr, Endpoint), Sockets<'s>>,
}

impl<'s> ByDirection<'s> {
    pub(super) fn of(
        sockets: impl Iterator<Item = &'s Outline>,
        direction: impl Fn(&Outline) -> Option<Direction>,
    ) -> Self {
        let mut incoming: HashMap<Endpoint, Sockets<'s>> = HashMap::new();
        let mut outgoing: HashMap<(IpAddr, Endpoint), Sockets<'s>> = HashMap::new();
        for socket in sockets {
            match direction(socket) {
                Some(Direction::In(at)) => incoming.entry(at).or_default().push(socket),
                Some(Direction::Out(end)) => {
                    let from = socket.local.address.to_canonical();
                    outgoing.entry((from, end)).or_default().push(socket);
                }
                None => {}
            }
        }
        Self { incoming: incoming.into_iter().collect(), outgoing: outgoing.into_iter().collect() }
    }
}
