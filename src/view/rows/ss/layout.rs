//! Columns of ss: every row is gathered before the first is printed, so that each column is as wide
//! as its widest cell.
//!
//! ss fills four chunks of 1 MiB, prints them when it begins a fifth, and goes on with widths that can only
//! grow. So does this: memory is bounded, and a long listing breaks at the same rows.

use crate::view::{address::Texts, output::Output, pen::Pen};
use std::{io, ops::Range};

/// Bytes of a chunk that hold cells: ss allocates 1 MiB, of which two pointers are its own.
const CHUNK: usize = 1024 * 1024 - 16;
/// The chunk that is not filled any more: what was gathered is printed when it begins.
const CHUNKS: usize = 5;
/// Bytes in front of each cell: its length.
const LENGTH: usize = 2;
/// The longest cell: its length has 16 bits.
const LONGEST: usize = u16::MAX as usize;

/// A column of ss, in the order of printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Netid,
    State,
    RecvQueue,
    SendQueue,
    LocalAddress,
    LocalPort,
    PeerAddress,
    PeerPort,
    Process,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::Netid,
        Self::State,
        Self::RecvQueue,
        Self::SendQueue,
        Self::LocalAddress,
        Self::LocalPort,
        Self::PeerAddress,
        Self::PeerPort,
        Self::Process,
    ];

    const fn heading(self) -> &'static [u8] {
        match self {
            Self::Netid => b"Netid",
            Self::State => b"State",
            Self::RecvQueue => b"Recv-Q",
            Self::SendQueue => b"Send-Q",
            Self::LocalAddress => b"Local Address:",
            Self::PeerAddress => b"Peer Address:",
            Self::LocalPort | Self::PeerPort => b"Port",
            Self::Process => b"Process",
        }
    }

    /// Whether a blank stands in front of it: ports and the last column follow without one.
    const fn is_apart(self) -> bool {
        !matches!(self, Self::Netid | Self::LocalPort | Self::PeerPort | Self::Process)
    }

    /// Whether cells are aligned to the right: addresses meet their ports at the colon.
    const fn is_right(self) -> bool {
        matches!(self, Self::LocalAddress | Self::PeerAddress)
    }
}

/// What is gathered.
#[derive(Debug)]
pub(super) struct Layout {
    columns: Vec<Column>,
    widths: Vec<usize>,
    /// Columns of the terminal; `None`: a pipe, where nothing is spread.
    screen: Option<usize>,
    text: Vec<u8>,
    /// How long each cell is; rows are as long as `columns`.
    lengths: Vec<u16>,
    /// The column of the cell that comes next.
    next: usize,
    /// The column and the length of the latest cell: it counts when another follows. So the last
    /// cell of a listing does not widen its column, as in ss.
    latest: (usize, usize),
    /// Addresses seen lately, for who writes cells.
    addresses: Texts,
    /// Bytes taken in the chunk that is being filled, and how many chunks there are, as ss counts.
    taken: usize,
    chunks: usize,
}

impl Layout {
    /// Without the columns in `hidden`.
    pub(super) fn without(hidden: &[Column], screen: Option<usize>) -> Self {
        let columns: Vec<_> = Column::ALL.into_iter().filter(|c| !hidden.contains(c)).collect();
        let widths = vec![0; columns.len()];
        Self {
            columns,
            widths,
            screen,
            text: vec![],
            lengths: vec![],
            next: 0,
            latest: (0, 0),
            addresses: Texts::default(),
            taken: LENGTH,
            chunks: 1,
        }
    }

    /// Gathers the headings as the first row.
    pub(super) fn head(&mut self) {
        for column in Column::ALL {
            self.cell(column, |out| out.extend(column.heading()));
        }
        self.measure();
        self.end_row();
    }

    /// Gathers one cell; the columns of a row come in their order. One that is hidden is passed
    /// over.
    pub(super) fn cell(&mut self, column: Column, write: impl FnOnce(&mut Vec<u8>)) {
        self.cell_with_addresses(column, |out, _| write(out));
    }

    /// The same for who needs the texts of addresses.
    pub(super) fn cell_with_addresses(
        &mut self,
        column: Column,
        write: impl FnOnce(&mut Vec<u8>, &mut Texts),
    ) {
        let index = self.next;
        if self.columns.get(index) != Some(&column) {
            return;
        }
        self.next = if index + 1 == self.columns.len() { 0 } else { index + 1 };
        self.measure();
        let start = self.text.len();
        write(&mut self.text, &mut self.addresses);
        self.text.truncate(start + LONGEST);
        let length = self.text.len() - start;
        self.lengths.push(u16::try_from(length).unwrap_or(u16::MAX));
        self.latest = (index, length);
        self.count(length);
    }

    fn measure(&mut self) {
        let (index, length) = self.latest;
        if let Some(width) = self.widths.get_mut(index) {
            *width = length.max(*width);
        }
    }

    /// ss keeps a cell whole: one that does not fit begins a new chunk.
    #[inline]
    fn count(&mut self, length: usize) {
        let padded = length + length % 2;
        if self.taken + padded + LENGTH <= CHUNK {
            self.taken += padded + LENGTH;
        } else {
            self.count_at_end(length);
        }
    }

