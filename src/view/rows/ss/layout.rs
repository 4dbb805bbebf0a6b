//! Columns of ss: every row is gathered before the first is printed, so that each column is as wide
//! as its widest cell.
//!
//! ss fills four chunks of 1 MiB, prints them when it begins a fifth, and goes on with widths that can only
//! grow. So does this: memory is bounded, and a long listing breaks at the same rows.

use std::ops::Range;

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
    /// Where each cell ends; rows are as long as `columns`.
    ends: Vec<usize>,
    /// The column and the length of the latest cell: it counts when another follows. So the last
    /// cell of a listing does not widen its column, as in ss.
    latest: (usize, usize),
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
            ends: vec![],
            latest: (0, 0),
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
        let index = self.ends.len() % self.columns.len();
        if self.columns.get(index) != Some(&column) {
            return;
        }
        self.measure();
        let start = self.text.len();
        write(&mut self.text);
        self.text.truncate(start + LONGEST);
        let length = self.text.len() - start;
        self.ends.push(self.text.len());
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
    fn count(&mut self, length: usize) {
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

    /// Appends what was gathered so far.
    pub(super) fn print_part(&mut self, out: &mut Vec<u8>) {
        self.measure();
        self.print(out);
    }

    /// Appends what was gathered to `out` and forgets it; the widths stay.
    pub(super) fn print(&mut self, out: &mut Vec<u8>) {
        let widths = self.fitted();
        let mut start = 0;
        for row in self.ends.chunks(self.columns.len()) {
            for ((column, width), end) in self.columns.iter().zip(&widths).zip(row) {
                let is_first = Some(column) == self.columns.first();
                let gap = usize::from(column.is_apart() && !is_first);
                out.extend(&b" "[..gap]);
                let text = self.text.get(start..*end).unwrap_or_default();
                padded(out, text, width.saturating_sub(gap), column.is_right());
                start = *end;
            }
            out.push(b'\n');
        }
        self.text.clear();
        self.ends.clear();
        (self.taken, self.chunks) = (LENGTH, 1);
    }
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
