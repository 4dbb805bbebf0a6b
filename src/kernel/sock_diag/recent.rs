//! Which sockets came just now, so that none comes twice.

/// Cookies of this datagram and the one before, and of some before that: what comes again comes
/// shortly after it came first, and what is remembered longer does no harm, since a socket comes once.
#[derive(Debug, Default)]
pub(super) struct Recent {
    cookies: Cookies,
    /// Those of this datagram, and of the one before.
    now: Vec<u64>,
    before: Vec<u64>,
}

/// Cookies beyond which all but those of two datagrams are forgotten. The table stays in the first
/// cache of a processor.
const MANY: usize = 1024;

impl Recent {
    /// A new datagram begins.
    pub(super) fn turn(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        if self.cookies.taken > MANY {
            self.cookies.clear();
            for cookie in &self.before {
                self.cookies.insert(*cookie);
            }
        }
    }

    /// Whether it is the first time for this socket; one without a cookie always is.
    #[inline]
    pub(super) fn is_new(&mut self, cookie: Option<u64>) -> bool {
        // The kernel counts from 1.
        let Some(cookie) = cookie.filter(|cookie| *cookie != 0) else { return true };
        self.now.push(cookie);
        self.cookies.insert(cookie)
    }
}

/// Room for the sockets of several datagrams of 260 each; it grows where one has more.
const ROOM: usize = 2048;

/// A set of cookies: a table of open places, each cookie in the first free one after that which its
/// hash names. Every row of a listing asks it, and `HashSet` answers four times slower, though with a
/// hash as simple as this (callgrind).
#[derive(Debug, Default)]
struct Cookies {
    /// 0 is free. A power of two of them, of which a quarter at least is.
    places: Vec<u64>,
    taken: usize,
}

impl Cookies {
    #[inline]
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

    /// Where the cookie is, or belongs. `None`: there are no places at all.
    #[inline]
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

    #[inline(never)]
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
        assert!(recent.is_new(None) && recent.is_new(None), "without an identity");
    }

    #[test]
    fn two_datagrams_are_remembered_and_memory_stays_small() {
        let mut recent = Recent::default();
        for datagram in 0..1000u64 {
            recent.turn();
            let cookies = datagram * 300 + 1..=datagram * 300 + 300;
            assert!(cookies.clone().all(|cookie| recent.is_new(Some(cookie))));
            let before = cookies.map(|cookie| cookie.saturating_sub(300)).filter(|c| *c > 0);
            assert!(before.clone().all(|cookie| !recent.is_new(Some(cookie))), "{datagram}");
        }
        assert!(recent.cookies.places.len() <= 2 * ROOM);
    }

    proptest::proptest! {
        #[test]
        fn the_set_is_a_set(cookies in proptest::collection::vec(1u64..4000, 0..3000)) {
            let (mut ours, mut theirs) = (Cookies::default(), HashSet::new());
            for cookie in cookies {
                // Far apart and with equal lower bits, too.
                for cookie in [cookie, cookie << 40] {
                    proptest::prop_assert_eq!(ours.insert(cookie), theirs.insert(cookie));
                }
            }
        }
    }
}
