//! `/proc/PID/fd`: which process holds which socket.

use super::{
    process::{self, inode_in},
    root::Root,
};
use crate::{
    kernel::error::Error,
    model::owner::{Owners, Unowned},
};
use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{self, OFlag},
    sys::stat::Mode,
};
use std::{collections::HashSet, time::Instant};

/// What to look for.
#[derive(Debug)]
pub struct Wanted {
    /// Inodes to find. `None`: every socket of the host.
    pub inodes: Option<HashSet<u64>>,
    /// The namespace the sockets belong to. Its processes are all read, since a socket may have
    /// several holders. Those of other namespaces are read only while an inode has none: a
    /// descriptor can be passed to them, but they may be many (a container host).
    pub netns: Option<u64>,
    /// When to stop with what was found.
    pub deadline: Option<Instant>,
}

/// What a look-up found.
#[derive(Debug, Default)]
pub struct Found {
    /// Holders by inode.
    pub owners: Owners,
    /// Processes whose descriptors could not be read.
    pub unreadable: usize,
    /// Whether processes of other users are not even listed (`hidepid=2`).
    pub processes_hidden: bool,
    /// Whether the look-up ended at its deadline.
    pub cut_short: bool,
}

/// Looks owners up.
pub fn look_up(root: &Root, wanted: &Wanted) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut missing = wanted.inodes.clone();
    let (same, other): (Vec<u32>, Vec<u32>) = process::pids(root)?
        .into_iter()
        .partition(|pid| wanted.netns.is_none() || process::netns(root, pid) == wanted.netns);
    // Process 1 exists in every pid namespace; where it is not listed, hidepid hides it.
    found.processes_hidden = same.first() != Some(&1) && other.first() != Some(&1);
    let own = same.len();
    for (index, pid) in same.into_iter().chain(other).enumerate() {
        if index >= own && missing.as_ref().is_some_and(HashSet::is_empty) {
            break;
        }
        if wanted.deadline.is_some_and(|end| Instant::now() >= end) {
            found.cut_short = true;
            break;
        }
        match sockets_of(root, pid) {
            Ok(mut sockets) => {
                if let (Some(inodes), Some(missing)) = (&wanted.inodes, &mut missing) {
                    sockets.retain(|(inode, _)| inodes.contains(inode));
                    for (inode, _) in &sockets {
                        missing.remove(inode);
                    }
                }
                if !sockets.is_empty() {
                    found.owners.add(process::read(root, pid), &sockets);
                }
            }
            Err(Errno::EACCES | Errno::EPERM) => found.unreadable += 1,
            // It ended while we looked.
            Err(_) => {}
        }
    }
    let unmatched = if found.cut_short {
        Unowned::Deadline
    } else if found.unreadable > 0 || found.processes_hidden {
        Unowned::Permission
    } else if is_inner_pid_namespace(root) {
        Unowned::OtherPidNamespace
    } else {
        Unowned::Kernel
    };
    found.owners = std::mem::take(&mut found.owners).finished(Some(unmatched));
    Ok(found)
}

/// (inode, descriptor) of every socket a process holds.
fn sockets_of(root: &Root, pid: u32) -> nix::Result<Vec<(u64, u32)>> {
    let path = root.join(format!("{pid}/fd"));
    let mut directory = Dir::open(&path, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty())?;
    let names: Vec<_> =
        directory.iter().filter_map(Result::ok).map(|entry| entry.file_name().to_owned()).collect();
    let mut sockets = vec![];
    for name in names {
        let Some(fd) = name.to_str().ok().and_then(|digits| digits.parse().ok()) else {
            continue;
        };
        let target = match fcntl::readlinkat(&directory, name.as_c_str()) {
            Ok(target) => target,
            // The directory can be listed and its links not: a process with capabilities that we
            // lack, even as root.
            Err(denied @ (Errno::EACCES | Errno::EPERM)) => return Err(denied),
            // Closed while we look.
            Err(_) => continue,
        };
        if let Some(inode) = inode_in(b"socket:[", &target) {
            sockets.push((inode, fd));
        }
    }
    Ok(sockets)
}

/// Whether this /proc shows an inner pid namespace, so that processes outside it are not listed.
///
/// The `NSpid` line of `self/status` has one number for each namespace from that of the mount
/// inwards; PROC_PID_INIT_INO is the inode of the outermost one (`linux/proc_ns.h`).
fn is_inner_pid_namespace(root: &Root) -> bool {
    const INITIAL: u64 = 0xEFFF_FFFC;
    fcntl::readlink(&root.join("1/ns/pid"))
        .or_else(|_| fcntl::readlink(&root.join("self/ns/pid")))
        .ok()
        .and_then(|link| inode_in(b"pid:[", &link))
        .is_some_and(|inode| inode != INITIAL)
}
