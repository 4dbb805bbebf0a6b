//! Tokens to a tree: the words of ss and our own, and what people type who come from elsewhere.

mod comparison;
mod hints;
mod keywords;
mod repair;
#[cfg(test)]
mod tests;

use super::{
    ast::{Expr, Test, What},
    directory::Directory,
    error::{FilterError, Span},
    lexer::{self, Comparison, Lexeme, Token},
    words,
};
use crate::model::{protocol::Family, state::StateSet};

/// Parentheses and `not` inside each other at most: the reader must not use up its stack.
const DEEPEST: usize = 100;

/// A text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub expr: Expr,
    /// Whether ss would read it differently: an `and` after an `or` without parentheses, in words
    /// of ss alone. ss takes both from left to right, whatever its manual says.
    pub ss_reads_otherwise: bool,
}

/// Reads a filter.
pub fn parse(text: &str, directory: &dyn Directory) -> Result<Parsed, FilterError> {
    parse_for(text, directory, None)
}

/// Reads a filter where sockets of one family alone are listed.
pub fn parse_for(
    text: &str,
    directory: &dyn Directory,
    family: Option<Family>,
) -> Result<Parsed, FilterError> {
    let read = |text: &str| {
        let lexemes = lexer::tokens(text)?;
        let mut parser = Parser {
            lexemes,
            at: 0,
            end: text.trim_end().len(),
            depth: 0,
            mixed: false,
            own: false,
            directory,
            family,
        };
        let expr = parser.group()?;
        if let Some(lexeme) = parser.peek() {
            let (message, hint) = match lexeme.token {
                Token::Close => ("this ) closes nothing", "remove it, or open with ( before"),
                Token::Comma => {
                    ("a comma stands between values only", "join tests with `and` or `or`")
                }
                _ => ("a test ends before this", "join tests with `and` or `or`"),
            };
            return Err(FilterError::new(lexeme.span.clone(), message, hint));
        }
        Ok(Parsed { expr, ss_reads_otherwise: parser.mixed && !parser.own })
    };
    read(text).map_err(|error: FilterError| {
        let mended = repair::of(text, &error.span, |text| read(text).is_ok());
        let hint = mended.map(|mended| format!("write `{mended}`"));
        FilterError { hint: hint.unwrap_or_else(|| error.hint.clone()), ..error }.of(text)
    })
}

struct Parser<'a> {
    lexemes: Vec<Lexeme>,
    at: usize,
    /// Where the text ends.
    end: usize,
    depth: usize,
    /// Whether an `and` followed an `or` without parentheses.
    mixed: bool,
    /// Whether a test is of our own words.
    own: bool,
    directory: &'a dyn Directory,
    /// The one family that is listed.
    family: Option<Family>,
}

