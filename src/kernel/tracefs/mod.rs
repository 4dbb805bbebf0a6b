//! tracefs: the kernel's own event log, read through a private instance of it. Needs root.

pub mod format;
pub mod instance;
pub mod ring;
pub mod state_change;
