//! Where the bytes go: standard output behind one buffer.

use super::frame;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd,
};
use std::{
    io::{self, Write},
    os::fd::AsFd,
};

/// Bytes gathered before a write(2).
const FULL: usize = 64 * 1024;

/// Whether nobody reads standard output any more: a pipe without a reader. Who waits for something
/// to print looks at it, since only writing would tell.
pub fn is_closed() -> bool {
    let stdout = io::stdout();
    let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let looked = poll(&mut fds, PollTimeout::ZERO);
    let [fd] = fds;
    looked.is_ok() && fd.revents().is_some_and(|told| told.contains(PollFlags::POLLERR))
}

/// Standard output, or the frame that is gathered for it.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if frame::take(bytes) {
            return Ok(bytes.len());
        }
        // Not by way of the standard library, which looks for the last newline in every buffer.
        let stdout = io::stdout().lock();
        Ok(unistd::write(&stdout, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// A buffered output; rows are formatted straight into the buffer.
pub struct Output {
    to: Box<dyn Write + Send>,
    /// What is not written yet. Sinks append here and call [`Output::flush_if_full`].
    pub buffer: Vec<u8>,
}

impl Output {
    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::to(Box::new(Stdout))
    }

    /// Writes to `to`.
    pub fn to(to: Box<dyn Write + Send>) -> Self {
        Self { to, buffer: Vec::with_capacity(FULL + 8 * 1024) }
    }

    /// Writes the buffer out if it is worth a system call.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Writes everything out.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        self.to.flush()
    }
}
