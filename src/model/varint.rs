//! Numbers in as few bytes as they need, seven bits to a byte, the lowest first (LEB128): most of what
//! is counted of sockets is small, and there are many of them.

/// Appends a number.
pub(super) fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Takes a number off the front. 0 where nothing is left: what was written is read.
pub(super) fn read(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    number
}

/// Passes over so many numbers.
pub(super) fn skip(bytes: &mut &[u8], numbers: u32) {
    for _ in 0..numbers {
        let length =
            bytes.iter().position(|byte| byte & 0x80 == 0).map_or(bytes.len(), |at| at + 1);
        *bytes = bytes.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_read_as_it_was_written_and_passed_over() {
        let numbers = [0, 1, 0x7f, 0x80, 300, 1 << 14, u64::from(u32::MAX), 1 << 63, u64::MAX];
        let mut bytes = vec![];
        for number in numbers {
            write(&mut bytes, number);
        }
        for (at, number) in (0..).zip(numbers) {
            let mut rest = bytes.as_slice();
            skip(&mut rest, at);
            assert_eq!(read(&mut rest), number);
        }
        assert_eq!((bytes.len(), read(&mut &[][..])), (1 + 1 + 1 + 2 + 2 + 3 + 5 + 10 + 10, 0));
    }
}
