//! A value as it was typed.

use super::{
    error::{FilterError, Span},
    lexer,
    pattern::Pattern,
};

/// A value as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// With its quotes and backslashes.
    pub raw: String,
    /// Where.
    pub span: Span,
}

impl Value {
    /// Without them.
    pub(super) fn plain(&self) -> String {
        lexer::plain(&self.raw)
    }

    /// As a pattern, where `*` and `?` stand for others.
    pub(super) fn pattern(&self) -> Pattern {
        Pattern::new(&lexer::characters(&self.raw))
    }

    /// That it is wrong.
    pub(super) fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> FilterError {
        FilterError::new(self.span.clone(), message, hint)
    }
}
