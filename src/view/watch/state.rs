//! The watch: what is known, what is shown, what is selected. Pure: rounds and keys go in, lines and
//! effects come out; it reads no clock and writes nothing.

use super::{
    alert::{Alert, Level},
    grouping::{GroupKey, Grouping},
    held::{Held, printable},
    layout::{self, Layout},
    lines::{self, Line, LineId, Shape},
    log::Log,
    menu::Menu,
    order::{By, Ordered, Sort},
    prompt::Prompt,
    rows::Shown,
    scene::{Of, Scene},
};
use crate::{
    collect::{
        live::{
            entry::Entry,
            question::{Attention, Question, Unresolved},
            refresh::{Detail, Refresh},
        },
        query::Query,
    },
    filter::{Filter, error::FilterError},
    model::{about::SourceKind, gap::Gap, owner::Unowned, queues::Queues, state::State},
};
use jiff::tz::TimeZone;
use std::{ops::RangeInclusive, time::Duration};

/// States with a chip, in the order of their numbers from 1 on. The rest follow where there are any.
pub const CHIPS: [State; 11] = [
    State::Established,
    State::TimeWait,
    State::CloseWait,
    State::Listen,
    State::SynSent,
    State::SynRcvd,
    State::FinWait1,
    State::FinWait2,
    State::LastAck,
    State::Closing,
    State::Unconnected,
];
/// What is said where descriptors may not be read.
const HIDDEN: &str = "processes of others may not be looked at, and are not named";
/// Inodes whose owners are asked for at once.
const UNRESOLVED: usize = 200_000;

/// What does not change while it runs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Name of the host, safe to print.
    pub host: String,
    /// The namespace, safe to print. Empty: not worth naming.
    pub netns: String,
    /// Whether it is a recording, where nothing moves.
    pub recorded: bool,
    /// What is asked without a filter.
    pub base: Query,
    /// The options that say where to look, for the command line of the view.
    pub words: Vec<String>,
    /// The zone of the clock.
    pub zone: TimeZone,
    /// The kernel's range of ports for connect(2).
    pub ephemeral: Option<RangeInclusive<u16>>,
}

/// What keys are for at the moment.
#[derive(Debug, Clone)]
pub enum Mode {
    /// The list.
    List,
    /// A filter is typed; the text and the filter before.
    Filter(Prompt, String),
    /// A menu is open.
    Menu(Menu),
    /// The end of a socket waits for a yes.
    Confirm(Box<Entry>),
    /// The help, scrolled down so far.
    Help(u16),
    /// What changed, scrolled down so far.
    Changes(u16),
    /// The command line of this view.
    Command,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// To end.
    Quit,
    /// To end as an interrupt does.
    Interrupt,
    /// To stop until the shell continues it.
    Suspend,
    /// To draw everything anew.
    Redraw,
    /// To ask a whole round now.
    Round,
    /// To ask about what is on the screen now.
    Glance,
    /// To ask at this interval.
    Every(Duration),
    /// To stop asking, or to go on.
    Pause(bool),
    /// To put this on the terminal's clipboard.
    Copy(String),
    /// To close this socket.
    Kill(Box<Entry>),
}

/// Rows and their order, at a moment.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What is known.
    pub scene: Scene,
    /// In which order.
    pub ordered: Ordered,
}

