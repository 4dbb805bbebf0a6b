//! The lane for the rows that come by the million: rows that wait in ten bytes until the widths of their
//! columns are known.
//!
//! Of a million sockets most say what others say: a state, two queues, two addresses. Those are kept
//! once; the row keeps which, and its ports. As cells it takes ten times as much, and is written twice.

use super::{
    chunks::Chunks,
    column::Column,
    compatible,
    line::{self, Place},
    number,
    numbered::Numbered,
};
use crate::{
    model::{protocol::Protocol, socket::Socket, state::State},
    view::{
        address::{self, Texts},
        output::Output,
        pen::{Pen, port_digits, port_length},
    },
};
use std::{io, net::IpAddr};

/// A row: numbers of what is kept in [`Briefs`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    said: u16,
    local: u16,
    peer: u16,
    local_port: u16,
    peer_port: u16,
}

impl Brief {
    /// The place of a row that was gathered as cells.
    pub(super) const CELLS: Self =
        Self { said: u16::MAX, local: 0, peer: 0, local_port: 0, peer_port: 0 };
}

/// What a row says before its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Saying {
    protocol: Protocol,
    state: State,
    queues: (u32, u32),
}

/// The same as cells.
#[derive(Debug, Clone, Copy)]
struct Said {
    text: [u8; SAID],
    /// Those of the columns that are shown, and nothing behind them.
    lengths: [u16; BEFORE],
    /// The bytes ss takes for them.
    bytes: usize,
}

/// The columns before the ends, where all are shown, and room for the text of their cells.
const BEFORE: usize = 4;
const SAID: usize = 64;
/// The columns of the ends. One more is behind them, with nothing in it.
const ENDS: usize = 4;
/// The longest line that is written in place.
const LINE: usize = 192;
/// An address as it is copied, with the blanks behind it: one of IPv6 has 39 bytes at most.
const COPIED: usize = 40;

/// Rows in brief, in their order.
#[derive(Debug)]
pub(super) struct Briefs {
    rows: Vec<Brief>,
    /// The columns before the ends.
    columns: Vec<Column>,
    sayings: Numbered<Saying, Said>,
    /// The saying that widened its columns last.
    measured: u16,
    /// Addresses, and how long their cells are.
    addresses: Numbered<IpAddr, usize>,
    texts: Texts,
}

impl Briefs {
    /// Of a listing with these columns.
    pub(super) fn of(columns: &[Column]) -> Self {
        let is_before = |column: &&Column| **column != Column::LocalAddress;
        Self {
            rows: vec![],
            columns: columns.iter().take_while(is_before).copied().collect(),
            sayings: Numbered::default(),
            measured: Brief::CELLS.said,
            addresses: Numbered::default(),
            texts: Texts::default(),
        }
    }

    /// A row in brief, with the bytes that ss takes for its cells; the columns are widened to it.
    /// `None`: there is more to it than that.
    #[inline]
    pub(super) fn brief(
        &mut self,
        socket: &Socket,
        widths: &mut [usize],
    ) -> Option<(Brief, usize)> {
        if socket.interface != 0 || socket.family_facts.is_some() {
            return None;
        }
        let brief = Brief {
            said: self.saying(socket)?,
            local: self.address(socket.local.address)?,
            peer: self.address(socket.remote.address)?,
            local_port: socket.local.port,
            peer_port: socket.remote.port,
        };
        let (_, said) = self.sayings.get(brief.said)?;
        let (before, ends) = widths.split_at_mut_checked(self.columns.len())?;
        if self.measured != brief.said {
            widen(before, said.lengths.map(usize::from));
            self.measured = brief.said;
        }
        let lengths = self.end_lengths(brief);
        widen(ends, lengths);
        let bytes: usize = lengths.into_iter().map(Chunks::bytes).sum();
        Some((brief, said.bytes + bytes + Chunks::bytes(0)))
    }

    /// Adds a row.
    #[inline]
    pub(super) fn push(&mut self, brief: Brief) {
        self.rows.push(brief);
    }

    /// How long its cells are.
    pub(super) fn cells(&self, brief: Brief) -> impl Iterator<Item = usize> {
        let said = self.sayings.get(brief.said);
        let before = said.into_iter().flat_map(|(_, said)| said.lengths).map(usize::from);
        before.take(self.columns.len()).chain(self.end_lengths(brief)).chain([0])
    }

    #[inline]
    fn end_lengths(&self, brief: Brief) -> [usize; ENDS] {
        let address = |number| self.addresses.get(number).map_or(0, |(_, length)| *length);
        [
            address(brief.local),
            port_length(brief.local_port),
            address(brief.peer),
            port_length(brief.peer_port),
        ]
    }

    #[inline]
    fn saying(&mut self, socket: &Socket) -> Option<u16> {
        let queues = number::queues(socket);
        let saying = Saying { protocol: socket.protocol, state: socket.state, queues };
        let (recv, send) = queues;
        let numbers = u64::from(recv) ^ u64::from(send) << 32;
        let bits = numbers << 4 ^ u64::from(socket.state.number());
        self.sayings.number(saying, bits, |saying| Some(said(saying, &self.columns)))
    }

