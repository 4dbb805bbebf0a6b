//! The texts of the cells.

use super::{
    columns::What,
    grouping::{Group, GroupKey, Side},
    held::Held,
    lines::Line,
    rows::{Mark, Shown},
    scene::{Of, Scene},
    state::Watch,
    theme::{Role, Theme},
    traffic::Rates,
};
use crate::model::{endpoint::Endpoint, queues::Queues, state::State, timer::TimerKind};
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Repetitions of a segment from which on a row is marked: one is everyday.
const REPEATED: u8 = 2;

/// The text of a cell, and what it is.
pub fn cell(watch: &Watch, theme: Theme, line: &Line, what: What, width: usize) -> (String, Role) {
    let scene = watch.scene();
    match line {
        Line::Socket(slot, below) => scene.rows.get(*slot).map_or_else(
            || (String::new(), Role::Plain),
            |row| socket(watch, theme, row, *below, what, width),
        ),
        Line::Group(key, group, open) => {
            (of_group(watch, theme, (key, group, *open), what, width), Role::Plain)
        }
    }
}

/// The sign in front of a line, and what it is.
pub fn sign(scene: &Scene, line: &Line) -> (char, Role) {
    match line {
        Line::Socket(slot, _) => {
            let Some(row) = scene.rows.get(*slot) else { return (' ', Role::Plain) };
            match row.mark(scene.now) {
                Some(Mark::New) => ('+', Role::New),
                Some(Mark::Gone) => ('-', Role::Gone),
                Some(Mark::Changed) => ('~', Role::Changed),
                None if is_in_trouble(row) => ('!', Role::Warning),
                None => (' ', Role::Plain),
            }
        }
        Line::Group(_, group, _) => match (group.new, group.gone) {
            (0, 0) => (' ', Role::Plain),
            (new, gone) if new >= gone => ('+', Role::New),
            _ => ('-', Role::Gone),
        },
    }
}

/// Whether the peer does not answer, or does not read.
fn is_in_trouble(row: &Shown) -> bool {
    row.entry.timer.is_some_and(|timer| match timer.kind {
        TimerKind::Retransmit => timer.retransmits >= REPEATED,
        TimerKind::WindowProbe => true,
        _ => false,
    })
}

fn socket(
    watch: &Watch,
    theme: Theme,
    row: &Shown,
    below: bool,
    what: What,
    width: usize,
) -> (String, Role) {
    let scene = watch.scene();
    let entry = &row.entry;
    let flow = scene.traffic.of(&entry.key);
    let sums = watch.shape.by.totals;
    let text = match what {
        What::Name => {
            let indent = if below { "  " } else { "" };
            let room = width.saturating_sub(indent.len());
            match entry.peer() {
                None => format!("{indent}{}", endpoint(&entry.local, room, theme)),
                Some(peer) => {
                    let arrow = arrow(theme, scene.side(row));
                    let local = format!("{indent}:{} {arrow} ", entry.local.port);
                    let room = width.saturating_sub(local.width());
                    format!("{local}{}", endpoint(&peer, room, theme))
                }
            }
        }
        What::Holder => {
            let role = if matches!(row.held, Held::Nobody(_)) { Role::Dim } else { Role::Plain };
            return (scene.rows.holders.label(row.held), role);
        }
        // A narrow column has the port alone: the address is mostly the same.
        What::Local if width < 15 => format!(":{}", port(entry.local.port)),
        What::Local => endpoint(&entry.local, width, theme),
        What::Peer => match entry.peer() {
            Some(peer) => endpoint(&peer, width, theme),
            None => "*".to_owned(),
        },
        What::State | What::States => {
            let role = state_role(entry.state);
            return (entry.state.name().to_owned(), role);
        }
        What::Sockets => String::new(),
        What::Rtt => match flow.and_then(|flow| flow.counted.rtt_us) {
            Some(us) => microseconds(us),
            None => unknown(entry.has_counters()),
        },
        What::Retransmitted | What::Received | What::Sent => {
            let figure = match (sums, flow) {
                (_, None) => None,
                (false, Some(flow)) => rate(&flow.rates, what).map(short),
                (true, Some(flow)) => match what {
                    What::Received => flow.counted.received,
                    What::Sent => flow.counted.sent,
                    _ => flow.counted.retransmitted,
                }
                .map(short_whole),
            };
            figure.unwrap_or_else(|| unknown(entry.has_counters()))
        }
        What::Minute => minute(scene, &Of::Socket(entry.key), width, theme),
        What::Age => age(scene, row),
        What::Waiting => match entry.queues {
            Queues::Listen { accept_queue, limit } => match limit {
                Some(limit) => {
                    format!("{}/{}", short_whole(accept_queue.into()), short_whole(limit.into()))
                }
                None => short_whole(accept_queue.into()),
            },
            Queues::Data { recv, .. } => short_whole(recv.into()),
            Queues::Absent => String::new(),
        },
        What::Unacknowledged => match entry.queues {
            Queues::Data { send, .. } => short_whole(send.into()),
            _ => String::new(),
        },
        What::Timer => entry.timer.map_or(String::new(), |timer| {
            let in_time = microseconds(u64::from(timer.expires_ms) * 1000);
            let word = match timer.kind {
                TimerKind::WindowProbe => "probe",
                kind => kind.name(),
            };
            format!("{word} {in_time}")
        }),
    };
    (text, Role::Plain)
}

