//! /proc: socket tables, processes and their descriptors, all below one root.

pub mod cgroup_limits;
pub mod counters;
pub mod dead_sockets;
pub mod descriptors;
pub mod directory;
pub mod limits;
pub mod net_families;
pub mod net_inet;
pub mod net_sctp;
pub mod process;
pub mod protocols;
pub mod root;
pub mod sysctl;
pub mod threads;
