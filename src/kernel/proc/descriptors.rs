//! `/proc/PID/fd`: the sockets among the descriptors of processes.
//!
//! Every descriptor is a link that has to be read: 3.6 µs of the kernel's time each, and following it
//! with stat(2) is hardly cheaper (measured on 6.18). So many of them are read on several threads, and
//! as few as possible at all.

use super::{process::inode_in, root::Root};
use nix::{
    errno::Errno,
    fcntl::{self, OFlag},
    sys::stat::{Mode, stat},
};
use rustix::{
    fs::{RawDir, SeekFrom, readlinkat_raw, seek},
    path::Arg,
};
use std::{
    ffi::OsStr,
    fmt::Display,
    mem::MaybeUninit,
    num::NonZeroUsize,
    ops::{ControlFlow, Range},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// From so many descriptors on threads are worth their start.
const MANY: u64 = 20_000;
/// The most threads: what they wait for is one lock for each process they look at.
const THREADS: usize = 8;
/// Descriptors of one process that one thread reads at a time.
const SHARE: u64 = 16_384;
/// Between two questions whether to go on: a few milliseconds.
const STEP: usize = 1024;
/// One getdents(2): two thousand names.
const BUFFER: usize = 48 * 1024;
/// More than `socket:[18446744073709551615]`; of longer links only the beginning matters.
const LONGEST: usize = 32;

/// A part of the descriptors of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The process.
    pub pid: u32,
    /// Numbers of descriptors.
    range: Range<u64>,
    /// How many descriptors it may have; at least 1, so that a process counts too.
    pub weight: u64,
}

/// How many descriptors a process, or `PID/task/TID`, has: the size of its directory since Linux
/// 6.2, 0 before.
pub fn count(root: &Root, task: impl Display) -> u64 {
    let size = stat(&root.join(format!("{task}/fd"))).map_or(0, |stat| stat.st_size);
    u64::try_from(size).unwrap_or(0)
}

/// Divides processes with their numbers of descriptors so that no share takes very long.
pub fn shares(processes: impl IntoIterator<Item = (u32, u64)>) -> Vec<Share> {
    let mut shares = vec![];
    for (pid, count) in processes {
        // Numbers are mostly without gaps; where they are not, the last share is the larger.
        let mut from = 0;
        while count.saturating_sub(from) > 2 * SHARE {
            shares.push(Share { pid, range: from..from + SHARE, weight: SHARE });
            from += SHARE;
        }
        let weight = count.saturating_sub(from).max(1);
        shares.push(Share { pid, range: from..u64::MAX, weight });
    }
    shares
}

/// Reads every share and hands each answer to `each`, on several threads where it is much; ends
/// early where `go_on` breaks.
pub fn read(
    root: &Root,
    shares: &[Share],
    each: impl Fn(&Share, nix::Result<Vec<(u64, u32)>>) + Sync,
    go_on: impl Fn() -> ControlFlow<()> + Sync,
) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
            if go_on().is_break() {
                break;
            }
            each(share, sockets_of(root, share, &mut buffer, &go_on));
        }
    };
    let descriptors: u64 = shares.iter().map(|share| share.weight).sum();
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = if descriptors < MANY { 1 } else { processors.min(THREADS).min(shares.len()) };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no thread can be made, this one does it all.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

/// (inode, descriptor) of every socket in a share.
fn sockets_of(
    root: &Root,
    share: &Share,
    buffer: &mut [MaybeUninit<u8>],
    go_on: impl Fn() -> ControlFlow<()>,
) -> nix::Result<Vec<(u64, u32)>> {
    let path = root.join(format!("{}/fd", share.pid));
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory: OwnedFd = fcntl::open(&path, flags, Mode::empty())?;
    if share.range.start > 0 {
        // The position in this directory is the number of the descriptor, after `.` and `..`
        // (`proc_readfd_common` in `fs/proc/fd.c`).
        seek(&directory, SeekFrom::Start(share.range.start + 2)).map_err(errno)?;
    }
    let mut sockets = vec![];
    let mut entries = RawDir::new(&directory, buffer);
    let mut until_pause = STEP;
    while let Some(entry) = entries.next() {
        let Ok(entry) = entry else { break };
        let Some(fd) = entry.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if u64::from(fd) >= share.range.end {
            break;
        }
        sockets.extend(socket(&directory, entry.file_name())?.map(|inode| (inode, fd)));
        until_pause -= 1;
        if until_pause == 0 {
            until_pause = STEP;
            if go_on().is_break() {
                break;
            }
        }
    }
    Ok(sockets)
}

