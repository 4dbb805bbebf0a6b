//! Text to tokens. No blanks are needed around operators: `sport=:22`.

use super::error::{FilterError, Span};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`, `==`, `eq`
    Equal,
    /// `!=`, `ne`, `neq`
    NotEqual,
    /// `<`, `lt`
    Less,
    /// `<=`, `le`, `leq`
    AtMost,
    /// `>`, `gt`
    Greater,
    /// `>=`, `ge`, `geq`
    AtLeast,
}

impl Comparison {
    /// Its symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// The comparison a word stands for, as in ss.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "eq" | "is" => Self::Equal,
            "ne" | "neq" => Self::NotEqual,
            "lt" => Self::Less,
            "le" | "leq" => Self::AtMost,
            "gt" => Self::Greater,
            "ge" | "geq" => Self::AtLeast,
            _ => return None,
        })
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `&`, `&&`
    And,
    /// `|`, `||`
    Or,
    /// `!`
    Not,
    /// A comparison in symbols.
    Compare(Comparison),
    /// Anything else, as it was typed: with its quotes and backslashes.
    Word(String),
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// Where it stands.
    pub span: Span,
}

/// Characters that end a word.
const OPERATORS: &[char] = &['(', ')', ',', '&', '|', '!', '=', '<', '>'];

/// Cuts a text into tokens.
pub fn tokens(text: &str) -> Result<Vec<Lexeme>, FilterError> {
    let mut lexemes = vec![];
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (token, length) = match symbol(rest) {
            Some(found) => found,
            None => word(rest, at)?,
        };
        lexemes.push(Lexeme { token, span: at..at + length });
        at += length;
    }
    Ok(lexemes)
}

fn symbol(rest: &str) -> Option<(Token, usize)> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    // Longer ones first.
    let symbols = [
        ("==", Token::Compare(Equal)),
        ("!=", Token::Compare(NotEqual)),
        ("<=", Token::Compare(AtMost)),
        (">=", Token::Compare(AtLeast)),
        ("&&", Token::And),
        ("||", Token::Or),
        ("=", Token::Compare(Equal)),
        ("<", Token::Compare(Less)),
        (">", Token::Compare(Greater)),
        ("&", Token::And),
        ("|", Token::Or),
        ("!", Token::Not),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    symbols.into_iter().find(|(s, _)| rest.starts_with(s)).map(|(s, token)| (token, s.len()))
}

fn word(rest: &str, at: usize) -> Result<(Token, usize), FilterError> {
    if rest.starts_with('~') {
        return Err(FilterError::new(
            at..at + 1,
            "there are no regular expressions",
            "names take `*` and `?`, as in `process = ngin*`; a ~ itself is written \\~",
        ));
    }
    let mut chars = rest.char_indices();
    let mut quote: Option<(char, usize)> = None;
    let mut end = rest.len();
    // Where the brackets that are open end.
    let mut class = 0;
    while let Some((i, c)) = chars.next() {
        match quote {
            Some((mark, _)) if c == mark => quote = None,
            Some(('"', _)) | None if c == '\\' => {
                chars.next();
            }
            None if c == '"' || c == '\'' => quote = Some((c, i)),
            None if i < class => {}
            None if c == '[' => class = i + bracketed(rest.get(i..).unwrap_or_default()),
            None if c.is_whitespace() || OPERATORS.contains(&c) => {
                end = i;
                break;
            }
            _ => {}
        }
    }
    if let Some((mark, start)) = quote {
        return Err(FilterError::new(
            at + start..at + rest.len(),
            format!("this {mark} has no end"),
            format!("close it with {mark}, or write \\{mark} for the character itself"),
        ));
    }
    Ok((Token::Word(rest.get(..end).unwrap_or_default().to_owned()), end))
}

/// How many bytes stand in brackets, the first included and the last not: there `!` and `,` are
/// characters, as in `[!a-z]`. A bracket that is not closed in its word holds nothing.
fn bracketed(rest: &str) -> usize {
    let skip = if rest.starts_with("[!") || rest.starts_with("[^") { 2 } else { 1 };
    let inside = rest.get(skip..).unwrap_or_default();
    let mut chars = inside.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            // In front it is one of the characters.
            ']' if at > 0 => return skip + at,
            '\\' => {
                chars.next();
            }
            // `[:alpha:]`
            '[' if chars.peek().is_some_and(|(_, c)| *c == ':') => {
                let name = inside.get(at..).unwrap_or_default();
                let behind = name.find(":]").map_or(0, |end| at + end + 2);
                while chars.next_if(|(at, _)| *at < behind).is_some() {}
            }
            c if c.is_whitespace() || c == '"' || c == '\'' => return 0,
            _ => {}
        }
    }
    0
}

/// A word's characters, each with whether it was quoted or escaped and so has no other meaning.
pub fn characters(raw: &str) -> Vec<(char, bool)> {
    let mut characters = vec![];
    let mut quote = None;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some('"') | None if c == '\\' => characters.extend(chars.next().map(|c| (c, true))),
            Some(_) => characters.push((c, true)),
            None if c == '"' || c == '\'' => quote = Some(c),
            None => characters.push((c, false)),
        }
    }
    characters
}

/// A word without its quotes and backslashes.
pub fn plain(raw: &str) -> String {
    characters(raw).into_iter().map(|(c, _)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let of = |lexeme: Lexeme| match lexeme.token {
            Token::Word(raw) => raw,
            _ => text[lexeme.span].to_owned(),
        };
        tokens(text).unwrap().into_iter().map(of).collect()
    }

    #[test]
    fn operators_need_no_blanks() {
        assert_eq!(words("sport=:22"), ["sport", "=", ":22"]);
        assert_eq!(
            words("(a>=1&&!b!=2)||c"),
            ["(", "a", ">=", "1", "&&", "!", "b", "!=", "2", ")", "||", "c"]
        );
        assert_eq!(words("x in 443,8000-8999"), ["x", "in", "443", ",", "8000-8999"]);
        assert_eq!(words("dst [::1/128]:80"), ["dst", "[::1/128]:80"]);
        assert_eq!(words("a=[!b,c]*,[d"), ["a", "=", "[!b,c]*", ",", "[d"]);
        assert_eq!(words("([::1]),([::2])"), ["(", "[::1]", ")", ",", "(", "[::2]", ")"]);
        assert_eq!(words("[!x"), ["[", "!", "x"]);
        // Found by the fuzzer: what is protected does not end the brackets.
        assert_eq!(words(r"[!\]]!x"), [r"[!\]]", "!", "x"]);
        assert_eq!(words("[[:alpha:]!]=[]!]"), ["[[:alpha:]!]", "=", "[]!]"]);
        assert_eq!(words(" \n\t"), [""; 0]);
    }

    #[test]
    fn quotes_and_backslashes_protect() {
        assert_eq!(words(r"process = 'my (prog)' x"), ["process", "=", "'my (prog)'", "x"]);
        assert_eq!(words(r"a\ b"), [r"a\ b"]);
        assert_eq!(plain(r#"a\ b"c d"'e"f'"#), "a bc de\"f");
        assert_eq!(plain(r"end\"), "end");
        assert_eq!(characters("a'*'*"), [('a', false), ('*', true), ('*', false)]);
        let error = tokens("a = \"b").unwrap_err();
        assert_eq!(error.span, 4..6);
    }

    #[test]
    fn spans_are_the_places_of_the_text() {
        let text = "é = ü";
        let spans: Vec<_> = tokens(text).unwrap().into_iter().map(|l| &text[l.span]).collect();
        assert_eq!(spans, ["é", "=", "ü"]);
    }
}
