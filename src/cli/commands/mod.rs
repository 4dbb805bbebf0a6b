//! One file for each command.

pub mod capacity;
pub mod completions;
pub mod diff;
pub mod doctor;
pub mod dump;
pub mod explain;
pub mod kill;
pub mod list;
pub mod overview;
pub mod report;
pub mod schema;
pub mod snapshot;
pub mod ss_summary;
pub mod summary;
pub mod time_wait;
pub mod trace;
pub mod watch;
