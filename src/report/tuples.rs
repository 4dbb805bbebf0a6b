//! TCP sockets by the addresses they have in common, in little room: of a server's million connections
//! each has a tuple of its own.

use super::time_wait::listeners::canonical;
use crate::model::{endpoint::Endpoint, outline::Outline};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use std::{hash::BuildHasher, net::IpAddr, ops::Range};

/// Local address and peer, IPv4-mapped addresses as IPv4: what `connect(2)` finds a port for.
pub type Tuple = (IpAddr, Endpoint);

/// The tuple of a connection.
pub fn tuple(socket: &Outline) -> Tuple {
    (socket.local.address.to_canonical(), canonical(socket.remote))
}

/// Sockets by their tuples.
pub struct Tuples<'s> {
    /// Tuple by tuple, within each in the order they came.
    sockets: Vec<&'s Outline>,
    groups: Vec<Range<u32>>,
}

impl<'s> Tuples<'s> {
    /// Sorts connections.
    pub fn of(sockets: impl Iterator<Item = &'s Outline>) -> Self {
        let (mut came, mut group_of) = (vec![], vec![]);
        // Of each group its first socket, and how many it has.
        let mut groups: Vec<(&Outline, u32)> = vec![];
        let (mut places, hasher) = (HashTable::new(), DefaultHashBuilder::default());
        let mut last: Option<(Tuple, u32)> = None;
        for socket in sockets {
            let key = tuple(socket);
            let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let place = match last {
                // Mostly connections to one end follow each other.
                Some((met, place)) if met == key => place,
                _ => {
                    let at = |place: &u32| groups.get(*place as usize).map(|group| tuple(group.0));
                    let is_it = |place: &u32| at(place) == Some(key);
                    let hash = |place: &u32| hasher.hash_one(at(place));
                    match places.entry(hasher.hash_one(Some(key)), is_it, hash) {
                        Entry::Occupied(known) => *known.get(),
                        Entry::Vacant(free) => {
                            free.insert(next);
                            next
                        }
                    }
                }
            };
            last = Some((key, place));
            match groups.get_mut(place as usize) {
                Some((_, number)) => *number += 1,
                None => groups.push((socket, 1)),
            }
            came.push(socket);
            group_of.push(place);
        }
        Self::placed(&came, &group_of, groups.iter().map(|(_, number)| *number))
    }

    /// Puts each socket into its group; the groups have so many.
    fn placed(came: &[&'s Outline], group_of: &[u32], numbers: impl Iterator<Item = u32>) -> Self {
        let mut sockets = came.to_vec();
        let mut end = 0;
        let mut groups: Vec<Range<u32>> = numbers
            .map(|number| {
                let start = end;
                end += number;
                start..start
            })
            .collect();
        for (socket, place) in came.iter().zip(group_of) {
            let Some(group) = groups.get_mut(*place as usize) else { continue };
            if let Some(free) = sockets.get_mut(group.end as usize) {
                *free = socket;
            }
            group.end += 1;
        }
        Self { sockets, groups }
    }

    /// The same, tuple by tuple in their order.
    #[must_use]
    pub fn in_order(self) -> Self {
        let Self { sockets, mut groups } = self;
        groups.sort_unstable_by_key(|group| sockets.get(group.start as usize).map(|s| tuple(s)));
        Self { sockets, groups }
    }

    /// All of them, tuple by tuple.
    pub fn sockets(&self) -> impl Iterator<Item = &'s Outline> {
        let group = |group: &Range<u32>| self.sockets.get(group.start as usize..group.end as usize);
        self.groups.iter().filter_map(group).flatten().copied()
    }

    /// Every tuple with its sockets.
    pub fn iter(&self) -> impl Iterator<Item = (Tuple, &[&'s Outline])> + Clone {
        self.groups.iter().filter_map(|group| {
            let sockets = self.sockets.get(group.start as usize..group.end as usize)?;
            Some((tuple(sockets.first()?), sockets))
        })
    }

    /// The sockets of one tuple: looks at all tuples.
    pub fn get(&self, wanted: Tuple) -> &[&'s Outline] {
        self.iter().find(|(tuple, _)| *tuple == wanted).map_or(&[], |(_, sockets)| sockets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        protocol::{Family, Protocol},
        socket::Socket,
        state::State,
    };

    fn end(text: &str) -> Endpoint {
        let end: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(end.ip(), end.port())
    }

    fn connection(local: &str, remote: &str) -> Outline {
        Outline::of(&Socket {
            local: end(local),
            remote: end(remote),
            ..Socket::new(Protocol::Tcp, Family::Ipv4, State::Established)
        })
    }

    #[test]
    fn sockets_of_one_tuple_stand_together_as_they_came() {
        let sockets = [
            connection("10.0.0.1:1", "10.0.0.9:443"),
            connection("10.0.0.1:443", "10.0.0.2:7"),
            connection("10.0.0.1:2", "10.0.0.9:443"),
            connection("10.0.0.1:3", "10.0.0.9:80"),
            connection("[::ffff:10.0.0.1]:4", "[::ffff:10.0.0.9]:443"),
        ];
        let tuples = Tuples::of(sockets.iter()).in_order();
        let ports = |sockets: &[&Outline]| sockets.iter().map(|s| s.local.port).collect::<Vec<_>>();
        let found: Vec<_> =
            tuples.iter().map(|((_, peer), sockets)| (peer, ports(sockets))).collect();
        assert_eq!(
            found,
            [
                (end("10.0.0.2:7"), vec![443]),
                (end("10.0.0.9:80"), vec![3]),
                (end("10.0.0.9:443"), vec![1, 2, 4]),
            ]
        );
        assert_eq!(ports(tuples.get(tuple(&sockets[3]))), [3]);
        assert!(tuples.get(tuple(&connection("10.0.0.1:1", "10.0.0.1:1"))).is_empty());
        assert_eq!(Tuples::of(std::iter::empty()).iter().count(), 0);
    }
}
