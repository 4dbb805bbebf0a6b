//! Every screen at three sizes, drawn from recorded hosts and compared with a committed file.
//! `UPDATE=1 cargo test golden` writes the files anew; what changed is then read in the difference.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
    style::{Color, Modifier},
};
use similar::TextDiff;
use sockeye::{
    collect::{
        live::{recorded::Recorded, refresh::Refresh},
        query::Query,
        replay,
    },
    doctor::{diagnosis, rules::RULES},
    field::need::Need,
    kernel::{proc::root::Root, recording_file},
    model::{
        protocol::Protocol,
        queues::Queues,
        recording::Recording,
        state::{State, StateSet},
    },
    report::{capacity::estimate::Estimate, time_wait},
    view::watch::{
        alert::{self, Alert, Growth},
        screen,
        state::{Effect, Setup, Watch},
        theme::Theme,
    },
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// A screen: of which host, and the keys that lead to it.
struct Case {
    name: &'static str,
    host: &'static str,
    /// Letters, and in angle brackets keys with names.
    keys: &'static str,
    /// Whether the host is looked at twice, as if it were alive, with changes in between.
    alive: bool,
}

const fn case(name: &'static str, host: &'static str, keys: &'static str) -> Case {
    Case { name, host, keys, alive: false }
}

const fn alive(name: &'static str, host: &'static str, keys: &'static str) -> Case {
    Case { name, host, keys, alive: true }
}

const CASES: &[Case] = &[
    case("proxy", "proxy", ""),
    case("client", "client", ""),
    case("server", "server", ""),
    case("states", "states", ""),
    case("proc", "proc", ""),
    case("groups-process", "server", "gb<Down><Enter>"),
    case("groups-peer", "proxy", "gc"),
    case("groups-port", "client", "gd"),
    case("groups-state", "states", "gg"),
    case("one-state", "states", "3"),
    case("details", "states", "1<Down><Enter>"),
    case("details-listener", "server", "4<Enter>"),
    case("details-scrolled", "states", "1<Down><Enter><PageDown>"),
    case("filter-typed", "client", "/dport = :5432 and stat"),
    case("filter-wrong", "client", "/dport = :5432 and acceptq > 0"),
    case("filter-nothing", "client", "/dport = :1<Enter>"),
    case("menu-sort", "client", "s"),
    case("menu-actions", "states", "1 "),
    case("command", "proxy", "gc2y"),
    case("help", "proxy", "?"),
    alive("changed", "states", ""),
    alive("changed-totals", "states", "r"),
    alive("changed-groups", "states", "gg"),
    alive("changes", "states", "d"),
    alive("frozen", "states", "f<Down>"),
    alive("confirm", "states", "1 k"),
];

#[test]
fn every_screen_is_its_golden_file() {
    let mut wrong = vec![];
    for case in CASES {
        let mut text = String::new();
        for size in SIZES {
            let (buffer, watch) = drawn(case, size);
            assert!(watch.lines.len() > watch.at || watch.lines.is_empty());
            text.push_str(&shown(&buffer, size));
        }
        let file = directory().join(format!("{}.screen", case.name));
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            fs::write(file, text).unwrap();
            continue;
        }
        let committed = committed(&file);
        if committed != text {
            let diff = TextDiff::from_lines(&committed, &text);
            wrong.push(format!("{}:\n{}", case.name, diff.unified_diff().context_radius(0)));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 cargo test golden", wrong.join("\n"));
}

#[test]
fn no_file_is_left_of_a_screen_that_is_gone() {
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = CASES.iter().any(|case| name == format!("{}.screen", case.name));
        assert!(known, "{name} belongs to no case");
    }
}

#[test]
fn without_colour_every_sign_is_still_there() {
    let case = alive("changed", "states", "");
    let coloured = text_of(&drawn_in(&case, (80, 24), Theme::new(true, false, true)).0);
    let (plain, _) = drawn_in(&case, (80, 24), Theme::new(false, false, true));
    assert_eq!(text_of(&plain), coloured);
    assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    let (light, _) = drawn_in(&case, (80, 24), Theme::new(true, true, true));
    let hard_to_read = [Color::Yellow, Color::Cyan, Color::White];
    assert!(light.content.iter().all(|cell| !hard_to_read.contains(&cell.fg)));
}

#[test]
fn without_utf_8_only_ascii_is_drawn() {
    for case in CASES.iter().filter(|case| case.host != "proc") {
        let (buffer, _) = drawn_in(case, (100, 30), Theme::new(true, false, false));
        let text = text_of(&buffer);
        let odd: String = text.chars().filter(|c| !c.is_ascii()).collect();
        // What people named is shown as they named it.
        assert!(odd.is_empty(), "{}: {odd:?}", case.name);
    }
}

#[test]
fn any_size_is_drawn() {
    for case in CASES {
        for size in [(0, 0), (1, 1), (3, 2), (10, 5), (20, 3), (79, 7), (300, 100)] {
            drawn(case, size);
        }
    }
}

fn drawn(case: &Case, size: (u16, u16)) -> (Buffer, Watch) {
    drawn_in(case, size, Theme::new(true, false, true))
}

fn drawn_in(case: &Case, size: (u16, u16), theme: Theme) -> (Buffer, Watch) {
    let (recording, alerts) = host(case.host);
    let protocols = vec![(Protocol::Tcp, StateSet::ALL), (Protocol::Udp, StateSet::DATAGRAM)];
    let setup = Setup {
        host: recording.snapshot.about.host.name.clone().unwrap(),
        netns: if case.alive { "blue".to_owned() } else { String::new() },
        recorded: !case.alive,
        base: Query::plain(Root::live(), protocols, Need::NONE),
        words: vec!["--from".to_owned(), "a host.gz".to_owned()],
        zone: jiff::tz::TimeZone::UTC,
        ephemeral: recording.snapshot.settings.port_range(),
    };
    let mut watch = Watch::new(setup, Watch::usual(), Duration::from_secs(1), size);
    watch.reported = alerts;
    let mut now = Recorded::new(vec![recording.clone()]);
    watch.refresh(at(0, now.round(&watch.question())));
    if case.alive {
        now = Recorded::new(vec![later(recording)]);
        let question = watch.question();
        watch.refresh(at(1, now.round(&question)));
    }
    let second = u64::from(case.alive);
    for key in keys(case.keys) {
        for effect in watch.press(key) {
            if matches!(effect, Effect::Round | Effect::Glance) {
                let question = watch.question();
                watch.refresh(at(second, now.round(&question)));
            }
        }
    }
    let area = Rect { x: 0, y: 0, width: size.0, height: size.1 };
    let mut buffer = Buffer::empty(area);
    if let Some(cursor) = screen::draw_into(&mut buffer, area, &watch, theme) {
        assert!(cursor.x < size.0.max(1) && cursor.y < size.1.max(1), "{cursor:?} in {size:?}");
    }
    (buffer, watch)
}

/// A recorded host, and what the reports find on it: read once.
fn host(name: &'static str) -> (Recording, Vec<Alert>) {
    static HOSTS: Mutex<BTreeMap<&str, (Recording, Vec<Alert>)>> = Mutex::new(BTreeMap::new());
    let mut hosts = HOSTS.lock().unwrap();
    let known = hosts.entry(name).or_insert_with(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hosts").join(name);
        let mut recordings = recording_file::read(&path.join("snapshot.gz")).unwrap();
        let recording = recordings.remove(0);
        let snapshot = replay::outlined(&recording);
        let closes = time_wait::of(&snapshot, None);
        let estimate = Estimate::of(&snapshot, None, &[]).ok();
        let mut growth = Growth::default();
        // What the doctor finds is shown as the rest is; a new rule is not to change the screens.
        let plan = diagnosis::Plan { only: vec![String::new()], ..diagnosis::Plan::default() };
        let found = diagnosis::examine(&snapshot, None, RULES, &plan);
        let estimate = estimate.as_ref();
        let alerts = alert::alerts(&closes, estimate, &found, &mut growth, Duration::ZERO);
        (recording, alerts)
    });
    known.clone()
}

