//! A listing: tables to rows, in a stream.

use super::{
    namespaces::Namespaces,
    order::Sorted,
    owners::{self, LookUp},
    peers,
    query::Query,
    replay,
    sink::RowSink,
    tables::{Provenance, Tables},
};
use crate::{
    field::{
        need::Need,
        row::{Context, Row, Space},
    },
    filter::{Filter, eval::Truth},
    kernel::{
        addresses::Resolver, error::Error, host, names::Names, netlink::connection::Next,
        proc::sysctl,
    },
    model::{
        about::{About, SourceKind},
        collection::Collection,
        gap::Gap,
        netns::{Netns, NetnsIndex},
        protocol::{Family, Protocol},
        recording::Recording,
        socket::Socket,
        state::State,
    },
};
use nix::errno::Errno;
use std::{borrow::Cow, io, ops::RangeInclusive, time::SystemTime};

/// Rows held back before the first is printed: a listing that fits has all its warnings in its head.
const HELD: usize = 512;
/// The same where owners are looked up: of a listing that fits, for its own sockets alone.
const HELD_FOR_OWNERS: usize = 4096;
/// Rows whose addresses are looked up together (`-r`).
const RESOLVED: usize = 512;

/// Why a listing ended early.
#[derive(Debug)]
pub enum Failure {
    /// The kernel could not be asked.
    Kernel(Error),
    /// The output could not be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Kernel(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What a listing was.
#[derive(Debug)]
pub struct Outcome {
    /// Rows given to the sink.
    pub rows: u64,
    /// The head, with every gap, the late ones included.
    pub about: About,
}

/// Asks, and gives the rows to `sink`.
pub fn run(query: &Query, sink: &mut dyn RowSink) -> Result<Outcome, Failure> {
    let mut namespaces = Namespaces::of(query)?;
    let mut listing = Listing::new(query, sink, namespaces.spaces(), namespaces.first());
    listing.only = namespaces.only();
    if query.need.includes(Need::PEERS) {
        let (peers, gaps) = peers::find(query, &mut namespaces);
        listing.context.peers = Some(peers);
        listing.provenance.gaps = gaps;
    }
    if listing.needs_owners_first() {
        listing.look_up_owners(None);
    }
    let mut failed = None;
    namespaces.visit(query, |netns, query| {
        listing.learn_space(netns, query);
        let mut tables = Tables::open(query)?;
        let mut stopped = Next::More;
        let read = tables.read(netns, |socket, provenance| {
            stopped = listing.take(socket, provenance).unwrap_or_else(|error| {
                failed = Some(error);
                Next::Stop
            });
            stopped
        });
        listing.provenance.absorb(tables.provenance);
        read.map(|()| stopped)
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    listing.provenance.gaps.extend(namespaces.gaps());
    Ok(listing.finish()?)
}

/// The same from recordings, of each network namespace one: nothing is asked of this machine.
pub fn recorded(
    query: &Query,
    mut recordings: Vec<Recording>,
    sink: &mut dyn RowSink,
) -> Result<Outcome, Failure> {
    replay::number(&mut recordings);
    let peers = query.need.includes(Need::PEERS).then(|| peers::of(&recordings));
    let mut provenance = Provenance::default();
    for recording in &mut recordings {
        replay::narrow(recording, query, None);
        let about = &mut recording.snapshot.about;
        // Counters are no part of a listing.
        about.gaps.retain(|gap| !gap.code.starts_with("counters-"));
        provenance.absorb(Provenance {
            kind: Some(about.source),
            fallback_reason: about.fallback_reason.clone(),
            gaps: std::mem::take(&mut about.gaps),
        });
    }
    let Some(first) = recordings.first() else {
        return Err(Error::errno("list", "the sockets of no recording", Errno::ENODATA).into());
    };
    let about = first.snapshot.about.clone();
    let owners = recordings.iter_mut().map(|r| std::mem::take(&mut r.snapshot.owners));
    let owners = replay::joined(owners);
    let mut context = Context { peers, ..replay::context(&recordings, owners) };
    if query.services {
        // They are the same everywhere.
        context.names.learn_services();
    }
    let mut listing = Listing::of(query, sink, about, context);
    listing.owners_known = true;
    listing.provenance = provenance;
    let provenance = Provenance::default();
    'all: for recording in recordings {
        for socket in recording.sockets {
            if listing.take(&socket, &provenance)? == Next::Stop {
                break 'all;
            }
        }
    }
    Ok(listing.finish()?)
}

/// How far a listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The head waits for what the first rows tell.
    Holds,
    /// The head is out.
    Begun,
    /// And every wanted row is shown as it comes.
    Streams,
}

struct Listing<'q, 's> {
    query: &'q Query,
    sink: &'s mut dyn RowSink,
    context: Context,
    about: About,
    /// The namespace, where there is one alone: of several there is none to prefer.
    only: Option<u64>,
    /// What the reading of the namespaces before said of itself.
    provenance: Provenance,
    sorted: Option<Sorted>,
    held: Collection,
    phase: Phase,
    rows: u64,
    /// What the look-up of owners could not see.
    look_up: LookUp,
    /// Rows whose owner it did not find.
    without_owner: u64,
    /// Whether the owners need no look-up: they were recorded.
    owners_known: bool,
    /// Rows of which the filter cannot be answered.
    unanswered: u64,
    /// What the last wanted socket of IPv4 was, and of what is not: with types apart, all that `wants`
    /// looks at.
    wanted: [Option<(Protocol, Family, State)>; 2],
    /// Whether columns want names of users or cgroups.
    learns: bool,
    /// The user and the cgroup that were learnt last.
    learnt: (Option<u32>, Option<u64>),
}

impl<'q, 's> Listing<'q, 's> {
    fn new(query: &'q Query, sink: &'s mut dyn RowSink, spaces: Vec<Space>, netns: Netns) -> Self {
        let mut names = Names::new(&query.root);
        if query.services {
            names.learn_services();
        }
        let about = About {
            generated_at: SystemTime::now(),
            host: host::read(&query.root),
            source: SourceKind::Netlink,
            fallback_reason: None,
            netns,
            gaps: vec![],
        };
        let resolver = query.resolve.map(Resolver::start);
        let context = Context { names, resolver, spaces, ..Context::default() };
        Self::of(query, sink, about, context)
    }

