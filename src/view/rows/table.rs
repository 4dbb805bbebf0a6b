//! Listings for people: aligned columns, in a stream.
//!
//! Widths are measured on the first screenfuls and hold from there on; a later, wider cell shifts
//! its own row and no other. A generic table library measures everything first: 1.5 GB for a
//! million rows (measured), so comfy-table draws reports and this draws listings.

use super::plain::{Form, Plain};
use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row, value::Value},
    model::{about::About, gap::Gap, state::State},
    view::{
        format::{self, Quantity},
        output::Output,
        pen::{self, EIGHT_DIGITS, digits},
        terminal::Device,
    },
};
use std::io;
use unicode_width::UnicodeWidthStr;

/// Rows measured before the first is printed.
const MEASURED: usize = 128;
/// The longest end of IPv4 with a port the kernel chose; longer ones of IPv6 are rarer.
const USUAL_END: &str = "255.255.255.255:65535";
/// Blanks between columns.
const GAP: usize = 1;
const FORM: Form = Form { separator: b' ', unknown: format::UNKNOWN, newline: b"\n ", ends: 1 };

/// A table.
pub struct Table<'o> {
    output: &'o mut Output,
    columns: Vec<Column>,
    heading: bool,
    device: Device,
    /// Rows whose cells are measured; emptied when the widths are known.
    measured: Measured,
    settled: bool,
    /// The mark of a terminal too narrow for every column.
    left_out: Option<&'static str>,
    /// The short way, where there is one for these columns.
    plain: Option<Plain>,
    goes_short: bool,
}

/// A column with what every cell of it asks, so that no cell has to compare words.
struct Column {
    field: &'static Field,
    width: usize,
    numeric: bool,
    first: bool,
    last: bool,
}

/// Texts of cells, one after the other: where each ends, and its colour.
#[derive(Default)]
struct Measured {
    text: Vec<u8>,
    cells: Vec<(usize, Option<&'static str>)>,
}

impl<'o> Table<'o> {
    /// Writes these columns to `output`.
    pub fn new(
        output: &'o mut Output,
        fields: Vec<&'static Field>,
        heading: bool,
        device: Device,
    ) -> Self {
        let count = fields.len();
        let columns = fields.into_iter().enumerate().map(|(index, field)| Column {
            field,
            width: if heading { field.header.len() } else { 0 },
            numeric: field.is_numeric(),
            first: index == 0,
            last: index + 1 == count,
        });
        let columns = columns.collect();
        Self {
            output,
            columns,
            heading,
            device,
            measured: Measured::default(),
            settled: false,
            left_out: None,
            plain: None,
            // A terminal cuts what is too wide, and colours.
            goes_short: !device.colour && device.width.is_none(),
        }
    }

    /// Every row by way of its columns.
    #[cfg(test)]
    pub(super) fn without_short_way(&mut self) {
        self.goes_short = false;
    }

    fn measure(&mut self, row: Row<'_>) {
        let Measured { text, cells } = &mut self.measured;
        for column in &mut self.columns {
            let value = column.field.value(row);
            let start = text.len();
            format::human(text, row, &value);
            column.width = column.width.max(shown_width(text.get(start..).unwrap_or_default()));
            cells.push((text.len(), colour(&value, self.device)));
        }
    }

    // Apart from the short way, which then has no registers to save for it.
    #[inline(never)]
    fn by_columns(&mut self, row: Row<'_>) -> io::Result<()> {
        if !self.settled {
            self.measure(row);
            if self.measured.cells.len() >= MEASURED * self.columns.len() {
                self.expect_more();
                self.settle()?;
            }
            return Ok(());
        }
        let mut written = 0;
        if let Some(plain) = &mut self.plain
            && plain.begin(&mut self.output.buffer, row)
        {
            written = plain.covers();
        }
        let out = &mut self.output.buffer;
        while let Some((column, _)) = self.columns.get(written..).and_then(<[_]>::split_first) {
            let quantities = quantities(out, self.columns.get(written..).unwrap_or_default(), row);
            if quantities > 0 {
                written += quantities;
                continue;
            }
            let value = column.field.value(row);
            let colour = colour(&value, self.device);
            column.cell(out, self.device, colour, |out| format::human(out, row, &value));
            written += 1;
        }
        end_line(out, self.left_out);
        self.output.flush_if_full()
    }

    /// Makes room for what the measured rows did not show and the next may: listeners come first, and
    /// a server may have hundreds.
    fn expect_more(&mut self) {
        for column in &mut self.columns {
            let usual = match column.field.unit {
                "state" => State::Established.name(),
                "endpoint" => USUAL_END,
                _ => "",
            };
            column.width = column.width.max(usual.len());
        }
    }

    /// Fixes the widths and prints the heading and the measured rows.
    fn settle(&mut self) -> io::Result<()> {
        self.settled = true;
        let measured = self.columns.len().max(1);
        if let Some(room) = self.device.width {
            fit(&mut self.columns, room);
            self.leave_out(room);
        }
        if self.goes_short {
            let columns = self.columns.iter().map(|column| (column.field.id, column.width));
            self.plain = Plain::of(FORM, columns);
        }
        let out = &mut self.output.buffer;
        if self.heading {
            let bold = self.device.colour.then_some("\x1b[1m");
            for column in &self.columns {
                let head = column.field.header.as_bytes();
                column.cell(out, self.device, bold, |out| out.extend(head));
            }
            end_line(out, self.left_out);
        }
        let Measured { text, cells } = std::mem::take(&mut self.measured);
        let mut start = 0;
        for row in cells.chunks(measured) {
            let out = &mut self.output.buffer;
            for (index, &(end, colour)) in row.iter().enumerate() {
                let text = text.get(start..end).unwrap_or_default();
                if let Some(column) = self.columns.get(index) {
                    column.cell(out, self.device, colour, |out| out.extend(text));
                }
                start = end;
            }
            end_line(out, self.left_out);
            self.output.flush_if_full()?;
        }
        Ok(())
    }

