//! A snapshot of the running machine: what the reports are made from.

use super::{
    limits,
    list::Failure,
    look::{Keep, Look, UNLISTED, look, unlisted},
    namespaces::Namespaces,
    owners::{self, LookUp},
    query::{Query, Scope},
};
use crate::{
    field::need::Need,
    kernel::{
        error::Error,
        host,
        netlink::connection::Next,
        proc::{counters, dead_sockets, process, sysctl},
    },
    model::{
        about::{About, SourceKind},
        counters::Sample,
        earlier::Earlier,
        first_look::FirstLook,
        gap::Gap,
        limits::Limits,
        netns::{Netns, NetnsIndex},
        outline::Outline,
        owner::Owners,
        settings::Settings,
        snapshot::{Alive, Snapshot},
        socket::Socket,
    },
};
use nix::errno::Errno;
use std::{
    collections::{BTreeMap, HashSet},
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Parts of a window in which counters are read where it matters whether something goes on or
/// happened once.
const PARTS: u32 = 4;

/// Takes a snapshot of what the query asks for, in one namespace.
pub fn take(query: &Query, window: Option<Duration>) -> Result<Snapshot, Failure> {
    let query = Query { scope: Scope::Here, ..query.clone() };
    let (taken, _) = take_each(&query, window, |snapshot| snapshot)?;
    // One namespace was asked for: without an error it was looked into.
    taken.into_iter().next().ok_or_else(|| Failure::Kernel(no_namespace()))
}

fn no_namespace() -> Error {
    Error::errno("look into", "the network namespace", Errno::ESRCH)
}

/// Takes a snapshot of what the query asks for in each of its namespaces, and hands it to `work` on
/// a thread that is in that namespace. Also tells which namespaces could not be seen.
///
/// With a window there are two looks, so that rates are known, and so that a connection which
/// closed in between has an owner; every namespace is looked at once before the first is looked at
/// again. Owners are looked up at the first look, where the query needs them, for all namespaces at
/// once: what is alive then explains what is gone at the second.
pub fn take_each<T: Send>(
    query: &Query,
    window: Option<Duration>,
    work: impl Fn(Snapshot) -> T + Sync,
) -> Result<(Vec<T>, Vec<Gap>), Failure> {
    take_looks(query, window, false, |Taken { snapshot, first, .. }| {
        // The largest thing beside the snapshot: it is not wanted any more.
        drop(first);
        work(snapshot)
    })
}

/// The same, and every socket as it is, for what is to be recorded.
pub(super) fn take_whole<T: Send>(
    query: &Query,
    window: Duration,
    work: impl Fn(Taken) -> T + Sync,
) -> Result<(Vec<T>, Vec<Gap>), Failure> {
    take_looks(query, Some(window), true, work)
}

/// What was taken of a namespace.
pub(super) struct Taken {
    pub(super) snapshot: Snapshot,
    /// The sockets at the last look, and those of the first, where they were to be kept whole.
    pub(super) sockets: Vec<Socket>,
    pub(super) first: Option<FirstLook>,
}

fn take_looks<T: Send>(
    query: &Query,
    window: Option<Duration>,
    whole: bool,
    work: impl Fn(Taken) -> T + Sync,
) -> Result<(Vec<T>, Vec<Gap>), Failure> {
    let mut namespaces = Namespaces::of(query)?;
    let spaces = namespaces.spaces();
    let start = Instant::now();
    let mut counters = counters::Reader::default();
    let mut looks: BTreeMap<NetnsIndex, Look> = BTreeMap::new();
    namespaces.visit(query, |netns, query| {
        let keep = if window.is_some() { Keep::First } else { Keep::Last { first: None, whole } };
        looks.insert(netns, look(netns, query, start, &mut counters, keep)?);
        Ok(Next::More)
    })?;
    let mut gaps = namespaces.gaps();
    let mut found = look_up_owners(query, &namespaces, &looks, window.is_some());
    if let Some(window) = window {
        for part in 1..PARTS {
            if !query.need.includes(Need::EARLIER) {
                break;
            }
            thread::sleep((window * part / PARTS).saturating_sub(start.elapsed()));
            namespaces.visit(query, |netns, query| {
                if let Some(look) = looks.get_mut(&netns) {
                    look.sample(query, start, &mut counters);
                }
                Ok(Next::More)
            })?;
        }
        thread::sleep(window.saturating_sub(start.elapsed()));
    }
    let one = looks.len() == 1;
    let machine = Machine::of(query, namespaces.host().is_some());
    let mut limits = limits::Reader::default();
    let mut taken = vec![];
    namespaces.visit(query, |netns, query| {
        let Some(first) = looks.remove(&netns) else { return Ok(Next::More) };
        let keep = Keep::Last { first: Some(&first), whole };
        let again = |_| look(netns, query, start, &mut counters, keep);
        let last = window.map(again).transpose()?;
        let about = spaces.get(netns.at()).map(|space| space.netns.clone()).unwrap_or_default();
        let Taken { mut snapshot, sockets, first } = joined(query, about, first, last);
        snapshot.settings = sysctl::of_namespace(&query.root);
        machine.tell(query, &mut snapshot);
        snapshot.owners = if one && window.is_none() {
            found.take_owners()
        } else {
            // The look-up went over the whole host; of it only this namespace's sockets are told.
            let alive = snapshot.alive_before.iter().map(|alive| alive.inode);
            let now = snapshot.sockets.iter().filter_map(Outline::inode);
            let named = sockets.iter().flat_map(owners::inodes);
            found.owners.among(now.chain(named).chain(alive))
        };
        // Of the sockets alive at the last look: one that closed meanwhile is nobody's.
        let lacks = |s: &&Outline| {
            query.need.includes(Need::OWNERS) && owners::lacks_owner(&s.socket(), &snapshot.owners)
        };
        let without = snapshot.sockets.iter().filter(lacks).count() as u64;
        snapshot.about.gaps.extend(found.gaps(without));
        if query.need.includes(Need::LIMITS) {
            snapshot.limits = limits.read(query, &snapshot);
        }
        if query.need.includes(Need::EARLIER) {
            count_dead_sockets(query, first.as_ref(), &mut snapshot);
        }
        taken.push(work(Taken { snapshot, sockets, first }));
        Ok(Next::More)
    })?;
    // What could be looked into once and not again.
    gaps.extend(
        namespaces.gaps().into_iter().filter(|gap| !gaps.contains(gap)).collect::<Vec<_>>(),
    );
    Ok((taken, gaps))
}

/// What is the same in every namespace of the machine, read once.
pub(super) struct Machine {
    settings: Settings,
    /// Settings of the network namespace of process 1. Empty: it could not be entered, or was not
    /// to be.
    of_first: Settings,
    first: Option<u64>,
    /// Whether that namespace is one of those that are looked at, and the machine's own.
    is_host_seen: bool,
}

impl Machine {
    pub(super) fn of(query: &Query, is_host_seen: bool) -> Self {
        let root = &query.root;
        let is_asked = is_host_seen || query.need.includes(Need::EARLIER);
        Self {
            settings: sysctl::of_machine(root),
            of_first: if is_asked { sysctl::of_first_namespace(root) } else { Settings::default() },
            first: process::netns(root, "1"),
            is_host_seen,
        }
    }

    /// Adds it to the settings of a namespace.
    pub(super) fn tell(&self, query: &Query, snapshot: &mut Snapshot) {
        let settings = &mut snapshot.settings;
        settings.absorb(self.settings.clone());
        if self.is_host_seen {
            settings.add_host_wide(&self.of_first);
        }
        let is_first = snapshot.about.netns.inode == self.first;
        if query.need.includes(Need::EARLIER) && !is_first && self.first.is_some() {
            settings.of_host = self.of_first.values.clone();
        }
    }
}

/// Who holds what was seen at the first look; of several namespaces without preferring one.
fn look_up_owners(
    query: &Query,
    namespaces: &Namespaces,
    looks: &BTreeMap<NetnsIndex, Look>,
    more: bool,
) -> LookUp {
    if !query.need.includes(Need::OWNERS) {
        return LookUp::default();
    }
    // Those that open during the window are wanted too: every socket of the host.
    let seen = || {
        let sockets = looks.values().flat_map(|look| &look.sockets);
        sockets.filter_map(Outline::inode).collect()
    };
    owners::look_up_inodes(query, (!more).then(seen), namespaces.only())
}

/// Counts the descriptors of dead TCP sockets of each process.
///
/// The kernel tells how many sockets the namespace has and how many of them are in tables. Only
/// where the two differ, at both looks, are the descriptors read: on most hosts they never are.
fn count_dead_sockets(query: &Query, first: Option<&FirstLook>, snapshot: &mut Snapshot) {
    let Snapshot { samples, sockets, limits, .. } = snapshot;
    let seldom = samples.iter().filter_map(|sample| unlisted(&sample.counters)).min();
    if seldom.is_none_or(|number| number < UNLISTED) {
        return;
    }
    // One that died within the window is not counted: the program may close it yet.
    let before = first.into_iter().flat_map(FirstLook::iter).filter_map(|earlier| earlier.inode);
    let listed: HashSet<u64> = sockets.iter().filter_map(Outline::inode).chain(before).collect();
    for process in &mut limits.processes {
        process.dead_sockets =
            dead_sockets::count(&query.root, process.pid, |inode| listed.contains(&inode));
    }
}

/// Looks up who holds these sockets of snapshots that were taken without owners, and the limits of
/// those who do.
pub fn name_owners(
    query: &Query,
    snapshots: &mut [&mut Snapshot],
    inodes: impl IntoIterator<Item = u64>,
) {
    let inodes: HashSet<u64> = inodes.into_iter().collect();
    let only = match snapshots {
        [snapshot] => snapshot.about.netns.inode,
        _ => None,
    };
    let found = owners::look_up_some(query, inodes.iter().copied(), only);
    let mut limits = limits::Reader::default();
    for snapshot in snapshots {
        let wanted = |s: &&Outline| s.inode().is_some_and(|inode| inodes.contains(&inode));
        let own: Vec<&Outline> = snapshot.sockets.iter().filter(wanted).collect();
        let lacks = |s: &&&Outline| owners::lacks_owner(&s.socket(), &found.owners);
        let lacking = own.iter().filter(lacks).count();
        snapshot.owners = found.owners.among(own.iter().filter_map(|s| s.inode()));
        snapshot.about.gaps.extend(found.gaps(lacking as u64));
        limits.add(query, &snapshot.owners, &mut snapshot.limits);
    }
}

/// A snapshot of one look, or of two; whose the sockets are is not known yet, nor any setting.
pub(super) fn joined(query: &Query, netns: Netns, first: Look, last: Option<Look>) -> Taken {
    let (samples, first, last) = match last {
        None => (vec![], None, first),
        Some(last) => (first.samples, first.first, last),
    };
    let mut samples: Vec<Sample> = samples.into_iter().chain(last.samples).collect();
    let began_at_ms = samples.first().map_or(0, |sample| sample.at_ms);
    for sample in &mut samples {
        sample.at_ms = sample.at_ms.saturating_sub(began_at_ms);
    }
    // It tells whose a connection was that is closed by now.
    let names = query.need.includes(Need::OWNERS);
    let alive_before = first.iter().filter(|_| names).flat_map(FirstLook::iter).filter_map(alive);
    let alive_before = alive_before.collect();
    let snapshot = Snapshot {
        about: About {
            generated_at: SystemTime::now(),
            host: host::read(&query.root),
            source: last.provenance.kind.unwrap_or(SourceKind::Netlink),
            fallback_reason: last.provenance.fallback_reason,
            netns,
            gaps: last.provenance.gaps,
        },
        sockets: last.sockets,
        measures: last.measures,
        alive_before,
        before: first.as_ref().map(FirstLook::summary),
        owners: Owners::default(),
        settings: Settings::default(),
        limits: Limits::default(),
        samples,
    };
    Taken { snapshot, sockets: last.whole, first }
}

fn alive(earlier: Earlier) -> Option<Alive> {
    // What can go on into TIME_WAIT. What is in it has no inode any more.
    let is_alive = earlier.is_tcp && earlier.listening_port.is_none();
    let (cookie, inode) = (earlier.cookie?, earlier.inode?);
    is_alive.then_some(Alive { cookie, inode })
}
