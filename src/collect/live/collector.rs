//! A running machine, round by round.

use super::{
    entry::{Entry, Key},
    question::{Attention, Question},
    refresh::{Counted, Detail, Found, Refresh},
    scout::Scout,
};
use crate::{
    collect::{
        query::{Query, SourceChoice},
        tables::{Provenance, Tables},
    },
    field::{
        need::Need,
        row::{Context, Row},
    },
    filter::eval::Truth,
    kernel::{
        cgroup_tree::CgroupTree,
        error::Error,
        names::Names,
        namespace,
        netlink::connection::Next,
        proc::{root::Root, sysctl},
        sock_diag::{exact::Inquiry, request::Extensions},
    },
    model::{about::SourceKind, netns::Netns, owner::Owners, socket::Socket, tcp_info::TcpInfo},
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// How long the first round waits for owners: most machines have named them by then, and the first
/// picture is to come within a tenth of a second.
const FIRST: Duration = Duration::from_millis(60);

/// Asks the kernel.
pub struct Collector {
    start: Instant,
    netns: Netns,
    /// For single sockets. `None`: netlink is refused, or not wanted.
    single: Option<Inquiry>,
    scout: Scout,
    /// Names and cgroups learnt so far, and the owners a filter needs.
    context: Context,
    /// Owners found so far.
    owners: Arc<Owners>,
    /// Inodes of the last round.
    there: HashSet<u64>,
    root: Root,
    rounds: u64,
}

impl Collector {
    /// Begins, in the calling thread's network namespace.
    pub fn new(root: &Root, source: SourceChoice, start: Instant) -> Self {
        let netns = namespace::current(root);
        let asks = root.is_live() && source != SourceChoice::Proc;
        Self {
            start,
            single: asks.then(Inquiry::open).and_then(Result::ok),
            scout: Scout::start(root.clone(), source != SourceChoice::Proc),
            context: Context {
                names: Names::new(root),
                netns: netns.clone(),
                ephemeral_ports: sysctl::read(root).port_range(),
                ..Context::default()
            },
            netns,
            owners: Arc::new(Owners::default()),
            there: HashSet::new(),
            root: root.clone(),
            rounds: 0,
        }
    }

    /// A whole round: every socket.
    pub fn round(&mut self, question: &Question) -> Result<Refresh, Error> {
        let start = Instant::now();
        let mut query = question.query.clone();
        if question.attention == Attention::All {
            query.need = query.need.with(Need::TCP_INFO);
        }
        let found = self.owners(question);
        let mut refresh = self.begun(question, found);
        let mut entries = vec![];
        let mut tables = Tables::open(&query)?;
        tables.read(|socket, _| {
            if query.wants(socket) {
                match self.takes(&query, socket) {
                    Truth::Yes => {
                        let entry = Entry::of(socket, 0);
                        if question.attention == Attention::All
                            && let Some(info) = counters(socket)
                        {
                            refresh.counted.push((entry.key, Counted::of(info)));
                        }
                        entries.push(entry);
                    }
                    Truth::No => {}
                    Truth::Unknown => refresh.unanswered += 1,
                }
            }
            Next::More
        })?;
        let Provenance { kind, fallback_reason, gaps } = tables.provenance;
        refresh.source = kind.unwrap_or(SourceKind::Netlink);
        refresh.fallback_reason = fallback_reason;
        refresh.gaps = gaps;
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
            cost: Duration::ZERO,
        }
    }

    /// Whether the filter takes a socket.
    fn takes(&mut self, query: &Query, socket: &Socket) -> Truth {
        if query.filter.is_none() {
            return Truth::Yes;
        }
        self.learn(query.need, socket);
        query.takes(Row { socket, context: &self.context })
    }

    fn learn(&mut self, need: Need, socket: &Socket) {
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

    /// Sends for owners where somebody is nameless, and gives those that were found.
    fn owners(&mut self, question: &Question) -> Option<Found> {
        let by_owner = question.query.filters_by_owner();
        let inodes = &question.unresolved.inodes;
        if self.scout.is_free() && question.wants_owners() {
            // A filter by owner is asked of sockets that are not known yet: of all.
            let wanted = (!by_owner).then(|| inodes.iter().copied().collect::<HashSet<u64>>());
            self.scout.send(wanted, self.netns.inode);
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
                if let Some(info) = socket.as_ref().and_then(counters) {
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

    fn single(&mut self, entry: &Entry, extensions: Extensions) -> Option<Socket> {
        let identity = entry.identity()?;
        let found = self.single.as_mut()?.find_with(identity, extensions);
        if found.is_err() {
            // A connection that failed is not asked again; another may do better.
            self.single = Inquiry::open().ok();
        }
        found.ok()?
    }

    /// A socket with its owners and the names that belong to it.
    fn detail(&mut self, key: Key, socket: Socket) -> Detail {
        self.learn(Need::USERS.with(Need::CGROUPS), &socket);
        let mut names = Names::new(&self.root);
        if let Some(uid) = socket.uid {
            names.learn_user(uid);
        }
        if socket.interface != 0 {
            names.learn_interface(socket.interface);
        }
        let path = |id| Some((id, self.context.cgroups.path(id)?.to_owned()));
        let paths: BTreeMap<u64, String> = socket.cgroup_id.and_then(path).into_iter().collect();
        let context = Context {
            owners: self.owners.of(|inode| Some(inode) == socket.inode),
            names,
            cgroups: CgroupTree::recorded(&paths),
            netns: self.netns.clone(),
            ..Context::default()
        };
        Detail { key, socket, context }
    }
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

/// The counters of a socket that has some.
fn counters(socket: &Socket) -> Option<&TcpInfo> {
    socket.tcp_info.as_deref().filter(|_| Entry::of(socket, 0).has_counters())
}
