//! What a watch wants to know at its next round.

use super::entry::Entry;
use crate::collect::query::Query;

/// Of which sockets counters and round-trip times are wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Attention {
    /// Of these: they are on the screen.
    Rows(Vec<Entry>),
    /// Of every one: they are summed up, or the order depends on them.
    All,
}

impl Default for Attention {
    fn default() -> Self {
        Self::Rows(vec![])
    }
}

/// Whose owners are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unresolved {
    /// Inodes nobody has been named for yet.
    pub inodes: Vec<u64>,
}

/// The question of a round.
#[derive(Debug, Clone)]
pub struct Question {
    /// Counts up with each filter, so that an answer to an earlier one is known as such.
    pub number: u64,
    /// Which sockets.
    pub query: Query,
    /// Of which of them counters are wanted.
    pub attention: Attention,
    /// Whose owners are wanted.
    pub unresolved: Unresolved,
    /// Of which socket everything is wanted.
    pub detail: Option<Entry>,
}

impl Question {
    /// Whether it cannot be answered without owners.
    pub fn wants_owners(&self) -> bool {
        !self.unresolved.inodes.is_empty() || self.query.filters_by_owner()
    }
}
