//! JSON, written straight into a buffer: rows come by the million, and serde_json takes three
//! times as long for them (measured). Reports are serialised by serde_json.

use super::escape;
use std::io::Write;

/// Writes a word of sockeye's own, which needs no escape.
pub fn word(out: &mut Vec<u8>, word: &'static str) {
    out.push(b'"');
    out.extend(word.as_bytes());
    out.push(b'"');
}

/// Which bytes a string holds as they are. A table: names are in every row.
static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// Writes a string (RFC 8259 section 7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if PLAIN[usize::from(*byte)] {
            continue;
        }
        out.extend(bytes.get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.extend(bytes.get(clean..).unwrap_or_default());
    out.push(b'"');
}

/// Writes a name of any bytes as a string, losslessly.
pub fn name(out: &mut Vec<u8>, name: &[u8]) {
    string(out, &escape::lossless(name));
}

/// Writes a number.
pub fn number(out: &mut Vec<u8>, number: impl Into<u64>) {
    let number = number.into();
    match u8::try_from(number) {
        // Empty queues and short counts: most numbers of a listing.
        Ok(digit @ 0..10) => out.push(b'0' + digit),
        _ => out.extend(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Writes a number, or `null` where it is unknown.
pub fn number_or_null(out: &mut Vec<u8>, value: Option<impl Into<u64>>) {
    match value {
        Some(value) => number(out, value),
        None => out.extend(b"null"),
    }
}

/// Writes a string, or `null` where it is unknown.
pub fn string_or_null(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => string(out, value),
        None => out.extend(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn strings_read_back_as_they_were(text: String) {
            let mut out = vec![];
            string(&mut out, &text);
            let read: String = serde_json::from_slice(&out).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }
}
