//! The sockets of the first of two looks, while the second is waited for and taken: packed, and found
//! again by what identifies them.

use super::{
    earlier::{Earlier, Flow},
    socket::Socket,
    state::State,
    varint,
};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::BuildHasher,
};

/// The sockets of a first look, as they come.
#[derive(Debug, Default)]
pub struct Packer {
    bytes: Vec<u8>,
    number: usize,
}

/// Every socket of a first look.
#[derive(Debug, Default)]
pub struct FirstLook {
    bytes: Vec<u8>,
    /// Of those that can be told from others.
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

/// A place among the bytes, in forty bits: enough for a terabyte.
#[derive(Debug, Clone, Copy)]
struct Place([u8; 5]);

/// What remains to be said of the first look when its sockets have been found again, or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// TCP sockets by state.
    pub states: BTreeMap<State, usize>,
    /// Ports that somebody listened on.
    pub listening: BTreeSet<u16>,
}

const HAS_COOKIE: u8 = 1;
const HAS_INODE: u8 = 2;
const IS_TCP: u8 = 4;
const LISTENS: u8 = 8;
const HAS_DROPS: u8 = 16;
const HAS_FLOW: u8 = 32;

impl Packer {
    /// One more socket.
    pub fn add(&mut self, earlier: &Earlier) {
        write(&mut self.bytes, earlier);
        self.number += 1;
    }

    /// All have come.
    pub fn finish(self) -> FirstLook {
        let (bytes, hasher) = (self.bytes, DefaultHashBuilder::default());
        let mut places = HashTable::with_capacity(self.number);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let place = Place::of(bytes.len() - rest.len());
            let earlier = read(&mut rest);
            let key = earlier.cookie.or(earlier.inode);
            if key.is_none() {
                continue;
            }
            let is_it = |known: &Place| known.key(&bytes) == key;
            let hash = |known: &Place| hasher.hash_one(known.key(&bytes));
            match places.entry(hasher.hash_one(key), is_it, hash) {
                // It moved in the kernel's table while that was walked, and came twice.
                Entry::Occupied(mut known) => *known.get_mut() = place,
                Entry::Vacant(free) => {
                    free.insert(place);
                }
            }
        }
        FirstLook { bytes, places, hasher }
    }
}

impl FirstLook {
    /// A socket as it was. `None`: it was not there, or nothing tells it from others.
    pub fn find(&self, socket: &Socket) -> Option<Earlier> {
        let key = socket.cookie.or(socket.inode);
        key?;
        let is_it = |known: &Place| known.key(&self.bytes) == key;
        let place = self.places.find(self.hasher.hash_one(key), is_it)?;
        Some(read(&mut place.rest(&self.bytes)))
    }

    /// Each of them, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = Earlier> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || (!rest.is_empty()).then(|| read(&mut rest)))
    }

    /// What of it is asked for without a socket of the second look.
    pub fn summary(&self) -> Before {
        let mut before = Before::default();
        for earlier in self.iter() {
            if earlier.is_tcp {
                *before.states.entry(earlier.state()).or_default() += 1;
            }
            before.listening.extend(earlier.listening_port);
        }
        before
    }
}

impl<'e> FromIterator<&'e Earlier> for FirstLook {
    fn from_iter<I: IntoIterator<Item = &'e Earlier>>(sockets: I) -> Self {
        let mut packer = Packer::default();
        sockets.into_iter().for_each(|earlier| packer.add(earlier));
        packer.finish()
    }
}

impl Place {
    fn of(at: usize) -> Self {
        let bytes = at.to_le_bytes();
        Self(std::array::from_fn(|byte| bytes.get(byte).copied().unwrap_or(0)))
    }

    fn rest(self, bytes: &[u8]) -> &[u8] {
        let at = self.0.iter().rev().fold(0, |at, byte| at << 8 | usize::from(*byte));
        bytes.get(at..).unwrap_or_default()
    }

    /// What tells the socket there from others: its cookie, of /proc its inode.
    fn key(self, bytes: &[u8]) -> Option<u64> {
        let mut rest = self.rest(bytes);
        let told = u8_of(&mut rest);
        // It is what stands first behind them, if there is one.
        (told & (HAS_COOKIE | HAS_INODE) != 0).then(|| {
            rest = rest.get(1..).unwrap_or_default();
            varint::read(&mut rest)
        })
    }
}

