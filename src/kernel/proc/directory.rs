//! A directory of a /proc tree that stays open while many of its files are read.
//!
//! Of `/proc/sys/net/ipv4` every network namespace has a directory entry of its own, all in one chain
//! of the kernel's cache: with hundreds of them the way there takes longer than the file
//! (`proc_sys_compare` and `__d_lookup` in `perf`). Here it is gone once.

use crate::kernel::error::Error;
use rustix::fs::{Mode, OFlags, open, openat};
use std::{
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    fd: OwnedFd,
}

impl Directory {
    /// Opens it.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = open(&path, flags, Mode::empty()).map_err(|errno| failed(&path, errno))?;
        Ok(Self { path, fd })
    }

    /// Opens one of its files.
    pub fn file(&self, name: &str) -> Result<File, Error> {
        openat(&self.fd, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map(File::from)
            .map_err(|errno| failed(&self.path.join(name), errno))
    }

    /// Where one of its files is, for messages.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn failed(path: &Path, errno: rustix::io::Errno) -> Error {
    Error::io("open", path.display().to_string(), &errno.into())
}
