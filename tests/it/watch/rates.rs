//! What the kernel counted between two rounds is what was sent between them.

use crate::lab::{
    namespace::Namespace,
    requirement::require_live,
    transport::{at, connect, listener, local},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sockeye::{
    collect::{
        live::{collector::Collector, entry::Entry},
        query::{Query, SourceChoice},
    },
    field::need::Need,
    kernel::proc::root::Root,
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
    view::watch::{
        grouping::{GroupKey, Side},
        lines::Line,
        state::{Setup, Watch},
    },
};
use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Bytes of one write, and the time between two.
const CHUNK: usize = 20_000;
const PAUSE: Duration = Duration::from_millis(20);

/// What the program counted itself, at a moment.
#[derive(Clone, Copy)]
struct Count {
    at: Instant,
    sent: u64,
}

#[test]
fn rates_agree_with_what_was_sent_of_sockets_and_of_groups() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        let server = listener(at(HERE, 0), 8);
        let near = connect(HERE, local(&server));
        let (far, _) = server.accept().unwrap();
        let (sent, ended) = (AtomicU64::new(0), AtomicBool::new(false));
        let end = End(&ended);
        thread::scope(|scope| {
            scope.spawn(|| {
                let data = vec![7; CHUNK];
                while !ended.load(Ordering::SeqCst) {
                    (&near).write_all(&data).unwrap();
                    sent.fetch_add(CHUNK as u64, Ordering::SeqCst);
                    thread::sleep(PAUSE);
                }
                near.shutdown(std::net::Shutdown::Both).unwrap();
            });
            scope.spawn(|| while (&far).read(&mut vec![0; 1 << 20]).is_ok_and(|n| n > 0) {});
            let (port, server_port) = (local(&near).port(), local(&server).port());
            rates_of_sockets(&sent, port);
            rates_of_groups(&sent, server_port);
            drop(end);
        });
    });
}

/// Ends the threads also when a comparison fails.
struct End<'f>(&'f AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The counters of the rows on the screen, asked for one by one.
fn rates_of_sockets(sent: &AtomicU64, port: u16) {
    let mut look = Look::new(sent);
    // Which rows are on the screen is known after the first round.
    look.round();
    let (before, after) = look.two_rounds();
    let flow = |is_it: &dyn Fn(&Entry) -> bool| {
        let rows = look.watch.lines.iter().filter_map(|line| match line {
            Line::Socket(slot, _) => look.watch.scene().rows.get(*slot),
            Line::Group(..) => None,
        });
        let row = rows.map(|row| row.entry).find(|entry| is_it(entry)).unwrap();
        *look.watch.scene().traffic.of(&row.key).unwrap()
    };
    let is_open = |entry: &Entry| entry.state == State::Established;
    let sender = flow(&|entry| is_open(entry) && entry.local.port == port);
    let receiver = flow(&|entry| is_open(entry) && entry.remote.port == port);
    agrees(sender.rates.sent, before, after);
    agrees(receiver.rates.received, before, after);
    assert_eq!(sender.rates.received, Some(0.0));
    assert!(sender.counted.rtt_us.is_some());
}

/// The counters of every socket, out of the walk of the table.
fn rates_of_groups(sent: &AtomicU64, port: u16) {
    let mut look = Look::new(sent);
    for key in ['g', 'd'] {
        look.watch.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
    }
    let (before, after) = look.two_rounds();
    let group = look.watch.lines.iter().find_map(|line| match line {
        Line::Group(GroupKey::Port(found, Side::In), group, _) if *found == port => Some(group),
        _ => None,
    });
    agrees(group.unwrap().rates.received, before, after);
}

/// A watch over the namespace of the calling thread.
struct Look<'s> {
    watch: Watch,
    collector: Collector,
    sent: &'s AtomicU64,
}

impl<'s> Look<'s> {
    fn new(sent: &'s AtomicU64) -> Self {
        let root = Root::live();
        let protocols = vec![(Protocol::Tcp, StateSet::ALL)];
        let setup = Setup {
            host: "here".to_owned(),
            netns: String::new(),
            recorded: false,
            base: Query::plain(root.clone(), protocols, Need::NONE),
            words: vec![],
            zone: jiff::tz::TimeZone::UTC,
            ephemeral: None,
        };
        let watch = Watch::new(setup, Watch::usual(), Duration::from_secs(1), (80, 24));
        let collector = Collector::new(&root, SourceChoice::Auto, Instant::now());
        Self { watch, collector, sent }
    }

    fn round(&mut self) -> Count {
        let question = self.watch.question();
        let count = Count { at: Instant::now(), sent: self.sent.load(Ordering::SeqCst) };
        self.watch.refresh(self.collector.round(&question).unwrap());
        count
    }

    fn two_rounds(&mut self) -> (Count, Count) {
        let before = self.round();
        // Long enough that what is sent while a round is made does not count.
        thread::sleep(Duration::from_millis(1500));
        (before, self.round())
    }
}

/// Whether a rate is that of the program's own count, within a twentieth.
#[track_caller]
fn agrees(rate: Option<f32>, before: Count, after: Count) {
    let elapsed = (after.at - before.at).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    let sent = (after.sent - before.sent) as f64 / elapsed;
    let rate = f64::from(rate.unwrap());
    assert!((rate - sent).abs() <= sent / 20.0, "{rate} and {sent} bytes a second");
}
