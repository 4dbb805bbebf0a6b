//! The lane for the rows that come by the million.
//!
//! A listing without options shows a state, three queues and two ends, of sockets that differ in
//! little else. For those the way of every column (a getter, a value, its form, a cell) costs five
//! times what is left here: a line whose beginning stays while it is the same, and behind it two ends.
//! It is the same line: what is not as plain as that (an interface, a name, a listener) is left to the
//! columns, and the tests compare the two for every kind of socket.
#![expect(
    clippy::inline_always,
    reason = "a pen that is passed on lives in memory instead of registers"
)]

use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Protocol, queues::Queues, socket::Socket, state::State},
    view::{
        address::Texts,
        output::Output,
        pen::{self, Pen, port_digits},
    },
};
use std::io;

/// The longest line; columns that may need a longer one have no such lane.
const LINE: usize = 192;
/// An address as it is copied, with the blanks behind it: one of IPv6 has 39 bytes at most.
const COPIED: usize = 40;
/// The longest end: that address in brackets, a colon, a port.
const END: usize = 39 + 2 + 1 + 5;
/// What is copied behind it: the rest of eight digits, the newline.
const BEHIND: usize = 16;

/// What a form writes between cells, for what is not known, and at the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub separator: u8,
    pub unknown: &'static str,
    pub newline: &'static [u8; 2],
    /// How many bytes of `newline` there are.
    pub ends: usize,
}

/// The columns the lane covers, and the line that was written last.
pub(super) struct Plain {
    form: Form,
    /// State and queues, before the ends.
    cells: Vec<Cell>,
    local: usize,
    /// The width of the other end, where it is shown.
    peer: Option<usize>,
    /// Whether columns follow that the lane does not write.
    follows: bool,
    addresses: Texts,
    line: [u8; LINE],
    /// What the line says before the ends, and where they begin.
    said: Option<(Protocol, State, Queues)>,
    ends_at: usize,
}

struct Cell {
    what: What,
    width: usize,
}

/// The columns before the ends there is a lane for.
#[derive(Clone, Copy)]
enum What {
    Protocol,
    State,
    RecvQueue,
    SendQueue,
    /// Of a listener alone.
    AcceptQueue,
}

impl Plain {
    /// The lane of these columns, as (id, width); `None`: they begin with others, or in another order.
    pub(super) fn of<'c>(
        form: Form,
        columns: impl Iterator<Item = (&'c str, usize)>,
    ) -> Option<Self> {
        let mut columns = columns.peekable();
        let mut cells = vec![];
        // A word may be wider than its column.
        let longest_word = State::BoundInactive.name().len();
        let longest_number = 10;
        let mut longest = 0;
        while let Some((id, width)) = columns.next_if(|(id, _)| *id != "local") {
            let what = match id {
                "protocol" => What::Protocol,
                "state" => What::State,
                "recv_queue" => What::RecvQueue,
                "send_queue" => What::SendQueue,
                "accept_queue" | "accept_queue_limit" => What::AcceptQueue,
                _ => return None,
            };
            let is_word = matches!(what, What::Protocol | What::State);
            longest += width.max(if is_word { longest_word } else { longest_number }) + 1;
            cells.push(Cell { what, width });
        }
        let (_, local) = columns.next()?;
        let peer = columns.next_if(|(id, _)| *id == "peer").map(|(_, width)| width);
        longest += local.max(END) + 1 + peer.unwrap_or(0).max(END) + BEHIND;
        let follows = columns.next().is_some();
        (longest <= LINE).then(|| Self {
            form,
            cells,
            local,
            peer,
            follows,
            addresses: Texts::default(),
            line: [b' '; LINE],
            said: None,
            ends_at: 0,
        })
    }

    /// How many columns it writes; where that is all, the newline too.
    pub(super) fn covers(&self) -> usize {
        self.cells.len() + 1 + usize::from(self.peer.is_some())
    }

    /// Whether columns follow that it does not write.
    pub(super) fn is_followed(&self) -> bool {
        self.follows
    }

