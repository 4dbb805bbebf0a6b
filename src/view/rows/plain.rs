//! The lane for the rows that come by the million.
//!
//! A listing without options shows a state, three queues and two ends, of sockets that differ in
//! little else. For those the way of every column (a getter, a value, its form, a cell) costs five
//! times what is left here: a line whose beginning stays while it is the same, and behind it two ends.
//! It is the same line: what is not as plain as that (an interface, a name, a listener) is left to the
//! table, and the tests compare the two for every kind of socket.

use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Protocol, queues::Queues, state::State},
    view::{
        address::Texts,
        fixed::{END, Fixed, digits},
        format::{self, UNKNOWN},
    },
};

/// The longest line; a table with wider columns has no such lane.
const LINE: usize = 384;
/// An address as it is copied, with the blanks behind it: one of IPv6 in brackets has 42 bytes with
/// its colon, and a column of ends is at most as wide as the longest end.
const COPIED: usize = 48;

/// Where each cell stands, and the last line.
pub(super) struct Plain {
    /// State and queues, before the ends.
    cells: Vec<Cell>,
    gap: usize,
    local: End,
    peer: Option<End>,
    /// Whether the owner follows: the last, as long as it likes.
    owner: bool,
    line: Fixed<LINE>,
    addresses: Texts,
    /// What the line says before the ends, and where they begin.
    said: Option<(Protocol, State, Queues)>,
    ends_at: usize,
}

struct Cell {
    what: What,
    start: usize,
    width: usize,
}

/// The columns before the ends there is a lane for.
#[derive(Clone, Copy)]
enum What {
    Protocol,
    State,
    RecvQueue,
    SendQueue,
    AcceptQueue,
}

/// A column of ends.
#[derive(Clone, Copy)]
struct End {
    width: usize,
}

impl Plain {
    /// The lane of a table with these columns, as (id, width); `None`: it has others, or in another
    /// order.
    pub(super) fn of<'c>(
        columns: impl Iterator<Item = (&'c str, usize)>,
        gap: usize,
    ) -> Option<Self> {
        let mut columns = columns.peekable();
        let (mut cells, mut start) = (vec![], 0);
        while let Some((id, width)) = columns.next_if(|(id, _)| *id != "local") {
            let what = match id {
                "protocol" => What::Protocol,
                "state" => What::State,
                "recv_queue" => What::RecvQueue,
                "send_queue" => What::SendQueue,
                "accept_queue" => What::AcceptQueue,
                _ => return None,
            };
            cells.push(Cell { what, start, width });
            start += width + gap;
        }
        let mut widths = vec![];
        let mut end = |width| {
            widths.push(width);
            End { width }
        };
        let local = columns.next().map(|(_, width)| end(width))?;
        let peer = columns.next_if(|(id, _)| *id == "peer").map(|(_, width)| end(width));
        let owner = columns.next_if(|(id, _)| *id == "owner").is_some();
        let longest = start + 2 * (COPIED + END + gap);
        if columns.next().is_some() || widths.iter().any(|w| *w > COPIED) || longest > LINE {
            return None;
        }
        let line = Fixed::new();
        let addresses = Texts::default();
        Some(Self { cells, gap, local, peer, owner, line, addresses, said: None, ends_at: start })
    }

    /// Appends the row with its newline. False: it is not that plain, and nothing was appended.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, row: Row<'_>) -> bool {
        let socket = row.socket;
        let has_names = row.context.resolver.is_some() || row.context.names.has_services();
        if has_names || socket.interface != 0 || socket.family_facts.is_some() {
            return false;
        }
        let says = (socket.protocol, socket.state, socket.queues);
        if self.said != Some(says) && !self.say(says) {
            return false;
        }
        let line = &mut self.line;
        line.truncate(self.ends_at);
        let follows = self.peer.is_some() || self.owner;
        let addresses = &mut self.addresses;
        self.local.write(line, Some(&socket.local), addresses, follows.then_some(self.gap));
        if let Some(peer) = self.peer {
            peer.write(line, socket.peer(), addresses, self.owner.then_some(self.gap));
        }
        if self.owner {
            out.extend_from_slice(line.text());
            format::owners(out, row);
            out.push(b'\n');
        } else {
            line.put(b"\n");
            out.extend_from_slice(line.text());
        }
        true
    }

    /// Writes what stands before the ends. Whether it fits.
    fn say(&mut self, says: (Protocol, State, Queues)) -> bool {
        let (recv, send) = match says.2 {
            Queues::Data { recv, send } => (Some(recv), Some(send)),
            Queues::Absent => (None, None),
            Queues::Listen { .. } => return false,
        };
        self.said = None;
        self.line = Fixed::new();
        for Cell { what, start, width } in &self.cells {
            let (word, number) = match what {
                What::Protocol => (Some(says.0.name()), None),
                What::State => (Some(says.1.name()), None),
                What::RecvQueue => (None, recv),
                What::SendQueue => (None, send),
                What::AcceptQueue => (None, None),
            };
            let mut digits = itoa::Buffer::new();
            let text = word.unwrap_or_else(|| number.map_or(UNKNOWN, |n| digits.format(n)));
            // Numbers stand right.
            let Some(blanks) = width.checked_sub(text.len()) else { return false };
            let start = start + if word.is_none() { blanks } else { 0 };
            self.line.place(start, text.as_bytes());
        }
        self.said = Some(says);
        true
    }
}

impl End {
    /// Appends an end; where a column follows, in its width and with the gap behind it. One that is
    /// wider shifts what follows.
    fn write(
        self,
        line: &mut Fixed<LINE>,
        end: Option<&Endpoint>,
        addresses: &mut Texts,
        gap: Option<usize>,
    ) {
        let start = line.end();
        if let Some(end) = end {
            let address = addresses.of(end.address);
            if end.address.is_ipv4() {
                line.put_part(&address.head::<COPIED>(), address.end());
                line.put(b":");
            } else {
                line.put(b"[");
                line.put_part(&address.head::<COPIED>(), address.end());
                line.put(b"]:");
            }
            if end.port == 0 {
                line.put_part(b"*       ", 1);
            } else {
                let (digits, count) = digits(end.port.into());
                line.put_part(&digits, count);
            }
        } else {
            line.put_part(&[b' '; COPIED], 0);
            line.put_part(b"-       ", 1);
        }
        if let Some(gap) = gap {
            // Blanks are there already.
            line.extend_to(line.end().max(start + self.width) + gap);
        }
    }
}
