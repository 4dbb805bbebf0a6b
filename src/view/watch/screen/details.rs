//! The lower part: everything about the selected socket.

use super::Pen;
use crate::view::watch::{detail, state::Watch, theme::Role};

/// A line with the title, and below it as much of the text as there is room for.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, top: u16, rows: u16) {
    let Some(scrolled) = watch.details.filter(|_| rows > 0) else { return };
    let width = pen.area.width;
    let rule = pen.theme.glyph('─', '-');
    let line: String = std::iter::repeat_n(rule, usize::from(width)).collect();
    pen.text(0, top, width, &line, Role::Dim);
    let title = format!(" {} ", detail::title(watch, pen.theme));
    pen.text(2, top, width.saturating_sub(2), &title, Role::Strong);
    let lines = detail::lines(watch, pen.theme, usize::from(width));
    let room = usize::from(rows - 1);
    let from = usize::from(scrolled).min(lines.len().saturating_sub(room));
    for (row, (text, role)) in (1..).zip(lines.iter().skip(from).take(room)) {
        pen.text(0, top + row, width, text, *role);
    }
    if lines.len() > from + room {
        pen.right(width, top, " more: PgDn ", Role::Dim);
    }
}
