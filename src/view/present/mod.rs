//! One file for each report: figures to a `Document` for people.

pub mod capacity;
pub mod overview;
pub mod time_wait;
