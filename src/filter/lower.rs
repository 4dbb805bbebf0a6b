//! The part of a filter that the kernel can do, as states and bytecode.
//!
//! The kernel's part may select too much and never too little: the rest is done here, on the rows
//! it sends. So a test the kernel cannot make becomes "yes" where more rows are the safe side, and
//! "no" under a `not`, where fewer are.

mod condition;

use super::ast::{Expr, Interface, Prefix, Ranges, Test, What};
use crate::{
    kernel::sock_diag::bytecode::{self, End, Program},
    model::{
        protocol::{Family, Protocol},
        state::{State, StateSet},
    },
};
use condition::Condition;
use std::net::IpAddr;

/// The dump a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its family; `None`: both.
    pub family: Option<Family>,
    /// The states it walks for.
    pub states: StateSet,
}

/// What the running kernel is known to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Any bytecode at all.
    pub bytecode: bool,
    /// Instructions newer than the first: equal ports (4.19), devices (4.9), cgroups (5.10), marks.
    pub newer: bool,
    /// Marks, which only CAP_NET_ADMIN may ask for.
    pub marks: bool,
}

impl Abilities {
    /// Everything: what is tried first.
    pub const ALL: Self = Self { bytecode: true, newer: true, marks: true };
}

/// Numbers of names, as this machine has them now.
pub trait Numbers {
    /// The index of an interface.
    fn interface(&self, name: &str) -> Option<u32>;
    /// The id of a cgroup.
    fn cgroup(&self, path: &str) -> Option<u64>;
}

/// The kernel's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every socket of the target.
    Everything,
    /// No socket of the target can match: it need not be asked for.
    Nothing,
    /// Those the program takes.
    Program(Program),
}

/// A filter, lowered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// The kernel's part.
    pub selection: Selection,
    /// Whether it selects exactly what the filter does, and not more.
    pub exact: bool,
}

/// Lowers a filter for one dump.
pub fn lower(expr: &Expr, target: Target, abilities: Abilities, numbers: &dyn Numbers) -> Lowered {
    let mut lowering = Lowering { target, abilities, numbers, coarse: false, exact: true };
    let mut condition = lowering.condition(expr, true);
    if !abilities.bytecode && !matches!(condition, Condition::Constant(_)) {
        return Lowered { selection: Selection::Everything, exact: false };
    }
    for coarse in [false, true] {
        if coarse {
            // Longer than a jump can reach: long lists become the range they span.
            lowering.coarse = true;
            condition = lowering.condition(expr, true);
        }
        match condition {
            Condition::Constant(true) => {
                return Lowered { selection: Selection::Everything, exact: lowering.exact };
            }
            Condition::Constant(false) => {
                return Lowered { selection: Selection::Nothing, exact: lowering.exact };
            }
            _ => {}
        }
        if let Some(program) = condition.assembled() {
            return Lowered { selection: Selection::Program(program), exact: lowering.exact };
        }
    }
    let selection = condition.shortened().map_or(Selection::Everything, Selection::Program);
    Lowered { selection, exact: false }
}

/// The states a filter can match among `all`, and those it matches whatever else a socket is.
pub fn states(expr: &Expr, protocol: Protocol, all: StateSet) -> (StateSet, StateSet) {
    match expr {
        Expr::And(parts) => parts.iter().fold((all, all), |(may, must), part| {
            let (a, b) = states(part, protocol, all);
            (may.intersection(a), must.intersection(b))
        }),
        Expr::Or(parts) => {
            parts.iter().fold((StateSet::NONE, StateSet::NONE), |(may, must), part| {
                let (a, b) = states(part, protocol, all);
                (may.with(a), must.with(b))
            })
        }
        Expr::Not(part) => {
            let (may, must) = states(part, protocol, all);
            (all.without(must), all.without(may))
        }
        Expr::Test(Test { what, .. }) => match what {
            What::State(states) => {
                let named = all.intersection(*states);
                (named, named)
            }
            What::Protocol(protocols) if protocols.contains(&protocol) => (all, all),
            What::Protocol(_) => (StateSet::NONE, StateSet::NONE),
            What::Family(family) => match protocol.family() {
                Some(own) if own == *family => (all, all),
                // Of the internet one protocol has sockets of both families.
                None if family.is_inet() => (all, StateSet::NONE),
                _ => (StateSet::NONE, StateSet::NONE),
            },
            What::Host(_, hosts) if hosts.iter().all(|host| host.protocol() != protocol) => {
                (StateSet::NONE, StateSet::NONE)
            }
            what => (implied(what).map_or(all, |s| all.intersection(s)), StateSet::NONE),
        },
    }
}

