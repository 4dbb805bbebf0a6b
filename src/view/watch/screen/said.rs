//! The rows above the keys: what is typed, what is asked, what went wrong.

use super::Pen;
use crate::view::watch::{
    state::{Mode, Watch},
    theme::Role,
};
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

/// Draws them, and says where the cursor belongs.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, top: u16, rows: u16) -> Option<Position> {
    if rows == 0 {
        return None;
    }
    let width = pen.area.width;
    match &watch.mode {
        Mode::Filter(prompt, _) => {
            const LABEL: &str = "filter: ";
            let x = pen.text(0, top, width, LABEL, Role::Accent);
            let (text, cursor) = prompt.shown(usize::from(width.saturating_sub(x + 1)));
            pen.text(x, top, width.saturating_sub(x), &text, Role::Plain);
            if let Some(error) = &watch.filter_error {
                // The caret stands below the word, as far as the text is not scrolled.
                let before = error.text.get(..error.span.start).unwrap_or_default().width();
                let wide = error.text.get(error.span.clone()).unwrap_or_default().width().max(1);
                let at = x.saturating_add(u16::try_from(before).unwrap_or(u16::MAX));
                if rows > 1 && before + wide <= usize::from(width.saturating_sub(x)) {
                    pen.text(at, top + 1, width, &"^".repeat(wide), Role::Critical);
                }
                if rows > 2 {
                    let text = format!("{}; {}", error.message, error.hint);
                    pen.text(0, top + 2, width, &text, Role::Critical);
                }
            }
            let column = x.saturating_add(u16::try_from(cursor).unwrap_or(0));
            Some(Position { x: column.min(width.saturating_sub(1)), y: top })
        }
        Mode::Confirm(entry) => {
            let peer = entry.peer().map_or(String::new(), |peer| format!(" to {peer}"));
            let what = format!("close {} {}{peer} of {}?", entry.state, entry.local, holder(watch));
            pen.text(0, top, width, &what, Role::Critical);
            let means = "its process gets ECONNABORTED, the peer a RST. y: yes, any other key: no";
            pen.text(0, top + 1, width, means, Role::Plain);
            None
        }
        _ => {
            let (text, role) = match (&watch.trouble, &watch.said) {
                (Some(trouble), _) => (trouble, Role::Critical),
                (None, Some(said)) => (said, Role::Accent),
                (None, None) => return None,
            };
            pen.text(0, top, width, text, role);
            None
        }
    }
}

fn holder(watch: &Watch) -> String {
    watch.selected_holder().unwrap_or_else(|| "nobody known".to_owned())
}
