//! Sets of port numbers.

use std::{fmt, ops::RangeInclusive};

/// Ports from 0 to 65535, as bits.
#[derive(Clone, PartialEq, Eq)]
pub struct PortSet {
    words: Box<[u64; 1024]>,
}

impl Default for PortSet {
    fn default() -> Self {
        Self::empty()
    }
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
        for (word, mask) in self.words.iter_mut().zip(masks(range)) {
            *word |= mask;
        }
    }

    /// The ports that are even, or those that are odd.
    pub fn of_parity(odd: bool) -> Self {
        let ports = if odd { 0xaaaa_aaaa_aaaa_aaaa } else { 0x5555_5555_5555_5555 };
        Self { words: Box::new([ports; 1024]) }
    }

    /// How many ports are in it.
    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether no port is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// With every port of another.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (word, more) in self.words.iter_mut().zip(other.words.iter()) {
            *word |= more;
        }
        self
    }

    /// Without any port of another.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        for (word, taken) in self.words.iter_mut().zip(other.words.iter()) {
            *word &= !taken;
        }
        self
    }

    /// How many ports it has in common with another.
    pub fn count_with(&self, other: &Self) -> u32 {
        self.words.iter().zip(other.words.iter()).map(|(a, b)| (a & b).count_ones()).sum()
    }

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        self.words.get(usize::from(port / 64)).is_some_and(|word| word & (1 << (port % 64)) != 0)
    }

    /// The first port from here on that is in it, or that is not.
    fn next(&self, from: u32, is_in: bool) -> Option<u32> {
        let words = self.words.iter().map(|word| if is_in { *word } else { !word });
        // Word by word, as `masks`.
        let mut below = u64::MAX << (from % 64);
        for (first, word) in (0..).step_by(64).zip(words).skip((from / 64) as usize) {
            let bits = word & std::mem::replace(&mut below, u64::MAX);
            if bits != 0 {
                return Some(first + bits.trailing_zeros());
            }
        }
        None
    }

    /// How many ports of a range are in it.
    pub fn count_in(&self, range: RangeInclusive<u16>) -> u32 {
        self.words.iter().zip(masks(range)).map(|(word, mask)| (word & mask).count_ones()).sum()
    }
}

/// The bits of a range, word by word: of 65536 ports one by one is what a report of many namespaces
/// spends its time on.
fn masks(range: RangeInclusive<u16>) -> impl Iterator<Item = u64> {
    let (low, high) = (u32::from(*range.start()), u32::from(*range.end()));
    let is_empty = range.is_empty();
    (0..1024u32).map(move |at| {
        let first = at * 64;
        if is_empty || high < first || low > first + 63 {
            return 0;
        }
        let below = low.saturating_sub(first);
        let above = (first + 63).saturating_sub(high);
        (u64::MAX << below) & (u64::MAX >> above)
    })
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
        while let Some(low) = self.next(next, true) {
            let high = self.next(low, false).unwrap_or(65_536) - 1;
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
    fn sets_are_counted_as_their_ports_are() {
        let ports: Vec<u16> = (0..=u16::MAX).filter(|port| port % 7 == 3).collect();
        let set: PortSet = ports.iter().copied().collect();
        for range in [0..=u16::MAX, 0..=0, 63..=64, 64..=127, 32_768..=60_999, 65_535..=65_535] {
            let counted = ports.iter().filter(|port| range.contains(port)).count();
            assert_eq!(set.count_in(range.clone()) as usize, counted, "{range:?}");
            let mut own = PortSet::empty();
            own.insert_range(range.clone());
            assert_eq!(own.len() as usize, range.clone().count(), "{range:?}");
            assert_eq!(own.count_with(&set) as usize, counted, "{range:?}");
            let rest = own.clone().without(&set);
            assert_eq!(rest.len() as usize, range.clone().count() - counted, "{range:?}");
            let odd = range.clone().filter(|port| port % 2 == 1).count();
            assert_eq!(own.count_with(&PortSet::of_parity(true)) as usize, odd, "{range:?}");
        }
        #[expect(clippy::reversed_empty_ranges, reason = "a setting may hold it")]
        let none = 9..=8;
        assert_eq!(set.count_in(none), 0);
        assert!(PortSet::empty().is_empty() && !set.is_empty());
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
