//! Names that other processes chose, made harmless for a terminal and lossless for JSON.

use std::io::Write;

/// Writes a name for people: control, bidirectional and zero-width characters, and bytes that are
/// not UTF-8, as `\xNN` or `\u{NNNN}`.
pub fn for_terminal(out: &mut Vec<u8>, name: &[u8]) {
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_harmless(c) {
                out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else if (c as u32) < 0x100 {
                let _ = write!(out, "\\x{:02x}", c as u32);
            } else {
                let _ = write!(out, "\\u{{{:04x}}}", c as u32);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The name as text for JSON: exact where it is UTF-8, else each other byte as `\xNN`.
///
/// Such bytes are 0x80 and above, so only a backslash that begins `\x8` to `\xf` or `\x5c` could
/// be taken for an escape; that one is written `\x5c`. Undo: `\xNN` is the byte NN.
pub fn lossless(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' && looks_like_an_escape(rest) {
                text.push_str("\\x5c");
            } else {
                text.push(c);
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        for byte in chunk.invalid() {
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("\\x{byte:02x}"));
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    text
}

fn looks_like_an_escape(bytes: &[u8]) -> bool {
    match bytes {
        [b'\\', b'x', b'5', b'c', ..] => true,
        [b'\\', b'x', high, low, ..] => {
            matches!(high, b'8' | b'9' | b'a'..=b'f') && low.is_ascii_hexdigit()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &[u8]) -> String {
        let mut out = vec![];
        for_terminal(&mut out, name);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_terminal_escape_survives() {
        assert_eq!(shown(b"nginx: worker"), "nginx: worker");
        assert_eq!(shown(b"\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(shown("a\u{202e}b\u{9b}".as_bytes()), "a\\u{202e}b\\x9b");
        assert_eq!(shown(b"caf\xe9"), "caf\\xe9");
        assert_eq!(shown("café".as_bytes()), "café");
    }

    /// What the documentation tells a reader to do.
    fn undone(text: &str) -> Vec<u8> {
        let mut bytes = vec![];
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            if looks_like_an_escape(rest) {
                bytes.push(
                    u8::from_str_radix(std::str::from_utf8(&rest[2..4]).unwrap(), 16).unwrap(),
                );
                rest = &rest[4..];
            } else {
                bytes.push(*first);
                rest = after;
            }
        }
        bytes
    }

    #[test]
    fn json_text_loses_nothing() {
        for name in [
            &b"plain"[..],
            b"a\\x2db",
            b"\xff\\xff",
            b"\\x5c\\x5cxff\xfe",
            b"caf\xe9 \xc3\xa9",
            b"\\",
            b"\\x",
        ] {
            assert_eq!(undone(&lossless(name)), name, "{name:?}");
        }
        assert_eq!(lossless(b"dev-disk\\x2dby"), "dev-disk\\x2dby");
    }

    proptest::proptest! {
        #[test]
        fn any_name_survives(name: Vec<u8>) {
            proptest::prop_assert_eq!(undone(&lossless(&name)), name);
        }
    }
}
