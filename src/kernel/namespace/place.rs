//! A network namespace and the ways into it.

use super::{join, strays::Kept};
use crate::kernel::{error::Error, proc::root::Root};
use nix::errno::Errno;
use std::{
    os::unix::fs::MetadataExt,
    panic,
    path::{Path, PathBuf},
    thread,
};

/// Processes tried as a way in: any one does, and the first may just have ended.
const TRIED: usize = 8;

/// A network namespace that was found.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Inode of its `ns/net` link. `None`: the links of its processes cannot be read.
    pub inode: Option<u64>,
    /// Whether it is the namespace of the calling thread.
    pub is_here: bool,
    /// Files that stand for it, those of `ip netns` first.
    pub files: Vec<PathBuf>,
    /// Its processes, ascending.
    pub pids: Vec<u32>,
    /// A socket that leads into it, where nothing else does.
    pub kept: Option<Kept>,
}

/// How a visit ended.
#[derive(Debug)]
pub enum Visit<R> {
    /// The work was done in it.
    Done(R),
    /// It has ended since it was found.
    Gone,
    /// It could not be entered.
    Refused(Error),
}

/// Does `work` on a thread of its own, which may enter namespaces, and ends.
pub fn apart<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|cause| panic::resume_unwind(cause))
}

impl Place {
    /// Does `work` in the namespace: here, or on a thread of its own that enters it and ends.
    pub fn inside<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Visit<R> {
        if self.is_here {
            return Visit::Done(work());
        }
        apart(|| self.enter(work))
    }

    /// Moves the calling thread into the namespace, and does `work` there.
    ///
    /// A netlink socket keeps the namespace it was opened in, and what /proc/thread-self/net and
    /// /proc/sys/net show is that of the reading thread.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> Visit<R> {
        self.entered().map_or_else(Self::refused, |()| Visit::Done(work()))
    }

    fn refused<R>(error: Error) -> Visit<R> {
        if error.is_absent() { Visit::Gone } else { Visit::Refused(error) }
    }

    /// Moves the calling thread into it, by the first way that leads there.
    fn entered(&self) -> Result<(), Error> {
        let links = self.pids.iter().take(TRIED).map(|pid| format!("/proc/{pid}/ns/net").into());
        if let Some(kept) = &self.kept {
            return join(&kept.file, Path::new("of a socket"));
        }
        let mut failed = None;
        for path in self.files.iter().cloned().chain(links) {
            let entered = Root::open(&path).and_then(|file| {
                // The process may have ended, and its id be that of another by now.
                let led_to = file.metadata().ok().map(|meta| meta.ino());
                if self.inode.is_some() && led_to != self.inode {
                    let subject = path.display().to_string();
                    return Err(Error::errno("find the namespace of", subject, Errno::ESRCH));
                }
                join(&file, &path)
            });
            match entered {
                Ok(()) => return Ok(()),
                // A refusal says more than a process that is gone.
                Err(error) if error.is_absent() => failed = failed.or(Some(error)),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| {
            Error::errno("find a way into", "a network namespace", Errno::ESRCH)
        }))
    }
}
