//! The limits of a snapshot.

use super::query::{Query, SourceChoice};
use crate::{
    kernel::{
        proc::{cgroup_limits, limits},
        sock_diag::named_ports,
    },
    model::{limits::Limits, owner::Owners},
};

/// Reads the limits of the processes that hold sockets and of those the query names, of their
/// cgroups, and of the host.
pub fn read(query: &Query, owners: &Owners) -> Limits {
    let mut found = Limits::default();
    let mut pids: Vec<u32> = owners.processes().iter().map(|process| process.pid).collect();
    pids.extend(&query.pids);
    pids.sort_unstable();
    pids.dedup();
    for pid in pids {
        match limits::of_process(&query.root, pid) {
            Ok((mut process, why)) => {
                process.cgroups = cgroup_limits::read(&query.root, pid, &mut found.cgroups);
                found.processes.push(process);
                if !why.is_empty() {
                    found.missing.insert(format!("process {pid}"), why.join("; "));
                }
            }
            Err(error) => {
                found.missing.insert(format!("process {pid}"), error.to_string());
            }
        }
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