/// The states in which a test can hold, where it is about something only they have.
pub fn implied(what: &What) -> Option<StateSet> {
    let of = |wanted: &dyn Fn(State) -> bool| {
        State::all().filter(|s| wanted(*s)).fold(StateSet::NONE, |sum, s| sum.with(StateSet::of(s)))
    };
    match what {
        What::State(states) => Some(*states),
        What::Number(column, ranges) => match column.0.id {
            "age" => Some(StateSet::of(State::TimeWait)),
            "accept_queue" | "accept_queue_limit" => Some(StateSet::of(State::Listen)),
            "state_number" => Some(of(&|state| ranges.contains(state.number().into()))),
            _ => None,
        },
        // TIME_WAIT, and the FIN_WAIT_2 whose process has closed it.
        What::Name(column, patterns) if column.0.id == "timer" => {
            let only = patterns.iter().all(|p| p.literal().as_deref() == Some("time-wait"));
            only.then(|| of(&|state| matches!(state, State::TimeWait | State::FinWait2)))
        }
        _ => None,
    }
}

/// Most items of a list that is tried from end to end.
const SHORT_LIST: usize = 4;
/// Most items of a list that is kept whole when a program is too long.
const LONG_LIST: usize = 64;

struct Lowering<'a> {
    target: Target,
    abilities: Abilities,
    numbers: &'a dyn Numbers,
    /// Whether long lists are widened.
    coarse: bool,
    exact: bool,
}

