//! The form of a name, as a shell and fnmatch(3) have it: `*`, `?`, `[a-z]`, `[!a-z]`.

use std::fmt;

/// The form of a name: bytes, `?` for any one, `*` for any number of them, `[…]` for one of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    One,
    Many,
    Of(Class),
}

/// Characters of which one stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Class {
    /// Those of ASCII, a bit for each.
    ascii: u128,
    /// Whether every other byte is one too: so it is behind a `!`.
    others: bool,
}

impl Class {
    const fn has(self, byte: u8) -> bool {
        if byte.is_ascii() { self.ascii >> byte & 1 == 1 } else { self.others }
    }

    const fn opposite(self) -> Self {
        Self { ascii: !self.ascii, others: !self.others }
    }

    /// The same without regard to case.
    fn in_any_case(self) -> Self {
        if self.others {
            return self.opposite().in_any_case().opposite();
        }
        let is_in = |byte: &u8| {
            self.has(*byte)
                || self.has(byte.to_ascii_lowercase())
                || self.has(byte.to_ascii_uppercase())
        };
        let ascii = (0..128u8).filter(is_in).fold(0, |bits, byte| bits | 1 << byte);
        Self { ascii, others: false }
    }

    /// Reads one from behind its `[`, and tells how many characters it took with its `]`. Without
    /// an end, and with characters that are not ASCII, it is none: the bracket is a character.
    fn read(text: &[(char, bool)]) -> Option<(Self, usize)> {
        let negated = matches!(text.first(), Some(('!' | '^', false)));
        let first = usize::from(negated);
        let mut ascii = 0u128;
        let mut at = first;
        loop {
            let (low, literal) = *text.get(at)?;
            if low == ']' && !literal && at > first {
                break;
            }
            if let Some((bits, taken)) = named(text.get(at..)?) {
                ascii |= bits;
                at += taken;
                continue;
            }
            let low = u8::try_from(low).ok().filter(u8::is_ascii)?;
            let range = match (text.get(at + 1), text.get(at + 2)) {
                // In front of the end a hyphen is one of them.
                (Some(('-', false)), Some((']', false))) => None,
                (Some(('-', false)), Some((high, _))) => Some(*high),
                _ => None,
            };
            let high = match range {
                Some(high) => u8::try_from(high).ok().filter(u8::is_ascii)?,
                None => low,
            };
            ascii = (low..=high).fold(ascii, |bits, byte| bits | 1 << byte);
            at += if range.is_some() { 3 } else { 1 };
        }
        let class = Self { ascii, others: false };
        Some((if negated { class.opposite() } else { class }, at + 1))
    }
}

/// `[:alpha:]` inside the brackets: what it stands for, and its length.
fn named(text: &[(char, bool)]) -> Option<(u128, usize)> {
    let is = |at: usize, wanted: char| text.get(at) == Some(&(wanted, false));
    if !is(0, '[') || !is(1, ':') {
        return None;
    }
    let length = (2..text.len()).find(|at| is(*at, ':') && is(at + 1, ']'))?;
    let name: String = text.get(2..length)?.iter().map(|(c, _)| *c).collect();
    let belongs: fn(&u8) -> bool = match name.as_str() {
        "alnum" => u8::is_ascii_alphanumeric,
        "alpha" => u8::is_ascii_alphabetic,
        "blank" => |byte| matches!(byte, b' ' | b'\t'),
        "cntrl" => u8::is_ascii_control,
        "digit" => u8::is_ascii_digit,
        "graph" => u8::is_ascii_graphic,
        "lower" => u8::is_ascii_lowercase,
        "print" => |byte| *byte == b' ' || byte.is_ascii_graphic(),
        "punct" => u8::is_ascii_punctuation,
        "space" => |byte| byte.is_ascii_whitespace() || *byte == 0x0b,
        "upper" => u8::is_ascii_uppercase,
        "xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    };
    let bits = (0..128u8).filter(belongs).fold(0, |bits, byte| bits | 1 << byte);
    Some((bits, length + 2))
}

impl Pattern {
    /// From characters with whether each stands for itself alone.
    pub fn new(characters: &[(char, bool)]) -> Self {
        let mut pieces = vec![];
        let mut at = 0;
        while let Some((c, literal)) = characters.get(at) {
            at += 1;
            let class = || Class::read(characters.get(at..)?);
            match (c, literal) {
                ('?', false) => pieces.push(Piece::One),
                ('*', false) => pieces.push(Piece::Many),
                ('[', false) if let Some((class, taken)) = class() => {
                    pieces.push(Piece::Of(class));
                    at += taken;
                }
                (c, _) => {
                    let mut buffer = [0; 4];
                    pieces.extend(c.encode_utf8(&mut buffer).bytes().map(Piece::Byte));
                }
            }
        }
        Self(pieces)
    }

    /// The pattern of exactly this text.
    pub fn exactly(text: &str) -> Self {
        Self(text.bytes().map(Piece::Byte).collect())
    }

    /// The one name it stands for; `None`: it stands for several.
    pub fn literal(&self) -> Option<String> {
        let byte = |piece: &Piece| match piece {
            Piece::Byte(byte) => Some(*byte),
            _ => None,
        };
        String::from_utf8(self.0.iter().map(byte).collect::<Option<_>>()?).ok()
    }

    /// Whether a name has this form, whatever the case of its letters.
    pub fn matches_in_any_case(&self, name: &[u8]) -> bool {
        let lower = |piece: &Piece| match piece {
            Piece::Byte(byte) => Piece::Byte(byte.to_ascii_lowercase()),
            Piece::Of(class) => Piece::Of(class.in_any_case()),
            other => *other,
        };
        Self(self.0.iter().map(lower).collect()).matches(&name.to_ascii_lowercase())
    }

    /// Whether a name has this form.
    pub fn matches(&self, name: &[u8]) -> bool {
        let (mut at, mut read) = (0, 0);
        // Where to go on if the rest does not fit: behind the last `*`, one byte later.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match (self.0.get(at), name.get(read)) {
                (Some(Piece::Many), _) => {
                    retry = Some((at + 1, read));
                    at += 1;
                }
                (None, None) => return true,
                (Some(piece), Some(byte)) if piece.is(*byte) => (at, read) = (at + 1, read + 1),
                _ => match retry {
                    Some((star, from)) if from < name.len() => {
                        retry = Some((star, from + 1));
                        (at, read) = (star, from + 1);
                    }
                    _ => return false,
                },
            }
        }
    }
}

