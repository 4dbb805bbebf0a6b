//! Listings as CSV (RFC 4180), values exact and without units: the heading has the column ids.

use super::plain::{Form, Plain};
use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row},
    model::{about::About, gap::Gap},
    view::{format, output::Output},
};
use std::io;

/// A CSV listing.
pub struct Csv<'o> {
    output: &'o mut Output,
    fields: Vec<&'static Field>,
    heading: bool,
    cell: Vec<u8>,
    /// The short way, where there is one for all of these columns.
    plain: Option<Plain>,
}

const FORM: Form = Form { separator: b',', unknown: "", newline: b"\r\n", ends: 2 };

impl<'o> Csv<'o> {
    /// Writes these columns to `output`.
    pub fn new(output: &'o mut Output, fields: Vec<&'static Field>, heading: bool) -> Self {
        let plain = Plain::of(FORM, fields.iter().map(|field| (field.id, 0)));
        let plain = plain.filter(|plain| !plain.is_followed());
        Self { output, fields, heading, cell: vec![], plain }
    }

    /// Every row by way of its columns.
    #[cfg(test)]
    pub(super) fn without_short_way(&mut self) {
        self.plain = None;
    }
}

impl RowSink for Csv<'_> {
    fn begin(&mut self, _: &About) -> io::Result<()> {
        if self.heading {
            let ids: Vec<&str> = self.fields.iter().map(|f| f.id).collect();
            self.output.buffer.extend(ids.join(",").as_bytes());
            self.output.buffer.extend(b"\r\n");
        }
        Ok(())
    }

    fn shows_head(&self) -> bool {
        false
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        if let Some(plain) = self.plain.as_mut()
            && plain.write(self.output, row)?
        {
            return Ok(());
        }
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                self.output.buffer.push(b',');
            }
            self.cell.clear();
            format::exact(&mut self.cell, row, &field.value(row));
            quote(&mut self.output.buffer, &self.cell);
        }
        self.output.buffer.extend(b"\r\n");
        self.output.flush_if_full()
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        self.output.flush()
    }
}

/// Quotes a cell that needs it.
pub(super) fn quote(out: &mut Vec<u8>, cell: &[u8]) {
    if !cell.iter().any(|b| matches!(b, b'"' | b',' | b'\r' | b'\n')) {
        return out.extend(cell);
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_commas_or_quotes_is_quoted() {
        let quoted = |cell: &[u8]| {
            let mut out = vec![];
            quote(&mut out, cell);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quoted(b"a b"), "a b");
        assert_eq!(quoted(b"a,b"), "\"a,b\"");
        assert_eq!(quoted(b"a\"b"), "\"a\"\"b\"");
    }
}