fn at(second: u64, refresh: Refresh) -> Refresh {
    let at = Duration::from_secs(second);
    Refresh { at, time: refresh.time + at, ..refresh }
}

/// The same host a second later: one socket is gone, one is new, one has changed its state, and
/// what flows has flown.
fn later(mut recording: Recording) -> Recording {
    let sockets = &mut recording.sockets;
    let open =
        |state| move |s: &sockeye::model::socket::Socket| s.state == state && s.inode.is_some();
    let gone = sockets.iter().position(open(State::CloseWait)).unwrap();
    sockets.remove(gone);
    let changed = sockets.iter().position(open(State::Established)).unwrap();
    sockets[changed].state = State::CloseWait;
    let mut new = sockets[changed].clone();
    new.state = State::Established;
    (new.cookie, new.inode, new.local.port) = (Some(1 << 40), None, 4711);
    new.queues = Queues::Data { recv: 1, send: 0 };
    sockets.push(new);
    for (grown, socket) in (1u64..).zip(sockets.iter_mut()) {
        if let Some(info) = &mut socket.tcp_info {
            let mut bytes = info.bytes().to_vec();
            // bytes_received, and bytes_sent less bytes_retrans (`struct tcp_info`).
            for (place, more) in [(128, 1_500 * grown), (200, 70_000 * grown)] {
                if let Some(field) = bytes.get_mut(place..place + 8) {
                    let number = u64::from_ne_bytes(field.try_into().unwrap()) + more;
                    field.copy_from_slice(&number.to_ne_bytes());
                }
            }
            **info = sockeye::model::tcp_info::TcpInfo::from_kernel(&bytes);
        }
    }
    recording
}

