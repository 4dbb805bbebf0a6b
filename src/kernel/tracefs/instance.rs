//! A private instance of the trace buffers: ours alone, and gone with the value that stands for it,
//! whatever ends the program but SIGKILL; what that leaves, the next one removes.

use super::{
    format::Format,
    ring::{self, Missed},
};
use crate::kernel::error::{Cause, Error};
use nix::{
    errno::Errno,
    libc,
    time::{ClockId, clock_gettime},
};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::fs::OpenOptionsExt,
    },
    panic,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

/// Where tracefs is mounted, where it is.
const MOUNTED: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// What our instances are called, before the process id.
const NAME: &str = "sockeye-";
/// Memory for all CPUs together; with more of them the kernel's own size stays (1.4 MiB each).
const MOST_KIB: usize = 64 * 1024;
/// Pages read of one CPU before the next has its turn.
const PAGES: usize = 4096;

/// What is left to clean up if the program panics: descriptors of the buffers, by the directory.
/// The release build aborts then, and no destructor runs.
static LEFT: Mutex<BTreeMap<PathBuf, Vec<RawFd>>> = Mutex::new(BTreeMap::new());
static HOOK: Once = Once::new();

/// A kind of event that an instance records.
pub trait Record: Sized {
    /// Its place below `events/`.
    const EVENT: &'static str;
    /// What the instance is called behind the process id.
    const SUFFIX: &'static str;
    /// Which records are wanted, in the words of the kernel's filter; empty: every one.
    const FILTER: &'static str;
    /// Buffer of one CPU.
    const BUFFER_KIB: usize;
    /// Where the fields lie on this kernel.
    type Layout;

    /// From the event's `format`; `None` where a field is missing.
    fn layout(format: &Format) -> Option<Self::Layout>;

    /// A record with its time on the trace clock. `None`: not of this kind, or not of interest.
    fn decode(layout: &Self::Layout, at_ns: u64, record: &[u8]) -> Option<Self>;
}

/// The instance, which records events of one kind: what it loses is of this kind alone.
pub struct Instance<R: Record> {
    path: PathBuf,
    buffers: Vec<File>,
    page: ring::Layout,
    record: R::Layout,
    bytes: Vec<u8>,
    /// Our own mount, where there is no other: `path` leads through it.
    _mount: Option<OwnedFd>,
}

impl<R: Record> Instance<R> {
    /// Makes one and starts it.
    pub fn start() -> Result<Self, Error> {
        let (root, mount) = find()?;
        let read = |entry: &str| read(&root.join(entry));
        let missing = |what: &str| Error {
            attempted: "read the layout of",
            subject: what.to_owned(),
            cause: Cause::Malformed("it lacks a field"),
        };
        let event = format!("events/{}", R::EVENT);
        let page = ring::Layout::of(&Format::parse(&read("events/header_page")?))
            .ok_or_else(|| missing("events/header_page"))?;
        let record = R::layout(&Format::parse(&read(&format!("{event}/format"))?))
            .ok_or_else(|| missing(&event))?;
        let instances = root.join("instances");
        remove_stale(&instances);
        let path = instances.join(format!("{NAME}{}{}", process::id(), R::SUFFIX));
        fs::create_dir(&path).map_err(|e| failed("make the trace instance", &path, &e))?;
        let bytes = vec![0; page.size.max(4096)];
        // From here on its destructor removes the directory.
        let mut instance = Self { path, buffers: vec![], page, record, bytes, _mount: mount };
        instance.remember();
        // Times of all CPUs on one clock.
        instance.write("trace_clock", "mono")?;
        // Wake us at the first record.
        let _ = instance.write("buffer_percent", "0");
        let cpus = instance.cpus()?;
        if cpus.len() * R::BUFFER_KIB <= MOST_KIB {
            let _ = instance.write("buffer_size_kb", &R::BUFFER_KIB.to_string());
        }
        if !R::FILTER.is_empty() {
            instance.write(&format!("{event}/filter"), R::FILTER)?;
        }
        for cpu in cpus {
            let path = cpu.join("trace_pipe_raw");
            let mut options = OpenOptions::new();
            let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(&path);
            instance.buffers.push(file.map_err(|e| failed("open", &path, &e))?);
        }
        instance.remember();
        instance.write(&format!("{event}/enable"), "1")?;
        Ok(instance)
    }

