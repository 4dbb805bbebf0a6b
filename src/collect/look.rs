//! One look at the sockets and counters of a network namespace.
//!
//! The tables are the machine's, shared by its namespaces, and each walk goes over all of them: half a
//! millisecond and more, times the namespaces. What the counters of a namespace tell there is none of
//! is not looked for.

use super::{
    query::{Query, SourceChoice},
    quiet,
    tables::{Provenance, Tables},
};
use crate::{
    field::need::Need,
    kernel::{error::Error, netlink::connection::Next, proc::counters, sock_diag::exact::Identity},
    model::{
        counters::{Counters, Sample},
        earlier::Earlier,
        family::FamilyFacts,
        gap::Gap,
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
    /// Its connections, if they can be asked for one by one at the last look.
    pub(super) connections: Option<Vec<Identity>>,
    pub(super) provenance: Provenance,
}

/// Sockets in no table that a namespace may have without a closer look: a few are always about to
/// be bound or connected.
pub(super) const UNLISTED: u64 = 10;

impl Look {
    /// Nothing but counters.
    pub(super) fn of(samples: Vec<Sample>) -> Self {
        let (alive, provenance) = (vec![], Provenance::default());
        Self { samples, sockets: vec![], alive, earlier: None, connections: None, provenance }
    }

    /// Adds the counters of a moment between two looks: those that grow, and the others only where it
    /// matters how seldom there were few sockets in no table.
    pub(super) fn sample(&mut self, query: &Query, start: Instant, reader: &mut counters::Reader) {
        let first = self.samples.first().and_then(|sample| unlisted(&sample.counters));
        let counters = if first.is_some_and(|number| number >= UNLISTED) {
            reader.read(&query.root).0
        } else {
            reader.read_growing(&query.root)
        };
        self.samples.push(Sample { at_ms: ms_since(start), counters });
    }

    /// Its connections, where no other can have come since.
    fn connections_if_quiet(&self, query: &Query, now: &Counters) -> Option<&[Identity]> {
        let is_whole = query.filter.is_none() && query.family.is_none() && query.types.is_empty();
        let by_netlink = query.source != SourceChoice::Proc && query.root.is_live();
        let is_quiet = quiet::is_quiet(&self.samples.first()?.counters, now);
        self.connections.as_deref().filter(|_| is_whole && by_netlink && is_quiet)
    }

    /// Keeps of the sockets what the last look will be compared with.
    pub(super) fn is_the_first(&mut self, query: &Query) {
        self.alive = self.sockets.iter().filter_map(alive).collect();
        if query.need.includes(Need::EARLIER) {
            self.earlier = Some(self.sockets.iter().map(Earlier::of).collect());
            self.connections = quiet::connections(&self.sockets);
            // Half a kilobyte each, by the hundred thousand: not kept while waiting.
            drop(std::mem::take(&mut self.sockets));
        }
    }
}

/// Milliseconds since the question was asked.
fn ms_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The counters now, all of them, and what of them could not be read.
pub(super) fn sample(
    query: &Query,
    start: Instant,
    reader: &mut counters::Reader,
) -> (Sample, Vec<Gap>) {
    let at_ms = ms_since(start);
    let (counters, gaps) = reader.read(&query.root);
    (Sample { at_ms, counters }, gaps)
}

/// Looks at the namespace the calling thread is in; again, where there was a first look.
pub(super) fn look(
    netns: NetnsIndex,
    query: &Query,
    start: Instant,
    counters: &mut counters::Reader,
    first: Option<&Look>,
) -> Result<Look, Error> {
    let (sample, gaps) = sample(query, start, counters);
    let counters = &sample.counters;
    let connections = first.and_then(|first| first.connections_if_quiet(query, counters));
    let wanted = Wanted { netns, query, counters, connections };
    let (sockets, mut provenance) = if may_have_no_idle(query, counters) {
        wanted.with_idle_of_the_kernel()?
    } else {
        wanted.sockets()?
    };
    provenance.gaps.extend(gaps);
    Ok(Look {
        samples: vec![sample],
        sockets,
        alive: vec![],
        earlier: None,
        connections: None,
        provenance,
    })
}

/// The sockets a query asks for as they are now, without its filter.
pub(super) fn sockets(
    netns: NetnsIndex,
    query: &Query,
) -> Result<(Vec<Socket>, Provenance), Error> {
    let counters = &Counters::default();
    Wanted { netns, query, counters, connections: None }.sockets()
}

/// Sockets that are wanted, and what is known before they are asked for.
#[derive(Clone, Copy)]
struct Wanted<'l> {
    netns: NetnsIndex,
    query: &'l Query,
    counters: &'l Counters,
    /// All the connections there can be.
    connections: Option<&'l [Identity]>,
}

impl Wanted<'_> {
    fn sockets(self) -> Result<(Vec<Socket>, Provenance), Error> {
        let Some(connections) = self.connections else { return self.walk() };
        let extensions = self.query.need.extensions();
        let Ok(Some(asked)) = quiet::ask(self.netns, connections, extensions) else {
            return self.walk();
        };
        let mut query = self.query.clone();
        for (protocol, states) in &mut query.protocols {
            if *protocol == Protocol::Tcp {
                *states = states.intersection(quiet::silent());
            }
        }
        let (mut sockets, provenance) = Wanted { query: &query, ..self }.walk()?;
        sockets.extend(asked.into_iter().filter(|socket| self.query.wants(socket)));
        Ok((sockets, provenance))
    }

    fn walk(self) -> Result<(Vec<Socket>, Provenance), Error> {
        let query = self.query;
        let mut sockets = vec![];
        let mut tables = Tables::open(query)?;
        if query.source == SourceChoice::Auto && query.root.is_live() {
            for (family, gauge) in UDP {
                if self.counters.get(gauge) == Some(0) {
                    tables.pass_over(Protocol::Udp, family);
                }
            }
        }
        tables.read(self.netns, |socket, _| {
            if query.wants(socket) && !is_our_own(socket) {
                sockets.push(socket.clone());
            }
            Next::More
        })?;
        Ok((sockets, tables.provenance))
    }

    /// The sockets of a namespace all of whose sockets are in tables, unless the kernel has some of
    /// its own there: they are in the tables and are not counted, so that as many may be in none.
    /// Then idle bound ones are looked for after all.
    fn with_idle_of_the_kernel(self) -> Result<(Vec<Socket>, Provenance), Error> {
        let idle = StateSet::of(State::BoundInactive);
        let mut listed = self.query.clone();
        for (_, states) in &mut listed.protocols {
            *states = states.without(idle);
        }
        let (mut found, provenance) = Wanted { query: &listed, ..self }.sockets()?;
        let only = |protocol, states| {
            let query = Query { protocols: vec![(protocol, states)], ..listed.clone() };
            Wanted { query: &query, connections: None, ..self }.walk()
        };
        let is_kernels = |socket: &Socket| socket.inode.is_none() && !socket.is_mini();
        let asks_for_udp = listed.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Udp);
        let has_kernels = found.iter().any(is_kernels)
            || (!asks_for_udp && only(Protocol::Udp, StateSet::ALL)?.0.iter().any(is_kernels));
        if has_kernels {
            found.extend(only(Protocol::Tcp, idle)?.0);
        }
        Ok((found, provenance))
    }
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
