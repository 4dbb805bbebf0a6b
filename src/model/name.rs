//! Names that other processes chose: bytes, hardly ever anything but text.

use serde::{Serialize, Serializer};

/// A name, exactly as it was set.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Vec<u8>);

impl Serialize for Name {
    /// As text that loses nothing, see [`lossless`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&lossless(&self.0))
    }
}

/// A name in a file: text where it is UTF-8, else an array of its bytes.
pub mod exactly {
    use super::Name;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    /// Writes it.
    pub fn serialize<S: Serializer>(name: &Option<Name>, to: S) -> Result<S::Ok, S::Error> {
        let written = name.as_ref().map(|Name(bytes)| match String::from_utf8(bytes.clone()) {
            Ok(text) => Written::Text(text),
            Err(error) => Written::Bytes(error.into_bytes()),
        });
        written.serialize(to)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Name>, D::Error> {
        let written = Option::<Written>::deserialize(from)?;
        Ok(written.map(|written| match written {
            Written::Text(text) => Name(text.into_bytes()),
            Written::Bytes(bytes) => Name(bytes),
        }))
    }
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
