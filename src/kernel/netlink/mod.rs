//! Netlink: frames, attributes and one connection to sock_diag.

pub mod attribute;
pub mod connection;
pub mod frame;
