//! Text written in a place of fixed size: what rows write by the million.
//!
//! A `Vec` asks at every piece whether it has room, keeps its length in memory, and calls memcpy for a
//! length it does not know. A pen copies a piece whole, in a length the compiler knows, and goes on
//! behind as much of it as is meant; what does not fit is left out, so the place is chosen for the
//! longest text there can be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Writes pieces one behind the other.
#[derive(Debug)]
pub struct Pen<'p> {
    place: &'p mut [u8],
    at: usize,
}

/// Appends what `write` writes into a copy of `template`, from `start` on. Written where it stays: a
/// copy of what was just written waits until it has left the processor's store buffer.
#[inline]
pub fn append<const ROOM: usize>(
    out: &mut Vec<u8>,
    template: &[u8; ROOM],
    start: usize,
    write: impl FnOnce(&mut Pen<'_>),
) {
    let begin = out.len();
    out.extend_from_slice(template);
    let mut pen = Pen { place: out.get_mut(begin..).unwrap_or_default(), at: start };
    write(&mut pen);
    let end = pen.at;
    out.truncate(begin + end);
}

impl<'p> Pen<'p> {
    /// Writes at the beginning of a place.
    pub fn new(place: &'p mut [u8]) -> Self {
        Self { place, at: 0 }
    }

    /// How much was written.
    #[inline]
    pub fn end(&self) -> usize {
        self.at
    }

    /// Takes what stands behind the end into the text, up to this length.
    #[inline]
    pub fn go_to(&mut self, end: usize) {
        self.at = end.clamp(self.at, self.place.len());
    }

    /// Appends a piece.
    #[inline]
    pub fn put<const N: usize>(&mut self, piece: &[u8; N]) {
        self.put_part(piece, N);
    }

    /// Appends the first bytes of a piece; the others stand behind the end.
    #[inline]
    pub fn put_part<const N: usize>(&mut self, piece: &[u8; N], count: usize) {
        if let Some(place) = self.place.get_mut(self.at..self.at + N) {
            // One copy of more than 128 bytes would be a call of memcpy.
            let half = if N > 128 { N / 2 } else { 0 };
            let ((to, more), (from, rest)) = (place.split_at_mut(half), piece.split_at(half));
            to.copy_from_slice(from);
            more.copy_from_slice(rest);
            self.at += count;
        }
    }

    /// Appends the first bytes of a piece with blanks in place of the others, behind the end.
    #[inline]
    pub fn put_padded(&mut self, piece: &[u8; 16], count: usize) {
        let meant = MEANT.get(count).copied().unwrap_or(u128::MAX);
        let blanks = u128::from_ne_bytes([b' '; 16]);
        let padded = u128::from_le_bytes(*piece) & meant | blanks & !meant;
        self.put_part(&padded.to_le_bytes(), count);
    }

    /// Appends text of any length.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        if let Some(place) = self.place.get_mut(self.at..self.at + text.len()) {
            place.copy_from_slice(text);
            self.at += text.len();
        }
    }

    /// Appends a number.
    #[inline]
    pub fn number(&mut self, number: impl Into<u64>) {
        let number = number.into();
        match u32::try_from(number) {
            Ok(small @ 0..EIGHT_DIGITS) => self.small(small),
            _ => self.large(number),
        }
    }

    #[inline]
    fn small(&mut self, number: u32) {
        let (digits, count) = digits(number);
        self.put_part(&digits, count);
    }

    /// An inode is that large when a host has been up for a while.
    #[inline(never)]
    fn large(&mut self, number: u64) {
        let (rest, last) = (number / u64::from(EIGHT_DIGITS), number % u64::from(EIGHT_DIGITS));
        match u32::try_from(rest) {
            Ok(digit @ 0..10) => self.put(&[b'0' | digit.to_le_bytes()[0]]),
            Ok(small @ 10..EIGHT_DIGITS) => self.small(small),
            _ => self.large(rest),
        }
        self.put(&(eight(u32::try_from(last).unwrap_or(0)) | ASCII_ZEROS).to_le_bytes());
    }

    /// Appends an address without brackets: IPv6 as RFC 5952 has it and the standard library writes
    /// it, without its formatting machinery. Behind it stands what was there, or blanks.
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
        self.at = self.at.saturating_sub(1);
        if let Some(point) = self.place.get_mut(self.at) {
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

/// 10^8: numbers below it have their digits in one word.
pub const EIGHT_DIGITS: u32 = 100_000_000;
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

/// The digits of a port, and how many they are; blanks behind them. As [`digits`] for half as many:
/// every row has two of them.
#[inline]
pub fn port_digits(port: u16) -> ([u8; 8], usize) {
    let port = u32::from(port);
    let (first, rest) = (port / 10_000, port % 10_000);
    let hundreds = (rest * 10_486) >> 20;
    let pairs = hundreds | (rest - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f;
    let four = tens | (pairs - 10 * tens) << 8;
    let five = u64::from(first) | u64::from(four) << 8;
    let zeros = (five.trailing_zeros() / 8).min(4);
    let text = (five | 0x2020_2030_3030_3030) >> (8 * zeros) | BLANKS & !(u64::MAX >> (8 * zeros));
    (text.to_le_bytes(), 5 - zeros as usize)
}

/// How many digits a port has.
#[inline]
pub fn port_length(port: u16) -> usize {
    [9, 99, 999, 9999].into_iter().fold(1, |length, last| length + usize::from(port > last))
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

/// The first so many of sixteen bytes.
static MEANT: [u128; 16] = {
    let mut meant = [0; 16];
    let mut count = 1;
    while count < meant.len() {
        meant[count] = meant[count - 1] << 8 | 0xff;
        count += 1;
    }
    meant
};

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
        let mut place = [b' '; 64];
        let mut pen = Pen::new(&mut place);
        pen.put(b"before ");
        pen.address(address);
        let end = pen.end();
        let (text, behind) = place.split_at(end);
        assert!(behind.iter().all(|byte| *byte == b' '), "{address}: {behind:?}");
        String::from_utf8(text.to_vec()).unwrap().split_off(7)
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
                let mut text = b"before ".to_vec();
                append(&mut text, &[0; 32], 0, |pen| pen.number(number));
                prop_assert_eq!(String::from_utf8(text).unwrap(), format!("before {number}"));
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
    fn what_is_left_out_of_a_piece_is_blank() {
        for count in 0..=16 {
            let mut text = vec![];
            append(&mut text, &[b'.'; 20], 1, |pen| {
                pen.put_padded(b"0123456789abcdef", count);
                pen.go_to(20);
            });
            let expected = format!(".{:<16}...", &"0123456789abcdef"[..count]);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn every_port_is_right() {
        for port in 0..=u16::MAX {
            let (text, count) = port_digits(port);
            assert_eq!(&text[..count], port.to_string().as_bytes());
            assert_eq!(port_length(port), count);
            assert!(text[count..].iter().all(|byte| *byte == b' '));
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
        let mut text = vec![];
        append(&mut text, b"....", 0, |pen| {
            pen.put(b"abc");
            pen.put(b"de");
            pen.text(b"fg");
            pen.put(b"f");
            pen.number(7u8);
            pen.go_to(9);
        });
        assert_eq!(text, b"abcf");
    }
}
