//! A census: the TCP sockets of each namespace pass once and none is kept, with the counters of a
//! while before beside them. It is for a report that sees in one look what happened within the last
//! minute, as TIME_WAIT tells it by its timers.
//!
//! Who closed a socket in TIME_WAIT only an earlier look could tell, of the whole table. Instead a few
//! connections that are open are asked about a moment later, one by one: those that are in TIME_WAIT
//! by then were closed by whoever held them.

use super::{
    list::Failure,
    look::{Look, sample},
    namespaces::Namespaces,
    owners::{self, LookUp},
    query::{Query, SourceChoice},
    snapshot::{Machine, joined},
    tables::{Provenance, Tables},
};
use crate::{
    kernel::{
        error::Error,
        netlink::connection::Next,
        proc::{counters, net_inet, sysctl},
        sock_diag::exact::{Identity, Inquiry},
    },
    model::{
        counters::{Counters, Sample},
        endpoint::Endpoint,
        gap::Gap,
        netns::{Netns, NetnsIndex},
        protocol::{Family, Protocol},
        snapshot::Snapshot,
        socket::Socket,
        state::{State, StateSet},
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    thread,
    time::{Duration, Instant},
};

/// How long connections are followed at most.
const FOLLOWED: Duration = Duration::from_secs(1);

/// Who counts the sockets of a namespace as they pass.
pub trait Ledger {
    /// One more socket; the listeners were told before.
    fn enter(&mut self, socket: &Socket);
    /// All have passed: what is to be found out yet.
    fn asks(&mut self) -> Asked;
    /// Of the connections to follow, by their places, this one is in TIME_WAIT now.
    fn ended(&mut self, place: usize);
}

/// What a ledger wants to know once all sockets have passed.
#[derive(Debug, Default)]
pub struct Asked {
    /// Inodes of the sockets whose holders it has to know beyond those it was told at the beginning.
    pub inodes: HashSet<u64>,
    /// Connections to follow.
    pub open: Vec<Open>,
}

/// A connection that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// This end.
    pub local: Endpoint,
    /// The other.
    pub remote: Endpoint,
    /// The key to its owner.
    pub inode: u64,
}

/// A namespace, counted.
#[derive(Debug)]
pub struct Counted<L> {
    /// Everything but the sockets.
    pub snapshot: Snapshot,
    /// What was made of them.
    pub ledger: L,
    /// Whether the namespace has no TCP socket.
    pub is_empty: bool,
    /// Inodes of the sockets whose holders have to be known yet.
    inodes: HashSet<u64>,
    /// Connections that are followed, with their places among those that were to be.
    followed: Vec<(usize, Identity)>,
}

