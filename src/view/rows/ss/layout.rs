//! Columns of ss: rows are gathered before the first is printed, so that each column is as wide as its
//! widest cell.
//!
//! ss prints what it gathered when it has filled four chunks, and goes on with widths that can only
//! grow. So does this: memory is bounded, and a long listing breaks at the same rows.

use super::{
    brief::{Brief, Briefs},
    chunks::Chunks,
    column::Column,
    line::{self, Place},
};
use crate::{
    model::socket::Socket,
    view::{address::Texts, output::Output},
};
use std::io;

/// The longest cell: its length has 16 bits.
const LONGEST: usize = u16::MAX as usize;

/// What is gathered.
#[derive(Debug)]
pub(super) struct Layout {
    columns: Vec<Column>,
    widths: Vec<usize>,
    /// Columns of the terminal; `None`: a pipe, where nothing is spread.
    screen: Option<usize>,
    /// The rows in brief, in their order; those that are more than that are cells here.
    briefs: Briefs,
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
    chunks: Chunks,
}

impl Layout {
    /// Without the columns in `hidden`.
    pub(super) fn without(hidden: &[Column], screen: Option<usize>) -> Self {
        let columns: Vec<_> = Column::ALL.into_iter().filter(|c| !hidden.contains(c)).collect();
        let widths = vec![0; columns.len()];
        Self {
            briefs: Briefs::of(&columns),
            columns,
            widths,
            screen,
            text: vec![],
            lengths: vec![],
            next: 0,
            latest: (0, 0),
            addresses: Texts::default(),
            chunks: Chunks::EMPTY,
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
        self.measure();
        let start = self.text.len();
        write(&mut self.text, &mut self.addresses);
        self.text.truncate(start + LONGEST);
        let length = self.text.len() - start;
        self.lengths.push(u16::try_from(length).unwrap_or(u16::MAX));
        self.latest = (index, length);
        self.chunks.add(length);
        self.next = index + 1;
        if self.next == self.columns.len() {
            self.next = 0;
            self.briefs.push(Brief::CELLS);
        }
    }

    /// Gathers a row with numbers for its ends and nothing behind them. False: it is not that plain,
    /// and nothing was gathered.
    #[inline]
    pub(super) fn brief(&mut self, socket: &Socket) -> bool {
        let Some((brief, bytes)) = self.briefs.brief(socket, &mut self.widths) else {
            return false;
        };
        self.measure();
        self.latest = (0, 0);
        if !self.chunks.add_bytes(bytes) {
            self.briefs.cells(brief).for_each(|length| self.chunks.add(length));
        }
        self.briefs.push(brief);
        true
    }

    fn measure(&mut self) {
        let (index, length) = self.latest;
        if let Some(width) = self.widths.get_mut(index) {
            *width = length.max(*width);
        }
    }

    /// Ends a row; whether ss would print now.
    ///
    /// A column without heading or text is the last of each row there: its cells take room too.
    pub(super) fn end_row(&mut self) -> bool {
        self.chunks.add(0);
        self.chunks.are_full()
    }

    /// Prints what was gathered so far.
    pub(super) fn print_part(&mut self, output: &mut Output) -> io::Result<()> {
        self.measure();
        self.print(output)
    }

    /// Prints what was gathered to `output` and forgets it; the widths stay.
    pub(super) fn print(&mut self, output: &mut Output) -> io::Result<()> {
        let places = Place::of(&self.columns, &self.fitted());
        let mut rows = self.lengths.chunks(self.columns.len());
        let mut text = self.text.as_slice();
        self.briefs.write(output, &places, |output| {
            let lengths = rows.next().unwrap_or_default();
            let length = lengths.iter().copied().map(usize::from).sum();
            let (row, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
            text = rest;
            line::write(output, row, lengths, &places)
        })?;
        self.text.clear();
        self.lengths.clear();
        self.chunks = Chunks::EMPTY;
        Ok(())
    }

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
