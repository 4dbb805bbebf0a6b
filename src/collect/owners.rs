//! Who holds the shown sockets, looked up only when something shown needs it.

use super::{
    homes::Homes,
    query::{Query, SourceChoice},
};
use crate::{
    field::need::Need,
    kernel::{
        owner_sample,
        owners::{self as holders, Found, Wanted},
        proc::threads,
        selinux,
    },
    model::{
        gap::Gap,
        owner::{Owners, Unowned},
        socket::Socket,
    },
};
use nix::unistd::geteuid;
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    time::Instant,
};

/// What a look-up gave.
#[derive(Debug, Default)]
pub struct LookUp {
    /// Holders by inode.
    pub owners: Owners,
    /// Processes whose descriptors could not be read.
    unreadable: usize,
    /// Whether processes of other users are not even listed.
    processes_hidden: bool,
    /// Why no process could be looked at.
    failed: Option<Gap>,
}

/// Looks up the holders of these sockets.
pub fn look_up_some(
    query: &Query,
    inodes: impl IntoIterator<Item = u64>,
    netns: Option<u64>,
) -> LookUp {
    look_up_inodes(query, Some(inodes.into_iter().collect()), netns)
}

/// Looks at a part of the descriptors in a network namespace where that is worth it: see
/// [`owner_sample`].
pub fn look_up_sample(query: &Query, netns: u64) -> Option<Owners> {
    let mut owners = owner_sample::look_up(&query.root, netns, may_use_bpf(query))?;
    let mut homes = Homes::new(&query.root);
    owners.name(|process| homes.name(process));
    Some(owners)
}

/// Looks up the holders of these sockets; `None`: of every socket of the host.
pub(super) fn look_up_inodes(
    query: &Query,
    inodes: Option<HashSet<u64>>,
    netns: Option<u64>,
) -> LookUp {
    let wanted = Wanted {
        inodes,
        netns,
        deadline: query.owner_patience.map(|patience| Instant::now() + patience),
        may_use_bpf: may_use_bpf(query),
        progress: query.owner_progress,
    };
    match holders::look_up(&query.root, &wanted) {
        Ok(Found { mut owners, unreadable, processes_hidden, .. }) => {
            let mut homes = Homes::new(&query.root);
            owners.name(|process| homes.name(process));
            learn_particulars(query, &mut owners);
            LookUp { owners, unreadable, processes_hidden, failed: None }
        }
        Err(error) => LookUp {
            owners: Owners::default().finished(Some(Unowned::Permission)),
            failed: Some(Gap::new(
                "owners-unreadable",
                format!("no owner can be named: {error}"),
                "mount /proc, or name another tree with --proc-root",
            )),
            ..LookUp::default()
        },
    }
}

fn may_use_bpf(query: &Query) -> bool {
    query.source != SourceChoice::Proc
}

/// Learns of the holders what only some ask for.
fn learn_particulars(query: &Query, owners: &mut Owners) {
    let root = &query.root;
    let pids: Vec<u32> = owners.processes().iter().map(|process| process.pid).collect();
    let particulars = &mut owners.particulars;
    if query.need.includes(Need::THREADS) {
        particulars.threads = pids.iter().map(|pid| (*pid, threads::read(root, *pid))).collect();
    }
    let wants_contexts = query.need.includes(Need::CONTEXTS);
    let wants_sockets = query.need.includes(Need::SOCKET_CONTEXTS);
    if !(wants_contexts || wants_sockets) || !selinux::is_enabled(root) {
        return;
    }
    let of_process = |pid: &u32| Some((*pid, selinux::of_process(root, *pid)?));
    particulars.contexts = pids.iter().filter_map(of_process).collect();
    if wants_sockets {
        let mut contexts = HashMap::new();
        for (process, sockets) in owners.holdings() {
            for (inode, fd) in sockets {
                if let Entry::Vacant(unknown) = contexts.entry(inode)
                    && let Some(context) = selinux::of_socket(root, process.pid, fd)
                {
                    unknown.insert(context);
                }
            }
        }
        owners.particulars.socket_contexts = contexts;
    }
}

/// Where contexts are asked for and there are none.
pub fn selinux_gap(query: &Query) -> Option<Gap> {
    let asked = [Need::CONTEXTS, Need::SOCKET_CONTEXTS].iter().any(|n| query.need.includes(*n));
    (asked && !selinux::is_enabled(&query.root)).then(|| {
        Gap::new(
            "selinux-absent",
            "SELinux is not enabled here: no process and no socket has a context",
            "leave out -Z and -z",
        )
    })
}

/// The inodes whose holders a row names: its own, and that of the socket at the other end.
pub fn inodes(socket: &Socket) -> impl Iterator<Item = u64> {
    let peer = socket.unix().and_then(|unix| unix.peer_inode).map(u64::from);
    socket.inode.into_iter().chain(peer)
}

/// Whether a socket should have a holder and none was found.
pub fn lacks_owner(socket: &Socket, owners: &Owners) -> bool {
    socket.unowned().is_none() && socket.inode.is_some_and(|inode| !owners.holds(inode))
}

impl LookUp {
    /// What the look-up could not see, where it left so many sockets without an owner.
    pub fn gaps(&self, without: u64) -> Vec<Gap> {
        if let Some(failed) = &self.failed {
            return vec![failed.clone()];
        }
        if without == 0 {
            return vec![];
        }
        let rows = counted(without, "socket");
        match self.owners.unmatched() {
            Some(Unowned::Permission) => {
                let why = if self.processes_hidden {
                    "processes of other users are hidden (hidepid)".to_owned()
                } else {
                    let processes = counted(self.unreadable as u64, "process");
                    format!("descriptors of {processes} cannot be read")
                };
                vec![Gap::new(
                    "owners-hidden",
                    format!("owners of {rows} are hidden: {why}"),
                    if geteuid().is_root() {
                        "those processes have capabilities this one lacks: run it with all of them"
                    } else {
                        "run as root, or once `setcap cap_sys_ptrace,cap_dac_read_search+ep` on the program"
                    },
                )]
            }
            Some(Unowned::Deadline) => vec![Gap::new(
                "owners-deadline",
                format!("owners of {rows} were not found before the deadline"),
                "give more time with --owner-deadline SECONDS",
            )],
            _ => vec![],
        }
    }

    /// Hands the holders over; what could not be seen is still told afterwards.
    pub fn take_owners(&mut self) -> Owners {
        let unmatched = self.owners.unmatched();
        std::mem::replace(&mut self.owners, Owners::default().finished(unmatched))
    }
}

fn counted(number: u64, thing: &str) -> String {
    match (number, thing) {
        (1, thing) => format!("1 {thing}"),
        (n, "process") => format!("{n} processes"),
        (n, thing) => format!("{n} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deadline_left_out_is_counted_with_the_way_out() {
        let owners = Owners::default().finished(Some(Unowned::Deadline));
        let look_up = LookUp { owners, ..LookUp::default() };
        assert_eq!(look_up.gaps(0), []);
        let [gap] = look_up.gaps(12).try_into().unwrap();
        assert_eq!(gap.code, "owners-deadline");
        assert_eq!(gap.message, "owners of 12 sockets were not found before the deadline");
        assert!(gap.hint.contains("--owner-deadline SECONDS"), "{}", gap.hint);
    }
}
