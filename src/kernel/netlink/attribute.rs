//! Netlink attributes: type, length, value. Cannot panic, whatever the bytes are.

use crate::kernel::bytes::u16_ne;

/// `struct nlattr`.
const HEADER: usize = 4;
/// Bits 14 and 15 of the type are flags (nested, byte order).
const TYPE_MASK: u16 = 0x3fff;

/// Walks attributes; stops at the first whose length does not fit.
#[derive(Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Starts at the first attribute.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_ne(self.rest, 0)?);
        let kind = u16_ne(self.rest, 2)? & TYPE_MASK;
        let value = self.rest.get(HEADER..length)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// Appends one attribute with its padding.
///
/// # Panics
/// Never for values below 64 KiB; longer ones are cut, which the kernel then refuses.
pub fn push(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
    out.extend(length.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read_back() {
        let mut bytes = vec![];
        push(&mut bytes, 8, &[3]);
        push(&mut bytes, 4, b"cubic\0");
        let read: Vec<_> = Attributes::new(&bytes).collect();
        assert_eq!(read, [(8, &[3][..]), (4, &b"cubic\0"[..])]);
    }

    #[test]
    fn lies_and_truncations_end_the_walk() {
        let mut bytes = vec![];
        push(&mut bytes, 8, &[3]);
        push(&mut bytes, 4, b"cubic\0");
        for cut in 0..bytes.len() {
            assert!(Attributes::new(&bytes[..cut]).count() <= 2);
        }
        for length in [0u16, 3, 200, u16::MAX] {
            bytes[8..10].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(Attributes::new(&bytes).count(), 1, "{length}");
        }
    }
}
