//! `--count` and `--quiet`: how many rows, and none of them.

use crate::{
    collect::sink::RowSink,
    field::row::Row,
    model::{about::About, gap::Gap},
    view::{head, json, output::Output},
};
use std::io;

/// The schema of a count.
pub const SCHEMA: &str = "sockeye.count/1";

/// How the count is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bare number.
    Number,
    /// A JSON document.
    Json,
    /// Not at all: the exit code tells.
    Silent,
}

/// Counts rows.
pub struct Counted<'o> {
    output: &'o mut Output,
    form: Form,
    rows: u64,
}

impl<'o> Counted<'o> {
    /// Writes the count to `output` in this form.
    pub fn new(output: &'o mut Output, form: Form) -> Self {
        Self { output, form, rows: 0 }
    }
}

impl RowSink for Counted<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        if self.form == Form::Json {
            head::write(&mut self.output.buffer, SCHEMA, about);
        }
        Ok(())
    }

    fn row(&mut self, _: Row<'_>) -> io::Result<()> {
        self.rows += 1;
        Ok(())
    }

    fn end(&mut self, late: &[Gap]) -> io::Result<()> {
        let out = &mut self.output.buffer;
        match self.form {
            Form::Silent => return Ok(()),
            Form::Number => json::number(out, self.rows),
            Form::Json => {
                out.extend(b",\"count\":");
                json::number(out, self.rows);
                if !late.is_empty() {
                    out.extend(b",\"late_warnings\":");
                    head::warnings(out, late);
                }
                out.push(b'}');
            }
        }
        out.push(b'\n');
        self.output.flush()
    }
}
