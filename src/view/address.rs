//! Addresses as text: two in every row, so they are made on the stack and appended at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest, `ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`, and room to write whole octets.
const LONGEST: usize = 48;

/// Appends an address without brackets or port: IPv6 as RFC 5952 has it and the standard library
/// writes it, without its formatting machinery.
pub fn write(out: &mut Vec<u8>, address: IpAddr) {
    let mut text = Text { bytes: [0; LONGEST], len: 0 };
    match address {
        IpAddr::V4(v4) => text.v4(v4),
        IpAddr::V6(v6) => text.v6(v6),
    }
    // All of it, of a length known beforehand, and back: cheaper than a copy of unknown length.
    let end = out.len() + text.len;
    match address {
        IpAddr::V4(_) => out.extend_from_slice(text.bytes.first_chunk::<16>().unwrap_or(&[0; 16])),
        IpAddr::V6(_) => out.extend_from_slice(&text.bytes),
    }
    out.truncate(end);
}

struct Text {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Text {
    /// Writes four bytes, of which `count` are meant.
    fn put(&mut self, four: [u8; 4], count: usize) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + 4) {
            room.copy_from_slice(&four);
            self.len += count;
        }
    }

    fn v4(&mut self, address: Ipv4Addr) {
        for octet in address.octets() {
            let (digits, count) = OCTETS[usize::from(octet)];
            self.put(digits, count + 1);
        }
        self.len -= 1;
    }

    fn v6(&mut self, address: Ipv6Addr) {
        if let Some(v4) = address.to_ipv4_mapped() {
            self.put(*b"::ff", 4);
            self.put(*b"ff:\0", 3);
            return self.v4(v4);
        }
        let zeros = longest_zeros(address.segments());
        for (index, segment) in address.segments().into_iter().enumerate() {
            if index == zeros.start && !zeros.is_empty() {
                self.put(*b"::\0\0", 2);
            } else if !zeros.contains(&index) {
                if index > 0 && index != zeros.end {
                    self.put(*b":\0\0\0", 1);
                }
                self.segment(segment);
            }
        }
    }

    fn segment(&mut self, segment: u16) {
        let digit = |shift: u32| b"0123456789abcdef"[usize::from(segment >> shift & 15)];
        let blanks = (segment.leading_zeros() / 4).min(3);
        // The digits from the first that is not zero, the last in any case.
        let four = u32::from_be_bytes([digit(12), digit(8), digit(4), digit(0)]) << (8 * blanks);
        self.put(four.to_be_bytes(), 4 - blanks as usize);
    }
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

/// Every octet in decimal with the point after it, and how many digits it has.
static OCTETS: [([u8; 4], usize); 256] = {
    let mut octets = [([b'.'; 4], 0); 256];
    let decimal = b"0123456789";
    let mut n = 0;
    while n < octets.len() {
        let digits = [decimal[n / 100], decimal[n / 10 % 10], decimal[n % 10]];
        octets[n] = match n {
            0..10 => ([digits[2], b'.', 0, 0], 1),
            10..100 => ([digits[1], digits[2], b'.', 0], 2),
            _ => ([digits[0], digits[1], digits[2], b'.'], 3),
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
        let mut out = b"before ".to_vec();
        write(&mut out, address);
        String::from_utf8(out).unwrap().split_off(7)
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
}
