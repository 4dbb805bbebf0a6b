//! The snapshot file: gzip of lines of JSON. docs/snapshot-format.md is its description.
//!
//! The first line is the header, then one line for each record, the last line tells how many there
//! were, so that a file cut anywhere is known to be cut.

pub mod reader;
pub mod record;
pub mod socket;
pub mod text;
pub mod writer;
