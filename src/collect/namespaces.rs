//! The network namespaces of a question: which, by what names, and a visit to each.

use super::{
    homes::Homes,
    query::{Query, Scope, SourceChoice},
};
use crate::{
    field::{need::Need, row::Space},
    filter::{Filter, reach::Outside},
    kernel::{
        error::Error,
        namespace::{
            self,
            find::{self, Found},
            mounts,
            place::{Place, Visit, apart},
        },
        netlink::connection::Next,
        proc::{process, root::Root},
    },
    model::{
        gap::Gap,
        netns::{NameKind, Netns, NetnsIndex},
        owner::Process,
    },
};
use nix::unistd::geteuid;
use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

/// Names of namespaces told where none is wanted.
const NAMED: usize = 12;

/// The namespaces of a question, each once.
#[derive(Debug)]
pub struct Namespaces {
    known: Vec<Known>,
    /// What could not be seen of them.
    gaps: Vec<Gap>,
    /// How many were read from /proc, since they could not be entered.
    by_proc: usize,
    /// How many could not be looked into at all, by reason.
    closed: BTreeMap<String, usize>,
}

/// That the filter passes over every namespace there is.
fn none_asked(names: &[String]) -> Gap {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    Gap::new(
        "no-namespace",
        "no network namespace is one the filter asks for, by its name, container or pod",
        format!("namespaces here are {}{more}", shown.join(", ")),
    )
}

/// How visits to namespaces ended.
#[derive(Debug, Default)]
struct Visits {
    looked_into: usize,
    by_proc: usize,
    closed: BTreeMap<String, usize>,
    failed: Option<Error>,
}

impl Visits {
    /// Notes how one ended; whether to go on.
    fn note(&mut self, visit: Visit<Result<Next, Error>>) -> Next {
        let error = match visit {
            Visit::Done(Ok(next)) => {
                self.looked_into += 1;
                return next;
            }
            Visit::Gone => return Next::More,
            Visit::Done(Err(error)) | Visit::Refused(error) => error,
        };
        *self.closed.entry(error.cause.to_string()).or_default() += 1;
        self.failed.get_or_insert(error);
        Next::More
    }
}

/// A namespace of a question.
#[derive(Debug)]
struct Known {
    place: Place,
    space: Space,
    /// Whether rows of it may be wanted; of the others only whom they are connected to.
    is_asked: bool,
}

impl Namespaces {
    /// Finds them.
    pub fn of(query: &Query) -> Result<Self, Error> {
        let root = &query.root;
        let mut namespaces =
            Self { known: vec![], gaps: vec![], by_proc: 0, closed: BTreeMap::new() };
        if query.scope == Scope::Here {
            let here = Place { is_here: true, ..Place::default() };
            let netns = namespace::current(root);
            let space = Space { netns, ..Space::default() };
            namespaces.known.push(Known { place: here, space, is_asked: true });
            return Ok(namespaces);
        }
        let looks_at_sockets = query.source != SourceChoice::Proc;
        let found = find::all(root, looks_at_sockets)?;
        namespaces.gaps.extend(unsought(root, &found));
        let Found { places, stale, processes_hidden, .. } = found;
        if !stale.is_empty() {
            let files: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
            namespaces.gaps.push(Gap::new(
                "namespaces-stale",
                format!("no namespace is behind {}: its mount is gone", files.join(", ")),
                "`ip netns del NAME` removes such a file",
            ));
        }
        if processes_hidden {
            namespaces.gaps.push(Gap::new(
                "namespaces-hidden",
                "processes of other users are hidden (hidepid), and their namespaces with them",
                "run as root",
            ));
        }
        let mut homes = Homes::new(root);
        let filter = query.filter.as_ref();
        let mut names = vec![];
        for place in places {
            let space = seen_from_outside(root, &place, &mut homes);
            names.extend(space.netns.name.clone());
            let may_pass = |filter: &Filter| {
                let asks = filter.asks_for_homes();
                let processes = if asks { distinct(root, &place, &mut homes) } else { vec![] };
                let (netns, names) = (&space.netns, space.names.as_slice());
                filter.may_pass(Outside { netns, names, processes: &processes })
            };
            let is_asked = filter.is_none_or(may_pass);
            if is_asked || query.need.includes(Need::PEERS) {
                namespaces.known.push(Known { place, space, is_asked });
            }
        }
        if !namespaces.known.iter().any(|known| known.is_asked) {
            namespaces.gaps.push(none_asked(&names));
        }
        Ok(namespaces)
    }

