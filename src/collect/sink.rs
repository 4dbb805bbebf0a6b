//! Where rows go.

use crate::{
    field::row::Row,
    model::{about::About, gap::Gap},
};
use std::io;

/// Takes a listing, row by row: each from the thread that is in the row's namespace.
pub trait RowSink: Send {
    /// The head: what is known before the first row.
    fn begin(&mut self, about: &About) -> io::Result<()>;
    /// Whether the head is shown: then rows wait for what it says.
    fn shows_head(&self) -> bool {
        true
    }
    /// One row.
    fn row(&mut self, row: Row<'_>) -> io::Result<()>;
    /// The end, with what was learnt too late for the head.
    fn end(&mut self, late: &[Gap]) -> io::Result<()>;
}
