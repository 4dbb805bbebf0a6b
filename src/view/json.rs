//! JSON, written straight into a buffer: rows come by the million, and serde_json takes three
//! times as long for them (measured). Reports are serialised by serde_json.

use super::escape;
use std::{io::Write, net::IpAddr};

/// Writes a string (RFC 8259 section 7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
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
pub fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a number, or `null` where it is unknown.
pub fn number_or_null(out: &mut Vec<u8>, value: Option<impl itoa::Integer>) {
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

/// Writes an address without quotes, as text has it.
pub fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            number(out, a);
            for octet in [b, c, d] {
                out.push(b'.');
                number(out, octet);
            }
        }
        IpAddr::V6(v6) => {
            let _ = write!(out, "{v6}");
        }
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

        #[test]
        fn addresses_are_written_as_the_standard_library_does(v4: u32, v6: u128) {
            for ip in [IpAddr::from(v4.to_be_bytes()), IpAddr::from(v6.to_be_bytes())] {
                let mut out = vec![];
                address(&mut out, ip);
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), ip.to_string());
            }
        }
    }
}
