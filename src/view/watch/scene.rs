//! All that is known at a moment. A frozen view keeps one while the next go on.

use super::{
    grouping::{GroupKey, Side},
    held::printable,
    log::Log,
    rows::{Rows, Shown, Turn},
    traffic::{History, Traffic},
};
use crate::{
    collect::live::{entry::Key, refresh::Refresh},
    model::{netns::Netns, protocol::Protocol, state::State},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

/// Histories kept at most: those of what was on the screen in the last minute.
const HISTORIES: usize = 4096;
/// The kernel's own choice of `ip_local_port_range`, where no other is known.
const USUAL: RangeInclusive<u16> = 32_768..=60_999;

/// Whose last minute is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Of {
    /// A socket's.
    Socket(Key),
    /// A group's.
    Group(GroupKey),
}

/// What is known.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The sockets.
    pub rows: Rows,
    /// Their counters.
    pub traffic: Traffic,
    /// The last minute of what is on the screen, sent and received together.
    histories: HashMap<Of, History>,
    /// When, since the watch began.
    pub now: Duration,
    /// When, by the clock. `None`: nothing has come yet.
    pub time: Option<SystemTime>,
    /// Sockets by state, of those that are there.
    pub states: BTreeMap<State, u32>,
    /// Ports with a listener, by protocol.
    listening: HashSet<u16>,
    /// Ports that programs do not choose themselves.
    ephemeral: RangeInclusive<u16>,
    /// Namespaces by inode, safe to print.
    pub namespaces: BTreeMap<u32, String>,
    /// Sockets of which the filter could not be answered.
    pub unanswered: u64,
}

impl Scene {
    /// Before the first round.
    pub fn new(ephemeral: Option<RangeInclusive<u16>>) -> Self {
        Self {
            rows: Rows::default(),
            traffic: Traffic::default(),
            histories: HashMap::new(),
            now: Duration::ZERO,
            time: None,
            states: BTreeMap::new(),
            listening: HashSet::new(),
            ephemeral: ephemeral.unwrap_or(USUAL),
            namespaces: BTreeMap::new(),
            unanswered: 0,
        }
    }

    /// Takes a round.
    pub fn apply(&mut self, refresh: &Refresh, afresh: bool, log: &mut Log) -> Turn {
        self.now = refresh.at;
        self.traffic.apply(&refresh.counted, refresh.at);
        let mut turn = Turn::default();
        if let Some(entries) = &refresh.entries {
            self.time = Some(refresh.time);
            self.unanswered = refresh.unanswered;
            self.namespaces = refresh.namespaces.iter().map(named).collect();
            turn = self.rows.apply(entries, refresh.at, afresh, log);
            self.states.clear();
            for entry in entries {
                *self.states.entry(entry.state).or_default() += 1;
                if entry.state == State::Listen && entry.protocol == Protocol::Tcp {
                    self.listening.insert(entry.local.port);
                }
            }
            self.traffic.forget(refresh.at);
            self.histories.retain(|_, history| !history.is_old(refresh.at));
        }
        if let Some(found) = &refresh.found {
            self.rows.name(found);
        }
        turn
    }

    /// Which side opened a connection: a port with a listener, or that no connect(2) chooses, is a
    /// service's.
    pub fn side(&self, row: &Shown) -> Side {
        let port = row.entry.local.port;
        let serves = self.listening.contains(&port)
            || matches!(row.entry.state, State::Listen | State::SynRcvd)
            || row.entry.peer().is_none()
            || (!self.ephemeral.contains(&port) && self.ephemeral.contains(&row.entry.remote.port));
        if serves { Side::In } else { Side::Out }
    }

    /// Adds to the last minute of something on the screen.
    pub fn remember(&mut self, of: Of, rate: f32) {
        if self.histories.len() < HISTORIES || self.histories.contains_key(&of) {
            self.histories.entry(of).or_default().push(self.now, rate);
        }
    }

    /// The last minute in so many parts, the oldest first. `None`: not known.
    pub fn minute(&self, of: &Of, cells: usize) -> Vec<Option<f32>> {
        let unknown = || vec![None; cells];
        self.histories.get(of).map_or_else(unknown, |history| history.parts(self.now, cells))
    }
}

/// A namespace by its inode, with its name.
fn named(netns: &Netns) -> (u32, String) {
    let inode = netns.inode.and_then(|inode| u32::try_from(inode).ok()).unwrap_or(0);
    (inode, printable(netns.title().as_bytes()))
}