/// Counts the sockets of each namespace after a while in which counters grow. `begin` makes a ledger of
/// what is known of a namespace before its sockets, and of its listeners.
pub fn take_each<L: Ledger + Send>(
    query: &Query,
    window: Duration,
    begin: impl Fn(&Snapshot, &[Socket]) -> L + Send + Sync,
) -> Result<(Vec<Counted<L>>, Vec<Gap>), Failure> {
    let mut namespaces = Namespaces::of(query)?;
    let spaces = namespaces.spaces();
    let only = namespaces.only();
    let start = Instant::now();
    let mut counters = counters::Reader::default();
    let mut firsts: BTreeMap<NetnsIndex, Sample> = BTreeMap::new();
    namespaces.visit(query, |netns, query| {
        // What cannot be asked is told now and not after the wait.
        Tables::open(query)?;
        firsts.insert(netns, sample(query, start, &mut counters).0);
        Ok(Next::More)
    })?;
    let mut gaps = namespaces.gaps();
    thread::sleep(window.saturating_sub(start.elapsed()));
    let machine = Machine::of(query, namespaces.host().is_some());
    let mut counted: BTreeMap<NetnsIndex, Counted<L>> = BTreeMap::new();
    namespaces.visit(query, |netns, query| {
        let Some(first) = firsts.remove(&netns) else { return Ok(Next::More) };
        let about = spaces.get(netns.at()).map(|space| space.netns.clone()).unwrap_or_default();
        let (last, unread) = sample(query, start, &mut counters);
        let mut one = count(netns, query, (about, only), &machine, [first, last], &begin)?;
        one.snapshot.about.gaps.extend(unread);
        counted.insert(netns, one);
        Ok(Next::More)
    })?;
    let counted_at = Instant::now();
    // What could be looked into once and not again.
    let more = namespaces.gaps().into_iter().filter(|gap| !gaps.contains(gap));
    gaps.extend(more.collect::<Vec<_>>());
    name_owners(query, only, counted.values_mut());
    if counted.values().any(|one| !one.followed.is_empty()) {
        thread::sleep(window.min(FOLLOWED).saturating_sub(counted_at.elapsed()));
        // A namespace that is gone by now has told all else.
        let _ = namespaces.visit(query, |netns, _| {
            if let Some(one) = counted.get_mut(&netns) {
                one.follow();
            }
            Ok(Next::More)
        });
    }
    Ok((counted.into_values().collect(), gaps))
}

/// Counts the sockets of the namespace the calling thread is in; its inode, where it is the only one.
fn count<L: Ledger>(
    netns: NetnsIndex,
    query: &Query,
    (about, only): (Netns, Option<u64>),
    machine: &Machine,
    [first, last]: [Sample; 2],
    begin: impl Fn(&Snapshot, &[Socket]) -> L,
) -> Result<Counted<L>, Error> {
    let held = sockets_held(&last.counters);
    let has_none_closed = query.root.is_live() && last.counters.get(MINI_SOCKETS) == Some(0);
    let listens = StateSet::of(State::Listen);
    let listening = Query { protocols: vec![(Protocol::Tcp, listens)], ..query.clone() };
    let (listeners, mut provenance) = listeners(netns, &listening)?;
    let first = Look::of(vec![first, last]);
    let mut snapshot = joined(query, about, first, None).snapshot;
    snapshot.settings = sysctl::of_namespace(&query.root);
    machine.tell(query, &mut snapshot);
    if held.is_some_and(|held| held >= MANY) && !has_none_closed {
        let sample = only.and_then(|netns| owners::look_up_sample(query, netns));
        snapshot.owners = sample.unwrap_or_default();
    }
    let mut ledger = begin(&snapshot, &listeners);
    let mut is_empty = listeners.is_empty();
    if has_none_closed {
        is_empty &= held.is_none_or(|held| held == 0);
    } else {
        let rest = StateSet::ALL.without(listens);
        let rest = Query { protocols: vec![(Protocol::Tcp, rest)], ..query.clone() };
        let mut tables = Tables::open(&rest)?;
        // What the query asks for is known but for the states that came: /proc tells every one.
        let is_wanted = |socket: &Socket| {
            socket.state != State::Listen
                && query.family.is_none_or(|family| family == socket.family)
        };
        tables.read(netns, |socket, _| {
            if is_wanted(socket) {
                is_empty = false;
                ledger.enter(socket);
            }
            Next::More
        })?;
        provenance.absorb(tables.provenance);
    }
    let asked = ledger.asks();
    let about = &mut snapshot.about;
    about.source = provenance.kind.unwrap_or(about.source);
    about.fallback_reason = provenance.fallback_reason;
    about.gaps.extend(provenance.gaps);
    Ok(Counted {
        snapshot,
        ledger,
        is_empty,
        inodes: asked.inodes,
        followed: identified(query, &asked.open),
    })
}

