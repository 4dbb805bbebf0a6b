//! Whole objects by the million, the short way.
//!
//! Most of what an object tells is what one before it told: state, user, namespace, cgroup, flags.
//! Such parts are kept with what they were made of, and copied while that is the same; what differs
//! from row to row is gathered in a place of fixed size. They are the objects of `object::whole`,
//! which also writes those that are not as plain as that; the tests compare the two.

use super::object;
use crate::{
    field::row::Row,
    model::{
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        queues::Queues,
        state::State,
    },
    view::{address::Texts, fixed::Fixed},
};

/// Writes whole objects, one for each row.
#[derive(Debug)]
pub(super) struct Whole {
    /// What differs, behind a beginning that stays.
    front: Fixed<FRONT>,
    /// What that beginning is made of, and where it ends.
    head: Option<(Protocol, Family, State)>,
    head_end: usize,
    addresses: Texts,
    /// From the user to the end, where no timer runs.
    tail: Remembered<5>,
    /// From the owners to the end.
    rest: Remembered<4>,
}

/// Room for the head, two ends, queues, inode and cookie: 600 bytes at most, and the longest piece.
const FRONT: usize = 768;

/// Texts of the last rows, with the facts each was made of: the two ends of a connection may take
/// turns.
#[derive(Debug)]
struct Remembered<const FACTS: usize> {
    texts: Vec<([u64; FACTS], Vec<u8>)>,
}

/// How many texts of a kind are worth looking through.
const REMEMBERED: usize = 6;

impl<const FACTS: usize> Remembered<FACTS> {
    fn write(&mut self, out: &mut Vec<u8>, of: [u64; FACTS], make: impl FnOnce(&mut Vec<u8>)) {
        if let Some((_, text)) = self.texts.iter().find(|(known, _)| *known == of) {
            return out.extend_from_slice(text);
        }
        let mut text = vec![];
        make(&mut text);
        out.extend_from_slice(&text);
        self.texts.truncate(REMEMBERED - 1);
        self.texts.insert(0, (of, text));
    }
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            front: Fixed::new(),
            head: None,
            head_end: 0,
            addresses: Texts::default(),
            tail: Remembered { texts: vec![] },
            rest: Remembered { texts: vec![] },
        }
    }
}

impl Whole {
    /// Writes one.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, row: Row<'_>) {
        let s = row.socket;
        let facts = facts(row).filter(|_| s.interface == 0);
        let Some(facts) = facts else { return object::whole(out, row) };
        let kind = (s.protocol, s.family, s.state);
        if self.head != Some(kind) {
            let mut head = vec![];
            object::head(&mut head, s);
            self.front.place(0, &head);
            (self.head, self.head_end) = (Some(kind), self.front.end());
        }
        let front = &mut self.front;
        front.truncate(self.head_end);
        end(front, &s.local, &mut self.addresses);
        match s.peer() {
            Some(peer) => {
                front.put(b",\"interface\":null},\"peer\":");
                end(front, peer, &mut self.addresses);
                front.put(b"}");
            }
            None => front.put(b",\"interface\":null},\"peer\":null"),
        }
        queues(front, s.queues);
        number_or_null(front, s.inode);
        front.put(b",\"cookie\":");
        number_or_null(front, s.cookie);
        out.extend_from_slice(front.text());
        if s.timer.is_none() {
            let [place, cgroup, mark, small] = facts;
            let user = s.uid.map_or(u64::MAX, u64::from);
            self.tail.write(out, [place, cgroup, mark, small, user], |out| {
                object::user(out, row);
                object::timer(out, s);
                object::rest(out, row);
            });
        } else {
            object::user(out, row);
            object::timer(out, s);
            self.rest.write(out, facts, |out| object::rest(out, row));
        }
    }
}

/// What the rest of an object is made of, side by side. `None`: there is more to it, such as holders
/// or measures.
fn facts(row: Row<'_>) -> Option<[u64; 4]> {
    let s = row.socket;
    if s.tcp_info.is_some() || s.memory.is_some() || s.congestion.is_some() || s.drops.is_some() {
        return None;
    }
    if s.details.is_some() || s.family_facts.is_some() || !s.family.is_inet() {
        return None;
    }
    // One byte for each: what is not known is another fact than a zero.
    let flag = |flag: Option<bool>| flag.map_or(2, u8::from);
    let byte = |byte: Option<u8>| byte.map_or(0xffff, u16::from).to_ne_bytes();
    let [[shutdown, told], [tos, asked]] = [byte(s.shutdown), byte(s.tos)];
    let [options, more] = s.sockopt.unwrap_or_default();
    let small = [shutdown, told, tos, asked, options, more, flag(s.v6only), row.unowned()? as u8];
    let marked = s.mark.map_or(u64::from(u32::MAX) + 1, u64::from);
    let known = u64::from(s.sockopt.is_some()) << 63 | u64::from(s.cgroup_id.is_some()) << 62;
    Some([
        s.netns.at() as u64 | known,
        s.cgroup_id.unwrap_or_default(),
        marked,
        u64::from_ne_bytes(small),
    ])
}

/// Address and port, the object left open.
fn end(text: &mut Fixed<FRONT>, end: &Endpoint, addresses: &mut Texts) {
    text.put(b"{\"address\":\"");
    let address = addresses.of(end.address);
    text.put_part(&address.head::<40>(), address.end());
    text.put(b"\",\"port\":");
    text.number(end.port);
}

/// The queues, up to the value of the inode.
fn queues(text: &mut Fixed<FRONT>, queues: Queues) {
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

fn number_or_null(text: &mut Fixed<FRONT>, number: Option<u64>) {
    match number {
        Some(number) => text.number(number),
        None => text.put(b"null"),
    }
}
