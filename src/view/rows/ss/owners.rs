//! `users:(("nginx",pid=811,fd=12))`.

use super::Shown;
use crate::{field::row::Row, view::escape};
use std::io::Write;

/// Writes the processes that hold the socket; nothing where there is none.
///
/// ss puts each descriptor it finds in front of the ones before, so the last is the first.
pub(super) fn write(out: &mut Vec<u8>, row: Row<'_>, shown: Shown) {
    if !shown.processes {
        return;
    }
    let holders: Vec<_> = row.holders().collect();
    if holders.is_empty() {
        return;
    }
    out.extend(b" users:(");
    for (index, (process, fd)) in holders.iter().rev().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(b"(\"");
        escape::for_terminal(out, &process.command);
        let _ = write!(out, "\",pid={},fd={fd})", process.pid);
    }
    out.push(b')');
}
