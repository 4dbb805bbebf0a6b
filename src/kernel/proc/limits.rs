//! `/proc/PID/{limits,fd,status}` and `/proc/meminfo`: descriptors, capabilities and memory.

use super::{
    process::{self, inode_in},
    root::Root,
};
use crate::{kernel::error::Error, model::limits::ProcessLimits};
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

/// More than any of these files holds.
const LONGEST: u64 = 1 << 20;
/// `CAP_SYS_ADMIN`.
const SYS_ADMIN: u64 = 1 << 21;
/// PROC_USER_INIT_INO (`linux/proc_ns.h`): the initial user namespace.
const INITIAL_USER: u64 = 0xEFFF_FFFD;

/// Reads the limits of a process. What cannot be read is `None`, with the reason among the second.
/// `Err`: there is no such process.
pub fn of_process(root: &Root, pid: u32) -> Result<(ProcessLimits, Vec<String>), Error> {
    let mut why = vec![];
    let limits = read(root, &format!("{pid}/limits"), |bytes| Limits::from_buf_read(bytes).ok());
    if let Err(error) = &limits
        && error.is_absent()
    {
        return Err(error.clone());
    }
    let open_files = known(limits, &mut why).map(|limits| limits.max_open_files);
    let descriptors = known(descriptors(root, pid), &mut why);
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
    let value = |limit: LimitValue| match limit {
        LimitValue::Unlimited => u64::MAX,
        LimitValue::Value(value) => value,
    };
    Ok((
        ProcessLimits {
            pid,
            parent,
            command: process::command_in(root, pid),
            soft: open_files.as_ref().map(|limit| value(limit.soft_limit)),
            hard: open_files.as_ref().map(|limit| value(limit.hard_limit)),
            descriptors,
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
