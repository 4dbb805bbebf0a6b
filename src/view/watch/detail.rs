//! Everything known about one socket, as lines of text: fixed places, so that nothing jumps while
//! the figures change.

use super::{
    cells::{self, age, arrow, short, short_whole},
    grouping::Side,
    rows::{Mark, Shown},
    state::Watch,
    theme::{Role, Theme},
};
use crate::{
    collect::live::{entry::Entry, refresh::Detail},
    explain::{self, block::Block},
    field::{self, definition::Field, need::Need, row::Row},
    model::{queues::Queues, state::State},
    view::format,
};
use std::{collections::BTreeMap, fmt::Write};
use textwrap::Options;
use unicode_width::UnicodeWidthStr;

/// Columns of the names of facts.
const NAMES: usize = 15;
/// Lines of text are no longer, however wide the terminal: long lines are hard to read.
const WIDEST: usize = 100;
/// Columns of one figure with its name.
const FIGURE: usize = 26;

/// One line.
pub type Text = (String, Role);

/// The lines for the selected socket.
pub fn lines(watch: &Watch, theme: Theme, width: usize) -> Vec<Text> {
    let Some(row) = watch.selected_row() else {
        return vec![(
            "Enter opens the group: details are those of a socket.".to_owned(),
            Role::Dim,
        )];
    };
    let width = width.clamp(20, WIDEST);
    let detail = watch.detail.as_deref().filter(|detail| detail.key == row.entry.key);
    let mut page = Page { lines: vec![], width };
    own(&mut page, watch, row, detail);
    flows(&mut page, watch, row);
    if let Some(detail) = detail {
        options(&mut page, detail);
    }
    neighbours(&mut page, watch, theme, &row.entry);
    meaning(&mut page, row.entry.state);
    if let Some(detail) = detail {
        figures(&mut page, "TCP", detail, Need::TCP_INFO);
        figures(&mut page, "Memory", detail, Need::MEMORY);
    }
    page.lines
}

/// `tcp 10.0.0.1:443 ← 203.0.113.9:51234 ESTABLISHED`, for the line above.
pub fn title(watch: &Watch, theme: Theme) -> String {
    let Some(row) = watch.selected_row() else { return "details".to_owned() };
    let entry = &row.entry;
    let state = entry.state.name();
    let protocol = entry.protocol;
    match entry.peer() {
        Some(peer) => {
            let arrow = arrow(theme, watch.scene().side(row));
            format!("{protocol} {} {arrow} {peer} {state}", entry.local)
        }
        None => format!("{protocol} {} {state}", entry.local),
    }
}

struct Page {
    lines: Vec<Text>,
    width: usize,
}

impl Page {
    /// A fact behind its name, wrapped.
    fn fact(&mut self, name: &str, text: &str) {
        let room = self.width.saturating_sub(NAMES).max(10);
        let mut name = name;
        for line in textwrap::wrap(text, Options::new(room)) {
            self.lines.push((format!("{name:<NAMES$}{line}"), Role::Plain));
            name = "";
        }
    }

    fn heading(&mut self, text: &str) {
        self.lines.push((String::new(), Role::Plain));
        self.lines.push((text.to_owned(), Role::Accent));
    }
}

fn own(page: &mut Page, watch: &Watch, row: &Shown, detail: Option<&Detail>) {
    let scene = watch.scene();
    let entry = &row.entry;
    match row.mark(scene.now) {
        Some(Mark::Gone) => page.fact("Gone", "it is not there any more: this is the last of it"),
        Some(Mark::Changed) => page.fact("Changed", "its state is another since a moment"),
        _ => {}
    }
    let held = detail.map(held).filter(|held| !held.is_empty());
    match held {
        Some(held) => {
            let mut name = "Owner";
            for holder in held {
                page.fact(name, &holder);
                name = "";
            }
        }
        None => page.fact("Owner", &scene.rows.holders.label(row.held)),
    }
    let since = match entry.state {
        State::TimeWait => format!("for {}", age(scene, row)),
        _ if scene.now.is_zero() => "not known".to_owned(),
        _ => match age(scene, row).strip_prefix('>') {
            Some(seen) => format!("seen for {seen}, older than this watch"),
            None => format!("opened {} ago", age(scene, row)),
        },
    };
    page.fact("Age", &since);
    page.fact("Queues", &queues(entry.queues));
    let timer = entry.timer.map_or("none runs".to_owned(), |timer| {
        let fires = cells::microseconds(u64::from(timer.expires_ms) * 1000);
        let again = match timer.retransmits {
            0 => String::new(),
            1 => ", once repeated".to_owned(),
            n => format!(", {n} times repeated"),
        };
        format!("{} fires in {fires}{again}", timer.kind.name())
    });
    page.fact("Timer", &timer);
}

/// One line for each process: name, pid, descriptors, unit, container, cgroup.
fn held(detail: &Detail) -> Vec<String> {
    let row = Row { socket: &detail.socket, context: &detail.context };
    let mut holders: BTreeMap<u32, (String, Vec<String>)> = BTreeMap::new();
    for (process, fd) in row.holders() {
        let entry = holders.entry(process.pid).or_insert_with(|| {
            let printable = |name: &str| super::held::printable(name.as_bytes());
            let mut text = format!("{}[{}]", super::held::printable(&process.command), process.pid);
            for (word, name) in [("unit", &process.unit), ("container", &process.container)] {
                if let Some(name) = name {
                    let _ = write!(text, ", {word} {}", printable(name));
                }
            }
            (text, vec![])
        });
        entry.1.push(fd.to_string());
    }
    let line = |(text, fds): (String, Vec<String>)| format!("{text}, fd {}", fds.join(","));
    holders.into_values().map(line).collect()
}

