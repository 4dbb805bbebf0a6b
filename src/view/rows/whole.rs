//! Whole objects by the million, the short way.
//!
//! Most of what an object tells is what one before it told: state, user, namespace, cgroup, flags.
//! Such parts are kept with what they were made of, and copied while that is the same; what differs
//! from row to row is gathered in a place of fixed size. They are the objects of `object::whole`,
//! which also writes those that are not as plain as that; the tests compare the two.

use super::object;
use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Family, queues::Queues},
    view::{
        address::Texts,
        pen::{self, Pen},
    },
};

/// Writes whole objects, one for each row.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Kinds of sockets seen lately: the two ends of a connection may take turns.
    kinds: Vec<Kind>,
    addresses: Texts,
}

/// What objects of a kind have in common.
#[derive(Debug)]
struct Kind {
    /// What it is made of.
    facts: Facts,
    /// The beginning, and where it ends.
    front: [u8; FRONT],
    front_end: usize,
    /// From the user to the end; where a timer runs, from the owners.
    rest: Vec<u8>,
}

type Facts = [u64; 6];

/// Room for the beginning, two ends, queues, inode and cookie: 470 bytes at most, and the longest
/// piece.
const FRONT: usize = 512;

/// How many kinds are worth looking through.
const REMEMBERED: usize = 8;

impl Whole {
    /// Writes one.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, row: Row<'_>) {
        let s = row.socket;
        let Some(facts) = facts(row) else { return object::whole(out, row) };
        let at = self.kind(facts, row);
        let Some(kind) = self.kinds.get(at) else { return object::whole(out, row) };
        let addresses = &mut self.addresses;
        pen::append(out, &kind.front, kind.front_end, |pen| {
            end(pen, &s.local, addresses);
            match s.peer() {
                Some(peer) => {
                    pen.put(b",\"interface\":null},\"peer\":");
                    end(pen, peer, addresses);
                    pen.put(b"}");
                }
                None => pen.put(b",\"interface\":null},\"peer\":null"),
            }
            queues(pen, s.queues);
            number_or_null(pen, s.inode);
            pen.put(b",\"cookie\":");
            number_or_null(pen, s.cookie);
        });
        if s.timer.is_some() {
            object::user(out, row);
            object::timer(out, s);
        }
        out.extend_from_slice(&kind.rest);
    }

    /// Where the kind of a socket is.
    #[inline]
    fn kind(&mut self, facts: Facts, row: Row<'_>) -> usize {
        let is = |kind: &Kind| kind.facts.iter().zip(&facts).fold(0, |d, (a, b)| d | (a ^ b)) == 0;
        match self.kinds.iter().position(is) {
            Some(0) => 0,
            Some(at) => {
                // What comes often comes to the front.
                self.kinds.swap(at, at - 1);
                at - 1
            }
            None => self.learn(facts, row),
        }
    }

    #[inline(never)]
    fn learn(&mut self, facts: Facts, row: Row<'_>) -> usize {
        let (mut head, mut rest) = (vec![], vec![]);
        object::head(&mut head, row.socket);
        if row.socket.timer.is_none() {
            object::user(&mut rest, row);
            object::timer(&mut rest, row.socket);
        }
        object::rest(&mut rest, row);
        let mut front = [b' '; FRONT];
        let mut pen = Pen::new(&mut front);
        pen.text(&head);
        let front_end = pen.end();
        if self.kinds.len() == REMEMBERED {
            self.kinds.pop();
        }
        self.kinds.push(Kind { facts, front, front_end, rest });
        self.kinds.len() - 1
    }
}

/// What an object is made of beside its ends, queues and numbers. `None`: there is more to it, such as
/// holders or measures.
#[inline]
fn facts(row: Row<'_>) -> Option<Facts> {
    let s = row.socket;
    if s.tcp_info.is_some() || s.memory.is_some() || s.congestion.is_some() || s.drops.is_some() {
        return None;
    }
    if s.details.is_some() || s.family_facts.is_some() || !s.family.is_inet() || s.interface != 0 {
        return None;
    }
    // One byte for each: what is not known is another fact than a zero.
    let flag = |flag: Option<bool>| flag.map_or(2, u8::from);
    let byte = |byte: Option<u8>| byte.map_or(0xffff, u16::from).to_ne_bytes();
    let [[shutdown, told], [tos, asked]] = [byte(s.shutdown), byte(s.tos)];
    let [options, more] = s.sockopt.unwrap_or_default();
    let small = [shutdown, told, tos, asked, options, more, flag(s.v6only), row.unowned()? as u8];
    let is_v6 = u8::from(s.family == Family::Ipv6);
    let kind = [s.protocol as u8, s.state.number(), is_v6, u8::from(s.timer.is_some()), 0, 0, 0, 0];
    let known = u64::from(s.sockopt.is_some()) << 63 | u64::from(s.cgroup_id.is_some()) << 62;
    // Where a timer runs the user is written apart.
    let user = s.uid.filter(|_| s.timer.is_none()).map_or(u64::MAX, u64::from);
    Some([
        u64::from_ne_bytes(kind),
        user,
        s.netns.at() as u64 | known,
        s.cgroup_id.unwrap_or_default(),
        s.mark.map_or(u64::from(u32::MAX) + 1, u64::from),
        u64::from_ne_bytes(small),
    ])
}

/// Address and port, the object left open.
#[inline]
fn end(text: &mut Pen<'_>, end: &Endpoint, addresses: &mut Texts) {
    text.put(b"{\"address\":\"");
    addresses.of(end.address).put::<40>(text);
    text.put(b"\",\"port\":");
    text.number(end.port);
}

/// The queues, up to the value of the inode.
#[inline]
fn queues(text: &mut Pen<'_>, queues: Queues) {
    match queues {
        Queues::Data { recv: 0, send: 0 } => {
            text.put(
                b",\"recv_queue_bytes\":0,\"send_queue_bytes\":0\
                ,\"accept_queue\":null,\"accept_queue_limit\":null,\"inode\":",
            );
        }
        Queues::Data { recv, send } => {
            text.put(b",\"recv_queue_bytes\":");
            text.number(recv);
            text.put(b",\"send_queue_bytes\":");
            text.number(send);
            text.put(b",\"accept_queue\":null,\"accept_queue_limit\":null,\"inode\":");
        }
        Queues::Listen { accept_queue, limit } => {
            text.put(b",\"recv_queue_bytes\":null,\"send_queue_bytes\":null,\"accept_queue\":");
            text.number(accept_queue);
            text.put(b",\"accept_queue_limit\":");
            number_or_null(text, limit.map(u64::from));
            text.put(b",\"inode\":");
        }
        Queues::Absent => {
            text.put(
                b",\"recv_queue_bytes\":null,\"send_queue_bytes\":null\
                ,\"accept_queue\":null,\"accept_queue_limit\":null,\"inode\":",
            );
        }
    }
}

#[inline]
fn number_or_null(text: &mut Pen<'_>, number: Option<u64>) {
    match number {
        Some(number) => text.number(number),
        None => text.put(b"null"),
    }
}
