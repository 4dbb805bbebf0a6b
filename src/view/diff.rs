//! What changed between two snapshots, as JSON and for people.

use super::{
    document::{Block, Document},
    escape, format, head, json,
};
use crate::{
    field::{
        self,
        row::{Context, Row},
        value::Value,
    },
    model::{self, about::About, name::lossless},
    report::diff::{Diff, Seen, Set},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// The schema.
pub const SCHEMA: &str = "sockeye.diff/1";

/// The JSON of a comparison.
#[derive(Debug, Serialize)]
pub struct Figures {
    before: Moment,
    after: Moment,
    elapsed_ms: Option<u64>,
    totals: Totals,
    states: Vec<StateCount>,
    born: Vec<Socket>,
    gone: Vec<Socket>,
    changed: Vec<Changed>,
    counters: Vec<Counter>,
    limits: Vec<Limit>,
    settings: Vec<Setting>,
}

#[derive(Debug, Serialize)]
struct Moment {
    generated_at: String,
    host: Option<String>,
    netns_inode: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Totals {
    born: usize,
    gone: usize,
    changed: usize,
    unchanged: usize,
}

#[derive(Debug, Serialize)]
struct StateCount {
    protocol: &'static str,
    state: &'static str,
    before: usize,
    after: usize,
}

#[derive(Debug, Serialize)]
struct Address {
    address: Option<String>,
    port: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Holder {
    pid: u32,
    command: String,
    fd: u32,
}

#[derive(Debug, Serialize)]
struct Socket {
    protocol: &'static str,
    family: &'static str,
    state: &'static str,
    local: Address,
    peer: Option<Address>,
    inode: Option<u64>,
    cookie: Option<u64>,
    processes: Vec<Holder>,
}

#[derive(Debug, Serialize)]
struct Changed {
    from_state: &'static str,
    to_state: &'static str,
    socket: Socket,
}

#[derive(Debug, Serialize)]
struct Counter {
    name: String,
    before: u64,
    after: u64,
    per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Limit {
    id: &'static str,
    subject: String,
    before: Option<u64>,
    after: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

/// The JSON.
pub fn figures(diff: &Diff<'_>, before: &About, after: &About) -> Figures {
    let moment = |about: &About| Moment {
        generated_at: head::time(about),
        host: about.host.name.clone(),
        netns_inode: about.netns.inode,
    };
    let setting = |set: &Set<'_>| Setting {
        name: set.name.to_owned(),
        before: set.before.map(str::to_owned),
        after: set.after.map(str::to_owned),
    };
    Figures {
        before: moment(before),
        after: moment(after),
        elapsed_ms: diff.elapsed.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        totals: Totals {
            born: diff.born.len(),
            gone: diff.gone.len(),
            changed: diff.changed.len(),
            unchanged: diff.unchanged,
        },
        states: diff
            .states
            .iter()
            .map(|count| StateCount {
                protocol: count.protocol.name(),
                state: count.state.name(),
                before: count.before,
                after: count.after,
            })
            .collect(),
        born: diff.born.iter().map(|seen| socket(*seen)).collect(),
        gone: diff.gone.iter().map(|seen| socket(*seen)).collect(),
        changed: diff
            .changed
            .iter()
            .map(|(was, is)| Changed {
                from_state: was.socket.state.name(),
                to_state: is.socket.state.name(),
                socket: Socket { processes: holders(*was, *is), ..socket(*is) },
            })
            .collect(),
        counters: diff
            .counters
            .iter()
            .map(|moved| Counter {
                name: moved.name.to_owned(),
                before: moved.before,
                after: moved.after,
                per_second: moved.per_second,
            })
            .collect(),
        limits: diff
            .limits
            .iter()
            .map(|moved| Limit {
                id: moved.id,
                subject: moved.subject.clone(),
                before: moved.before,
                after: moved.after,
            })
            .collect(),
        settings: diff.settings.iter().map(setting).collect(),
    }
}

fn socket(seen: Seen<'_>) -> Socket {
    let s = seen.socket;
    Socket {
        protocol: s.protocol.name(),
        family: s.family.name(),
        state: s.state.name(),
        local: address(s, "local"),
        peer: (end(s, "peer") != format::UNKNOWN).then(|| address(s, "peer")),
        inode: s.inode,
        cookie: s.cookie,
        processes: held_by(seen),
    }
}

/// One end: its address and port, as a listing has them in JSON.
fn address(socket: &model::socket::Socket, side: &str) -> Address {
    let context = Context::default();
    let row = Row { socket, context: &context };
    let value = |what: &str| field::find(&format!("{side}.{what}")).map(|field| field.value(row));
    let mut address = vec![];
    if let Some(value) = value("address") {
        format::exact(&mut address, row, &value);
    }
    let address = String::from_utf8(address).ok().filter(|address| !address.is_empty());
    let port = match value("port") {
        Some(Value::Count(port)) => Some(port),
        _ => None,
    };
    Address { address, port }
}

/// One end for people.
fn end(socket: &model::socket::Socket, column: &str) -> String {
    let context = Context::default();
    let row = Row { socket, context: &context };
    let mut text = vec![];
    if let Some(field) = field::find(column) {
        format::human(&mut text, row, &field.value(row));
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn held_by(seen: Seen<'_>) -> Vec<Holder> {
    let holder = |(process, fd): (&crate::model::owner::Process, u32)| Holder {
        pid: process.pid,
        command: lossless(&process.command),
        fd,
    };
    seen.holders().map(holder).collect()
}

/// Who holds it, or who held it: a socket on its way out has lost its process.
fn holders(was: Seen<'_>, is: Seen<'_>) -> Vec<Holder> {
    let now = held_by(is);
    if now.is_empty() { held_by(was) } else { now }
}

/// The text, with at most `limit` sockets of each kind.
pub fn document(diff: &Diff<'_>, before: &About, after: &About, limit: usize) -> Document {
    let mut document = Document::default();
    let host = |about: &About| {
        let mut out = vec![];
        escape::for_terminal(&mut out, about.host.name.as_deref().unwrap_or("?").as_bytes());
        String::from_utf8_lossy(&out).into_owned()
    };
    let between = diff.elapsed.map_or_else(String::new, |time| {
        let mut out = vec![];
        super::format::duration(&mut out, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        format!(", {} apart", String::from_utf8_lossy(&out))
    });
    document.push(Block::Line(format!(
        "{} on {} to {} on {}{between}",
        head::time(before),
        host(before),
        head::time(after),
        host(after)
    )));
    document.push(Block::Line(format!(
        "sockets: {} born, {} gone, {} changed state, {} as they were",
        diff.born.len(),
        diff.gone.len(),
        diff.changed.len(),
        diff.unchanged
    )));
    states(&mut document, diff);
    sockets(&mut document, "Born", &diff.born, limit);
    sockets(&mut document, "Gone", &diff.gone, limit);
    changed(&mut document, diff, limit);
    counters(&mut document, diff);
    limits(&mut document, diff);
    settings(&mut document, diff);
    document
}

fn heading(document: &mut Document, text: &str) {
    document.push(Block::Line(String::new()));
    document.push(Block::Heading(text.to_owned()));
}

fn heads(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn states(document: &mut Document, diff: &Diff<'_>) {
    if diff.states.is_empty() {
        return;
    }
    heading(document, "States");
    let rows = diff.states.iter().map(|count| {
        vec![
            count.protocol.name().to_owned(),
            count.state.name().to_owned(),
            count.before.to_string(),
            count.after.to_string(),
            change(count.before as u64, count.after as u64),
        ]
    });
    document.push(Block::Table {
        heads: heads(&["Proto", "State", ">Before", ">After", ">Change"]),
        rows: rows.collect(),
    });
}

fn change(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("-{}", before - after),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", after - before),
    }
}

fn sockets(document: &mut Document, title: &str, seen: &[Seen<'_>], limit: usize) {
    if seen.is_empty() {
        return;
    }
    heading(document, title);
    let rows = seen.iter().take(limit).map(|seen| {
        let s = seen.socket;
        vec![
            s.protocol.name().to_owned(),
            s.state.name().to_owned(),
            end(s, "local"),
            end(s, "peer"),
            programs(&held_by(*seen)),
        ]
    });
    document.push(Block::Table {
        heads: heads(&["Proto", "State", "Local", "Peer", "Process"]),
        rows: rows.collect(),
    });
    more(document, seen.len(), limit);
}

fn more(document: &mut Document, all: usize, limit: usize) {
    if all > limit {
        document.push(Block::Line(format!("and {} more: --limit N, or --json", all - limit)));
    }
}

fn programs(holders: &[Holder]) -> String {
    let mut out = vec![];
    for (index, holder) in holders.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        escape::for_terminal(&mut out, holder.command.as_bytes());
        out.push(b'[');
        json::number(&mut out, holder.pid);
        out.push(b']');
    }
    if out.is_empty() { "-".to_owned() } else { String::from_utf8_lossy(&out).into_owned() }
}

fn changed(document: &mut Document, diff: &Diff<'_>, limit: usize) {
    if diff.changed.is_empty() {
        return;
    }
    heading(document, "Changed state");
    let mut ways: BTreeMap<_, usize> = BTreeMap::new();
    for (was, is) in &diff.changed {
        *ways.entry((was.socket.state, is.socket.state)).or_default() += 1;
    }
    let mut line = String::new();
    for ((from, to), count) in ways {
        let comma = if line.is_empty() { "" } else { ", " };
        let _ = write!(line, "{comma}{count} {from} to {to}");
    }
    document.push(Block::Line(line));
    let rows = diff.changed.iter().take(limit).map(|(was, is)| {
        let s = is.socket;
        vec![
            s.protocol.name().to_owned(),
            was.socket.state.name().to_owned(),
            s.state.name().to_owned(),
            end(s, "local"),
            end(s, "peer"),
            programs(&holders(*was, *is)),
        ]
    });
    document.push(Block::Table {
        heads: heads(&["Proto", "From", "To", "Local", "Peer", "Process"]),
        rows: rows.collect(),
    });
    more(document, diff.changed.len(), limit);
}

fn counters(document: &mut Document, diff: &Diff<'_>) {
    if diff.counters.is_empty() {
        return;
    }
    heading(document, "Counters");
    let rows = diff.counters.iter().map(|moved| {
        vec![
            moved.name.to_owned(),
            moved.before.to_string(),
            moved.after.to_string(),
            change(moved.before, moved.after),
            moved.per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}/s")),
        ]
    });
    document.push(Block::Table {
        heads: heads(&["Counter", ">Before", ">After", ">Change", ">Rate"]),
        rows: rows.collect(),
    });
}

fn limits(document: &mut Document, diff: &Diff<'_>) {
    if diff.limits.is_empty() {
        return;
    }
    heading(document, "Limits and their use");
    let number = |value: Option<u64>, unit: &str| match value {
        None => "-".to_owned(),
        Some(u64::MAX) => "unlimited".to_owned(),
        Some(number) => format!("{number}{unit}"),
    };
    let rows = diff.limits.iter().map(|moved| {
        let mut subject = vec![];
        escape::for_terminal(&mut subject, moved.subject.as_bytes());
        // Of all that is compared, memory alone is not a number of things.
        let unit = if moved.id.starts_with("memory") { " B" } else { "" };
        vec![
            moved.id.to_owned(),
            String::from_utf8_lossy(&subject).into_owned(),
            number(moved.before, unit),
            number(moved.after, unit),
        ]
    });
    document.push(Block::Table {
        heads: heads(&["Limit", "Of", ">Before", ">After"]),
        rows: rows.collect(),
    });
}

fn settings(document: &mut Document, diff: &Diff<'_>) {
    if diff.settings.is_empty() {
        return;
    }
    heading(document, "Settings");
    let text = |value: Option<&str>| {
        let mut out = vec![];
        // The kernel puts a tab between the numbers of one setting.
        let value = value.unwrap_or("-").replace('\t', " ");
        escape::for_terminal(&mut out, value.as_bytes());
        String::from_utf8_lossy(&out).into_owned()
    };
    let rows = diff
        .settings
        .iter()
        .map(|set| vec![text(Some(set.name)), text(set.before), text(set.after)]);
    document
        .push(Block::Table { heads: heads(&["Setting", "Before", "After"]), rows: rows.collect() });
}
