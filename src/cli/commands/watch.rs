//! `sockeye watch`: the full-screen view. Here is its loop: what comes in, from the terminal, the
//! kernel and the reports, goes to the pure state machine; what it wants done is done here.

use super::events;
use crate::{
    cli::{
        args::{Background, ListArgs, RepeatArgs, WatchArgs},
        exit::Exit,
        failure::Failure,
        filter, interrupt, plan,
    },
    collect::{
        closing,
        live::{collector::Collector, question::Question, recorded::Recorded, refresh::Refresh},
        query::{Query, Scope},
        snapshot,
    },
    doctor::{diagnosis, rules::RULES},
    field::need::Need,
    kernel::{error::Error, host, namespace, proc::sysctl},
    model::{
        about::About,
        closing::{Closing, Refusal},
        counters::{Counters, Sample},
        protocol::{Family, Protocol},
        recording::Recording,
        snapshot::{Alive, Snapshot},
        state::StateSet,
    },
    report::{capacity::estimate::Estimate, time_wait},
    view::watch::{
        alert::{self, Alert, Growth, Level},
        clipboard,
        held::printable,
        lines::Shape,
        order::{By, Sort},
        state::{Effect, Mode, Setup, Watch},
        terminal::{self, Screen},
        theme::Theme,
    },
};
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGTERM, SIGTSTP},
    flag,
    low_level::emulate_default_handler,
};
use std::{
    env,
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a signal may wait to be seen.
const TICK: Duration = Duration::from_millis(200);
/// Two frames are not nearer to each other: a slow terminal is not flooded.
const FRAME: Duration = Duration::from_millis(50);
/// After a round nothing is asked for so many times its own length: on any machine at most a
/// fifth of a processor.
const REST: u32 = 4;
/// The reports are made no more often than this, and take at most a fiftieth of a processor.
const REPORTS: Duration = Duration::from_secs(10);
const REPORTS_REST: u32 = 50;
/// How long owners may take for a report.
const OWNERS: Duration = Duration::from_secs(2);
/// Above so many sockets no reports are made: each keeps some 500 bytes of a socket for a moment.
const REPORTED: usize = 300_000;
/// Before the first round.
const UNKNOWN: usize = usize::MAX;
/// Lines of one turn of the mouse's wheel.
const WHEEL: usize = 3;

/// What wakes the loop.
enum Wake {
    /// The terminal.
    Input(Event),
    /// The kernel's answer, or why there is none.
    Round(Result<Box<Refresh>, Error>),
    /// What the reports found.
    Reports(Vec<Alert>),
}

/// What the loop wants of the thread that asks the kernel.
enum Order {
    /// This at the next round.
    Ask(Box<Question>),
    /// This now.
    Round(Box<Question>),
    /// Only what is on the screen of this, now.
    Glance(Box<Question>),
    /// At this interval.
    Every(Duration),
    /// Nothing until it is taken back.
    Pause(bool),
}

/// Shows the screen until it is left.
pub fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    let list = ListArgs {
        filter: args.filter.clone(),
        filter_file: args.filter_file.clone(),
        ..ListArgs::default()
    };
    let typed = filter::of(&list, None)?;
    let recordings = plan::recordings(&args.source, &RepeatArgs::default())?;
    let query = query(args)?;
    if args.ndjson && recordings.is_some() {
        return Err(Failure::usage(
            "nothing happens in a recording",
            "`sockeye list --from FILE --ndjson` prints its sockets",
        ));
    }
    if !args.ndjson {
        is_a_terminal()?;
    }
    plan::enter(&args.source)?;
    let asked = Query { filter: typed.clone(), ..query.clone() };
    filter::check_names(&asked, recordings.is_some())?;
    if args.ndjson {
        return events::run(args, query, typed);
    }
    let setup = setup(args, query, recordings.as_deref());
    let recorded = recordings.map(Recorded::new);
    let mut watch = Watch::new(setup, shape(args), args.interval, (80, 24));
    if let Some(filter) = typed {
        let text = filter.to_string();
        watch.set_filter(Some(filter), &text);
    }
    let signals = Signals::new();
    let mut screen = Screen::open(args.mouse).map_err(|error| failed(&error))?;
    let outcome = Loop::new(&mut watch, &mut screen, theme(args), recorded, signals).run();
    drop(screen);
    match outcome? {
        End::Left => Ok(Exit::Answered),
        End::Interrupted => Ok(Exit::Interrupted),
        End::Signal(signal) => {
            // Who sent it is to see that it was the end.
            let _ = emulate_default_handler(signal);
            Ok(Exit::NoAnswer)
        }
    }
}

