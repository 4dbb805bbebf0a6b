//! Whole objects by the million, the short way.
//!
//! Most of what an object tells is what one before it told: state, user, namespace, cgroup, flags.
//! Such parts are kept with what they were made of, and copied while that is the same; what differs
//! from row to row is written between them, on the page of the output. They are the objects of
//! `object::whole`, which also writes those that are not as plain as that; the tests compare the two.
#![expect(
    clippy::inline_always,
    reason = "a pen that is passed on lives in memory instead of registers"
)]

use super::object;
use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Family, queues::Queues},
    view::{
        address::Texts,
        output::Output,
        pen::{Pen, port_digits},
    },
};
use std::io;

/// Writes whole objects, one for each row.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// What every object begins with, in place of its brace.
    begins: Vec<u8>,
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
    /// The user; where a timer runs, up to its time.
    user: Vec<u8>,
    /// From the owners to the end.
    rest: Vec<u8>,
}

type Facts = [u64; 6];

/// Room for the beginning.
const FRONT: usize = 192;
/// The most that the objects of a kind have in common at the end: a cgroup may have a long path.
const COMMON: usize = 4 * 1024;

/// How many kinds are worth looking through, and how many of them stay where they are.
const REMEMBERED: usize = 8;
const FEW: usize = 4;

/// What stands around the objects of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Among {
    /// Members of an array; this is the first.
    Members { first: bool },
    /// One a line.
    Lines,
}

impl Among {
    fn comma(self) -> usize {
        usize::from(matches!(self, Self::Members { first: false }))
    }

    fn newline(self) -> usize {
        usize::from(matches!(self, Self::Lines))
    }

    /// Writes an object of any form.
    pub(super) fn write(self, out: &mut Vec<u8>, object: impl FnOnce(&mut Vec<u8>)) {
        out.extend(&b","[..self.comma()]);
        object(out);
        out.extend(&b"\n"[..self.newline()]);
    }
}

impl Whole {
    /// Objects that begin with this; nothing: with their brace.
    pub(super) fn new(begins: Vec<u8>) -> Self {
        Self { begins, ..Self::default() }
    }

    /// Writes one.
    pub(super) fn write(
        &mut self,
        output: &mut Output,
        row: Row<'_>,
        among: Among,
    ) -> io::Result<()> {
        let known = facts(row).and_then(|facts| self.kind(facts, row));
        let Some(kind) = known.and_then(|at| self.kinds.get(at)) else {
            let object = |out: &mut Vec<u8>| object::whole(out, row);
            among.write(&mut output.buffer, |out| self.begin(out, object));
            return output.flush_if_full();
        };
        let s = row.socket;
        let addresses = &mut self.addresses;
        output.row(|pen| {
            pen.put_part(b",", among.comma());
            pen.put_part(&kind.front, kind.front_end);
            end(pen, &s.local, addresses);
            match s.peer() {
                Some(peer) => {
                    pen.put(b",\"interface\":null},\"peer\":{\"address\":\"");
                    end(pen, peer, addresses);
                    pen.put(b"}");
                }
                None => pen.put(b",\"interface\":null},\"peer\":null"),
            }
            queues(pen, s.queues);
            number_or_null(pen, s.inode);
            pen.put(b",\"cookie\":");
            number_or_null(pen, s.cookie);
            if let Some(timer) = s.timer {
                pen.text(&kind.user);
                pen.number(timer.expires_ms);
                pen.put(b",\"retransmits\":");
                pen.number(timer.retransmits);
                pen.put(b"},\"age_ms\":");
                number_or_null(pen, s.age_ms().map(u64::from));
            }
            pen.text(&kind.rest);
            pen.put_part(b"\n", among.newline());
        })
    }

    /// Writes an object of any form, which begins as all do.
    pub(super) fn begin(&self, out: &mut Vec<u8>, object: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        object(out);
        if !self.begins.is_empty() {
            out.splice(start..=start, self.begins.iter().copied());
        }
    }

    /// Where the kind of a socket is. `None`: it has more to tell than there is room for.
    #[inline]
    fn kind(&mut self, facts: Facts, row: Row<'_>) -> Option<usize> {
        let is = |kind: &Kind| kind.facts.iter().zip(&facts).fold(0, |d, (a, b)| d | (a ^ b)) == 0;
        match self.kinds.iter().position(is) {
            // Comparing a few more costs less than a place further in front.
            Some(at @ 0..FEW) => Some(at),
            Some(at) => {
                // What comes often comes to the front.
                self.kinds.swap(at, at - 1);
                Some(at - 1)
            }
            None => self.learn(facts, row),
        }
    }

    #[inline(never)]
    fn learn(&mut self, facts: Facts, row: Row<'_>) -> Option<usize> {
        let (mut head, mut user, mut rest) = (self.begins.clone(), vec![], vec![]);
        object::head(&mut head, row.socket);
        if !self.begins.is_empty() {
            head.remove(self.begins.len());
        }
        head.extend(b"{\"address\":\"");
        object::user(&mut user, row);
        if let Some(timer) = row.socket.timer {
            object::timer_begin(&mut user, timer.kind);
        } else {
            rest.append(&mut user);
            object::timer(&mut rest, row.socket);
        }
        object::rest(&mut rest, row);
        if head.len() > FRONT || user.len() + rest.len() > COMMON {
            return None;
        }
        let mut front = [b' '; FRONT];
        let mut pen = Pen::new(&mut front);
        pen.text(&head);
        let front_end = pen.end();
        if self.kinds.len() == REMEMBERED {
            self.kinds.pop();
        }
        self.kinds.push(Kind { facts, front, front_end, user, rest });
        Some(self.kinds.len() - 1)
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
    let timer = s.timer.map_or(0, |timer| timer.kind.number() | 0x80);
    let kind = [s.protocol as u8, s.state.number(), is_v6, timer, 0, 0, 0, 0];
    let known = u64::from(s.sockopt.is_some()) << 63 | u64::from(s.cgroup_id.is_some()) << 62;
    let user = s.uid.map_or(u64::MAX, u64::from);
    Some([
        u64::from_ne_bytes(kind),
        user,
        s.netns.at() as u64 | known,
        s.cgroup_id.unwrap_or_default(),
        s.mark.map_or(u64::from(u32::MAX) + 1, u64::from),
        u64::from_ne_bytes(small),
    ])
}

/// Address and port, from the address on; the object is left open.
#[inline(always)]
fn end(text: &mut Pen<'_>, end: &Endpoint, addresses: &mut Texts) {
    addresses.of(end.address).put::<40>(text);
    text.put(b"\",\"port\":");
    let (digits, count) = port_digits(end.port);
    text.put_part(&digits, count);
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

#[inline(always)]
fn number_or_null(text: &mut Pen<'_>, number: Option<u64>) {
    match number {
        Some(number) => text.number(number),
        None => text.put(b"null"),
    }
}
