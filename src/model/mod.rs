//! What a socket, a state, an owner, a limit is. Reads nothing, prints nothing.

pub mod about;
#[cfg(test)]
pub mod any;
pub mod cgroup;
pub mod closing;
pub mod collection;
pub mod compact;
pub mod counters;
pub mod details;
pub mod earlier;
pub mod endpoint;
pub mod event;
pub mod family;
pub mod gap;
pub mod layout;
pub mod limits;
pub mod memory;
pub mod name;
pub mod netns;
pub mod owner;
mod packed;
pub mod peers;
pub mod ports;
pub mod protocol;
pub mod queues;
pub mod recording;
pub mod settings;
pub mod snapshot;
pub mod socket;
pub mod socket_options;
pub mod socket_type;
pub mod sockopt;
pub mod state;
pub mod tcp_info;
pub mod timer;
