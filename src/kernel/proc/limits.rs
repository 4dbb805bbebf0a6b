//! `/proc/PID/{limits,fd,status}` and `/proc/meminfo`: descriptors, capabilities and memory.

use super::{
    process::{self, inode_in},
    root::Root,
};
use crate::{
    kernel::error::Error,
    model::limits::{Counted, ProcessLimits},
};
use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{self, OFlag},
    sys::stat::Mode,
};
use procfs::{
    FromBufRead, Meminfo,
    process::{LimitValue, Limits, Status},
};
use rustix::fs::{RawDir, SeekFrom, seek};
use std::mem::MaybeUninit;

/// More than any of these files holds.
const LONGEST: u64 = 1 << 20;
/// `CAP_SYS_ADMIN`.
const SYS_ADMIN: u64 = 1 << 21;
/// PROC_USER_INIT_INO (`linux/proc_ns.h`): the initial user namespace.
const INITIAL_USER: u64 = 0xEFFF_FFFD;

/// Reads the limits of a process. What cannot be read is `None`, with the reason among the second.
/// `Err`: there is no such process.
///
/// With `listed` the numbers of its descriptors are listed, a microsecond each; without they are counted
/// where the kernel has counted them.
pub fn of_process(
    root: &Root,
    pid: u32,
    listed: bool,
) -> Result<(ProcessLimits, Vec<String>), Error> {
    let mut why = vec![];
    let limits = read(root, &format!("{pid}/limits"), |bytes| Limits::from_buf_read(bytes).ok());
    if let Err(error) = &limits
        && error.is_absent()
    {
        return Err(error.clone());
    }
    let open_files = known(limits, &mut why).map(|limits| limits.max_open_files);
    let value = |limit: LimitValue| match limit {
        LimitValue::Unlimited => u64::MAX,
        LimitValue::Value(value) => value,
    };
    let soft = open_files.as_ref().map(|limit| value(limit.soft_limit));
    let counted = soft.filter(|_| !listed && root.is_live());
    let counted = counted.and_then(|soft| counted_around(root, pid, soft).ok().flatten());
    let descriptors =
        if counted.is_some() { None } else { known(descriptors(root, pid), &mut why) };
    let status = read(root, &format!("{pid}/status"), |bytes| Status::from_buf_read(bytes).ok());
    let status = known(status, &mut why);
    let capabilities = status.as_ref().map(|status| status.capeff);
    // 0: its parent is outside the pid namespace of this /proc.
    let parent = status.and_then(|status| u32::try_from(status.ppid).ok()).filter(|pid| *pid > 0);
    let user = fcntl::readlink(&root.join(format!("{pid}/ns/user"))).ok();
    let user = user.and_then(|link| inode_in(b"user:[", &link));
    let exempt_from_file_max = match (capabilities, user) {
        (Some(set), _) if set & SYS_ADMIN == 0 => Some(false),
        (Some(_), Some(inode)) => Some(inode == INITIAL_USER),
        _ => None,
    };
    Ok((
        ProcessLimits {
            pid,
            parent,
            command: process::command_in(root, pid),
            soft,
            hard: open_files.as_ref().map(|limit| value(limit.hard_limit)),
            descriptors,
            counted,
            exempt_from_file_max,
            dead_sockets: None,
            cgroups: vec![],
        },
        why,
    ))
}

/// The value, or the reason why there is none.
fn known<T>(read: Result<T, Error>, why: &mut Vec<String>) -> Option<T> {
    read.map_err(|error| why.push(error.to_string())).ok()
}

/// `MemAvailable` and `MemTotal`, in bytes. `MemAvailable` is missing before kernel 3.14.
pub fn memory(root: &Root) -> Result<(Option<u64>, u64), Error> {
    let info = read(root, "meminfo", |bytes| Meminfo::from_buf_read(bytes).ok())?;
    Ok((info.mem_available, info.mem_total))
}

fn read<T>(root: &Root, entry: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Result<T, Error> {
    let bytes = root.read(entry, LONGEST)?;
    parse(&bytes).ok_or_else(|| Error {
        attempted: "read",
        subject: root.join(entry).display().to_string(),
        cause: crate::kernel::error::Cause::Malformed("it has not the form the kernel writes"),
    })
}

/// Counts the open descriptors on both sides of a number. `None`: the kernel does not count them.
///
/// The size of the directory is how many there are, since Linux 6.2 (`proc_fd_getattr`); a position in
/// it is a number plus two (`proc_readfd_common`), so that those from the number on are listed alone,
/// and mostly there are none.
fn counted_around(root: &Root, pid: u32, number: u64) -> rustix::io::Result<Option<Counted>> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    let flags = flags | rustix::fs::OFlags::CLOEXEC;
    let path = root.join(format!("{pid}/fd"));
    let directory = rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?;
    let open = u64::try_from(rustix::fs::fstat(&directory)?.st_size).unwrap_or(0);
    if open == 0 {
        return Ok(None);
    }
    let mut above = 0;
    // No number is beyond an int.
    if number < u64::from(i32::MAX.unsigned_abs()) {
        seek(&directory, SeekFrom::Start(number + 2))?;
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut entries = RawDir::new(&directory, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let is_number = entry.file_name().to_bytes().iter().all(u8::is_ascii_digit);
            above += u64::from(is_number);
        }
    }
    Ok(Some(Counted { open, number, below: open.saturating_sub(above) }))
}

/// Numbers of the open descriptors, as ranges.
fn descriptors(root: &Root, pid: u32) -> Result<Vec<(u32, u32)>, Error> {
    let path = root.join(format!("{pid}/fd"));
    let failed =
        |errno: Errno| Error::errno("read the directory", path.display().to_string(), errno);
    let mut directory =
        Dir::open(&path, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).map_err(failed)?;
    let mut numbers = vec![];
    for entry in directory.iter() {
        let entry = entry.map_err(failed)?;
        numbers.extend(entry.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = vec![];
    for number in numbers {
        match ranges.last_mut() {
            Some((_, high)) if *high + 1 == number => *high = number,
            _ => ranges.push((number, number)),
        }
    }
    Ok(ranges)
}
