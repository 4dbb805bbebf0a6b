//! What is wrong with a filter, where, and what was probably meant.

use std::{fmt, ops::Range};
use unicode_width::UnicodeWidthChar;

/// Columns of the text shown around the wrong word.
const SHOWN: usize = 100;

/// A place in the text: bytes.
pub type Span = Range<usize>;

/// A filter that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    /// Where.
    pub span: Span,
    /// The whole text.
    pub text: String,
}

impl FilterError {
    /// An error at a place; the text is added by [`Self::of`].
    pub fn new(span: Span, message: impl Into<String>, hint: impl Into<String>) -> Self {
        // Both may quote the text, and that may come from a file.
        let shown = |text: String| text.replace(char::is_control, " ");
        let (message, hint) = (shown(message.into()), shown(hint.into()));
        Self { message, hint, span, text: String::new() }
    }

    /// Adds the text it is about.
    #[must_use]
    pub fn of(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    /// The line with the wrong word and the carets under it, without "error:" and hint.
    pub fn excerpt(&self) -> String {
        let start =
            self.text.get(..self.span.start).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
        let line = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let (from, to) = (self.span.start - start.min(self.span.start), self.span.end - start);
        let (mut before, mut under) = (vec![], String::new());
        let (mut shown, mut carets, mut column) = (String::new(), 0, 0);
        let mut left_out = false;
        for (at, c) in line.char_indices() {
            // The text may come from a file: what would move the cursor is shown as a blank.
            let c = if c.is_control() || c.width().is_none() { ' ' } else { c };
            let width = c.width().unwrap_or(1);
            if at < from {
                before.push(c);
            } else if column + width <= SHOWN {
                under.push(c);
                column += width;
                carets += if at < to { width } else { 0 };
            } else {
                left_out = true;
                break;
            }
        }
        // The end of what stands before it, as far as there is room.
        let mut room = SHOWN.saturating_sub(carets.min(SHOWN / 2));
        let mut kept = vec![];
        for c in before.iter().rev() {
            let width = c.width().unwrap_or(1);
            if width > room {
                break;
            }
            room -= width;
            kept.push(*c);
        }
        if kept.len() < before.len() {
            shown.push('…');
        }
        shown.extend(kept.iter().rev());
        let indent: usize = shown.chars().map(|c| c.width().unwrap_or(1)).sum();
        shown.push_str(&under);
        if left_out {
            shown.push('…');
        }
        format!("  | {}\n  | {}{}", shown.trim_end(), " ".repeat(indent), "^".repeat(carets.max(1)))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n{}\nhint: {}", self.message, self.excerpt(), self.hint)
    }
}

impl std::error::Error for FilterError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Span) -> String {
        FilterError::new(span, "m", "h").of(text).to_string()
    }

    #[test]
    fn the_carets_stand_under_the_wrong_word() {
        assert_eq!(
            shown("rtt > 5ms and acceptq > 0", 14..21),
            "error: m\n  | rtt > 5ms and acceptq > 0\n  |               ^^^^^^^\nhint: h"
        );
        // At the end, in the line of a file, under wide characters, behind an escape.
        assert_eq!(shown("a", 1..1), "error: m\n  | a\n  |  ^\nhint: h");
        assert_eq!(shown("x = 1\nya = 2", 6..8), "error: m\n  | ya = 2\n  | ^^\nhint: h");
        assert_eq!(shown("日 本", 4..7), "error: m\n  | 日 本\n  |    ^^\nhint: h");
        assert_eq!(shown("\x1b[2J x", 5..6), "error: m\n  |  [2J x\n  |      ^\nhint: h");
    }

    #[test]
    fn a_long_text_is_cut_around_the_word() {
        let text = format!("{} wrong {}", "a".repeat(300), "b".repeat(300));
        let shown = shown(&text, 301..306);
        let lines: Vec<_> = shown.lines().collect();
        let at = lines[1].find("wrong").unwrap();
        // The ellipsis has three bytes and one column.
        assert_eq!(lines[2].find("^^^^^").unwrap() + 2, at);
        assert!(lines[1].chars().count() < 220 && lines[1].ends_with('…'));
    }
}
