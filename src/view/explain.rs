//! A topic as text of 80 columns, and as JSON.

use super::terminal::Device;
use crate::{
    explain::{self, block::Block, topic::Topic},
    model::about::Host,
};
use jiff::Timestamp;
use serde::Serialize;
use std::{fmt::Write, time::SystemTime};
use unicode_width::UnicodeWidthStr;

/// Columns of the text. Wider terminals get no wider text: long lines are hard to read.
const WIDTH: usize = 80;
/// Fewest columns that are used, whatever the terminal says.
const NARROW: usize = 40;
/// Columns before a fact's text, its name included, and before a command.
const NAMES: usize = 16;
/// Columns before a drawing.
const INDENT: usize = 4;

/// Renders a topic as text.
pub fn text(topic: &Topic, device: Device) -> String {
    let width = device.width.map_or(WIDTH, |width| width.clamp(NARROW, WIDTH));
    let mut out = String::new();
    let mut words = wrap(&format!("{}: {}", topic.name, topic.title), width);
    for line in words.drain(..) {
        strong(&mut out, &line, device);
    }
    out.push('\n');
    for (index, block) in topic.blocks.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| topic.blocks.get(before));
        if before.is_some_and(|before| apart(before, block)) {
            out.push('\n');
        }
        render(&mut out, block, width, device);
    }
    if !topic.see_also.is_empty() {
        out.push('\n');
        hanging(&mut out, "See also", &topic.see_also.join(", "), width);
    }
    if device.unicode { out } else { ascii(&out) }
}

/// Whether an empty line stands between two pieces.
fn apart(before: &Block, block: &Block) -> bool {
    use Block::{Command, Drawing, Fact, Heading, Item};
    match (before, block) {
        (Heading(_), block) => matches!(block, Drawing(_)),
        (Fact(..) | Command(_), Fact(..) | Command(_)) | (Item(_), Item(_)) => false,
        _ => true,
    }
}

fn render(out: &mut String, block: &Block, width: usize, device: Device) {
    match block {
        Block::Heading(heading) => strong(out, heading, device),
        Block::Text(text) => {
            for line in wrap(text, width) {
                let _ = writeln!(out, "{line}");
            }
        }
        Block::Fact(name, text) => hanging(out, name, text, width),
        Block::Item(text) => {
            for (index, line) in wrap(text, width - 2).into_iter().enumerate() {
                let _ = writeln!(out, "{}{line}", if index == 0 { "- " } else { "  " });
            }
        }
        Block::Command(command) => {
            let _ = writeln!(out, "{:NAMES$}{command}", "");
        }
        Block::Drawing(exchange) => {
            for line in exchange.draw().lines() {
                let _ = writeln!(out, "{:INDENT$}{line}", "");
            }
        }
        Block::Names(names) => {
            for line in fill(names.iter().copied(), "  ", width - 2) {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
}

fn strong(out: &mut String, line: &str, device: Device) {
    let _ =
        if device.colour { writeln!(out, "\x1b[1m{line}\x1b[0m") } else { writeln!(out, "{line}") };
}

/// A name, and its text in a column of its own.
fn hanging(out: &mut String, name: &str, text: &str, width: usize) {
    let mut name = name;
    if name.width() + 2 > NAMES {
        let _ = writeln!(out, "{name}");
        name = "";
    }
    for line in wrap(text, width - NAMES) {
        let _ = writeln!(out, "{name:NAMES$}{line}");
        name = "";
    }
}

/// Breaks text into lines.
fn wrap(text: &str, width: usize) -> Vec<String> {
    fill(words(text), " ", width)
}

/// Fills lines with words.
fn fill<'a>(words: impl IntoIterator<Item = &'a str>, gap: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in words {
        match lines.last_mut() {
            Some(line) if line.width() + gap.len() + word.width() <= width => {
                line.push_str(gap);
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The words of a text. A command in backticks is one, because it must be fit to paste, and so are
/// a number and its unit.
fn words(text: &str) -> Vec<&str> {
    let mut words = vec![];
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        quoted ^= c == '`';
        if c == ' ' && !quoted && !is_glued(text, at) {
            words.push(text.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the blank at `at` stands between a number and its unit.
fn is_glued(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let unit = after.split_whitespace().next().unwrap_or_default();
    before.ends_with(|c: char| c.is_ascii_digit())
        && ["s", "ms", "h", "%", "KiB", "MB"]
            .contains(&unit.trim_end_matches(['.', ',', ';', ':', ')']))
}

/// The same in ASCII, for a terminal that shows nothing else.
fn ascii(text: &str) -> String {
    text.replace('µ', "u").replace('…', "...")
}

/// `sockeye.explain/1`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    generated_at: String,
    host: HostKeys<'a>,
    source: Source,
    warnings: [(); 0],
    topic: &'a str,
    title: &'a str,
    kind: &'a str,
    text: String,
    see_also: &'a [&'static str],
    topics: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct HostKeys<'a> {
    name: Option<&'a str>,
    kernel: Option<&'a str>,
}

/// Nothing is asked, so nothing is the source.
#[derive(Debug, Serialize)]
struct Source {
    kind: Option<&'static str>,
    fallback_reason: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    topic: &'a str,
    title: &'a str,
    kind: &'a str,
}

/// Renders a topic as a JSON document on one line.
pub fn json(topic: &Topic, host: &Host, now: SystemTime) -> serde_json::Result<Vec<u8>> {
    use explain::topic::Kind;
    let listed = if topic.kind == Kind::Index { explain::topics() } else { &[] };
    let document = Document {
        schema: "sockeye.explain/1",
        generated_at: Timestamp::try_from(now)
            .map_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned(), |time| format!("{time:.3}")),
        host: HostKeys { name: host.name.as_deref(), kernel: host.kernel.as_deref() },
        source: Source { kind: None, fallback_reason: None },
        warnings: [],
        topic: topic.name,
        title: &topic.title,
        kind: topic.kind.name(),
        text: text(topic, Device::PIPE),
        see_also: &topic.see_also,
        topics: listed
            .iter()
            .filter(|t| t.kind != Kind::Index)
            .map(|t| Entry { topic: t.name, title: &t.title, kind: t.kind.name() })
            .collect(),
    };
    let mut out = serde_json::to_vec(&document)?;
    out.push(b'\n');
    Ok(out)
}

#[cfg(test)]
mod tests;
