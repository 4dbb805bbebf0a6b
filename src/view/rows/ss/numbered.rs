//! What many rows have in common, kept once; each row keeps its number.

/// How many are found again; a power of two.
const LATELY: usize = 64;

/// Things in the order they came. One that was not seen lately is kept once more.
#[derive(Debug)]
pub(super) struct Numbered<K, V> {
    kept: Vec<(K, V)>,
    /// The number of the one that took this place last.
    lately: [u16; LATELY],
}

impl<K, V> Default for Numbered<K, V> {
    fn default() -> Self {
        Self { kept: vec![], lately: [0; LATELY] }
    }
}

impl<K: Copy + PartialEq, V> Numbered<K, V> {
    /// The number of a thing; one that is not kept yet is made. `None`: it cannot be made, or there
    /// is no number left.
    ///
    /// `bits` say in which place it is looked for: the same for the same thing.
    #[inline]
    pub(super) fn number(
        &mut self,
        key: K,
        bits: u64,
        make: impl FnOnce(K) -> Option<V>,
    ) -> Option<u16> {
        // As the cookies of sockets are spread; the upper bits.
        let place = usize::try_from(bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58).unwrap_or(0);
        let number = self.lately[place % LATELY];
        match self.kept.get(usize::from(number)) {
            Some((kept, _)) if *kept == key => Some(number),
            _ => self.keep(key, place, make),
        }
    }

    #[inline(never)]
    fn keep(&mut self, key: K, place: usize, make: impl FnOnce(K) -> Option<V>) -> Option<u16> {
        // The last number is nobody's.
        let number = u16::try_from(self.kept.len()).ok().filter(|number| *number < u16::MAX)?;
        self.kept.push((key, make(key)?));
        self.lately[place % LATELY] = number;
        Some(number)
    }

    /// The thing with this number, and what was made of it.
    #[inline]
    pub(super) fn get(&self, number: u16) -> Option<&(K, V)> {
        self.kept.get(usize::from(number))
    }

    /// Forgets them all.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_of_what_it_was_given_for() {
        let mut numbered = Numbered::<u32, String>::default();
        let given: Vec<(u32, u16)> = (0..70_000u32)
            .map(|n| n % 40_000 / 3)
            .filter_map(|n| {
                let number = numbered.number(n, n.into(), |n| (n != 7).then(|| n.to_string()))?;
                Some((n, number))
            })
            .collect();
        assert!(given.len() > 69_000 && given.iter().all(|(n, _)| *n != 7));
        for (n, number) in given {
            assert_eq!(numbered.get(number), Some(&(n, n.to_string())));
        }
    }

    #[test]
    fn numbers_end_and_begin_anew() {
        let mut numbered = Numbered::<u32, ()>::default();
        let last =
            (0..u32::from(u16::MAX)).filter_map(|n| numbered.number(n, n.into(), |_| Some(())));
        assert_eq!(last.last(), Some(u16::MAX - 1));
        assert_eq!(numbered.number(1 << 20, 1 << 20, |_| Some(())), None);
        numbered.clear();
        assert_eq!(numbered.number(1 << 20, 1 << 20, |_| Some(())), Some(0));
    }
}
