//! What a recording answers, later and on whatever machine.

use super::{owners, query::Query};
use crate::{
    field::{
        need::Need,
        row::{Context, Space},
    },
    kernel::{cgroup_tree::CgroupTree, names::Names},
    model::{
        details::Details, family::FamilyFacts, first_look::FirstLook, gap::Gap, limits::Limits,
        netns::NetnsIndex, owner::Owners, protocol::Protocol, recording::Recording,
        snapshot::Snapshot, socket::Socket,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// What a report asks for of a recording: as if the running machine were asked, at that moment.
pub fn snapshot(mut recording: Recording, query: &Query, window: Option<Duration>) -> Snapshot {
    narrow(&mut recording, query, window);
    outlined(&recording)
}

/// The snapshot of a recording with its sockets in outline.
pub fn outlined(recording: &Recording) -> Snapshot {
    let mut snapshot = recording.snapshot.clone();
    let first: FirstLook = recording.earlier.iter().flatten().collect();
    let outline = |socket| snapshot.measures.outline(socket, first.find(socket).as_ref());
    snapshot.sockets = recording.sockets.iter().map(outline).collect();
    snapshot.before = recording.earlier.is_some().then(|| first.summary());
    snapshot
}

/// Leaves in the recording what a query asks for, so that its answer is that of the live machine
/// at that moment, and says what was asked for and not recorded.
///
/// Without a window there is one look, the last.
pub fn narrow(recording: &mut Recording, query: &Query, window: Option<Duration>) {
    let Recording { snapshot, sockets, .. } = recording;
    sockets.retain(|socket| query.wants(socket));
    // The order of the tables is the question's.
    let place = |socket: &Socket| {
        query.protocols.iter().position(|(protocol, _)| *protocol == socket.protocol)
    };
    sockets.sort_by_key(place);
    let need = query.need;
    for socket in &mut *sockets {
        if !need.includes(Need::TCP_INFO) {
            socket.tcp_info = None;
        }
        if !need.includes(Need::MEMORY) {
            socket.memory = None;
        }
        if !need.includes(Need::CONGESTION) {
            socket.congestion = None;
        }
        if !need.includes(Need::TOS) {
            socket.tos = None;
        }
        if let Some(facts) = socket.family_facts.as_deref_mut() {
            leave_asked(facts, need);
        }
        socket.details = socket.details.take().and_then(|details| asked_for(*details, need));
    }
    let gaps = &mut snapshot.about.gaps;
    if !need.includes(Need::OWNERS) {
        snapshot.owners = Owners::default();
    }
    // Like the live look-up: said only where an asked socket is concerned.
    let known = &snapshot.owners;
    let is_nameless =
        |socket: &Socket| known.unmatched().is_some() && owners::lacks_owner(socket, known);
    if !sockets.iter().any(is_nameless) {
        gaps.retain(|gap| !gap.code.starts_with("owners-"));
    }
    if !need.includes(Need::LIMITS) {
        snapshot.limits = Limits::default();
    }
    if !need.includes(Need::EARLIER) {
        recording.earlier = None;
    }
    let known = |pid: &&u32| snapshot.limits.process(**pid).is_some();
    for pid in query.pids.iter().filter(|pid| need.includes(Need::LIMITS) && !known(pid)) {
        gaps.push(Gap::new(
            "process-not-recorded",
            format!("limits of process {pid} are not in the snapshot: it held no socket"),
            "",
        ));
    }
    let asked = query.protocols.iter().map(|(protocol, _)| *protocol);
    // Who names no table asks for what there is; TCP and UDP are in every file that is not without
    // them on purpose.
    let is_asked =
        |protocol: &Protocol| query.named || matches!(protocol, Protocol::Tcp | Protocol::Udp);
    let missing: Vec<_> =
        asked.filter(|asked| is_asked(asked) && !recording.protocols.contains(asked)).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|protocol| protocol.name()).collect();
        let why = "they were not asked for, or could not be told";
        let gap = Gap::new(
            "not-recorded",
            format!("{} sockets are not in the snapshot: {why}", names.join(", ")),
            "record it without -t or -u, with a version that knows them",
        );
        gaps.push(gap.without(&missing));
    }
    if window.is_none() {
        one_look(snapshot);
        recording.earlier = None;
        // The other ends of what was asked for have holders too.
        if !need.includes(Need::PEERS) {
            holders_alone(recording, &query.pids);
        }
    } else if snapshot.samples.len() < 2 {
        gaps.push(Gap::new(
            "no-window",
            "rates are not known: the snapshot holds one look",
            "record it again with `sockeye snapshot`",
        ));
    }
}