fn of_group(
    watch: &Watch,
    theme: Theme,
    (key, group, open): (&GroupKey, &Group, bool),
    what: What,
    width: usize,
) -> String {
    let scene = watch.scene();
    let sums = watch.shape.by.totals;
    let mark = if open { theme.glyph('▾', 'v') } else { theme.glyph('▸', '>') };
    let of_closed = || {
        let rate = group.closes_per_second();
        if rate > 0.0 {
            format!("{} x, {}/s", group.count, short(rate))
        } else {
            format!("{} x", group.count)
        }
    };
    match what {
        What::Name => format!("{mark} {}", name(watch, key)),
        What::Holder => format!("{mark} {}", of_closed()),
        What::Local => match key {
            GroupKey::ClosedIn(port) => format!(":{port}"),
            _ => String::new(),
        },
        What::Peer => match key {
            GroupKey::ClosedOut(to) => endpoint(to, width, theme),
            _ => "*".to_owned(),
        },
        What::State => State::TimeWait.name().to_owned(),
        What::Sockets => group.count.to_string(),
        What::States => states(group, width),
        What::Rtt => group.rtt_us().map_or(String::new(), microseconds),
        What::Retransmitted | What::Received | What::Sent => {
            let figure = if sums {
                match what {
                    What::Received => group.received,
                    What::Sent => group.sent,
                    _ => group.retransmitted,
                }
                .map(short_whole)
            } else {
                rate(&group.rates, what).map(short)
            };
            figure.unwrap_or_else(|| unknown(!key.is_closed()))
        }
        What::Minute => minute(scene, &Of::Group(key.clone()), width, theme),
        What::Age => match group.oldest_ms.filter(|_| key.is_closed()) {
            Some(ms) => microseconds(u64::from(ms) * 1000),
            None => String::new(),
        },
        What::Waiting => short_whole(group.waiting),
        What::Unacknowledged | What::Timer => String::new(),
    }
}