    fn of(query: &'q Query, sink: &'s mut dyn RowSink, about: About, context: Context) -> Self {
        Self {
            query,
            sink,
            about,
            context,
            only: None,
            provenance: Provenance::default(),
            sorted: query.order.map(|order| Sorted::new(order, query.limit)),
            held: Collection::default(),
            phase: Phase::Holds,
            rows: 0,
            look_up: LookUp::default(),
            without_owner: 0,
            owners_known: false,
            unanswered: 0,
            learns: [Need::USERS, Need::CGROUPS].iter().any(|need| query.need.includes(*need)),
            wanted: [None; 2],
            learnt: (None, None),
        }
    }

    fn begun(&self) -> bool {
        self.phase != Phase::Holds
    }

    fn needs_owners(&self) -> bool {
        self.query.need.includes(Need::OWNERS)
    }

    /// A filter by owner is asked of each row as it comes, so owners have to be known before the
    /// first: those of every socket of the namespace, because which are wanted is not known yet.
    /// That costs 16 bytes a descriptor; the sockets themselves are still not kept.
    fn needs_owners_first(&self) -> bool {
        let sorts = self.query.order.is_some_and(|order| order.field.need.includes(Need::OWNERS));
        sorts || self.query.filters_by_owner()
    }

    /// Whether the filter takes a socket; what cannot be answered is counted and left out.
    fn passes(&mut self, socket: &Socket) -> bool {
        if self.query.filter.is_none() {
            return true;
        }
        self.learn(socket);
        let truth = self.query.takes(Row { socket, context: &self.context });
        self.unanswered += u64::from(truth == Truth::Unknown);
        truth == Truth::Yes
    }

