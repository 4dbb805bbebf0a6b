//! A snapshot of the running machine: what the reports are made from.

use super::{
    limits,
    list::Failure,
    namespaces::Namespaces,
    owners::{self, LookUp},
    query::{Query, Scope},
    tables::{Provenance, Tables},
};
use crate::{
    field::need::Need,
    kernel::{
        error::Error,
        host,
        netlink::connection::Next,
        proc::{counters, dead_sockets, sysctl},
    },
    model::{
        about::{About, SourceKind},
        counters::{Counters, Sample},
        earlier::Earlier,
        family::FamilyFacts,
        gap::Gap,
        limits::Limits,
        netns::{Netns, NetnsIndex},
        owner::Owners,
        protocol::Protocol,
        settings::Settings,
        snapshot::{Alive, Snapshot},
        socket::Socket,
        state::{State, StateSet},
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
    let mut namespaces = Namespaces::of(query)?;
    let spaces = namespaces.spaces();
    let start = Instant::now();
    let mut looks: BTreeMap<NetnsIndex, Look> = BTreeMap::new();
    namespaces.visit(query, |netns, query| {
        looks.insert(netns, look(netns, query, start)?);
        Ok(Next::More)
    })?;
    let mut gaps = namespaces.gaps();
    let mut found = look_up_owners(query, &namespaces, &looks, window.is_some());
    if let Some(window) = window {
        for look in looks.values_mut() {
            look.is_the_first(query);
        }
        for part in 1..PARTS {
            if !query.need.includes(Need::EARLIER) {
                break;
            }
            thread::sleep((window * part / PARTS).saturating_sub(start.elapsed()));
            namespaces.visit(query, |netns, query| {
                if let Some(look) = looks.get_mut(&netns) {
                    look.samples.push(sample(query, start));
                }
                Ok(Next::More)
            })?;
        }
        thread::sleep(window.saturating_sub(start.elapsed()));
    }
    let host_wide = namespaces.host().and_then(|host| looks.get(&host)).map(|l| l.settings.clone());
    let one = looks.len() == 1;
    let mut taken = vec![];
    namespaces.visit(query, |netns, query| {
        let Some(first) = looks.remove(&netns) else { return Ok(Next::More) };
        let last = window.map(|_| look(netns, query, start)).transpose()?;
        let about = spaces.get(netns.at()).map(|space| space.netns.clone()).unwrap_or_default();
        let mut snapshot = joined(query, about, first, last);
        if let Some(host_wide) = &host_wide {
            snapshot.settings.add_host_wide(host_wide);
        }
        snapshot.owners = if one && window.is_none() {
            found.take_owners()
        } else {
            // The look-up went over the whole host; of it only this namespace's sockets are told.
            let alive = snapshot.alive_before.iter().map(|alive| alive.inode);
            let now = snapshot.sockets.iter().flat_map(owners::inodes);
            found.owners.among(now.chain(alive))
        };
        // Of the sockets alive at the last look: one that closed meanwhile is nobody's.
        let lacks = |s: &&Socket| {
            query.need.includes(Need::OWNERS) && owners::lacks_owner(s, &snapshot.owners)
        };
        let without = snapshot.sockets.iter().filter(lacks).count() as u64;
        snapshot.about.gaps.extend(found.gaps(without));
        if query.need.includes(Need::LIMITS) {
            let netns = snapshot.about.netns.inode;
            snapshot.limits = limits::read(query, &snapshot.owners, netns);
        }
        if query.need.includes(Need::EARLIER) {
            let earlier = snapshot.earlier.as_deref().unwrap_or_default();
            let looks = (earlier, snapshot.sockets.as_slice());
            count_dead_sockets(query, &snapshot.samples, looks, &mut snapshot.limits);
            snapshot.settings.of_host = sysctl::of_first_namespace(&query.root);
        }
        taken.push(work(snapshot));
        Ok(Next::More)
    })?;
    // What could be looked into once and not again.
    gaps.extend(
        namespaces.gaps().into_iter().filter(|gap| !gaps.contains(gap)).collect::<Vec<_>>(),
    );
    Ok((taken, gaps))
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
    let seen = || looks.values().flat_map(|look| &look.sockets).flat_map(owners::inodes).collect();
    owners::look_up_inodes(query, (!more).then(seen), namespaces.only())
}

/// Sockets in no table that a namespace may have without a closer look: a few are always about to
/// be bound or connected.
const UNLISTED: u64 = 10;

/// Counts the descriptors of dead TCP sockets of each process.
///
/// The kernel tells how many sockets the namespace has and how many of them are in tables. Only
/// where the two differ, at both looks, are the descriptors read: on most hosts they never are.
fn count_dead_sockets(
    query: &Query,
    samples: &[Sample],
    (earlier, sockets): (&[Earlier], &[Socket]),
    limits: &mut Limits,
) {
    let seldom = samples.iter().filter_map(|sample| unlisted(&sample.counters)).min();
    if seldom.is_none_or(|number| number < UNLISTED) {
        return;
    }
    // One that died within the window is not counted: the program may close it yet.
    let before = earlier.iter().filter_map(|earlier| earlier.inode);
    let listed: HashSet<u64> = sockets.iter().filter_map(|s| s.inode).chain(before).collect();
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
    for snapshot in snapshots {
        let wanted = |socket: &&Socket| socket.inode.is_some_and(|inode| inodes.contains(&inode));
        let own: Vec<&Socket> = snapshot.sockets.iter().filter(wanted).collect();
        let lacking = own.iter().filter(|s| owners::lacks_owner(s, &found.owners)).count();
        snapshot.owners = found.owners.among(own.iter().filter_map(|socket| socket.inode));
        snapshot.about.gaps.extend(found.gaps(lacking as u64));
        limits::add(query, &snapshot.owners, &mut snapshot.limits);
    }
}

/// One look at a namespace.
struct Look {
    /// Counters, each at the time since the question was asked.
    samples: Vec<Sample>,
    settings: Settings,
    sockets: Vec<Socket>,
    /// What is kept of the sockets where another look follows.
    alive: Vec<Alive>,
    earlier: Option<Vec<Earlier>>,
    provenance: Provenance,
}

impl Look {
    /// Keeps of the sockets what the last look will be compared with.
    fn is_the_first(&mut self, query: &Query) {
        self.alive = self.sockets.iter().filter_map(alive).collect();
        if query.need.includes(Need::EARLIER) {
            self.earlier = Some(self.sockets.iter().map(Earlier::of).collect());
            // Half a kilobyte each, by the hundred thousand: not kept while waiting.
            drop(std::mem::take(&mut self.sockets));
        }
    }
}

fn sample(query: &Query, start: Instant) -> Sample {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Sample { at_ms, counters: counters::read(&query.root).0 }
}

/// The sockets a query asks for as they are now, without its filter.
pub(super) fn sockets(
    netns: NetnsIndex,
    query: &Query,
) -> Result<(Vec<Socket>, Provenance), Error> {
    let mut sockets = vec![];
    let mut tables = Tables::open(query)?;
    tables.read(netns, |socket, _| {
        if query.wants(socket) && !is_our_own(socket) {
            sockets.push(socket.clone());
        }
        Next::More
    })?;
    Ok((sockets, tables.provenance))
}

fn look(netns: NetnsIndex, query: &Query, start: Instant) -> Result<Look, Error> {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (counters, gaps) = counters::read(&query.root);
    let (sockets, mut provenance) = match without_idle(query, &counters) {
        None => sockets(netns, query)?,
        Some(listed) => {
            let (mut found, provenance) = sockets(netns, &listed)?;
            // The kernel's own are in the tables and are not counted: as many may be in none.
            if found.iter().any(|socket| socket.inode.is_none() && !socket.is_mini()) {
                let idle = vec![(Protocol::Tcp, StateSet::of(State::BoundInactive))];
                found.extend(sockets(netns, &Query { protocols: idle, ..listed })?.0);
            }
            (found, provenance)
        }
    };
    provenance.gaps.extend(gaps);
    let settings = sysctl::read(&query.root);
    Ok(Look {
        samples: vec![Sample { at_ms, counters }],
        settings,
        sockets,
        alive: vec![],
        earlier: None,
        provenance,
    })
}

/// The question without idle bound sockets, where the kernel tells that there are none: every socket
/// of the namespace is in a table. To look for them it walks the bind table of the whole machine,
/// tens of milliseconds for each namespace. `None`: they have to be looked for, or were not to be.
fn without_idle(query: &Query, counters: &Counters) -> Option<Query> {
    let idle = StateSet::of(State::BoundInactive);
    let asks = query.protocols.iter().any(|(_, states)| states.includes(idle));
    // Whether the kernel has sockets of its own is seen among those of both.
    let is_seen = query.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Udp);
    let (all, listed) = (counters.get("sockstat.sockets.used"), in_tables(counters));
    if !asks || !is_seen || all.is_none() || all != listed {
        return None;
    }
    let mut query = query.clone();
    for (_, states) in &mut query.protocols {
        *states = states.without(idle);
    }
    Some(query)
}

