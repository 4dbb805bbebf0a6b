//! Texts near to one that has no meaning: the first that has one is what was probably meant.

use crate::filter::lexer::{self, Comparison, Lexeme, Token};
use std::{net::Ipv4Addr, ops::Range};

/// Longer texts are not mended: they were not typed.
const LONGEST: usize = 200;

/// What to write instead of a text that is wrong at `place`; `reads`: whether a text has a meaning.
pub(super) fn of(text: &str, place: &Range<usize>, reads: impl Fn(&str) -> bool) -> Option<String> {
    if text.len() > LONGEST || text.contains(char::is_control) {
        return None;
    }
    candidates(text, place).into_iter().find(|candidate| reads(candidate))
}

fn candidates(text: &str, place: &Range<usize>) -> Vec<String> {
    let mut found = operators(text);
    let Ok(lexemes) = lexer::tokens(text) else { return found };
    let at = lexemes.iter().position(|lexeme| lexeme.span.start >= place.start);
    let (before, here) = lexemes.split_at(at.unwrap_or(lexemes.len()));
    let mut replace = |span: Range<usize>, by: &str| {
        let mut mended = text.to_owned();
        mended.replace_range(span, by);
        found.push(mended);
    };
    // `src ! 10.0.0.1`, `state !listening`, `state not listening`
    for pair in lexemes.windows(2) {
        let [first, second] = pair else { continue };
        let is_not = second.token == Token::Not || word(second).as_deref() == Some("not");
        if is_not && word(first).is_some_and(|word| !is_joint(&word)) {
            // With one blank on either side.
            let behind = text.get(second.span.end..).unwrap_or_default();
            let end = text.len() - behind.trim_start().len();
            replace(first.span.end..end, " != ");
        }
    }
    let Some(first) = here.first() else { return found };
    match before {
        // `sport 80 or 443`, `state = LISTEN or ESTABLISHED`
        [tokens @ .., last] if is_or(last) => {
            if let Some(test) = last_test(text, tokens) {
                replace(first.span.start..first.span.start, &format!("{test} "));
            }
        }
        // `dst 10.0.0.1 443`, `dst = 10.0.0.1 443`
        [.., address] if ends_in_address(before) => {
            replace(address.span.end..first.span.start, ":");
        }
        _ => {}
    }
    // `net 10.0.0.0 mask 255.0.0.0`
    if let ([.., address], [mask, length, ..]) = (before, here)
        && word(mask).as_deref() == Some("mask")
        && let Some(bits) = word(length).and_then(|length| prefix_length(&length))
    {
        replace(address.span.end..length.span.end, &format!("/{bits}"));
    }
    found
}

/// With operators of other languages in our spelling.
fn operators(text: &str) -> Vec<String> {
    let mended = [("=>", ">="), ("=<", "<="), ("<>", "!="), ("=!", "!="), ("===", "=")];
    let mended = mended.into_iter().filter(|(wrong, _)| text.contains(wrong));
    mended.map(|(wrong, right)| text.replace(wrong, right)).collect()
}

fn is_joint(word: &str) -> bool {
    ["and", "or", "not"].contains(&word)
}

fn is_or(lexeme: &Lexeme) -> bool {
    lexeme.token == Token::Or || word(lexeme).as_deref() == Some("or")
}

fn word(lexeme: &Lexeme) -> Option<String> {
    match &lexeme.token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        _ => None,
    }
}

fn is_comparison(lexeme: &Lexeme) -> bool {
    matches!(lexeme.token, Token::Compare(_))
        || word(lexeme).is_some_and(|word| Comparison::from_word(&word).is_some())
}

/// Whether the last of some tokens stands where an address does.
fn ends_in_address(tokens: &[Lexeme]) -> bool {
    let keyword = match tokens {
        [.., keyword, operator, _] if is_comparison(operator) => keyword,
        [.., keyword, _] => keyword,
        _ => return false,
    };
    word(keyword).is_some_and(|word| ["src", "dst", "host", "net"].contains(&word.as_str()))
}

/// The column and the operator of the last test of some tokens, as they were typed.
fn last_test(text: &str, tokens: &[Lexeme]) -> Option<String> {
    let (column, last) = match tokens {
        [.., column, operator, _] if is_comparison(operator) => (column, operator),
        [.., column, _] => (column, column),
        _ => return None,
    };
    word(column).filter(|word| !is_joint(word))?;
    text.get(column.span.start..last.span.end).map(str::to_owned)
}

/// The bits of a mask such as 255.255.0.0.
fn prefix_length(mask: &str) -> Option<u32> {
    let mask = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() == u32::BITS || mask == 0)
        .then(|| mask.leading_ones())
}
