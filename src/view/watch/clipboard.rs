//! Text for the terminal's clipboard, by OSC 52: it works over ssh, where the terminal allows it.

/// Bytes at most: terminals cut or refuse longer ones.
const LONGEST: usize = 64 * 1024;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The escape sequence that puts a text there. `None`: it is too long.
pub fn sequence(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let mut out = b"\x1b]52;c;".to_vec();
    base64(&mut out, text.as_bytes());
    out.push(b'\x07');
    Some(out)
}

/// RFC 4648 section 4.
fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            let filled = place <= chunk.len();
            out.push(DIGITS.get(digit).copied().filter(|_| filled).unwrap_or(b'='));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_as_the_rfc_has_it() {
        let shown = |text| String::from_utf8(sequence(text).unwrap()).unwrap();
        assert_eq!(shown("f"), "\x1b]52;c;Zg==\x07");
        assert_eq!(shown("fo"), "\x1b]52;c;Zm8=\x07");
        assert_eq!(shown("foo"), "\x1b]52;c;Zm9v\x07");
        assert_eq!(shown("foobar"), "\x1b]52;c;Zm9vYmFy\x07");
        assert_eq!(shown(""), "\x1b]52;c;\x07");
        assert_eq!(sequence(&"x".repeat(70_000)), None);
    }
}
