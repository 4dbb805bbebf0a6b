//! Bytes as JSON text, exactly.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// A name of any bytes: a string where it is UTF-8, else an array of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a>(pub Cow<'a, [u8]>);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_seq(self.0.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Name<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor).map(|bytes| Self(Cow::Owned(bytes)))
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        Ok(text.as_bytes().to_vec())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Vec<u8>, A::Error> {
        let mut name = vec![];
        while let Some(byte) = bytes.next_element()? {
            name.push(byte);
        }
        Ok(name)
    }
}

/// Bytes as hexadecimal digits, two each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hex<'a>(pub Cow<'a, [u8]>);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |nibble: u8| char::from(if nibble < 10 { b'0' } else { b'a' - 10 } + nibble);
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in self.0.iter() {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 15));
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hex<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let wanted = || D::Error::custom("expected an even number of hexadecimal digits");
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
        let mut bytes = Vec::with_capacity(text.len() / 2);
        for pair in text.as_bytes().chunks(2) {
            let [high, low] = pair else { return Err(wanted()) };
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                return Err(wanted());
            };
            bytes.push(high << 4 | low);
        }
        Ok(Self(Cow::Owned(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_reads_well_and_other_bytes_are_not_lost() {
        for (bytes, json) in [
            (&b"nginx"[..], "\"nginx\""),
            (b"a\"\x1b", "\"a\\\"\\u001b\""),
            (b"caf\xe9", "[99,97,102,233]"),
            (b"", "\"\""),
        ] {
            let name = Name(Cow::Borrowed(bytes));
            assert_eq!(serde_json::to_string(&name).unwrap(), json);
            assert_eq!(serde_json::from_str::<Name<'_>>(json).unwrap(), name);
        }
    }

    #[test]
    fn hex_is_read_strictly() {
        let all: Vec<u8> = (0..=255).collect();
        let json = serde_json::to_string(&Hex(Cow::Borrowed(&all))).unwrap();
        assert!(json.starts_with("\"000102") && json.ends_with("feff\""));
        assert_eq!(serde_json::from_str::<Hex<'_>>(&json).unwrap().0, all);
        for wrong in ["\"0\"", "\"0g\"", "\"é\"", "7"] {
            assert!(serde_json::from_str::<Hex<'_>>(wrong).is_err(), "{wrong}");
        }
    }
}
