//! A topic and its kind.

use super::block::Block;

/// What a topic is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The list of topics.
    Index,
    /// How something works.
    Lesson,
    /// A state of a socket.
    State,
    /// A limit, by the id that `capacity` uses.
    Limit,
    /// A rule of the doctor.
    Rule,
    /// Why a socket has no process to name.
    Owner,
    /// A timer.
    Timer,
    /// Something often said that is not so.
    Myth,
    /// A column of the listing.
    Column,
}

impl Kind {
    /// Every kind, in the order of the index.
    pub const ALL: [Self; 9] = [
        Self::Index,
        Self::Lesson,
        Self::State,
        Self::Limit,
        Self::Rule,
        Self::Owner,
        Self::Timer,
        Self::Myth,
        Self::Column,
    ];

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Lesson => "lesson",
            Self::State => "state",
            Self::Limit => "limit",
            Self::Rule => "rule",
            Self::Owner => "owner-unknown",
            Self::Timer => "timer",
            Self::Myth => "myth",
            Self::Column => "column",
        }
    }

    /// The heading above its topics in the index.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Index => "Lists",
            Self::Lesson => "How it works",
            Self::State => "States, in any tool's spelling",
            Self::Limit => "Limits, by the ids of `sockeye capacity`",
            Self::Rule => "Rules of `sockeye doctor`",
            Self::Owner => "Why no process is named",
            Self::Timer => "Timers",
            Self::Myth => "Myths: what is often said and not so",
            Self::Column => "Columns, by the ids of `--columns`",
        }
    }
}

/// A topic.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Its one name, as typed.
    pub name: &'static str,
    /// Other words that lead to it.
    pub also: Vec<&'static str>,
    /// One line: what it is.
    pub title: String,
    /// What it is about.
    pub kind: Kind,
    /// Its text.
    pub blocks: Vec<Block>,
    /// Names of topics to read next.
    pub see_also: Vec<&'static str>,
}

impl Topic {
    /// Its name and every other word that leads to it.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }
}