/// (inode, descriptor) of every socket among the descriptors of a process.
pub fn all(root: &Root, pid: u32) -> nix::Result<Vec<(u64, u32)>> {
    let share = Share { pid, range: 0..u64::MAX, weight: 1 };
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    sockets_of(root, &share, &mut buffer, || ControlFlow::Continue(()))
}

/// (inode, descriptor) of every socket among descriptors of a process with these numbers.
pub fn some(
    root: &Root,
    pid: u32,
    numbers: impl Iterator<Item = u32>,
) -> nix::Result<Vec<(u64, u32)>> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory = fcntl::open(&root.join(format!("{pid}/fd")), flags, Mode::empty())?;
    let mut sockets = vec![];
    for fd in numbers {
        sockets.extend(socket(&directory, fd.to_string())?.map(|inode| (inode, fd)));
    }
    Ok(sockets)
}

/// The inode of the socket a descriptor is. `None`: it is something else, there is none, or it was
/// closed while we look.
#[inline]
fn socket(directory: impl AsFd, descriptor: impl Arg) -> nix::Result<Option<u64>> {
    let mut target = [MaybeUninit::uninit(); LONGEST];
    match readlinkat_raw(directory, descriptor, &mut target) {
        Ok((target, _)) => Ok(inode_in(b"socket:[", OsStr::from_bytes(target))),
        // The directory can be listed and its links not: a process with capabilities that we lack,
        // even as root.
        Err(denied @ (rustix::io::Errno::ACCESS | rustix::io::Errno::PERM)) => Err(errno(denied)),
        Err(_) => Ok(None),
    }
}

/// How many numbers the table of descriptors of a process has room for: none is higher. `None`: the
/// process is gone.
pub fn room(root: &Root, pid: u32) -> Option<u32> {
    let status = root.read(format!("{pid}/status"), 64 * 1024).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix("FDSize:")?.trim().parse().ok())
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, net::UdpSocket, os::fd::AsRawFd, sync::Mutex};

    #[test]
    fn shares_cover_every_descriptor_once() {
        let shares = shares([(7, 3), (8, 0), (9, 5 * SHARE)]);
        let of = |pid| shares.iter().filter(move |s| s.pid == pid).collect::<Vec<_>>();
        assert_eq!((of(7).len(), of(8).len(), of(9).len()), (1, 1, 4));
        for pid in [7, 8, 9] {
            let mut from = 0;
            for share in of(pid) {
                assert_eq!(share.range.start, from);
                from = share.range.end;
            }
            assert_eq!(from, u64::MAX);
        }
        assert_eq!(of(9).iter().map(|s| s.weight).sum::<u64>(), 5 * SHARE);
    }

    #[test]
    fn a_share_begins_and_ends_at_its_numbers() {
        let sockets: Vec<UdpSocket> =
            (0..8).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let numbers: BTreeSet<u32> =
            sockets.iter().map(|s| u32::try_from(s.as_raw_fd()).unwrap()).collect();
        let middle = u64::from(*numbers.iter().nth(4).unwrap());
        let found = |range: Range<u64>| {
            let share = Share { pid: std::process::id(), range, weight: 1 };
            let found = Mutex::new(vec![]);
            let each = |_: &Share, sockets: nix::Result<Vec<(u64, u32)>>| {
                found.lock().unwrap().extend(sockets.unwrap());
            };
            read(&Root::live(), &[share], each, || ControlFlow::Continue(()));
            let found = found.into_inner().unwrap().into_iter().map(|(_, fd)| fd);
            found.filter(|fd| numbers.contains(fd)).collect::<BTreeSet<u32>>()
        };
        let (low, high) = (found(0..middle), found(middle..u64::MAX));
        assert_eq!((low.len(), high.len()), (4, 4));
        assert_eq!(low.union(&high).copied().collect::<BTreeSet<u32>>(), numbers);
    }
}