    fn filter_gap(&self) -> Option<Gap> {
        self.query.left_out(self.unanswered)
    }

    /// Looks up the owners of these sockets, or of every one where more are to come.
    fn look_up_owners(&mut self, sockets: Option<&Collection>) {
        let context = &self.context;
        let wanted = sockets.map(|sockets| {
            let inodes = |socket: Cow<'_, Socket>| {
                Row { socket: &socket, context }.inodes().collect::<Vec<_>>()
            };
            sockets.iter().flat_map(inodes).collect()
        });
        self.look_up = owners::look_up_inodes(self.query, wanted, self.only);
        self.context.owners = self.look_up.take_owners();
    }

    #[inline]
    fn take(&mut self, socket: &Socket, provenance: &Provenance) -> io::Result<Next> {
        let kind = (socket.protocol, socket.family, socket.state);
        if self.phase == Phase::Streams
            && self.wanted[usize::from(socket.family != Family::Ipv4)] == Some(kind)
        {
            return self.show(socket).map(|()| Next::More);
        }
        self.weigh(socket, provenance)
    }

    /// Takes a row that may be unwanted, or has to wait.
    #[inline(never)]
    fn weigh(&mut self, socket: &Socket, provenance: &Provenance) -> io::Result<Next> {
        let kind = (socket.protocol, socket.family, socket.state);
        let wanted = &mut self.wanted[usize::from(socket.family != Family::Ipv4)];
        if *wanted != Some(kind) {
            if !self.query.wants(socket) {
                return Ok(Next::More);
            }
            *wanted = Some(kind).filter(|_| self.query.types.is_empty());
        }
        if !self.passes(socket) {
            return Ok(Next::More);
        }
        if self.sorted.is_some() {
            self.learn(socket);
        }
        if let Some(sorted) = &mut self.sorted {
            sorted.push(socket, &self.context);
            return Ok(Next::More);
        }
        if self.begun() && self.context.resolver.is_none() {
            self.show(socket)?;
        } else {
            self.learn(socket);
            self.held.push(socket);
            if self.held.len() >= self.waiting() {
                self.flush(provenance, true)?;
            }
        }
        let taken = self.rows.saturating_add(self.held.len() as u64);
        let full = self.query.limit.is_some_and(|limit| taken >= limit as u64);
        Ok(if full { Next::Stop } else { Next::More })
    }

    /// How many rows are held back before they are shown.
    fn waiting(&self) -> usize {
        match &self.context.resolver {
            Some(_) if self.begun() => RESOLVED,
            _ if self.needs_owners() => HELD_FOR_OWNERS,
            None if !self.sink.shows_head() => 1,
            _ => HELD,
        }
    }

