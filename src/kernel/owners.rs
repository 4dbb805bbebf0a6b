//! Who holds which socket, found the cheapest way there is: by /proc where few descriptors have to
//! be looked at, by BPF where they are many and the kernel lets us.

use super::{
    bpf::task_file::{Choose, Held, Walk, Witness, may_walk},
    error::Error,
    proc::{
        descriptors::{self, Share},
        process,
        root::Root,
    },
};
use crate::model::owner::{Owners, Unowned};
use nix::errno::Errno;
use std::{
    collections::{BTreeSet, HashSet},
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How far a look-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many percent of the descriptors were looked at.
    Percent(u8),
    /// It has ended: what was told of it is to be taken back.
    Over,
}

impl Progress {
    fn of(done: u64, total: u64) -> Self {
        let percent = done.saturating_mul(100) / total.max(1);
        Self::Percent(u8::try_from(percent).unwrap_or(100).min(99))
    }
}

/// What to look for.
#[derive(Debug)]
pub struct Wanted {
    /// Inodes to find. `None`: every socket of the namespace.
    pub inodes: Option<HashSet<u64>>,
    /// The namespace the sockets belong to. Its processes are all read, since a socket may have
    /// several holders. Those of other namespaces are read only while an inode has none: a
    /// descriptor can be passed to them, but they may be many (a container host).
    pub netns: Option<u64>,
    /// When to stop with what was found.
    pub deadline: Option<Instant>,
    /// Whether BPF may be used: not where /proc alone was asked for.
    pub may_use_bpf: bool,
    /// Whom to tell how far it is, when it takes longer than a second.
    pub progress: Option<fn(Progress)>,
}

/// What a look-up found.
#[derive(Debug, Default)]
pub struct Found {
    /// Holders by inode.
    pub owners: Owners,
    /// Processes whose descriptors could not be read.
    pub unreadable: usize,
    /// Whether processes of other users are not even listed (`hidepid=2`).
    pub processes_hidden: bool,
    /// Whether the look-up ended at its deadline.
    pub cut_short: bool,
}

/// Looks owners up.
pub fn look_up(root: &Root, wanted: &Wanted) -> Result<Found, Error> {
    let inner_pids = process::is_inner_pid_namespace(root);
    let found = find(root, wanted, inner_pids)?;
    let unmatched = if found.cut_short {
        Unowned::Deadline
    } else if found.unreadable > 0 || found.processes_hidden {
        Unowned::Permission
    } else if inner_pids {
        Unowned::OtherPidNamespace
    } else {
        Unowned::Kernel
    };
    Ok(Found { owners: found.owners.finished(Some(unmatched)), ..found })
}

/// What each way costs, in nanoseconds (measured on 6.18; what matters is their ratio): a process and
/// a descriptor by /proc, a walk's preparation, and one of its files.
pub(super) const PROCESS_NS: u64 = 8_000;
pub(super) const DESCRIPTOR_NS: u64 = 3_600;
const WALK_NS: u64 = 2_000_000;
pub(super) const WALKED_FILE_NS: u64 = 350;

fn find(root: &Root, wanted: &Wanted, inner_pids: bool) -> Result<Found, Error> {
    let pids = process::pids(root)?;
    let files = open_files(root);
    let mut may_walk = wanted.may_use_bpf && may_walk(root);
    let mut walk_instead_of = |processes: usize, descriptors: u64| {
        let by_proc = PROCESS_NS * processes as u64 + DESCRIPTOR_NS * descriptors;
        if !may_walk || by_proc < WALK_NS + WALKED_FILE_NS * files {
            return None;
        }
        let found = by_bpf(root, wanted, inner_pids);
        // Refused once is refused.
        may_walk = found.is_some();
        found
    };
    if let Some(found) = walk_instead_of(pids.len(), 0) {
        return Ok(found);
    }
    // Process 1 exists in every pid namespace; where it is not listed, hidepid hides it.
    let processes_hidden = pids.first() != Some(&1);
    let (same, other): (Vec<u32>, Vec<u32>) = pids
        .into_iter()
        .partition(|pid| wanted.netns.is_none() || process::netns(root, pid) == wanted.netns);
    let search = Search::new(root, wanted);
    for (pids, is_own) in [(same, true), (other, false)] {
        if !is_own && search.is_complete() {
            break;
        }
        let counts: Vec<(u32, u64)> =
            pids.iter().map(|pid| (*pid, descriptors::count(root, *pid))).collect();
        let sum = counts.iter().map(|(_, count)| count).sum();
        // A kernel that does not tell: as many as there are.
        let sum = if sum == 0 && !counts.is_empty() { files } else { sum };
        if let Some(found) = walk_instead_of(counts.len(), sum) {
            return Ok(found);
        }
        search.read(&descriptors::shares(counts), is_own);
    }
    Ok(Found { processes_hidden, ..search.found() })
}

/// A search of /proc.
struct Search<'a> {
    root: &'a Root,
    wanted: &'a Wanted,
    state: Mutex<State>,
}

