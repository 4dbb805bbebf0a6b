//! Listings for people: aligned columns, in a stream.
//!
//! Widths are measured on the first screenfuls and hold from there on; a later, wider cell shifts
//! its own row and no other. A generic table library measures everything first: 1.5 GB for a
//! million rows (measured), so comfy-table draws reports and this draws listings.

use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row, value::Value},
    model::{about::About, gap::Gap, state::State},
    view::{format, output::Output, terminal::Device},
};
use std::io;
use unicode_width::UnicodeWidthStr;

/// Rows measured before the first is printed.
const MEASURED: usize = 512;
/// Blanks between columns.
const GAP: usize = 1;

/// A table.
pub struct Table<'o> {
    output: &'o mut Output,
    fields: Vec<&'static Field>,
    heading: bool,
    device: Device,
    /// Cells of the measured rows, row by row; emptied when the widths are known.
    cells: Vec<Cell>,
    widths: Option<Vec<usize>>,
    scratch: Vec<u8>,
}

struct Cell {
    text: Vec<u8>,
    colour: Option<&'static str>,
}

impl<'o> Table<'o> {
    /// Writes these columns to `output`.
    pub fn new(
        output: &'o mut Output,
        fields: Vec<&'static Field>,
        heading: bool,
        device: Device,
    ) -> Self {
        Self { output, fields, heading, device, cells: vec![], widths: None, scratch: vec![] }
    }

    fn settle(&mut self) -> io::Result<()> {
        let columns = self.fields.len().max(1);
        let mut widths: Vec<usize> =
            self.fields.iter().map(|f| if self.heading { f.header.len() } else { 0 }).collect();
        for row in self.cells.chunks(columns) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(shown_width(&cell.text));
            }
        }
        if let Some(room) = self.device.width {
            fit(&mut widths, &self.fields, room);
        }
        if self.heading {
            let heads: Vec<Cell> = self
                .fields
                .iter()
                .map(|f| Cell {
                    text: f.header.as_bytes().to_vec(),
                    colour: self.device.colour.then_some("\x1b[1m"),
                })
                .collect();
            for (index, (cell, width)) in heads.iter().zip(&widths).enumerate() {
                self.put(index, &cell.text, cell.colour, *width);
            }
            self.end_line();
        }
        for row in std::mem::take(&mut self.cells).chunks(columns) {
            for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
                self.put(index, &cell.text, cell.colour, *width);
            }
            self.end_line();
            self.output.flush_if_full()?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// One cell, padded to its column; the last one is not padded.
    fn put(&mut self, index: usize, text: &[u8], colour: Option<&str>, width: usize) {
        let Some(field) = self.fields.get(index) else {
            return;
        };
        let last = index + 1 == self.fields.len();
        let numeric = field.is_numeric();
        let out = &mut self.output.buffer;
        if index > 0 {
            out.extend([b' '; GAP]);
        }
        let shown = shown_width(text);
        let cut = (shown > width && self.device.width.is_some())
            .then(|| shortened(text, width, field.unit == "endpoint", self.device.unicode));
        let (text, shown) = cut.as_deref().map_or((text, shown), |cut| (cut, shown_width(cut)));
        let padding = width.saturating_sub(shown);
        if numeric {
            pad(out, padding);
        }
        if let Some(colour) = colour {
            out.extend(colour.as_bytes());
            out.extend(text);
            out.extend(b"\x1b[0m");
        } else {
            out.extend(text);
        }
        if !numeric && !last {
            pad(out, padding);
        }
    }

    fn end_line(&mut self) {
        let out = &mut self.output.buffer;
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
    }
}

impl RowSink for Table<'_> {
    fn begin(&mut self, _: &About) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        let Some(widths) = self.widths.take() else {
            for field in &self.fields {
                let value = field.value(row);
                let mut text = vec![];
                format::human(&mut text, row, &value);
                let colour = colour(&value).filter(|_| self.device.colour);
                self.cells.push(Cell { text, colour });
            }
            if self.cells.len() >= MEASURED * self.fields.len() {
                self.settle()?;
            }
            return Ok(());
        };
        for index in 0..self.fields.len() {
            let (Some(field), Some(width)) = (self.fields.get(index), widths.get(index)) else {
                continue;
            };
            let value = field.value(row);
            let mut text = std::mem::take(&mut self.scratch);
            text.clear();
            format::human(&mut text, row, &value);
            let colour = colour(&value).filter(|_| self.device.colour);
            self.put(index, &text, colour, *width);
            self.scratch = text;
        }
        self.end_line();
        self.widths = Some(widths);
        self.output.flush_if_full()
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        if self.widths.is_none() {
            self.settle()?;
        }
        self.output.flush()
    }
}

/// Colour as an aid: what needs a look stands out, what is over is dim. The word says it too.
fn colour(value: &Value<'_>) -> Option<&'static str> {
    match value {
        Value::State(State::Listen) => Some("\x1b[32m"),
        Value::State(State::TimeWait) => Some("\x1b[2m"),
        Value::State(State::CloseWait | State::LastAck | State::Closing | State::SynSent) => {
            Some("\x1b[33m")
        }
        _ => None,
    }
}

/// Makes the columns fit a terminal: names give way first, then addresses; numbers never.
fn fit(widths: &mut [usize], fields: &[&'static Field], room: usize) {
    for (kinds, least) in [
        (&["name", "list"][..], 12),
        (&["endpoint", "address"][..], 21),
        (&["name", "list", "endpoint", "address"][..], 8),
    ] {
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut over = total.saturating_sub(room);
        for (width, field) in widths.iter_mut().zip(fields).rev() {
            if kinds.contains(&field.unit) && *width > least {
                let cut = over.min(*width - least);
                *width -= cut;
                over -= cut;
            }
        }
    }
}

/// A cell cut to its column with a mark that it was cut; an endpoint keeps its port.
fn shortened(text: &[u8], width: usize, endpoint: bool, unicode: bool) -> Vec<u8> {
    let mark = if unicode { "…" } else { "~" };
    let text = String::from_utf8_lossy(text);
    let tail =
        if endpoint { text.rfind(':').map_or("", |at| text.get(at..).unwrap_or("")) } else { "" };
    let tail = if tail.len() + 2 > width { "" } else { tail };
    let mut cut = String::new();
    for c in text.chars() {
        if cut.width() + 2 + tail.len() > width {
            break;
        }
        cut.push(c);
    }
    format!("{cut}{mark}{tail}").into_bytes()
}

fn shown_width(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { String::from_utf8_lossy(text).width() }
}

fn pad(out: &mut Vec<u8>, blanks: usize) {
    out.resize(out.len() + blanks, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_cell_says_so_and_an_endpoint_keeps_its_port() {
        let cut = |text: &str, width, endpoint| {
            String::from_utf8(shortened(text.as_bytes(), width, endpoint, true)).unwrap()
        };
        assert_eq!(cut("[2001:db8:1:2:3:4:5:6]:51234", 20, true), "[2001:db8:1:2…:51234");
        assert_eq!(cut("nginx-with-a-long-name", 10, false), "nginx-wit…");
    }
}
