//! The state machine, without a terminal: rounds and keys in, lines and effects out.

use super::{
    grouping::{GroupKey, Grouping},
    held::Held,
    lines::Line,
    order::Sort,
    rows::Mark,
    state::{Effect, Mode, Setup, Watch},
};
use crate::{
    collect::{
        live::{
            entry::Entry,
            question::Attention,
            refresh::{Counted, Found, Refresh},
        },
        query::Query,
    },
    field::need::Need,
    kernel::proc::root::Root,
    model::{
        about::SourceKind,
        owner::{Owners, Process, Unowned},
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::{State, StateSet},
        timer::{Timer, TimerKind},
    },
};
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

fn watch() -> Watch {
    let protocols = vec![(Protocol::Tcp, StateSet::ALL), (Protocol::Udp, StateSet::DATAGRAM)];
    let base = Query::plain(Root::live(), protocols, Need::NONE);
    let setup = Setup {
        host: "web1".to_owned(),
        netns: String::new(),
        recorded: false,
        base,
        words: vec![],
        zone: TimeZone::UTC,
        ephemeral: Some(32_768..=60_999),
    };
    Watch::new(setup, Watch::usual(), Duration::from_secs(1), (80, 24))
}

/// A connection from here to 10.0.0.7:5432; the number is its cookie, inode and port.
fn connection(number: u16, state: State) -> Socket {
    let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, state);
    socket.local = endpoint("10.0.0.1", 40_000 + number);
    socket.remote = endpoint("10.0.0.7", 5432);
    socket.cookie = Some(number.into());
    socket.queues = Queues::Data { recv: 0, send: 0 };
    socket.inode = Some(number.into());
    if state == State::TimeWait {
        socket.timer =
            Some(Timer { kind: TimerKind::TimeWait, expires_ms: 58_000, retransmits: 0 });
        socket.inode = None;
        socket.queues = Queues::Absent;
    }
    socket
}

fn endpoint(address: &str, port: u16) -> crate::model::endpoint::Endpoint {
    crate::model::endpoint::Endpoint::new(address.parse().unwrap(), port)
}

/// What a round told, so many seconds after the start.
fn round(watch: &mut Watch, second: u64, sockets: &[Socket]) {
    let refresh = answer(watch, second, sockets);
    watch.refresh(refresh);
}

fn answer(watch: &Watch, second: u64, sockets: &[Socket]) -> Refresh {
    Refresh {
        question: watch.question().number,
        at: Duration::from_secs(second),
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
        entries: Some(sockets.iter().map(|socket| Entry::of(socket, Some(1))).collect()),
        unanswered: 0,
        counted: vec![],
        found: None,
        detail: None,
        source: SourceKind::Netlink,
        fallback_reason: None,
        gaps: vec![],
        namespaces: vec![],
        cost: Duration::from_millis(5),
    }
}

fn open(numbers: &[u16]) -> Vec<Socket> {
    numbers.iter().map(|number| connection(*number, State::Established)).collect()
}

/// Cookies of the listed sockets, from top to bottom; 0 stands for a group.
fn listed(watch: &Watch) -> Vec<u64> {
    let cookie = |line: &Line| match line {
        Line::Socket(slot, _) => watch.scene().rows.get(*slot).unwrap().entry.key.number,
        Line::Group(..) => 0,
    };
    watch.lines.iter().map(cookie).collect()
}

fn selected(watch: &Watch) -> u64 {
    watch.selected_row().map_or(0, |row| row.entry.key.number)
}

fn press(watch: &mut Watch, keys: &str) -> Vec<Effect> {
    let mut effects = vec![];
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            c => KeyCode::Char(c),
        };
        effects.extend(watch.press(KeyEvent::new(code, KeyModifiers::NONE)));
    }
    effects
}

fn marks(watch: &Watch) -> Vec<(u64, Option<Mark>)> {
    let scene = watch.scene();
    let mut marks: Vec<_> =
        scene.rows.all().map(|(_, row)| (row.entry.key.number, row.mark(scene.now))).collect();
    marks.sort_by_key(|(number, _)| *number);
    marks
}

#[test]
fn what_is_new_changed_or_gone_is_marked_for_three_seconds() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2]));
    assert_eq!(marks(&watch), [(1, None), (2, None)], "what was there before is not new");
    let mut sockets = open(&[1, 3]);
    sockets[0].state = State::CloseWait;
    round(&mut watch, 1, &sockets);
    let marked = [(1, Some(Mark::Changed)), (2, Some(Mark::Gone)), (3, Some(Mark::New))];
    assert_eq!(marks(&watch), marked);
    assert_eq!(watch.scene().rows.count(), 2, "a row that is gone is not counted");
    round(&mut watch, 3, &sockets);
    assert_eq!(marks(&watch), marked);
    round(&mut watch, 4, &sockets);
    assert_eq!(marks(&watch), [(1, None), (3, None)]);
    assert_eq!((watch.log.opened, watch.log.closed, watch.log.changed), (1, 1, 1));
}

