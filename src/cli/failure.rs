//! Why the program ends without an answer, and what to do about it.

use super::{exit::Exit, foreign};
use crate::{
    collect::list,
    kernel::error::{Cause, Error},
};
use nix::errno::Errno;
use std::{
    ffi::OsString,
    io::{self, Write},
};

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

    /// The words of clap about these arguments, in our form.
    pub fn from_clap(error: &clap::Error, args: &[OsString]) -> Self {
        use clap::error::ErrorKind;
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            let text = error.render().to_string();
            return match io::stdout().lock().write_all(text.as_bytes()) {
                Ok(()) => Self { exit: Exit::Answered, message: String::new(), hints: vec![] },
                Err(error) => Self::output(&error),
            };
        }
        let (message, hint) = explained(error, args);
        Self::usage(message, hint)
    }

    /// Another network namespace could not be entered.
    pub fn namespace(error: Error) -> Self {
        let hint = match error.as_errno() {
            Some(Errno::EPERM | Errno::EACCES) => {
                "run as root: entering a namespace needs CAP_SYS_ADMIN"
            }
            Some(Errno::ENOENT | Errno::ESRCH) => {
                "`ip netns list` shows the names; the id of a process in it names it too"
            }
            _ => "name one of `ip netns list`, a process id, or a path such as /proc/PID/ns/net",
        };
        Self { hints: vec![hint.to_owned()], ..Self::from(error) }
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

/// What clap found wrong, as a message and what to type instead.
fn explained(error: &clap::Error, args: &[OsString]) -> (String, String) {
    use clap::error::{ContextKind, ErrorKind};
    let said = |kind| error.get(kind).map(words).unwrap_or_default();
    let argument = said(ContextKind::InvalidArg).join(" and ");
    let value = said(ContextKind::InvalidValue).concat();
    let list = "`sockeye --help` lists commands and options";
    let each = "`sockeye COMMAND --help` shows what a command takes";
    let near = |suggested: Vec<String>, otherwise: String| match suggested.first() {
        Some(near) => format!("did you mean `{near}`? {otherwise}"),
        None => otherwise,
    };
    match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            (format!("`{argument}` is a word too many"), each.to_owned())
        }
        ErrorKind::UnknownArgument => {
            let hint = foreign::instead(args, &argument)
                .unwrap_or_else(|| near(said(ContextKind::SuggestedArg), list.to_owned()));
            (format!("no option is called `{argument}`"), hint)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let valid = said(ContextKind::ValidValue);
            let takes = match (reason, valid.is_empty()) {
                (Some(reason), _) => format!("it takes {reason}"),
                (None, false) => format!("it takes one of {}", valid.join(", ")),
                (None, true) => format!("write `{argument}`"),
            };
            let message = if value.is_empty() {
                format!("`{argument}` needs a value")
            } else {
                format!("`{argument}` cannot be `{value}`")
            };
            (message, near(said(ContextKind::SuggestedValue), takes))
        }
        ErrorKind::MissingRequiredArgument => (format!("`{argument}` is missing"), each.to_owned()),
        ErrorKind::ArgumentConflict => {
            let other = said(ContextKind::PriorArg).join("` and `");
            (
                format!("`{argument}` and `{other}` exclude each other"),
                "leave one of them out".to_owned(),
            )
        }
        ErrorKind::TooManyValues => (
            format!("`{argument}` takes no value, and `{value}` was given"),
            format!("write `{argument}` alone"),
        ),
        // Kinds that this definition cannot cause today: clap's own first line.
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            (line.strip_prefix("error: ").unwrap_or(line).to_owned(), list.to_owned())
        }
    }
}

/// Names and values as one types them: `--limit N`, not `--limit <N>`.
fn words(value: &clap::error::ContextValue) -> Vec<String> {
    use clap::error::ContextValue;
    let typed = |text: &String| text.replace(['<', '>'], "");
    match value {
        ContextValue::String(text) => vec![typed(text)],
        ContextValue::Strings(texts) => texts.iter().map(typed).collect(),
        ContextValue::StyledStr(text) => vec![text.to_string()],
        ContextValue::Number(number) => vec![number.to_string()],
        _ => vec![],
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match error.cause {
            Cause::File { hint, .. } | Cause::Lacking { hint, .. } => hint,
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
