//! Values to bytes. A listing streams through a row sink; a report becomes a `Document` once, which
//! every format renders. Fetches nothing.

pub mod address;
pub mod columns;
pub mod diff;
pub mod document;
pub mod escape;
pub mod explain;
pub mod format;
pub mod frame;
pub mod head;
pub mod json;
pub mod output;
pub mod pen;
pub mod present;
pub mod rows;
pub mod schema;
pub mod terminal;
pub mod watch;
