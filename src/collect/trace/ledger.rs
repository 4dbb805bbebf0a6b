//! What is known of each socket while a trace runs, from everything that tells of it. Pure: it is
//! told what happened, says what has to be asked, and gives the events whose socket is known.
//!
//! The tracepoint tells of every TCP socket of the host, by its address in the kernel, and not of
//! which network namespace it is. A socket is taken for ours when this namespace's table has one
//! with the same ends, or this namespace announces the end of such a one; until then its events are
//! held back. It is another's if the table did not have it while it was alive, or if nobody
//! announced its end for some time though every announcement was received. Where announcements were
//! lost it may be either, and is counted as missed. Two namespaces that use the same ends at the same
//! moment (127.0.0.1 in both) cannot be told apart.

use super::{
    ended::{Ended, Outcome},
    known::Known,
    track::{Kin, Track},
    waiting::{Ends, Marks, Place, Rest, Waiting},
};
use crate::{
    kernel::{
        sock_diag::exact::Identity,
        tracefs::state_change::{CLOSE, StateChange},
    },
    model::{
        endpoint::Endpoint,
        event::{Event, EventSource, Happening, Loss},
        owner::Process,
        protocol::Protocol,
        socket::Socket,
        state::State,
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    time::{Duration, SystemTime},
};

/// How long one of ours that closed waits to be announced: its process may keep it open.
const GRACE: Duration = Duration::from_secs(1);
/// How long one of which nobody knows whose it is waits.
const HOLD: Duration = Duration::from_secs(5);
/// More than this the kernel's delay does not add to either.
const SLOWEST: Duration = Duration::from_secs(10);
/// How long the kernel's delay is remembered, twice at most.
const RECENT: Duration = Duration::from_secs(5);
/// Between two questions about an orphan that just closed.
const AGAIN: Duration = Duration::from_millis(200);
/// How often it is looked which have waited long enough.
const OFTEN: Duration = Duration::from_millis(100);
/// From its first event on, until the whole table is looked at for a socket that was not found.
const OVERDUE: Duration = Duration::from_secs(1);
/// Sockets held while it is not known whose they are: a busy namespace elsewhere must not take this
/// program's memory.
const MOST: usize = 100_000;
/// Orphan FIN_WAIT_2 that are asked about until they enter TIME_WAIT.
const MOST_ORPHANS: usize = 4096;
/// Sockets that were told to have closed and may yet be announced.
const MOST_TOLD: usize = 10_000;

/// A question to the kernel's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether a live socket is ours: the socket by its address in the kernel.
    Live(u64),
    /// What became of one that closed.
    Ended(Place),
}

/// How long the kernel lately took from the end of a socket to its announcement: it makes them in a
/// queue of its own (`broadcast_wq` of `sock_diag.c`), which a busy processor delays.
#[derive(Debug, Default)]
struct Delay {
    since: Option<SystemTime>,
    now: Duration,
    before: Duration,
}

impl Delay {
    fn was(&mut self, took: Duration, now: SystemTime) {
        let is_over = |since: SystemTime| now.duration_since(since).is_ok_and(|age| age > RECENT);
        if self.since.is_none_or(is_over) {
            self.since = Some(now);
            self.before = std::mem::take(&mut self.now);
        }
        self.now = self.now.max(took);
    }

    fn added_to(&self, patience: Duration) -> Duration {
        patience + self.now.max(self.before).saturating_mul(2).min(SLOWEST)
    }
}

/// The book.
#[derive(Debug, Default)]
pub struct Ledger {
    live: HashMap<u64, Track>,
    /// Live ones of which something was told since they were last looked at.
    touched: Vec<u64>,
    ended: Waiting<Ended>,
    /// Those of them of which something was learnt since.
    learnt: Vec<Place>,
    /// Those of which it has to be asked what became of them.
    unasked: Vec<Place>,
    /// Announcements that fit no socket yet: the tracepoint's records are read later.
    announced: Waiting<(SystemTime, Socket)>,
    /// Sockets that were told to have closed and were not announced: their processes keep them.
    told: Waiting<Marks>,
    /// Mini-sockets in FIN_WAIT_2, whose process has closed them.
    orphans: Vec<Track>,
    ready: Vec<Event>,
    delay: Delay,
    looked_through: Option<SystemTime>,
    /// When announcements were last lost.
    overrun: Option<SystemTime>,
    /// Changes that are not told, since it is not known whose they are.
    unassigned: u64,
}