    /// What rows are to know of each.
    pub fn spaces(&self) -> Vec<Space> {
        self.known.iter().map(|known| known.space.clone()).collect()
    }

    /// The first: that of this process, where it is among them.
    pub fn first(&self) -> Netns {
        self.known.first().map(|known| known.space.netns.clone()).unwrap_or_default()
    }

    /// The only one: whose processes are looked at first for its sockets' holders.
    pub fn only(&self) -> Option<u64> {
        match self.known.as_slice() {
            [Known { space, .. }] => space.netns.inode,
            _ => None,
        }
    }

    /// The machine's own, where it is among them.
    pub fn host(&self) -> Option<NetnsIndex> {
        let is_host = |known: &Known| known.space.netns.kind == Some(NameKind::Host);
        self.known.iter().position(is_host).map(NetnsIndex::new)
    }

    /// Visits each in turn until one says stop. `each` runs in the namespace it is told, with the
    /// question as it is to be asked there: by /proc alone where the namespace cannot be entered.
    ///
    /// An error only where none could be looked into; one that could not is a gap.
    pub fn visit(
        &mut self,
        query: &Query,
        each: impl FnMut(NetnsIndex, &Query) -> Result<Next, Error> + Send,
    ) -> Result<(), Error> {
        self.visit_some(|known| known.is_asked, query, each)
    }

    /// The same, of those too whose rows are not wanted.
    pub fn visit_every(
        &mut self,
        query: &Query,
        each: impl FnMut(NetnsIndex, &Query) -> Result<Next, Error> + Send,
    ) -> Result<(), Error> {
        self.visit_some(|_| true, query, each)
    }

    fn visit_some(
        &mut self,
        which: fn(&Known) -> bool,
        query: &Query,
        mut each: impl FnMut(NetnsIndex, &Query) -> Result<Next, Error> + Send,
    ) -> Result<(), Error> {
        let mut visits = Visits::default();
        let known = self.known.iter().enumerate().filter(|(_, known)| which(known));
        let known: Vec<(usize, &Place)> = known.map(|(at, known)| (at, &known.place)).collect();
        let mut rest = known.as_slice();
        let mut visit = |(at, place): &(usize, &Place)| {
            let index = NetnsIndex::new(*at);
            let visit = match place {
                _ if !query.root.is_live() => Visit::Done(each(index, &from_outside(query, place))),
                Place { is_here: true, .. } => Visit::Done(each(index, query)),
                place => place.enter(|| each(index, query)),
            };
            let visit = match (visit, place.pids.first()) {
                (Visit::Refused(_), Some(_)) if query.source != SourceChoice::Netlink => {
                    visits.by_proc += 1;
                    Visit::Done(each(index, &from_outside(query, place)))
                }
                (visit, _) => visit,
            };
            visits.note(visit)
        };
        // One thread goes from namespace to namespace; who is to stay in this one is another.
        while let Some((_, first)) = rest.first() {
            let number =
                rest.iter().take_while(|(_, place)| place.is_here == first.is_here).count();
            let (together, others) = rest.split_at(number);
            let mut all = || together.iter().all(|known| visit(known) == Next::More);
            let goes_on = if first.is_here { all() } else { apart(all) };
            rest = if goes_on { others } else { &[] };
        }
        (self.by_proc, self.closed) = (visits.by_proc, visits.closed);
        match visits.failed {
            Some(error) if visits.looked_into == 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// What could not be seen, as far as the visits were.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        let hint = if geteuid().is_root() {
            "entering needs CAP_SYS_ADMIN in the user namespace that owns it"
        } else {
            "run as root"
        };
        if self.by_proc > 0 {
            gaps.push(Gap::new(
                "namespaces-by-proc",
                format!(
                    "{} could not be entered and came from /proc, without queue limits, cookies \
                     and TCP details",
                    counted(self.by_proc)
                ),
                hint,
            ));
        }
        for (reason, count) in &self.closed {
            gaps.push(Gap::new(
                "namespaces-closed",
                format!("{} could not be looked into: {reason}", counted(*count)),
                hint,
            ));
        }
        gaps
    }
}

fn counted(number: usize) -> String {
    match number {
        1 => "1 network namespace".to_owned(),
        n => format!("{n} network namespaces"),
    }
}

/// The question for a namespace that is looked into through one of its processes. Of another
/// machine's tree, which has no such processes here, whatever `net` it has.
fn from_outside(query: &Query, place: &Place) -> Query {
    let root = match place.pids.first() {
        Some(pid) => query.root.with_tables_of(*pid),
        None => query.root.clone(),
    };
    Query { source: SourceChoice::Proc, root, ..query.clone() }
}

