//! The list: headings and lines.

use super::Pen;
use crate::view::watch::{
    cells::{cell, fitted, sign},
    columns::{Column, SIGN, What, columns},
    order::Sort,
    state::Watch,
    theme::Role,
};
use unicode_width::UnicodeWidthStr;

/// The headings; the one the order goes by is marked.
pub fn headings(pen: &mut Pen<'_>, watch: &Watch, y: u16) {
    let by = watch.shape.by;
    let mut x = SIGN;
    for column in columns(pen.area.width, watch.shape.grouping.is_some()) {
        let head = if by.totals { column.head_of_sums } else { column.head };
        let role = if sorts(by.sort, column.what) { Role::Accent } else { Role::Dim };
        aligned(pen, (x, y), column, head, role);
        x += column.width + 1;
    }
}

/// Whether an order goes by a column.
fn sorts(sort: Sort, what: What) -> bool {
    matches!(
        (sort, what),
        (Sort::Waiting, What::Waiting | What::Unacknowledged)
            | (Sort::Received, What::Received)
            | (Sort::Sent, What::Sent)
            | (Sort::Retransmitted, What::Retransmitted)
            | (Sort::Rtt, What::Rtt)
            | (Sort::Sockets, What::Sockets)
            | (Sort::Process, What::Holder)
            | (Sort::Local, What::Local)
            | (Sort::Peer, What::Peer)
            | (Sort::State, What::State)
            | (Sort::Age, What::Age)
    )
}

/// The lines on the screen.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, top: u16) {
    let columns = columns(pen.area.width, watch.shape.grouping.is_some());
    let scene = watch.scene();
    for (row, line) in (0..).zip(watch.visible()) {
        let y = top + row;
        let (mark, role) = sign(scene, line);
        pen.text(0, y, 1, mark.encode_utf8(&mut [0; 4]), role);
        let mut x = SIGN;
        for column in &columns {
            let width = usize::from(column.width);
            let (text, own) = cell(watch, pen.theme, line, column.what, width);
            // What happened to the line colours all of it; a warning colours only its sign.
            let role = match role {
                Role::New | Role::Gone | Role::Changed => role,
                _ => own,
            };
            aligned(pen, (x, y), *column, &text, role);
            x += column.width + 1;
        }
        if watch.top + usize::from(row) == watch.at {
            pen.over(y, pen.theme.selected());
        }
    }
    if watch.lines.is_empty() && scene.time.is_some() {
        let text = match (&watch.filter, watch.shape.chip) {
            (_, Some(state)) => format!("no socket is in {state}: 0 shows every state"),
            (Some(_), _) => "no socket matches the filter: Esc takes it away".to_owned(),
            (None, None) => "there is no socket".to_owned(),
        };
        pen.text(SIGN, top, pen.area.width, &text, Role::Dim);
    }
}

fn aligned(pen: &mut Pen<'_>, (x, y): (u16, u16), column: Column, text: &str, role: Role) {
    let text = fitted(text, usize::from(column.width), pen.theme);
    let wide = u16::try_from(text.width()).unwrap_or(column.width);
    let from = if column.right { x + column.width.saturating_sub(wide) } else { x };
    pen.text(from, y, column.width, &text, role);
}