    /// Descriptors that become readable when there are records.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.buffers.iter().map(AsFd::as_fd)
    }

    /// The name of a task that ran lately, as the kernel remembers a few of them: of a process that
    /// has ended since.
    pub fn command(&self, pid: u32) -> Option<Vec<u8>> {
        let text = read(&self.path.join("../../saved_cmdlines")).ok()?;
        let of = |line: &str| -> Option<Vec<u8>> {
            let (number, name) = line.split_once(' ')?;
            (number.parse() == Ok(pid) && name != "<...>").then(|| name.as_bytes().to_vec())
        };
        text.lines().find_map(of)
    }

    /// Stops recording; what was recorded can still be read.
    pub fn stop(&self) {
        let _ = self.write("tracing_on", "0");
    }

    /// Reads what was recorded, in no order; it is complete up to any moment before this call.
    pub fn read(&mut self, mut each: impl FnMut(R)) -> Result<Missed, Error> {
        let mut missed = Missed::default();
        for buffer in &mut self.buffers {
            for _ in 0..PAGES {
                let length = match buffer.read(&mut self.bytes) {
                    Ok(0) => break,
                    Ok(length) => length,
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock => break,
                        io::ErrorKind::Interrupted => continue,
                        _ => return Err(failed("read", &self.path, &error)),
                    },
                };
                let page = self.bytes.get(..length).unwrap_or_default();
                let lost = ring::records(self.page, page, |at_ns, record| {
                    if let Some(record) = R::decode(&self.record, at_ns, record) {
                        each(record);
                    }
                });
                missed.counted += lost.counted;
                missed.uncounted += lost.uncounted;
            }
        }
        Ok(missed)
    }

    fn write(&self, entry: &str, text: &str) -> Result<(), Error> {
        let path = self.path.join(entry);
        fs::write(&path, text).map_err(|e| failed("write", &path, &e))
    }

    fn cpus(&self) -> Result<Vec<PathBuf>, Error> {
        let path = self.path.join("per_cpu");
        let listing = fs::read_dir(&path).map_err(|e| failed("read the directory", &path, &e))?;
        Ok(listing.filter_map(Result::ok).map(|entry| entry.path()).collect())
    }

    /// Tells the panic hook what to remove.
    fn remember(&self) {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                abandon();
                before(info);
            }));
        });
        let descriptors = self.buffers.iter().map(AsRawFd::as_raw_fd).collect();
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        left.insert(self.path.clone(), descriptors);
    }
}

impl<R: Record> Drop for Instance<R> {
    fn drop(&mut self) {
        let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
        let buffers = std::mem::take(&mut self.buffers);
        if left.is_some() {
            // The directory cannot be removed while a buffer is open.
            drop(buffers);
            let _ = fs::remove_dir(&self.path);
        } else {
            // The panic hook has closed them.
            std::mem::forget(buffers);
        }
    }
}

/// Closes the buffers and removes the directory: for the panic hook.
fn abandon() {
    let Ok(mut left) = LEFT.try_lock() else { return };
    for (path, descriptors) in std::mem::take(&mut *left) {
        for descriptor in descriptors {
            let _ = nix::unistd::close(descriptor);
        }
        let _ = fs::remove_dir(path);
    }
}

/// Nanoseconds on the clock of the records.
pub fn now_ns() -> u64 {
    u64::try_from(clock(ClockId::CLOCK_MONOTONIC).as_nanos()).unwrap_or(u64::MAX)
}

/// How far that clock is behind the time since the machine was started: it stands still while the
/// machine is suspended.
pub fn suspended() -> Duration {
    let running = clock(ClockId::CLOCK_MONOTONIC);
    clock(ClockId::CLOCK_BOOTTIME).saturating_sub(running)
}

fn clock(of: ClockId) -> Duration {
    clock_gettime(of).map(Duration::from).unwrap_or_default()
}

/// The root of tracefs: where it is mounted, or a mount of our own that no path leads to and that
/// ends with its descriptor (`fsmount(2)`, Linux 5.2).
fn find() -> Result<(PathBuf, Option<OwnedFd>), Error> {
    let is_there = |root: &&str| Path::new(root).join("instances").is_dir();
    if let Some(root) = MOUNTED.into_iter().find(is_there) {
        return Ok((PathBuf::from(root), None));
    }
    let mounted = || -> rustix::io::Result<OwnedFd> {
        let filesystem = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&filesystem)?;
        fsmount(&filesystem, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    };
    let mount = mounted()
        .map_err(|errno| Error::errno("mount", "tracefs", Errno::from_raw(errno.raw_os_error())))?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}", mount.as_raw_fd())), Some(mount)))
}

/// Removes what was left by one of us that was killed. One that runs holds its buffers open, and
/// the kernel does not remove it (EBUSY); nor do we while its process lives.
fn remove_stale(instances: &Path) {
    let Ok(listing) = fs::read_dir(instances) else { return };
    for entry in listing.filter_map(Result::ok) {
        let name = entry.file_name();
        let number = |name: &str| -> Option<u32> {
            name.strip_prefix(NAME)?.split('-').next()?.parse().ok()
        };
        let pid = name.to_str().and_then(number);
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Reads a file of tracefs. Some of them answer one read(2) and no second (`show_header_file` of
/// `trace_events.c`), so that a small buffer would cut them.
fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = vec![0; 64 * 1024];
    let mut length = 0;
    let mut fill = || -> io::Result<usize> {
        let mut file = File::open(path)?;
        while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
            match file.read(room)? {
                0 => break,
                more => length += more,
            }
        }
        Ok(length)
    };
    let length = fill().map_err(|e| failed("read", path, &e))?;
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn failed(attempted: &'static str, path: &Path, error: &io::Error) -> Error {
    Error::io(attempted, path.display().to_string(), error)
}
