//! What changed between two snapshots.

use crate::model::{
    counters::Counters,
    endpoint::Endpoint,
    gap::Gap,
    limits::{Limits, Resource},
    name::lossless,
    owner::{Owners, Process},
    protocol::{Family, Protocol},
    recording::Recording,
    settings::Settings,
    socket::Socket,
    state::State,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

/// A socket of one of the two, with its holders then.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The socket.
    pub socket: &'a Socket,
    owners: &'a Owners,
}

impl<'a> Seen<'a> {
    /// Who held it.
    pub fn holders(self) -> impl Iterator<Item = (&'a Process, u32)> {
        let inode = self.socket.inode.filter(|_| self.owners.unmatched().is_some());
        inode.into_iter().flat_map(move |inode| self.owners.holders(inode))
    }
}

/// How many sockets of a state there were and are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateCount {
    /// Protocol.
    pub protocol: Protocol,
    /// State.
    pub state: State,
    /// In the earlier snapshot.
    pub before: usize,
    /// In the later one.
    pub after: usize,
}

/// A counter that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value in the earlier snapshot.
    pub before: u64,
    /// Its value in the later one.
    pub after: u64,
    /// Growth by the time between. `None`: it went back, it is a gauge, or the time is not known.
    pub per_second: Option<f64>,
}

/// A setting that is not what it was. `None`: it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value in the earlier snapshot.
    pub before: Option<&'a str>,
    /// Its value in the later one.
    pub after: Option<&'a str>,
}

/// A limit, or its use, that moved. `None`: unknown, unlimited, or not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitMoved {
    /// Which: an id of `capacity`, or `open-files`, `memory-available`.
    pub id: &'static str,
    /// Of what: a process, a cgroup, the host.
    pub subject: String,
    /// In the earlier snapshot.
    pub before: Option<u64>,
    /// In the later one.
    pub after: Option<u64>,
}

/// What changed.
#[derive(Debug)]
pub struct Diff<'a> {
    /// Time between the two. `None`: the second is not the later one.
    pub elapsed: Option<Duration>,
    /// Sockets by protocol and state.
    pub states: Vec<StateCount>,
    /// Sockets of the later one alone.
    pub born: Vec<Seen<'a>>,
    /// Sockets of the earlier one alone.
    pub gone: Vec<Seen<'a>>,
    /// Sockets of both in another state: as they were and as they are.
    pub changed: Vec<(Seen<'a>, Seen<'a>)>,
    /// Sockets of both in the same state.
    pub unchanged: usize,
    /// Counters that moved.
    pub counters: Vec<Moved<'a>>,
    /// Limits and their use that moved.
    pub limits: Vec<LimitMoved>,
    /// Settings that are not what they were.
    pub settings: Vec<Set<'a>>,
    /// What makes the comparison weaker than it looks.
    pub gaps: Vec<Gap>,
}

/// Compares two snapshots.
///
/// A socket is the same by its cookie, which is unique within a namespace and a boot and is kept
/// into TIME_WAIT; where there is none, or the snapshots are not of the same namespace and boot, by
/// its protocol and addresses.
pub fn compare<'a>(before: &'a Recording, after: &'a Recording) -> Diff<'a> {
    let (a, b) = (&before.snapshot, &after.snapshot);
    let mut gaps = vec![];
    let same_host = same_namespace(before, after, &mut gaps);
    let elapsed = b.about.generated_at.duration_since(a.about.generated_at).ok();
    if elapsed.is_none() {
        gaps.push(Gap::new(
            "later-first",
            "the first snapshot is later than the second; there are no rates",
            "name the earlier one first",
        ));
    }
    let in_one = |protocol: &Protocol| {
        before.protocols.contains(protocol) != after.protocols.contains(protocol)
    };
    let left_out: Vec<&str> =
        Protocol::ALL.into_iter().filter(in_one).map(Protocol::name).collect();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        gaps.push(Gap::new(
            "not-recorded",
            format!("{names} sockets are left out: one of the snapshots has none recorded"),
            "record both with the same options",
        ));
    }
    let both = |s: &&Socket| {
        before.protocols.contains(&s.protocol) && after.protocols.contains(&s.protocol)
    };
    let old: Vec<&Socket> = before.sockets.iter().filter(both).collect();
    let new: Vec<&Socket> = after.sockets.iter().filter(both).collect();
    let was = |socket| Seen { socket, owners: &a.owners };
    let is = |socket| Seen { socket, owners: &b.owners };
    let Pairs { same, gone, born } = pairs(&old, &new, same_host);
    let total = same.len();
    let changed: Vec<_> = same.into_iter().filter(|(x, y)| x.state != y.state).collect();
    Diff {
        elapsed,
        states: states(&old, &new),
        unchanged: total - changed.len(),
        born: born.into_iter().map(is).collect(),
        gone: gone.into_iter().map(was).collect(),
        changed: changed.into_iter().map(|(x, y)| (was(x), is(y))).collect(),
        counters: counters(a.counters(), b.counters(), elapsed.filter(|_| same_host)),
        limits: limits(&a.limits, &b.limits),
        settings: settings(&a.settings, &b.settings),
        gaps,
    }
}