/// The watch.
#[derive(Debug)]
pub struct Watch {
    /// What does not change.
    pub setup: Setup,
    /// What is listed and how.
    pub shape: Shape,
    /// The newest.
    pub live: Stage,
    /// What is shown while the view is frozen.
    pub still: Option<Stage>,
    /// What changed.
    pub log: Log,
    /// The list.
    pub lines: Vec<Line>,
    /// The selected line.
    pub at: usize,
    /// What is selected, wherever it moves. `None`: whatever is first.
    pub selected: Option<LineId>,
    /// The first line on the screen.
    pub top: usize,
    /// What keys are for.
    pub mode: Mode,
    /// Whether details are shown, scrolled down so far.
    pub details: Option<u16>,
    /// Everything about the selected socket.
    pub detail: Option<Box<Detail>>,
    /// The filter.
    pub filter: Option<Filter>,
    /// As it was typed.
    pub filter_text: String,
    /// What is wrong with what is typed.
    pub filter_error: Option<FilterError>,
    /// Whether nothing is asked.
    pub paused: bool,
    /// Time between two rounds.
    pub every: Duration,
    /// What the last round took.
    pub cost: Duration,
    /// What the reports found.
    pub reported: Vec<Alert>,
    /// Why the last round failed.
    pub trouble: Option<String>,
    /// Something said about the last key.
    pub said: Option<String>,
    /// Where the sockets come from.
    pub source: SourceKind,
    /// Why it is /proc.
    pub fallback_reason: Option<String>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    queues: Vec<Alert>,
    unseen: Vec<Alert>,
    asked: u64,
    answered: u64,
}

impl Watch {
    /// Before the first round.
    pub fn new(setup: Setup, mut shape: Shape, every: Duration, size: (u16, u16)) -> Self {
        // A recording has no rates.
        shape.by.totals |= setup.recorded;
        let scene = Scene::new(setup.ephemeral.clone());
        Self {
            setup,
            shape,
            live: Stage { scene, ordered: Ordered::default() },
            still: None,
            log: Log::default(),
            lines: vec![],
            at: 0,
            selected: None,
            top: 0,
            mode: Mode::List,
            details: None,
            detail: None,
            filter: None,
            filter_text: String::new(),
            filter_error: None,
            paused: false,
            every,
            cost: Duration::ZERO,
            reported: vec![],
            trouble: None,
            said: None,
            source: SourceKind::Netlink,
            fallback_reason: None,
            size,
            queues: vec![],
            unseen: vec![],
            asked: 1,
            answered: 0,
        }
    }

    /// What is shown.
    pub fn stage(&self) -> &Stage {
        self.still.as_ref().unwrap_or(&self.live)
    }

    /// What is known of what is shown.
    pub fn scene(&self) -> &Scene {
        &self.stage().scene
    }

    /// Takes a round.
    pub fn refresh(&mut self, refresh: Refresh) {
        if refresh.question != self.asked {
            // The answer to a filter that is no longer the one.
            return;
        }
        let afresh = self.answered != refresh.question;
        let turn = self.live.scene.apply(&refresh, afresh, &mut self.log);
        self.live.ordered.follow(&turn);
        if refresh.entries.is_some() {
            self.answered = refresh.question;
            self.cost = refresh.cost;
            self.trouble = None;
            self.source = refresh.source;
            self.fallback_reason = refresh.fallback_reason;
            self.unseen = refresh.gaps.iter().map(unseen).collect();
            self.queues = full_queues(&self.live.scene);
        }
        // The details of a socket that is gone stay: the last that was known.
        if let Some(detail) = refresh.detail {
            self.detail = Some(detail);
        }
        self.unseen.retain(|alert| alert.text != HIDDEN);
        if self.hides_owners() {
            let command = "run as root, or see `sockeye explain permission`".to_owned();
            self.unseen.push(Alert { level: Level::Note, text: HIDDEN.to_owned(), command });
        }
        if self.still.is_none() {
            self.list(false);
            if refresh.entries.is_some() {
                self.remember();
            }
        }
    }

    /// Whether a process may be behind a line that names none, and may not be looked at.
    fn hides_owners(&self) -> bool {
        let hidden = Held::Nobody(Unowned::Permission);
        self.visible().iter().any(|line| match line {
            Line::Socket(slot, _) => {
                self.scene().rows.get(*slot).is_some_and(|row| row.held == hidden)
            }
            Line::Group(key, ..) => *key == GroupKey::Holder(Err(Some(Unowned::Permission))),
        })
    }

    /// Another filter: what is known answers another question.
    pub fn set_filter(&mut self, filter: Option<Filter>, text: &str) {
        self.filter_error = None;
        if self.filter != filter {
            self.filter = filter;
            self.asked += 1;
        }
        text.clone_into(&mut self.filter_text);
    }