/// What joins two tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Lexeme> {
        self.lexemes.get(self.at + ahead)
    }

    fn next(&mut self) -> Option<Lexeme> {
        let lexeme = self.lexemes.get(self.at).cloned();
        self.at += 1;
        lexeme
    }

    fn here(&self) -> Span {
        self.peek().map_or(self.end..self.end, |lexeme| lexeme.span.clone())
    }

    /// A word in lower case as it was typed, so that a quoted one is no keyword.
    fn word_at(&self, ahead: usize) -> Option<String> {
        match &self.peek_at(ahead)?.token {
            Token::Word(raw) => Some(raw.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn is_word(&self, ahead: usize, words: &[&str]) -> bool {
        self.word_at(ahead).is_some_and(|word| words.contains(&word.as_str()))
    }

    fn joint(&self) -> Option<Joint> {
        match self.peek()?.token {
            Token::And => Some(Joint::And),
            Token::Or => Some(Joint::Or),
            Token::Word(_) if self.is_word(0, &["and"]) => Some(Joint::And),
            Token::Word(_) if self.is_word(0, &["or"]) => Some(Joint::Or),
            _ => None,
        }
    }

    fn begins_term(&self) -> bool {
        match self.peek().map(|lexeme| &lexeme.token) {
            Some(Token::Open | Token::Not) => true,
            Some(Token::Word(_)) => self.joint().is_none(),
            _ => false,
        }
    }

    fn deeper(&mut self, span: &Span) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::new(
                span.clone(),
                format!("more than {DEEPEST} parentheses and `not` inside each other"),
                "write the filter flatter",
            ));
        }
        Ok(())
    }

    /// A whole filter, or what stands in parentheses.
    ///
    /// `state X` before the rest holds for all of the rest, as in ss, where it is no part of the
    /// expression: `state listening sport = :22 or sport = :80`.
    fn group(&mut self) -> Result<Expr, FilterError> {
        if !self.begins_states() {
            return self.disjunction(None);
        }
        let states = self.states()?;
        if self.joint().is_some() {
            return self.disjunction(Some(states));
        }
        if !self.begins_term() {
            return Ok(states);
        }
        Ok(Expr::all_of(vec![states, self.disjunction(None)?]))
    }

    fn disjunction(&mut self, first: Option<Expr>) -> Result<Expr, FilterError> {
        let (expr, _) = self.conjunction(first)?;
        let mut parts = vec![expr];
        while self.joint() == Some(Joint::Or) {
            self.at += 1;
            let (expr, joined) = self.conjunction(None)?;
            self.mixed |= joined;
            parts.push(expr);
        }
        Ok(Expr::any_of(parts))
    }

    /// Terms joined by `and` or by nothing; and whether there were several.
    fn conjunction(&mut self, first: Option<Expr>) -> Result<(Expr, bool), FilterError> {
        let mut parts = vec![match first {
            Some(first) => first,
            None => self.term()?,
        }];
        loop {
            if self.joint() == Some(Joint::And) {
                self.at += 1;
            } else if !self.begins_term() {
                break;
            }
            parts.push(self.term()?);
        }
        let joined = parts.len() > 1;
        Ok((Expr::all_of(parts), joined))
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let span = self.here();
        let Some(lexeme) = self.peek().cloned() else {
            return Err(self.missing(&span));
        };
        match lexeme.token {
            Token::Open => {
                self.at += 1;
                self.deeper(&span)?;
                let inside = self.group()?;
                self.depth -= 1;
                match self.next() {
                    Some(Lexeme { token: Token::Close, .. }) => Ok(inside),
                    Some(other) => Err(FilterError::new(
                        other.span,
                        "a test ends before this",
                        "join tests with `and` or `or`, or close with )",
                    )),
                    None => Err(FilterError::new(
                        span,
                        "this ( is not closed",
                        "add ) at the end; in a shell write '(' and ')' in quotes",
                    )),
                }
            }
            Token::Not => self.negation(&span),
            Token::Word(_) if self.is_word(0, &["not"]) => self.negation(&span),
            Token::Word(raw) => self.test(&raw, &span),
            Token::Close | Token::Comma | Token::And | Token::Or | Token::Compare(_) => {
                Err(self.missing(&span))
            }
        }
    }

    fn negation(&mut self, span: &Span) -> Result<Expr, FilterError> {
        self.at += 1;
        self.deeper(span)?;
        let term = self.term()?;
        self.depth -= 1;
        Ok(term.negated())
    }

    /// Whether a state clause of ss begins here: `state X`, without a comparison.
    fn begins_states(&self) -> bool {
        let clause = self.is_word(0, &["state", "exclude", "excl"]);
        let compared = match self.peek_at(1).map(|lexeme| &lexeme.token) {
            Some(Token::Compare(_) | Token::Not) => true,
            Some(Token::Word(raw)) => {
                let word = raw.to_ascii_lowercase();
                Comparison::from_word(&word).is_some() || word == "in" || word == "not"
            }
            _ => false,
        };
        clause && !compared
    }

    /// `state X state Y` is either, `exclude X` takes away: as in ss, one after the other.
    fn states(&mut self) -> Result<Expr, FilterError> {
        let start = self.here();
        let mut states: Option<StateSet> = None;
        let mut end = start.end;
        while self.begins_states() {
            let adds = self.is_word(0, &["state"]);
            let span = self.here();
            self.at += 1;
            let values = self.list(&span, "state listening")?;
            end = values.last().map_or(end, |value| value.span.end);
            let named = words::states(&values)?;
            states = Some(match (adds, states) {
                (true, None) => named,
                (true, Some(sum)) => sum.with(named),
                (false, sum) => sum.unwrap_or(StateSet::ALL).without(named),
            });
        }
        let what = What::State(states.unwrap_or(StateSet::NONE));
        Ok(Expr::Test(Test { what, span: start.start..end }))
    }
}
