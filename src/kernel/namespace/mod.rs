//! Network namespaces: which one this is, which there are, and how to enter another.

pub mod find;
pub mod mounts;
pub mod place;
pub mod strays;

use super::{
    error::Error,
    proc::{process, root::Root},
};
use crate::model::netns::{NameKind, Netns};
use nix::sched::{CloneFlags, setns};
use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where `ip netns add` keeps names.
pub const NAMED: &str = "/run/netns";

/// The namespace of the calling thread, or of the tree's first process where the tree is another
/// machine's.
pub fn current(root: &Root) -> Netns {
    let of = |process: &str| process::netns(root, process);
    let inode = if root.is_live() { of("thread-self").or_else(|| of("self")) } else { of("1") };
    let netns = Netns { inode, ..Netns::default() };
    match inode.filter(|_| root.is_live()).and_then(name_of) {
        Some(name) => netns.named(name, NameKind::Named),
        None => netns,
    }
}

/// The name under /run/netns that stands for this inode.
fn name_of(inode: u64) -> Option<String> {
    let listing = fs::read_dir(NAMED).ok()?;
    let found = listing
        .filter_map(Result::ok)
        .find(|entry| fs::metadata(entry.path()).is_ok_and(|m| m.ino() == inode))?;
    found.file_name().into_string().ok()
}

/// Moves the calling thread into the namespace NAME (of /run/netns), PID or PATH.
pub fn enter(which: &str) -> Result<(), Error> {
    let path = path_of(which);
    join(&Root::open(&path)?, &path)
}

/// Moves the calling thread into the namespace of an open file.
fn join(file: &File, path: &Path) -> Result<(), Error> {
    setns(file, CloneFlags::CLONE_NEWNET)
        .map_err(|e| Error::errno("enter the network namespace", path.display().to_string(), e))
}

fn path_of(which: &str) -> PathBuf {
    if which.contains('/') {
        return PathBuf::from(which);
    }
    let named = Path::new(NAMED).join(which);
    if !named.exists() && which.bytes().all(|b| b.is_ascii_digit()) {
        return PathBuf::from(format!("/proc/{which}/ns/net"));
    }
    named
}