/// How the loop ends.
enum End {
    Left,
    Interrupted,
    Signal(i32),
}

/// Where there is no screen, says what there is instead.
fn is_a_terminal() -> Result<(), Failure> {
    let hint = "in a pipe: `sockeye watch --ndjson` prints events, `sockeye list --watch` lists";
    for (stream, is_terminal) in [
        ("standard output", io::stdout().is_terminal()),
        ("standard input", io::stdin().is_terminal()),
    ] {
        if !is_terminal {
            let message = format!("watch draws on a terminal, and {stream} is none");
            return Err(Failure::usage(message, hint));
        }
    }
    if env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(Failure::usage("watch draws on the screen, and TERM=dumb has no cursor", hint));
    }
    Ok(())
}

fn failed(error: &io::Error) -> Failure {
    Failure::usage(
        format!("cannot draw on this terminal: {error}"),
        "in a pipe: `sockeye watch --ndjson` prints events, `sockeye list --watch` lists",
    )
}

fn query(args: &WatchArgs) -> Result<Query, Failure> {
    let every = !args.tcp && !args.udp;
    let protocols =
        [(Protocol::Tcp, StateSet::ALL, args.tcp), (Protocol::Udp, StateSet::DATAGRAM, args.udp)];
    let protocols = protocols
        .into_iter()
        .filter(|(.., asked)| *asked || every)
        .map(|(protocol, states, _)| (protocol, states))
        .collect();
    let mut query = plan::report_query(&args.source, protocols, Need::NONE)?;
    // Nothing is written beside the screen.
    query.owner_progress = None;
    query.family = match (args.ipv4, args.ipv6) {
        (true, false) => Some(Family::Ipv4),
        (false, true) => Some(Family::Ipv6),
        _ => None,
    };
    Ok(query)
}

fn setup(args: &WatchArgs, query: Query, recordings: Option<&[Recording]>) -> Setup {
    let (host, netns, ephemeral) = if let Some([first, others @ ..]) = recordings {
        let About { host, netns, .. } = &first.snapshot.about;
        let several = (!others.is_empty()).then(|| "all".to_owned());
        let netns = several.or_else(|| netns.name.clone());
        (host.clone(), netns, first.snapshot.settings.port_range())
    } else {
        let root = &query.root;
        let netns = if args.source.all_netns {
            Some("all".to_owned())
        } else {
            namespace::current(root).name.or_else(|| args.source.netns.clone())
        };
        (host::read(root), netns, sysctl::read(root).port_range())
    };
    let safe = |name: Option<String>| name.map_or(String::new(), |n| printable(n.as_bytes()));
    let name = host.name.unwrap_or_else(|| "this host".to_owned());
    Setup {
        host: printable(name.as_bytes()),
        netns: safe(netns),
        recorded: recordings.is_some(),
        base: query,
        words: words(args),
        zone: TimeZone::system(),
        ephemeral,
    }
}

/// The options that say which sockets and where, as they are typed.
fn words(args: &WatchArgs) -> Vec<String> {
    let mut words = vec![];
    let switches = [(args.tcp, "-t"), (args.udp, "-u"), (args.ipv4, "-4"), (args.ipv6, "-6")];
    words.extend(switches.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()));
    let mut with = |option: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([option.to_owned(), value]);
        }
    };
    let source = &args.source;
    let path = |path: &std::path::PathBuf| path.display().to_string();
    with("-N", source.netns.clone());
    if source.all_netns {
        words.push("--all-netns".to_owned());
    }
    let mut with = |option: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([option.to_owned(), value]);
        }
    };
    with("--proc-root", source.proc_root.as_ref().map(path));
    with("--from", source.from.first().map(path));
    if source.source != crate::cli::args::Source::Auto {
        let word = clap::ValueEnum::to_possible_value(&source.source);
        with("--source", word.map(|word| word.get_name().to_owned()));
    }
    words
}