impl Ledger {
    /// The tracepoint told of a change at one time, and it is read `now`; `caller` is the process
    /// that made it, where it was one.
    pub fn change(
        &mut self,
        change: &StateChange,
        (at, now): (SystemTime, SystemTime),
        caller: Option<Process>,
        known: &mut Known,
    ) {
        let (from, to) = (state(change.from), state(change.to));
        let is_beginning = change.from == CLOSE || (from, to) == (State::Listen, State::SynRcvd);
        if is_beginning && let Some(lost) = self.live.remove(&change.socket) {
            // Its end was among lost events; the announcement may still tell of it.
            let from = lost.socket.state;
            self.end(Ended::new(lost, at, now, from));
        }
        let is_known = self.live.contains_key(&change.socket);
        if !is_known && self.live.len() >= MOST {
            self.give_up_live();
        }
        let track = self
            .live
            .entry(change.socket)
            .or_insert_with(|| Track::new(change, from, at, is_beginning));
        track.lived(at);
        track.meets(change);
        if !is_known
            && !is_beginning
            && let Some(before) = known.take(track.ends())
        {
            track.is(&before);
            track.holders = known.holders(&before);
        }
        if let Some(process) = caller {
            track.is_held_by(process);
        }
        track.fin |= matches!(to, State::CloseWait | State::Closing);
        if to == State::FinWait2 {
            track.fin_wait_2 = Some(at);
        }
        track.socket.state = to;
        if change.to == CLOSE {
            if let Some(track) = self.live.remove(&change.socket) {
                self.end(Ended::new(track, at, now, from));
            }
            return;
        }
        if track.kin == Kin::Foreign {
            return;
        }
        track.is_new = true;
        let happening = if is_beginning { Happening::Opened } else { Happening::State };
        let event = track.event(at, happening, Some(from), to);
        track.events.push(event);
        self.touched.push(change.socket);
    }

    /// A socket closed.
    fn end(&mut self, mut ended: Ended) {
        if ended.track.kin == Kin::Foreign {
            return;
        }
        let marks = ended.track.marks();
        let announced = match marks.cookie {
            Some(cookie) => self.announced.with_cookie(cookie).next(),
            None => self.announced.with_ends(marks.ends).next(),
        };
        if let Some((place, _)) = announced
            && let Some((_, socket)) = self.announced.remove(place)
        {
            ended.announced(&socket);
        }
        if self.ended.len() >= MOST {
            self.give_up_oldest();
        }
        let is_unasked = ended.to == Outcome::Unasked;
        let place = self.ended.add(marks, ended);
        self.learnt.push(place);
        if is_unasked {
            self.unasked.push(place);
        }
    }

    /// This namespace announced the end of a socket. Of what the tracepoint tells of nothing is
    /// given yet; anything else is an event of its own, at once.
    pub fn announced(&mut self, at: SystemTime, socket: Socket, known: &mut Known) {
        if socket.protocol != Protocol::Tcp {
            self.ready.push(known.closed(at, socket, None));
            return;
        }
        let ends = (socket.local, socket.remote);
        let by_cookie = socket.cookie.and_then(|cookie| {
            self.ended.with_cookie(cookie).find(|(_, ended)| !ended.is_announced)
        });
        let found = by_cookie.map(|(place, _)| place).or_else(|| {
            let has_no_other = |ended: &Ended| ended.track.marks().cookie.is_none();
            let mut alike = self.ended.with_ends(ends);
            Some(alike.find(|(_, ended)| !ended.is_announced && has_no_other(ended))?.0)
        });
        if let Some(place) = found
            && let Some(ended) = self.ended.get_mut(place)
        {
            self.delay.was(at.duration_since(ended.at).unwrap_or_default(), at);
            ended.announced(&socket);
            self.learnt.push(place);
            return;
        }
        // It closed long ago, and its process kept it until now.
        let told = socket.cookie.and_then(|cookie| self.told.with_cookie(cookie).next());
        let told = told.or_else(|| self.told.with_ends(ends).find(|(_, of)| of.cookie.is_none()));
        let told = told.map(|(place, _)| place);
        if told.is_some_and(|place| self.told.remove(place).is_some()) {
            return;
        }
        self.announced.add(Marks { cookie: socket.cookie, ends }, (at, socket));
    }

