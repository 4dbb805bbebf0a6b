//! Pure functions of a snapshot: they read neither the clock nor /proc.

pub mod capacity;
pub mod diff;
pub mod ephemeral;
pub mod listening;
pub mod notable;
pub mod overview;
pub mod port_use;
pub mod remedy;
pub mod software;
pub mod summary;
pub mod time_wait;
pub mod tuples;