    /// Leaves out the columns a tiny terminal has no room for; a mark at the end of each line says
    /// that there is more. A row is never broken.
    fn leave_out(&mut self, room: usize) {
        let total = |columns: &[Column]| {
            columns.iter().map(|c| c.width + GAP).sum::<usize>().saturating_sub(GAP)
        };
        let mark = if self.device.unicode { "…" } else { "~" };
        while total(&self.columns) + if self.left_out.is_some() { 2 } else { 0 } > room
            && self.columns.len() > 1
        {
            self.columns.pop();
            self.left_out = Some(mark);
        }
    }
}

/// Room for several numbers with their units.
const QUANTITIES: usize = 192;

/// Appends the cells of these columns that are one number each, the short way, up to the first that is
/// not, or is wider than its column. How many there were.
#[inline]
fn quantities(out: &mut Vec<u8>, columns: &[Column], row: Row<'_>) -> usize {
    let mut written = 0;
    if columns.first().is_none_or(|column| !column.numeric) {
        return written;
    }
    pen::append(out, &[b' '; QUANTITIES], 0, |pen| {
        for column in columns {
            let value = column.field.value(row);
            let Some(Quantity { whole, tenths, unit: (unit, letters) }) = Quantity::of(&value)
            else {
                return;
            };
            let Some(whole) = u32::try_from(whole).ok().filter(|whole| *whole < EIGHT_DIGITS)
            else {
                return;
            };
            let (digits, count) = digits(whole);
            let length = count + if tenths > 0 { 2 } else { 0 } + letters;
            let end = pen.end() + column.width + if column.first { 0 } else { GAP };
            // Behind the end stands what is copied too much of the digits or the unit.
            if !column.numeric || length > column.width || end + 8 > QUANTITIES {
                return;
            }
            pen.go_to(end - length);
            pen.put_part(&digits, count);
            if tenths > 0 {
                pen.put(&[b'.', b'0' + tenths]);
            }
            pen.put_part(&unit, letters);
            written += 1;
        }
    });
    written
}

impl Column {
    /// Appends a cell: what `write` appends is coloured, cut and padded where it stands. The last
    /// column is not padded.
    fn cell(
        &self,
        out: &mut Vec<u8>,
        device: Device,
        colour: Option<&str>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if !self.first {
            out.extend([b' '; GAP]);
        }
        // Numbers stand right: behind as many blanks as they then take the place of.
        if self.numeric {
            pad(out, self.width);
        }
        let start = out.len();
        if let Some(colour) = colour {
            out.extend(colour.as_bytes());
        }
        let inner = out.len();
        write(out);
        let text = out.get(inner..).unwrap_or_default();
        let mut shown = if self.numeric { text.len() } else { shown_width(text) };
        if shown > self.width && device.width.is_some() {
            let cut = shortened(text, self.width, self.field.unit == "endpoint", device.unicode);
            shown = shown_width(&cut);
            out.truncate(inner);
            out.extend(cut);
        }
        if colour.is_some() {
            out.extend(b"\x1b[0m");
        }
        if self.numeric {
            let taken = shown.min(self.width);
            out.copy_within(start.., start - taken);
            out.truncate(out.len() - taken);
        } else if !self.last {
            pad(out, self.width.saturating_sub(shown));
        }
    }
}

/// Ends a line, with a mark where columns were left out.
fn end_line(out: &mut Vec<u8>, left_out: Option<&str>) {
    while out.last() == Some(&b' ') {
        out.pop();
    }
    if let Some(mark) = left_out {
        out.push(b' ');
        out.extend(mark.as_bytes());
    }
    out.push(b'\n');
}

impl RowSink for Table<'_> {
    fn begin(&mut self, _: &About) -> io::Result<()> {
        Ok(())
    }

    fn shows_head(&self) -> bool {
        false
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        if let Some(plain) = &mut self.plain
            && plain.write(self.output, row)?
        {
            return Ok(());
        }
        self.by_columns(row)
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        if !self.settled {
            self.settle()?;
        }
        self.output.flush()
    }
}

/// Colour as an aid: what needs a look stands out, what is over is dim. The word says it too.
fn colour(value: &Value<'_>, device: Device) -> Option<&'static str> {
    match value {
        _ if !device.colour => None,
        Value::State(State::Listen) => Some("\x1b[32m"),
        Value::State(State::TimeWait) => Some("\x1b[2m"),
        Value::State(State::CloseWait | State::LastAck | State::Closing | State::SynSent) => {
            Some("\x1b[33m")
        }
        _ => None,
    }
}

/// Makes the columns fit a terminal: names give way first, then addresses; numbers never.
fn fit(columns: &mut [Column], room: usize) {
    for (kinds, least) in [
        (&["name", "list"][..], 12),
        (&["endpoint", "address"][..], 21),
        (&["name", "list", "endpoint", "address"][..], 8),
    ] {
        let widths = columns.iter().map(|column| column.width).sum::<usize>();
        let total = widths + GAP * columns.len().saturating_sub(1);
        let mut over = total.saturating_sub(room);
        for column in columns.iter_mut().rev() {
            if kinds.contains(&column.field.unit) && column.width > least {
                let cut = over.min(column.width - least);
                column.width -= cut;
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
    // A screen's width at once and back: cheaper than a fill of unknown length.
    const USUAL: usize = 32;
    let end = out.len() + blanks;
    if blanks <= USUAL {
        out.extend_from_slice(&[b' '; USUAL]);
        out.truncate(end);
    } else {
        out.resize(end, b' ');
    }
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
