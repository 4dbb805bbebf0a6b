//! Who holds a socket.

use super::cgroup;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

/// In place of a descriptor's number, where only the process is known.
pub const UNKNOWN_FD: u32 = u32::MAX;

/// A process that holds sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Process id, as seen from the /proc that was read.
    pub pid: u32,
    /// `comm`, at most 15 bytes, exactly as the process set it: not always UTF-8.
    pub command: Vec<u8>,
    /// systemd unit, from the cgroup path (`nginx.service`).
    pub unit: Option<String>,
    /// Container, by the name its runtime gave it where a file of the host tells it, else the first
    /// twelve characters of the id in the cgroup path.
    pub container: Option<String>,
    /// Pod, as `NAMESPACE/NAME` where a file of the host tells it, else its uid in the cgroup path.
    pub pod: Option<String>,
    /// Cgroup path; on a host with cgroup v1 that of the systemd hierarchy.
    pub cgroup: Option<String>,
}

impl Process {
    /// The whole id of its container. `None`: it is in none, or its path has a name instead.
    pub fn container_id(&self) -> Option<&str> {
        self.cgroup.as_deref().and_then(cgroup::container_id)
    }
}

/// A thread of a process that holds sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id; that of the first is the process's.
    pub tid: u32,
    /// Its name, as the process's command.
    pub command: Vec<u8>,
}

/// What is learnt of holders only where it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Threads by process id, in the order of their own.
    pub threads: HashMap<u32, Vec<Thread>>,
    /// SELinux contexts of processes.
    pub contexts: HashMap<u32, String>,
    /// SELinux contexts of sockets, by inode.
    pub socket_contexts: HashMap<u64, String>,
}

/// Why a socket has no process to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unowned {
    /// A mini-socket: the kernel keeps neither inode nor uid of who closed it.
    TimeWait,
    /// Closed by its process; the kernel finishes the close alone.
    Orphan,
    /// The handshake is done and no process has called `accept(2)`.
    NotAccepted,
    /// A request socket: no process has it yet.
    SynReceived,
    /// Every descriptor of every process was seen and none is this socket: the kernel's own, an
    /// io_uring registered file, or one in flight between processes.
    Kernel,
    /// Descriptors of some processes could not be read.
    Permission,
    /// Processes of an outer pid namespace are not in this /proc.
    OtherPidNamespace,
    /// Owners were not looked up.
    NotAsked,
    /// The look-up ended at its deadline.
    Deadline,
}

impl Unowned {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::TimeWait,
        Self::Orphan,
        Self::NotAccepted,
        Self::SynReceived,
        Self::Kernel,
        Self::Permission,
        Self::OtherPidNamespace,
        Self::NotAsked,
        Self::Deadline,
    ];

    /// The word in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeWait => "time-wait",
            Self::Orphan => "orphan",
            Self::NotAccepted => "not-accepted",
            Self::SynReceived => "syn-received",
            Self::Kernel => "kernel",
            Self::Permission => "permission",
            Self::OtherPidNamespace => "other-pid-namespace",
            Self::NotAsked => "not-asked",
            Self::Deadline => "deadline",
        }
    }

    /// One line for the manual.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::TimeWait => "a TIME_WAIT or orphan FIN_WAIT_2: the kernel forgets who closed it",
            Self::Orphan => "closed by its process; the kernel finishes the close alone",
            Self::NotAccepted => "the handshake is done and no process has called accept(2)",
            Self::SynReceived => "the handshake is not done; no process has it yet",
            Self::Kernel => {
                "every descriptor was seen and none is this socket: the kernel's own, an io_uring \
                 file, or one in flight between processes"
            }
            Self::Permission => "descriptors of some processes could not be read",
            Self::OtherPidNamespace => "its process may be outside the pid namespace of this /proc",
            Self::NotAsked => "owners were not asked for: no -p, no column of owners",
            Self::Deadline => "the look-up ended at --owner-deadline",
        }
    }
}