    #[inline]
    fn address(&mut self, address: IpAddr) -> Option<u16> {
        let length = |address| {
            let text = self.texts.of(address).as_bytes().len();
            match address {
                IpAddr::V4(_) => Some(text + ":".len()),
                // What is not written as it stands is left to `inet`.
                IpAddr::V6(v6) if v6.is_unspecified() || compatible::v4(v6).is_some() => None,
                IpAddr::V6(_) => Some(text + "[]:".len()),
            }
        };
        self.addresses.number(address, address::bits(address), length)
    }

    /// Writes the rows and forgets them; those of cells are written by `write_cells`.
    pub(super) fn write(
        &mut self,
        output: &mut Output,
        places: &[Place],
        mut write_cells: impl FnMut(&mut Output) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { rows, columns, sayings, addresses, texts, .. } = self;
        let (before, behind) = places.split_at(columns.len());
        let [local, local_port, peer, peer_port, process] = *behind else { return Ok(()) };
        let is_short = process.ends <= LINE;
        let mut line = [b' '; LINE];
        let mut in_line = Brief::CELLS.said;
        for brief in rows.drain(..) {
            let (Some((_, said)), Some(local_address), Some(peer_address)) =
                (sayings.get(brief.said), addresses.get(brief.local), addresses.get(brief.peer))
            else {
                write_cells(output)?;
                continue;
            };
            let ends = [
                End { address: *local_address, port: brief.local_port },
                End { address: *peer_address, port: brief.peer_port },
            ];
            if !is_short {
                let (text, lengths) = cells(said, columns.len(), ends, texts);
                line::write(output, &text, &lengths, places)?;
                continue;
            }
            if in_line != brief.said {
                line = [b' '; LINE];
                line::cells(&mut Pen::new(&mut line), &said.text, &said.lengths, before);
                in_line = brief.said;
            }
            output.row(|pen| {
                pen.put_part(&line, 0);
                let [this, other] = ends;
                this.write(pen, (local, local_port), texts);
                other.write(pen, (peer, peer_port), texts);
                pen.go_to(process.ends);
                pen.put(b"\n");
            })?;
        }
        sayings.clear();
        addresses.clear();
        self.measured = Brief::CELLS.said;
        Ok(())
    }
}

/// What stands before the ends, as cells of these columns.
fn said(saying: Saying, columns: &[Column]) -> Said {
    let mut said = Said { text: [b' '; SAID], lengths: [0; BEFORE], bytes: 0 };
    let mut text = vec![];
    for (column, length) in columns.iter().zip(&mut said.lengths) {
        let start = text.len();
        match column {
            Column::Netid => text.extend(saying.protocol.name().as_bytes()),
            Column::State => text.extend(saying.state.ss().as_bytes()),
            Column::RecvQueue => number::queue(&mut text, saying.queues.0),
            _ => number::queue(&mut text, saying.queues.1),
        }
        *length = u16::try_from(text.len() - start).unwrap_or(0);
        said.bytes += Chunks::bytes(text.len() - start);
    }
    Pen::new(&mut said.text).text(&text);
    said
}

/// The end of a row.
#[derive(Clone, Copy)]
struct End {
    /// The address, and how long its cell is.
    address: (IpAddr, usize),
    port: u16,
}

impl End {
    /// Writes both cells in their places.
    #[expect(clippy::inline_always, reason = "as a call the pen would live in memory")]
    #[inline(always)]
    fn write(self, pen: &mut Pen<'_>, (address, port): (Place, Place), texts: &mut Texts) {
        pen.go_to(address.start(self.address.1));
        self.put_address(pen, texts);
        pen.go_to(port.begins);
        self.put_port(pen);
    }

    /// Writes the address with the colon that joins it to its port.
    #[expect(clippy::inline_always, reason = "as a call the pen would live in memory")]
    #[inline(always)]
    fn put_address(self, pen: &mut Pen<'_>, texts: &mut Texts) {
        let text = texts.of(self.address.0);
        if self.address.0.is_ipv4() {
            text.put::<16>(pen);
            pen.put(b":");
        } else {
            pen.put(b"[");
            text.put::<COPIED>(pen);
            pen.put(b"]:");
        }
    }

    #[inline]
    fn put_port(self, pen: &mut Pen<'_>) {
        let (digits, count) = port_digits(self.port);
        // "0" and "*" are of one length.
        let digits = if self.port == 0 { *b"*       " } else { digits };
        pen.put_part(&digits, count);
    }
}

/// The text of a row's cells, one behind the other, and how long each is.
fn cells(said: &Said, columns: usize, ends: [End; 2], texts: &mut Texts) -> (Vec<u8>, Vec<u16>) {
    let mut text = [b' '; LINE];
    let mut lengths: Vec<u16> = said.lengths.iter().take(columns).copied().collect();
    let mut pen = Pen::new(&mut text);
    pen.put_part(&said.text, lengths.iter().copied().map(usize::from).sum());
    let mut start = pen.end();
    let mut cell = |end: usize| {
        lengths.push(u16::try_from(end - start).unwrap_or(0));
        start = end;
    };
    for end in ends {
        end.put_address(&mut pen, texts);
        cell(pen.end());
        end.put_port(&mut pen);
        cell(pen.end());
    }
    // Nothing is behind them.
    cell(pen.end());
    let end = pen.end();
    (text.into_iter().take(end).collect(), lengths)
}

fn widen<const N: usize>(widths: &mut [usize], lengths: [usize; N]) {
    for (width, length) in widths.iter_mut().zip(lengths) {
        *width = length.max(*width);
    }
}
