//! Text gathered in a place of fixed size: what a row writes by the million.
//!
//! A `Vec` asks at every piece whether it has room, and calls memcpy for a length it does not know.
//! Here a piece is copied whole, in a length the compiler knows, and as much of it is kept as is
//! meant; what does not fit is left out, so the room is chosen for the longest text there can be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Text in a place of so many bytes.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<const ROOM: usize> {
    bytes: [u8; ROOM],
    len: usize,
}

/// Room for the longest end: an IPv6 address in brackets, a colon, a port, and a piece more.
pub const END: usize = 64;

impl<const ROOM: usize> Default for Fixed<ROOM> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROOM: usize> Fixed<ROOM> {
    /// Nothing yet; blanks behind it.
    pub const fn new() -> Self {
        Self { bytes: [b' '; ROOM], len: 0 }
    }

    /// Begins anew, with blanks behind it.
    pub fn clear_to_blanks(&mut self) {
        *self = Self::new();
    }

    /// Goes back to this length.
    pub fn truncate(&mut self, len: usize) {
        self.len = len.min(ROOM);
    }

    /// Takes what stands behind the end into the text, up to this length.
    pub fn extend_to(&mut self, len: usize) {
        self.truncate(len.max(self.len));
    }

    /// Writes text at a place, and ends after it.
    pub fn place(&mut self, start: usize, text: &[u8]) {
        if let Some(place) = self.bytes.get_mut(start..start + text.len()) {
            place.copy_from_slice(text);
            self.len = start + text.len();
        }
    }

    /// How much was written.
    pub fn end(&self) -> usize {
        self.len
    }

    /// What was written.
    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The first bytes, with what stands behind the text.
    pub fn head<const N: usize>(&self) -> [u8; N] {
        self.bytes.first_chunk().copied().unwrap_or([b' '; N])
    }

    /// Appends a piece.
    pub fn put<const N: usize>(&mut self, piece: &[u8; N]) {
        self.put_part(piece, N);
    }

    /// Appends the first bytes of a piece; the others stand behind the end.
    pub fn put_part<const N: usize>(&mut self, piece: &[u8; N], count: usize) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + N) {
            place.copy_from_slice(piece);
            self.len += count;
        }
    }

    /// Appends a number.
    #[inline]
    pub fn number(&mut self, number: impl Into<u64>) {
        let number = number.into();
        match u32::try_from(number) {
            Ok(small @ 0..EIGHT_DIGITS) => {
                let (digits, count) = digits(small);
                self.put_part(&digits, count);
            }
            _ => self.large(number),
        }
    }

    #[inline(never)]
    fn large(&mut self, number: u64) {
        let (rest, last) = (number / u64::from(EIGHT_DIGITS), number % u64::from(EIGHT_DIGITS));
        self.number(rest);
        self.put(&(eight(u32::try_from(last).unwrap_or(0)) | ASCII_ZEROS).to_le_bytes());
    }

    /// Appends an address without brackets: IPv6 as RFC 5952 has it and the standard library writes
    /// it, without its formatting machinery.
    pub fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.v4(v4),
            IpAddr::V6(v6) => self.v6(v6),
        }
    }

    fn v4(&mut self, address: Ipv4Addr) {
        for octet in address.octets() {
            let (digits, count) = &OCTETS[usize::from(octet)];
            self.put_part(digits, *count as usize);
        }
        // Without the last point.
        self.len = self.len.saturating_sub(1);
        if let Some(point) = self.bytes.get_mut(self.len) {
            *point = b' ';
        }
    }

    fn v6(&mut self, address: Ipv6Addr) {
        if let Some(v4) = address.to_ipv4_mapped() {
            self.put(b"::ffff:");
            return self.v4(v4);
        }
        let zeros = longest_zeros(address.segments());
        for (index, segment) in address.segments().into_iter().enumerate() {
            if index == zeros.start && !zeros.is_empty() {
                self.put(b"::");
            } else if !zeros.contains(&index) {
                if index > 0 && index != zeros.end {
                    self.put(b":");
                }
                self.segment(segment);
            }
        }
    }

    fn segment(&mut self, segment: u16) {
        let digit = |shift: u32| b"0123456789abcdef"[usize::from(segment >> shift & 15)];
        let blanks = (segment.leading_zeros() / 4).min(3);
        // The digits from the first that is not zero, the last in any case; blanks behind them.
        let four = u32::from_be_bytes([digit(12), digit(8), digit(4), digit(0)]);
        let shifted =
            u64::from(four) << (32 + 8 * blanks) | 0x2020_2020_2020_2020 >> (32 - 8 * blanks);
        let bytes = shifted.to_be_bytes();
        self.put_part(bytes.first_chunk::<4>().unwrap_or(b"0   "), 4 - blanks as usize);
    }
}