/// One descriptor that is a socket. 16 bytes: a host can have millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Descriptor {
    /// Inode of the socket.
    pub inode: u64,
    /// Index of the process in [`Owners`].
    process: u32,
    /// Descriptor number.
    pub fd: u32,
}

/// What a look-up of owners found, by socket inode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// By process id, once the look-up is finished.
    processes: Vec<Process>,
    /// Sorted by inode, process, descriptor.
    descriptors: Vec<Descriptor>,
    drawers: Drawers,
    /// What a socket with an inode and without a descriptor means after this look-up.
    unmatched: Option<Unowned>,
    /// What was asked for beyond the processes.
    pub particulars: Particulars,
    by_pid: HashMap<u32, u32>,
    sampling: Option<Sampling>,
    /// Of a sample: bits by inode, for those that are held. A hundred thousand rows ask, few are.
    held: Vec<u64>,
}

/// How a part of the descriptors was chosen, where not every one was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Processes with so many descriptors that only some were looked at. Of the others all were.
    pub processes: BTreeSet<u32>,
    /// The first so many were looked at in any case.
    pub first: u32,
    /// Of the rest one of so many.
    pub every: u32,
}

/// Bits of a sample, in the first cache of a processor: a sample of a million descriptors has thousands.
const BITS: usize = 1 << 16;

/// The bit of an inode, and the word it is in: the lowest bits, of numbers the kernel counts up.
#[inline]
fn bit_of(inode: u64) -> (usize, u64) {
    let bit = inode % BITS as u64;
    (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
}

/// Where in the sorted descriptors to look for an inode: inodes are numbers the kernel counts up, so
/// their upper bits divide them about evenly. Every row of a listing asks; a search over a million
/// descriptors would miss the cache twenty times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Drawers {
    first: u64,
    shift: u32,
    /// Where each drawer begins, and at the end where the last one ends.
    starts: Vec<u32>,
}

impl Drawers {
    /// Divides descriptors so that a drawer has about eight.
    fn of(descriptors: &[Descriptor]) -> Self {
        let (Some(first), Some(last)) = (descriptors.first(), descriptors.last()) else {
            return Self::default();
        };
        let first = first.inode;
        let wanted = descriptors.len() as u64 / 8 + 1;
        let shift =
            ((last.inode - first) / wanted).checked_ilog2().map_or(0, |log| (log + 1).min(63));
        let place = |inode: u64| usize::try_from((inode - first) >> shift).unwrap_or(0);
        let mut starts = Vec::with_capacity(place(last.inode) + 2);
        for (index, descriptor) in descriptors.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            while starts.len() <= place(descriptor.inode) {
                starts.push(index);
            }
        }
        starts.push(u32::try_from(descriptors.len()).unwrap_or(u32::MAX));
        Self { first, shift, starts }
    }

    /// The drawer an inode would be in.
    fn of_inode(&self, inode: u64) -> Option<Range<usize>> {
        let drawer = usize::try_from(inode.checked_sub(self.first)? >> self.shift).ok()?;
        let (start, end) = (self.starts.get(drawer)?, self.starts.get(drawer + 1)?);
        Some(*start as usize..*end as usize)
    }
}

impl Owners {
    /// Adds a process with the sockets it holds as (inode, descriptor); more of them where it was
    /// added before.
    pub fn add(&mut self, process: Process, sockets: &[(u64, u32)]) {
        let next = u32::try_from(self.processes.len()).unwrap_or(u32::MAX);
        let index = *self.by_pid.entry(process.pid).or_insert(next);
        if index == next {
            self.processes.push(process);
        }
        self.descriptors.extend(sockets.iter().map(|&(inode, fd)| Descriptor {
            inode,
            process: index,
            fd,
        }));
    }