/// What the threads of a search have found together.
struct State {
    owners: Owners,
    unreadable: BTreeSet<u32>,
    /// Inodes without a holder yet.
    missing: Option<HashSet<u64>>,
    cut_short: bool,
    /// Descriptors looked at, and how many there are.
    done: u64,
    total: u64,
    /// When the next word about it is due.
    word_due: Instant,
    /// Whether there was one, which then has to be taken back.
    told: bool,
}

/// A look-up that takes longer than this says how far it is, and then so often.
const SILENCE: Duration = Duration::from_secs(1);
const WORD: Duration = Duration::from_millis(200);

impl<'a> Search<'a> {
    fn new(root: &'a Root, wanted: &'a Wanted) -> Self {
        let state = State {
            owners: Owners::default(),
            unreadable: BTreeSet::new(),
            missing: wanted.inodes.clone(),
            cut_short: false,
            done: 0,
            total: 0,
            word_due: Instant::now() + SILENCE,
            told: false,
        };
        Self { root, wanted, state: Mutex::new(state) }
    }

    /// Reads these descriptors; with `all` also after every inode has a holder, since it may have
    /// several.
    fn read(&self, shares: &[Share], all: bool) {
        self.with(|state| state.total += shares.iter().map(|share| share.weight).sum::<u64>());
        let each = |share: &Share, read: nix::Result<Vec<(u64, u32)>>| match read {
            Ok(sockets) => self.take(share, sockets),
            Err(Errno::EACCES | Errno::EPERM) => {
                self.with(|state| _ = state.unreadable.insert(share.pid));
            }
            // It ended while we looked.
            Err(_) => {}
        };
        descriptors::read(self.root, shares, each, || {
            if self.wanted.deadline.is_some_and(|end| Instant::now() >= end) {
                self.with(|state| state.cut_short = true);
                return ControlFlow::Break(());
            }
            if all || !self.is_complete() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
    }

    fn take(&self, share: &Share, mut sockets: Vec<(u64, u32)>) {
        if let Some(inodes) = &self.wanted.inodes {
            sockets.retain(|(inode, _)| inodes.contains(inode));
        }
        let process = (!sockets.is_empty()).then(|| process::read(self.root, share.pid));
        self.with(|state| {
            if let Some(process) = process {
                state.owners.add(process, &sockets);
            }
            if let Some(missing) = &mut state.missing {
                for (inode, _) in &sockets {
                    missing.remove(inode);
                }
            }
            state.done += share.weight;
            let now = Instant::now();
            if let Some(tell) = self.wanted.progress.filter(|_| now >= state.word_due) {
                state.word_due = now + WORD;
                state.told = true;
                tell(Progress::of(state.done, state.total));
            }
        });
    }

    /// Whether every inode that was wanted has a holder, or time is over.
    fn is_complete(&self) -> bool {
        self.with(|state| state.cut_short || state.missing.as_ref().is_some_and(HashSet::is_empty))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn found(self) -> Found {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(tell) = self.wanted.progress.filter(|_| state.told) {
            tell(Progress::Over);
        }
        Found {
            owners: state.owners,
            unreadable: state.unreadable.len(),
            processes_hidden: false,
            cut_short: state.cut_short,
        }
    }
}

/// A walk inside the kernel, over every process whatever its namespaces and rights. `None`: it was
/// refused, or did not come by a socket of our own.
fn by_bpf(root: &Root, wanted: &Wanted, inner_pids: bool) -> Option<Found> {
    let mut witness = Witness::new().ok()?;
    let is_ours = |netns| process::netns(root, "thread-self") == Some(netns);
    let comes_by = wanted.netns.is_none_or(is_ours);
    let walk = Walk::begin(Choose { netns: wanted.netns, inner_pids })?;
    let mut owners = Owners::default();
    // Descriptors of a process come one after the other.
    let mut pid = 0;
    let mut sockets: Vec<(u64, u32)> = vec![];
    let each = |held: Held| {
        let is_wanted = wanted.inodes.as_ref().is_none_or(|wanted| wanted.contains(&held.inode));
        if witness.is(held) || !is_wanted {
            return;
        }
        if pid != held.pid && !sockets.is_empty() {
            owners.add(process::read(root, pid), &sockets);
            sockets.clear();
        }
        pid = held.pid;
        sockets.push((held.inode, held.fd));
    };
    let in_time = || match wanted.deadline {
        Some(end) if Instant::now() >= end => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let cut_short = walk.run(each, in_time).ok()?.is_break();
    if !sockets.is_empty() {
        owners.add(process::read(root, pid), &sockets);
    }
    let is_credible = cut_short || !comes_by || witness.was_seen();
    is_credible.then_some(Found { owners, cut_short, ..Found::default() })
}

/// How many files are open on the machine (`fs.file-nr`), about as many as a walk looks at.
pub(super) fn open_files(root: &Root) -> u64 {
    let line = root.read_line("sys/fs/file-nr").unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX >> 20)
}
