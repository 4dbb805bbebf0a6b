//! Menus and the command line of the view, over the list.

use super::Pen;
use crate::view::watch::{
    command_line,
    state::{Mode, Watch},
    theme::Role,
};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// Draws what is open.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch) {
    match &watch.mode {
        Mode::Menu(menu) => {
            let lines: Vec<String> =
                menu.items.iter().map(|item| format!("{} {}", item.key, item.label)).collect();
            boxed(pen, &menu.title, &lines, Some(menu.at));
        }
        Mode::Command => {
            let width = usize::from(pen.area.width.saturating_sub(4)).max(10);
            let mut lines = vec![];
            for (name, line) in [
                (
                    "this view (copied to the clipboard, where the terminal allows it):",
                    command_line::of(watch),
                ),
                ("its sockets, printed once:", command_line::list(watch)),
            ] {
                lines.extend(
                    textwrap::wrap(name, width).into_iter().map(std::borrow::Cow::into_owned),
                );
                let options = textwrap::Options::new(width)
                    .initial_indent("  ")
                    .subsequent_indent("    ")
                    .word_splitter(textwrap::WordSplitter::NoHyphenation);
                lines.extend(
                    textwrap::wrap(&line, options).into_iter().map(std::borrow::Cow::into_owned),
                );
            }
            boxed(pen, "command line", &lines, None);
        }
        _ => {}
    }
}

/// Lines under a title, in the middle; scrolled so that the selected one is in sight.
fn boxed(pen: &mut Pen<'_>, title: &str, lines: &[String], selected: Option<usize>) {
    let longest = lines.iter().map(|line| line.width()).max().unwrap_or(0).max(title.width());
    let width = u16::try_from(longest + 2).unwrap_or(u16::MAX).min(pen.area.width);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = rows.saturating_add(1).min(pen.area.height.saturating_sub(2));
    let x = pen.area.width.saturating_sub(width) / 2;
    let y = (pen.area.height.saturating_sub(height) / 2).max(1);
    pen.clear(Rect {
        x: x.saturating_sub(1),
        y: y.saturating_sub(u16::from(y > 1)),
        width: width.saturating_add(2),
        height: height.saturating_add(2),
    });
    let bar = format!(" {title:<longest$} ");
    let style = pen.theme.style(Role::Accent).patch(pen.theme.selected());
    pen.styled(x, y, width, &bar, style);
    let room = usize::from(height.saturating_sub(1));
    let from = selected.map_or(0, |at| (at + 1).saturating_sub(room));
    for (row, (index, line)) in (1..).zip(lines.iter().enumerate().skip(from).take(room)) {
        let line = format!(" {line:<longest$} ");
        if selected == Some(index) {
            let style = pen.theme.style(Role::Strong).patch(pen.theme.selected());
            pen.styled(x, y + row, width, &line, style);
        } else {
            pen.text(x, y + row, width, &line, Role::Plain);
        }
    }
}