#[test]
fn a_socket_that_a_changing_table_left_out_comes_back() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2]));
    round(&mut watch, 1, &open(&[1]));
    round(&mut watch, 2, &open(&[1, 2]));
    assert_eq!(marks(&watch), [(1, None), (2, Some(Mark::Changed))]);
    assert_eq!(watch.scene().rows.count(), 2);
    round(&mut watch, 9, &open(&[1, 2]));
    assert_eq!(listed(&watch), [1, 2]);
}

#[test]
fn the_selection_follows_the_socket_and_nothing_moves_while_somebody_reads() {
    let mut watch = watch();
    let mut sockets = open(&[1, 2, 3]);
    sockets[2].queues = Queues::Data { recv: 9, send: 0 };
    round(&mut watch, 0, &sockets);
    assert_eq!(listed(&watch), [3, 1, 2], "what waits comes first");
    press(&mut watch, "jj");
    assert_eq!(selected(&watch), 2);
    // Another order by now, and another socket: the one that is read stays where it is.
    let mut sockets = open(&[1, 2, 3, 4]);
    sockets[0].queues = Queues::Data { recv: 99, send: 0 };
    round(&mut watch, 1, &sockets);
    assert_eq!((listed(&watch), selected(&watch)), (vec![3, 1, 2, 4], 2));
    round(&mut watch, 2, &sockets[1..]);
    assert_eq!(listed(&watch), [3, 1, 2, 4], "what is gone keeps its place for a while");
    round(&mut watch, 5, &sockets[1..]);
    assert_eq!((listed(&watch), selected(&watch)), (vec![3, 2, 4], 2));
    // Back at the top the order is made anew.
    press(&mut watch, "kk");
    round(&mut watch, 6, &sockets);
    assert_eq!(listed(&watch), [1, 2, 3, 4]);
}

#[test]
fn when_the_selected_socket_is_gone_its_neighbour_is_selected() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2, 3]));
    press(&mut watch, "jj");
    round(&mut watch, 1, &open(&[1, 2]));
    assert_eq!(selected(&watch), 3, "it is still shown");
    round(&mut watch, 5, &open(&[1, 2]));
    assert_eq!(selected(&watch), 2);
    round(&mut watch, 9, &[]);
    round(&mut watch, 13, &[]);
    assert_eq!((selected(&watch), watch.lines.len()), (0, 0));
}

#[test]
fn time_wait_is_folded_by_destination_until_its_line_is_opened() {
    let mut watch = watch();
    let mut sockets = open(&[1]);
    sockets.extend((2..100).map(|number| connection(number, State::TimeWait)));
    let mut came_in = connection(200, State::TimeWait);
    (came_in.local, came_in.remote) = (endpoint("10.0.0.1", 80), endpoint("10.0.0.9", 50_000));
    sockets.push(came_in);
    round(&mut watch, 0, &sockets);
    assert_eq!(listed(&watch), [1, 0, 0]);
    let groups: Vec<_> = watch
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Group(key, group, _) => Some((key.clone(), group.count)),
            Line::Socket(..) => None,
        })
        .collect();
    let out = GroupKey::ClosedOut(endpoint("10.0.0.7", 5432));
    assert_eq!(groups, [(out, 98), (GroupKey::ClosedIn(80), 1)]);
    press(&mut watch, "j\n");
    assert_eq!(watch.lines.len(), 3 + 98);
    press(&mut watch, "\u{1b}");
    assert_eq!(watch.lines.len(), 3);
    press(&mut watch, "t");
    assert_eq!(watch.lines.len(), 100);
}

#[test]
fn a_number_shows_one_state_and_the_same_number_all_of_them() {
    let mut watch = watch();
    let mut sockets = open(&[1, 2, 3]);
    sockets[1].state = State::CloseWait;
    round(&mut watch, 0, &sockets);
    press(&mut watch, "3");
    assert_eq!(listed(&watch), [2]);
    press(&mut watch, "3");
    assert_eq!(listed(&watch), [1, 2, 3]);
    press(&mut watch, "\t\t");
    assert_eq!(watch.shape.chip, Some(State::CloseWait), "only states that there are");
    press(&mut watch, "\t");
    assert_eq!(watch.shape.chip, None);
}

