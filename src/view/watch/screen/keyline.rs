//! The last row: what the keys do now. Help and the way out are never dropped.

use super::Pen;
use crate::view::watch::{
    keys::BINDINGS,
    state::{Mode, Watch},
    theme::Role,
};
use unicode_width::UnicodeWidthStr;

/// Draws it.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, y: u16) {
    let width = pen.area.width;
    let keys: Vec<(&str, &str)> = match &watch.mode {
        Mode::Filter(..) => vec![("Enter", "keep"), ("Esc", "as before"), ("ctrl-u", "empty")],
        Mode::Menu(_) => vec![("Enter", "choose"), ("Esc", "leave")],
        Mode::Confirm(_) => vec![("y", "yes"), ("any other key", "no")],
        Mode::Help(_) => vec![("PgDn", "more"), ("Esc", "back")],
        Mode::Changes(_) => vec![("PgDn", "more"), ("D", "from now on"), ("Esc", "back")],
        Mode::Command => vec![("any key", "back")],
        Mode::List => {
            let words = BINDINGS.iter().filter(|binding| !binding.word.is_empty());
            words.map(|binding| (first(binding.shown), binding.word)).collect()
        }
    };
    let is_list = matches!(watch.mode, Mode::List);
    let pinned = |word: &str| is_list && matches!(word, "help" | "quit");
    let wide = |(key, word): &(&str, &str)| key.width() + 1 + word.width() + 2;
    let right: usize = keys.iter().filter(|key| pinned(key.1)).map(wide).sum();
    let room = usize::from(width).saturating_sub(right);
    let mut x = 0;
    for key in keys.iter().filter(|key| !pinned(key.1)) {
        if usize::from(x) + wide(key) > room + 2 {
            break;
        }
        x = label(pen, x, y, key) + 2;
    }
    let mut x = width.saturating_sub(u16::try_from(right).unwrap_or(width)).saturating_add(2);
    for key in keys.iter().filter(|key| pinned(key.1)) {
        x = label(pen, x, y, key) + 2;
    }
}

fn label(pen: &mut Pen<'_>, x: u16, y: u16, (key, word): &(&str, &str)) -> u16 {
    let x = pen.text(x, y, pen.area.width, key, Role::Accent);
    pen.text(x + 1, y, pen.area.width, word, Role::Dim)
}

/// The first of several keys.
fn first(shown: &str) -> &str {
    shown.split(", ").next().unwrap_or(shown)
}