    /// Shows what was held back; the head first, if it is not out.
    fn flush(&mut self, provenance: &Provenance, more: bool) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if !self.begun() {
            if self.needs_owners() && !self.needs_owners_first() && !self.owners_known {
                self.look_up_owners((!more).then_some(&held));
            }
            let mut so_far = self.provenance.clone();
            so_far.absorb(provenance.clone());
            self.about.source = so_far.kind.unwrap_or(SourceKind::Netlink);
            self.about.fallback_reason = so_far.fallback_reason;
            self.about.gaps = so_far.gaps;
            // With more to come numbers are not known: they are told at the end.
            if !more {
                let lacks = |s: &Cow<'_, Socket>| owners::lacks_owner(s, &self.context.owners);
                self.about.gaps.extend(self.look_up.gaps(held.iter().filter(lacks).count() as u64));
                self.about.gaps.extend(self.filter_gap());
            }
            let waits = self.context.resolver.is_some() || self.sorted.is_some();
            let streams = !waits && self.query.filter.is_none() && self.query.limit.is_none();
            self.phase = if streams { Phase::Streams } else { Phase::Begun };
            self.sink.begin(&self.about)?;
        }
        if let Some(resolver) = &mut self.context.resolver {
            let ends = |s: Cow<'_, Socket>| [s.local.address, s.remote.address];
            resolver.wait_for(held.iter().flat_map(ends));
        }
        held.iter().try_for_each(|socket| self.show(&socket))
    }

    /// Shows a sorted listing, as if its rows came now.
    fn show_all(&mut self, sorted: Sorted) -> io::Result<()> {
        let more = sorted.number() > HELD;
        for socket in sorted.into_rows() {
            if self.begun() && self.context.resolver.is_none() {
                self.show(&socket)?;
                continue;
            }
            self.held.push(&socket);
            if more && self.held.len() >= self.waiting() {
                self.flush(&Provenance::default(), true)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn show(&mut self, socket: &Socket) -> io::Result<()> {
        // Mostly the row before was the same user's, in the same cgroup.
        let is_known = !self.learns || self.learnt == (socket.uid, socket.cgroup_id);
        if !is_known || socket.interface != 0 {
            self.learn(socket);
        }
        self.rows += 1;
        if self.needs_owners() {
            let lacks = owners::lacks_owner(socket, &self.context.owners);
            self.without_owner += u64::from(lacks);
        }
        self.sink.row(Row { socket, context: &self.context })
    }

    /// Learns what the settings of the namespace say that the rows ask for.
    fn learn_space(&mut self, netns: NetnsIndex, query: &Query) {
        if let Some(space) = self.context.spaces.get_mut(netns.at()) {
            space.ephemeral_ports = ephemeral_ports(query);
        }
    }

    /// Learns what the columns say about a socket, while the thread is in the socket's namespace.
    fn learn(&mut self, socket: &Socket) {
        self.learnt = (socket.uid, socket.cgroup_id);
        self.context.learn(self.query.need, socket);
        if let Some(netlink) = socket.netlink().filter(|_| self.query.services) {
            self.context.names.learn_process(&self.query.root, netlink.port_id);
        }
    }

    fn finish(mut self) -> io::Result<Outcome> {
        if let Some(mut sorted) = self.sorted.take() {
            sorted.sort(&self.context);
            self.show_all(sorted)?;
        }
        let told = !self.begun();
        self.flush(&Provenance::default(), false)?;
        let provenance = std::mem::take(&mut self.provenance);
        let mut late: Vec<Gap> =
            provenance.gaps.iter().filter(|gap| !self.about.gaps.contains(gap)).cloned().collect();
        if let Some(resolver) = self.context.resolver.as_ref().filter(|r| r.unanswered() > 0) {
            late.push(Gap::new(
                "names-unanswered",
                format!(
                    "{} addresses had no answer in time and are shown as numbers",
                    resolver.unanswered()
                ),
                "check the resolver, or leave out -r",
            ));
        }
        late.extend(owners::selinux_gap(self.query));
        if self.context.cgroups.is_unmounted() {
            late.push(Gap::new(
                "cgroups-unmounted",
                "paths of cgroups are not known: no cgroup2 hierarchy is mounted here",
                "mount one, or leave `ip netns exec` for -N, which keeps /sys",
            ));
        }
        if !told {
            late.extend(self.look_up.gaps(self.without_owner));
            late.extend(self.filter_gap());
        }
        self.sink.end(&late)?;
        self.about.gaps.extend(late);
        self.about.source = provenance.kind.unwrap_or(self.about.source);
        self.about.fallback_reason = provenance.fallback_reason;
        Ok(Outcome { rows: self.rows, about: self.about })
    }
}

/// The ports the kernel chooses from, where the filter asks for them, or who shows services and
/// gives those ports none.
pub(super) fn ephemeral_ports(query: &Query) -> Option<RangeInclusive<u16>> {
    let asks = query.filter.as_ref().is_some_and(Filter::asks_for_autobound);
    (asks || query.services).then_some(())?;
    sysctl::read(&query.root).port_range()
}
