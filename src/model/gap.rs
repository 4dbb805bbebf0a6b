//! What could not be seen.

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
}

impl Gap {
    /// A gap with the way out.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), hint: hint.into() }
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