fn shape(args: &WatchArgs) -> Shape {
    let usual = if args.group_by.is_some() { Sort::Sockets } else { Sort::Waiting };
    let mut by = By::usual(args.sort.map_or(usual, |(sort, _)| sort));
    by.descending = args.sort.and_then(|(_, descending)| descending).unwrap_or(by.descending);
    by.totals = args.totals;
    Shape { grouping: args.group_by, fold: !args.no_fold, by, ..Watch::usual() }
}

fn theme(args: &WatchArgs) -> Theme {
    let device = plan::device(args.color);
    let light = match args.theme {
        Background::Light => true,
        Background::Dark => false,
        Background::Auto => env::var("COLORFGBG").is_ok_and(|colours| is_light(&colours)),
    };
    Theme::new(device.colour, light, device.unicode)
}

/// COLORFGBG is foreground;background, sometimes with something between; 7 and 9 to 15 are light.
fn is_light(colours: &str) -> bool {
    let background = colours.rsplit(';').next().and_then(|number| number.parse::<u8>().ok());
    background.is_some_and(|number| number == 7 || (9..=15).contains(&number))
}

/// What signals said.
struct Signals {
    interrupted: Arc<AtomicBool>,
    ends: Vec<(i32, Arc<AtomicBool>)>,
    stop: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

impl Signals {
    fn new() -> Self {
        let on = |signal| {
            let told = Arc::new(AtomicBool::new(false));
            let _ = flag::register(signal, Arc::clone(&told));
            told
        };
        Self {
            interrupted: interrupt::is_told(),
            ends: [SIGTERM, SIGHUP].map(|signal| (signal, on(signal))).to_vec(),
            stop: on(SIGTSTP),
            continued: on(SIGCONT),
        }
    }

    fn end(&self) -> Option<End> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Some(End::Interrupted);
        }
        let sent = self.ends.iter().find(|(_, told)| told.load(Ordering::SeqCst));
        sent.map(|(signal, _)| End::Signal(*signal))
    }
}

/// The loop.
struct Loop<'w> {
    watch: &'w mut Watch,
    screen: &'w mut Screen,
    theme: Theme,
    recorded: Option<Recorded>,
    signals: Signals,
    wakes: Receiver<Wake>,
    wake: Sender<Wake>,
    orders: Option<Sender<Order>>,
    paused: Arc<AtomicBool>,
    /// Sockets of the last round, for the thread that makes reports.
    sockets: Arc<AtomicUsize>,
}

impl<'w> Loop<'w> {
    fn new(
        watch: &'w mut Watch,
        screen: &'w mut Screen,
        theme: Theme,
        recorded: Option<Recorded>,
        signals: Signals,
    ) -> Self {
        let (wake, wakes) = channel();
        Self {
            watch,
            screen,
            theme,
            recorded,
            signals,
            wakes,
            wake,
            orders: None,
            paused: Arc::new(AtomicBool::new(false)),
            sockets: Arc::new(AtomicUsize::new(UNKNOWN)),
        }
    }