/// Whether two recordings are of one network namespace: by its inode within one boot of a machine,
/// else by its name.
pub fn is_same_namespace(before: &Recording, after: &Recording) -> bool {
    let (a, b) = (&before.snapshot.about.netns, &after.snapshot.about.netns);
    if before.boot_id.is_some() && before.boot_id == after.boot_id && a.inode.is_some() {
        return a.inode == b.inode;
    }
    a.name.is_some() && (&a.name, a.kind) == (&b.name, b.kind)
}

fn same_namespace(before: &Recording, after: &Recording, gaps: &mut Vec<Gap>) -> bool {
    let netns = |r: &Recording| r.snapshot.about.netns.inode;
    let (code, what) = if before.boot_id.is_some()
        && after.boot_id.is_some()
        && before.boot_id != after.boot_id
    {
        ("other-boot", "the snapshots are of two machines, or of one before and after a restart")
    } else if netns(before).is_some() && netns(after).is_some() && netns(before) != netns(after) {
        ("other-namespace", "the snapshots are of two network namespaces")
    } else {
        return true;
    };
    gaps.push(Gap::new(
        code,
        format!("{what}: sockets are compared by address, and counters have no rates"),
        "",
    ));
    false
}

struct Pairs<'a> {
    same: Vec<(&'a Socket, &'a Socket)>,
    gone: Vec<&'a Socket>,
    born: Vec<&'a Socket>,
}

/// A socket without internet addresses is known by its inode.
type Address = (Protocol, Family, Endpoint, Endpoint, Option<u64>);

fn pairs<'a>(old: &[&'a Socket], new: &[&'a Socket], by_cookie: bool) -> Pairs<'a> {
    let cookie = |s: &Socket| s.cookie.filter(|_| by_cookie);
    let known: HashMap<u64, &Socket> = old.iter().filter_map(|s| Some((cookie(s)?, *s))).collect();
    let mut same = Vec::with_capacity(new.len());
    let mut met = std::collections::HashSet::new();
    let mut rest = vec![];
    for socket in new {
        match cookie(socket).and_then(|c| Some((c, *known.get(&c)?))) {
            Some((c, earlier)) if met.insert(c) => same.push((earlier, *socket)),
            _ => rest.push(*socket),
        }
    }
    let unmet = old.iter().filter(|s| cookie(s).is_none_or(|c| !met.contains(&c)));
    // Several sockets can have the same addresses (SO_REUSEPORT): they are paired in order.
    let mut by_address: HashMap<Address, VecDeque<&Socket>> = HashMap::new();
    let mut gone = vec![];
    for socket in unmet {
        by_address.entry(address(socket)).or_default().push_back(socket);
    }
    let mut born = vec![];
    for socket in rest {
        let candidates = by_address.get_mut(&address(socket));
        // Two cookies that differ are two sockets, whatever their addresses.
        let earlier = candidates.and_then(|queue| {
            let fits = |s: &&Socket| cookie(s).is_none() || cookie(socket).is_none();
            queue.iter().position(fits).and_then(|at| queue.remove(at))
        });
        match earlier {
            Some(earlier) => same.push((earlier, socket)),
            None => born.push(socket),
        }
    }
    gone.extend(by_address.into_values().flatten());
    // A map has no order, a report has.
    gone.sort_by_key(|s| (s.protocol, s.local, s.remote, s.inode, s.cookie));
    Pairs { same, gone, born }
}

fn address(socket: &Socket) -> Address {
    let inode = socket.inode.filter(|_| !socket.family.is_inet());
    (socket.protocol, socket.family, socket.local, socket.remote, inode)
}

fn states(old: &[&Socket], new: &[&Socket]) -> Vec<StateCount> {
    let mut counts: BTreeMap<(Protocol, State), (usize, usize)> = BTreeMap::new();
    for socket in old {
        counts.entry((socket.protocol, socket.state)).or_default().0 += 1;
    }
    for socket in new {
        counts.entry((socket.protocol, socket.state)).or_default().1 += 1;
    }
    let count =
        |((protocol, state), (before, after))| StateCount { protocol, state, before, after };
    counts.into_iter().map(count).collect()
}

fn counters<'a>(
    before: Option<&'a Counters>,
    after: Option<&'a Counters>,
    elapsed: Option<Duration>,
) -> Vec<Moved<'a>> {
    let (Some(before), Some(after)) = (before, after) else { return vec![] };
    let seconds = elapsed.map(|time| time.as_secs_f64()).filter(|seconds| *seconds > 0.0);
    let moved = |(name, after): (&'a str, u64)| {
        let before = before.get(name)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
        let rate = |grown: u64| seconds.map(|seconds| grown as f64 / seconds);
        let grown = after.checked_sub(before).filter(|_| !is_gauge(name));
        (before != after).then(|| Moved { name, before, after, per_second: grown.and_then(rate) })
    };
    after.iter().filter_map(moved).collect()
}

