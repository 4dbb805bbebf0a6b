//! Who holds sockets, as a part of the descriptors tells it.
//!
//! To find the holder of one socket, every descriptor may have to be looked at: on a busy host that
//! costs as much as the dump of all its sockets. Who holds most of many sockets a few hundred
//! descriptors tell. Those of processes with few are all read; of those with thousands the first, where
//! a program has what it opened at its start, and of the rest one of many, taken from anywhere:
//! proxies open one to a client and one to a server by turns, so that every tenth would be of one kind.

use super::{
    bpf::task_file::may_walk,
    owners::{DESCRIPTOR_NS, PROCESS_NS, WALKED_FILE_NS, open_files},
    proc::{descriptors, process, root::Root},
};
use crate::model::owner::{Owners, Sampling, Unowned};
use nix::errno::Errno;
use std::collections::BTreeMap;

/// From so many descriptors on not all of a process are looked at.
const MANY: u64 = 1024;
/// So many are in any case: listeners are mostly among them.
const FIRST: u32 = 32;
/// Of the rest at least so many, of all processes together, and at least one of so many.
const LEAST: u64 = 256;
const MOST_APART: u32 = 384;
/// How much cheaper it has to be than looking at all of them.
const WORTH: u64 = 2;
/// One of so many descriptors may be of a process that cannot be looked at.
const NEGLIGIBLE: u64 = 20;
/// What it costs to find out the namespace of a process, in nanoseconds.
const NAMESPACE_NS: u64 = 2_000;

/// Looks at some descriptors of the processes in this network namespace. `None`: there are not so many
/// that it would be worth it, processes that may have many cannot be looked at, or the kernel does not
/// tell how many descriptors each has (before 6.2). `may_use_bpf` is whether all could be looked at by
/// BPF.
pub fn look_up(root: &Root, netns: u64, may_use_bpf: bool) -> Option<Owners> {
    let pids = process::pids(root).ok()?;
    // Process 1 exists in every pid namespace; where it is not listed, hidepid hides it and others.
    pids.first().filter(|first| **first == 1)?;
    let listed = pids.len() as u64;
    let mut counts: Vec<(u32, u64)> = vec![];
    let mut hidden = 0;
    for pid in pids {
        match process::netns_link(root, pid) {
            Ok(its) if its == netns => counts.push((pid, descriptors::count(root, pid))),
            // How many descriptors it has is told nevertheless (`proc_fd_getattr`).
            Err(error) if is_denied(error.as_errno()) => hidden += descriptors::count(root, pid),
            _ => {}
        }
    }
    let (large, small): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(_, n)| *n > MANY);
    let sum = |counts: &[(u32, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
    let tables: BTreeMap<u32, u32> =
        large.iter().filter_map(|(pid, _)| Some((*pid, descriptors::room(root, *pid)?))).collect();
    let every = u32::try_from(sum(&large) / LEAST).map_or(MOST_APART, |n| n.clamp(1, MOST_APART));
    let rest: u64 = tables.values().map(|room| u64::from(room.saturating_sub(FIRST))).sum();
    let looked_at = sum(&small) + rest / u64::from(every) + u64::from(FIRST) * large.len() as u64;
    let own = (small.len() + large.len()) as u64;
    let cost = NAMESPACE_NS * listed + PROCESS_NS * own + DESCRIPTOR_NS * looked_at;
    let by_proc = DESCRIPTOR_NS * (sum(&small) + sum(&large));
    let may_walk = may_use_bpf && may_walk(root);
    let whole = if may_walk { by_proc.min(WALKED_FILE_NS * open_files(root)) } else { by_proc };
    let may_be_missing = hidden > (sum(&small) + sum(&large)) / NEGLIGIBLE;
    if large.is_empty() || may_be_missing || cost * WORTH > whole {
        return None;
    }
    let mut owners = Owners::default();
    let mut add = |pid: u32, sockets: nix::Result<Vec<(u64, u32)>>| {
        // Of what cannot be read looking at all will tell; else the process ended while we looked.
        let is_told = sockets.as_ref().is_ok_and(|sockets| !sockets.is_empty());
        if is_told {
            owners.add(process::read(root, pid), &sockets.ok()?);
            return Some(());
        }
        (!is_denied(sockets.err())).then_some(())
    };
    for (pid, room) in &tables {
        let strata = (FIRST..*room).step_by(every as usize);
        let numbers = (0..FIRST).chain(strata.map(|from| from + anywhere(*pid ^ from) % every));
        add(*pid, descriptors::some(root, *pid, numbers))?;
    }
    for (pid, _) in small {
        add(pid, descriptors::all(root, pid))?;
    }
    let sampling = Sampling { processes: tables.into_keys().collect(), first: FIRST, every };
    Some(owners.finished(Some(Unowned::NotAsked)).sampled(sampling))
}

fn is_denied(errno: Option<Errno>) -> bool {
    matches!(errno, Some(Errno::EACCES | Errno::EPERM))
}

/// A number that has nothing to do with this one, the same each time: 2^32 divided by the golden ratio
/// (Knuth, TAOCP 6.4).
fn anywhere(number: u32) -> u32 {
    number.wrapping_add(1).wrapping_mul(0x9E37_79B9).rotate_left(15).wrapping_mul(0x85EB_CA6B) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_is_taken_from_anywhere_among_them() {
        for pid in [1, 7, 4096, 32_767] {
            let taken = |every: u32| {
                (FIRST..1_000_000).step_by(every as usize).map(move |f| anywhere(pid ^ f) % every)
            };
            for every in [2, 100, 256, 384] {
                let number = taken(every).count();
                let sum: usize = taken(every).map(|offset| offset as usize).sum();
                let middle = (every as usize - 1) * number / 2;
                assert!(sum.abs_diff(middle) * 20 < middle, "{pid} {every}: {sum} is not {middle}");
                let odd = taken(every).filter(|offset| offset % 2 == 1).count();
                assert!(
                    (odd * 2).abs_diff(number) * 20 < number,
                    "{pid} {every}: {odd} of {number}"
                );
            }
        }
    }
}
