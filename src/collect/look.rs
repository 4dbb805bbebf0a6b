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
    kernel::{error::Error, netlink::connection::Next, proc::counters, sock_diag::exact::Identity},
    model::{
        counters::{Counters, Sample},
        earlier::Earlier,
        family::FamilyFacts,
        first_look::{FirstLook, Packer},
        gap::Gap,
        measures::Measures,
        netns::NetnsIndex,
        outline::Outline,
        protocol::{Family, Protocol},
        socket::Socket,
        state::{State, StateSet},
    },
};
use std::time::Instant;

/// One look at a namespace.
#[derive(Default)]
pub(super) struct Look {
    /// Counters, each at the time since the question was asked.
    pub(super) samples: Vec<Sample>,
    /// The sockets of the last look, and what was measured of them.
    pub(super) sockets: Vec<Outline>,
    pub(super) measures: Measures,
    /// The same whole, where they are recorded.
    pub(super) whole: Vec<Socket>,
    /// The sockets of a look that another follows.
    pub(super) first: Option<FirstLook>,
    /// Its connections, if they can be asked for one by one at the last look.
    connections: Option<Vec<Identity>>,
    pub(super) provenance: Provenance,
}

/// What is kept of the sockets of a look.
#[derive(Clone, Copy)]
pub(super) enum Keep<'l> {
    /// Another look follows: what it is compared with.
    First,
    /// It is the last, with the one before if there was one: what reports ask for, and every socket
    /// whole, if they are recorded.
    Last { first: Option<&'l Look>, whole: bool },
}

impl<'l> Keep<'l> {
    fn first(self) -> Option<&'l Look> {
        match self {
            Self::First => None,
            Self::Last { first, .. } => first,
        }
    }
}

/// Sockets as they come in.
struct Kept<'l> {
    keep: Keep<'l>,
    look: Look,
    first: Packer,
    few: quiet::Few,
}

impl<'l> Kept<'l> {
    fn new(keep: Keep<'l>, sample: Sample) -> Self {
        let look = Look::of(vec![sample]);
        Self { keep, look, first: Packer::default(), few: quiet::Few::default() }
    }

    fn add(&mut self, socket: &Socket) {
        let look = &mut self.look;
        if matches!(self.keep, Keep::First) {
            self.first.add(&Earlier::of(socket));
            return self.few.add(socket);
        }
        let first = self.keep.first().and_then(|look| look.first.as_ref());
        let earlier = first.and_then(|first| first.find(socket));
        look.sockets.push(look.measures.outline(socket, earlier.as_ref()));
        if matches!(self.keep, Keep::Last { whole: true, .. }) {
            look.whole.push(socket.clone());
        }
    }

    fn look(self, provenance: Provenance) -> Look {
        let first = matches!(self.keep, Keep::First).then(|| self.first.finish());
        Look { first, connections: self.few.connections(), provenance, ..self.look }
    }
}

/// Sockets in no table that a namespace may have without a closer look: a few are always about to
/// be bound or connected.
pub(super) const UNLISTED: u64 = 10;

impl Look {
    /// Nothing but counters.
    pub(super) fn of(samples: Vec<Sample>) -> Self {
        Self { samples, ..Self::default() }
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

/// Looks at the namespace the calling thread is in.
pub(super) fn look(
    netns: NetnsIndex,
    query: &Query,
    start: Instant,
    counters: &mut counters::Reader,
    keep: Keep<'_>,
) -> Result<Look, Error> {
    let (sample, gaps) = sample(query, start, counters);
    let counters = &sample.counters.clone();
    let connections = keep.first().and_then(|first| first.connections_if_quiet(query, counters));
    let wanted = Wanted { netns, query, counters, connections };
    let mut kept = Kept::new(keep, sample);
    let mut provenance = if may_have_no_idle(query, counters) {
        wanted.with_idle_of_the_kernel(|socket| kept.add(socket))?
    } else {
        wanted.each(|socket| kept.add(socket))?
    };
    provenance.gaps.extend(gaps);
    Ok(kept.look(provenance))
}

/// The sockets a query asks for as they are now, without its filter.
pub(super) fn sockets(
    netns: NetnsIndex,
    query: &Query,
) -> Result<(Vec<Socket>, Provenance), Error> {
    let (counters, mut sockets) = (&Counters::default(), vec![]);
    let wanted = Wanted { netns, query, counters, connections: None };
    let provenance = wanted.each(|socket| sockets.push(socket.clone()))?;
    Ok((sockets, provenance))
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
    /// Hands each of them over.
    fn each(self, mut take: impl FnMut(&Socket)) -> Result<Provenance, Error> {
        let Some(connections) = self.connections else { return self.walk(take) };
        let extensions = self.query.need.extensions();
        let Ok(Some(asked)) = quiet::ask(self.netns, connections, extensions) else {
            return self.walk(take);
        };
        let mut query = self.query.clone();
        for (protocol, states) in &mut query.protocols {
            if *protocol == Protocol::Tcp {
                *states = states.intersection(quiet::silent());
            }
        }
        let provenance = Wanted { query: &query, ..self }.walk(&mut take)?;
        asked.iter().filter(|socket| self.query.wants(socket)).for_each(take);
        Ok(provenance)
    }

    fn walk(self, mut take: impl FnMut(&Socket)) -> Result<Provenance, Error> {
        let query = self.query;
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
                take(socket);
            }
            Next::More
        })?;
        Ok(tables.provenance)
    }

    /// The sockets of a namespace all of whose sockets are in tables, unless the kernel has some of
    /// its own there: they are in the tables and are not counted, so that as many may be in none.
    /// Then idle bound ones are looked for after all.
    fn with_idle_of_the_kernel(self, mut take: impl FnMut(&Socket)) -> Result<Provenance, Error> {
        let idle = StateSet::of(State::BoundInactive);
        let mut listed = self.query.clone();
        for (_, states) in &mut listed.protocols {
            *states = states.without(idle);
        }
        let mut has_kernels = false;
        let is_kernels = |socket: &Socket| socket.inode.is_none() && !socket.is_mini();
        let provenance = Wanted { query: &listed, ..self }.each(|socket| {
            has_kernels |= is_kernels(socket);
            take(socket);
        })?;
        let only = |protocol, states, take: &mut dyn FnMut(&Socket)| {
            let query = Query { protocols: vec![(protocol, states)], ..listed.clone() };
            Wanted { query: &query, connections: None, ..self }.walk(take)
        };
        let asks_for_udp = listed.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Udp);
        if !has_kernels && !asks_for_udp {
            let mut meet = |socket: &Socket| has_kernels |= is_kernels(socket);
            only(Protocol::Udp, StateSet::ALL, &mut meet)?;
        }
        if has_kernels {
            only(Protocol::Tcp, idle, &mut take)?;
        }
        Ok(provenance)
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