    fn run(mut self) -> Result<End, Failure> {
        self.watch.resize(self.screen.size()?);
        self.start()?;
        let mut drawn: Option<Instant> = None;
        let mut stale = true;
        loop {
            if stale && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                if let Err(error) = self.screen.draw(self.watch, self.theme) {
                    return self.lost(error);
                }
                (drawn, stale) = (Some(Instant::now()), false);
            }
            let patience = if stale { FRAME } else { TICK };
            let first = match self.wakes.recv_timeout(patience) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                // Every thread that could wake it holds a sender, and so does this one.
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Left),
            };
            if let Some(end) = self.signals.end() {
                return Ok(end);
            }
            if self.signals.stop.swap(false, Ordering::SeqCst) {
                self.suspend()?;
                stale = true;
            }
            if self.signals.continued.swap(false, Ordering::SeqCst) {
                self.back()?;
                stale = true;
            }
            let mut next = first;
            while let Some(wake) = next {
                stale = true;
                if let Some(end) = self.take(wake)? {
                    return Ok(end);
                }
                next = self.wakes.try_recv().ok();
            }
        }
    }

    /// Starts the threads. Keys are read by one of their own: when its terminal is closed
    /// crossterm reads on for ever.
    fn start(&mut self) -> io::Result<()> {
        let input = self.wake.clone();
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            while let Ok(event) = event::read() {
                if input.send(Wake::Input(event)).is_err() {
                    break;
                }
            }
        })?;
        let question = self.watch.question();
        if let Some(recorded) = &self.recorded {
            // As of a running machine: of one namespace.
            if let Some(snapshot) = recorded.snapshot() {
                let alerts = reports(snapshot, &mut Growth::default(), Duration::ZERO);
                self.watch.reported = alerts;
            }
            self.watch.refresh(recorded.round(&question));
            return Ok(());
        }
        let (order, orders) = channel();
        let (wake, every) = (self.wake.clone(), self.watch.every);
        thread::Builder::new()
            .name("rounds".to_owned())
            .spawn(move || ask(question, every, &orders, &wake))?;
        self.orders = Some(order);
        let reporter = Reporter {
            query: self.watch.setup.base.clone(),
            paused: Arc::clone(&self.paused),
            sockets: Arc::clone(&self.sockets),
            wake: self.wake.clone(),
        };
        thread::Builder::new().name("reports".to_owned()).spawn(move || reporter.run())?;
        Ok(())
    }

    fn take(&mut self, wake: Wake) -> Result<Option<End>, Failure> {
        match wake {
            Wake::Round(Ok(refresh)) => {
                if let Some(entries) = &refresh.entries {
                    self.sockets.store(entries.len(), Ordering::SeqCst);
                }
                self.watch.refresh(*refresh);
                let question = Box::new(self.watch.question());
                self.order(Order::Ask(question));
            }
            // Nothing has been shown, and nothing can be.
            Wake::Round(Err(error)) if self.watch.live.scene.time.is_none() => {
                return Err(error.into());
            }
            Wake::Round(Err(error)) => {
                self.watch.trouble = Some(error.to_string());
                let question = Box::new(self.watch.question());
                self.order(Order::Ask(question));
            }
            Wake::Reports(alerts) => self.watch.reported = alerts,
            Wake::Input(Event::Resize(width, height)) => self.watch.resize((width, height)),
            Wake::Input(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let effects = self.watch.press(key);
                return self.act(effects);
            }
            Wake::Input(Event::Mouse(mouse)) => {
                let effects = self.click(mouse);
                return self.act(effects);
            }
            Wake::Input(_) => {}
        }
        Ok(None)
    }

    /// The wheel scrolls, a click selects.
    fn click(&mut self, mouse: event::MouseEvent) -> Vec<Effect> {
        if !matches!(self.watch.mode, Mode::List) {
            return vec![];
        }
        let layout = self.watch.layout();
        let first = 1 + layout.chips + layout.alerts + layout.headings;
        match mouse.kind {
            MouseEventKind::ScrollUp => self.watch.select(self.watch.at.saturating_sub(WHEEL)),
            MouseEventKind::ScrollDown => self.watch.select(self.watch.at + WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                let row = mouse.row.checked_sub(first).filter(|row| *row < layout.list);
                let Some(row) = row else { return vec![] };
                let line = self.watch.top + usize::from(row);
                if line < self.watch.lines.len() {
                    self.watch.select(line);
                }
            }
            _ => return vec![],
        }
        vec![Effect::Glance]
    }

    fn act(&mut self, effects: Vec<Effect>) -> Result<Option<End>, Failure> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Some(End::Left)),
                Effect::Interrupt => return Ok(Some(End::Interrupted)),
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => {
                    self.screen.forget()?;
                    self.watch.resize(self.screen.size()?);
                }
                Effect::Round => self.round(Order::Round),
                Effect::Glance => self.round(Order::Glance),
                Effect::Every(every) => self.order(Order::Every(every)),
                Effect::Pause(paused) => {
                    self.paused.store(paused, Ordering::SeqCst);
                    self.order(Order::Pause(paused));
                }
                Effect::Copy(text) => match clipboard::sequence(&text) {
                    Some(bytes) => self.screen.send(&bytes)?,
                    None => self.watch.said = Some("too long for a clipboard".to_owned()),
                },
                Effect::Kill(entry) => {
                    self.watch.said = Some(closed(&closing::close([&entry.socket()])));
                    self.round(Order::Round);
                }
            }
        }
        Ok(None)
    }

    /// Asks, or answers out of the recording.
    fn round(&mut self, order: fn(Box<Question>) -> Order) {
        let question = self.watch.question();
        match &self.recorded {
            Some(recorded) => self.watch.refresh(recorded.round(&question)),
            None => self.order(order(Box::new(question))),
        }
    }

    fn order(&mut self, order: Order) {
        if let Some(orders) = &self.orders
            && orders.send(order).is_err()
        {
            self.watch.trouble = Some("the thread that asks the kernel has ended".to_owned());
        }
    }

    /// To the shell, until it continues the program.
    fn suspend(&mut self) -> io::Result<()> {
        terminal::give_back();
        let _ = emulate_default_handler(SIGTSTP);
        self.signals.continued.store(false, Ordering::SeqCst);
        self.back()
    }

    /// After something else had the terminal.
    fn back(&mut self) -> io::Result<()> {
        self.screen.take()?;
        self.watch.resize(self.screen.size()?);
        Ok(())
    }

    /// The terminal is gone: a signal says so, or will in a moment.
    fn lost(&self, error: io::Error) -> Result<End, Failure> {
        self.signals.end().map_or_else(|| Err(error.into()), Ok)
    }
}

