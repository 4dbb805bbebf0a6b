//! Structs of the kernel that are kept as they were sent, and read by offset.
//!
//! Newer kernels append fields: one exists if the struct is long enough.

/// Where a field lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One byte.
    U8(usize),
    /// The low four bits of a byte.
    LowNibble(usize),
    /// The high four bits of a byte.
    HighNibble(usize),
    /// The first bit-field of a byte, one bit.
    Bit0(usize),
    /// The second bit-field of a byte, two bits after one.
    Bits12(usize),
    /// Two bytes, native order.
    U16(usize),
    /// Four bytes, native order.
    U32(usize),
    /// Eight bytes, native order.
    U64(usize),
}

impl Place {
    /// Reads the field; `None` where the struct ends before it.
    #[inline]
    pub fn read(self, bytes: &[u8]) -> Option<u64> {
        let byte = |at: usize| bytes.get(at).copied();
        Some(match self {
            Self::U8(at) => byte(at)?.into(),
            Self::LowNibble(at) => nibbles(byte(at)?).0.into(),
            Self::HighNibble(at) => nibbles(byte(at)?).1.into(),
            Self::Bit0(at) => first_bit(byte(at)?).into(),
            Self::Bits12(at) => next_two_bits(byte(at)?).into(),
            Self::U16(at) => u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?).into(),
            Self::U32(at) => u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?).into(),
            Self::U64(at) => u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?),
        })
    }
}

/// The first bit-field of one bit: it lies like the nibbles.
const fn first_bit(byte: u8) -> u8 {
    if cfg!(target_endian = "little") { byte & 1 } else { byte >> 7 }
}

/// The bit-field of two bits behind it.
const fn next_two_bits(byte: u8) -> u8 {
    if cfg!(target_endian = "little") { byte >> 1 & 3 } else { byte >> 5 & 3 }
}

/// (first bit-field, second bit-field): the first lies low on little-endian, high on big-endian.
const fn nibbles(byte: u8) -> (u8, u8) {
    if cfg!(target_endian = "little") { (byte & 15, byte >> 4) } else { (byte >> 4, byte & 15) }
}
