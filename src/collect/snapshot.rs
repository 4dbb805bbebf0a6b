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
        proc::{counters, sysctl},
    },
    model::{
        about::{About, SourceKind},
        counters::Sample,
        limits::Limits,
        netns::NetnsIndex,
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
    let mut alive_before = vec![];
    if let Some(window) = window {
        alive_before = sockets.iter().filter_map(alive).collect();
        thread::sleep(window.saturating_sub(start.elapsed()));
        (sockets, provenance) = look(query)?;
        let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        samples.push(Sample { at_ms, counters: counters::read(&query.root).0 });
    }
    if window.is_some() && query.need.includes(Need::OWNERS) {
        // The look-up went over the whole host; of it only this namespace's sockets are told.
        let alive = alive_before.iter().map(|alive: &Alive| alive.inode);
        let listed: HashSet<u64> = sockets.iter().flat_map(owners::inodes).chain(alive).collect();
        found.owners = found.owners.of(|inode| listed.contains(&inode));
    }
    let limits = if query.need.includes(Need::LIMITS) {
        limits::read(query, &found.owners)
    } else {
        Limits::default()
    };
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
        owners: found.take_owners(),
        settings: sysctl::read(&query.root),
        limits,
        samples,
    })
}

fn look(query: &Query) -> Result<(Vec<Socket>, Provenance), Failure> {
    let mut sockets = vec![];
    let mut tables = Tables::open(query)?;
    tables.read(NetnsIndex::default(), |socket, _| {
        if query.wants(socket) {
            sockets.push(socket.clone());
        }
        Next::More
    })?;
    Ok((sockets, tables.provenance))
}

fn alive(socket: &Socket) -> Option<Alive> {
    let is_alive = socket.state != State::Listen && !socket.is_mini();
    let (cookie, inode) = (socket.cookie?, socket.inode?);
    is_alive.then_some(Alive { cookie, inode })
}