fn queues(queues: Queues) -> String {
    match queues {
        Queues::Listen { accept_queue, limit } => {
            let limit = limit.map_or("an unknown limit".to_owned(), |limit| limit.to_string());
            format!("{accept_queue} connections wait for accept(2), limit {limit}")
        }
        Queues::Data { recv, send } => {
            format!("{recv} bytes not read, {send} bytes not acknowledged")
        }
        Queues::Absent => "none: a socket in this state owns no queues".to_owned(),
    }
}

fn flows(page: &mut Page, watch: &Watch, row: &Shown) {
    if !row.entry.has_counters() {
        return;
    }
    let flow = watch.scene().traffic.of(&row.entry.key);
    let rate = |rate: Option<f32>| rate.map_or("-".to_owned(), short);
    let sum = |sum: Option<u64>| sum.map_or("-".to_owned(), short_whole);
    let (rates, counted) = flow.map_or_else(Default::default, |flow| (flow.rates, flow.counted));
    page.fact(
        "Traffic",
        &format!(
            "in {} B/s of {} B, out {} B/s of {} B, repeated {}/s of {}, round trip {}",
            rate(rates.received),
            sum(counted.received),
            rate(rates.sent),
            sum(counted.sent),
            rate(rates.retransmitted),
            sum(counted.retransmitted),
            counted.rtt_us.map_or("-".to_owned(), cells::microseconds),
        ),
    );
}

/// Facts of the socket that have a name of their own.
fn options(page: &mut Page, detail: &Detail) {
    let row = Row { socket: &detail.socket, context: &detail.context };
    let of = |id: &str| {
        let field = field::find(id)?;
        let value = field.value(row);
        (!value.is_absent()).then(|| human(field, row))
    };
    let ids =
        ["user", "cgroup", "mark", "tos", "congestion", "shutdown", "v6only", "local.interface"];
    let told: Vec<String> = ids.iter().filter_map(|id| Some(format!("{id} {}", of(id)?))).collect();
    if !told.is_empty() {
        page.fact("Options", &told.join(", "));
    }
    let numbers: Vec<String> =
        ["inode", "cookie"].iter().filter_map(|id| Some(format!("{id} {}", of(id)?))).collect();
    page.fact("Identity", &numbers.join(", "));
}

fn human(field: &Field, row: Row<'_>) -> String {
    let mut out = vec![];
    format::human(&mut out, row, &field.value(row));
    String::from_utf8_lossy(&out).into_owned()
}

/// Who else is at the same destination, or came in by the same port.
fn neighbours(page: &mut Page, watch: &Watch, theme: Theme, entry: &Entry) {
    let scene = watch.scene();
    let Some(own) = scene.rows.slot(&entry.key).and_then(|slot| scene.rows.get(slot)) else {
        return;
    };
    let side = scene.side(own);
    let is_near = |other: &Entry| match side {
        Side::In => other.local.port == entry.local.port,
        Side::Out => {
            other.remote.port == entry.remote.port
                && other.remote.address.to_canonical() == entry.remote.address.to_canonical()
        }
    };
    let mut states: BTreeMap<State, u32> = BTreeMap::new();
    let others = scene.rows.all().filter(|(_, row)| row.is_there() && row.entry.key != entry.key);
    for (_, row) in
        others.filter(|(_, row)| row.entry.protocol == entry.protocol && is_near(&row.entry))
    {
        *states.entry(row.entry.state).or_default() += 1;
    }
    let told: Vec<String> = states.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let told = if told.is_empty() { "none".to_owned() } else { told.join(", ") };
    let arrow = arrow(theme, side);
    match side {
        Side::In => page.fact("Neighbours", &format!("{arrow} :{}: {told}", entry.local.port)),
        Side::Out => page.fact("Neighbours", &format!("{arrow} {}: {told}", entry.remote)),
    }
}

/// What `sockeye explain` says of the state.
fn meaning(page: &mut Page, state: State) {
    let Some(topic) = explain::find(state.name()) else { return };
    page.heading(&format!("{}: {}", state.name(), state.meaning()));
    for block in &topic.blocks {
        match block {
            Block::Text(text) => {
                for line in textwrap::wrap(text, Options::new(page.width)) {
                    page.lines.push((line.into_owned(), Role::Plain));
                }
            }
            Block::Fact(name, text) => page.fact(name, text),
            _ => {}
        }
    }
}

/// Every figure of one kind, in columns.
fn figures(page: &mut Page, name: &str, detail: &Detail, need: Need) {
    let row = Row { socket: &detail.socket, context: &detail.context };
    let fields: Vec<&Field> = field::all().iter().filter(|field| field.need == need).collect();
    if fields.iter().all(|field| field.value(row).is_absent()) {
        return;
    }
    page.heading(name);
    let in_a_line = (page.width / FIGURE).max(1);
    for some in fields.chunks(in_a_line) {
        let mut line = String::new();
        for field in some {
            let text = human(field, row);
            let gap = (FIGURE - 2).saturating_sub(field.id.width() + text.width()).max(1);
            let _ = write!(line, "{}{}{text}  ", field.id, " ".repeat(gap));
        }
        page.lines.push((line.trim_end().to_owned(), Role::Plain));
    }
}
