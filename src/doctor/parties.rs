//! Who a process is, or as much as is known of it, and sockets sorted by who holds them.

use crate::model::{
    name::{Name, lossless},
    outline::Outline,
    owner::{Owners, Process},
};
use hashbrown::HashMap;
use serde::Serialize;

/// A process, or what is known where no process can be named.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Party {
    /// Process id. `None`: it is not known, because nobody looked, or because it may not be seen.
    pub pid: Option<u32>,
    /// Its name.
    pub command: Option<Name>,
    /// systemd unit.
    pub unit: Option<String>,
    /// Container.
    pub container: Option<String>,
    /// The user who made its sockets, where no process is known.
    pub uid: Option<u32>,
}

impl Party {
    /// A process that is known.
    pub fn of(process: &Process) -> Self {
        Self {
            pid: Some(process.pid),
            command: Some(Name(process.command.clone())),
            unit: process.unit.clone(),
            container: process.container.clone(),
            uid: None,
        }
    }

    /// `nginx[811]`, or what stands for it.
    pub fn text(&self) -> String {
        match (self.pid, self.uid) {
            (Some(pid), _) => format!("{}[{pid}]", self.name()),
            (None, Some(uid)) => format!("a process of user {uid}"),
            (None, None) => "a process that is not known".to_owned(),
        }
    }

    /// Its name alone.
    pub fn name(&self) -> String {
        self.command.as_ref().map_or_else(|| "?".to_owned(), |name| lossless(&name.0))
    }

    /// The bytes of its name; empty: it is not known.
    pub fn command(&self) -> &[u8] {
        self.command.as_ref().map_or(&[], |name| name.0.as_slice())
    }
}

/// Who holds a socket: each process once, lowest id first. One that is not known has the user.
pub fn holders(owners: &Owners, socket: &Outline) -> Vec<Party> {
    let mut parties: Vec<Party> = socket
        .inode()
        .into_iter()
        .flat_map(|inode| owners.holders(inode))
        .map(|(process, _)| Party::of(process))
        .collect();
    parties.sort();
    parties.dedup();
    if parties.is_empty() {
        parties.push(Party { uid: socket.uid(), ..Party::default() });
    }
    parties
}

/// The lowest id of the processes that hold a socket.
fn first_holder(owners: &Owners, socket: &Outline) -> Option<u32> {
    let holders = socket.inode().into_iter().flat_map(|inode| owners.holders(inode));
    holders.map(|(process, _)| process.pid).min()
}

/// Sockets by their holder, the largest group first. One that several processes share counts for
/// the first of them: it is one socket.
pub fn by_holder<'s>(
    owners: &Owners,
    sockets: impl IntoIterator<Item = &'s Outline>,
) -> Vec<(Party, Vec<&'s Outline>)> {
    // A process is one party, whatever is known of it; making one of each socket takes longer.
    let mut groups: HashMap<(Option<u32>, Option<u32>), Vec<&Outline>> = HashMap::new();
    for socket in sockets {
        let pid = first_holder(owners, socket);
        let uid = socket.uid().filter(|_| pid.is_none());
        groups.entry((pid, uid)).or_default().push(socket);
    }
    let party = |sockets: Vec<&'s Outline>| {
        let first = sockets.first()?;
        Some((holders(owners, first).into_iter().next().unwrap_or_default(), sockets))
    };
    let mut groups: Vec<_> = groups.into_values().filter_map(party).collect();
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    groups.sort_by_key(|(_, sockets)| std::cmp::Reverse(sockets.len()));
    groups
}
