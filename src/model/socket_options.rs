//! Options of a socket, read through a duplicate of its descriptor.

use serde::Serialize;

/// Options that netlink does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SocketOptions {
    /// The process whose descriptor was duplicated.
    pub pid: u32,
    /// The descriptor.
    pub fd: u32,
    /// Inode of the socket.
    pub inode: u64,
    /// `SO_KEEPALIVE`. `None`, here and below: it could not be read.
    pub keepalive: Option<bool>,
    /// `TCP_KEEPIDLE`, in seconds.
    pub keepalive_idle_s: Option<u32>,
    /// `TCP_KEEPINTVL`, in seconds.
    pub keepalive_interval_s: Option<u32>,
    /// `TCP_KEEPCNT`.
    pub keepalive_probes: Option<u32>,
    /// `TCP_USER_TIMEOUT`, in milliseconds; 0 is the default of the host.
    pub user_timeout_ms: Option<u32>,
    /// `SO_LINGER`: seconds, or -1 where it is off.
    pub linger_s: Option<i32>,
    /// `TCP_NODELAY`.
    pub nodelay: Option<bool>,
    /// `SO_REUSEADDR`.
    pub reuse_address: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuse_port: Option<bool>,
    /// `IP_BIND_ADDRESS_NO_PORT`.
    pub bind_address_no_port: Option<bool>,
    /// `SO_RCVBUF`, in bytes.
    pub receive_buffer_bytes: Option<u32>,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer_bytes: Option<u32>,
}
