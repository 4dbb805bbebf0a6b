//! A listing: tables to rows, in a stream.

use super::{
    order::Sorted,
    owners::{self, LookUp},
    query::Query,
    replay,
    sink::RowSink,
    tables::{Provenance, Tables},
};
use crate::{
    field::{
        need::Need,
        row::{Context, Row},
    },
    filter::{Filter, eval::Truth},
    kernel::{
        addresses::Resolver, cgroup_tree::CgroupTree, error::Error, host, names::Names, namespace,
        netlink::connection::Next, proc::sysctl,
    },
    model::{
        about::{About, SourceKind},
        gap::Gap,
        recording::Recording,
        socket::Socket,
    },
};
use std::{io, ops::RangeInclusive, time::SystemTime};

/// Rows held back before the first is printed: a listing that fits has all its warnings in its
/// head, and its owners looked up for its own sockets alone.
const HELD: usize = 4096;
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
    let mut listing = Listing::new(query, sink);
    let mut tables = Tables::open(query)?;
    if listing.needs_owners_first() {
        listing.look_up_owners(&[], true);
    }
    let mut failed = None;
    tables.read(|socket, provenance| {
        listing.take(socket, provenance).unwrap_or_else(|error| {
            failed = Some(error);
            Next::Stop
        })
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    Ok(listing.finish(&tables.provenance)?)
}

/// The same from a recording: nothing is asked of this machine.
pub fn recorded(
    query: &Query,
    mut recording: Recording,
    sink: &mut dyn RowSink,
) -> Result<Outcome, Failure> {
    replay::narrow(&mut recording, query, None);
    let Recording { snapshot, names, .. } = recording;
    let mut about = snapshot.about;
    // Counters are no part of a listing.
    about.gaps.retain(|gap| !gap.code.starts_with("counters-"));
    let provenance = Provenance {
        kind: Some(about.source),
        fallback_reason: about.fallback_reason.clone(),
        gaps: std::mem::take(&mut about.gaps),
    };
    let context = Context {
        owners: snapshot.owners,
        names: Names::recorded(&names),
        cgroups: CgroupTree::recorded(&names.cgroups),
        netns: about.netns.clone(),
        resolver: None,
        ephemeral_ports: snapshot.settings.port_range(),
    };
    let mut listing = Listing::of(query, sink, about, context);
    listing.owners_known = true;
    for socket in snapshot.sockets {
        if listing.take(&socket, &provenance)? == Next::Stop {
            break;
        }
    }
    Ok(listing.finish(&provenance)?)
}

struct Listing<'q, 's> {
    query: &'q Query,
    sink: &'s mut dyn RowSink,
    context: Context,
    about: About,
    sorted: Sorted,
    held: Vec<Socket>,
    begun: bool,
    rows: u64,
    /// What the look-up of owners could not see.
    look_up: LookUp,
    /// Rows whose owner it did not find.
    without_owner: u64,
    /// Whether the owners need no look-up: they were recorded.
    owners_known: bool,
    /// Rows of which the filter cannot be answered.
    unanswered: u64,
}

impl<'q, 's> Listing<'q, 's> {
    fn new(query: &'q Query, sink: &'s mut dyn RowSink) -> Self {
        let netns = namespace::current(&query.root);
        let mut names = Names::new(&query.root);
        if query.services {
            names.learn_services();
        }
        let about = About {
            generated_at: SystemTime::now(),
            host: host::read(&query.root),
            source: SourceKind::Netlink,
            fallback_reason: None,
            netns: netns.clone(),
            gaps: vec![],
        };
        let resolver = query.resolve.map(Resolver::start);
        let ephemeral_ports = ephemeral_ports(query);
        let context = Context { names, resolver, netns, ephemeral_ports, ..Context::default() };
        Self::of(query, sink, about, context)
    }

    fn of(query: &'q Query, sink: &'s mut dyn RowSink, about: About, context: Context) -> Self {
        Self {
            query,
            sink,
            about,
            context,
            sorted: Sorted::default(),
            held: vec![],
            begun: false,
            rows: 0,
            look_up: LookUp::default(),
            without_owner: 0,
            owners_known: false,
            unanswered: 0,
        }
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
        let columns = self.query.filter.as_ref().filter(|_| self.unanswered > 0)?.columns();
        let which = match self.unanswered {
            1 => "1 socket was left out: its".to_owned(),
            n => format!("{n} sockets were left out: their"),
        };
        Some(Gap::new(
            "filter-unknown",
            format!("{which} {} is not known", columns.join(" or ")),
            "TIME_WAIT keeps no user, /proc tells less than netlink, owners and marks need privileges",
        ))
    }

    fn look_up_owners(&mut self, sockets: &[Socket], more: bool) {
        self.look_up = owners::look_up(self.query, sockets, more, self.about.netns.inode);
        self.context.owners = self.look_up.take_owners();
    }

    fn take(&mut self, socket: &Socket, provenance: &Provenance) -> io::Result<Next> {
        if !self.query.wants(socket) || !self.passes(socket) {
            return Ok(Next::More);
        }
        if let Some(order) = self.query.order {
            self.learn(socket);
            self.sorted.push(socket.clone(), order, self.query.limit, &self.context);
            return Ok(Next::More);
        }
        if self.begun && self.context.resolver.is_none() {
            self.show(socket)?;
        } else {
            self.held.push(socket.clone());
            if self.held.len() >= if self.begun { RESOLVED } else { HELD } {
                self.flush(provenance, true)?;
            }
        }
        let taken = self.rows.saturating_add(self.held.len() as u64);
        let full = self.query.limit.is_some_and(|limit| taken >= limit as u64);
        Ok(if full { Next::Stop } else { Next::More })
    }

    /// Shows what was held back; the head first, if it is not out.
    fn flush(&mut self, provenance: &Provenance, more: bool) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if !self.begun {
            if self.needs_owners() && !self.needs_owners_first() && !self.owners_known {
                self.look_up_owners(&held, more);
            }
            self.about.source = provenance.kind.unwrap_or(SourceKind::Netlink);
            self.about.fallback_reason.clone_from(&provenance.fallback_reason);
            self.about.gaps.clone_from(&provenance.gaps);
            // With more to come numbers are not known: they are told at the end.
            if !more {
                let lacks = |s: &&Socket| owners::lacks_owner(s, &self.context.owners);
                self.about.gaps.extend(self.look_up.gaps(held.iter().filter(lacks).count() as u64));
                self.about.gaps.extend(self.filter_gap());
            }
            self.begun = true;
            self.sink.begin(&self.about)?;
        }
        if let Some(resolver) = &mut self.context.resolver {
            let ends = |s: &Socket| [s.local.address, s.remote.address];
            resolver.wait_for(held.iter().flat_map(ends));
        }
        held.iter().try_for_each(|socket| self.show(socket))
    }

    fn show(&mut self, socket: &Socket) -> io::Result<()> {
        self.learn(socket);
        self.rows += 1;
        if self.needs_owners() {
            let lacks = owners::lacks_owner(socket, &self.context.owners);
            self.without_owner += u64::from(lacks);
        }
        self.sink.row(Row { socket, context: &self.context })
    }

    /// Learns what the columns say about a socket beyond the kernel's answer.
    fn learn(&mut self, socket: &Socket) {
        let need = self.query.need;
        if let Some(uid) = socket.uid.filter(|_| need.includes(Need::USERS)) {
            self.context.names.learn_user(uid);
        }
        if let Some(id) = socket.cgroup_id.filter(|_| need.includes(Need::CGROUPS)) {
            self.context.cgroups.learn(id);
        }
        if socket.interface != 0 {
            self.context.names.learn_interface(socket.interface);
        }
    }

    fn finish(mut self, provenance: &Provenance) -> io::Result<Outcome> {
        if let Some(order) = self.query.order {
            let sorted = std::mem::take(&mut self.sorted);
            self.held = sorted.finish(order, self.query.limit, &self.context);
        }
        let told = !self.begun;
        self.flush(provenance, false)?;
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
        self.about.fallback_reason.clone_from(&provenance.fallback_reason);
        Ok(Outcome { rows: self.rows, about: self.about })
    }
}

/// The ports the kernel chooses from, where the filter asks for them, or who shows services and
/// gives those ports none.
fn ephemeral_ports(query: &Query) -> Option<RangeInclusive<u16>> {
    let asks = query.filter.as_ref().is_some_and(Filter::asks_for_autobound);
    (asks || query.services).then_some(())?;
    sysctl::read(&query.root).port_range()
}