/// 10^8.
const EIGHT_DIGITS: u32 = 100_000_000;
const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;
const BLANKS: u64 = 0x2020_2020_2020_2020;

/// The digits of a number below 10^8, and how many they are; blanks behind them.
#[inline]
pub fn digits(number: u32) -> ([u8; 8], usize) {
    let eight = eight(number);
    // The first digit is the lowest byte. Of zero one digit is left.
    let zeros = (eight.trailing_zeros() / 8).min(7);
    let text = (eight | ASCII_ZEROS) >> (8 * zeros) | BLANKS & !(u64::MAX >> (8 * zeros));
    (text.to_le_bytes(), 8 - zeros as usize)
}

/// Eight digits, each in its byte, the first in the lowest: two halves of four digits are divided by
/// 100 and then four pairs by 10, side by side in one word. A multiplication and a shift divide.
fn eight(number: u32) -> u64 {
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - 10 * tens) << 8
}

/// The longest run of two or more zeros, the first where there are several (RFC 5952 section 4.2).
fn longest_zeros(segments: [u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 8..8;
    let mut start = 0;
    for (index, segment) in segments.into_iter().enumerate() {
        if segment != 0 {
            start = index + 1;
        } else if index + 1 - start > longest.len().max(1) {
            longest = start..index + 1;
        }
    }
    longest
}

/// Every octet in decimal with the point after it, and how many bytes that is.
static OCTETS: [([u8; 4], u32); 256] = {
    let mut octets = [([b'.'; 4], 4); 256];
    let decimal = b"0123456789";
    let mut n = 0;
    while n < octets.len() {
        let digits = [decimal[n / 100], decimal[n / 10 % 10], decimal[n % 10]];
        octets[n] = match n {
            0..10 => ([digits[2], b'.', b' ', b' '], 2),
            10..100 => ([digits[1], digits[2], b'.', b' '], 3),
            _ => ([digits[0], digits[1], digits[2], b'.'], 4),
        };
        n += 1;
    }
    octets
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(address: IpAddr) -> String {
        let mut text = Fixed::<END>::new();
        text.put(b"before ");
        text.address(address);
        let behind = text.bytes.get(text.len..).unwrap();
        assert!(behind.iter().all(|byte| *byte == b' '), "{address}: {behind:?}");
        String::from_utf8(text.text().to_vec()).unwrap().split_off(7)
    }

    proptest! {
        #[test]
        fn addresses_are_written_as_the_standard_library_does(
            v4: u32,
            v6: u128,
            // Runs of zeros, and segments with leading ones.
            sparse in prop::array::uniform8(prop_oneof![3 => Just(0u16), 1 => 0u16..300, 1 => any::<u16>()]),
        ) {
            let mapped = Ipv4Addr::from(v4).to_ipv6_mapped();
            let compatible = Ipv6Addr::from(u128::from(v4));
            for ip in [
                IpAddr::from(v4.to_be_bytes()),
                IpAddr::from(v6.to_be_bytes()),
                IpAddr::from(sparse),
                mapped.into(),
                compatible.into(),
            ] {
                prop_assert_eq!(written(ip), ip.to_string());
            }
        }

        #[test]
        fn numbers_have_their_digits(number: u64, fewer in 0u32..64) {
            for number in [number, number >> fewer, u64::from(fewer)] {
                let mut text = Fixed::<32>::new();
                text.number(number);
                let expected = number.to_string();
                prop_assert_eq!(text.text(), expected.as_bytes());
            }
        }
    }

    #[test]
    fn every_number_of_four_digits_is_right_in_either_half() {
        for number in 0..10_000u32 {
            for number in [number, number * 10_000 + 9_999, 99_990_000 + number] {
                let (digits, count) = digits(number);
                let expected = format!("{:<8}", number.to_string());
                assert_eq!((&digits[..], count), (expected.as_bytes(), number.to_string().len()));
            }
        }
    }

    #[test]
    fn every_octet_is_right() {
        for octet in 0..=255 {
            let ip = IpAddr::from([octet, 255, octet, octet]);
            assert_eq!(written(ip), ip.to_string());
        }
        for ip in ["::", "::1", "fe80::1", "1::", "1:0:0:2::", "1:2:3:4:5:6:7:8"] {
            assert_eq!(written(ip.parse().unwrap()), ip);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut text = Fixed::<4>::new();
        text.put(b"abc");
        text.put(b"de");
        text.put(b"f");
        text.number(7u8);
        assert_eq!(text.text(), b"abcf");
    }
}
