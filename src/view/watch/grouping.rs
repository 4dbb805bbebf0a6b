//! Sockets with something in common, as one line.

use super::{
    held::{Held, Holders},
    rows::{Mark, Shown},
    traffic::{Flow, Rates},
};
use crate::{
    collect::live::entry::Entry,
    model::{endpoint::Endpoint, owner::Unowned, state::State},
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// Closes counted for the rate at which TIME_WAIT is entered: those of this long.
const CLOSES_MS: u32 = 5_000;

/// What sockets are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// The process that holds them.
    Process,
    /// The address of the other end.
    Peer,
    /// The port of the service: of the listener they came in by, or of the peer they went out to.
    Port,
    /// The container of the process.
    Container,
    /// The network namespace.
    Netns,
    /// The state.
    State,
}

impl Grouping {
    /// Every one, in the order of the menu.
    pub const ALL: [Self; 6] =
        [Self::Process, Self::Peer, Self::Port, Self::Container, Self::Netns, Self::State];

    /// The word in menus and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Peer => "peer",
            Self::Port => "port",
            Self::Container => "container",
            Self::Netns => "netns",
            Self::State => "state",
        }
    }

    /// The grouping of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grouping| grouping.word() == word)
    }

    /// Whether it cannot be done without owners.
    pub const fn needs_owners(self) -> bool {
        matches!(self, Self::Process | Self::Container)
    }
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The other end: it came in by a listener.
    In,
    /// This end.
    Out,
}

/// What the sockets of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupKey {
    /// Their holder, by pid and name; or why there is none.
    Holder(Result<u32, Option<Unowned>>),
    /// The peer's address. `None`: no peer.
    Peer(Option<IpAddr>),
    /// The service's port.
    Port(u16, Side),
    /// The container. `None`: none is known.
    Container(Option<String>),
    /// The namespace, by its place.
    Netns(u32),
    /// The state.
    State(State),
    /// TIME_WAIT of connections that came in at a port.
    ClosedIn(u16),
    /// TIME_WAIT of connections that went out to a destination.
    ClosedOut(Endpoint),
}

impl GroupKey {
    /// The group of a socket.
    pub fn of(grouping: Grouping, row: &Shown, side: Side, holders: &Holders) -> Self {
        let entry = &row.entry;
        match grouping {
            Grouping::Process => Self::Holder(match row.held {
                Held::By(place, _) => Ok(place),
                Held::Nobody(why) => Err(Some(why)),
                Held::NotYet => Err(None),
            }),
            Grouping::Peer => Self::Peer(entry.peer().map(|peer| peer.address.to_canonical())),
            Grouping::Port => match side {
                Side::In => Self::Port(entry.local.port, side),
                Side::Out => Self::Port(entry.remote.port, side),
            },
            Grouping::Container => Self::Container(match row.held {
                Held::By(place, _) => holders.get(place).and_then(|h| h.container.clone()),
                _ => None,
            }),
            Grouping::Netns => Self::Netns(entry.key.netns),
            Grouping::State => Self::State(entry.state),
        }
    }

    /// The line a socket in TIME_WAIT is folded into.
    pub fn closed(entry: &Entry, side: Side) -> Self {
        match side {
            Side::In => Self::ClosedIn(entry.local.port),
            Side::Out => {
                let address = entry.remote.address.to_canonical();
                Self::ClosedOut(Endpoint::new(address, entry.remote.port))
            }
        }
    }

    /// Whether it is TIME_WAIT, folded.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::ClosedIn(_) | Self::ClosedOut(_))
    }
}

/// The sockets of a group, summed up.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// How many are there.
    pub count: u32,
    /// By state.
    pub states: BTreeMap<State, u32>,
    /// What waits in them: bytes, of listeners connections.
    pub waiting: u64,
    /// What flows, summed over those it is known of.
    pub rates: Rates,
    /// What has flowed, summed over those it is known of.
    pub sent: Option<u64>,
    /// The same, received.
    pub received: Option<u64>,
    /// Segments sent again.
    pub retransmitted: Option<u64>,
    /// Sum of the round-trip times that are known, in microseconds.
    rtt_sum: u64,
    /// Of how many.
    rtt_count: u32,
    /// How many appeared lately.
    pub new: u32,
    /// How many are gone lately.
    pub gone: u32,
    /// Age of the oldest in TIME_WAIT, in milliseconds.
    pub oldest_ms: Option<u32>,
    /// Entered TIME_WAIT in the last seconds.
    closes: u32,
    /// When the first was seen.
    pub seen: Duration,
    /// A member, for its owner.
    pub held: Option<Held>,
}

impl Group {
    /// Adds a socket.
    pub fn add(&mut self, row: &Shown, flow: Option<&Flow>, now: Duration) {
        match row.mark(now) {
            Some(Mark::Gone) => {
                self.gone += 1;
                return;
            }
            Some(Mark::New) => self.new += 1,
            _ => {}
        }
        if self.count == 0 || row.seen < self.seen {
            self.seen = row.seen;
        }
        self.count += 1;
        *self.states.entry(row.entry.state).or_default() += 1;
        self.waiting += row.entry.waiting();
        if let Held::By(..) = row.held {
            self.held = Some(row.held);
        }
        if row.entry.state == State::TimeWait
            && let Some(age) = row.entry.socket().age_ms()
        {
            self.oldest_ms = self.oldest_ms.max(Some(age));
            self.closes += u32::from(age < CLOSES_MS);
        }
        if let Some(flow) = flow {
            add(&mut self.rates.sent, flow.rates.sent);
            add(&mut self.rates.received, flow.rates.received);
            add(&mut self.rates.retransmitted, flow.rates.retransmitted);
            add(&mut self.sent, flow.counted.sent);
            add(&mut self.received, flow.counted.received);
            add(&mut self.retransmitted, flow.counted.retransmitted);
            if let Some(rtt) = flow.counted.rtt_us {
                self.rtt_sum += rtt;
                self.rtt_count += 1;
            }
        }
    }

    /// The mean round-trip time, in microseconds. `None`: none is known.
    pub fn rtt_us(&self) -> Option<u64> {
        self.rtt_sum.checked_div(self.rtt_count.into())
    }

    /// Sockets that entered TIME_WAIT a second, in the last seconds.
    pub fn closes_per_second(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "at most as many as there are ports")]
        let closes = self.closes as f32;
        closes * 1000.0 / 5_000.0
    }
}

/// Adds what is known; a sum of nothing is not known.
fn add<N: std::ops::Add<Output = N> + Copy>(sum: &mut Option<N>, more: Option<N>) {
    *sum = match (*sum, more) {
        (Some(sum), Some(more)) => Some(sum + more),
        (sum, more) => sum.or(more),
    };
}
