//! Where the bytes go: standard output behind one buffer.

use super::{frame, pen::Pen};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd,
};
use std::{
    io::{self, Write},
    os::fd::AsFd,
};

/// Bytes gathered before a write(2).
const FULL: usize = 32 * 1024;
/// Bytes of a page: the last row begins before it is full.
const PAGE: usize = FULL + ROW;
const ROW: usize = 8 * 1024;

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
    /// What comes before `buffer`, up to `written`: rows that come by the million are written here,
    /// where every byte has a value already and no piece has to ask for room.
    page: Vec<u8>,
    written: usize,
}

impl Output {
    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::to(Box::new(Stdout))
    }

    /// Writes to `to`.
    pub fn to(to: Box<dyn Write + Send>) -> Self {
        Self { to, buffer: vec![], page: vec![], written: 0 }
    }

    /// Writes a row, behind everything that was written before. It has 8 KiB at most.
    #[inline]
    pub fn row(&mut self, write: impl FnOnce(&mut Pen<'_>)) -> io::Result<()> {
        if self.written >= FULL || !self.buffer.is_empty() || self.page.is_empty() {
            self.make_room()?;
        }
        let mut pen = Pen::new(self.page.get_mut(self.written..).unwrap_or_default());
        write(&mut pen);
        self.written += pen.end();
        Ok(())
    }

    #[inline(never)]
    fn make_room(&mut self) -> io::Result<()> {
        if self.page.is_empty() {
            self.page = vec![0; PAGE];
        }
        self.gather();
        if self.written >= FULL || !self.buffer.is_empty() {
            self.write_out()?;
        }
        Ok(())
    }

    /// Moves the buffer behind the page, where there is room for it.
    fn gather(&mut self) {
        let end = self.written + self.buffer.len();
        if let Some(place) = self.page.get_mut(self.written..end) {
            place.copy_from_slice(&self.buffer);
            self.written = end;
            self.buffer.clear();
        }
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.to.write_all(self.page.get(..self.written).unwrap_or_default())?;
        self.written = 0;
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the buffer out if it is worth a system call.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.written + self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Writes everything out.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.written > 0 {
            self.gather();
        }
        self.write_out()?;
        self.to.flush()
    }
}

/// What a test's output wrote.
#[cfg(test)]
#[derive(Clone, Default)]
pub struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl Kept {
    /// What was written, as text.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl Output {
    /// An output a test can read.
    pub fn kept() -> (Self, Kept) {
        let kept = Kept::default();
        (Self::to(Box::new(kept.clone())), kept)
    }
}
