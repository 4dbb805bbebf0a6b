//! Compact sockets in a row, in about twelve bytes each: what differs from the one before.
//!
//! The kernel's tables are walked in the order of a hash, so ports are random; a state, queues, and
//! mostly an end's address are those of the socket before, inodes and cookies are near.

use super::{
    compact::{Compact, Manner},
    varint,
};
use std::slice;

/// Sockets, to be read again in the order they came.
#[derive(Debug)]
pub struct Packed {
    bytes: Vec<u8>,
    /// Of those whose manner is not that of the one before.
    manners: Vec<Manner>,
    count: usize,
    last: Compact,
}

/// What of a socket is not that of the one before, beside ports and numbers.
const MANNER: u8 = 1;
const LOCAL: u8 = 2;
const REMOTE: u8 = 4;
const EXPIRES: u8 = 8;

impl Default for Packed {
    fn default() -> Self {
        Self { bytes: vec![], manners: vec![], count: 0, last: Compact::NOTHING }
    }
}

impl Packed {
    /// Adds one.
    pub fn push(&mut self, socket: Compact) {
        let last = std::mem::replace(&mut self.last, socket);
        let flag = |differs: bool, flag| if differs { flag } else { 0 };
        let told = flag(socket.manner != last.manner, MANNER)
            | flag(socket.local != last.local, LOCAL)
            | flag(socket.remote != last.remote, REMOTE)
            | flag(socket.expires_ms != last.expires_ms, EXPIRES);
        let out = &mut self.bytes;
        out.push(told);
        if told & MANNER != 0 {
            self.manners.push(socket.manner);
        }
        if told & LOCAL != 0 {
            out.extend(socket.local);
        }
        if told & REMOTE != 0 {
            out.extend(socket.remote);
        }
        if told & EXPIRES != 0 {
            out.extend(socket.expires_ms.to_ne_bytes());
        }
        out.extend(socket.local_port.to_ne_bytes());
        out.extend(socket.remote_port.to_ne_bytes());
        difference(out, last.inode.into(), socket.inode.into());
        difference(out, last.cookie, socket.cookie);
        self.count += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// What they take.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.manners.as_slice())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Compact> {
        let mut last = Compact::NOTHING;
        let mut rest = Reader { bytes: &self.bytes, manners: self.manners.iter() };
        std::iter::from_fn(move || {
            last = rest.socket(&last)?;
            Some(last)
        })
    }
}

/// Appends how far a number is from the one before, the nearer the shorter: its sign is the lowest bit.
fn difference(out: &mut Vec<u8>, from: u64, to: u64) {
    let forward = to.wrapping_sub(from);
    let sign = forward >> 63;
    varint::write(out, forward << 1 ^ 0u64.wrapping_sub(sign));
}

/// What was not read yet.
struct Reader<'p> {
    bytes: &'p [u8],
    manners: slice::Iter<'p, Manner>,
}

impl Reader<'_> {
    fn socket(&mut self, last: &Compact) -> Option<Compact> {
        let [told] = self.array()?;
        let mut socket = *last;
        if told & MANNER != 0 {
            socket.manner = *self.manners.next()?;
        }
        if told & LOCAL != 0 {
            socket.local = self.array()?;
        }
        if told & REMOTE != 0 {
            socket.remote = self.array()?;
        }
        if told & EXPIRES != 0 {
            socket.expires_ms = u32::from_ne_bytes(self.array()?);
        }
        socket.local_port = u16::from_ne_bytes(self.array()?);
        socket.remote_port = u16::from_ne_bytes(self.array()?);
        socket.inode = u32::try_from(self.number(last.inode.into())).ok()?;
        socket.cookie = self.number(last.cookie);
        Some(socket)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*array)
    }

    fn number(&mut self, from: u64) -> u64 {
        let bits = varint::read(&mut self.bytes);
        from.wrapping_add(bits >> 1 ^ 0u64.wrapping_sub(bits & 1))
    }
}
