//! The limits of a snapshot.

use super::query::{Query, SourceChoice};
use crate::{
    field::need::Need,
    kernel::{
        error::Error,
        proc::{cgroup_limits, limits, process, root::Root},
        sock_diag::named_ports,
    },
    model::{
        limits::Limits, outline::Outline, owner::Owners, protocol::Protocol, snapshot::Snapshot,
        state::State,
    },
};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashSet},
};

/// Below this part of the range of ports, in percent, no rule judges what ports are taken.
const TAKEN: usize = 1;

/// Whether a socket may have a port that its program named, as far as the kernel tells of it
/// (`named_ports.rs`).
fn may_be_named(socket: &Outline) -> bool {
    let is_connection = socket.protocol == Protocol::Tcp && socket.peer().is_some();
    is_connection && !socket.is_mini() && socket.state != State::SynRcvd
}

/// Whether so many connections have ephemeral ports that a rule may judge by which of them are named.
fn matters_to_rules(snapshot: &Snapshot) -> bool {
    snapshot.settings.port_range().is_none_or(|range| {
        let ephemeral = |s: &&Outline| may_be_named(s) && range.contains(&s.local.port);
        snapshot.sockets.iter().filter(ephemeral).count() * 100 >= range.len() * TAKEN
    })
}

/// Reads limits in one network namespace after the other: what is the machine's is read once.
#[derive(Default)]
pub struct Reader {
    cgroups: cgroup_limits::Read,
    /// Processes by namespace; one whose namespace cannot be read is in none.
    residents: OnceCell<BTreeMap<u64, Vec<u32>>>,
    /// `MemAvailable` and `MemTotal`.
    memory: OnceCell<Result<(Option<u64>, u64), Error>>,
}

impl Reader {
    /// Reads the limits of the processes that hold sockets and of those the query names, of their
    /// cgroups, and of the host. Where every process of the namespace is wanted, of these too. Of the
    /// snapshot that gets them sockets, owners and settings are known.
    pub fn read(&mut self, query: &Query, snapshot: &Snapshot) -> Limits {
        let (owners, netns) = (&snapshot.owners, snapshot.about.netns.inode);
        let mut found = Limits::default();
        let holders: HashSet<u32> = owners.processes().iter().map(|process| process.pid).collect();
        let mut pids: Vec<u32> = holders.iter().copied().collect();
        pids.extend(&query.pids);
        if query.need.includes(Need::PROCESSES) {
            pids.extend(self.of_namespace(&query.root, netns));
        }
        pids.sort_unstable();
        pids.dedup();
        for pid in pids {
            let is_asked = holders.contains(&pid) || query.pids.contains(&pid);
            self.add_process(query, pid, is_asked, &mut found);
        }
        match self.memory.get_or_init(|| limits::memory(&query.root)) {
            Ok((available, total)) => {
                found.memory_available_bytes = *available;
                found.memory_total_bytes = Some(*total);
            }
            Err(error) => {
                found.missing.insert("memory".to_owned(), error.to_string());
            }
        }
        if query.root.is_live() && query.source != SourceChoice::Proc {
            if !snapshot.sockets.iter().any(may_be_named) {
                found.named_ports = Some(vec![]);
            } else if query.need.includes(Need::NAMED_PORTS) || matters_to_rules(snapshot) {
                match named_ports::read() {
                    Ok(ports) => found.named_ports = Some(ports),
                    Err(error) => {
                        found.missing.insert("named ports".to_owned(), error.to_string());
                    }
                }
            }
        }
        found
    }

    /// The processes of a namespace; of one that is not known every process there is.
    fn of_namespace(&self, root: &Root, netns: Option<u64>) -> Vec<u32> {
        let every = || process::pids(root).unwrap_or_default();
        let Some(netns) = netns else { return every() };
        let residents = self.residents.get_or_init(|| {
            let mut residents: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for pid in every() {
                if let Some(netns) = process::netns(root, pid) {
                    residents.entry(netns).or_default().push(pid);
                }
            }
            residents
        });
        residents.get(&netns).cloned().unwrap_or_default()
    }

    /// Adds the limits of those who hold sockets and are not known yet.
    pub fn add(&mut self, query: &Query, owners: &Owners, found: &mut Limits) {
        for process in owners.processes() {
            if found.process(process.pid).is_none() {
                self.add_process(query, process.pid, true, found);
            }
        }
    }

    fn add_process(&mut self, query: &Query, pid: u32, is_asked: bool, found: &mut Limits) {
        let root = &query.root;
        match limits::of_process(root, pid, query.need.includes(Need::DESCRIPTORS)) {
            Ok((mut process, why)) => {
                let cgroups = &mut self.cgroups;
                process.cgroups = cgroup_limits::read(root, pid, cgroups, &mut found.cgroups);
                found.processes.push(process);
                if !why.is_empty() {
                    found.missing.insert(format!("process {pid}"), why.join("; "));
                }
            }
            // It ended meanwhile, and nobody asked for it by name.
            Err(_) if !is_asked => {}
            Err(error) => {
                found.missing.insert(format!("process {pid}"), error.to_string());
            }
        }
    }
}
