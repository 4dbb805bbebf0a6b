//! One look at the sockets and counters of a network namespace.
//!
//! The tables are the machine's, shared by its namespaces, and each walk goes over all of them: half a
//! millisecond and more, times the namespaces. What the counters of a namespace tell there is none of
//! is not looked for.

use super::{
    query::{Query, SourceChoice},
    tables::{Provenance, Tables},
};
use crate::{
    field::need::Need,
    kernel::{error::Error, netlink::connection::Next, proc::counters},
    model::{
        counters::{Counters, Sample},
        earlier::Earlier,
        family::FamilyFacts,
        netns::NetnsIndex,
        protocol::{Family, Protocol},
        snapshot::Alive,
        socket::Socket,
        state::{State, StateSet},
    },
};
use std::time::Instant;

/// One look at a namespace.
pub(super) struct Look {
    /// Counters, each at the time since the question was asked.
    pub(super) samples: Vec<Sample>,
    pub(super) sockets: Vec<Socket>,
    /// What is kept of the sockets where another look follows.
    pub(super) alive: Vec<Alive>,
    pub(super) earlier: Option<Vec<Earlier>>,
    pub(super) provenance: Provenance,
}

impl Look {
    /// Nothing but counters.
    pub(super) fn of(samples: Vec<Sample>) -> Self {
        let (alive, provenance) = (vec![], Provenance::default());
        Self { samples, sockets: vec![], alive, earlier: None, provenance }
    }

    /// Keeps of the sockets what the last look will be compared with.
    pub(super) fn is_the_first(&mut self, query: &Query) {
        self.alive = self.sockets.iter().filter_map(alive).collect();
        if query.need.includes(Need::EARLIER) {
            self.earlier = Some(self.sockets.iter().map(Earlier::of).collect());
            // Half a kilobyte each, by the hundred thousand: not kept while waiting.
            drop(std::mem::take(&mut self.sockets));
        }
    }
}

/// The counters now.
pub(super) fn sample(query: &Query, start: Instant) -> Sample {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Sample { at_ms, counters: counters::read(&query.root).0 }
}

/// Looks at the namespace the calling thread is in.
pub(super) fn look(netns: NetnsIndex, query: &Query, start: Instant) -> Result<Look, Error> {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (counters, gaps) = counters::read(&query.root);
    let (sockets, mut provenance) = if may_have_no_idle(query, &counters) {
        with_idle_of_the_kernel(netns, query, &counters)?
    } else {
        sockets(netns, query, &counters)?
    };
    provenance.gaps.extend(gaps);
    Ok(Look {
        samples: vec![Sample { at_ms, counters }],
        sockets,
        alive: vec![],
        earlier: None,
        provenance,
    })
}

/// The sockets a query asks for as they are now, without its filter.
pub(super) fn sockets(
    netns: NetnsIndex,
    query: &Query,
    counters: &Counters,
) -> Result<(Vec<Socket>, Provenance), Error> {
    let mut sockets = vec![];
    let mut tables = Tables::open(query)?;
    if query.source == SourceChoice::Auto && query.root.is_live() {
        for (family, gauge) in UDP {
            if counters.get(gauge) == Some(0) {
                tables.pass_over(Protocol::Udp, family);
            }
        }
    }
    tables.read(netns, |socket, _| {
        if query.wants(socket) && !is_our_own(socket) {
            sockets.push(socket.clone());
        }
        Next::More
    })?;
    Ok((sockets, tables.provenance))
}

/// How many UDP sockets of each family are in the tables of the namespace: it is counted where they
/// are put there and taken out (`udp_lib_get_port`, `udp_lib_unhash`).
const UDP: [(Family, &str); 2] =
    [(Family::Ipv4, "sockstat.UDP.inuse"), (Family::Ipv6, "sockstat6.UDP6.inuse")];

/// Whether idle bound sockets are asked for and the kernel tells that there may be none: as many
/// sockets of the namespace are in tables as there are. To look for them it walks the bind table of
/// the whole machine, milliseconds for each namespace, tens of them where many ports are in use.
fn may_have_no_idle(query: &Query, counters: &Counters) -> bool {
    let idle = StateSet::of(State::BoundInactive);
    let asks = query.protocols.iter().any(|(_, states)| states.includes(idle));
    let (all, listed) = (counters.get("sockstat.sockets.used"), in_tables(counters));
    asks && all.is_some() && all == listed
}

/// The sockets of a namespace all of whose sockets are in tables, unless the kernel has some of its
/// own there: they are in the tables and are not counted, so that as many may be in none. Then idle
/// bound ones are looked for after all.
fn with_idle_of_the_kernel(
    netns: NetnsIndex,
    query: &Query,
    counters: &Counters,
) -> Result<(Vec<Socket>, Provenance), Error> {
    let idle = StateSet::of(State::BoundInactive);
    let mut listed = query.clone();
    for (_, states) in &mut listed.protocols {
        *states = states.without(idle);
    }
    let (mut found, provenance) = sockets(netns, &listed, counters)?;
    let only = |protocol, states| {
        let query = Query { protocols: vec![(protocol, states)], ..listed.clone() };
        sockets(netns, &query, counters)
    };
    let is_kernels = |socket: &Socket| socket.inode.is_none() && !socket.is_mini();
    let asks_for_udp = query.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Udp);
    let has_kernels = found.iter().any(is_kernels)
        || (!asks_for_udp && only(Protocol::Udp, StateSet::ALL)?.0.iter().any(is_kernels));
    if has_kernels {
        found.extend(only(Protocol::Tcp, idle)?.0);
    }
    Ok((found, provenance))
}

/// How many sockets of the namespace are in tables. `None`: the kernel does not tell.
fn in_tables(counters: &Counters) -> Option<u64> {
    counters.get("protocols.sockets")
}

/// How many sockets of the namespace are in no table: idle bound ones, dead ones that are still held,
/// and those about to be bound or connected. `None`: the kernel does not tell.
pub(super) fn unlisted(counters: &Counters) -> Option<u64> {
    Some(counters.get("sockstat.sockets.used")?.saturating_sub(in_tables(counters)?))
}

/// Whether it is one of the netlink sockets this process asks by: the look is not a part of what is
/// looked at. The first has the process id as its address (`netlink_autobind`).
fn is_our_own(socket: &Socket) -> bool {
    matches!(socket.family_facts.as_deref(),
        Some(FamilyFacts::Netlink(netlink)) if netlink.port_id == std::process::id())
}

fn alive(socket: &Socket) -> Option<Alive> {
    // What can go on into TIME_WAIT.
    let is_tcp = socket.protocol == Protocol::Tcp;
    let is_alive = is_tcp && socket.state != State::Listen && !socket.is_mini();
    let (cookie, inode) = (socket.cookie?, socket.inode?);
    is_alive.then_some(Alive { cookie, inode })
}
