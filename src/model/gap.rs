//! What could not be seen.

use super::protocol::Protocol;
use std::borrow::Cow;

/// Something sockeye could not see, why, and how to see it.
///
/// Said once on stderr and in the `warnings` of JSON; never replaced by a zero or an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Stable id for scripts, kebab-case (`owners-hidden`).
    pub code: Cow<'static, str>,
    /// What is missing and why, with its count where there is one.
    pub message: String,
    /// What to do about it. Empty: nothing can be done.
    pub hint: String,
    /// Protocols of which nothing could be told: their number is unknown, and not 0.
    pub untold: Vec<Protocol>,
}

impl Gap {
    /// A gap with the way out.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self { code: Cow::Borrowed(code), message, hint, untold: vec![] }
    }

    /// The same, of these protocols nothing could be told.
    #[must_use]
    pub fn without(mut self, untold: &[Protocol]) -> Self {
        self.untold.extend_from_slice(untold);
        self
    }

    /// Message and hint in one line.
    pub fn sentence(&self) -> String {
        if self.hint.is_empty() {
            self.message.clone()
        } else {
            format!("{}; {}", self.message, self.hint)
        }
    }
}
