//! A directory of a /proc tree that stays open while many of its files are read.
//!
//! Of `/proc/sys/net/ipv4` every network namespace has a directory entry of its own, all in one chain
//! of the kernel's cache: with hundreds of them the way there takes longer than the file
//! (`proc_sys_compare` and `__d_lookup` in `perf`). Here it is gone once.

use crate::kernel::error::Error;
use rustix::{
    fs::{Mode, OFlags, open, openat},
    io::Errno,
};
use std::{fs::File, os::fd::OwnedFd, path::PathBuf};

/// An open directory, or the reason why it could not be opened, which is then that of its files.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    opened: Result<OwnedFd, Errno>,
}

impl Directory {
    /// Opens it.
    pub fn at(path: PathBuf) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = open(&path, flags, Mode::empty());
        Self { path, opened }
    }

    /// Opens one of its files.
    pub fn file(&self, name: &str) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let directory = self.opened.as_ref().map_err(|errno| *errno);
        directory
            .and_then(|directory| openat(directory, name, flags, Mode::empty()))
            .map(File::from)
            .map_err(|errno| {
                Error::io("open", self.path.join(name).display().to_string(), &errno.into())
            })
    }
}
