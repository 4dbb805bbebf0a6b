//! The limits of a snapshot.

use super::query::{Query, SourceChoice};
use crate::{
    field::need::Need,
    kernel::{
        proc::{cgroup_limits, limits, process},
        sock_diag::named_ports,
    },
    model::{limits::Limits, owner::Owners},
};

use std::collections::HashSet;

/// Reads the limits of the processes that hold sockets and of those the query names, of their
/// cgroups, and of the host. Where every process of the namespace is wanted, of these too.
pub fn read(query: &Query, owners: &Owners, netns: Option<u64>) -> Limits {
    let mut found = Limits::default();
    let holders: HashSet<u32> = owners.processes().iter().map(|process| process.pid).collect();
    let mut pids: Vec<u32> = holders.iter().copied().collect();
    pids.extend(&query.pids);
    if query.need.includes(Need::PROCESSES) {
        let every = process::pids(&query.root).unwrap_or_default();
        let here = |pid: &u32| netns.is_none() || process::netns(&query.root, pid) == netns;
        pids.extend(every.into_iter().filter(here));
    }
    pids.sort_unstable();
    pids.dedup();
    for pid in pids {
        let is_asked = holders.contains(&pid) || query.pids.contains(&pid);
        add_process(query, pid, is_asked, &mut found);
    }
    match limits::memory(&query.root) {
        Ok((available, total)) => {
            found.memory_available_bytes = available;
            found.memory_total_bytes = Some(total);
        }
        Err(error) => {
            found.missing.insert("memory".to_owned(), error.to_string());
        }
    }
    if query.root.is_live() && query.source != SourceChoice::Proc {
        match named_ports::read() {
            Ok(ports) => found.named_ports = Some(ports),
            Err(error) => {
                found.missing.insert("named ports".to_owned(), error.to_string());
            }
        }
    }
    found
}

/// Adds the limits of those who hold sockets and are not known yet.
pub fn add(query: &Query, owners: &Owners, found: &mut Limits) {
    for process in owners.processes() {
        if found.process(process.pid).is_none() {
            add_process(query, process.pid, true, found);
        }
    }
}

fn add_process(query: &Query, pid: u32, is_asked: bool, found: &mut Limits) {
    match limits::of_process(&query.root, pid) {
        Ok((mut process, why)) => {
            process.cgroups = cgroup_limits::read(&query.root, pid, &mut found.cgroups);
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
