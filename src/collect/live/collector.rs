//! A running machine, round by round.

use super::{
    entry::{Entry, Key},
    question::{Attention, Question},
    refresh::{Counted, Detail, Found, Refresh},
    scout::Scout,
};
use crate::{
    collect::{
        namespaces::Namespaces,
        peers,
        query::{Query, Scope, SourceChoice},
        tables::{Provenance, Tables},
    },
    field::{
        need::Need,
        row::{Context, Row, Space},
    },
    filter::{Filter, eval::Truth},
    kernel::{
        cgroup_tree::CgroupTree,
        error::Error,
        names::Names,
        netlink::connection::Next,
        proc::{root::Root, sysctl},
        sock_diag::{exact::Inquiry, request::Extensions},
    },
    model::{
        about::SourceKind,
        closing::{Closing, Refusal},
        netns::NetnsIndex,
        owner::Owners,
        recording::RecordedNames,
        socket::Socket,
        tcp_info::TcpInfo,
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// How long the first round waits for owners: most machines have named them by then, and the first
/// picture is to come within a tenth of a second.
const FIRST: Duration = Duration::from_millis(60);

/// Namespaces come and go: they are looked for again after this long.
const SEARCH: Duration = Duration::from_secs(10);

/// Asks the kernel.
pub struct Collector {
    start: Instant,
    /// Where to look.
    namespaces: Option<Namespaces>,
    /// When that was found.
    found_at: Instant,
    /// For single sockets, by namespace. `None`: netlink is refused there.
    inquiries: HashMap<u32, Option<Inquiry>>,
    /// Whether single sockets can be asked for at all.
    asks: bool,
    scout: Scout,
    /// Names and cgroups learnt so far, and the owners a filter needs.
    context: Context,
    /// Owners found so far.
    owners: Arc<Owners>,
    /// Inodes of the last round.
    there: HashSet<u64>,
    rounds: u64,
}

impl Collector {
    /// Begins, in the calling thread's network namespace.
    pub fn new(root: &Root, source: SourceChoice, start: Instant) -> Self {
        Self {
            start,
            namespaces: None,
            found_at: start,
            inquiries: HashMap::new(),
            asks: root.is_live() && source != SourceChoice::Proc,
            scout: Scout::start(root.clone(), source != SourceChoice::Proc),
            context: Context { names: Names::new(root), ..Context::default() },
            owners: Arc::new(Owners::default()),
            there: HashSet::new(),
            rounds: 0,
        }
    }

    /// A whole round: every socket.
    pub fn round(&mut self, question: &Question) -> Result<Refresh, Error> {
        let start = Instant::now();
        let mut query = question.query.clone();
        let sums = question.attention == Attention::All;
        if sums {
            query.need = query.need.with(Need::TCP_INFO);
        }
        let mut namespaces = self.find_namespaces(&query)?;
        self.context.peers =
            query.need.includes(Need::PEERS).then(|| peers::find(&query, &mut namespaces).0);
        let found = self.owners(question);
        let mut refresh = self.begun(question, found);
        let mut entries = vec![];
        let mut provenance = Provenance::default();
        let (context, inquiries, asks) = (&mut self.context, &mut self.inquiries, self.asks);
        let told = namespaces.visit(&query, |index, query| {
            learn_space(context, index, query);
            let inode = context.space(index).and_then(|space| space.netns.inode);
            let mut tables = Tables::open(query)?;
            let read = tables.read(index, |socket, _| {
                if query.wants(socket) {
                    match takes(context, query, socket) {
                        Truth::Yes => {
                            let entry = Entry::of(socket, inode);
                            if let Some(info) = counters(&entry, socket).filter(|_| sums) {
                                refresh.counted.push((entry.key, Counted::of(info)));
                            }
                            entries.push(entry);
                        }
                        Truth::No => {}
                        Truth::Unknown => refresh.unanswered += 1,
                    }
                }
                Next::More
            });
            provenance.absorb(tables.provenance);
            let netns = inode.and_then(|inode| u32::try_from(inode).ok()).unwrap_or(0);
            inquiries.entry(netns).or_insert_with(|| asks.then(Inquiry::open).and_then(Result::ok));
            read.map(|()| Next::More)
        });
        refresh.gaps = namespaces.gaps();
        refresh.namespaces = self.context.spaces.iter().map(|space| space.netns.clone()).collect();
        self.namespaces = Some(namespaces);
        told?;
        refresh.source = provenance.kind.unwrap_or(SourceKind::Netlink);
        refresh.fallback_reason = provenance.fallback_reason;
        refresh.gaps.extend(provenance.gaps);
        self.there.clear();
        if question.wants_owners() {
            let inodes = entries.iter().filter_map(|entry| entry.inode);
            self.there.extend(inodes.map(|inode| u64::from(inode.get())));
        }
        refresh.entries = Some(entries);
        self.look_at_rows(question, &mut refresh);
        self.rounds += 1;
        refresh.cost = start.elapsed();
        Ok(refresh)
    }

    /// Only what is on the screen: after scrolling, without walking the table.
    pub fn glance(&mut self, question: &Question) -> Refresh {
        let start = Instant::now();
        let found = self.owners(question);
        let mut refresh = self.begun(question, found);
        self.look_at_rows(question, &mut refresh);
        refresh.cost = start.elapsed();
        refresh
    }

    fn begun(&self, question: &Question, found: Option<Found>) -> Refresh {
        Refresh {
            question: question.number,
            at: self.start.elapsed(),
            time: SystemTime::now(),
            entries: None,
            unanswered: 0,
            counted: vec![],
            found,
            detail: None,
            source: SourceKind::Netlink,
            fallback_reason: None,
            gaps: vec![],
            namespaces: vec![],
            cost: Duration::ZERO,
        }
    }

    /// Where to look: one namespace, or every one there is now.
    fn find_namespaces(&mut self, query: &Query) -> Result<Namespaces, Error> {
        let lasts = query.scope == Scope::Here || self.found_at.elapsed() < SEARCH;
        if let Some(known) = self.namespaces.take().filter(|_| lasts) {
            return Ok(known);
        }
        let namespaces = Namespaces::of(query)?;
        self.context.spaces = namespaces.spaces();
        self.found_at = Instant::now();
        Ok(namespaces)
    }

    /// Sends for owners where somebody is nameless, and gives those that were found.
    fn owners(&mut self, question: &Question) -> Option<Found> {
        let by_owner = question.query.filters_by_owner();
        let inodes = &question.unresolved.inodes;
        if self.scout.is_free() && question.wants_owners() {
            // A filter by owner is asked of sockets that are not known yet: of all.
            let wanted = (!by_owner).then(|| inodes.iter().copied().collect::<HashSet<u64>>());
            let here = self.context.spaces.first().and_then(|space| space.netns.inode);
            let netns = here.filter(|_| question.query.scope == Scope::Here);
            self.scout.send(wanted, netns);
        }
        let patience = if self.rounds < 2 { FIRST } else { Duration::ZERO };
        let found = self.scout.found(patience)?;
        if found.asked.is_none() {
            self.context.owners = Owners::clone(&found.owners);
        }
        self.owners = Arc::new(merged(&self.owners, &found, &self.there));
        Some(Found { owners: Arc::clone(&self.owners), ..found })
    }

    /// Asks about single sockets. One that is gone is told of by the next round.
    fn look_at_rows(&mut self, question: &Question, refresh: &mut Refresh) {
        if let Attention::Rows(rows) = &question.attention {
            for entry in rows.iter().filter(|entry| entry.has_counters()) {
                let socket = self.single(entry, Extensions::INFO);
                if let Some(info) = socket.as_ref().and_then(|socket| counters(entry, socket)) {
                    refresh.counted.push((entry.key, Counted::of(info)));
                }
            }
        }
        if let Some(entry) = &question.detail {
            // From /proc, or between two listeners of one port: what the round told.
            let socket = self.single(entry, Extensions::OPEN).unwrap_or_else(|| entry.socket());
            refresh.detail = Some(Box::new(self.detail(entry.key, socket)));
        }
    }

    /// Closes a socket, in the network namespace where it is.
    pub fn close(&mut self, entry: &Entry) -> Result<Closing, Error> {
        match self.inquiries.get_mut(&entry.key.netns) {
            Some(Some(inquiry)) => inquiry.close(&entry.socket()),
            // The table was read from /proc.
            _ if self.context.spaces.len() < 2 => Inquiry::open()?.close(&entry.socket()),
            _ => Ok(Closing::Refused(Refusal::Unsupported)),
        }
    }

    fn single(&mut self, entry: &Entry, extensions: Extensions) -> Option<Socket> {
        let identity = entry.identity()?;
        let inquiry = self.inquiries.get_mut(&entry.key.netns)?.as_mut()?;
        let found = inquiry.find_with(identity, extensions);
        if found.is_err() {
            // A connection that failed is not asked again: the next round opens another.
            self.inquiries.remove(&entry.key.netns);
        }
        found.ok()?
    }

    /// A socket with its owners and the names that belong to it.
    fn detail(&mut self, key: Key, mut socket: Socket) -> Detail {
        learn(&mut self.context, Need::USERS.with(Need::CGROUPS), &socket);
        let is_its =
            |space: &&Space| space.netns.inode.is_some_and(|inode| inode == u64::from(key.netns));
        let spaces = &self.context.spaces;
        let space = spaces.iter().find(is_its).or(spaces.first()).cloned();
        socket.netns = NetnsIndex::FIRST;
        let known = &self.context.names;
        let user = socket.uid.and_then(|uid| Some((uid, known.user(uid)?.to_owned())));
        let path = |id| Some((id, self.context.cgroups.path(id)?.to_owned()));
        let paths: BTreeMap<u64, String> = socket.cgroup_id.and_then(path).into_iter().collect();
        let known = RecordedNames { users: user.into_iter().collect(), ..RecordedNames::default() };
        let mut names = Names::recorded();
        names.add_recorded(NetnsIndex::FIRST, &known);
        let context = Context {
            owners: self.owners.among(socket.inode),
            names,
            cgroups: CgroupTree::recorded(&paths),
            spaces: space.into_iter().collect(),
            ..Context::default()
        };
        Detail { key, socket, context }
    }
}

/// Whether the filter takes a socket.
fn takes(context: &mut Context, query: &Query, socket: &Socket) -> Truth {
    if query.filter.is_none() {
        return Truth::Yes;
    }
    learn(context, query.need, socket);
    query.takes(Row { socket, context })
}

fn learn(context: &mut Context, need: Need, socket: &Socket) {
    if let Some(uid) = socket.uid.filter(|_| need.includes(Need::USERS)) {
        context.names.learn_user(uid);
    }
    if let Some(id) = socket.cgroup_id.filter(|_| need.includes(Need::CGROUPS)) {
        context.cgroups.learn(id);
    }
    if socket.interface != 0 {
        context.names.learn_interface(socket.netns, socket.interface);
    }
}

/// Learns what the settings of a namespace say that the filter asks for.
fn learn_space(context: &mut Context, netns: NetnsIndex, query: &Query) {
    let asks = query.filter.as_ref().is_some_and(Filter::asks_for_autobound);
    if let Some(space) = context.spaces.get_mut(netns.at()).filter(|_| asks) {
        space.ephemeral_ports = sysctl::read(&query.root).port_range();
    }
}

/// The counters of a socket that has some.
fn counters<'s>(entry: &Entry, socket: &'s Socket) -> Option<&'s TcpInfo> {
    socket.tcp_info.as_deref().filter(|_| entry.has_counters())
}

/// What was known of owners and what has been found now, of sockets that are still there.
fn merged(known: &Owners, found: &Found, there: &HashSet<u64>) -> Owners {
    let mut all = Owners::default();
    let is_new = |inode: &u64| found.asked.as_ref().is_none_or(|asked| asked.contains(inode));
    for (process, mut sockets) in known.holdings() {
        sockets.retain(|(inode, _)| !is_new(inode) && (there.is_empty() || there.contains(inode)));
        if !sockets.is_empty() {
            all.add(process.clone(), &sockets);
        }
    }
    for (process, sockets) in found.owners.holdings() {
        if !sockets.is_empty() {
            all.add(process.clone(), &sockets);
        }
    }
    all.finished(found.owners.unmatched())
}