/// What is known of a namespace without entering it.
fn seen_from_outside(root: &Root, place: &Place, homes: &mut Homes) -> Space {
    let in_directory = |path: &&PathBuf| path.parent().is_some_and(mounts::keeps_names);
    let names = place.files.iter().filter(in_directory).filter_map(|path| file_name(path));
    let mut names: Vec<String> = names.collect();
    let is_host = place.pids.first() == Some(&1) && !process::is_inner_pid_namespace(root);
    let first = place.pids.first().copied().filter(|_| !is_host);
    let holder = place.kept.as_ref().map(|kept| kept.pid);
    let first = first.or(holder).map(|pid| {
        let mut process = process::read(root, pid);
        homes.name(&mut process);
        process
    });
    let netns = named(place, is_host, first.as_ref());
    names.extend(netns.name.clone());
    // Who only holds a socket of it lives elsewhere.
    let first = first.filter(|_| place.kept.is_none());
    let resident = first.filter(|process| process.container.is_some() || process.pod.is_some());
    let resident = resident.map(|process| in_common(root, place, homes, process));
    Space { netns, names, resident, ephemeral_ports: None }
}

/// What the processes of a namespace have in common: containers of a pod share one.
fn in_common(root: &Root, place: &Place, homes: &mut Homes, first: Process) -> Process {
    let mut common = first;
    for process in distinct(root, place, homes) {
        if process.container != common.container {
            common.container = None;
        }
        if process.pod != common.pod {
            common.pod = None;
        }
        if process.cgroup != common.cgroup {
            common.cgroup = None;
        }
    }
    common
}

/// One process of each cgroup in a namespace.
fn distinct(root: &Root, place: &Place, homes: &mut Homes) -> Vec<Process> {
    let mut seen = HashSet::new();
    let mut processes = vec![];
    for pid in &place.pids {
        let cgroup = process::cgroup_path(root, *pid);
        if seen.insert(cgroup) {
            let mut process = process::read(root, *pid);
            homes.name(&mut process);
            processes.push(process);
        }
    }
    processes
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

/// The name of a namespace: what people called it, else what is in it.
fn named(place: &Place, is_host: bool, first: Option<&Process>) -> Netns {
    let netns = Netns { inode: place.inode, ..Netns::default() };
    let given =
        place.files.iter().filter(|path| path.parent() == Some(Path::new(namespace::NAMED)));
    if let Some(name) = given.filter_map(|path| file_name(path)).find(|name| !is_made_up(name)) {
        return netns.named(name, NameKind::Named);
    }
    if is_host {
        return netns.named("host", NameKind::Host);
    }
    let Some(process) = first else {
        return match place.files.first() {
            Some(path) => {
                let name = file_name(path).unwrap_or_else(|| path.display().to_string());
                netns.named(name, NameKind::Mount)
            }
            None => netns,
        };
    };
    if place.kept.is_some() {
        return netns.named(called(process), NameKind::Socket);
    }
    // A session's scope says who started it, not what it is; a service has the namespace to itself.
    let is_service = |unit: &&String| unit.ends_with(".service") && !unit.starts_with("user@");
    match (&process.pod, &process.container, process.unit.as_ref().filter(is_service)) {
        (Some(pod), ..) => netns.named(pod, NameKind::Pod),
        (None, Some(container), _) => netns.named(container, NameKind::Container),
        (None, None, Some(unit)) => netns.named(unit, NameKind::Unit),
        (None, None, None) => netns.named(called(process), NameKind::Process),
    }
}

/// `nginx[811]`.
fn called(process: &Process) -> String {
    format!("{}[{}]", String::from_utf8_lossy(&process.command), process.pid)
}

/// What is not known of namespaces that only a socket keeps.
fn unsought(root: &Root, found: &Found) -> Option<Gap> {
    if !found.looked_at_sockets {
        return root.is_live().then(|| {
            Gap::new(
                "namespaces-unsought",
                "network namespaces that nothing but a socket keeps were not looked for",
                "run as root, on Linux 5.11 or later, without --source proc",
            )
        });
    }
    (found.closed > 0).then(|| {
        Gap::new(
            "namespaces-unsought",
            format!("no way led into {} that only a socket keeps", counted(found.closed)),
            "it may have ended meanwhile; else run with all capabilities",
        )
    })
}

/// Whether a name is one that a container runtime made up: `cni-` and a UUID (containerd, CRI-O),
/// `netns-` and a UUID (podman).
fn is_made_up(name: &str) -> bool {
    ["cni-", "netns-"].iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == 36 && rest.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
        })
    })
}
