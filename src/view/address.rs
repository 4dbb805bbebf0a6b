//! Addresses as text.

use super::pen::{self, Pen};
use std::net::{IpAddr, Ipv4Addr};

/// Room for the longest address and the longest piece a pen copies.
const ROOM: usize = 64;

/// Appends an address without brackets or port.
pub fn write(out: &mut Vec<u8>, address: IpAddr) {
    pen::append(out, &[b' '; ROOM], 0, |pen| pen.address(address));
}

/// An address as text, with blanks behind it.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    bytes: [u8; ROOM],
    len: usize,
}

impl Text {
    fn of(address: IpAddr) -> Self {
        let mut bytes = [b' '; ROOM];
        let mut pen = Pen::new(&mut bytes);
        pen.address(address);
        let len = pen.end();
        Self { bytes, len }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends the text; behind it stand blanks, up to `COPIED` bytes from its beginning.
    #[inline]
    pub fn put<const COPIED: usize>(&self, pen: &mut Pen<'_>) {
        if let Some(bytes) = self.bytes.first_chunk::<COPIED>() {
            pen.put_part(bytes, self.len);
        }
    }
}

/// How many addresses are kept; a power of two.
const KEPT: usize = 64;

/// Texts of addresses seen lately: a server has one, a proxy a dozen, and every row has two. Each has
/// one place it can be in, which the next that belongs there takes from it.
#[derive(Debug)]
pub struct Texts {
    kept: Vec<(IpAddr, Text)>,
}

impl Default for Texts {
    fn default() -> Self {
        let wildcard = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { kept: vec![(wildcard, Text::of(wildcard)); KEPT] }
    }
}

impl Texts {
    /// The text of an address.
    #[expect(
        clippy::inline_always,
        reason = "a row has two; as a call it takes half as long again"
    )]
    #[inline(always)]
    pub fn of(&mut self, address: IpAddr) -> &Text {
        // As the cookies of sockets are spread; the upper bits.
        let bits = bits(address).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = usize::try_from(bits >> 58).unwrap_or(0);
        let kept = &mut self.kept[place % KEPT];
        if kept.0 != address {
            learn(kept, address);
        }
        &kept.1
    }
}

/// The bits of an address in a word: different mostly where the addresses are.
#[inline]
pub fn bits(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            u64::try_from(bits >> 64 ^ bits & u128::from(u64::MAX)).unwrap_or(0)
        }
    }
}

#[inline(never)]
fn learn(kept: &mut (IpAddr, Text), address: IpAddr) {
    *kept = (address, Text::of(address));
}
