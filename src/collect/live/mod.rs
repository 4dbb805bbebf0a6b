//! A host that is looked at again and again: every round all sockets in a compact form, and of those
//! on the screen all that the kernel tells.

pub mod changes;
pub mod collector;
pub mod entry;
pub mod question;
pub mod recorded;
pub mod refresh;
pub mod scout;