/// The listeners of the namespace the calling thread is in.
fn listeners(netns: NetnsIndex, query: &Query) -> Result<(Vec<Socket>, Provenance), Error> {
    let is_replaced = |family| {
        net_inet::table(Protocol::Tcp, family).is_some_and(|name| query.root.replaces(name))
    };
    // The kernel's own text has them first (`tcp_get_idx` in `net/ipv4/tcp_ipv4.c`): no more of it is
    // read, since all of it is read again for the rest.
    let come_first = query.root.is_live() && !Family::INET.into_iter().any(is_replaced);
    let mut listeners = vec![];
    let mut tables = Tables::open(query)?;
    tables.read(netns, |socket, _| {
        if query.wants(socket) {
            listeners.push(socket.clone());
        }
        let is_over = come_first && socket.state != State::Listen;
        if is_over { Next::Stop } else { Next::More }
    })?;
    Ok((listeners, tables.provenance))
}

/// How many mini-sockets the namespace has, TIME_WAIT and orphan FIN_WAIT_2: counted before one is put
/// into the table and until it is out of it (`inet_twsk_alloc`, `inet_twsk_kill`). Where there is none
/// no table has to be walked.
const MINI_SOCKETS: &str = "sockstat.TCP.tw";

/// From so many sockets on a part of the descriptors may tell enough of who holds them: fewer are
/// found sooner than a sample is taken.
const MANY: u64 = 20_000;

/// How many TCP sockets other than mini-sockets are in the tables of the namespace. `None`: it is not
/// told.
fn sockets_held(counters: &Counters) -> Option<u64> {
    let gauges = ["sockstat.TCP.inuse", "sockstat6.TCP6.inuse"];
    gauges.iter().filter_map(|gauge| counters.get(gauge)).reduce(|sum, more| sum + more)
}

/// Looks up the holders of what was asked for in any namespace, at once.
fn name_owners<'c, L: 'c>(
    query: &Query,
    only: Option<u64>,
    counted: impl Iterator<Item = &'c mut Counted<L>>,
) {
    let counted: Vec<&mut Counted<L>> = counted.collect();
    let wanted: HashSet<u64> = counted.iter().flat_map(|one| &one.inodes).copied().collect();
    let found = if wanted.is_empty() {
        LookUp::default()
    } else {
        owners::look_up_some(query, wanted, only)
    };
    for one in counted.into_iter().filter(|one| !one.inodes.is_empty()) {
        let lacking = one.inodes.iter().filter(|inode| !found.owners.holds(**inode)).count();
        one.snapshot.owners = found.owners.among(one.inodes.drain());
        one.snapshot.about.gaps.extend(found.gaps(lacking as u64));
    }
}

/// The identities of these connections, as far as they are still what they were: their cookies.
fn identified(query: &Query, open: &[Open]) -> Vec<(usize, Identity)> {
    let by_netlink = query.source != SourceChoice::Proc && query.root.is_live();
    if !by_netlink || open.is_empty() {
        return vec![];
    }
    let Ok(mut inquiry) = Inquiry::open() else { return vec![] };
    let identity = |(place, open): (usize, &Open)| {
        let family = match open.remote.address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        };
        let (local, remote) = (open.local, open.remote);
        let any =
            Identity { protocol: Protocol::Tcp, family, local, remote, interface: 0, cookie: None };
        let found = inquiry.find(any).ok()?.filter(|found| found.inode == Some(open.inode))?;
        Some((place, Identity { cookie: Some(found.cookie?), ..any }))
    };
    open.iter().enumerate().filter_map(identity).collect()
}

impl<L: Ledger> Counted<L> {
    /// Tells the ledger which of the connections are in TIME_WAIT.
    fn follow(&mut self) {
        if self.followed.is_empty() {
            return;
        }
        let Ok(mut inquiry) = Inquiry::open() else { return };
        for (place, identity) in self.followed.drain(..) {
            let found = inquiry.find(identity).ok().flatten();
            if found.is_some_and(|socket| socket.state == State::TimeWait) {
                self.ledger.ended(place);
            }
        }
    }
}