/// Whether a value goes up and down, so that a rate would mean nothing (RFC 4022, RFC 4293).
fn is_gauge(name: &str) -> bool {
    name.starts_with("sockstat")
        || matches!(
            name,
            "Ip.Forwarding"
                | "Ip.DefaultTTL"
                | "Tcp.RtoAlgorithm"
                | "Tcp.RtoMin"
                | "Tcp.RtoMax"
                | "Tcp.MaxConn"
                | "Tcp.CurrEstab"
        )
}

fn limits(before: &Limits, after: &Limits) -> Vec<LimitMoved> {
    let mut values: BTreeMap<LimitName, (Option<u64>, Option<u64>)> = BTreeMap::new();
    for (key, value) in known_limits(before) {
        values.entry(key).or_default().0 = value;
    }
    for (key, value) in known_limits(after) {
        values.entry(key).or_default().1 = value;
    }
    let moved = |((id, subject), (before, after))| LimitMoved { id, subject, before, after };
    values.into_iter().filter(|(_, (a, b))| a != b).map(moved).collect()
}

/// Its id and whose it is.
type LimitName = (&'static str, String);
type KnownLimit = (LimitName, Option<u64>);

fn known_limits(limits: &Limits) -> Vec<KnownLimit> {
    let mut known = vec![
        (("memory-available", "host".to_owned()), limits.memory_available_bytes),
        (("memory-total", "host".to_owned()), limits.memory_total_bytes),
    ];
    for process in &limits.processes {
        let subject = || format!("process {} ({})", process.pid, lossless(&process.command));
        known.push((("open-files", subject()), process.open()));
        known.push((("rlimit-nofile", subject()), process.soft));
        known.push((("rlimit-nofile-hard", subject()), process.hard));
    }
    for cgroup in &limits.cgroups {
        let (limit, used) = match cgroup.resource {
            Resource::Memory => ("memory", "memory-used"),
            Resource::Pids => ("pids-max", "pids-used"),
        };
        let subject = || format!("cgroup {}", cgroup.path);
        known.push(((limit, subject()), cgroup.limit));
        known.push(((used, subject()), cgroup.used));
    }
    known
}

fn settings<'a>(before: &'a Settings, after: &'a Settings) -> Vec<Set<'a>> {
    let mut names: Vec<&String> = before.values.keys().chain(after.values.keys()).collect();
    names.sort_unstable();
    names.dedup();
    // What is counted there is no setting: it moves by itself.
    let is_setting = |name: &&&String| {
        !matches!(name.as_str(), "fs.file-nr" | "net.netfilter.nf_conntrack_count")
    };
    let set = |name: &&'a String| Set { name, before: before.text(name), after: after.text(name) };
    names.iter().filter(is_setting).map(set).filter(|set| set.before != set.after).collect()
}