impl Piece {
    /// Whether one byte is it.
    const fn is(self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => wanted == byte,
            Self::One => true,
            Self::Of(class) => class.has(byte),
            Self::Many => false,
        }
    }
}

/// A character, so that it is read back as itself.
fn protected(c: char) -> String {
    if c.is_alphanumeric() || "-_./:@%+]#^{}".contains(c) { c.into() } else { format!("\\{c}") }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.others { self.opposite() } else { *self };
        f.write_str(if self.others { "[!" } else { "[" })?;
        if shown.ascii == 0 {
            // A range that ends before it begins is how to write it.
            f.write_str("z-a")?;
        }
        // What means something inside brackets is protected there.
        let member = |byte: u8| match byte {
            b']' | b'^' | b'-' | b':' => format!("\\{}", char::from(byte)),
            _ => protected(byte.into()),
        };
        let mut at = 0u8;
        while at < 128 {
            let run = (at..128).take_while(|byte| shown.has(*byte)).count();
            match run {
                0 => at += 1,
                1 | 2 => {
                    f.write_str(&member(at))?;
                    at += 1;
                }
                _ => {
                    let last = at + u8::try_from(run).unwrap_or(1) - 1;
                    write!(f, "{}-{}", member(at), member(last))?;
                    at = last + 1;
                }
            }
        }
        f.write_str("]")
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut literal = vec![];
        let mut shown = String::new();
        let flush = |literal: &mut Vec<u8>, shown: &mut String| {
            shown.extend(String::from_utf8_lossy(literal).chars().map(protected));
            literal.clear();
        };
        for piece in &self.0 {
            if let Piece::Byte(byte) = piece {
                literal.push(*byte);
                continue;
            }
            flush(&mut literal, &mut shown);
            match piece {
                Piece::Of(class) => shown.push_str(&class.to_string()),
                Piece::One => shown.push('?'),
                _ => shown.push('*'),
            }
        }
        flush(&mut literal, &mut shown);
        if shown.is_empty() {
            shown.push_str("\"\"");
        } else if ["and", "or", "not"].contains(&shown.to_ascii_lowercase().as_str()) {
            shown.insert(0, '\\');
        }
        f.write_str(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::lexer;

    fn glob(text: &str) -> Pattern {
        Pattern::new(&lexer::characters(text))
    }

    #[test]
    fn globs_match_as_people_expect() {
        for (pattern, name, fits) in [
            ("nginx", "nginx", true),
            ("ngin", "nginx", false),
            ("ngin*", "nginx", true),
            ("*x", "nginx", true),
            ("*", "", true),
            ("n*g*x", "nginx", true),
            ("n?inx", "nginx", true),
            ("?", "", false),
            ("*a*b", "aaab", true),
            ("*ab", "aacab", true),
        ] {
            assert_eq!(glob(pattern).matches(name.as_bytes()), fits, "{pattern} {name}");
        }
        assert!(Pattern::exactly("*").matches(b"*") && !Pattern::exactly("*").matches(b"a"));
        assert_eq!(glob("a*b").literal(), None);
        assert_eq!(Pattern::exactly("or").to_string(), r"\or");
    }

    /// What fnmatch(3) of glibc says of the same, `bash -c '[[ NAME == PATTERN ]]'` too.
    #[test]
    fn brackets_stand_for_one_of_some() {
        for (pattern, fitting, others) in [
            ("[ab]c", &["ac", "bc"][..], &["cc", "c", "abc", "[ab]c"][..]),
            ("[a-c]*", &["a", "bx"], &["d", ""]),
            ("[!a-c]", &["d", "-", "\u{7f}"], &["a", "b", ""]),
            ("[^a-c]", &["d", "^"], &["a"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[!]]", &["a"], &["]"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[--0]", &["-", ".", "0"], &["1"]),
            ("[[:digit:]x]", &["7", "x"], &["d", ":"]),
            ("*[[:upper:][:space:]]", &["aB", "a "], &["ab"]),
            ("[z-a]", &[], &["z", "a", "m"]),
            (r"[\]a]", &["]", "a"], &[r"\"]),
            // No class: a character.
            ("[ab", &["[ab"], &["a"]),
            ("x[", &["x["], &["x"]),
            ("[é]", &["[é]"], &["é"]),
            (r"\[a]", &["[a]"], &["a"]),
            ("'[a]'", &["[a]"], &["a"]),
        ] {
            let read = glob(pattern);
            for name in fitting {
                assert!(read.matches(name.as_bytes()), "{pattern} {name}");
            }
            for name in others {
                assert!(!read.matches(name.as_bytes()), "{pattern} {name}");
            }
            assert_eq!(glob(&read.to_string()), read, "{pattern} is printed as {read}");
        }
        assert!(glob("[A-C]x").matches_in_any_case(b"bX"));
        assert!(!glob("[!A-C]x").matches_in_any_case(b"bX"));
        assert_eq!(glob("[cab]").to_string(), "[a-c]");
        assert_eq!(glob("[!ax]").to_string(), "[!ax]");
    }
}
