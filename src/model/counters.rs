//! Counters of the network stack.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Counters by group and name: `TcpExt.TCPTimeWaitOverflow`, `Tcp.ActiveOpens` (they grow), and
/// gauges of /proc/net/sockstat: `sockstat.TCP.tw`, `sockstat6.TCP6.inuse` (they go up and down).
///
/// A name that is missing is one this kernel does not have, or whose file could not be read.
///
/// Several moments of hundreds of namespaces are held at once, with the same names in each.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Counters {
    names: Arc<Names>,
    values: Vec<u64>,
}

/// Names of counters, ascending, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Box<str>>);

impl Names {
    /// Sorts them.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Where a name is; `Err`: where it would be.
    pub fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| (**known).cmp(name))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Counters {
    /// Values of these names, in their order; of names without a value there is none.
    pub fn of(names: Arc<Names>, values: Vec<u64>) -> Self {
        Self { names, values }
    }

    /// A counter or gauge.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.values.get(self.names.place(name).ok()?).copied()
    }

    /// By how much a counter grew since `earlier`. `None`: it is missing in one of them, or it
    /// went back (another namespace, a reboot).
    pub fn growth(&self, earlier: &Self, name: &str) -> Option<u64> {
        self.get(name)?.checked_sub(earlier.get(name)?)
    }

    /// Each with its name, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names.0.iter().map(|name| &**name).zip(self.values.iter().copied())
    }

    /// Sets one.
    pub fn insert(&mut self, name: &str, value: u64) {
        match self.names.place(name) {
            Ok(place) => {
                if let Some(known) = self.values.get_mut(place) {
                    *known = value;
                }
            }
            Err(place) => {
                Arc::make_mut(&mut self.names).0.insert(place, name.into());
                self.values.insert(place, value);
            }
        }
    }
}

impl<S: AsRef<str>> FromIterator<(S, u64)> for Counters {
    fn from_iter<I: IntoIterator<Item = (S, u64)>>(pairs: I) -> Self {
        let pairs: Vec<(S, u64)> = pairs.into_iter().collect();
        let names = Names::of(pairs.iter().map(|(name, _)| name.as_ref()));
        let mut values = vec![0; names.len()];
        for (name, value) in &pairs {
            if let Some(known) = names.place(name.as_ref()).ok().and_then(|at| values.get_mut(at)) {
                *known = *value;
            }
        }
        Self::of(Arc::new(names), values)
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The form they have in a file: `{"values":{"Tcp.ActiveOpens":7}}`.
#[derive(Serialize, Deserialize)]
struct Written<M> {
    values: M,
}

impl Serialize for Counters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { values: self.iter().collect::<BTreeMap<&str, u64>>() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { values } = Written::<BTreeMap<String, u64>>::deserialize(deserializer)?;
        Ok(values.into_iter().collect())
    }
}

/// The counters at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the first sample of the snapshot, by a clock that does not jump.
    pub at_ms: u64,
    /// The counters.
    pub counters: Counters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_name_and_the_last_value_holds() {
        let mut counters: Counters = [("b", 2), ("a", 1), ("b", 3)].into_iter().collect();
        counters.insert("c", 4);
        counters.insert("a", 5);
        let all: Vec<(&str, u64)> = counters.iter().collect();
        assert_eq!(all, [("a", 5), ("b", 3), ("c", 4)]);
        assert_eq!((counters.get("b"), counters.get("d")), (Some(3), None));
        let text = serde_json::to_string(&counters).unwrap();
        assert_eq!(text, r#"{"values":{"a":5,"b":3,"c":4}}"#);
        assert_eq!(serde_json::from_str::<Counters>(&text).unwrap(), counters);
    }
}
