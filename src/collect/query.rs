//! What is asked for.

use crate::{
    field::{definition::Field, need::Need, row::Row},
    filter::{Filter, eval::Truth},
    kernel::{owners::Progress, proc::root::Root},
    model::{
        gap::Gap,
        protocol::{Family, Protocol},
        socket::Socket,
        socket_type::SocketType,
        state::StateSet,
    },
};
use std::time::Duration;

/// Which source to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChoice {
    /// Netlink, and /proc where netlink is refused.
    Auto,
    /// Netlink alone.
    Netlink,
    /// /proc alone.
    Proc,
}

/// Whose sockets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Those of the network namespace of this process.
    #[default]
    Here,
    /// Those of every network namespace that can be looked into.
    Everywhere,
}

/// Order of the rows.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// By which column.
    pub field: &'static Field,
    /// Largest first. What is unknown comes last in either direction.
    pub descending: bool,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Query {
    /// Protocols, in order of output, each with the states to show.
    pub protocols: Vec<(Protocol, StateSet)>,
    /// Types of sockets to show, of protocols that are named here; of others every type.
    pub types: Vec<(Protocol, SocketType)>,
    /// Whether these protocols were asked for by name: then it is said where the kernel has none.
    pub named: bool,
    /// One family of the internet, or both.
    pub family: Option<Family>,
    /// Which of these sockets; `None`: all. Its states are in `protocols`, its columns in `need`.
    pub filter: Option<Filter>,
    /// What the shown, sorted, grouped and filtered columns cost.
    pub need: Need,
    /// Whose sockets.
    pub scope: Scope,
    /// Which source to ask.
    pub source: SourceChoice,
    /// Which /proc to read.
    pub root: Root,
    /// Order of the rows; `None`: the kernel's.
    pub order: Option<Order>,
    /// Rows at most.
    pub limit: Option<usize>,
    /// Whether to look up names of addresses and services, and how long to wait for them.
    pub resolve: Option<Duration>,
    /// Whether ports are shown as the services they are given to.
    pub services: bool,
    /// Whether all of IPv4 comes before IPv6, and not in the order of the kernel's table.
    pub families_apart: bool,
    /// Processes whose limits are wanted beside those that hold sockets.
    pub pids: Vec<u32>,
    /// How long the look-up of owners may take.
    pub owner_patience: Option<Duration>,
    /// Whom to tell how far that is, when it takes long.
    pub owner_progress: Option<fn(Progress)>,
}

impl Query {
    /// These sockets of this namespace, with this cost, and nothing else asked for.
    pub const fn plain(root: Root, protocols: Vec<(Protocol, StateSet)>, need: Need) -> Self {
        Self {
            protocols,
            types: vec![],
            named: false,
            family: None,
            filter: None,
            need,
            scope: Scope::Here,
            source: SourceChoice::Auto,
            root,
            order: None,
            limit: None,
            resolve: None,
            services: false,
            families_apart: false,
            pids: vec![],
            owner_patience: None,
            owner_progress: None,
        }
    }

    /// Whether a socket was asked for. The kernel's answer may hold more: /proc has every state.
    pub fn wants(&self, socket: &Socket) -> bool {
        self.protocols
            .iter()
            .any(|(protocol, states)| *protocol == socket.protocol && states.contains(socket.state))
            && self.family.is_none_or(|family| family == socket.family || !socket.family.is_inet())
            && (self.types.is_empty() || self.wants_type(socket))
    }

    fn wants_type(&self, socket: &Socket) -> bool {
        let mut named = self.types.iter().filter(|(protocol, _)| *protocol == socket.protocol);
        let Some(kind) = socket.socket_type().filter(|_| !self.types.is_empty()) else {
            return true;
        };
        let mut is_named = false;
        let is_wanted = named.any(|(_, wanted)| {
            is_named = true;
            *wanted == kind
        });
        is_wanted || !is_named
    }

    /// Whether the filter takes a row whose socket is wanted otherwise. The only place where it is
    /// asked: the kernel may have done a part of it, all of it, or nothing.
    pub fn takes(&self, row: Row<'_>) -> Truth {
        self.filter.as_ref().map_or(Truth::Yes, |filter| filter.test(row))
    }

    /// That the filter could not be answered of so many sockets, which were left out.
    pub fn left_out(&self, unanswered: u64) -> Option<Gap> {
        let columns = self.filter.as_ref().filter(|_| unanswered > 0)?.columns();
        let which = match unanswered {
            1 => "1 socket was left out: its".to_owned(),
            n => format!("{n} sockets were left out: their"),
        };
        Some(Gap::new(
            "filter-unknown",
            format!("{which} {} is not known", columns.join(" or ")),
            "TIME_WAIT keeps no user, /proc tells less than netlink, owners and marks need \
             privileges, several sockets may have the addresses of the other end",
        ))
    }

    /// Whether the filter cannot be answered without the owners of sockets.
    pub fn filters_by_owner(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.need().includes(Need::OWNERS))
    }
}
