//! Descriptors of TCP sockets that are in no table any more.
//!
//! `ss` and /proc/net/tcp list sockets by the hash tables of TCP. A connection that was reset is
//! taken out of them at once, while its file stays until the process closes it.

use super::root::Root;
use nix::{
    dir::Dir,
    fcntl::{self, OFlag},
    sys::stat::Mode,
};
use std::path::Path;

/// The extended attribute of a socket's inode that has the name of its protocol
/// (`sockfs_xattr_handlers`, net/socket.c).
const PROTOCOL: &str = "system.sockprotoname";

/// How many descriptors of a process are TCP sockets whose inode is in no table.
/// `None`: its descriptors cannot be read.
pub fn count(root: &Root, pid: u32, is_listed: impl Fn(u64) -> bool) -> Option<u64> {
    let path = root.join(format!("{pid}/fd"));
    let mut directory =
        Dir::open(&path, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).ok()?;
    let mut found = 0;
    for entry in directory.iter() {
        let Ok(entry) = entry else { continue };
        let Ok(name) = entry.file_name().to_str() else { continue };
        let descriptor = path.join(name);
        let Ok(link) = fcntl::readlink(&descriptor) else { continue };
        let inode = link
            .to_str()
            .and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        if inode.is_some_and(|inode| !is_listed(inode)) && is_tcp(&descriptor) {
            found += 1;
        }
    }
    Some(found)
}

fn is_tcp(descriptor: &Path) -> bool {
    let mut name = [0u8; 32];
    let read = rustix::fs::getxattr(descriptor, PROTOCOL, &mut name[..]);
    // `TCP` and `TCPv6`; MPTCP has its own name.
    read.is_ok() && name.starts_with(b"TCP")
}
