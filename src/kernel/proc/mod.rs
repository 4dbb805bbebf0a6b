//! /proc: socket tables, processes and their descriptors, all below one root.

pub mod counters;
pub mod descriptors;
pub mod net_inet;
pub mod process;
pub mod root;
pub mod sysctl;