    /// Writes the row, where no column follows. False: it is not that plain, and nothing was written.
    #[inline]
    pub(super) fn write(&mut self, output: &mut Output, row: Row<'_>) -> io::Result<bool> {
        let is_plain = !self.follows && self.knows(row);
        if is_plain {
            output.row(|pen| {
                pen.put_part(&self.line, self.ends_at);
                self.ends(pen, row.socket);
                pen.put_part(self.form.newline, self.form.ends);
            })?;
        }
        Ok(is_plain)
    }

    /// Appends the columns it covers, where others follow. False: the row is not that plain, and
    /// nothing was appended.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>, row: Row<'_>) -> bool {
        let is_plain = self.follows && self.knows(row);
        if is_plain {
            let line = self.line;
            pen::append(out, &line, self.ends_at, |pen| self.ends(pen, row.socket));
        }
        is_plain
    }

    /// Whether the row is plain, and the line says what it says before the ends.
    #[inline(always)]
    fn knows(&mut self, row: Row<'_>) -> bool {
        let socket = row.socket;
        let has_names = row.context.resolver.is_some() || row.context.names.has_services();
        if has_names || socket.interface != 0 || socket.family_facts.is_some() {
            return false;
        }
        let says = (socket.protocol, socket.state, socket.queues);
        self.said == Some(says) || self.say(says)
    }

    #[inline(always)]
    fn ends(&mut self, pen: &mut Pen<'_>, socket: &Socket) {
        let start = self.ends_at;
        end(pen, self.form.unknown, Some(&socket.local), &mut self.addresses);
        if let Some(width) = self.peer {
            pen.go_to(start + self.local);
            pen.put(&[self.form.separator]);
            let start = pen.end();
            end(pen, self.form.unknown, socket.peer(), &mut self.addresses);
            if self.follows {
                pen.go_to(start + width);
            }
        } else if self.follows {
            pen.go_to(start + self.local);
        }
    }

    /// Writes what stands before the ends; a word wider than its column shifts what follows. Whether
    /// it is that plain.
    fn say(&mut self, says: (Protocol, State, Queues)) -> bool {
        let (recv, send) = match says.2 {
            Queues::Data { recv, send } => (Some(recv), Some(send)),
            Queues::Absent => (None, None),
            Queues::Listen { .. } => return false,
        };
        self.line = [b' '; LINE];
        let mut pen = Pen::new(&mut self.line);
        for Cell { what, width } in &self.cells {
            let (word, number) = match what {
                What::Protocol => (Some(says.0.name()), None),
                What::State => (Some(says.1.name()), None),
                What::RecvQueue => (None, recv),
                What::SendQueue => (None, send),
                What::AcceptQueue => (None, None),
            };
            let mut digits = itoa::Buffer::new();
            let unknown = self.form.unknown;
            let text = word.unwrap_or_else(|| number.map_or(unknown, |n| digits.format(n)));
            let start = pen.end();
            // Numbers stand right.
            if word.is_none() {
                pen.go_to(start + width.saturating_sub(text.len()));
            }
            pen.text(text.as_bytes());
            pen.go_to(start + width);
            pen.put(&[self.form.separator]);
        }
        self.ends_at = pen.end();
        self.said = Some(says);
        true
    }
}

/// Appends an end. Behind it stand blanks.
#[inline(always)]
fn end(pen: &mut Pen<'_>, unknown: &str, end: Option<&Endpoint>, addresses: &mut Texts) {
    let Some(end) = end else { return pen.text(unknown.as_bytes()) };
    let address = addresses.of(end.address);
    if end.address.is_ipv4() {
        address.put::<16>(pen);
        pen.put(b":");
    } else {
        pen.put(b"[");
        address.put::<COPIED>(pen);
        pen.put(b"]:");
    }
    if end.port == 0 {
        pen.put_part(b"*       ", 1);
    } else {
        let (digits, count) = port_digits(end.port);
        pen.put_part(&digits, count);
    }
}