    /// Ends the look-up: sorts, and fixes what "not found" means (`None`: nothing was looked up).
    #[must_use]
    pub fn finished(mut self, unmatched: Option<Unowned>) -> Self {
        self.number_by_pid();
        self.descriptors.sort_unstable();
        // Threads with descriptors of their own are told one by one.
        self.descriptors.dedup();
        self.drawers = Drawers::of(&self.descriptors);
        self.unmatched = unmatched;
        self
    }

    /// Numbers the processes by their ids, in whatever order they were found.
    fn number_by_pid(&mut self) {
        if self.processes.is_sorted_by_key(|process| process.pid) {
            return;
        }
        let before: Vec<u32> = self.processes.iter().map(|process| process.pid).collect();
        self.processes.sort_by_key(|process| process.pid);
        let numbered = self.processes.iter().zip(0u32..);
        self.by_pid = numbered.map(|(process, number)| (process.pid, number)).collect();
        for descriptor in &mut self.descriptors {
            let pid = before.get(descriptor.process as usize);
            if let Some(number) = pid.and_then(|pid| self.by_pid.get(pid)) {
                descriptor.process = *number;
            }
        }
    }

    /// The same, with these sockets alone and the processes that hold them.
    #[must_use]
    pub fn among(&self, inodes: impl IntoIterator<Item = u64>) -> Self {
        let mut held: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
        let mut inodes: Vec<u64> = inodes.into_iter().collect();
        inodes.sort_unstable();
        inodes.dedup();
        for inode in inodes {
            for descriptor in self.descriptors_for(inode) {
                held.entry(descriptor.process).or_default().push((inode, descriptor.fd));
            }
        }
        let mut owners = Self::default();
        for (index, sockets) in held {
            if let Some(process) = self.processes.get(index as usize) {
                owners.add(process.clone(), &sockets);
            }
        }
        owners.finished(self.unmatched)
    }