    /// Makes the list; with `anew` the order too, wherever somebody reads.
    pub fn list(&mut self, anew: bool) {
        let height = usize::from(self.layout().list);
        let browses = self.selected.is_some();
        let by = self.shape.by;
        let before = (browses && !anew).then(|| lines::places(&self.lines));
        let stage = self.still.as_mut().unwrap_or(&mut self.live);
        let seen_to = self.top + height;
        if anew || !browses {
            stage.ordered.sort(by, &stage.scene, seen_to);
        } else {
            stage.ordered.reach(by, &stage.scene, seen_to);
        }
        self.lines = lines::list(&stage.scene, &stage.ordered, &self.shape, before.as_ref());
        let last = self.lines.len().saturating_sub(1);
        let id = |line: &Line| line.id(self.scene());
        let is_selected = |line: &Line| id(line) == self.selected;
        let (at, selected) = match (&self.selected, self.lines.iter().position(is_selected)) {
            (None, _) => (0, None),
            (Some(selected), Some(place)) => (place, Some(selected.clone())),
            // What was selected is gone: its neighbour takes its place.
            (Some(_), None) => {
                let at = self.at.min(last);
                (at, self.lines.get(at).and_then(id))
            }
        };
        (self.at, self.selected) = (at, selected);
        self.scroll();
    }

