//! tracefs: the kernel's own event log, read through private instances of it. Needs root.

pub mod format;
pub mod instance;
pub mod new_task;
pub mod ring;
pub mod state_change;