#[test]
fn a_filter_is_read_as_it_is_typed_and_the_last_good_one_stays() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2]));
    let effects = press(&mut watch, "/dport = :5432");
    assert_eq!(effects.last(), Some(&Effect::Round));
    let question = watch.question();
    assert_eq!(question.query.filter.unwrap().to_string(), "peer.port = 5432");
    press(&mut watch, " and rt");
    let error = watch.filter_error.as_ref().unwrap();
    assert!(error.message.contains("`rt`") && error.hint.contains("rtt"), "{error}");
    assert_eq!(watch.question().number, question.number, "the last good one stays");
    press(&mut watch, "\n");
    assert!(matches!(watch.mode, Mode::Filter(..)), "what is wrong is not taken");
    press(&mut watch, "t > 5ms\n");
    assert!(matches!(watch.mode, Mode::List));
    assert_eq!(watch.filter.as_ref().unwrap().to_string(), "peer.port = 5432 and rtt >= 5001us");
    assert!(watch.question().query.need.includes(Need::TCP_INFO));
    // Esc while typing returns to the filter before, Esc in the list takes it away.
    press(&mut watch, "/ or pid = 1\u{1b}");
    assert_eq!(watch.filter.as_ref().unwrap().to_string(), "peer.port = 5432 and rtt >= 5001us");
    press(&mut watch, "\u{1b}");
    assert_eq!(watch.filter, None);
}

#[test]
fn the_answer_to_an_earlier_filter_is_passed_over_and_a_new_one_marks_nothing() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2]));
    let late = answer(&watch, 1, &open(&[1, 2, 3]));
    press(&mut watch, "/sport = :40001\n");
    watch.refresh(late);
    assert_eq!(marks(&watch), [(1, None), (2, None)]);
    round(&mut watch, 2, &open(&[1]));
    assert_eq!(marks(&watch), [(1, None)], "what the filter does not take is not gone");
    press(&mut watch, "\u{1b}");
    round(&mut watch, 3, &open(&[1, 2]));
    assert_eq!(marks(&watch), [(1, None), (2, None)], "what it did not take is not new");
    assert_eq!((watch.log.opened, watch.log.closed), (0, 0));
}

#[test]
fn a_frozen_view_stands_still_while_what_changes_is_counted() {
    let mut watch = watch();
    let mut sockets = open(&[1, 2]);
    sockets[0].queues = Queues::Data { recv: 9, send: 0 };
    round(&mut watch, 0, &sockets);
    press(&mut watch, "f");
    round(&mut watch, 1, &open(&[2, 3, 4]));
    round(&mut watch, 9, &open(&[2, 3, 4]));
    assert_eq!(listed(&watch), [1, 2]);
    assert_eq!((watch.log.opened, watch.log.closed), (2, 1));
    press(&mut watch, "S");
    assert_eq!(listed(&watch), [2, 1], "it can be sorted");
    press(&mut watch, "f");
    assert_eq!(watch.scene().rows.count(), 3);
}

#[test]
fn who_held_a_socket_is_known_in_time_wait() {
    let mut watch = watch();
    let mut owners = Owners::default();
    let process = Process {
        pid: 7,
        command: b"java".to_vec(),
        unit: None,
        container: Some("web".to_owned()),
        cgroup: None,
        pod: None,
    };
    owners.add(process, &[(1, 3)]);
    let owners = Arc::new(owners.finished(Some(Unowned::Permission)));
    round(&mut watch, 0, &open(&[1, 2, 3]));
    assert_eq!(watch.question().unresolved.inodes, [1, 2, 3]);
    let asked = Some(Arc::new(HashSet::from([1, 2])));
    let found = Some(Found { asked, owners });
    let refresh = Refresh { found, ..answer(&watch, 1, &open(&[1, 2, 3])) };
    watch.refresh(refresh);
    let held = |watch: &Watch| -> Vec<Held> {
        let mut rows: Vec<_> = watch.scene().rows.all().map(|(_, row)| row.clone()).collect();
        rows.sort_by_key(|row| row.entry.key.number);
        rows.iter().map(|row| row.held).collect()
    };
    let by_java = Held::By(0, 0);
    assert_eq!(held(&watch), [by_java, Held::Nobody(Unowned::Permission), Held::NotYet]);
    assert_eq!(watch.question().unresolved.inodes, [3], "nobody is asked about twice");
    let sockets = [connection(1, State::TimeWait), connection(2, State::TimeWait)];
    round(&mut watch, 2, &sockets);
    assert_eq!(held(&watch)[0], by_java);
    assert_eq!(watch.scene().rows.holders.label(by_java), "java[7]");
}