    /// Announcements were lost, at this time.
    pub fn overrun(&mut self, at: SystemTime) {
        self.overrun = Some(at);
    }

    /// What has to be asked now.
    pub fn questions(&mut self, now: SystemTime) -> Vec<(Question, Identity)> {
        let mut questions = vec![];
        for address in &self.touched {
            let Some(track) = self.live.get_mut(address) else { continue };
            let is_asked = std::mem::take(&mut track.is_new)
                && (!track.is_ours() || track.socket.inode.is_none())
                && track.socket.local.port != 0;
            if is_asked {
                questions.push((Question::Live(*address), track.identity()));
            }
        }
        let later = |ended: &Ended| ended.ask > now;
        self.unasked.retain(|place| {
            let Some(ended) = self.ended.get(*place) else { return false };
            if !later(ended) {
                questions.push((Question::Ended(*place), ended.track.identity()));
            }
            later(ended)
        });
        questions
    }

    /// The table's answer; `None`: it has no such socket.
    pub fn answer(&mut self, question: Question, found: Option<Socket>) {
        match question {
            Question::Live(address) => {
                if let (Some(track), Some(found)) = (self.live.get_mut(&address), found) {
                    track.is(&found);
                }
            }
            Question::Ended(place) => {
                if let Some(ended) = self.ended.get_mut(place) {
                    ended.answered(found);
                    self.learnt.push(place);
                }
            }
        }
    }

    /// What orphans are asked by now and then.
    pub fn questions_about_orphans(&self) -> Vec<Identity> {
        self.orphans.iter().map(Track::identity).collect()
    }

    /// The answers about orphans, in the order of the questions, at this time.
    pub fn answer_orphans(&mut self, at: SystemTime, found: Vec<Option<Socket>>) {
        let orphans = std::mem::take(&mut self.orphans);
        for (mut track, found) in orphans.into_iter().zip(found) {
            let found = found.filter(|socket| socket.cookie == track.socket.cookie);
            let to = found.as_ref().map_or(State::Closed, |socket| socket.state);
            if to == State::FinWait2 {
                self.orphans.push(track);
                continue;
            }
            track.socket.timer = found.and_then(|socket| socket.timer);
            track.socket.state = to;
            track.socket.tcp_info = None;
            let event = track.event(at, Happening::State, Some(State::FinWait2), to);
            self.ready.push(Event { source: EventSource::Poll, ..event });
        }
    }

    /// Whether live sockets were asked for and not found: only the whole table tells of those that
    /// are bound to a device, or have no port yet that the tracepoint told.
    pub fn has_overdue(&self, now: SystemTime) -> bool {
        self.live.values().any(|track| is_overdue(track, now))
    }

    /// The whole table, as it was between two times.
    pub fn looked(&mut self, (before, after): (SystemTime, SystemTime), sockets: &[Socket]) {
        let overdue = |track: &&mut Track| is_overdue(track, before);
        let mut by_ends: HashMap<Ends, &mut Track> = HashMap::new();
        let mut connecting: HashMap<(IpAddr, Endpoint), Vec<&mut Track>> = HashMap::new();
        let taken: HashSet<u64> =
            self.live.values().filter_map(|track| track.socket.cookie).collect();
        for (address, track) in &mut self.live {
            if !overdue(&track) {
                continue;
            }
            self.touched.push(*address);
            if track.socket.local.port == 0 {
                let key = (track.socket.local.address, track.socket.remote);
                connecting.entry(key).or_default().push(track);
            } else {
                by_ends.insert(track.ends(), track);
            }
        }
        let mut candidates: HashMap<(IpAddr, Endpoint), Vec<&Socket>> = HashMap::new();
        for socket in sockets {
            if let Some(track) = by_ends.remove(&(socket.local, socket.remote)) {
                track.is(socket);
            }
            let key = (socket.local.address, socket.remote);
            let is_taken = socket.cookie.is_some_and(|cookie| taken.contains(&cookie));
            if socket.state == State::SynSent && !is_taken && connecting.contains_key(&key) {
                candidates.entry(key).or_default().push(socket);
            }
        }
        for track in by_ends.into_values() {
            track.is_absent(after);
        }
        for (key, mut tracks) in connecting {
            let found = candidates.remove(&key).unwrap_or_default();
            if let ([track], [found]) = (tracks.as_mut_slice(), found.as_slice()) {
                track.is(found);
                continue;
            }
            // Which of them is which is not known.
            let are_all_there = found.len() >= tracks.len();
            for track in tracks {
                if found.is_empty() {
                    track.is_absent(after);
                } else if are_all_there {
                    track.kin = Kin::Ours;
                }
            }
        }
    }

