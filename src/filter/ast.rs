//! The tree of a filter: one for both dialects. What prints it, prints our own.

use super::{error::Span, pattern::Pattern};
use crate::{
    field::definition::Field,
    kernel::sock_diag::bytecode::End,
    model::{
        protocol::{Family, Protocol},
        state::{State, StateSet},
    },
};
use std::{
    fmt::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A filter. Equal trees mean the same; where they stood in a text does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All of them; two or more, none of them an `And`.
    And(Vec<Expr>),
    /// Any of them; two or more, none of them an `Or`.
    Or(Vec<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// A test of one thing.
    Test(Test),
}

impl Expr {
    /// All of them.
    pub fn all_of(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::And(parts) => parts,
            other => vec![other],
        });
        single(flat.collect(), Self::And)
    }

    /// Any of them.
    pub fn any_of(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Or(parts) => parts,
            other => vec![other],
        });
        single(flat.collect(), Self::Or)
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Every test in it.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(part) => part.tests(),
            Self::Test(test) => vec![test],
        }
    }
}

fn single(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, Some(last)) => {
            parts.push(last);
            join(parts)
        }
        (_, None) => join(parts),
    }
}

/// A test and where it stands.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is tested.
    pub what: What,
    /// Where.
    pub span: Span,
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

impl Eq for Test {}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The state is one of these.
    State(StateSet),
    /// The protocol is one of these.
    Protocol(Vec<Protocol>),
    /// The address family is this one.
    Family(Family),
    /// The port of an end is one of these. A socket without peer has peer port 0, as in ss.
    Port(End, Ranges),
    /// The address of an end lies in one of these prefixes. Without peer it is the wildcard.
    Address(End, Vec<Prefix>),
    /// An end is one of these, of families that are not of the internet.
    Host(End, Vec<FamilyHost>),
    /// Bound to one of these interfaces.
    Interface(Vec<Interface>),
    /// `mark & mask == value` of one of these (value, mask).
    Mark(Vec<(u32, u32)>),
    /// The kernel chose the local port.
    Autobound,
    /// A number of a column lies in these ranges, in the column's own unit.
    Number(Column, Ranges),
    /// A name of a column has one of these forms.
    Name(Column, Vec<Pattern>),
    /// A column is true, or false.
    Flag(Column, bool),
}

/// A column; equal by id.
#[derive(Clone, Copy)]
pub struct Column(pub &'static Field);

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Column {}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

/// Ranges of numbers, both ends included, in order and apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Puts ranges in order. One that ends before it begins is empty.
    pub fn new(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.retain(|(low, high)| low <= high);
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = vec![];
        for (low, high) in ranges {
            match joined.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => joined.push((low, high)),
            }
        }
        Self(joined)
    }

    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// Whether no number is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u64) -> bool {
        let after = self.0.partition_point(|(low, _)| *low <= number);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, high)| number <= *high)
    }
}

/// A set of addresses by their first bits. The rest is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Every address of either family.
    Any,
    /// Of IPv4; v4-mapped IPv6 addresses too.
    V4(Ipv4Addr, u8),
    /// Of IPv6. One below `::ffff:0:0/96` covers v4-mapped addresses alone.
    V6(Ipv6Addr, u8),
}

impl Prefix {
    /// The first `length` bits of an address.
    pub fn new(address: IpAddr, length: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let length = length.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Self::V4((u32::from(v4) & mask).into(), length)
            }
            IpAddr::V6(v6) => {
                let length = length.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                Self::V6((u128::from(v6) & mask).into(), length)
            }
        }
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |prefix, length| Self::new(prefix, length) == *self;
        match (self, address) {
            (Self::Any, _) => true,
            (Self::V4(_, length), IpAddr::V4(_)) | (Self::V6(_, length), IpAddr::V6(_)) => {
                same(address, *length)
            }
            (Self::V4(_, length), IpAddr::V6(v6)) => {
                v6.to_ipv4_mapped().is_some_and(|v4| same(v4.into(), *length))
            }
            (Self::V6(..), IpAddr::V4(_)) => false,
        }
    }
}

/// An end of a socket that is not of the internet; what is `None` is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FamilyHost {
    /// The name of a unix socket, whatever the case of its letters; without a name it is empty.
    Unix(Pattern),
    /// A packet socket.
    Link {
        /// `ETH_P_*`.
        protocol: Option<u16>,
        /// Interface.
        interface: Option<Interface>,
    },
    /// A netlink socket.
    Netlink {
        /// `NETLINK_*`.
        protocol: Option<u8>,
        /// Port id.
        port: Option<u32>,
    },
    /// A vsock.
    Vsock {
        /// Context id.
        cid: Option<u32>,
        /// Port.
        port: Option<u32>,
    },
}

impl FamilyHost {
    /// Whose end it is.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Unix(_) => Protocol::Unix,
            Self::Link { .. } => Protocol::Packet,
            Self::Netlink { .. } => Protocol::Netlink,
            Self::Vsock { .. } => Protocol::Vsock,
        }
    }
}

