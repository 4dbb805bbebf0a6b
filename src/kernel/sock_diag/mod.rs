//! sock_diag: requests, and inet_diag answers to sockets.

pub mod associations;
pub mod attributes;
pub mod bytecode;
pub mod destroyed;
pub mod details;
pub mod dump;
pub mod dump_file;
pub mod exact;
pub mod families;
pub mod inet;
pub mod named_ports;
mod recent;
pub mod request;
