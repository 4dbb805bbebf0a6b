//! What waits for its counterpart: sockets that closed for their announcement, and announcements for
//! the records of the tracepoint. Either is found by what it has in common with the other, however
//! many wait.

use crate::model::endpoint::Endpoint;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    net::IpAddr,
};

/// Both ends: what the tracepoint, the table and the announcements have in common.
pub type Ends = (Endpoint, Endpoint);
/// What an announcement has left after a reset: the own port and the peer's address.
pub type Rest = (u16, IpAddr);
/// Where something stands: what came later stands behind.
pub type Place = u64;

/// What something is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// The cookie, where both would have the same.
    pub cookie: Option<u64>,
    /// Both ends.
    pub ends: Ends,
}

impl Marks {
    const fn rest(&self) -> Rest {
        (self.ends.0.port, self.ends.1.address)
    }
}

/// Things in the order in which they came.
#[derive(Debug)]
pub struct Waiting<T> {
    next: Place,
    items: BTreeMap<Place, (Marks, T)>,
    cookies: HashMap<u64, BTreeSet<Place>>,
    ends: HashMap<Ends, BTreeSet<Place>>,
    rests: HashMap<Rest, BTreeSet<Place>>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self {
            next: 0,
            items: BTreeMap::new(),
            cookies: HashMap::new(),
            ends: HashMap::new(),
            rests: HashMap::new(),
        }
    }
}

impl<T> Waiting<T> {
    /// Adds one behind the others.
    pub fn add(&mut self, marks: Marks, item: T) -> Place {
        let place = self.next;
        self.next += 1;
        if let Some(cookie) = marks.cookie {
            self.cookies.entry(cookie).or_default().insert(place);
        }
        self.ends.entry(marks.ends).or_default().insert(place);
        self.rests.entry(marks.rest()).or_default().insert(place);
        self.items.insert(place, (marks, item));
        place
    }

    /// Takes one out.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        let (marks, item) = self.items.remove(&place)?;
        if let Some(cookie) = marks.cookie {
            forget(&mut self.cookies, &cookie, place);
        }
        forget(&mut self.ends, &marks.ends, place);
        forget(&mut self.rests, &marks.rest(), place);
        Some(item)
    }

    /// One of them.
    pub fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        self.items.get_mut(&place).map(|(_, item)| item)
    }

    /// One of them.
    pub fn get(&self, place: Place) -> Option<&T> {
        self.items.get(&place).map(|(_, item)| item)
    }

    /// Those with this cookie, the oldest first.
    pub fn with_cookie(&self, cookie: u64) -> impl Iterator<Item = (Place, &T)> {
        self.at(self.cookies.get(&cookie))
    }

    /// Those with these ends, the oldest first.
    pub fn with_ends(&self, ends: Ends) -> impl Iterator<Item = (Place, &T)> {
        self.at(self.ends.get(&ends))
    }

    /// Those with this much in common, the oldest first.
    pub fn with_rest(&self, rest: Rest) -> impl Iterator<Item = (Place, &T)> {
        self.at(self.rests.get(&rest))
    }

    fn at<'t>(
        &'t self,
        places: Option<&'t BTreeSet<Place>>,
    ) -> impl Iterator<Item = (Place, &'t T)> {
        places.into_iter().flatten().filter_map(|place| Some((*place, self.get(*place)?)))
    }

    /// All, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &T)> {
        self.items.iter().map(|(place, (_, item))| (*place, item))
    }

    /// All, the oldest first.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.values_mut().map(|(_, item)| item)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

fn forget<K: Eq + Hash>(index: &mut HashMap<K, BTreeSet<Place>>, key: &K, place: Place) {
    if let Some(places) = index.get_mut(key) {
        places.remove(&place);
        if places.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_found_by_each_of_its_marks_until_it_is_taken() {
        let end = |port| Endpoint::new([10, 0, 0, 1].into(), port);
        let marks = |cookie, port| Marks { cookie, ends: (end(port), end(443)) };
        let mut waiting = Waiting::default();
        let first = waiting.add(marks(Some(7), 1000), "first");
        let second = waiting.add(marks(None, 1000), "second");
        let third = waiting.add(marks(None, 1001), "third");
        let found = |waiting: &Waiting<&'static str>| {
            let of: Vec<&str> =
                waiting.with_ends((end(1000), end(443))).map(|(_, item)| *item).collect();
            of.join(" ")
        };
        assert_eq!(waiting.with_cookie(7).map(|(place, _)| place).collect::<Vec<_>>(), [first]);
        assert_eq!(found(&waiting), "first second");
        assert_eq!(waiting.with_rest((1001, [10, 0, 0, 1].into())).count(), 1);
        assert_eq!(waiting.remove(first), Some("first"));
        assert_eq!((waiting.with_cookie(7).count(), found(&waiting)), (0, "second".to_owned()));
        assert_eq!(waiting.remove(first), None);
        waiting.remove(second);
        waiting.remove(third);
        assert!(waiting.is_empty() && waiting.ends.is_empty() && waiting.rests.is_empty());
    }
}
