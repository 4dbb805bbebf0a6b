//! One file for each report: figures to a `Document` for people.

pub mod capacity;
pub mod doctor;
pub mod nagios;
pub mod namespaces;
pub mod overview;
mod page;
pub mod time_wait;