/// What a group is called.
pub fn name(watch: &Watch, key: &GroupKey) -> String {
    let holders = &watch.scene().rows.holders;
    match key {
        GroupKey::Holder(Ok(place)) => holders.label(Held::By(*place, 0)),
        GroupKey::Holder(Err(Some(why))) => format!("({})", why.name()),
        GroupKey::Holder(Err(None)) => "(not looked up yet)".to_owned(),
        GroupKey::Peer(Some(address)) => address.to_string(),
        GroupKey::Peer(None) => "(no peer)".to_owned(),
        GroupKey::Port(number, Side::In) => format!(":{} in", port(*number)),
        GroupKey::Port(number, Side::Out) => format!(":{} out", port(*number)),
        GroupKey::Container(Some(name)) => name.clone(),
        GroupKey::Container(None) => "(no container)".to_owned(),
        GroupKey::Netns(inode) => {
            let name = watch.scene().namespaces.get(inode);
            name.cloned().unwrap_or_else(|| format!("net:[{inode}]"))
        }
        GroupKey::State(state) => state.name().to_owned(),
        GroupKey::ClosedIn(number) => format!("TIME_WAIT, in by :{}", port(*number)),
        GroupKey::ClosedOut(to) => format!("TIME_WAIT, out to {to}"),
    }
}

/// `ESTABLISHED 118, TIME_WAIT 9390`, the most first, in the words of ss where that is too long.
fn states(group: &Group, width: usize) -> String {
    let mut states: Vec<(State, u32)> = group.states.iter().map(|(s, n)| (*s, *n)).collect();
    states.sort_by_key(|(state, count)| (std::cmp::Reverse(*count), *state));
    let written = |word: fn(State) -> String| {
        let parts: Vec<String> = states.iter().map(|(s, n)| format!("{} {n}", word(*s))).collect();
        parts.join(" ")
    };
    let whole = written(|state| state.name().to_owned());
    if whole.width() <= width { whole } else { written(brief) }
}

/// A state in the least space in which it is still a word: that of ss.
pub fn brief(state: State) -> String {
    state.ss().to_ascii_lowercase()
}

/// What a state says about itself.
pub const fn state_role(state: State) -> Role {
    match state {
        State::CloseWait => Role::Warning,
        State::TimeWait => Role::Dim,
        _ => Role::Plain,
    }
}

/// The arrow of who opened a connection.
pub fn arrow(theme: Theme, side: Side) -> char {
    match side {
        Side::Out => theme.glyph('→', '>'),
        Side::In => theme.glyph('←', '<'),
    }
}

fn rate(rates: &Rates, what: What) -> Option<f32> {
    match what {
        What::Received => rates.received,
        What::Sent => rates.sent,
        _ => rates.retransmitted,
    }
}

/// What stands where a figure is not known; nothing where there can be none.
fn unknown(can_be: bool) -> String {
    if can_be { "-".to_owned() } else { String::new() }
}

fn port(port: u16) -> String {
    if port == 0 { "*".to_owned() } else { port.to_string() }
}

/// An end cut to its column: the port stays whole. IPv4 in IPv6 as people write it: details have it
/// as it is.
fn endpoint(end: &Endpoint, width: usize, theme: Theme) -> String {
    let text = end.canonical().to_string();
    if text.width() <= width {
        return text;
    }
    let port = format!(":{}", end.port);
    let room = width.saturating_sub(port.len() + 1);
    let kept: String = text.chars().take(room).collect();
    format!("{kept}{}{port}", theme.glyph('…', '~'))
}

/// Since when a socket is known: more than that where it was there before.
pub fn age(scene: &Scene, row: &Shown) -> String {
    // The kernel tells how long one is in TIME_WAIT, and of no other state.
    if let Some(ms) = row.entry.socket().age_ms() {
        return microseconds(u64::from(ms) * 1000);
    }
    // A recording is one look.
    if scene.now.is_zero() {
        return "-".to_owned();
    }
    let seen = scene.now.saturating_sub(row.seen);
    let text = whole_time(seen);
    if row.was_there { format!(">{text}") } else { text }
}

