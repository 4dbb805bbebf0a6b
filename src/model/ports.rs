//! Sets of port numbers.

use std::{fmt, ops::RangeInclusive};

/// Ports from 0 to 65535, as bits.
#[derive(Clone, PartialEq, Eq)]
pub struct PortSet {
    words: Box<[u64; 1024]>,
}

impl PortSet {
    /// No port.
    pub fn empty() -> Self {
        Self { words: Box::new([0; 1024]) }
    }

    /// Reads the form of `ip_local_reserved_ports`: `8080,9148-9150`. `None`: it has not that form.
    pub fn parse(list: &str) -> Option<Self> {
        let mut set = Self::empty();
        for part in list.trim().split(',').filter(|part| !part.is_empty()) {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            set.insert_range(low.trim().parse().ok()?..=high.trim().parse().ok()?);
        }
        Some(set)
    }

    /// Adds a port.
    pub fn insert(&mut self, port: u16) {
        if let Some(word) = self.words.get_mut(usize::from(port / 64)) {
            *word |= 1 << (port % 64);
        }
    }

    /// Adds every port of a range.
    pub fn insert_range(&mut self, range: RangeInclusive<u16>) {
        range.for_each(|port| self.insert(port));
    }

    /// With every port of another.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (word, more) in self.words.iter_mut().zip(other.words.iter()) {
            *word |= more;
        }
        self
    }

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        self.words.get(usize::from(port / 64)).is_some_and(|word| word & (1 << (port % 64)) != 0)
    }

    fn has(&self, port: u32) -> bool {
        u16::try_from(port).is_ok_and(|port| self.contains(port))
    }

    /// How many ports of a range are in it.
    pub fn count_in(&self, range: RangeInclusive<u16>) -> u32 {
        range.filter(|port| self.contains(*port)).fold(0, |sum, _| sum + 1)
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        let mut set = Self::empty();
        for port in ports {
            set.insert(port);
        }
        set
    }
}

/// The form of `ip_local_reserved_ports`, ascending.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut next, mut comma) = (0u32, "");
        while let Some(low) = (next..=65_535).find(|port| self.has(*port)) {
            let high = (low..65_535).find(|port| !self.has(port + 1)).unwrap_or(65_535);
            write!(f, "{comma}{low}")?;
            if high > low {
                write!(f, "-{high}")?;
            }
            (next, comma) = (high + 1, ",");
        }
        Ok(())
    }
}

impl fmt::Debug for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..=u16::MAX).filter(|port| self.contains(*port))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_is_read() {
        let set = PortSet::parse("8080,9148-9150\n").unwrap();
        assert!(set.contains(8080) && set.contains(9149) && !set.contains(9151));
        assert_eq!(set.count_in(0..=u16::MAX), 4);
        assert_eq!(PortSet::parse("\n"), Some(PortSet::empty()));
        assert_eq!(PortSet::parse("80,x"), None);
    }

    #[test]
    fn a_set_is_written_as_the_kernel_reads_it() {
        let written = |list: &str| PortSet::parse(list).unwrap().to_string();
        assert_eq!(written(""), "");
        assert_eq!(written("9,8,10,80"), "8-10,80");
        assert_eq!(written("65535,65534,0"), "0,65534-65535");
        assert_eq!(written("0-65535"), "0-65535");
        let both = PortSet::parse("80").unwrap().with(&PortSet::parse("81").unwrap());
        assert_eq!(both.to_string(), "80-81");
    }
}