fn keys(text: &str) -> Vec<KeyEvent> {
    let mut keys = vec![];
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        // A name begins with a capital letter: `<` alone is typed.
        let code = if c == '<' {
            let name: String = rest.by_ref().take_while(|c| *c != '>').collect();
            match name.as_str() {
                "Enter" => KeyCode::Enter,
                "Down" => KeyCode::Down,
                "PageDown" => KeyCode::PageDown,
                other => panic!("no key is called {other}"),
            }
        } else {
            KeyCode::Char(c)
        };
        keys.push(KeyEvent::new(code, KeyModifiers::NONE));
    }
    keys
}

/// The text, and at the first size what it looks like: runs of cells that are not plain.
fn shown(buffer: &Buffer, size: (u16, u16)) -> String {
    let mut out = format!("=== {}x{}\n{}", size.0, size.1, text_of(buffer));
    if size == SIZES[0] {
        out.push_str("--- looks\n");
        for y in 0..size.1 {
            let mut runs: Vec<(u16, u16, String)> = vec![];
            for x in 0..size.0 {
                let look = look(buffer, x, y);
                match runs.last_mut() {
                    Some((_, end, last)) if *last == look && *end + 1 == x => *end = x,
                    _ if look.is_empty() => {}
                    _ => runs.push((x, x, look)),
                }
            }
            if !runs.is_empty() {
                let runs: Vec<String> =
                    runs.iter().map(|(from, to, look)| format!("{from}-{to} {look}")).collect();
                writeln!(out, "{y:>2}: {}", runs.join(", ")).unwrap();
            }
        }
    }
    out
}

fn look(buffer: &Buffer, x: u16, y: u16) -> String {
    let cell = &buffer[(x, y)];
    let mut words = vec![];
    if cell.fg != Color::Reset {
        words.push(format!("{:?}", cell.fg).to_lowercase());
    }
    for (modifier, word) in
        [(Modifier::BOLD, "bold"), (Modifier::DIM, "dim"), (Modifier::REVERSED, "reversed")]
    {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    // A blank looks the same in any colour.
    if cell.symbol() == " " && !cell.modifier.contains(Modifier::REVERSED) {
        return String::new();
    }
    words.join(" ")
}

fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/watch")
}

#[expect(clippy::disallowed_methods, reason = "a test reads the repository")]
fn committed(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