fn write(bytes: &mut Vec<u8>, earlier: &Earlier) {
    let Earlier { cookie, inode, is_tcp, state_number, recv, send, listening_port, drops, flow } =
        earlier;
    let flag = |is: bool, flag| if is { flag } else { 0 };
    let told = flag(cookie.is_some(), HAS_COOKIE)
        | flag(inode.is_some(), HAS_INODE)
        | flag(*is_tcp, IS_TCP)
        | flag(listening_port.is_some(), LISTENS)
        | flag(drops.is_some(), HAS_DROPS)
        | flag(flow.is_some(), HAS_FLOW);
    bytes.extend([told, *state_number]);
    let flow = flow.iter().flat_map(Flow::numbers);
    let numbers = cookie.iter().chain(inode).copied().chain([(*recv).into(), (*send).into()]);
    let numbers = numbers.chain(listening_port.map(u64::from)).chain(drops.map(u64::from));
    numbers.chain(flow).for_each(|number| varint::write(bytes, number));
}

fn read(bytes: &mut &[u8]) -> Earlier {
    let (told, state_number) = (u8_of(bytes), u8_of(bytes));
    let is_told = |flag| told & flag != 0;
    let mut number = || varint::read(bytes);
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Earlier {
        cookie: is_told(HAS_COOKIE).then(&mut number),
        inode: is_told(HAS_INODE).then(&mut number),
        is_tcp: is_told(IS_TCP),
        state_number,
        recv: narrow(number()),
        send: narrow(number()),
        listening_port: is_told(LISTENS).then(|| u16::try_from(number()).unwrap_or(u16::MAX)),
        drops: is_told(HAS_DROPS).then(|| narrow(number())),
        flow: is_told(HAS_FLOW).then(|| Flow::of_numbers(std::array::from_fn(|_| number()))),
    }
}

fn u8_of(bytes: &mut &[u8]) -> u8 {
    let (first, rest) = bytes.split_first().map_or((0, *bytes), |(first, rest)| (*first, rest));
    *bytes = rest;
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::protocol::{Family, Protocol};

    fn earlier(cookie: Option<u64>, inode: Option<u64>) -> Earlier {
        Earlier {
            cookie,
            inode,
            is_tcp: true,
            state_number: 1,
            recv: 0,
            send: u32::MAX,
            listening_port: None,
            drops: None,
            flow: None,
        }
    }

    fn of(cookie: Option<u64>, inode: Option<u64>) -> Socket {
        Socket { inode, cookie, ..Socket::new(Protocol::Tcp, Family::Ipv4, State::Established) }
    }

    #[test]
    fn what_was_seen_first_is_found_by_its_cookie_and_from_proc_by_its_inode() {
        let flow = Flow { segments_out: 1 << 40, sndbuf_limited_us: 3, ..Flow::default() };
        let busy = Earlier { flow: Some(flow), drops: Some(7), ..earlier(Some(300), Some(5)) };
        let listener = Earlier {
            listening_port: Some(443),
            state_number: State::Listen.number(),
            ..earlier(None, Some(6))
        };
        let nameless = Earlier { is_tcp: false, ..earlier(None, None) };
        let all = [busy, listener, nameless];
        let first: FirstLook = all.iter().collect();
        assert_eq!(first.find(&of(Some(300), Some(9))), Some(busy));
        assert_eq!(first.find(&of(None, Some(6))), Some(listener));
        assert_eq!(first.find(&of(None, None)), None);
        assert_eq!(first.find(&of(Some(5), None)), None);
        assert_eq!(first.iter().collect::<Vec<_>>(), all);
        let before = first.summary();
        assert_eq!(before.states, [(State::Established, 1), (State::Listen, 1)].into());
        assert_eq!(before.listening, [443].into());
    }

    #[test]
    fn one_that_came_twice_is_as_it_was_last() {
        let once = earlier(Some(1), None);
        let again = Earlier { recv: 9, ..once };
        let first: FirstLook = [&once, &again].into_iter().collect();
        assert_eq!(first.find(&of(Some(1), None)), Some(again));
    }

    #[test]
    fn ten_thousand_are_told_apart() {
        let all: Vec<Earlier> = (1..10_001)
            .map(|cookie| Earlier { recv: cookie, ..earlier(Some(u64::from(cookie) << 7), None) })
            .collect();
        let first: FirstLook = all.iter().collect();
        for one in &all {
            assert_eq!(first.find(&of(one.cookie, None)).as_ref(), Some(one));
        }
    }
}