    /// Keeps the selected line on the screen.
    pub fn scroll(&mut self) {
        let height = usize::from(self.layout().list).max(1);
        let most = self.lines.len().saturating_sub(height);
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(height)).min(most);
    }

    /// Selects a line by its place.
    pub fn select(&mut self, at: usize) {
        self.at = at.min(self.lines.len().saturating_sub(1));
        let id = self.lines.get(self.at).and_then(|line| line.id(self.scene()));
        let reads = self.at > 0 || self.details.is_some();
        self.selected = id.filter(|_| reads);
        self.scroll();
        let (by, seen_to) = (self.shape.by, self.at + usize::from(self.layout().list));
        if self.selected.is_some() {
            let stage = self.still.as_mut().unwrap_or(&mut self.live);
            stage.ordered.reach(by, &stage.scene, seen_to);
        }
    }

    /// The lines on the screen.
    pub fn visible(&self) -> &[Line] {
        let height = usize::from(self.layout().list);
        let end = (self.top + height).min(self.lines.len());
        self.lines.get(self.top..end).unwrap_or_default()
    }

    /// The selected socket. `None`: a group is selected, or nothing.
    pub fn selected_row(&self) -> Option<&Shown> {
        match self.lines.get(self.at)? {
            Line::Socket(slot, _) => self.scene().rows.get(*slot),
            Line::Group(..) => None,
        }
    }

    /// How the screen is shared out.
    pub fn layout(&self) -> Layout {
        let said = match &self.mode {
            Mode::Filter(..) => 1 + u16::from(self.filter_error.is_some()) * 2,
            Mode::Confirm(_) => 2,
            _ => u16::from(self.said.is_some() || self.trouble.is_some()),
        };
        layout::layout(self.size.1, self.alerts().count(), self.details.is_some(), said)
    }

    /// Alerts, the worst first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        let all = || self.queues.iter().chain(&self.reported).chain(&self.unseen);
        let of = move |level| all().filter(move |alert| alert.level == level);
        of(Level::Critical).chain(of(Level::Warning)).chain(of(Level::Note))
    }

    /// The terminal has another size.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.scroll();
    }

    /// Adds to the last minute of what is on the screen.
    fn remember(&mut self) {
        let mut seen = vec![];
        for line in self.visible() {
            let (of, rates) = match line {
                Line::Socket(slot, _) => {
                    let Some(row) = self.live.scene.rows.get(*slot) else { continue };
                    let key = row.entry.key;
                    (Of::Socket(key), self.live.scene.traffic.of(&key).map(|flow| flow.rates))
                }
                Line::Group(key, group, _) => (Of::Group(key.clone()), Some(group.rates)),
            };
            let sum = rates.and_then(|rates| match (rates.sent, rates.received) {
                (None, None) => None,
                (sent, received) => Some(sent.unwrap_or(0.0) + received.unwrap_or(0.0)),
            });
            seen.extend(sum.map(|sum| (of, sum)));
        }
        for (of, sum) in seen {
            self.live.scene.remember(of, sum);
        }
    }

    /// What is to be asked at the next round.
    pub fn question(&self) -> Question {
        let mut query = self.setup.base.clone();
        if let Some(filter) = &self.filter {
            for (protocol, states) in &mut query.protocols {
                *states = filter.states(*protocol, *states);
            }
            query.need = query.need.with(filter.need());
        }
        query.filter.clone_from(&self.filter);
        let sums = self.shape.grouping.is_some() || self.shape.by.sort.needs_counters();
        let rows = || self.visible().iter().filter_map(|line| self.entry(line));
        Question {
            number: self.asked,
            query,
            attention: if sums {
                Attention::All
            } else {
                Attention::Rows(rows().filter(Entry::has_counters).collect())
            },
            unresolved: Unresolved { inodes: self.nameless() },
            detail: self.selected_row().map(|row| row.entry),
        }
    }

    fn entry(&self, line: &Line) -> Option<Entry> {
        match line {
            Line::Socket(slot, _) => {
                let row = self.scene().rows.get(*slot)?;
                row.is_there().then_some(row.entry)
            }
            Line::Group(..) => None,
        }
    }

    /// Inodes of sockets nobody has been named for: those on the screen, or all where the list
    /// depends on them.
    fn nameless(&self) -> Vec<u64> {
        let by_owner = self.shape.grouping.is_some_and(Grouping::needs_owners)
            || self.shape.by.sort == Sort::Process;
        let inode = |row: &Shown| {
            let inode = row.entry.inode.filter(|_| row.held == Held::NotYet && row.is_there());
            inode.map(|inode| u64::from(inode.get()))
        };
        if by_owner {
            let all = self.live.scene.rows.all();
            return all.filter_map(|(_, row)| inode(row)).take(UNRESOLVED).collect();
        }
        let rows = self.visible().iter().filter_map(|line| match line {
            Line::Socket(slot, _) => self.scene().rows.get(*slot),
            Line::Group(..) => None,
        });
        rows.filter_map(inode).collect()
    }

    /// The usual view of a list: no grouping, TIME_WAIT folded, what waits first.
    pub fn usual() -> Shape {
        Shape {
            chip: None,
            grouping: None,
            fold: true,
            open: std::collections::HashSet::new(),
            by: By::usual(Sort::Waiting),
        }
    }
}

/// What could not be seen, with the way out.
fn unseen(gap: &Gap) -> Alert {
    let safe = |text: &str| printable(text.as_bytes());
    Alert { level: Level::Note, text: safe(&gap.message), command: safe(&gap.hint) }
}

/// Listeners that drop connections now, or will when a few more come.
fn full_queues(scene: &Scene) -> Vec<Alert> {
    let mut alerts = vec![];
    for (_, row) in scene.rows.all().filter(|(_, row)| row.entry.state == State::Listen) {
        let Queues::Listen { accept_queue, limit: Some(limit) } = row.entry.queues else {
            continue;
        };
        // The kernel compares with `>`: a queue is full at limit + 1 (`sk_acceptq_is_full`).
        let (level, word) = if accept_queue > limit {
            (Level::Critical, "is full: SYNs are dropped")
        } else if accept_queue > 0 && u64::from(accept_queue) * 2 >= u64::from(limit) {
            (Level::Warning, "fills")
        } else {
            continue;
        };
        let at = row.entry.local;
        let text = format!("{at}: accept queue {accept_queue}/{limit} {word}");
        alerts.push(Alert { level, text, command: "sockeye explain queues".to_owned() });
    }
    alerts
}
