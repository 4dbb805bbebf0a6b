//! Options of the sockets in findings, read from outside.

use crate::{
    kernel::socket_options,
    model::{gap::Gap, snapshot::Snapshot, socket_options::SocketOptions},
};
use std::collections::BTreeSet;

/// At most so many: each holds a connection open for some microseconds.
const MOST: usize = 256;

/// Reads them, of the first holder of each socket. What could not be looked at is a gap.
pub fn read(snapshot: &mut Snapshot, inodes: impl IntoIterator<Item = u64>) -> Vec<SocketOptions> {
    let inodes: BTreeSet<u64> = inodes.into_iter().collect();
    let mut read = vec![];
    let mut refused = vec![];
    for inode in inodes.iter().take(MOST) {
        let Some((process, fd)) = snapshot.owners.holders(*inode).next() else { continue };
        match socket_options::read(process.pid, fd, *inode) {
            Ok(options) => read.push(options),
            // Closed meanwhile, or the process ended.
            Err(error) if error.is_absent() => {}
            Err(error) => refused.push(error),
        }
    }
    if let Some(error) = refused.first() {
        snapshot.about.gaps.push(Gap::new(
            "socket-options-refused",
            format!("options of {} sockets could not be read: {error}", refused.len()),
            "run as root: it needs the right to ptrace their processes (Linux 5.6 and later)",
        ));
    }
    if inodes.len() > MOST {
        snapshot.about.gaps.push(Gap::new(
            "socket-options-left-out",
            format!("options of {} of {} sockets were read", MOST, inodes.len()),
            "--only RULE names fewer",
        ));
    }
    read
}
