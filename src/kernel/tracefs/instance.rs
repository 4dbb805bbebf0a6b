//! A private instance of the trace buffers: ours alone, and gone with the value that stands for it,
//! whatever ends the program but SIGKILL; what that leaves, the next one removes.

use super::{
    format::Format,
    ring::{self, Missed},
    state_change::{self, StateChange},
};
use crate::kernel::error::{Cause, Error};
use nix::{
    errno::Errno,
    libc,
    time::{ClockId, clock_gettime},
};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use std::{
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
/// Buffer of one CPU: at 10,000 changes a second and CPU it holds five seconds.
const BUFFER_KIB: usize = 4096;
/// Memory for all CPUs together; with more of them the kernel's own size stays (1.4 MiB each).
const MOST_KIB: usize = 64 * 1024;
/// Pages read of one CPU before the next has its turn.
const PAGES: usize = 4096;

/// What is left to clean up if the program panics: descriptors of the buffers, and the directory.
/// The release build aborts then, and no destructor runs.
static LEFT: Mutex<Option<(Vec<RawFd>, PathBuf)>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// The instance.
pub struct Instance {
    path: PathBuf,
    buffers: Vec<File>,
    page: ring::Layout,
    change: state_change::Layout,
    bytes: Vec<u8>,
    /// Our own mount, where there is no other: `path` leads through it.
    _mount: Option<OwnedFd>,
}

impl Instance {
    /// Makes one that records changes of TCP states, and starts it.
    pub fn start() -> Result<Self, Error> {
        let (root, mount) = find()?;
        let read = |entry: &str| read(&root.join(entry));
        let missing = |what: &str| Error {
            attempted: "read the layout of",
            subject: what.to_owned(),
            cause: Cause::Malformed("it lacks a field"),
        };
        let event = format!("events/{}", state_change::EVENT);
        let page = ring::Layout::of(&Format::parse(&read("events/header_page")?))
            .ok_or_else(|| missing("events/header_page"))?;
        let change = state_change::Layout::of(&Format::parse(&read(&format!("{event}/format"))?))
            .ok_or_else(|| missing(&event))?;
        let instances = root.join("instances");
        remove_stale(&instances);
        let path = instances.join(format!("{NAME}{}", process::id()));
        fs::create_dir(&path).map_err(|e| failed("make the trace instance", &path, &e))?;
        let bytes = vec![0; page.size.max(4096)];
        // From here on its destructor removes the directory.
        let mut instance = Self { path, buffers: vec![], page, change, bytes, _mount: mount };
        instance.remember();
        // Times of all CPUs on one clock.
        instance.write("trace_clock", "mono")?;
        // Wake us at the first record.
        let _ = instance.write("buffer_percent", "0");
        let cpus = instance.cpus()?;
        if cpus.len() * BUFFER_KIB <= MOST_KIB {
            let _ = instance.write("buffer_size_kb", &BUFFER_KIB.to_string());
        }
        instance.write(&format!("{event}/filter"), "protocol == 6")?;
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

    /// Reads what was recorded. Changes come in no order; those of one socket are complete up to
    /// any moment before this call, since each is recorded before the next of its socket happens.
    pub fn read(&mut self, mut each: impl FnMut(StateChange)) -> Result<Missed, Error> {
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
                    if let Some(change) = self.change.decode(at_ns, record) {
                        each(change);
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
        *LEFT.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((descriptors, self.path.clone()));
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner).take();
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
    if let Some((descriptors, path)) = left.take() {
        for descriptor in descriptors {
            let _ = nix::unistd::close(descriptor);
        }
        let _ = fs::remove_dir(path);
    }
}

/// Nanoseconds on the clock of the records.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
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
        let pid = name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
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
