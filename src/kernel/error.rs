//! Why the kernel could not be asked.

use nix::errno::Errno;
use std::{fmt, io};

/// What was attempted, on what, and what the kernel answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What was attempted, as a verb phrase (`open`, `ask for TCP sockets`).
    pub attempted: &'static str,
    /// On what: a path, a request.
    pub subject: String,
    /// The answer.
    pub cause: Cause,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The kernel answered with an errno.
    Errno(Errno),
    /// The kernel did not answer within this many seconds.
    Silence(u64),
    /// The answer has not the form the kernel documents.
    Malformed(&'static str),
    /// The kernel has no way to tell: why, and what to do.
    Lacking {
        /// What it has not.
        why: String,
        /// The way out.
        hint: &'static str,
    },
    /// A file is not what it should be: why, and what to do.
    File {
        /// What is wrong with it.
        why: String,
        /// The way out.
        hint: &'static str,
    },
}

impl Error {
    /// From a failed system call.
    pub fn io(attempted: &'static str, subject: impl Into<String>, error: &io::Error) -> Self {
        Self { attempted, subject: subject.into(), cause: Cause::from_io(error) }
    }

    /// From an errno.
    pub fn errno(attempted: &'static str, subject: impl Into<String>, errno: Errno) -> Self {
        Self { attempted, subject: subject.into(), cause: Cause::Errno(errno) }
    }

    /// The errno, where there is one.
    pub fn as_errno(&self) -> Option<Errno> {
        match self.cause {
            Cause::Errno(errno) => Some(errno),
            _ => None,
        }
    }

    /// Whether the answer was "you may not".
    pub fn is_permission(&self) -> bool {
        matches!(self.as_errno(), Some(Errno::EACCES | Errno::EPERM))
    }

    /// Whether the answer was "no such thing": a vanished process, an absent file.
    pub fn is_absent(&self) -> bool {
        matches!(self.as_errno(), Some(Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR))
    }
}

impl Error {
    /// Whether a socket asked for by its identity is not there, or is another one now.
    pub fn is_gone(&self) -> bool {
        matches!(self.as_errno(), Some(Errno::ENOENT | Errno::ESTALE))
    }
}

impl Cause {
    /// From the number of an errno.
    pub fn errno(number: i32) -> Self {
        Self::Errno(Errno::from_raw(number))
    }

    /// The errno inside an I/O error; one without errno becomes `Malformed`.
    pub fn from_io(error: &io::Error) -> Self {
        error.raw_os_error().map_or_else(
            || match error.kind() {
                io::ErrorKind::UnexpectedEof => Self::Malformed("it ends too early"),
                _ => Self::Malformed("it cannot be read"),
            },
            |number| Self::Errno(Errno::from_raw(number)),
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Errno's Debug is its name, `EPERM`: what people search for.
            Self::Errno(errno) => write!(f, "{errno:?} ({})", errno.desc()),
            Self::Silence(seconds) => write!(f, "no answer within {seconds} s"),
            Self::Malformed(what) => f.write_str(what),
            Self::File { why, .. } | Self::Lacking { why, .. } => f.write_str(why),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.attempted, self.subject, self.cause)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_attempted_on_what_and_the_errnos_name() {
        let error = Error::errno("open", "/proc/net/tcp", Errno::EACCES);
        assert_eq!(error.to_string(), "cannot open /proc/net/tcp: EACCES (Permission denied)");
        assert!(error.is_permission());
    }
}