    /// The same with those of another look-up of the same moment, of other sockets.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (process, sockets) in other.holdings() {
            self.add(process.clone(), &sockets);
        }
        let unmatched = self.unmatched.or(other.unmatched);
        self.finished(unmatched)
    }

    /// Whether some process holds the socket.
    #[inline]
    pub fn holds(&self, inode: u64) -> bool {
        let (word, bit) = bit_of(inode);
        let may_be_held = self.held.get(word).is_none_or(|word| word & bit != 0);
        may_be_held && self.holders(inode).next().is_some()
    }

    /// Every (process, descriptor) that holds the socket, by process.
    pub fn holders(&self, inode: u64) -> impl Iterator<Item = (&Process, u32)> {
        let descriptors = self.descriptors_for(inode);
        descriptors.filter_map(|d| Some((self.processes.get(d.process as usize)?, d.fd)))
    }

    fn descriptors_for(&self, inode: u64) -> impl Iterator<Item = &Descriptor> {
        let drawer = self.drawers.of_inode(inode).and_then(|range| self.descriptors.get(range));
        let drawer = drawer.unwrap_or_default();
        let start = drawer.partition_point(|d| d.inode < inode);
        let from = drawer.get(start..).unwrap_or_default();
        from.iter().take_while(move |d| d.inode == inode)
    }

    /// Says that they are of a part of the descriptors, and of which.
    #[must_use]
    pub fn sampled(self, sampling: Sampling) -> Self {
        let mut held = vec![0; BITS / 64];
        for (word, bit) in self.descriptors.iter().map(|descriptor| bit_of(descriptor.inode)) {
            held.iter_mut().skip(word).take(1).for_each(|word: &mut u64| *word |= bit);
        }
        Self { sampling: Some(sampling), held, ..self }
    }

    /// Whether not every descriptor was looked at: a socket without a holder may have one, and one
    /// with a holder may have more.
    pub fn are_sample(&self) -> bool {
        self.sampling.is_some()
    }

    /// How many descriptors this one of a process stands for, itself included.
    pub fn weight(&self, pid: u32, fd: u32) -> u32 {
        let sampling = self.sampling.as_ref();
        let one_of_many = sampling.filter(|s| fd >= s.first && s.processes.contains(&pid));
        one_of_many.map_or(1, |sampling| sampling.every)
    }

    /// What it means that an inode has no holder; `None` before any look-up.
    pub fn unmatched(&self) -> Option<Unowned> {
        self.unmatched
    }

    /// Gives processes the names that are learnt elsewhere.
    pub fn name(&mut self, mut each: impl FnMut(&mut Process)) {
        self.processes.iter_mut().for_each(&mut each);
    }

    /// Every process that was seen to hold a socket.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// The sockets each process holds as (inode, descriptor), in the order of [`Self::processes`].
    pub fn holdings(&self) -> Vec<(&Process, Vec<(u64, u32)>)> {
        let mut holdings: Vec<_> = self.processes.iter().map(|p| (p, vec![])).collect();
        for descriptor in &self.descriptors {
            if let Some((_, sockets)) = holdings.get_mut(descriptor.process as usize) {
                sockets.push((descriptor.inode, descriptor.fd));
            }
        }
        holdings
    }

    /// How many sockets' descriptors a process holds.
    pub fn descriptors_of(&self, pid: u32) -> usize {
        let Some(index) = self.by_pid.get(&pid) else {
            return 0;
        };
        self.descriptors.iter().filter(|d| d.process == *index).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32) -> Process {
        Process { pid, command: b"a)b (c".to_vec(), ..Process::default() }
    }

    #[test]
    fn a_socket_shared_by_fork_has_every_holder() {
        let mut owners = Owners::default();
        owners.add(process(7), &[(100, 3), (200, 4)]);
        owners.add(process(8), &[(100, 3), (100, 9)]);
        let owners = owners.finished(Some(Unowned::Kernel));
        let of = |inode| owners.holders(inode).map(|(p, fd)| (p.pid, fd)).collect::<Vec<_>>();
        assert_eq!(of(100), [(7, 3), (8, 3), (8, 9)]);
        assert_eq!(of(200), [(7, 4)]);
        assert!(of(150).is_empty());
        assert_eq!(owners.unmatched(), Some(Unowned::Kernel));
    }

    #[test]
    fn the_order_of_finding_is_not_the_order_of_telling() {
        let mut owners = Owners::default();
        owners.add(process(9), &[(100, 3)]);
        owners.add(process(7), &[(100, 5), (300, 6)]);
        // A second thread of the first, with the same descriptors and one of its own.
        owners.add(process(9), &[(100, 3), (200, 4)]);
        let owners = owners.finished(None);
        let of = |inode| owners.holders(inode).map(|(p, fd)| (p.pid, fd)).collect::<Vec<_>>();
        assert_eq!(of(100), [(7, 5), (9, 3)]);
        assert_eq!((of(200), of(300)), (vec![(9, 4)], vec![(7, 6)]));
        assert_eq!((owners.descriptors_of(7), owners.descriptors_of(9)), (2, 2));
    }

    proptest::proptest! {
        #[test]
        fn every_inode_is_found_however_they_lie(
            near in proptest::collection::btree_set(0u64..3000, 0..600),
            far in proptest::collection::btree_set(proptest::num::u64::ANY, 0..20),
        ) {
            let inodes: Vec<u64> = near.union(&far).copied().collect();
            let mut owners = Owners::default();
            let held: Vec<(u64, u32)> = inodes.iter().copied().zip(0..).collect();
            owners.add(process(7), &held);
            let owners = owners.finished(None);
            for (inode, fd) in held {
                let found: Vec<u32> = owners.holders(inode).map(|(_, fd)| fd).collect();
                proptest::prop_assert_eq!(found, vec![fd]);
                for other in [inode.wrapping_add(1), inode.wrapping_sub(1)] {
                    let expected = near.contains(&other) || far.contains(&other);
                    proptest::prop_assert_eq!(owners.holds(other), expected);
                }
            }
        }
    }
}
