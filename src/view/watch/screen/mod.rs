//! Draws the watch. A function of its state and nothing else.

pub mod changes;
pub mod details;
pub mod header;
pub mod help;
pub mod keyline;
pub mod list;
pub mod popup;
pub mod said;

use super::{
    cells::fitted,
    state::{Mode, Watch},
    theme::{Role, Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_width::UnicodeWidthStr;

/// Draws everything, and says where the cursor belongs. `None`: it is hidden.
pub fn draw_into(buffer: &mut Buffer, area: Rect, watch: &Watch, theme: Theme) -> Option<Position> {
    let mut pen = Pen { buffer, theme, area };
    let layout = watch.layout();
    let mut y = 0;
    let mut part = |rows: u16| {
        let top = y;
        y += rows;
        (top, rows)
    };
    header::draw(&mut pen, watch, part(1).0);
    if let Mode::Help(at) | Mode::Changes(at) = watch.mode {
        let (top, rows) = part(area.height.saturating_sub(2));
        match watch.mode {
            Mode::Help(_) => help::draw(&mut pen, at, top, rows),
            _ => changes::draw(&mut pen, watch, at, top, rows),
        }
        keyline::draw(&mut pen, watch, area.height.saturating_sub(1));
        return None;
    }
    let chips = part(layout.chips);
    let alerts = part(layout.alerts);
    let headings = part(layout.headings);
    let list = part(layout.list);
    let details = part(layout.details);
    let said = part(layout.said);
    let keys = part(layout.keys);
    if chips.1 > 0 {
        header::chips(&mut pen, watch, chips.0);
    }
    header::alerts(&mut pen, watch, alerts.0, alerts.1);
    if headings.1 > 0 {
        list::headings(&mut pen, watch, headings.0);
    }
    list::draw(&mut pen, watch, list.0);
    details::draw(&mut pen, watch, details.0, details.1);
    let cursor = said::draw(&mut pen, watch, said.0, said.1);
    if keys.1 > 0 {
        keyline::draw(&mut pen, watch, keys.0);
    }
    popup::draw(&mut pen, watch);
    cursor
}

/// Writes into the buffer, never outside of it.
pub struct Pen<'b> {
    buffer: &'b mut Buffer,
    /// What things look like.
    pub theme: Theme,
    /// The screen.
    pub area: Rect,
}

impl Pen<'_> {
    /// Writes a text from a column on, at most so many columns of it. Gives the column after it.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        self.styled(x, y, width, text, self.theme.style(role))
    }

    /// The same in a style.
    pub fn styled(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let width = width.min(self.area.width.saturating_sub(x));
        if y >= self.area.height || width == 0 {
            return x;
        }
        let text = fitted(text, usize::from(width), self.theme);
        self.buffer.set_stringn(x, y, &text, usize::from(width), style).0
    }

    /// Writes a text that ends at a column.
    pub fn right(&mut self, end: u16, y: u16, text: &str, role: Role) {
        let wide = u16::try_from(text.width()).unwrap_or(u16::MAX);
        self.text(end.saturating_sub(wide), y, wide, text, role);
    }

    /// Lays a style over a row.
    pub fn over(&mut self, y: u16, style: Style) {
        if y < self.area.height {
            let row = Rect { x: 0, y, width: self.area.width, height: 1 };
            self.buffer.set_style(row, style);
        }
    }

    /// Empties a part of the screen.
    pub fn clear(&mut self, part: Rect) {
        let part = part.intersection(self.area);
        for y in part.top()..part.bottom() {
            for x in part.left()..part.right() {
                if let Some(cell) = self.buffer.cell_mut(Position { x, y }) {
                    cell.reset();
                }
            }
        }
    }
}
