//! `/proc/PID/task`: the threads of a process.

use super::{descriptors, process::command_in, root::Root};
use crate::model::owner::Thread;
use std::fs;

/// The threads of a process, by id.
///
/// Threads share their descriptors unless one has left them (`unshare(CLONE_FILES)`): then their
/// directories have other sizes (since Linux 6.2 it is the number of descriptors), and the thread is
/// left out, because the descriptors that were found are not its own.
pub fn read(root: &Root, pid: u32) -> Vec<Thread> {
    let Ok(listing) = fs::read_dir(root.join(format!("{pid}/task"))) else {
        // It ended while we looked.
        return vec![];
    };
    let shared = descriptors::count(root, pid);
    let mut threads: Vec<Thread> = listing
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|tid| descriptors::count(root, format_args!("{pid}/task/{tid}")) == shared)
        .map(|tid| Thread { tid, command: command_in(root, format_args!("{pid}/task/{tid}")) })
        .collect();
    threads.sort_unstable_by_key(|thread| thread.tid);
    threads
}
