//! Names that other processes chose, made harmless for a terminal and lossless for JSON.

pub use crate::model::name::lossless;
use std::io::Write;

/// Writes a name for people: control, bidirectional and zero-width characters, and bytes that are
/// not UTF-8, as `\xNN` or `\u{NNNN}`.
pub fn for_terminal(out: &mut Vec<u8>, name: &[u8]) {
    // Most names, and one in every row where owners are shown.
    if name.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return out.extend(name);
    }
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

/// The same, as text.
pub fn shown(name: &[u8]) -> String {
    let mut out = vec![];
    for_terminal(&mut out, name);
    String::from_utf8_lossy(&out).into_owned()
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_terminal_escape_survives() {
        assert_eq!(shown(b"nginx: worker"), "nginx: worker");
        assert_eq!(shown(b"\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(shown("a\u{202e}b\u{9b}".as_bytes()), "a\\u{202e}b\\x9b");
        assert_eq!(shown(b"caf\xe9"), "caf\\xe9");
        assert_eq!(shown("café".as_bytes()), "café");
    }
}