impl fmt::Display for FamilyHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_any = |part: Option<String>| part.unwrap_or_else(|| "*".to_owned());
        match self {
            Self::Unix(pattern) => write!(f, "unix:{pattern}"),
            Self::Link { protocol, interface } => {
                let interface = interface.as_ref().map(ToString::to_string);
                write!(f, "link:{}:{}", or_any(protocol.map(|n| n.to_string())), or_any(interface))
            }
            Self::Netlink { protocol, port } => {
                let (protocol, port) =
                    (protocol.map(|n| n.to_string()), port.map(|n| n.to_string()));
                write!(f, "netlink:{}:{}", or_any(protocol), or_any(port))
            }
            Self::Vsock { cid, port } => {
                let (cid, port) = (cid.map(|n| n.to_string()), port.map(|n| n.to_string()));
                write!(f, "vsock:{}:{}", or_any(cid), or_any(port))
            }
        }
    }
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interface {
    /// By number; 0: none.
    Index(u32),
    /// By name.
    Name(Pattern),
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    f.write_str(word)?;
                }
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    part => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::And(parts) => joined(f, parts, " and "),
            Self::Or(parts) => joined(f, parts, " or "),
            Self::Not(part) => match &**part {
                Self::And(_) | Self::Or(_) => write!(f, "not ({part})"),
                part => write!(f, "not {part}"),
            },
            Self::Test(test) => write!(f, "{}", test.what),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: &End| if *end == End::Local { "local" } else { "peer" };
        match self {
            Self::State(states) => write_list(f, "state", &state_words(*states)),
            Self::Protocol(protocols) => write_list(f, "protocol", protocols),
            Self::Family(family) => write!(f, "family = {family}"),
            Self::Port(of, ports) => {
                write_ranges(f, &format!("{}.port", end(of)), ports, u16::MAX.into(), "")
            }
            Self::Address(of, prefixes) => write_list(f, &format!("{}.address", end(of)), prefixes),
            Self::Host(of, hosts) => {
                f.write_str(if *of == End::Local { "src " } else { "dst " })?;
                for (index, host) in hosts.iter().enumerate() {
                    write!(f, "{}{host}", if index > 0 { "," } else { "" })?;
                }
                Ok(())
            }
            Self::Interface(interfaces) => write_list(f, "local.interface", interfaces),
            Self::Mark(marks) => {
                let words: Vec<String> = marks
                    .iter()
                    .map(|(value, mask)| match *mask {
                        u32::MAX => format!("{value:#x}"),
                        mask => format!("{value:#x}/{mask:#x}"),
                    })
                    .collect();
                write_list(f, "mark", &words)
            }
            Self::Autobound => f.write_str("autobound"),
            Self::Number(Column(field), ranges) => {
                let unit = match field.unit {
                    "ms" => "ms",
                    "µs" => "us",
                    _ => "",
                };
                write_ranges(f, field.id, ranges, u64::MAX, unit)
            }
            Self::Name(Column(field), patterns) => write_list(f, field.id, patterns),
            Self::Flag(Column(field), flag) => write!(f, "{} = {flag}", field.id),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_char('*'),
            Self::V4(address, 32) => write!(f, "{address}"),
            Self::V4(address, length) => write!(f, "{address}/{length}"),
            Self::V6(address, 128) => write!(f, "[{address}]"),
            Self::V6(address, length) => write!(f, "[{address}/{length}]"),
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(pattern) => write!(f, "{pattern}"),
        }
    }
}

/// The words for a set of states: all, none, or one for each.
fn state_words(states: StateSet) -> Vec<&'static str> {
    if states == StateSet::ALL {
        return vec!["all"];
    }
    // CLOSED and UNCONNECTED are one number of the kernel.
    let named = State::all().filter(|s| *s != State::Unconnected && states.contains(*s));
    let words: Vec<_> = named.map(State::name).collect();
    if words.is_empty() { vec!["none"] } else { words }
}

fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, of: &[T]) -> fmt::Result {
    write!(f, "{name} {} ", if of.len() == 1 { "=" } else { "in" })?;
    for (index, item) in of.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
    }
    Ok(())
}

fn write_ranges(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    ranges: &Ranges,
    most: u64,
    unit: &str,
) -> fmt::Result {
    match *ranges.0.as_slice() {
        [(low, high)] if low == high => write!(f, "{name} = {low}{unit}"),
        [(low, high)] if high == most => write!(f, "{name} >= {low}{unit}"),
        [(0, high)] => write!(f, "{name} <= {high}{unit}"),
        ref several => {
            let range = |&(low, high): &(u64, u64)| {
                if low == high {
                    format!("{low}{unit}")
                } else {
                    format!("{low}{unit}-{high}{unit}")
                }
            };
            write!(f, "{name} in {}", several.iter().map(range).collect::<Vec<_>>().join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_put_in_order_and_joined() {
        let ranges = Ranges::new(vec![(5, 9), (1, 2), (3, 3), (8, 20), (7, 6)]);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(1, 3), (5, 20)]);
        assert!(ranges.contains(1) && ranges.contains(20));
        assert!(!ranges.contains(0) && !ranges.contains(4) && !ranges.contains(21));
        assert!(Ranges::new(vec![(0, u64::MAX), (3, 4)]).contains(u64::MAX));
    }

    #[test]
    fn a_v4_prefix_covers_mapped_addresses_and_a_mapped_one_covers_nothing_else() {
        let v4 = Prefix::new("10.1.2.3".parse().unwrap(), 8);
        assert_eq!(v4.to_string(), "10.0.0.0/8");
        for (address, inside) in
            [("10.9.9.9", true), ("::ffff:10.1.1.1", true), ("11.0.0.1", false), ("::1", false)]
        {
            assert_eq!(v4.contains(address.parse().unwrap()), inside, "{address}");
        }
        let mapped = Prefix::new("::ffff:10.0.0.0".parse().unwrap(), 104);
        assert!(mapped.contains("::ffff:10.1.1.1".parse().unwrap()));
        assert!(!mapped.contains("10.1.1.1".parse().unwrap()));
        let all = Prefix::new("0.0.0.0".parse().unwrap(), 0);
        assert!(all.contains("1.2.3.4".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
    }
}
