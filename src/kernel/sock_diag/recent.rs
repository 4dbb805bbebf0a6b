//! Which sockets came just now, so that none comes twice.

/// Cookies of the last two datagrams.
#[derive(Debug, Default)]
pub(super) struct Recent {
    before: Cookies,
    now: Cookies,
}

impl Recent {
    /// A new datagram begins.
    pub(super) fn turn(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
    }

    /// Whether it is the first time for this socket; one without a cookie always is.
    pub(super) fn is_new(&mut self, cookie: Option<u64>) -> bool {
        // The kernel counts from 1.
        let Some(cookie) = cookie.filter(|cookie| *cookie != 0) else { return true };
        self.now.insert(cookie) && !self.before.contains(cookie)
    }
}

/// Room for the 260 sockets of a datagram; it grows where one has more.
const ROOM: usize = 512;

/// A set of cookies: a table of open places, each cookie in the first free one after that which its
/// hash names. Every row of a listing asks it twice, and `HashSet` answers four times slower, though
/// with a hash as simple as this (callgrind).
#[derive(Debug, Default)]
struct Cookies {
    /// 0 is free. A power of two of them, of which a quarter at least is.
    places: Vec<u64>,
    taken: usize,
}

impl Cookies {
    fn insert(&mut self, cookie: u64) -> bool {
        if self.taken * 4 >= self.places.len() * 3 {
            self.grow();
        }
        let Some(place) = self.place_of(cookie).and_then(|at| self.places.get_mut(at)) else {
            return true;
        };
        let is_new = *place == 0;
        *place = cookie;
        self.taken += usize::from(is_new);
        is_new
    }

    fn contains(&self, cookie: u64) -> bool {
        self.place_of(cookie).is_some_and(|at| self.places.get(at) == Some(&cookie))
    }

    /// Where the cookie is, or belongs. `None`: there are no places at all.
    fn place_of(&self, cookie: u64) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        // Cookies are numbers the kernel counts up, nothing an attacker chooses: a multiplication
        // spreads them. 2^64 divided by the golden ratio (Knuth, TAOCP 6.4); its upper bits.
        let hash = cookie.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut at = usize::try_from(hash).unwrap_or(0) & mask;
        while self.places.get(at).is_some_and(|place| *place != 0 && *place != cookie) {
            at = (at + 1) & mask;
        }
        Some(at)
    }

    fn grow(&mut self) {
        let larger = vec![0; (self.places.len() * 2).max(ROOM)];
        self.taken = 0;
        for cookie in std::mem::replace(&mut self.places, larger) {
            if cookie != 0 {
                self.insert(cookie);
            }
        }
    }

    fn clear(&mut self) {
        self.places.fill(0);
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn rows_a_shifted_chain_repeats_are_left_out() {
        let mut recent = Recent::default();
        let mut walk = |cookies: &[u64]| {
            recent.turn();
            cookies.iter().filter(|c| recent.is_new(Some(**c))).copied().collect::<Vec<_>>()
        };
        assert_eq!(walk(&[1, 2, 3]), [1, 2, 3]);
        assert_eq!(walk(&[2, 3, 4]), [4], "from one datagram to the next");
        assert_eq!(walk(&[5, 6, 7, 6, 7, 8]), [5, 6, 7, 8], "within a datagram");
        assert_eq!(walk(&[7]), [0u64; 0]);
        assert_eq!(walk(&[1, 5]), [1, 5], "the memory is of two datagrams");
        assert!(recent.is_new(None) && recent.is_new(None), "without an identity");
    }

    proptest::proptest! {
        #[test]
        fn the_set_is_a_set(cookies in proptest::collection::vec(1u64..4000, 0..3000)) {
            let (mut ours, mut theirs) = (Cookies::default(), HashSet::new());
            for cookie in cookies {
                proptest::prop_assert_eq!(ours.contains(cookie), theirs.contains(&cookie));
                // Far apart and with equal lower bits, too.
                for cookie in [cookie, cookie << 40] {
                    proptest::prop_assert_eq!(ours.insert(cookie), theirs.insert(cookie));
                }
            }
        }
    }
}
