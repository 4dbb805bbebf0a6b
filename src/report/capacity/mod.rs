//! How many connections are possible, and which limit binds first.

pub mod acceptors;
pub mod assume;
pub mod destinations;
pub mod estimate;
#[cfg(test)]
mod fixture;
pub mod host;
pub mod limit;
pub mod listeners;
pub mod processes;
pub mod question;
pub mod reuse;
pub mod syn_queue;