    /// How long the end of a trace waits for the last announcements. `None`: nothing needs one.
    pub fn last_patience(&self) -> Option<Duration> {
        (!self.ended.is_empty()).then(|| self.delay.added_to(GRACE))
    }

    /// Sockets of ours without a holder, to look for.
    pub fn without_holder(&self) -> Vec<Socket> {
        let tracks = self.live.values().chain(self.ended.iter().map(|(_, ended)| &ended.track));
        let lack =
            tracks.filter(|t| t.is_ours() && t.holders.is_empty() && t.socket.inode.is_some());
        lack.map(|track| track.socket.clone()).collect()
    }

    /// Holders were found.
    pub fn held(&mut self, holders: impl Fn(&Socket) -> Vec<(Process, u32)>) {
        let ended = self.ended.values_mut().map(|ended| &mut ended.track);
        for track in self.live.values_mut().chain(ended) {
            if track.is_ours() && track.holders.is_empty() {
                track.holders = holders(&track.socket);
            }
        }
    }

    /// The events whose socket is known by now, in the order of their time. With `last` nothing
    /// more will come, and nothing waits.
    pub fn take(&mut self, now: SystemTime, last: bool, known: &mut Known) -> Vec<Event> {
        for address in std::mem::take(&mut self.touched) {
            if let Some(track) = self.live.get_mut(&address).filter(|track| track.is_ours()) {
                track.give(&mut self.ready);
            }
        }
        let is_time = |before: SystemTime| now.duration_since(before).is_ok_and(|d| d >= OFTEN);
        let looks_through = last || self.looked_through.is_none_or(is_time);
        self.settle_ambiguous(now, last);
        let mut places = std::mem::take(&mut self.learnt);
        if looks_through {
            self.looked_through = Some(now);
            places.extend(self.ended.iter().map(|(place, _)| place));
        }
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.settle(place, now, last);
        }
        if looks_through {
            self.settle_announced(now, last, known);
        }
        let unassigned = std::mem::take(&mut self.unassigned);
        if unassigned > 0 {
            self.ready.push(Event::missed(now, Some(unassigned), Loss::Unassigned));
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_by_key(|event| event.at);
        ready
    }

    /// Whether something that was read at one time has waited long enough by now.
    fn has_waited(&self, read: SystemTime, now: SystemTime, patience: Duration) -> bool {
        let patience = self.delay.added_to(patience);
        now.duration_since(read).is_ok_and(|waited| waited >= patience)
    }

    /// Tells of a socket that closed, if all that will be known of it is.
    fn settle(&mut self, place: Place, now: SystemTime, last: bool) {
        let Some(ended) = self.ended.get(place) else { return };
        let is_over = last || self.has_waited(ended.read, now, GRACE);
        let is_held_enough = last || self.has_waited(ended.read, now, HOLD);
        let is_undecided = ended.track.is_undecided();
        let is_settled = ended.is_announced && ended.to != Outcome::Unasked;
        let waits = if is_undecided { !is_held_enough } else { !is_over };
        let is_young_orphan = ended.to == Outcome::Became(State::FinWait2) && !is_over;
        if (!is_settled && waits) || is_young_orphan {
            if let Some(ended) = self.ended.get_mut(place) {
                if ended.track.is_ours() {
                    ended.track.give(&mut self.ready);
                }
                // The last moments of an orphan: most are in TIME_WAIT by the next look.
                if is_young_orphan {
                    ended.to = Outcome::Unasked;
                    ended.ask = now + AGAIN;
                    self.unasked.push(place);
                }
            }
            return;
        }
        let Some(ended) = self.ended.remove(place) else { return };
        if is_undecided {
            // Every announcement of ours has been received, or else it is not known.
            let is_possible = self.overrun.is_some_and(|lost| lost >= ended.at);
            self.unassigned += if is_possible { ended.untold() } else { 0 };
            return;
        }
        if !ended.is_announced && self.told.len() < MOST_TOLD {
            let marks = ended.track.marks();
            self.told.add(marks, marks);
        }
        let orphan = ended.give(&mut self.ready);
        self.orphans.extend(orphan.filter(|_| self.orphans.len() < MOST_ORPHANS));
    }

