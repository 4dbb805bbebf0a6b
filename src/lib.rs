//! sockeye shows the sockets of a Linux machine, what their states mean, and what limits them.
//!
//! There is no stable Rust API: the stable interfaces are the flags, the JSON schemas and the exit
//! codes. Rooms import downward only (`tests/it/layers.rs` proves it):
//!
//! ```text
//! main → cli → view → explain → doctor → report → collect → filter → field → kernel → model
//! ```

pub mod cli;
pub mod collect;
pub mod doctor;
pub mod explain;
pub mod field;
pub mod filter;
pub mod kernel;
pub mod model;
pub mod report;
pub mod view;