impl Lowering<'_> {
    /// What the kernel can test of `expr`. With `over` it holds of every socket of which `expr`
    /// holds or may hold; without, only of those of which `expr` holds.
    fn condition(&mut self, expr: &Expr, over: bool) -> Condition {
        match expr {
            Expr::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.condition(p, over)).collect();
                Condition::joined(parts.into_iter(), false)
            }
            Expr::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.condition(p, over)).collect();
                Condition::joined(parts.into_iter(), true)
            }
            Expr::Not(part) => self.condition(part, !over).opposite(),
            Expr::Test(Test { what, .. }) => self.test(what, over),
        }
    }

    /// What cannot be told: the safe side.
    fn unsure(&mut self, over: bool) -> Condition {
        self.exact = false;
        Condition::Constant(over)
    }

    fn test(&mut self, what: &What, over: bool) -> Condition {
        let target = self.target;
        match what {
            What::State(states) if states.includes(target.states) => Condition::Constant(true),
            What::State(states) if states.intersection(target.states).is_empty() => {
                Condition::Constant(false)
            }
            What::Protocol(protocols) => Condition::Constant(protocols.contains(&target.protocol)),
            What::Family(family) => match target.family {
                Some(asked) => Condition::Constant(asked == *family),
                None => self.unsure(over),
            },
            What::Port(end, ports) => self.ports(*end, ports, over),
            What::Address(end, prefixes) => {
                if self.coarse && prefixes.len() > LONG_LIST {
                    return self.unsure(over);
                }
                let tests = prefixes.iter().map(|prefix| match *prefix {
                    Prefix::Any => Condition::Constant(true),
                    Prefix::V4(address, length) => host(*end, address.into(), length),
                    Prefix::V6(address, length) => host(*end, address.into(), length),
                });
                Condition::joined(tests, true)
            }
            What::Interface(interfaces) => {
                let tests: Vec<_> =
                    interfaces.iter().map(|interface| self.interface(interface, over)).collect();
                Condition::joined(tests.into_iter(), true)
            }
            What::Mark(marks) if self.abilities.newer && self.abilities.marks => {
                let test = |&(value, mask): &(u32, u32)| {
                    Condition::Test(bytecode::Test::Mark { value, mask })
                };
                Condition::joined(marks.iter().map(test), true)
            }
            // The kernel knows of a port by number whether somebody chose it; the range is tested
            // here, because to the kernel accepted connections and mini-sockets are chosen by
            // nobody. For the same reason its "no" is no answer under a `not`.
            What::Autobound if over => {
                self.exact = false;
                Condition::Test(bytecode::Test::Autobound)
            }
            What::Name(column, patterns) if column.0.id == "cgroup" && self.abilities.newer => {
                let ids: Option<Vec<u64>> = patterns
                    .iter()
                    .map(|pattern| self.numbers.cgroup(&pattern.literal()?))
                    .collect();
                match ids {
                    Some(ids) => {
                        let test = |id| Condition::Test(bytecode::Test::Cgroup(id));
                        Condition::joined(ids.into_iter().map(test), true)
                    }
                    None => self.unsure(over),
                }
            }
            _ => self.unsure(over),
        }
    }

    fn ports(&mut self, end: End, ports: &Ranges, over: bool) -> Condition {
        let ranges: Vec<(u64, u64)> = ports.iter().collect();
        if let (true, [(low, _), .., (_, high)]) =
            (self.coarse && ranges.len() > LONG_LIST, &*ranges)
        {
            self.exact = false;
            return if over { self.range(end, *low, *high) } else { Condition::Constant(false) };
        }
        self.search(end, &ranges)
    }

    /// A search by halves: the kernel runs the program for every socket, and a list tried from
    /// end to end costs as many instructions as it has items.
    fn search(&self, end: End, ranges: &[(u64, u64)]) -> Condition {
        let (below, above) = ranges.split_at(ranges.len() / 2);
        match above.first().map(|(low, _)| u16::try_from(*low)) {
            Some(Ok(border)) if ranges.len() > SHORT_LIST => {
                let parts = (self.search(end, above), self.search(end, below));
                Condition::Choice(bytecode::Test::PortAtLeast(end, border), Box::new(parts))
            }
            _ => {
                let tests: Vec<_> =
                    ranges.iter().map(|(low, high)| self.range(end, *low, *high)).collect();
                Condition::joined(tests.into_iter(), true)
            }
        }
    }

    fn range(&self, end: End, low: u64, high: u64) -> Condition {
        let (Ok(low), high) = (u16::try_from(low), u16::try_from(high).unwrap_or(u16::MAX)) else {
            return Condition::Constant(false);
        };
        if low == high {
            return Condition::Test(if self.abilities.newer {
                bytecode::Test::PortIs(end, low)
            } else {
                bytecode::Test::PortOld(end, low)
            });
        }
        let least = (low > 0).then_some(Condition::Test(bytecode::Test::PortAtLeast(end, low)));
        let most =
            (high < u16::MAX).then_some(Condition::Test(bytecode::Test::PortAtMost(end, high)));
        Condition::joined(least.into_iter().chain(most), false)
    }

    fn interface(&mut self, interface: &Interface, over: bool) -> Condition {
        let index = match interface {
            Interface::Index(index) => Some(*index),
            Interface::Name(name) => name.literal().and_then(|name| self.numbers.interface(&name)),
        };
        match index.filter(|_| self.abilities.newer) {
            Some(index) => Condition::Test(bytecode::Test::Device(index)),
            None => self.unsure(over),
        }
    }
}

fn host(end: End, address: IpAddr, length: u8) -> Condition {
    Condition::Test(bytecode::Test::Host(end, address, length))
}

#[cfg(test)]
mod tests;
