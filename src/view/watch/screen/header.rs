//! The first rows: where this is, how many, and what is wrong.

use super::Pen;
use crate::{
    model::about::SourceKind,
    view::watch::{
        alert::Level,
        cells::{brief, short_whole, whole_time},
        state::{CHIPS, Watch},
        theme::Role,
    },
};
use jiff::Timestamp;
use std::time::SystemTime;
use unicode_width::UnicodeWidthStr;

/// Host, namespace, count, what stands still, the time.
pub fn draw(pen: &mut Pen<'_>, watch: &Watch, y: u16) {
    let scene = watch.scene();
    let clock = scene.time.map_or(String::new(), |time| clock(time, watch));
    let width = pen.area.width;
    let end = width.saturating_sub(u16::try_from(clock.width()).unwrap_or(0));
    pen.right(width, y, &clock, Role::Dim);
    let mut x = pen.text(0, y, end, &watch.setup.host, Role::Strong);
    let mut say = |text: &str, role| {
        if !text.is_empty() && x < end {
            x = pen.text(x, y, end.saturating_sub(x), " ", Role::Plain);
            x = pen.text(x, y, end.saturating_sub(x).saturating_sub(1), text, role);
        }
    };
    // What must not be missed comes first.
    if watch.setup.recorded {
        say("RECORDED", Role::Accent);
    } else if watch.paused {
        say("PAUSED", Role::Warning);
    }
    if watch.still.is_some() {
        let log = &watch.log;
        say(&format!("FROZEN +{} -{} ~{}", log.opened, log.closed, log.changed), Role::Warning);
    }
    if !watch.setup.netns.is_empty() {
        say(&format!("netns {}", watch.setup.netns), Role::Plain);
    }
    let count = scene.rows.count();
    let what = match (watch.filter.is_some(), count) {
        (false, 1) => " socket".to_owned(),
        (false, _) => " sockets".to_owned(),
        (true, _) => " match".to_owned(),
    };
    if scene.time.is_some() {
        say(&format!("{count}{what}"), Role::Plain);
    } else {
        say("asking the kernel", Role::Dim);
    }
    if scene.unanswered > 0 {
        say(&format!("({} not known)", short_whole(scene.unanswered)), Role::Warning);
    }
    if watch.source != SourceKind::Netlink {
        say("from /proc, without details", Role::Warning);
    }
    if !watch.setup.recorded && !watch.paused {
        say(&format!("every {}", interval(watch)), Role::Dim);
    }
    if !watch.filter_text.is_empty() {
        say(&format!("filter: {}", watch.filter_text), Role::Accent);
    }
}

/// The time between two rounds: longer than asked for where a round takes long.
fn interval(watch: &Watch) -> String {
    let every = watch.every;
    if every.subsec_millis() > 0 {
        return format!("{} s", every.as_secs_f32());
    }
    whole_time(every)
}

fn clock(time: SystemTime, watch: &Watch) -> String {
    let Ok(time) = Timestamp::try_from(time) else { return String::new() };
    if watch.setup.recorded {
        return time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    }
    time.to_zoned_datetime(watch.setup.zone.clone()).strftime("%H:%M:%S").to_string()
}

/// States with their counts; the chosen one is reversed.
pub fn chips(pen: &mut Pen<'_>, watch: &Watch, y: u16) {
    let scene = watch.scene();
    let all: u32 = scene.states.values().sum();
    let mut chips = vec![(0, "all".to_owned(), brief_all(), all, watch.shape.chip.is_none())];
    for (number, state) in (1..).zip(CHIPS) {
        let count = scene.states.get(&state).copied().unwrap_or(0);
        let chosen = watch.shape.chip == Some(state);
        if count > 0 || chosen {
            chips.push((number, state.name().to_owned(), brief(state), count, chosen));
        }
    }
    let wide = |chip: &(u32, String, String, u32, bool), long: bool| {
        let name = if long { &chip.1 } else { &chip.2 };
        let number = if chip.0 < 10 { 2 } else { 0 };
        number + name.width() + 1 + chip.3.to_string().len() + 2
    };
    let width = usize::from(pen.area.width);
    let long = chips.iter().map(|chip| wide(chip, true)).sum::<usize>() <= width + 2;
    let mut x = 0;
    for (index, chip) in chips.iter().enumerate() {
        let left = chips.len() - index;
        // Room for the word that says how many are left out.
        let needs = wide(chip, long) - 2 + if left > 1 { 4 } else { 0 };
        if usize::from(x) + needs > width {
            let note = format!("+{left}");
            pen.text(x, y, 4, &note, Role::Dim);
            break;
        }
        let name = if long { &chip.1 } else { &chip.2 };
        let from = x;
        if chip.0 < 10 {
            x = pen.text(x, y, 2, &format!("{} ", chip.0), Role::Dim);
        }
        let label = format!("{name} {}", chip.3);
        let room = pen.area.width.saturating_sub(x);
        if chip.4 {
            let style = pen.theme.style(Role::Accent).patch(pen.theme.selected());
            x = pen.styled(x, y, room, &label, style);
        } else {
            let role = if name.to_ascii_uppercase().starts_with("CLOSE") {
                Role::Warning
            } else {
                Role::Plain
            };
            x = pen.text(x, y, room, &label, role);
        }
        debug_assert!(x >= from);
        x += 2;
    }
}

fn brief_all() -> String {
    "all".to_owned()
}

/// The worst that was found.
pub fn alerts(pen: &mut Pen<'_>, watch: &Watch, y: u16, rows: u16) {
    let all = watch.alerts().count();
    for ((row, alert), index) in (0..rows).zip(watch.alerts()).zip(1..) {
        let (mark, role) = match alert.level {
            Level::Critical => ("!!", Role::Critical),
            Level::Warning => ("! ", Role::Warning),
            Level::Note => ("? ", Role::Dim),
        };
        let x = pen.text(0, y + row, 3, mark, role);
        let width = pen.area.width;
        let more = all.saturating_sub(index);
        let tail = if row + 1 == rows && more > 0 { format!(" +{more}") } else { String::new() };
        let room = width.saturating_sub(x + 1 + u16::try_from(tail.len()).unwrap_or(0));
        let end = pen.text(x + 1, y + row, room, &alert.text, role);
        let command = u16::try_from(alert.command.width()).unwrap_or(u16::MAX);
        if tail.is_empty() && end.saturating_add(command).saturating_add(2) <= width {
            pen.right(width, y + row, &alert.command, Role::Dim);
        }
        pen.right(width, y + row, &tail, Role::Dim);
    }
}
