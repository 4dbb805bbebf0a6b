//! The help: the table of the keys, and what the signs mean.

use super::Pen;
use crate::view::watch::{keys::BINDINGS, theme::Role};

/// Signs in front of lines.
pub const SIGNS: [(&str, &str); 6] = [
    ("+", "new: it was not there at the last round"),
    ("-", "gone; what is shown is the last of it"),
    ("~", "its state has changed"),
    ("!", "its peer does not answer (repeats) or does not read (window probe)"),
    ("!! ! ?", "above the list: connections fail; worth a look; something could not be seen"),
    (">9s", "age: older than the watch, seen for that long"),
];

/// What stands in the help, names and texts.
fn lines() -> Vec<(String, String)> {
    let keys = BINDINGS.iter().map(|b| (b.shown.to_owned(), b.help.to_owned()));
    let blank = std::iter::once((String::new(), String::new()));
    let signs = SIGNS.iter().map(|(sign, text)| ((*sign).to_owned(), (*text).to_owned()));
    let more = [
        ("-", "in a column: not known, or not yet: a rate needs two rounds"),
        ("manual", "man sockeye-watch; `sockeye explain TOPIC` for every state and limit"),
    ];
    let more = more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    keys.chain(blank).chain(signs).chain(more).collect()
}

/// As much of it as there is room for.
pub fn draw(pen: &mut Pen<'_>, scrolled: u16, top: u16, rows: u16) {
    const NAMES: u16 = 15;
    let width = pen.area.width;
    let room = width.saturating_sub(NAMES).max(10);
    let mut all: Vec<(String, String)> = vec![];
    for (name, text) in lines() {
        let mut name = name;
        for line in textwrap::wrap(&text, usize::from(room)) {
            all.push((std::mem::take(&mut name), line.into_owned()));
        }
    }
    let room = usize::from(rows);
    let from = usize::from(scrolled).min(all.len().saturating_sub(room));
    for (row, (name, text)) in (0..).zip(all.iter().skip(from).take(room)) {
        pen.text(0, top + row, NAMES, name, Role::Accent);
        pen.text(NAMES, top + row, width, text, Role::Plain);
    }
}
