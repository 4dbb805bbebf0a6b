//! Events of a trace: a line each, for people or as JSON.

use crate::{
    field::row::Row,
    model::{
        event::{Event, Happening, Loss},
        owner::Process,
        socket::Socket,
        state::State,
    },
    view::{escape, format, json, output::Output, terminal::Device},
};
use jiff::Timestamp;
use std::{io, time::SystemTime};
use unicode_width::UnicodeWidthStr;

/// The schema.
pub const SCHEMA: &str = "sockeye.event/1";
/// Columns of the line, without the last.
const WIDTHS: [usize; 6] = [13, 6, 3, 23, 21, 21];

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A line for people, on this device.
    Line(Device),
    /// One JSON object a line.
    JsonLine,
}

/// Writes events as they come.
pub struct Events<'o> {
    output: &'o mut Output,
    form: Form,
}

impl<'o> Events<'o> {
    /// Writes to `output`, under a heading where one is wanted.
    pub fn new(output: &'o mut Output, form: Form, heading: bool) -> Self {
        if matches!(form, Form::Line(_)) && heading {
            let heads = ["Time", "Event", "For", "State", "Local", "Peer"].map(str::to_owned);
            line(&mut output.buffer, &heads, "");
        }
        Self { output, form }
    }

    /// One event; without a row it is about no socket.
    pub fn write(&mut self, event: &Event, row: Option<Row<'_>>) -> io::Result<()> {
        match self.form {
            Form::Line(device) => person(&mut self.output.buffer, event, row, device),
            Form::JsonLine => self::object(&mut self.output.buffer, event, row),
        }
        self.output.flush_if_full()
    }

    /// Writes out what was gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// RFC 3339, UTC, microseconds: many events share a millisecond.
fn time(at: SystemTime) -> String {
    Timestamp::try_from(at)
        .map_or_else(|_| "1970-01-01T00:00:00.000000Z".to_owned(), |time| format!("{time:.6}"))
}

/// Writes one as a JSON object on a line; without a row it is about no socket.
pub fn object(out: &mut Vec<u8>, event: &Event, row: Option<Row<'_>>) {
    out.extend(b"{\"schema\":");
    json::word(out, SCHEMA);
    out.extend(b",\"event\":");
    json::word(out, event.happening.name());
    out.extend(b",\"at\":");
    json::string(out, &time(event.at));
    out.extend(b",\"source\":");
    json::word(out, event.source.name());
    for (key, state) in [("from_state", event.from), ("to_state", event.to)] {
        out.extend(format!(",\"{key}\":").as_bytes());
        json::string_or_null(out, state.map(State::name));
    }
    // The totals are final at the end alone.
    let is_over = event.happening == Happening::Closed;
    let at_end = |value: Option<u64>| value.filter(|_| is_over);
    let lifetime = event.lifetime.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let (count, loss) = match event.happening {
        Happening::Missed(count, loss) => (count, Some(loss)),
        _ => (None, None),
    };
    for (key, value) in [
        ("lifetime_ms", at_end(lifetime)),
        ("bytes_sent", at_end(event.bytes_sent())),
        ("bytes_received", at_end(event.bytes_received())),
        ("rtt_us", at_end(event.rtt_us())),
        ("retransmits", at_end(event.retransmits())),
        ("count", count),
    ] {
        out.extend(format!(",\"{key}\":").as_bytes());
        json::number_or_null(out, value);
    }
    out.extend(b",\"reason\":");
    json::string_or_null(out, loss.map(Loss::name));
    out.extend(b",\"socket\":");
    match row {
        Some(row) => super::object::whole(out, row),
        None => out.extend(b"null"),
    }
    out.extend(b"}\n");
}

fn person(out: &mut Vec<u8>, event: &Event, row: Option<Row<'_>>, device: Device) {
    let day = time(event.at);
    // The time of day, in milliseconds.
    let clock = format!("{}Z", day.get(11..23).unwrap_or_default());
    let Some(row) = row else {
        let text = match event.happening {
            Happening::Missed(Some(count), loss) => format!("{count} {}", loss.text()),
            Happening::Missed(None, loss) => format!("some {}", loss.text()),
            _ => String::new(),
        };
        return line(out, &[clock, event.happening.name().to_owned()], &text);
    };
    let arrow = if device.unicode { "→" } else { ">" };
    let states = match (event.from, event.to) {
        (Some(from), Some(to)) => format!("{from}{arrow}{to}"),
        (None, Some(to)) => format!("{arrow}{to}"),
        _ => String::new(),
    };
    let end = |of: &dyn Fn(&Socket) -> Option<String>| of(row.socket).unwrap_or("-".to_owned());
    let cells = [
        clock,
        event.happening.name().to_owned(),
        row.socket.protocol.name().to_owned(),
        states,
        end(&|socket| (socket.local.port != 0).then(|| socket.local.to_string())),
        end(&|socket| socket.peer().map(ToString::to_string)),
    ];
    line(out, &cells, &rest(event, row));
}

/// What there is to say of it beyond its ends: totals where it is over, and who held it.
fn rest(event: &Event, row: Row<'_>) -> String {
    let mut words = vec![];
    if event.happening == Happening::Closed {
        if let Some(lifetime) = event.lifetime {
            let us = u64::try_from(lifetime.as_micros()).unwrap_or(u64::MAX);
            words.push(format!("after {}", duration(us)));
        }
        for (word, value) in [("sent", event.bytes_sent()), ("received", event.bytes_received())] {
            words.extend(value.map(|bytes| format!("{word} {bytes} B")));
        }
        words.extend(event.rtt_us().map(|us| format!("rtt {}", duration(us))));
        let resent = event.retransmits().filter(|segments| *segments > 0);
        words.extend(resent.map(|segments| format!("retransmitted {segments}")));
    }
    let mut named: Vec<(&Process, u32)> = row.holders().collect();
    named.dedup_by_key(|(process, _)| process.pid);
    for (process, _) in named {
        let mut name = vec![];
        escape::for_terminal(&mut name, &process.command);
        words.push(format!("{}[{}]", String::from_utf8_lossy(&name), process.pid));
    }
    words.join(" ")
}

fn duration(us: u64) -> String {
    let mut out = vec![];
    format::duration(&mut out, us);
    String::from_utf8_lossy(&out).into_owned()
}

/// Cells in columns of their width; one that is wider shifts its own line.
fn line(out: &mut Vec<u8>, cells: &[String], rest: &str) {
    let start = out.len();
    for (cell, width) in cells.iter().zip(WIDTHS) {
        out.extend(cell.as_bytes());
        out.resize(out.len() + width.saturating_sub(cell.width()) + 1, b' ');
    }
    out.extend(rest.as_bytes());
    while out.len() > start && out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}