    /// What was announced, and nobody told of it before: it never had a state worth telling, or the
    /// tracepoint lost it.
    fn settle_announced(&mut self, now: SystemTime, last: bool, known: &mut Known) {
        let over: Vec<Place> = self
            .announced
            .iter()
            .take_while(|(_, (at, _))| last || self.has_waited(*at, now, GRACE))
            .map(|(place, _)| place)
            .collect();
        for place in over {
            let Some((at, socket)) = self.announced.remove(place) else { continue };
            if let Some(track) = self.take_by_cookie(socket.cookie) {
                let from = track.socket.state;
                let mut ended = Ended::new(track, at, now, from);
                ended.announced(&socket);
                self.end(ended);
            } else if known.has(&socket) || socket.remote.port != 0 {
                self.ready.push(known.closed(at, socket, None));
            }
        }
    }

    fn take_by_cookie(&mut self, cookie: Option<u64>) -> Option<Track> {
        let is_it = |track: &Track| cookie.is_some() && track.socket.cookie == cookie;
        let address = *self.live.iter().find(|(_, track)| is_it(track))?.0;
        self.live.remove(&address)
    }

    /// After a reset by SO_LINGER or a failed connection the announcement lacks the peer's port, and
    /// the own address where it was not bound. Where as many sockets with the rest of it closed as
    /// were announced, they are those; what each sent is known only where it was one.
    fn settle_ambiguous(&mut self, now: SystemTime, last: bool) {
        let mut alike: BTreeMap<Rest, Vec<Place>> = BTreeMap::new();
        for (place, (_, socket)) in self.announced.iter() {
            let is_bare = socket.remote.port == 0 && !socket.remote.is_wildcard();
            if is_bare && socket.local.port != 0 {
                let rest = (socket.local.port, socket.remote.address);
                alike.entry(rest).or_default().push(place);
            }
        }
        for (rest, announced) in alike {
            let waits = |ended: &Ended| !ended.is_announced && ended.track.socket.remote.port != 0;
            let closed: Vec<Place> = self
                .ended
                .with_rest(rest)
                .filter(|(_, ended)| waits(ended))
                .map(|(place, _)| place)
                .collect();
            let oldest = closed.first().and_then(|place| self.ended.get(*place));
            // More may come; the oldest wait no longer than they have to.
            let is_due = oldest.is_some_and(|e| last || self.has_waited(e.read, now, GRACE));
            if closed.is_empty() || (announced.len() < closed.len() && !is_due) {
                continue;
            }
            let is_one = announced.len() == 1 && closed.len() == 1;
            for (place, of) in closed.into_iter().zip(announced) {
                let Some((_, socket)) = self.announced.remove(of) else { continue };
                let Some(ended) = self.ended.get_mut(place) else { continue };
                if is_one {
                    ended.announced(&socket);
                } else {
                    ended.is_announced = true;
                    ended.track.kin = Kin::Ours;
                }
                self.learnt.push(place);
            }
        }
    }

    /// Forgets live sockets of which nobody knows whose they are, or that are another's.
    fn give_up_live(&mut self) {
        let untold = &mut self.unassigned;
        self.live.retain(|_, track| {
            if track.is_undecided() {
                *untold += track.events.len() as u64;
            }
            track.is_ours()
        });
    }

    /// Forgets the oldest that closed.
    fn give_up_oldest(&mut self) {
        let oldest = self.ended.iter().next().map(|(place, _)| place);
        match oldest.and_then(|place| self.ended.remove(place)) {
            Some(ended) if ended.track.is_undecided() => self.unassigned += ended.untold(),
            Some(ended) => drop(ended.give(&mut self.ready)),
            None => {}
        }
    }
}

/// Whether a live socket has events that wait for the table to tell whose it is.
fn is_overdue(track: &Track, now: SystemTime) -> bool {
    let age = now.duration_since(track.since).unwrap_or_default();
    track.is_undecided() && !track.events.is_empty() && age >= OVERDUE
}

/// The documented state of the kernel's number; CLOSE of a TCP socket is CLOSED here.
fn state(number: u8) -> State {
    match number {
        CLOSE => State::Closed,
        other => State::from_kernel(Protocol::Tcp, other),
    }
}
