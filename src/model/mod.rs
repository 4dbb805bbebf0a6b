//! What a socket, a state, an owner, a limit is. Reads nothing, prints nothing.

pub mod about;
pub mod cgroup;
pub mod endpoint;
pub mod gap;
pub mod memory;
pub mod netns;
pub mod owner;
pub mod protocol;
pub mod queues;
pub mod socket;
pub mod state;
pub mod tcp_info;
pub mod timer;
