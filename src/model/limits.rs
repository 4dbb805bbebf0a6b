//! What limits connections beside settings: descriptors of processes, cgroups, memory, and ports
//! that programs chose themselves.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Limits and their use at one look. What is `None` could not be read; `missing` says why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processes that hold sockets, and those that were asked for.
    pub processes: Vec<ProcessLimits>,
    /// Memory and pids limits of their cgroups and of every ancestor.
    pub cgroups: Vec<CgroupLimit>,
    /// `MemAvailable` of /proc/meminfo, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// `MemTotal` of /proc/meminfo, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Local ports of connections whose program named the port in `bind(2)`. `None`: the kernel
    /// could not be asked, or was not, since too few ports are in use for it to matter.
    pub named_ports: Option<Vec<u16>>,
    /// Why something is missing, by what it is.
    pub missing: BTreeMap<String, String>,
}

impl Limits {
    /// The limits of a process.
    pub fn process(&self, pid: u32) -> Option<&ProcessLimits> {
        self.processes.iter().find(|process| process.pid == pid)
    }
}

/// The descriptors of a process and how many it may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLimits {
    /// Process id.
    pub pid: u32,
    /// The process that started it, or that inherited it. `None`: it could not be read, or the
    /// recording is of a version that did not keep it.
    pub parent: Option<u32>,
    /// `comm`, exactly as the process set it.
    pub command: Vec<u8>,
    /// Soft limit of RLIMIT_NOFILE: a new descriptor's number must be below it. `u64::MAX`: none.
    pub soft: Option<u64>,
    /// Hard limit: how far the process may raise the soft one. `u64::MAX`: none.
    pub hard: Option<u64>,
    /// Numbers of its open descriptors, as ranges with both ends included, ascending.
    pub descriptors: Option<Vec<(u32, u32)>>,
    /// How many there are, where they were counted and not listed: a process may have a million.
    #[serde(skip)]
    pub counted: Option<Counted>,
    /// Whether `fs.file-max` does not bind it: CAP_SYS_ADMIN in the initial user namespace
    /// (`alloc_empty_file`).
    pub exempt_from_file_max: Option<bool>,
    /// Descriptors of TCP sockets that are in no table: the connection is over, the descriptor
    /// is not closed. `None`: nobody looked, since the namespace has no such sockets.
    #[serde(default)]
    pub dead_sockets: Option<u64>,
    /// Paths of its cgroups (`memory:/system.slice/nginx.service`), the keys of
    /// [`CgroupLimit::key`] of the innermost ones.
    pub cgroups: Vec<String>,
}

impl ProcessLimits {
    /// How many descriptors are open.
    pub fn open(&self) -> Option<u64> {
        self.below(u64::MAX)
    }

    /// How many open descriptors have a number below `limit`. The limit is on the number, not on
    /// the count (`alloc_fd`): descriptors at or above it take nothing away.
    pub fn below(&self, limit: u64) -> Option<u64> {
        if let Some(counted) = self.counted {
            return counted.below(limit);
        }
        let ranges = self.descriptors.as_ref()?;
        Some(ranges.iter().map(|&(low, high)| covered(low.into()..=high.into(), limit)).sum())
    }
}

/// Open descriptors that were counted on both sides of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// All of them.
    pub open: u64,
    /// The number.
    pub number: u64,
    /// Those whose number is below it.
    pub below: u64,
}

impl Counted {
    /// How many are below a limit. `None`: that was not counted.
    fn below(self, limit: u64) -> Option<u64> {
        if limit == u64::MAX {
            return Some(self.open);
        }
        // Where none is at or above the number, none is above a larger one.
        let is_told = limit == self.number || (limit > self.number && self.below == self.open);
        is_told.then_some(self.below)
    }
}

fn covered(range: RangeInclusive<u64>, limit: u64) -> u64 {
    limit.saturating_sub(*range.start()).min(*range.end() - *range.start() + 1)
}

/// A limit of a cgroup, and its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupLimit {
    /// What is limited.
    pub resource: Resource,
    /// Path within its hierarchy.
    pub path: String,
    /// The file the limit was read from.
    pub file: String,
    /// The limit, in bytes or tasks. `None`: unlimited.
    pub limit: Option<u64>,
    /// What is used, file cache that can be given back not counted.
    pub used: Option<u64>,
}

impl CgroupLimit {
    /// `memory:/system.slice`.
    pub fn key(&self) -> String {
        format!("{}:{}", self.resource.name(), self.path)
    }
}

/// What a cgroup limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// Bytes.
    Memory,
    /// Processes and threads.
    Pids,
}

impl Resource {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Memory, Self::Pids];

    /// The controller's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_on_the_number_of_a_descriptor() {
        let process = ProcessLimits {
            pid: 1,
            parent: None,
            command: vec![],
            soft: Some(64),
            hard: None,
            descriptors: Some(vec![(0, 4), (500, 519)]),
            counted: None,
            exempt_from_file_max: None,
            dead_sockets: None,
            cgroups: vec![],
        };
        assert_eq!(process.open(), Some(25));
        assert_eq!(process.below(64), Some(5));
        assert_eq!(process.below(3), Some(3));
        assert_eq!(process.below(510), Some(15));
        assert_eq!(process.below(0), Some(0));
        let counted = |open, below| ProcessLimits {
            descriptors: None,
            counted: Some(Counted { open, number: 64, below }),
            ..process.clone()
        };
        let some_above = counted(25, 5);
        assert_eq!((some_above.open(), some_above.below(64)), (Some(25), Some(5)));
        assert_eq!((some_above.below(63), some_above.below(65)), (None, None));
        assert_eq!(counted(25, 25).below(1000), Some(25));
    }
}
