//! A snapshot to keep, with the names of what occurs in it.

use super::{
    list::Failure,
    query::Query,
    snapshot::{self, Taken},
};
use crate::{
    field::need::Need,
    kernel::{cgroup_tree::CgroupTree, host, names::Names},
    model::{
        measures::Measures,
        protocol::Protocol,
        recording::{RecordedNames, Recording},
        snapshot::Snapshot,
        socket::Socket,
    },
};
use std::time::Duration;

/// What a recording asks for beside the sockets: all that any command shows.
pub const NEED: Need = Need::TCP_INFO
    .with(Need::MEMORY)
    .with(Need::CONGESTION)
    .with(Need::TOS)
    .with(Need::OWNERS)
    .with(Need::USERS)
    .with(Need::CGROUPS)
    .with(Need::MARK)
    .with(Need::INTERFACES)
    .with(Need::UNIX_PEERS)
    .with(Need::FAMILY_DETAILS)
    .with(Need::FILTERS)
    .with(Need::SUBFLOWS)
    .with(Need::EARLIER)
    .with(Need::LIMITS)
    .with(Need::NAMED_PORTS)
    .with(Need::DESCRIPTORS);

/// Records the running machine, each network namespace of the question by itself: two looks,
/// `window` apart.
pub fn record(
    query: &Query,
    window: Duration,
    tool_version: &str,
) -> Result<Vec<Recording>, Failure> {
    let one = |taken| of_snapshot(query, taken, tool_version);
    let (mut recordings, gaps) = snapshot::take_whole(query, window, one)?;
    // What is said of all of them is said once.
    if let Some(first) = recordings.first_mut() {
        first.snapshot.about.gaps.extend(gaps);
    }
    Ok(recordings)
}

/// A snapshot with the names of what is in it, on the thread that is in its namespace.
fn of_snapshot(query: &Query, taken: Taken, tool_version: &str) -> Recording {
    let Taken { snapshot, sockets, first } = taken;
    // They are whole in a recording: not twice by the million.
    let (measures, before) = (Measures::default(), None);
    let snapshot = Snapshot { sockets: vec![], measures, before, ..snapshot };
    let untold =
        |protocol: &Protocol| snapshot.about.gaps.iter().any(|gap| gap.untold.contains(protocol));
    let protocols = query.protocols.iter().map(|(protocol, _)| *protocol);
    Recording {
        names: names(query, &sockets),
        // Of what nobody told the file holds nothing, which is not that there is none.
        protocols: protocols.filter(|protocol| !untold(protocol)).collect(),
        boot_id: host::boot_id(&query.root),
        tool_version: tool_version.to_owned(),
        redacted: false,
        earlier: first.map(|first| first.iter().collect()),
        sockets,
        snapshot,
    }
}

/// The names of what occurs in the sockets.
fn names(query: &Query, sockets: &[Socket]) -> RecordedNames {
    let (mut names, mut cgroups) = (Names::new(&query.root), CgroupTree::default());
    let mut recorded = RecordedNames::default();
    for socket in sockets {
        if let Some(uid) = socket.uid {
            names.learn_user(uid);
            if let Some(name) = names.user(uid).filter(|_| !recorded.users.contains_key(&uid)) {
                recorded.users.insert(uid, name.to_owned());
            }
        }
        let index = socket.interface;
        if index != 0 && !recorded.interfaces.contains_key(&index) {
            names.learn_interface(socket.netns, index);
            if let Some(name) = names.interface(socket.netns, index) {
                recorded.interfaces.insert(index, name.to_owned());
            }
        }
        if let Some(id) = socket.cgroup_id.filter(|id| !recorded.cgroups.contains_key(id)) {
            cgroups.learn(id);
            if let Some(path) = cgroups.path(id) {
                recorded.cgroups.insert(id, path.to_owned());
            }
        }
    }
    recorded
}
