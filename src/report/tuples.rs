//! TCP sockets by the addresses they have in common, in little room: of a server's million connections
//! each has a tuple of its own.

use crate::model::{endpoint::Endpoint, outline::Outline, protocol::Protocol};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::{hash::BuildHasher, net::IpAddr};

/// Local address and peer, IPv4-mapped addresses as IPv4: what `connect(2)` finds a port for.
pub type Tuple = (IpAddr, Endpoint);

/// The tuple of a connection.
pub fn tuple(socket: &Outline) -> Tuple {
    (socket.local.address.to_canonical(), socket.remote.canonical())
}

/// Connections by their tuples.
pub struct Tuples<'s> {
    /// Tuple by tuple, within each in the order they came.
    sockets: Vec<&'s Outline>,
    /// Where the next tuple begins.
    ends: Vec<u32>,
}

impl<'s> Tuples<'s> {
    /// Sorts the TCP connections among sockets.
    pub fn of(sockets: &'s [Outline]) -> Self {
        let is_connection = |s: &&Outline| s.protocol == Protocol::Tcp && s.peer().is_some();
        let connections = || sockets.iter().filter(is_connection);
        let (places, numbers) = places(connections(), sockets.len());
        // Each begins where the ones before it end, and its end moves on as it is filled.
        let begin = numbers.iter().scan(0, |end, number| {
            let begin = *end;
            *end += number;
            Some(begin)
        });
        let mut ends: Vec<u32> = begin.collect();
        let mut sorted: Vec<&Outline> = connections().take(1).collect();
        if let Some(first) = sorted.first().copied() {
            sorted.resize(places.len(), first);
        }
        for (socket, place) in connections().zip(places) {
            let Some(end) = ends.get_mut(place as usize) else { continue };
            if let Some(free) = sorted.get_mut(*end as usize) {
                *free = socket;
            }
            *end += 1;
        }
        Self { sockets: sorted, ends }
    }

    /// How many tuples there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every tuple with its connections.
    pub fn iter(&self) -> impl Iterator<Item = (Tuple, &[&'s Outline])> + Clone {
        (0..self.len()).filter_map(|place| self.at(place))
    }

    /// One of them, by its place among the others.
    pub fn at(&self, place: usize) -> Option<(Tuple, &[&'s Outline])> {
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let begin = before.copied().unwrap_or(0);
        let sockets = self.sockets.get(begin as usize..*self.ends.get(place)? as usize)?;
        Some((tuple(sockets.first()?), sockets))
    }

    /// The connections of one tuple: looks at all tuples.
    pub fn get(&self, wanted: Tuple) -> &[&'s Outline] {
        self.iter().find(|(tuple, _)| *tuple == wanted).map_or(&[], |(_, sockets)| sockets)
    }
}

/// The place of each connection's tuple, and how many connections each tuple has. Of connections there
/// are at most so many.
fn places<'s>(connections: impl Iterator<Item = &'s Outline>, most: usize) -> (Vec<u32>, Vec<u32>) {
    let (mut places, mut numbers) = (Vec::with_capacity(most), vec![]);
    let mut firsts: Vec<&Outline> = vec![];
    let (mut known, hasher) = (HashTable::new(), DefaultHashBuilder::default());
    let mut last: Option<(Tuple, u32)> = None;
    for socket in connections {
        let key = tuple(socket);
        let of = |place: &u32| firsts.get(*place as usize).map(|first| tuple(first));
        let place = match last {
            // Mostly connections to one end follow each other.
            Some((met, place)) if met == key => place,
            _ => {
                let hash = |place: &u32| hasher.hash_one(of(place));
                let is_it = |place: &u32| of(place) == Some(key);
                // There are not so many sockets.
                let next = u32::try_from(firsts.len()).unwrap_or(u32::MAX);
                *known.entry(hasher.hash_one(Some(key)), is_it, hash).or_insert(next).get()
            }
        };
        last = Some((key, place));
        places.push(place);
        if let Some(number) = numbers.get_mut(place as usize) {
            *number += 1;
        } else {
            firsts.push(socket);
            numbers.push(1);
        }
    }
    (places, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{protocol::Family, socket::Socket, state::State};

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
        let tuples = Tuples::of(&sockets);
        let ports = |sockets: &[&Outline]| sockets.iter().map(|s| s.local.port).collect::<Vec<_>>();
        let found: Vec<_> =
            tuples.iter().map(|((_, peer), sockets)| (peer, ports(sockets))).collect();
        assert_eq!(
            found,
            [
                (end("10.0.0.9:443"), vec![1, 2, 4]),
                (end("10.0.0.2:7"), vec![443]),
                (end("10.0.0.9:80"), vec![3]),
            ]
        );
        assert_eq!(ports(tuples.get(tuple(&sockets[3]))), [3]);
        assert!(tuples.get(tuple(&connection("10.0.0.1:1", "10.0.0.1:1"))).is_empty());
        assert_eq!(Tuples::of(&[]).len(), 0);
    }
}
