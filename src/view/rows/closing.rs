//! `sockeye kill`: the sockets it found, and what became of each.

use super::object;
use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row},
    model::{
        about::About,
        closing::{Closing, Refusal},
        gap::Gap,
        socket::Socket,
    },
    view::{
        document::{Block, Document},
        format, head, json,
        output::Output,
        terminal::Device,
    },
};
use std::io;

/// The schema.
pub const SCHEMA: &str = "sockeye.kill/1";

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people, on this device.
    Table(Device),
    /// One JSON document.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Not at all.
    Silent,
}

/// Keeps the sockets, with what they look like, until it is known what became of them.
pub struct Closings<'o> {
    output: &'o mut Output,
    form: Form,
    fields: Vec<&'static Field>,
    heading: bool,
    found: Vec<Found>,
}

/// One socket, as it was before.
struct Found {
    socket: Socket,
    cells: Vec<String>,
    object: Vec<u8>,
}

impl<'o> Closings<'o> {
    /// Prints to `output`, these columns of each.
    pub fn new(
        output: &'o mut Output,
        form: Form,
        fields: Vec<&'static Field>,
        heading: bool,
    ) -> Self {
        Self { output, form, fields, heading, found: vec![] }
    }

    /// The sockets, in the order of the listing.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.found.iter().map(|found| &found.socket)
    }

    /// Prints what became of each: `closed` is in the order of the sockets.
    pub fn print(&mut self, about: &About, closed: &[Closing], dry_run: bool) -> io::Result<()> {
        match self.form {
            Form::Table(device) => self.table(device, closed),
            Form::Json => self.document(about, closed, dry_run),
            Form::JsonLines => self.lines(closed),
            Form::Silent => {}
        }
        self.output.flush()
    }

    fn table(&mut self, device: Device, closed: &[Closing]) {
        let mut document = Document::default();
        let heads = self
            .fields
            .iter()
            .map(|field| format!("{}{}", if field.is_numeric() { ">" } else { "" }, field.header));
        let rows = self.found.iter().zip(closed).map(|(found, closing)| {
            let mut cells = found.cells.clone();
            cells.push(result(*closing));
            cells
        });
        if !self.found.is_empty() {
            let mut heads: Vec<String> = heads.collect();
            heads.push("Result".to_owned());
            if !self.heading {
                heads.fill(String::new());
            }
            document.push(Block::Table { heads, rows: rows.collect() });
        }
        document.push(Block::Line(total(closed)));
        let text = document.render(device);
        // Without heading its line is empty.
        let text = if self.heading { text.as_str() } else { text.trim_start_matches('\n') };
        self.output.buffer.extend(text.as_bytes());
    }

    fn document(&mut self, about: &About, closed: &[Closing], dry_run: bool) {
        let out = &mut self.output.buffer;
        head::write(out, SCHEMA, about);
        out.extend(b",\"dry_run\":");
        out.extend(dry_run.to_string().as_bytes());
        out.extend(b",\"sockets\":[");
        for (index, (found, closing)) in self.found.iter().zip(closed).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            object_with(out, &found.object, *closing);
        }
        out.extend(b"],\"totals\":{\"matched\":");
        json::number(out, closed.len() as u64);
        for name in ["closed", "gone", "refused"] {
            out.extend(format!(",\"{name}\":").as_bytes());
            json::number(out, count(closed, name));
        }
        out.extend(b"}}\n");
    }

    fn lines(&mut self, closed: &[Closing]) {
        for (found, closing) in self.found.iter().zip(closed) {
            object_with(&mut self.output.buffer, &found.object, *closing);
            self.output.buffer.push(b'\n');
        }
    }
}

/// The socket's object with two keys more.
fn object_with(out: &mut Vec<u8>, object: &[u8], closing: Closing) {
    out.extend(object.strip_suffix(b"}").unwrap_or(object));
    out.extend(b",\"result\":");
    json::word(out, closing.name());
    out.extend(b",\"error\":");
    json::string_or_null(out, closing.refusal().map(errno).as_deref());
    out.push(b'}');
}

fn errno(why: Refusal) -> String {
    match why {
        Refusal::Permission => "EPERM".to_owned(),
        Refusal::Unsupported => "EOPNOTSUPP".to_owned(),
        Refusal::Other(number) => format!("{:?}", nix::errno::Errno::from_raw(number)),
    }
}

fn result(closing: Closing) -> String {
    match closing.refusal() {
        Some(why) => format!("{} ({})", closing.name(), errno(why)),
        None => closing.name().to_owned(),
    }
}

fn count(closed: &[Closing], name: &str) -> u64 {
    closed.iter().filter(|closing| closing.name() == name).count() as u64
}

/// The last line.
fn total(closed: &[Closing]) -> String {
    let sockets = |n: u64| if n == 1 { "1 socket".to_owned() } else { format!("{n} sockets") };
    if closed.is_empty() {
        return "no socket matches; nothing was closed".to_owned();
    }
    match count(closed, Closing::Shown.name()) {
        0 => format!(
            "{} closed, {} refused, {} gone by then",
            sockets(count(closed, "closed")),
            count(closed, "refused"),
            count(closed, "gone")
        ),
        shown => format!("{} would be closed; nothing was: add --yes to close", sockets(shown)),
    }
}

impl RowSink for Closings<'_> {
    fn begin(&mut self, _: &About) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        let mut found = Found { socket: row.socket.clone(), cells: vec![], object: vec![] };
        match self.form {
            Form::Table(_) => {
                for field in &self.fields {
                    let mut cell = vec![];
                    format::human(&mut cell, row, &field.value(row));
                    found.cells.push(String::from_utf8_lossy(&cell).into_owned());
                }
            }
            Form::Json | Form::JsonLines => object::whole(&mut found.object, row),
            Form::Silent => {}
        }
        self.found.push(found);
        Ok(())
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}