#[test]
fn counters_are_asked_for_only_of_what_is_on_the_screen_unless_they_are_summed_up() {
    let mut watch = watch();
    let sockets: Vec<Socket> =
        (1..=100).map(|number| connection(number, State::Established)).collect();
    round(&mut watch, 0, &sockets);
    let height = usize::from(watch.layout().list);
    match watch.question().attention {
        Attention::Rows(rows) => assert_eq!(rows.len(), height),
        Attention::All => panic!("a list asks for every socket"),
    }
    press(&mut watch, "s");
    let Mode::Menu(menu) = &watch.mode else { panic!("no menu") };
    let key = menu.items.iter().find(|item| item.label.starts_with("out")).unwrap().key;
    press(&mut watch, &key.to_string());
    assert_eq!((watch.shape.by.sort, watch.shape.by.descending), (Sort::Sent, true));
    assert_eq!(watch.question().attention, Attention::All);
    press(&mut watch, "gc");
    assert_eq!(watch.shape.grouping, Some(Grouping::Peer));
    assert_eq!(watch.question().attention, Attention::All);
}

#[test]
fn rates_of_a_group_are_the_sums_of_its_sockets() {
    let mut watch = watch();
    press(&mut watch, "gc");
    let counted = |sent| Counted {
        sent: Some(sent),
        received: Some(10),
        retransmitted: Some(0),
        rtt_us: Some(sent),
    };
    for (second, sent) in [(0, 1000), (2, 5000)] {
        let sockets = open(&[1, 2]);
        let mut refresh = answer(&watch, second, &sockets);
        let keys = sockets.iter().map(|socket| Entry::of(socket, Some(1)).key);
        refresh.counted = keys.map(|key| (key, counted(sent))).collect();
        watch.refresh(refresh);
    }
    let Some(Line::Group(key, group, false)) = watch.lines.first() else { panic!("no group") };
    assert_eq!(*key, GroupKey::Peer(Some("10.0.0.7".parse().unwrap())));
    assert_eq!((group.rates.sent, group.rates.received), (Some(4000.0), Some(0.0)));
    assert_eq!((group.sent, group.received, group.rtt_us()), (Some(10_000), Some(20), Some(5000)));
}

#[test]
fn a_socket_is_closed_only_after_a_yes() {
    let mut watch = watch();
    round(&mut watch, 0, &open(&[1, 2]));
    assert!(press(&mut watch, " k").is_empty());
    assert!(matches!(watch.mode, Mode::Confirm(_)));
    assert!(press(&mut watch, "n").is_empty());
    assert!(watch.said.is_some());
    press(&mut watch, " k");
    let effects = press(&mut watch, "y");
    let [Effect::Kill(entry)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(entry.key.number, 1);
    // Of a recording, and of TIME_WAIT that is folded, nothing can be closed.
    watch.setup.recorded = true;
    assert!(press(&mut watch, " k\u{1b}").is_empty());
}

#[test]
fn a_line_can_be_filtered_by() {
    let mut watch = watch();
    let mut sockets = open(&[1]);
    sockets.push(connection(2, State::TimeWait));
    round(&mut watch, 0, &sockets);
    assert_eq!(watch.line_filter().as_deref(), Some("src 10.0.0.1:40001 and dst 10.0.0.7:5432"));
    press(&mut watch, "j o");
    assert_eq!(
        watch.filter.as_ref().unwrap().to_string(),
        "state = TIME_WAIT and peer.address = 10.0.0.7 and peer.port = 5432"
    );
}

#[test]
fn every_key_is_lawful_in_every_mode() {
    let keys: Vec<KeyEvent> = super::keys::BINDINGS
        .iter()
        .flat_map(|binding| binding.keys)
        .map(|(modifiers, code)| KeyEvent::new(*code, *modifiers))
        .chain((0..10).filter_map(|digit| {
            Some(KeyEvent::new(KeyCode::Char(char::from_digit(digit, 10)?), KeyModifiers::NONE))
        }))
        .collect();
    let mut watch = watch();
    let mut sockets = open(&[1, 2, 3]);
    sockets.extend((10..40).map(|number| connection(number, State::TimeWait)));
    // A walk through all of them that meets every pair.
    let mut second = 0;
    for first in &keys {
        for next in &keys {
            watch.press(*first);
            watch.press(*next);
            second += 1;
            round(&mut watch, second, if second % 3 == 0 { &[] } else { &sockets });
            assert!(watch.at < watch.lines.len().max(1) && watch.top <= watch.at);
        }
    }
}