/// Gives the sockets of several recordings, of each network namespace one, their places among them.
pub fn number(recordings: &mut [Recording]) {
    for (at, recording) in recordings.iter_mut().enumerate() {
        for socket in &mut recording.sockets {
            socket.netns = NetnsIndex::new(at);
        }
    }
}

/// The owners that were recorded in each of several network namespaces, together.
pub fn joined(mut owners: impl Iterator<Item = Owners>) -> Owners {
    let first = owners.next().unwrap_or_default();
    owners.fold(first, |all, more| all.with(&more))
}

/// What rows of these recordings are read with.
pub fn context(recordings: &[Recording], owners: Owners) -> Context {
    let mut context = Context {
        owners,
        names: Names::recorded(),
        spaces: recordings.iter().map(|recording| Space::recorded(&recording.snapshot)).collect(),
        ..Context::default()
    };
    let mut cgroups = BTreeMap::new();
    for (at, recording) in recordings.iter().enumerate() {
        context.names.add_recorded(NetnsIndex::new(at), &recording.names);
        cgroups.extend(recording.names.cgroups.iter().map(|(id, path)| (*id, path.clone())));
    }
    context.cgroups = CgroupTree::recorded(&cgroups);
    context
}

/// What a query asks of the rare facts, as the kernel groups them. `None`: nothing.
fn asked_for(mut details: Details, need: Need) -> Option<Box<Details>> {
    if !need.includes(Need::TRAFFIC_CLASS) {
        (details.tclass, details.class_id) = (None, None);
    }
    if !need.includes(Need::ALGORITHM) {
        details.algorithm = None;
    }
    // The kernel tells these two with tcp_info (`inet_diag_msg_attrs_fill`, `tcp_diag_get_aux`).
    if !need.includes(Need::TCP_INFO) {
        (details.upper_layer, details.md5) = (None, None);
    }
    if !need.includes(Need::STORAGES) {
        details.storages = None;
    }
    (!details.is_empty()).then(|| Box::new(details))
}

/// Leaves of what only a family has what a query asks for.
fn leave_asked(facts: &mut FamilyFacts, need: Need) {
    let details = need.includes(Need::FAMILY_DETAILS);
    match facts {
        FamilyFacts::Unix(unix) => {
            if !details {
                (unix.file, unix.pending) = (None, vec![]);
            }
            if !need.includes(Need::UNIX_PEERS) {
                unix.peer_path = None;
            }
        }
        FamilyFacts::Packet(packet) => {
            if !details {
                packet.memberships.clear();
            }
            if !need.includes(Need::FILTERS) {
                packet.filter = None;
            }
        }
        FamilyFacts::Mptcp(mptcp) => {
            if !need.includes(Need::TCP_INFO) {
                mptcp.info = None;
            }
            if !need.includes(Need::SUBFLOWS) {
                mptcp.subflows = None;
            }
        }
        FamilyFacts::Sctp(sctp) if !need.includes(Need::TCP_INFO) => sctp.info = None,
        _ => {}
    }
}

/// Leaves the holders of the sockets there are, and their limits: what one look asks for. Two looks
/// ask for every holder of the host, since others may come.
fn holders_alone(recording: &mut Recording, pids: &[u32]) {
    let Recording { snapshot, sockets, .. } = recording;
    let inodes: HashSet<u64> = sockets.iter().flat_map(owners::inodes).collect();
    let mut owners = Owners::default();
    for (process, mut sockets) in snapshot.owners.holdings() {
        sockets.retain(|(inode, _)| inodes.contains(inode));
        if !sockets.is_empty() {
            owners.add(process.clone(), &sockets);
        }
    }
    let limits = &mut snapshot.limits;
    let holders: HashSet<u32> =
        owners.processes().iter().map(|process| process.pid).chain(pids.iter().copied()).collect();
    limits.processes.retain(|process| holders.contains(&process.pid));
    let within: HashSet<&String> = limits.processes.iter().flat_map(|p| &p.cgroups).collect();
    // A process is limited by its cgroup and by every one around it.
    limits.cgroups.retain(|cgroup| {
        let key = cgroup.key();
        within.iter().any(|inner| {
            let inside = inner.strip_prefix(key.trim_end_matches('/'));
            inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    });
    snapshot.owners = owners.finished(snapshot.owners.unmatched());
}

fn one_look(snapshot: &mut Snapshot) {
    snapshot.alive_before.clear();
    let earlier = snapshot.samples.len().saturating_sub(1);
    snapshot.samples.drain(..earlier);
    if let Some(sample) = snapshot.samples.first_mut() {
        sample.at_ms = 0;
    }
}