/// What became of a socket that was to be closed.
fn closed(outcome: &Result<Vec<Closing>, Error>) -> String {
    let closing = match outcome {
        Ok(closings) => closings.first().copied().unwrap_or(Closing::Shown),
        Err(error) => return error.to_string(),
    };
    match closing {
        Closing::Closed => "closed".to_owned(),
        Closing::Gone => "it had ended by itself".to_owned(),
        Closing::Refused(Refusal::Permission) => {
            "not closed: EPERM; closing sockets of others wants CAP_NET_ADMIN".to_owned()
        }
        Closing::Refused(Refusal::Unsupported) => {
            "not closed: this kernel cannot close such a socket (EOPNOTSUPP)".to_owned()
        }
        Closing::Refused(Refusal::Other(errno)) => {
            format!("not closed: {}", crate::kernel::error::Cause::errno(errno))
        }
        Closing::Shown => "nothing was closed".to_owned(),
    }
}

/// The thread that asks the kernel: one round, then it waits until that has been shown.
fn ask(first: Question, every: Duration, orders: &Receiver<Order>, wake: &Sender<Wake>) {
    let start = Instant::now();
    let root = first.query.root.clone();
    let mut collector = Collector::new(&root, first.query.source, start);
    let (mut question, mut every) = (first, every);
    let (mut due, mut last) = (start, start);
    let (mut shown, mut paused, mut glance) = (true, false, false);
    loop {
        let wait = due.saturating_duration_since(Instant::now());
        let order = if paused || !shown {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else if wait.is_zero() && !glance {
            orders.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else if glance {
            orders.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else {
            orders.recv_timeout(wait)
        };
        match order {
            Ok(Order::Ask(next)) => (question, shown) = (*next, true),
            Ok(Order::Round(next)) => {
                (question, shown) = (*next, true);
                due = Instant::now();
                if paused {
                    // A filter is answered also while it is paused, once.
                    if !tell(wake, collector.round(&question)) {
                        return;
                    }
                    shown = false;
                }
            }
            Ok(Order::Glance(next)) => (question, shown, glance) = (*next, true, !paused),
            Ok(Order::Every(next)) => {
                every = next;
                due = last + every;
            }
            Ok(Order::Pause(next)) => {
                paused = next;
                due = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => return,
            // Nothing more has been asked: now it is time.
            Err(RecvTimeoutError::Timeout) if due <= Instant::now() => {
                last = Instant::now();
                let refresh = collector.round(&question);
                due = last + every.max(last.elapsed() * (REST + 1));
                (shown, glance) = (false, false);
                if !tell(wake, refresh) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if std::mem::take(&mut glance) {
                    shown = false;
                    if !tell(wake, Ok(collector.glance(&question))) {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether the loop is still there to be told.
fn tell(wake: &Sender<Wake>, refresh: Result<Refresh, Error>) -> bool {
    wake.send(Wake::Round(refresh.map(Box::new))).is_ok()
}

/// The thread that makes reports, seldom.
struct Reporter {
    query: Query,
    paused: Arc<AtomicBool>,
    sockets: Arc<AtomicUsize>,
    wake: Sender<Wake>,
}

impl Reporter {
    fn run(mut self) {
        self.query.protocols = vec![(Protocol::Tcp, StateSet::ALL)];
        self.query.family = None;
        self.query.scope = Scope::Here;
        self.query.need = Need::OWNERS.with(Need::LIMITS).with(Need::UNASKED);
        self.query.owner_patience.get_or_insert(OWNERS);
        let start = Instant::now();
        let mut growth = Growth::default();
        let mut before: Option<Earlier> = None;
        // The screen comes first, and tells how many there are.
        while self.sockets.load(Ordering::SeqCst) == UNKNOWN {
            thread::sleep(FRAME);
        }
        loop {
            let begun = Instant::now();
            let alerts = if self.paused.load(Ordering::SeqCst) {
                None
            } else if self.sockets.load(Ordering::SeqCst) > REPORTED {
                Some(vec![too_many()])
            } else {
                // What it cannot see is told by the rounds.
                snapshot::take(&self.query, None).ok().map(|mut snapshot| {
                    let now = start.elapsed();
                    let earlier = Earlier::of(&snapshot, now);
                    if let Some(before) = before.take() {
                        before.make_first_look_of(&mut snapshot, now);
                    }
                    before = earlier;
                    reports(&snapshot, &mut growth, now)
                })
            };
            if alerts.is_some_and(|alerts| self.wake.send(Wake::Reports(alerts)).is_err()) {
                return;
            }
            thread::sleep(REPORTS.max(begun.elapsed() * REPORTS_REST));
        }
    }
}

fn too_many() -> Alert {
    Alert {
        level: Level::Note,
        text: format!("no reports are made of more than {REPORTED} sockets"),
        command: "sockeye time-wait".to_owned(),
    }
}

/// What a report needs of the look before: who was alive, and the counters.
struct Earlier {
    at: Duration,
    alive: Vec<Alive>,
    counters: Counters,
}

impl Earlier {
    fn of(snapshot: &Snapshot, at: Duration) -> Option<Self> {
        let alive = snapshot.sockets.iter().filter_map(|socket| {
            let (cookie, inode) = (socket.cookie?, socket.inode?);
            Some(Alive { cookie, inode })
        });
        let counters = snapshot.samples.last()?.counters.clone();
        Some(Self { at, alive: alive.collect(), counters })
    }

    /// Makes the second of two looks of a snapshot.
    fn make_first_look_of(self, snapshot: &mut Snapshot, now: Duration) {
        let elapsed = now.saturating_sub(self.at).as_millis();
        snapshot.alive_before = self.alive;
        if let Some(sample) = snapshot.samples.last_mut() {
            sample.at_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
            snapshot.samples.insert(0, Sample { at_ms: 0, counters: self.counters });
        }
    }
}

/// The alerts of a snapshot.
fn reports(snapshot: &Snapshot, growth: &mut Growth, now: Duration) -> Vec<Alert> {
    let closes = time_wait::of(snapshot, None);
    let estimate = Estimate::of(snapshot, None, &[]).ok();
    // Rules that ask for more than such a snapshot has are left out.
    let diagnosis = diagnosis::examine(snapshot, None, RULES, &diagnosis::Plan::default());
    alert::alerts(&closes, estimate.as_ref(), &diagnosis, growth, now)
}
