//! The line a row becomes when the widths of the columns are known.

use super::column::Column;
use crate::view::{output::Output, pen::Pen};
use std::{io, ops::Range};

/// The longest line that is written in place: as long as its columns, and by its text longer.
const LINE: usize = 256;

/// Where a cell stands in a line, unless one before it is wider than its column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) begins: usize,
    pub(super) ends: usize,
    gap: usize,
    is_right: bool,
}

impl Place {
    /// Those of columns that are this wide, the blanks in front of them included.
    pub(super) fn of(columns: &[Column], widths: &[usize]) -> Vec<Self> {
        let mut end = 0;
        let place = |(column, width): (&Column, &usize)| {
            let is_first = Some(column) == columns.first();
            let gap = usize::from(column.is_apart() && !is_first);
            let begins = end + gap;
            end = begins + width.saturating_sub(gap);
            Self { begins, ends: end, gap, is_right: column.is_right() }
        };
        columns.iter().zip(widths).map(place).collect()
    }

    fn width(self) -> usize {
        self.ends - self.begins
    }

    /// Where a text of this length begins.
    #[inline]
    pub(super) fn start(self, length: usize) -> usize {
        let spare = if self.is_right { self.width().saturating_sub(length) } else { 0 };
        self.begins + spare
    }
}

/// Writes a row of cells; `text` is that of all of them.
pub(super) fn write(
    output: &mut Output,
    text: &[u8],
    lengths: &[u16],
    places: &[Place],
) -> io::Result<()> {
    if places.last().is_some_and(|place| place.ends + text.len() <= LINE) {
        return output.row(|pen| {
            pen.put_part(&[b' '; LINE], 0);
            let shift = cells(pen, text, lengths, places);
            if let Some(place) = places.last() {
                pen.go_to(shift + place.ends);
            }
            pen.put(b"\n");
        });
    }
    append(&mut output.buffer, text, lengths, places);
    output.flush_if_full()
}

/// Writes cells into blanks, and tells by how much what is wider than its column shifts what follows.
#[inline]
pub(super) fn cells(
    pen: &mut Pen<'_>,
    mut text: &[u8],
    lengths: &[u16],
    places: &[Place],
) -> usize {
    let mut shift = 0;
    for (place, length) in places.iter().zip(lengths) {
        let length = usize::from(*length);
        pen.go_to(shift + place.start(length));
        match text.first_chunk() {
            Some(short) if length <= short.len() => pen.put_padded(short, length),
            _ => pen.text(text.get(..length).unwrap_or_default()),
        }
        shift += length.saturating_sub(place.width());
        text = text.get(length..).unwrap_or_default();
    }
    shift
}

/// Appends a line of any length.
fn append(out: &mut Vec<u8>, mut row: &[u8], lengths: &[u16], places: &[Place]) {
    for (place, length) in places.iter().zip(lengths) {
        let (text, rest) = row.split_at_checked(usize::from(*length)).unwrap_or((row, &[]));
        out.resize(out.len() + place.gap, b' ');
        padded(out, text, place.width(), place.is_right);
        row = rest;
    }
    out.push(b'\n');
}

fn padded(out: &mut Vec<u8>, text: &[u8], width: usize, right: bool) {
    let blanks: Range<usize> = text.len()..width.max(text.len());
    let pad = |out: &mut Vec<u8>| out.resize(out.len() + blanks.len(), b' ');
    if right {
        pad(out);
    }
    out.extend(text);
    if !right {
        pad(out);
    }
}
