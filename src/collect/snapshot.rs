//! A snapshot of the running machine: what the reports are made from.

use super::{
    limits,
    list::Failure,
    owners,
    query::Query,
    tables::{Provenance, Tables},
};
use crate::{
    field::need::Need,
    kernel::{
        host, namespace,
        netlink::connection::Next,
        proc::{counters, dead_sockets, sysctl},
    },
    model::{
        about::{About, SourceKind},
        counters::Sample,
        earlier::Earlier,
        family::FamilyFacts,
        limits::Limits,
        netns::NetnsIndex,
        protocol::Protocol,
        snapshot::{Alive, Snapshot},
        socket::Socket,
        state::State,
    },
};
use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Parts of a window in which counters are read where it matters whether something goes on or
/// happened once.
const PARTS: u32 = 4;

/// Takes a snapshot of what the query asks for.
///
/// With a window there are two looks, so that rates are known, and so that a connection which
/// closed in between has an owner. Owners are looked up at the first look, where the query needs
/// them: what is alive then explains what is gone at the second.
pub fn take(query: &Query, window: Option<Duration>) -> Result<Snapshot, Failure> {
    let start = Instant::now();
    let netns = namespace::current(&query.root);
    let (first_counters, mut gaps) = counters::read(&query.root);
    let (mut sockets, mut provenance) = look(query)?;
    let mut found = owners::LookUp::default();
    if query.need.includes(Need::OWNERS) {
        // Those that open during the window are wanted too: every socket of the host.
        found = owners::look_up(query, &sockets, window.is_some(), netns.inode);
    }
    let mut samples = vec![Sample { at_ms: 0, counters: first_counters }];
    let (mut alive_before, mut earlier) = (vec![], vec![]);
    if let Some(window) = window {
        alive_before = sockets.iter().filter_map(alive).collect();
        if query.need.includes(Need::EARLIER) {
            earlier = sockets.iter().map(Earlier::of).collect();
            // Half a kilobyte each, by the hundred thousand: not kept while waiting.
            drop(std::mem::take(&mut sockets));
            for part in 1..PARTS {
                thread::sleep((window * part / PARTS).saturating_sub(start.elapsed()));
                samples.push(sample(query, start));
            }
        }
        thread::sleep(window.saturating_sub(start.elapsed()));
        (sockets, provenance) = look(query)?;
        samples.push(sample(query, start));
    }
    if window.is_some() && query.need.includes(Need::OWNERS) {
        // The look-up went over the whole host; of it only this namespace's sockets are told.
        let alive = alive_before.iter().map(|alive: &Alive| alive.inode);
        let listed: HashSet<u64> = sockets.iter().flat_map(owners::inodes).chain(alive).collect();
        found.owners = found.owners.of(|inode| listed.contains(&inode));
    }
    let mut limits = if query.need.includes(Need::LIMITS) {
        limits::read(query, &found.owners, netns.inode)
    } else {
        Limits::default()
    };
    let mut settings = sysctl::read(&query.root);
    if query.need.includes(Need::EARLIER) {
        count_dead_sockets(query, &samples, (&earlier, &sockets), &mut limits);
        settings.of_host = sysctl::of_first_namespace(&query.root);
    }
    gaps.extend(provenance.gaps);
    // Of the sockets alive at the last look: one that closed meanwhile is nobody's.
    let lacks =
        |s: &&Socket| query.need.includes(Need::OWNERS) && owners::lacks_owner(s, &found.owners);
    gaps.extend(found.gaps(sockets.iter().filter(lacks).count() as u64));
    Ok(Snapshot {
        about: About {
            generated_at: SystemTime::now(),
            host: host::read(&query.root),
            source: provenance.kind.unwrap_or(SourceKind::Netlink),
            fallback_reason: provenance.fallback_reason,
            netns,
            gaps,
        },
        sockets,
        alive_before,
        earlier,
        owners: found.take_owners(),
        settings,
        limits,
        samples,
    })
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
    let unlisted = |sample: &Sample| {
        let all = sample.counters.get("sockstat.sockets.used")?;
        Some(all.saturating_sub(sample.counters.get("protocols.sockets")?))
    };
    let seldom = samples.iter().filter_map(unlisted).min();
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

/// Looks up who holds these sockets of a snapshot that was taken without owners, and the limits of
/// those who do.
pub fn name_owners(query: &Query, snapshot: &mut Snapshot, inodes: impl IntoIterator<Item = u64>) {
    let inodes: HashSet<u64> = inodes.into_iter().collect();
    let netns = snapshot.about.netns.inode;
    let mut found = owners::look_up_some(query, inodes.iter().copied(), netns);
    let wanted = |socket: &&Socket| socket.inode.is_some_and(|inode| inodes.contains(&inode));
    let lacking = snapshot.sockets.iter().filter(wanted);
    let lacking = lacking.filter(|socket| owners::lacks_owner(socket, &found.owners)).count();
    snapshot.about.gaps.extend(found.gaps(lacking as u64));
    snapshot.owners = found.take_owners();
    limits::add(query, &snapshot.owners, &mut snapshot.limits);
}

fn sample(query: &Query, start: Instant) -> Sample {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Sample { at_ms, counters: counters::read(&query.root).0 }
}

/// One look at the sockets a query asks for, without its filter.
pub(super) fn look(query: &Query) -> Result<(Vec<Socket>, Provenance), Failure> {
    let mut sockets = vec![];
    let mut tables = Tables::open(query)?;
    tables.read(NetnsIndex::default(), |socket, _| {
        if query.wants(socket) && !is_our_own(socket) {
            sockets.push(socket.clone());
        }
        Next::More
    })?;
    Ok((sockets, tables.provenance))
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
