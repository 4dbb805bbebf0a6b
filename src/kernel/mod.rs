//! How to ask Linux: netlink, /proc, namespaces, names. The only room that opens files and sockets;
//! it never decides what an answer means.
#![deny(clippy::indexing_slicing)]

pub mod addresses;
pub mod bpf;
pub mod bytes;
pub mod cgroup_tree;
pub mod config_file;
pub mod containers;
pub mod error;
pub mod host;
pub mod names;
pub mod namespace;
pub mod netlink;
pub mod owner_sample;
pub mod owners;
pub mod privilege;
pub mod proc;
pub mod recording_file;
pub mod route;
pub mod selinux;
pub mod snapshot_file;
pub mod sock_diag;
pub mod socket_options;
mod syscall;
pub mod tracefs;
pub mod whole_file;
