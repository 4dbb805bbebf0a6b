//! Listings as one JSON document, or as one object a line.

use super::{
    object,
    whole::{Among, Whole},
};
use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row},
    model::{about::About, gap::Gap},
    view::{head, output::Output},
};
use std::io;

/// The schema of a listing.
pub const SCHEMA: &str = "sockeye.sockets/1";

/// What an object holds.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Everything.
    Whole,
    /// These columns.
    Columns(Vec<&'static Field>),
}

/// Writes objects of a shape.
struct Objects {
    shape: Shape,
    whole: Whole,
}

impl Objects {
    fn new(shape: Shape) -> Self {
        Self { shape, whole: Whole::default() }
    }

    fn write(&mut self, output: &mut Output, row: Row<'_>, among: Among) -> io::Result<()> {
        match &self.shape {
            Shape::Whole => self.whole.write(output, row, among),
            Shape::Columns(fields) => {
                let object = |out: &mut Vec<u8>| object::selected(out, fields, row);
                among.write(&mut output.buffer, |out| self.whole.begin(out, object));
                output.flush_if_full()
            }
        }
    }
}

/// One document.
pub struct Document<'o> {
    output: &'o mut Output,
    objects: Objects,
    is_empty: bool,
}

impl<'o> Document<'o> {
    /// Writes to `output`.
    pub fn new(output: &'o mut Output, shape: Shape) -> Self {
        Self { output, objects: Objects::new(shape), is_empty: true }
    }
}

impl RowSink for Document<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        head::write(&mut self.output.buffer, SCHEMA, about);
        self.output.buffer.extend(b",\"sockets\":[");
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        let first = std::mem::take(&mut self.is_empty);
        self.objects.write(self.output, row, Among::Members { first })
    }

    fn end(&mut self, late: &[Gap]) -> io::Result<()> {
        self.output.buffer.push(b']');
        // What the head could not know: the document is streamed.
        if !late.is_empty() {
            self.output.buffer.extend(b",\"late_warnings\":");
            head::warnings(&mut self.output.buffer, late);
        }
        self.output.buffer.extend(b"}\n");
        self.output.flush()
    }
}

/// One object a line.
pub struct Lines<'o> {
    output: &'o mut Output,
    objects: Objects,
    stamped: bool,
}

impl<'o> Lines<'o> {
    /// Writes to `output`; with `stamped`, each object says when it was made, so that the rounds of
    /// a watch can be told apart.
    pub fn new(output: &'o mut Output, shape: Shape, stamped: bool) -> Self {
        Self { output, objects: Objects::new(shape), stamped }
    }
}

impl RowSink for Lines<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        if self.stamped {
            let stamp = format!("{{\"generated_at\":\"{}\",", head::time(about));
            self.objects.whole = Whole::new(stamp.into_bytes());
        }
        Ok(())
    }

    fn shows_head(&self) -> bool {
        false
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        self.objects.write(self.output, row, Among::Lines)
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        self.output.flush()
    }
}
