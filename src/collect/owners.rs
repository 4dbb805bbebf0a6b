//! Who holds the shown sockets, looked up only when something shown needs it.

use super::query::Query;
use crate::{
    kernel::proc::descriptors::{self, Found, Wanted},
    model::{
        gap::Gap,
        owner::{Owners, Unowned},
        socket::Socket,
    },
};
use nix::unistd::geteuid;
use std::time::Instant;

/// What a look-up gave.
#[derive(Debug, Default)]
pub struct LookUp {
    /// Holders by inode.
    pub owners: Owners,
    /// What it could not see.
    pub gaps: Vec<Gap>,
}

/// Looks up the holders of `sockets`, or of every socket of the host where more are to come.
pub fn look_up(query: &Query, sockets: &[Socket], more: bool, netns: Option<u64>) -> LookUp {
    let inodes = || sockets.iter().filter_map(|s| s.inode).collect();
    let wanted = Wanted {
        inodes: (!more).then(inodes),
        netns,
        deadline: query.owner_patience.map(|patience| Instant::now() + patience),
    };
    match descriptors::look_up(&query.root, &wanted) {
        Ok(found) => {
            let gaps = gaps(&found, sockets, more);
            LookUp { owners: found.owners, gaps }
        }
        Err(error) => LookUp {
            owners: Owners::default().finished(Some(Unowned::Permission)),
            gaps: vec![Gap::new(
                "owners-unreadable",
                format!("no owner can be named: {error}"),
                "mount /proc, or name another tree with --proc-root",
            )],
        },
    }
}

fn gaps(found: &Found, sockets: &[Socket], more: bool) -> Vec<Gap> {
    let unmatched = found.owners.unmatched();
    let without = |s: &&Socket| {
        s.unowned().is_none() && s.inode.is_some_and(|inode| !found.owners.holds(inode))
    };
    let rows = sockets.iter().filter(without).count();
    let rows = if more { "some sockets".to_owned() } else { counted(rows, "socket") };
    let mut gaps = vec![];
    if rows.starts_with("0 ") {
        return gaps;
    }
    if unmatched == Some(Unowned::Permission) {
        let why = if found.processes_hidden {
            "processes of other users are hidden (hidepid)".to_owned()
        } else {
            format!("descriptors of {} cannot be read", counted(found.unreadable, "process"))
        };
        gaps.push(Gap::new(
            "owners-hidden",
            format!("owners of {rows} are hidden: {why}"),
            if geteuid().is_root() {
                "those processes have capabilities this one lacks: run it with all of them"
            } else {
                "run as root, or once `setcap cap_sys_ptrace,cap_dac_read_search+ep` on the program"
            },
        ));
    }
    if found.cut_short {
        gaps.push(Gap::new(
            "owners-deadline",
            format!("owners of {rows} were not found before the deadline"),
            "give more time with --owner-deadline SECONDS",
        ));
    }
    gaps
}

fn counted(number: usize, thing: &str) -> String {
    match (number, thing) {
        (1, thing) => format!("1 {thing}"),
        (n, "process") => format!("{n} processes"),
        (n, thing) => format!("{n} {thing}s"),
    }
}
