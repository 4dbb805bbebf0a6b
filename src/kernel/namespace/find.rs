//! Which network namespaces there are.

use super::{
    mounts::{self, Standing},
    place::{Place, Visit},
    strays::{self, Search},
};
use crate::kernel::{
    error::Error,
    proc::{process, root::Root},
};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The namespaces, each once: that of the calling thread first, then those with a file of
    /// `ip netns`, then by their first process.
    pub places: Vec<Place>,
    /// Files of `ip netns` that stand for nothing.
    pub stale: Vec<PathBuf>,
    /// Whether those that only a socket keeps were looked for.
    pub looked_at_sockets: bool,
    /// How many of those no way led into.
    pub closed: usize,
    /// Whether processes of other users are not listed (`hidepid=2`), and their namespaces with them.
    pub processes_hidden: bool,
}

/// Finds every namespace that a file, a mount, a process or, with `sockets`, a socket leads to.
///
/// A namespace lives as long as a process is in it, a file stands for it, or a socket belongs to it.
pub fn all(root: &Root, sockets: bool) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut by_inode: BTreeMap<u64, Place> = BTreeMap::new();
    let mut unread = vec![];
    let pids = process::pids(root)?;
    found.processes_hidden = pids.first() != Some(&1);
    for pid in pids {
        match process::netns_link(root, pid) {
            Ok(inode) => by_inode.entry(inode).or_default().pids.push(pid),
            Err(error) if error.is_permission() => unread.push(pid),
            // It has ended.
            Err(_) => {}
        }
    }
    let here = root.is_live().then(|| fs::metadata(root.join("thread-self/ns/net")).ok()).flatten();
    if let Some(here) = here {
        by_inode.entry(here.ino()).or_default().is_here = true;
        let standings = mounts::find(root, here.dev());
        found.stale = standings.stale;
        for Standing { inode, path } in standings.found {
            by_inode.entry(inode).or_default().files.push(path);
        }
    }
    for (inode, place) in &mut by_inode {
        place.inode = Some(*inode);
    }
    found.places = by_inode.into_values().collect();
    by_table(root, unread, &mut found.places);
    if sockets {
        by_socket(root, &mut found);
    }
    found.places.sort_by_key(|place| {
        // Of another machine's tree the first process's comes first.
        let is_first = place.is_here || (!root.is_live() && place.pids.first() == Some(&1));
        (!is_first, place.files.is_empty(), place.files.clone(), place.pids.clone())
    });
    Ok(found)
}

/// Adds those that only a socket keeps.
fn by_socket(root: &Root, found: &mut Found) {
    let known: Vec<u64> = found.places.iter().filter_map(|place| place.inode).collect();
    let Some(Search { kept, closed }) = strays::find(root, &known) else { return };
    (found.looked_at_sockets, found.closed) = (true, closed);
    found.places.extend(kept.into_iter().map(|kept| Place {
        inode: Some(kept.inode),
        kept: Some(kept),
        ..Place::default()
    }));
}

/// Puts processes whose link cannot be read into their namespace, a new one where it is not known.
///
/// Every namespace has a /proc/net of its own, in which files have inodes of their own; any process
/// may look into that of any other.
fn by_table(root: &Root, unread: Vec<u32>, places: &mut Vec<Place>) {
    let mut tables: HashMap<u64, Vec<u32>> = HashMap::new();
    for pid in unread {
        if let Some(table) = table(root, pid) {
            tables.entry(table).or_default().push(pid);
        }
    }
    if tables.is_empty() {
        return;
    }
    for place in places.iter_mut() {
        let by_process = place.pids.iter().find_map(|pid| table(root, *pid));
        let by_visit = || match place.inside(|| table(root, "thread-self")) {
            Visit::Done(table) => table,
            Visit::Gone | Visit::Refused(_) => None,
        };
        let its_table = by_process.or_else(|| root.is_live().then(by_visit).flatten());
        if let Some(pids) = its_table.and_then(|table| tables.remove(&table)) {
            place.pids.extend(pids);
            place.pids.sort_unstable();
        }
    }
    places.extend(tables.into_values().map(|pids| Place { pids, ..Place::default() }));
}

/// Inode of the table of TCP sockets a process sees: one for each namespace.
fn table(root: &Root, process: impl std::fmt::Display) -> Option<u64> {
    Some(fs::metadata(root.join(format!("{process}/net/tcp"))).ok()?.ino())
}
