//! What keys do to the watch.

use super::{
    action::Action,
    command_line,
    grouping::{GroupKey, Grouping},
    held::Held,
    keys,
    lines::{Line, LineId},
    menu::{Choice, Item, Menu, Pressed},
    order::{By, Sort},
    prompt::Prompt,
    rows::Shown,
    state::{CHIPS, Effect, Mode, Watch},
};
use crate::{
    collect::live::entry::Entry,
    field::row::Row,
    filter::{
        Filter,
        directory::{Directory, System},
    },
    kernel::sock_diag::exact,
    model::state::State,
    view::rows::object,
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::{net::IpAddr, time::Duration};

/// The steps of the interval.
const STEPS_MS: [u64; 9] = [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];

/// While a filter is typed no host is looked up: a resolver may take seconds for each letter.
struct WithoutHosts;

impl Directory for WithoutHosts {
    fn ports(&self, service: &str) -> Vec<u16> {
        System.ports(service)
    }

    fn addresses(&self, _: &str) -> Vec<IpAddr> {
        vec![]
    }
}

impl Watch {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.said = None;
        match std::mem::replace(&mut self.mode, Mode::List) {
            Mode::List => keys::action(key).map_or_else(Vec::new, |action| self.act(action)),
            Mode::Filter(prompt, before) => self.type_filter(prompt, before, key),
            Mode::Menu(mut menu) => match menu.press(key) {
                Pressed::Open => {
                    self.mode = Mode::Menu(menu);
                    vec![]
                }
                Pressed::Left => vec![],
                Pressed::Chosen(choice) => self.choose(choice),
            },
            Mode::Confirm(entry) if key.code == KeyCode::Char('y') => vec![Effect::Kill(entry)],
            Mode::Confirm(_) => {
                self.said = Some("nothing was closed".to_owned());
                vec![]
            }
            Mode::Help(at) => self.page(key, at, Mode::Help),
            Mode::Changes(at) => self.page(key, at, Mode::Changes),
            Mode::Command => match keys::action(key) {
                Some(Action::Interrupt) => vec![Effect::Interrupt],
                Some(Action::Suspend) => vec![Effect::Suspend],
                _ => vec![],
            },
        }
    }

    /// A page of text: scrolled, or left with the key that opened it, `q` and Esc.
    fn page(&mut self, key: KeyEvent, at: u16, mode: fn(u16) -> Mode) -> Vec<Effect> {
        let page = self.size.1.saturating_sub(3).max(1);
        let to = match keys::action(key) {
            Some(Action::Up) => at.saturating_sub(1),
            Some(Action::Down) => at.saturating_add(1),
            Some(Action::PageUp) => at.saturating_sub(page),
            Some(Action::PageDown | Action::Menu) => at.saturating_add(page),
            Some(Action::First) => 0,
            Some(Action::Last) => u16::MAX,
            Some(Action::Interrupt) => return vec![Effect::Interrupt],
            Some(Action::Suspend) => {
                self.mode = mode(at);
                return vec![Effect::Suspend];
            }
            Some(Action::Since) => {
                self.log.reset(self.live.scene.now);
                0
            }
            _ => return vec![],
        };
        self.mode = mode(to);
        vec![]
    }

    /// Does something.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        let page = usize::from(self.layout().list).max(1);
        match action {
            Action::Quit => return vec![Effect::Quit],
            Action::Interrupt => return vec![Effect::Interrupt],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::Up => return self.go(self.at.saturating_sub(1)),
            Action::Down => return self.go(self.at + 1),
            Action::PageUp | Action::PageDown if self.details.is_some() => {
                let by = self.layout().details.saturating_sub(2).max(1);
                self.details = self.details.map(|at| match action {
                    Action::PageUp => at.saturating_sub(by),
                    _ => at.saturating_add(by),
                });
            }
            Action::PageUp => return self.go(self.at.saturating_sub(page)),
            Action::PageDown => return self.go(self.at + page),
            Action::First => return self.first(),
            Action::Last => return self.go(self.lines.len().saturating_sub(1)),
            Action::Open => return self.open(),
            Action::Close => return self.close(),
            Action::Details => return self.show_details(self.details.is_none()),
            Action::Chip(number) => {
                let at = usize::from(number).checked_sub(1);
                return self.chip(at.and_then(|at| CHIPS.get(at).copied()));
            }
            Action::NextChip => return self.turn_chip(true),
            Action::PreviousChip => return self.turn_chip(false),
            Action::Filter => {
                let before = self.filter_text.clone();
                self.mode = Mode::Filter(Prompt::new(&before), before);
                self.scroll();
            }
            Action::Sort => self.mode = Mode::Menu(self.sorts()),
            Action::Group => self.mode = Mode::Menu(self.groupings()),
            Action::Menu => self.mode = Mode::Menu(self.actions()),
            Action::Reverse => {
                self.shape.by.descending = !self.shape.by.descending;
                return self.anew();
            }
            Action::Fold => {
                self.shape.fold = !self.shape.fold;
                return self.anew();
            }
            Action::Totals => {
                self.shape.by.totals = !self.shape.by.totals;
                return self.anew();
            }
            Action::Freeze => return self.freeze(),
            Action::Pause => {
                if self.setup.recorded {
                    self.said = Some("a recording does not move".to_owned());
                } else {
                    self.paused = !self.paused;
                    return vec![Effect::Pause(self.paused)];
                }
            }
            Action::Changes => self.mode = Mode::Changes(0),
            Action::Since => {
                self.log.reset(self.live.scene.now);
                self.said = Some("changes are counted from now on".to_owned());
            }
            Action::Command => {
                self.mode = Mode::Command;
                return vec![Effect::Copy(command_line::of(self))];
            }
            Action::Help => self.mode = Mode::Help(0),
            Action::Faster => return self.step(false),
            Action::Slower => return self.step(true),
        }
        vec![]
    }

    fn go(&mut self, at: usize) -> Vec<Effect> {
        self.select(at);
        if let Some(scrolled) = &mut self.details {
            *scrolled = 0;
        }
        vec![Effect::Glance]
    }

    fn first(&mut self) -> Vec<Effect> {
        let effects = self.go(0);
        if self.details.is_none() {
            self.list(true);
        }
        effects
    }

    /// After a change of what is listed: the order anew, from the top.
    fn anew(&mut self) -> Vec<Effect> {
        self.list(true);
        vec![Effect::Round]
    }

    fn open(&mut self) -> Vec<Effect> {
        match self.lines.get(self.at) {
            Some(Line::Group(key, ..)) => {
                let key = key.clone();
                if !self.shape.open.remove(&key) {
                    self.shape.open.insert(key.clone());
                }
                // The group stays where it is while its sockets come and go below it.
                self.selected = Some(LineId::Group(key));
                self.list(false);
                vec![Effect::Glance]
            }
            Some(Line::Socket(..)) => self.show_details(true),
            None => vec![],
        }
    }

    /// Closes what was opened last.
    fn close(&mut self) -> Vec<Effect> {
        if self.details.is_some() {
            return self.show_details(false);
        }
        if let Some(Line::Group(key, _, true)) = self.lines.get(self.at) {
            let key = key.clone();
            self.shape.open.remove(&key);
            self.list(false);
            return vec![];
        }
        if let Some(Line::Socket(_, true)) = self.lines.get(self.at) {
            // To the group it stands below, which is closed.
            let above = self.lines.iter().take(self.at).rposition(|l| matches!(l, Line::Group(..)));
            if let Some(Line::Group(key, ..)) = above.and_then(|at| self.lines.get(at)) {
                let key = key.clone();
                self.shape.open.remove(&key);
                self.selected = Some(LineId::Group(key));
                self.list(false);
                return vec![];
            }
        }
        if self.shape.chip.is_some() {
            return self.chip(None);
        }
        if self.filter.is_some() {
            self.set_filter(None, "");
            return vec![Effect::Round];
        }
        vec![]
    }

    fn show_details(&mut self, shown: bool) -> Vec<Effect> {
        self.details = shown.then_some(0);
        // Reading about a socket is to stay with it.
        self.select(self.at);
        self.scroll();
        vec![Effect::Glance]
    }

    fn chip(&mut self, state: Option<State>) -> Vec<Effect> {
        self.shape.chip = if self.shape.chip == state { None } else { state };
        self.selected = None;
        self.top = 0;
        self.list(true);
        vec![Effect::Glance]
    }

    fn turn_chip(&mut self, forward: bool) -> Vec<Effect> {
        let counts = &self.scene().states;
        let there = CHIPS.into_iter().filter(|state| counts.contains_key(state));
        let chips: Vec<Option<State>> = std::iter::once(None).chain(there.map(Some)).collect();
        let at = chips.iter().position(|chip| *chip == self.shape.chip).unwrap_or(0);
        let to = if forward { at + 1 } else { at + chips.len() - 1 } % chips.len();
        let state = chips.get(to).copied().flatten();
        self.shape.chip = None;
        self.chip(state)
    }

    fn freeze(&mut self) -> Vec<Effect> {
        if self.setup.recorded {
            self.said = Some("a recording does not move".to_owned());
            return vec![];
        }
        if self.still.take().is_none() {
            self.still = Some(self.live.clone());
            self.log.reset(self.live.scene.now);
            return vec![];
        }
        self.list(false);
        vec![Effect::Glance]
    }

    fn step(&mut self, slower: bool) -> Vec<Effect> {
        let now = u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX);
        let step = if slower {
            STEPS_MS.into_iter().find(|step| *step > now)
        } else {
            STEPS_MS.into_iter().rev().find(|step| *step < now)
        };
        let Some(step) = step.filter(|_| !self.setup.recorded) else { return vec![] };
        self.every = Duration::from_millis(step);
        vec![Effect::Every(self.every)]
    }

    fn type_filter(&mut self, mut prompt: Prompt, before: String, key: KeyEvent) -> Vec<Effect> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return self.give_up(&before),
            KeyCode::Char('c' | 'g') if control => return self.give_up(&before),
            KeyCode::Char('z') if control => {
                self.mode = Mode::Filter(prompt, before);
                return vec![Effect::Suspend];
            }
            KeyCode::Enter => {
                let text = prompt.text();
                let effects = self.take_filter(&text, &System);
                if self.filter_error.is_some() {
                    self.mode = Mode::Filter(prompt, before);
                }
                self.scroll();
                return effects;
            }
            _ => {}
        }
        let effects = if prompt.press(key) {
            self.take_filter(&prompt.text(), &WithoutHosts)
        } else {
            vec![]
        };
        self.mode = Mode::Filter(prompt, before);
        self.scroll();
        effects
    }

    /// The filter that was there before it was typed.
    fn give_up(&mut self, before: &str) -> Vec<Effect> {
        self.filter_error = None;
        self.take_filter(before, &WithoutHosts)
    }

    /// Takes a filter, or says what is wrong with it and keeps the last good one.
    fn take_filter(&mut self, text: &str, directory: &dyn Directory) -> Vec<Effect> {
        if text.trim().is_empty() {
            self.set_filter(None, "");
            return vec![Effect::Round];
        }
        match Filter::parse(text, directory) {
            Ok(filter) => {
                self.set_filter(Some(filter), text);
                vec![Effect::Round]
            }
            Err(error) => {
                self.filter_error = Some(error);
                vec![]
            }
        }
    }

    fn sorts(&self) -> Menu {
        let grouped = self.shape.grouping.is_some();
        let lines = Sort::ALL
            .into_iter()
            .filter(|sort| grouped || *sort != Sort::Sockets)
            .map(|sort| (format!("{:<12} {}", sort.word(), sort.meaning()), Choice::Sort(sort)));
        Menu::lettered("sort by", lines.collect(), Choice::Sort(self.shape.by.sort))
    }

    fn groupings(&self) -> Menu {
        let none = ("nothing: a list of sockets".to_owned(), Choice::Group(None));
        let groups =
            Grouping::ALL.into_iter().map(|g| (g.word().to_owned(), Choice::Group(Some(g))));
        let lines = std::iter::once(none).chain(groups).collect();
        Menu::lettered("group by", lines, Choice::Group(self.shape.grouping))
    }

    /// Only what can be done with the line.
    fn actions(&self) -> Menu {
        let mut items = vec![];
        let mut add = |key, label: &str, choice| {
            items.push(Item { key, label: label.to_owned(), choice });
        };
        let row = self.selected_row();
        if row.is_some() {
            add('d', "details", Choice::Details);
        }
        if self.line_filter().is_some() {
            add('o', "only these: filter by this line", Choice::Only);
            add('f', "copy a filter for it", Choice::CopyFilter);
        }
        if row.is_some_and(|row| self.detail_of(&row.entry)) {
            add('j', "copy as JSON", Choice::CopyJson);
        }
        let closable = |row: &Shown| row.is_there() && exact::can_close(&row.entry.socket());
        if row.is_some_and(closable) && !self.setup.recorded {
            add('k', "close the socket (asks first)", Choice::Kill);
        }
        let title = if items.is_empty() { "nothing can be done here" } else { "do" };
        Menu { title: title.to_owned(), items, at: 0 }
    }

    fn detail_of(&self, entry: &Entry) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.key == entry.key)
    }

    fn choose(&mut self, choice: Choice) -> Vec<Effect> {
        match choice {
            Choice::Sort(sort) => {
                let by = By { totals: self.shape.by.totals, ..By::usual(sort) };
                self.shape.by = by;
                self.anew()
            }
            Choice::Group(grouping) => {
                self.shape.grouping = grouping;
                self.shape.open.clear();
                if grouping.is_some() && self.shape.by.sort == Sort::Waiting {
                    self.shape.by = By { totals: self.shape.by.totals, ..By::usual(Sort::Sockets) };
                } else if grouping.is_none() && self.shape.by.sort == Sort::Sockets {
                    self.shape.by = By { totals: self.shape.by.totals, ..By::usual(Sort::Waiting) };
                }
                self.details = None;
                self.selected = None;
                self.top = 0;
                self.anew()
            }
            Choice::Details => self.show_details(true),
            Choice::Only => {
                let Some(more) = self.line_filter() else { return vec![] };
                let text = match self.filter_text.trim() {
                    "" => more,
                    before => format!("( {before} ) and {more}"),
                };
                self.details = None;
                self.selected = None;
                self.take_filter(&text, &WithoutHosts)
            }
            Choice::CopyFilter => {
                let filter = self.line_filter().unwrap_or_default();
                self.said = Some(format!("copied: {filter}"));
                vec![Effect::Copy(filter)]
            }
            Choice::CopyJson => {
                let Some(detail) = &self.detail else { return vec![] };
                let mut out = vec![];
                object::whole(&mut out, Row { socket: &detail.socket, context: &detail.context });
                self.said = Some("copied as JSON".to_owned());
                vec![Effect::Copy(String::from_utf8_lossy(&out).into_owned())]
            }
            Choice::Kill => {
                let entry = self.selected_row().map(|row| row.entry);
                if let Some(entry) = entry {
                    self.mode = Mode::Confirm(Box::new(entry));
                }
                vec![]
            }
        }
    }

    /// A filter that takes the sockets of the selected line, in the language of `sockeye list`.
    /// `None`: no filter can say it.
    pub fn line_filter(&self) -> Option<String> {
        let scene = self.scene();
        match self.lines.get(self.at)? {
            Line::Socket(slot, _) => {
                let entry = &scene.rows.get(*slot)?.entry;
                let end = |word, end: &crate::model::endpoint::Endpoint| format!("{word} {end}");
                let state = format!("state = {}", entry.state);
                Some(match entry.peer() {
                    Some(peer) => format!("{} and {}", end("src", &entry.local), end("dst", &peer)),
                    None => format!("{state} and {}", end("src", &entry.local)),
                })
            }
            Line::Group(key, ..) => Some(match key {
                GroupKey::Holder(Ok(place)) => {
                    format!("pid = {}", scene.rows.holders.get(*place)?.pid)
                }
                GroupKey::Peer(Some(address)) => format!("dst {address}"),
                GroupKey::Port(port, super::grouping::Side::In) => format!("sport = :{port}"),
                GroupKey::Port(port, super::grouping::Side::Out) => format!("dport = :{port}"),
                GroupKey::Container(Some(name)) => format!("container = {name}"),
                GroupKey::State(state) => format!("state = {state}"),
                GroupKey::ClosedIn(port) => format!("state = TIME_WAIT and sport = :{port}"),
                GroupKey::ClosedOut(to) => format!("state = TIME_WAIT and dst {to}"),
                GroupKey::Netns(inode) => format!("netns = {inode}"),
                GroupKey::Holder(Err(_)) | GroupKey::Peer(None) | GroupKey::Container(None) => {
                    return None;
                }
            }),
        }
    }

    /// Who holds the selected socket, in words.
    pub fn selected_holder(&self) -> Option<String> {
        let row = self.selected_row()?;
        match row.held {
            Held::NotYet => None,
            held => Some(self.scene().rows.holders.label(held)),
        }
    }
}
