//! Sets of port numbers.

use std::ops::RangeInclusive;

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

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        self.words.get(usize::from(port / 64)).is_some_and(|word| word & (1 << (port % 64)) != 0)
    }

    /// How many ports of a range are in it.
    pub fn count_in(&self, range: RangeInclusive<u16>) -> u32 {
        range.filter(|port| self.contains(*port)).fold(0, |sum, _| sum + 1)
    }
}

impl std::fmt::Debug for PortSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
}