/// How many sockets of the namespace are in tables. `None`: the kernel does not tell.
fn in_tables(counters: &Counters) -> Option<u64> {
    counters.get("protocols.sockets")
}

/// How many sockets of the namespace are in no table: idle bound ones, dead ones that are still held,
/// and those about to be bound or connected. `None`: the kernel does not tell.
fn unlisted(counters: &Counters) -> Option<u64> {
    Some(counters.get("sockstat.sockets.used")?.saturating_sub(in_tables(counters)?))
}

/// A snapshot of one look, or of two; whose the sockets are is not known yet.
fn joined(query: &Query, netns: Netns, first: Look, last: Option<Look>) -> Snapshot {
    let Look { mut samples, alive: alive_before, earlier, .. } = first;
    let last = match last {
        None => {
            let Look { settings, sockets, provenance, .. } = first;
            Look { samples: vec![], settings, sockets, alive: vec![], earlier: None, provenance }
        }
        Some(mut last) => {
            samples.append(&mut last.samples);
            last
        }
    };
    let began_at_ms = samples.first().map_or(0, |sample| sample.at_ms);
    for sample in &mut samples {
        sample.at_ms = sample.at_ms.saturating_sub(began_at_ms);
    }
    Snapshot {
        about: About {
            generated_at: SystemTime::now(),
            host: host::read(&query.root),
            source: last.provenance.kind.unwrap_or(SourceKind::Netlink),
            fallback_reason: last.provenance.fallback_reason,
            netns,
            gaps: last.provenance.gaps,
        },
        sockets: last.sockets,
        alive_before,
        earlier,
        owners: Owners::default(),
        settings: last.settings,
        limits: Limits::default(),
        samples,
    }
}

/// Whether it is one of the netlink sockets this process asks by: the look is not a part of what is
/// looked at. The first has the process id as its address (`netlink_autobind`).
fn is_our_own(socket: &Socket) -> bool {
    matches!(socket.family_facts.as_deref(),
        Some(FamilyFacts::Netlink(netlink)) if netlink.port_id == std::process::id())
}

fn alive(socket: &Socket) -> Option<Alive> {
    // What can go on into TIME_WAIT.
    let is_tcp = socket.protocol == Protocol::Tcp;
    let is_alive = is_tcp && socket.state != State::Listen && !socket.is_mini();
    let (cookie, inode) = (socket.cookie?, socket.inode?);
    is_alive.then_some(Alive { cookie, inode })
}
