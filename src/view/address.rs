//! Addresses as text.

use super::fixed::{END, Fixed};
use std::net::{IpAddr, Ipv4Addr};

/// Appends an address without brackets or port.
pub fn write(out: &mut Vec<u8>, address: IpAddr) {
    let mut text = Fixed::<END>::new();
    text.address(address);
    // All of it, of a length known beforehand, and back: cheaper than a copy of unknown length.
    let end = out.len() + text.end();
    match address {
        IpAddr::V4(_) => out.extend_from_slice(&text.head::<16>()),
        IpAddr::V6(_) => out.extend_from_slice(&text.head::<48>()),
    }
    out.truncate(end);
}

/// How many addresses are kept; a power of two.
const KEPT: usize = 64;

/// Texts of addresses seen lately: a server has one, a proxy a dozen, and every row has two. Each has
/// one place it can be in, which the next that belongs there takes from it.
#[derive(Debug)]
pub struct Texts {
    kept: Vec<(IpAddr, Fixed<END>)>,
}

impl Default for Texts {
    fn default() -> Self {
        let wildcard = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut text = Fixed::new();
        text.address(wildcard);
        Self { kept: vec![(wildcard, text); KEPT] }
    }
}

impl Texts {
    /// The text of an address.
    pub fn of(&mut self, address: IpAddr) -> &Fixed<END> {
        let bits = match address {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => {
                let bits = v6.to_bits();
                u64::try_from(bits >> 64 ^ bits & u128::from(u64::MAX)).unwrap_or(0)
            }
        };
        // As the cookies of sockets are spread; the upper bits.
        let place = usize::try_from(bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58).unwrap_or(0);
        let (known, text) = &mut self.kept[place % KEPT];
        if *known != address {
            *known = address;
            text.clear_to_blanks();
            text.address(address);
        }
        text
    }
}