/// `0s`, `59s`, `59m`, `47h`, `99d`.
pub fn whole_time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7_199 => format!("{}m", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// At most five columns: `412us`, `4.1ms`, `152ms`, `1.2s`, `59s`, `119m`.
pub fn microseconds(us: u64) -> String {
    match us {
        0 => "0s".to_owned(),
        1..=999 => format!("{us}us"),
        1_000..=9_999 => format!("{}.{}ms", us / 1_000, us / 100 % 10),
        10_000..=999_999 => format!("{}ms", us / 1_000),
        1_000_000..=9_999_999 => format!("{}.{}s", us / 1_000_000, us / 100_000 % 10),
        _ => whole_time(Duration::from_micros(us)),
    }
}

/// At most four columns, three digits: `0`, `0.2`, `999`, `9.9k`, `120k`, `1.2M`. Thousands, as
/// networks count.
pub fn short(number: f32) -> String {
    if number > 0.0 && number < 9.95 && number.fract() > 0.0 {
        return format!("{number:.1}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, never negative, and saturating"
    )]
    let whole = number.round().max(0.0) as u64;
    short_whole(whole)
}

/// The same of a whole number.
pub fn short_whole(number: u64) -> String {
    const UNITS: [char; 6] = ['k', 'M', 'G', 'T', 'P', 'E'];
    if number < 1000 {
        return number.to_string();
    }
    let mut unit = 0;
    let mut size: u64 = 1000;
    while unit + 1 < UNITS.len() && number / size >= 1000 {
        size = size.saturating_mul(1000);
        unit += 1;
    }
    let letter = UNITS.get(unit).copied().unwrap_or('E');
    let whole = number / size;
    if whole < 10 {
        format!("{whole}.{}{letter}", number % size / (size / 10))
    } else {
        format!("{whole}{letter}")
    }
}

/// The last minute as bars, each of the same height for the largest of them.
fn minute(scene: &Scene, of: &Of, width: usize, theme: Theme) -> String {
    const BARS: [(char, char); 8] = [
        ('▁', '_'),
        ('▂', '.'),
        ('▃', ':'),
        ('▄', '-'),
        ('▅', '='),
        ('▆', '+'),
        ('▇', '*'),
        ('█', '#'),
    ];
    let parts = scene.minute(of, width);
    let most = parts.iter().flatten().fold(0.0_f32, |most, part| most.max(*part));
    let bar = |part: &Option<f32>| {
        let Some(part) = part else { return ' ' };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
        let height = if most > 0.0 { (part / most * 7.0).ceil() as usize } else { 0 };
        BARS.get(height.min(7)).map_or(' ', |(bar, ascii)| theme.glyph(*bar, *ascii))
    };
    parts.iter().map(bar).collect()
}

/// A text cut to a width, with a mark that it was cut.
pub fn fitted(text: &str, width: usize, theme: Theme) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(c);
    }
    if width > 0 {
        cut.push(theme.glyph('…', '~'));
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_their_columns() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0k"),
            (9_999, "9.9k"),
            (10_000, "10k"),
            (999_999, "999k"),
            (1_000_000, "1.0M"),
            (u64::MAX, "18E"),
        ] {
            assert_eq!(short_whole(number), text);
        }
        assert_eq!(short(0.24), "0.2");
        assert_eq!(short(f32::INFINITY), "18E");
        for us in [0, 1, 999, 1_000, 9_999, 10_000, 999_999, 1_000_000, 60_000_000, 10u64.pow(13)] {
            assert!(microseconds(us).len() <= 5, "{}", microseconds(us));
        }
        assert_eq!(whole_time(Duration::from_hours(2)), "2h");
    }

    #[test]
    fn what_is_cut_says_so_and_an_end_keeps_its_port() {
        let theme = Theme::new(false, false, true);
        let end = Endpoint::new("2001:db8:1:2:3:4:5:6".parse().unwrap(), 51234);
        assert_eq!(endpoint(&end, 18, theme), "[2001:db8:1…:51234");
        assert_eq!(fitted("nginx-with-a-long-name", 10, theme), "nginx-wit…");
        assert_eq!(fitted("日本語", 4, theme), "日…");
        assert_eq!(fitted("x", 0, theme), "");
    }
}
