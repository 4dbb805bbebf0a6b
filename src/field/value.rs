//! A typed value: views format it, sorting and filters compare it, nobody parses it back.

use super::{
    end::{End, Side},
    row::Row,
};
use crate::model::{
    endpoint::Endpoint,
    family::{mptcp::Subflow, packet::Instruction},
    name::Name,
    owner::Process,
    state::State,
};
use std::{cmp::Ordering, net::IpAddr};

/// The value of a column in a row.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// The source did not tell, or the column has no meaning for this socket.
    Absent,
    /// A count of things.
    Count(u64),
    /// Entries of a queue and its limit, where that is known.
    Queue(u64, Option<u64>),
    /// Bytes.
    Bytes(u64),
    /// Milliseconds.
    Milliseconds(u64),
    /// Microseconds.
    Microseconds(u64),
    /// Bytes per second.
    BytesPerSecond(u64),
    /// Yes or no.
    Flag(bool),
    /// A word of sockeye's own or the kernel's.
    Word(&'a str),
    /// A name somebody else chose: any bytes.
    Name(&'a [u8]),
    /// The name of a unix socket; an abstract one begins with a zero byte.
    Path(&'a Name),
    /// A number that is an address: of a virtual machine, of a node.
    Label(u32),
    /// An address.
    Address(IpAddr),
    /// A network: an address, and how many of its bits count.
    Prefix(IpAddr, u8),
    /// One end of a connection, with the interface it is bound to.
    Endpoint(Endpoint, Option<&'a str>),
    /// One end of a socket that is not of the internet.
    End(Row<'a>, Side),
    /// One TCP connection of several.
    Connection(&'a Subflow),
    /// An instruction of classic BPF.
    Instruction(Instruction),
    /// A state.
    State(State),
    /// Several values, such as the processes that share a socket.
    List(List<'a>),
    /// Who holds the socket, or why nobody does.
    Owners(Row<'a>),
    /// Who holds the socket at the other end.
    PeerOwners(Row<'a>),
}

/// Several values, made as they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    row: Row<'a>,
    items: Items,
}

#[derive(Debug, Clone, Copy)]
enum Items {
    /// One of each holder of the socket at one of the ends.
    Holders { at: Side, of: fn((&Process, u32)) -> Value<'_>, distinct: bool },
    /// By index, until there is none.
    Indexed(for<'r> fn(Row<'r>, usize) -> Option<Value<'r>>),
}

impl<'a> List<'a> {
    /// A value of every holder.
    pub fn every(row: Row<'a>, of: fn((&Process, u32)) -> Value<'_>) -> Self {
        Self { row, items: Items::Holders { at: Side::Local, of, distinct: false } }
    }

    /// The values of all holders of the socket at one of the ends, each once.
    pub fn distinct(row: Row<'a>, at: Side, of: fn((&Process, u32)) -> Value<'_>) -> Self {
        Self { row, items: Items::Holders { at, of, distinct: true } }
    }

    /// The values of a row by index, up to the first that is `None`.
    pub fn indexed(row: Row<'a>, of: for<'r> fn(Row<'r>, usize) -> Option<Value<'r>>) -> Self {
        Self { row, items: Items::Indexed(of) }
    }

    /// The values, those that are unknown left out.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        let (holders, indexed) = match self.items {
            Items::Holders { at, of, distinct } => (Some((at, of, distinct)), None),
            Items::Indexed(of) => (None, Some(of)),
        };
        let row = self.row;
        let of_holders = holders.map(|(at, of, distinct)| Self::of_holders(row, at, of, distinct));
        let by_index = indexed.map(|of| (0..).map_while(move |index| of(row, index)));
        of_holders.into_iter().flatten().chain(by_index.into_iter().flatten())
    }

    fn of_holders(
        row: Row<'a>,
        at: Side,
        of: fn((&Process, u32)) -> Value<'_>,
        distinct: bool,
    ) -> impl Iterator<Item = Value<'a>> {
        let holders = move || {
            let (own, others) = match at {
                Side::Local => (Some(row.holders()), None),
                Side::Peer => (None, Some(row.peer_holders())),
            };
            own.into_iter().flatten().chain(others.into_iter().flatten())
        };
        let known = move || holders().map(of).filter(|value| !value.is_absent());
        let is_new = move |index: usize, value: &Value<'_>| {
            known().take(index).all(|earlier| earlier.order(value).is_ne())
        };
        known()
            .enumerate()
            .filter(move |(index, value)| !distinct || is_new(*index, value))
            .map(|(_, value)| value)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.values().next().is_none()
    }
}

impl Value<'_> {
    /// Whether nothing is known.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::List(list) => list.is_empty(),
            _ => false,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Count(_)
            | Self::Queue(..)
            | Self::Bytes(_)
            | Self::Milliseconds(_)
            | Self::Microseconds(_)
            | Self::BytesPerSecond(_)
            | Self::Label(_) => 0,
            Self::Flag(_) => 1,
            Self::Word(_) | Self::Name(_) | Self::Path(_) => 2,
            Self::Address(_) | Self::Prefix(..) => 3,
            Self::Endpoint(..) | Self::Connection(_) => 4,
            Self::End(..) => 9,
            Self::Instruction(_) => 10,
            Self::State(_) => 5,
            Self::List(_) => 6,
            Self::Owners(_) | Self::PeerOwners(_) => 7,
            Self::Absent => u8::MAX,
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Count(n)
            | Self::Queue(n, _)
            | Self::Bytes(n)
            | Self::Milliseconds(n)
            | Self::Microseconds(n)
            | Self::BytesPerSecond(n) => *n,
            Self::Flag(flag) => (*flag).into(),
            Self::Label(n) => (*n).into(),
            _ => 0,
        }
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::Word(word) => word.as_bytes(),
            Self::Name(name) => name,
            Self::Path(name) => &name.0,
            _ => &[],
        }
    }

    /// The order of sorting. What is unknown comes last; states by their kernel number.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => a.cmp(b),
            (Self::Prefix(a, length), Self::Prefix(b, other)) => (a, length).cmp(&(b, other)),
            (Self::Endpoint(a, _), Self::Endpoint(b, _)) => a.cmp(b),
            (Self::End(a, side), Self::End(b, other)) => {
                End::of(*a, *side).cmp(&End::of(*b, *other))
            }
            (Self::Connection(a), Self::Connection(b)) => (a.local, a.peer).cmp(&(b.local, b.peer)),
            (Self::Instruction(a), Self::Instruction(b)) => (a.code, a.k).cmp(&(b.code, b.k)),
            (Self::State(a), Self::State(b)) => a.number().cmp(&b.number()),
            (Self::List(a), Self::List(b)) if a.is_empty() || b.is_empty() => {
                a.is_empty().cmp(&b.is_empty())
            }
            (Self::List(a), Self::List(b)) => {
                let pairs = a.values().zip(b.values());
                let first = pairs.map(|(a, b)| a.order(&b)).find(|o| o.is_ne());
                first.unwrap_or_else(|| a.values().count().cmp(&b.values().count()))
            }
            (Self::Owners(a), Self::Owners(b)) => a.first_pid().cmp(&b.first_pid()),
            _ => self
                .rank()
                .cmp(&other.rank())
                .then_with(|| self.number().cmp(&other.number()))
                .then_with(|| self.text().cmp(other.text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unknown_sorts_last_and_numbers_as_numbers() {
        let mut values = [Value::Absent, Value::Count(10), Value::Count(9), Value::Count(100)];
        values.sort_by(Value::order);
        let shown: Vec<_> = values.iter().map(|v| (v.is_absent(), v.number())).collect();
        assert_eq!(shown, [(false, 9), (false, 10), (false, 100), (true, 0)]);
    }
}
