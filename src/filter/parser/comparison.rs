//! An operator and the values behind it.

use super::Parser;
use crate::filter::{
    error::{FilterError, Span},
    lexer::{Comparison, Lexeme, Token},
    value::Value,
};

impl Parser<'_> {
    /// Whether a comparison stands here.
    pub(super) fn is_compared(&self) -> bool {
        let by_word = self
            .word_at(0)
            .is_some_and(|word| word == "in" || Comparison::from_word(&word).is_some());
        let opposite = match self.peek().map(|lexeme| &lexeme.token) {
            Some(Token::Not) => true,
            _ => self.is_word(0, &["not"]),
        };
        matches!(self.peek(), Some(Lexeme { token: Token::Compare(_), .. }))
            || by_word
            || (opposite && self.is_word(1, &["in"]))
    }

    /// An operator, if there is one, and what follows it.
    pub(super) fn comparison(
        &mut self,
        span: &Span,
        example: &str,
    ) -> Result<(Comparison, Vec<Value>), FilterError> {
        let mut comparison = Comparison::Equal;
        if self.is_compared() {
            match self.next().map(|lexeme| lexeme.token) {
                Some(Token::Compare(found)) => comparison = found,
                Some(Token::Word(raw)) => {
                    let word = raw.to_ascii_lowercase();
                    if word == "not" {
                        self.at += 1;
                        comparison = Comparison::NotEqual;
                    } else if let Some(found) = Comparison::from_word(&word) {
                        comparison = found;
                    }
                }
                // `!in`
                Some(Token::Not) => {
                    self.at += 1;
                    comparison = Comparison::NotEqual;
                }
                _ => {}
            }
            // `= not X`, `is not X`
            if comparison == Comparison::Equal && self.is_word(0, &["not"]) {
                self.at += 1;
                comparison = Comparison::NotEqual;
            }
        }
        Ok((comparison, self.list(span, example)?))
    }

    /// Values with commas between them, in parentheses or not.
    pub(super) fn list(&mut self, span: &Span, example: &str) -> Result<Vec<Value>, FilterError> {
        let open = matches!(self.peek(), Some(Lexeme { token: Token::Open, .. }));
        if open {
            self.at += 1;
        }
        let mut values = vec![];
        loop {
            let missing = |at: Span| {
                let at = if at.is_empty() { span.clone() } else { at };
                FilterError::new(at, "a value is missing here", format!("for example `{example}`"))
            };
            if self.joint().is_some() {
                return Err(missing(self.here()));
            }
            match self.peek().cloned() {
                Some(Lexeme { token: Token::Word(raw), span }) => {
                    self.at += 1;
                    values.push(Value { raw, span });
                }
                Some(lexeme) => return Err(missing(lexeme.span)),
                None => return Err(missing(self.here())),
            }
            match self.peek().map(|lexeme| &lexeme.token) {
                Some(Token::Comma) => self.at += 1,
                Some(Token::Close) if open => {
                    self.at += 1;
                    return Ok(values);
                }
                _ if open => {
                    return Err(FilterError::new(
                        self.here(),
                        "a list is not closed",
                        "write `in (443, 8443)` or `in 443,8443`",
                    ));
                }
                _ => return Ok(values),
            }
        }
    }
}
