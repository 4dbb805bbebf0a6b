//! Exit codes.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: answered, also when nothing matched.
    Answered,
    /// 1: `--quiet` found no socket.
    NothingMatched,
    /// 1: the worst finding of the doctor is a warning.
    Warning,
    /// 2: the doctor found something critical.
    Critical,
    /// 3: no answer: no source could be read, or the output could not be written.
    NoAnswer,
    /// 64: what was typed has no meaning.
    Usage,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// Every way to end, by number.
    pub const ALL: [Self; 7] = [
        Self::Answered,
        Self::NothingMatched,
        Self::Warning,
        Self::Critical,
        Self::NoAnswer,
        Self::Usage,
        Self::Interrupted,
    ];

    /// One line for the manual.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Answered => {
                "answered, also when nothing matched; a closed pipe ends the output quietly"
            }
            Self::NothingMatched => "no socket matched, and --quiet asked to be told",
            Self::Warning => "doctor: the worst finding is a warning",
            Self::Critical => "doctor: a finding is critical",
            Self::NoAnswer => {
                "no answer: no source could be read, or the output could not be written; doctor: a \
                 rule that was named could not be judged"
            }
            Self::Usage => "what was typed has no meaning: unknown option, column or value",
            Self::Interrupted => "interrupted (SIGINT)",
        }
    }

    /// Its number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Answered => 0,
            Self::NothingMatched | Self::Warning => 1,
            Self::Critical => 2,
            Self::NoAnswer => 3,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
