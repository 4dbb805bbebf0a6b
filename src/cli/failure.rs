//! Why the program ends without an answer, and what to do about it.

use super::exit::Exit;
use crate::{
    collect::list,
    kernel::error::{Cause, Error},
};
use nix::errno::Errno;
use std::io::{self, Write};

/// A failure, told as `error: …` and `hint: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What was attempted, on what, and the answer. Empty: nothing is said.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

impl Failure {
    /// Something typed that has no meaning.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hints: vec![hint.into()] }
    }

    /// The words of clap, in our form.
    pub fn from_clap(error: &clap::Error) -> Self {
        use clap::error::ErrorKind;
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            let text = error.render().to_string();
            return match io::stdout().lock().write_all(text.as_bytes()) {
                Ok(()) => Self { exit: Exit::Answered, message: String::new(), hints: vec![] },
                Err(error) => Self::output(&error),
            };
        }
        let text = error.render().to_string();
        let mut message = vec![];
        let mut hints: Vec<String> = vec![];
        for paragraph in text.split("\n\n") {
            let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(rest) = line.strip_prefix("error: ") {
                message.push(rest.to_owned());
            } else if line.starts_with("tip: ") {
                hints.extend(
                    line.split("tip: ").filter(|t| !t.is_empty()).map(|t| t.trim().to_owned()),
                );
            }
        }
        if hints.is_empty() {
            hints.push("`sockeye --help` lists commands and options".to_owned());
        }
        Self { exit: Exit::Usage, message: message.join("; "), hints }
    }

    /// The output could not be written. A closed pipe is no failure: its reader has had enough.
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Answered, message: String::new(), hints: vec![] };
        }
        Self {
            exit: Exit::NoAnswer,
            message: format!("cannot write the output: {}", Cause::from_io(error)),
            hints: vec!["what was written is not complete; free space or write elsewhere".into()],
        }
    }

    /// Says it on stderr and gives the exit code.
    pub fn tell(&self) -> Exit {
        if !self.message.is_empty() {
            let lines = [("error", &self.message)];
            let hints = self.hints.iter().map(|hint| ("hint", hint));
            let text: Vec<String> = lines
                .into_iter()
                .chain(hints)
                .map(|(kind, line)| format!("{kind}: {line}\n"))
                .collect();
            let text = text.concat();
            // Where stderr is closed there is nobody to tell.
            let _ = io::stderr().lock().write_all(text.as_bytes());
        }
        self.exit
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match error.cause {
            Cause::Errno(Errno::EPERM | Errno::EACCES) => {
                "run as root, or allow it in the seccomp or LSM profile; `--source proc` needs no netlink"
            }
            Cause::Errno(Errno::ENOENT | Errno::ENOTDIR) => {
                "check the path, or mount /proc: `mount -t proc proc /proc`"
            }
            Cause::Errno(Errno::EMFILE | Errno::ENFILE) => {
                "no descriptor is left: see `ulimit -n` and /proc/sys/fs/file-nr"
            }
            _ => "`--source proc` and `--source netlink` ask another way",
        };
        Self { exit: Exit::NoAnswer, message: error.to_string(), hints: vec![hint.to_owned()] }
    }
}

impl From<list::Failure> for Failure {
    fn from(failure: list::Failure) -> Self {
        match failure {
            list::Failure::Kernel(error) => error.into(),
            list::Failure::Output(error) => Self::output(&error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::output(&error)
    }
}
