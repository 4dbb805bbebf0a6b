//! What changed since a moment.

use super::Pen;
use crate::view::watch::{
    cells::whole_time,
    log::{Change, Event},
    state::Watch,
    theme::Role,
};

/// The counts, and the last changes, newest first.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, scrolled: u16, top: u16, rows: u16) {
    let log = &watch.log;
    let width = pen.area.width;
    let now = watch.live.scene.now;
    // With a filter what is missing may only be something else now.
    let gone = if watch.filter.is_some() { "left the view" } else { "gone" };
    let counts = format!(
        "in the last {}: {} new, {} {gone}, {} changed state",
        whole_time(now.saturating_sub(log.since)),
        log.opened,
        log.closed,
        log.changed
    );
    pen.text(0, top, width, &counts, Role::Strong);
    let note = "what opens and closes between two rounds is not seen: `sockeye trace` sees it";
    pen.text(0, top + 1, width, note, Role::Dim);
    let room = usize::from(rows.saturating_sub(2));
    let from = usize::from(scrolled).min(log.last.len().saturating_sub(room));
    for (row, change) in (2..).zip(log.last.iter().skip(from).take(room)) {
        let (sign, role) = match change.event {
            Event::Opened => ("+", Role::New),
            Event::Closed => ("-", Role::Gone),
            Event::Changed(_) => ("~", Role::Changed),
        };
        let ago = whole_time(now.saturating_sub(change.at));
        let holder = watch.live.scene.rows.holders.label(change.held);
        let line = format!("{sign} {ago:>4} {} {holder}", what(change, width));
        pen.text(0, top + row, width, &line, role);
    }
}

/// From a state to another, and both ends; of this one the port alone where there is little room.
fn what(change: &Change, width: u16) -> String {
    let entry = &change.entry;
    let state = match change.event {
        Event::Changed(from) => format!("{from} > {}", entry.state),
        _ => entry.state.to_string(),
    };
    let peer = entry.peer().map_or("*".to_owned(), |peer| peer.to_string());
    if width < 100 {
        return format!("{state:<24} :{:<5} {peer:<21}", entry.local.port);
    }
    format!("{state:<24} {:<21} {peer:<21}", entry.local.to_string())
}
