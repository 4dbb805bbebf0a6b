//! Who holds the sockets of a watch, each process named once.

use crate::{
    collect::live::{entry::Entry, refresh::Found},
    model::owner::{Process, Unowned},
    view::escape,
};
use std::collections::HashMap;

/// Who holds a socket, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// A process, by its place in [`Holders`], and how many others.
    By(u32, u16),
    /// Nobody, and why.
    Nobody(Unowned),
    /// Nobody has looked yet.
    NotYet,
}

/// A process as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Its name, safe to print.
    pub command: String,
    /// Its container, safe to print.
    pub container: Option<String>,
}

/// Every process named so far. It stays named when it ends: TIME_WAIT outlives it.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    holders: Vec<Holder>,
    places: HashMap<(u32, Vec<u8>), u32>,
}

impl Holders {
    /// The process at a place.
    pub fn get(&self, place: u32) -> Option<&Holder> {
        self.holders.get(place as usize)
    }

    /// What is known of a socket before anybody has looked.
    pub fn unasked(entry: &Entry) -> Held {
        entry.socket().unowned().map_or(Held::NotYet, Held::Nobody)
    }

    /// What a look-up says of a socket; `None`: it was not asked about it.
    pub fn told(&mut self, entry: &Entry, found: &Found) -> Option<Held> {
        let inode = u64::from(entry.inode?.get());
        let mut holders = found.owners.holders(inode).map(|(process, _)| process);
        if let Some(first) = holders.next() {
            let others = holders.filter(|process| process.pid != first.pid).count();
            let place = self.place(first);
            return Some(Held::By(place, u16::try_from(others).unwrap_or(u16::MAX)));
        }
        let asked = found.asked.as_ref().is_none_or(|asked| asked.contains(&inode));
        found.owners.unmatched().filter(|_| asked).map(Held::Nobody)
    }

    fn place(&mut self, process: &Process) -> u32 {
        let next = u32::try_from(self.holders.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry((process.pid, process.command.clone())).or_insert(next);
        if place == next {
            self.holders.push(Holder {
                pid: process.pid,
                command: printable(&process.command),
                container: process.container.as_deref().map(|name| printable(name.as_bytes())),
            });
        }
        place
    }

    /// Name and pid, to compare by; what is nameless comes last.
    pub fn name(&self, held: Held) -> (bool, &str, u32) {
        let holder = match held {
            Held::By(place, _) => self.get(place),
            _ => None,
        };
        holder.map_or((true, "", 0), |holder| (false, holder.command.as_str(), holder.pid))
    }

    /// `nginx[811]`, `nginx[811]+3`, `(orphan)`, `…` where nobody has looked yet.
    pub fn label(&self, held: Held) -> String {
        match held {
            Held::By(place, others) => match (self.get(place), others) {
                (None, _) => "-".to_owned(),
                (Some(holder), 0) => format!("{}[{}]", holder.command, holder.pid),
                (Some(holder), more) => format!("{}[{}]+{more}", holder.command, holder.pid),
            },
            Held::Nobody(why) => format!("({})", why.name()),
            Held::NotYet => "…".to_owned(),
        }
    }
}

/// A name that somebody else chose, safe to print.
pub fn printable(name: &[u8]) -> String {
    let mut out = vec![];
    escape::for_terminal(&mut out, name);
    String::from_utf8_lossy(&out).into_owned()
}