    #[inline(never)]
    fn count_at_end(&mut self, length: usize) {
        if self.taken + length > CHUNK {
            self.begin_chunk();
        }
        self.taken += length;
        let padding = length % 2;
        if CHUNK.saturating_sub(self.taken + padding) < LENGTH {
            self.begin_chunk();
        } else {
            self.taken += padding + LENGTH;
        }
    }

    fn begin_chunk(&mut self) {
        self.chunks += 1;
        self.taken = LENGTH;
    }

    /// Ends a row; whether ss would print now.
    ///
    /// A column without heading or text is the last of each row there: its cells take room too.
    pub(super) fn end_row(&mut self) -> bool {
        self.count(0);
        self.chunks >= CHUNKS
    }

    /// Prints what was gathered so far.
    pub(super) fn print_part(&mut self, output: &mut Output) -> io::Result<()> {
        self.measure();
        self.print(output)
    }

    /// Prints what was gathered to `output` and forgets it; the widths stay.
    pub(super) fn print(&mut self, output: &mut Output) -> io::Result<()> {
        let places = self.places();
        let mut text = self.text.as_slice();
        for lengths in self.lengths.chunks(self.columns.len()) {
            let length = lengths.iter().copied().map(usize::from).sum();
            let (row, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
            if places.last().is_some_and(|place| place.ends + length <= LINE) {
                output.row(|pen| line(pen, row, lengths, &places))?;
            } else {
                long_line(&mut output.buffer, row, lengths, &places);
                output.flush_if_full()?;
            }
            text = rest;
        }
        self.text.clear();
        self.lengths.clear();
        (self.taken, self.chunks) = (LENGTH, 1);
        Ok(())
    }

    /// Where the cells of a line stand.
    fn places(&self) -> Vec<Place> {
        let mut begins = 0;
        let place = |(column, width): (&Column, &usize)| {
            let is_first = Some(column) == self.columns.first();
            let gap = usize::from(column.is_apart() && !is_first);
            let place = Place {
                gap,
                begins: begins + gap,
                ends: begins + gap + width.saturating_sub(gap),
                is_right: column.is_right(),
            };
            begins = place.ends;
            place
        };
        self.columns.iter().zip(&self.fitted()).map(place).collect()
    }
}

/// Where a cell stands in a line, unless one before it is wider than its column.
#[derive(Debug, Clone, Copy)]
struct Place {
    gap: usize,
    begins: usize,
    ends: usize,
    is_right: bool,
}

/// The longest line that is written in place: as long as its columns, and by its text longer.
const LINE: usize = 256;

/// Writes a line into blanks. What is wider than its column shifts what follows.
#[inline]
fn line(pen: &mut Pen<'_>, mut row: &[u8], lengths: &[u16], places: &[Place]) {
    pen.put_part(&[b' '; LINE], 0);
    let mut shift = 0;
    for (place, length) in places.iter().zip(lengths) {
        let length = usize::from(*length);
        let width = place.ends - place.begins;
        let spare = if place.is_right { width.saturating_sub(length) } else { 0 };
        pen.go_to(shift + place.begins + spare);
        match row.first_chunk() {
            Some(short) if length <= short.len() => pen.put_padded(short, length),
            _ => pen.text(row.get(..length).unwrap_or_default()),
        }
        shift += length.saturating_sub(width);
        row = row.get(length..).unwrap_or_default();
    }
    if let Some(place) = places.last() {
        pen.go_to(shift + place.ends);
    }
    pen.put(b"\n");
}

fn long_line(out: &mut Vec<u8>, mut row: &[u8], lengths: &[u16], places: &[Place]) {
    for (place, length) in places.iter().zip(lengths) {
        let (text, rest) = row.split_at_checked(usize::from(*length)).unwrap_or((row, &[]));
        out.extend(&b" "[..place.gap]);
        padded(out, text, place.ends - place.begins, place.is_right);
        row = rest;
    }
    out.push(b'\n');
}

impl Layout {
    /// The widths, the blanks between columns included. On a terminal, columns that fit on one line
    /// share what is left of it, and so do those that go on to the next.
    fn fitted(&self) -> Vec<usize> {
        let with_gap = |(index, column): (usize, &Column)| {
            let width = self.widths.get(index).copied().unwrap_or(0);
            width + usize::from(index > 0 && width > 0 && column.is_apart())
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(with_gap).collect();
        let Some(screen) = self.screen else { return widths };
        let mut rest = widths.as_mut_slice();
        while !rest.is_empty() {
            let mut taken = 0;
            let fits = |width: &&mut usize| {
                taken += (**width).min(screen);
                taken <= screen
            };
            let count = rest.iter_mut().take_while(fits).count().max(1);
            let (line, others) = rest.split_at_mut(count);
            spread(line, screen);
            rest = others;
        }
        widths
    }
}

/// Shares what a line has left among its columns; what cannot be divided goes to the last ones.
fn spread(line: &mut [usize], screen: usize) {
    for width in line.iter_mut() {
        *width = screen.min(*width);
    }
    let spare = screen.saturating_sub(line.iter().sum());
    let mut shown: Vec<&mut usize> = line.iter_mut().filter(|width| **width > 0).collect();
    let count = shown.len().max(1);
    for (index, width) in shown.iter_mut().rev().enumerate() {
        **width += spare / count + usize::from(index < spare % count);
    }
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
