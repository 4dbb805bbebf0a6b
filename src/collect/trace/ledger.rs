//! What is known of each socket while a trace runs, from everything that tells of it. Pure: it is
//! told what happened, says what has to be asked, and gives the events whose socket is known.
//!
//! The tracepoint tells of every TCP socket of the host, by its address in the kernel, and not of
//! which network namespace it is. A socket is taken for ours when this namespace's table has one
//! with the same ends, or this namespace announces the end of such a one; until then its events are
//! held back, and where neither happens they are another's. Two namespaces that use the same ends
//! at the same moment (127.0.0.1 in both) cannot be told apart.

use super::known::Known;
use crate::{
    kernel::{
        sock_diag::exact::Identity,
        tracefs::state_change::{CLOSE, StateChange},
    },
    model::{
        endpoint::Endpoint,
        event::{Event, EventSource, Happening},
        owner::Process,
        protocol::Protocol,
        queues::Queues,
        socket::Socket,
        state::State,
    },
};
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

/// How long a socket that closed waits to be announced: its process may keep it open.
const GRACE: Duration = Duration::from_secs(1);
/// Two changes of one socket that one packet made.
const MOMENT: Duration = Duration::from_micros(100);
/// Between two questions about an orphan that just closed.
const AGAIN: Duration = Duration::from_millis(200);
/// Sockets held while it is not known whether they are ours. Beyond it the rest is another's: a
/// busy namespace elsewhere must not take this program's memory.
const MOST: usize = 200_000;
/// Orphan FIN_WAIT_2 that are asked about until they enter TIME_WAIT.
const MOST_ORPHANS: usize = 4096;

/// Both ends: what the tracepoint, the table and the announcements have in common.
type Ends = (Endpoint, Endpoint);

/// A socket the tracepoint told of.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Track {
    socket: Socket,
    opened: Option<SystemTime>,
    is_ours: bool,
    holders: Vec<(Process, u32)>,
    /// Not given yet.
    events: Vec<Event>,
    /// Whether the peer's FIN has arrived.
    fin: bool,
    /// Whether the table is to be asked for it.
    is_new: bool,
    /// Whether its cookie was given while it lived. The kernel makes a cookie when somebody first
    /// asks, so that a mini-socket inherits one only if somebody had (`sock_gen_cookie`,
    /// `inet_twsk_alloc`): one made by the announcement is not that of its TIME_WAIT.
    is_cookie_inherited: bool,
    /// When it entered FIN_WAIT_2.
    fin_wait_2: Option<SystemTime>,
}

/// A socket that closed.
#[derive(Debug)]
struct Ended {
    track: Track,
    at: SystemTime,
    from: State,
    to: Outcome,
    /// Whether its end was announced.
    is_announced: bool,
    /// When to ask what became of it.
    ask: SystemTime,
}

/// What a change to CLOSE was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The end.
    Gone,
    /// Perhaps TIME_WAIT: the table has to be asked.
    Unasked,
    /// What the table said.
    Became(State),
}

/// A question to the kernel's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether a live socket is ours: the socket by its address in the kernel.
    Live(u64),
    /// What became of one that closed: by its place.
    Ended(usize),
    /// Whether an orphan FIN_WAIT_2 is in TIME_WAIT by now: by its place.
    Orphan(usize),
}

/// The book.
#[derive(Debug, Default)]
pub struct Ledger {
    live: HashMap<u64, Track>,
    ended: Vec<Ended>,
    /// Announcements that fit no socket yet: the tracepoint's records are read later.
    announced: Vec<(SystemTime, Socket)>,
    /// Mini-sockets in FIN_WAIT_2, whose process has closed them.
    orphans: Vec<Track>,
    ready: Vec<Event>,
    /// Sockets of other namespaces, as far as can be told.
    pub foreign: u64,
}

impl Ledger {
    /// The tracepoint told of a change at this time; `owner` is the process that made it, where it
    /// was one.
    pub fn change(
        &mut self,
        change: &StateChange,
        at: SystemTime,
        owner: Option<Process>,
        known: &mut Known,
    ) {
        let (from, to) = (state(change.from), state(change.to));
        let is_beginning = change.from == CLOSE || (from, to) == (State::Listen, State::SynRcvd);
        if is_beginning && let Some(lost) = self.live.remove(&change.socket) {
            // Its end was among lost events; the announcement may still tell of it.
            self.end(lost, at, None);
        }
        let is_known = self.live.contains_key(&change.socket);
        if !is_known && self.live.len() >= MOST {
            self.live.retain(|_, track| track.is_ours);
        }
        let track = self.live.entry(change.socket).or_insert_with(|| Track {
            socket: Socket::new(Protocol::Tcp, change.family, from),
            opened: is_beginning.then_some(at),
            is_ours: false,
            holders: vec![],
            events: vec![],
            fin: false,
            is_new: true,
            is_cookie_inherited: false,
            fin_wait_2: None,
        });
        track.meets(change);
        if !is_known
            && !is_beginning
            && let Some(before) = known.take(track.ends())
        {
            track.is(&before);
            track.holders = known.holders(&before);
        }
        if let Some(process) = owner
            && track.holders.iter().all(|(holder, _)| holder.pid != process.pid)
        {
            track.holders.push((process, crate::model::owner::UNKNOWN_FD));
        }
        track.fin |= matches!(to, State::CloseWait | State::Closing);
        if to == State::FinWait2 {
            track.fin_wait_2 = Some(at);
        }
        track.socket.state = to;
        if change.to == CLOSE {
            if let Some(track) = self.live.remove(&change.socket) {
                self.end(track, at, Some(from));
            }
            return;
        }
        track.is_new = true;
        let happening = if is_beginning { Happening::Opened } else { Happening::State };
        let event = track.event(at, happening, Some(from), to);
        track.events.push(event);
    }

    /// A socket closed. `from` is `None` where that was seen later than it happened.
    fn end(&mut self, mut track: Track, at: SystemTime, from: Option<State>) {
        let from = from.unwrap_or(track.socket.state);
        let to = match from {
            State::FinWait2 | State::Closing => Outcome::Unasked,
            _ => Outcome::Gone,
        };
        track.is_new = false;
        let mut ended = Ended { track, at, from, to, is_announced: false, ask: at };
        let place = self.announced.iter().position(|(_, socket)| ended.track.is_meant(socket));
        if let Some(place) = place {
            let (_, socket) = self.announced.swap_remove(place);
            ended.announced(&socket);
        }
        self.ended.push(ended);
    }

    /// This namespace announced the end of a socket. Of what the tracepoint tells of nothing is
    /// given yet; anything else is an event of its own, at once.
    pub fn announced(&mut self, at: SystemTime, socket: Socket, known: &mut Known) {
        if socket.protocol != Protocol::Tcp {
            self.ready.push(known.closed(at, socket, None));
            return;
        }
        let exact = self
            .ended
            .iter_mut()
            .find(|ended| !ended.is_announced && ended.track.is_meant(&socket));
        match exact {
            Some(ended) => ended.announced(&socket),
            None => self.announced.push((at, socket)),
        }
    }

    /// What has to be asked now.
    pub fn questions(&mut self, now: SystemTime) -> Vec<(Question, Identity)> {
        let mut questions = vec![];
        for (address, track) in &mut self.live {
            let is_asked = std::mem::take(&mut track.is_new)
                && (!track.is_ours || track.socket.inode.is_none())
                && track.socket.local.port != 0;
            if is_asked {
                questions.push((Question::Live(*address), track.identity()));
            }
        }
        for (place, ended) in self.ended.iter().enumerate() {
            if ended.to == Outcome::Unasked && ended.ask <= now {
                questions.push((Question::Ended(place), ended.track.identity()));
            }
        }
        questions
    }

    /// What has to be asked now and then.
    pub fn questions_about_orphans(&self) -> Vec<(Question, Identity)> {
        let orphans = self.orphans.iter().enumerate();
        orphans.map(|(place, track)| (Question::Orphan(place), track.identity())).collect()
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
                let Some(ended) = self.ended.get_mut(place) else { return };
                let cookie = ended.track.socket.cookie;
                let is_inherited = ended.track.is_cookie_inherited;
                let is_it = |socket: &Socket| !is_inherited || socket.cookie == cookie;
                ended.to = match found.filter(is_it) {
                    Some(found) if found.is_mini() => {
                        ended.track.is_ours = true;
                        ended.track.socket.timer = found.timer;
                        if !ended.is_announced {
                            ended.track.socket.cookie = found.cookie;
                        }
                        Outcome::Became(found.state)
                    }
                    // Reset, or more than tcp_max_tw_buckets.
                    _ => Outcome::Gone,
                };
            }
            Question::Orphan(_) => {}
        }
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

    /// Whether a socket closed of which nobody announced the end yet.
    pub fn waits(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Live sockets of ours without a holder, to look for.
    pub fn without_holder(&self) -> Vec<Socket> {
        let tracks = self.live.values().chain(self.ended.iter().map(|ended| &ended.track));
        let lack = tracks.filter(|t| t.is_ours && t.holders.is_empty() && t.socket.inode.is_some());
        lack.map(|track| track.socket.clone()).collect()
    }

    /// Holders were found.
    pub fn held(&mut self, holders: impl Fn(&Socket) -> Vec<(Process, u32)>) {
        let ended = self.ended.iter_mut().map(|ended| &mut ended.track);
        for track in self.live.values_mut().chain(ended) {
            if track.is_ours && track.holders.is_empty() {
                track.holders = holders(&track.socket);
            }
        }
    }

    /// The events whose socket is known by now, in the order of their time. With `last` nothing
    /// more will come, and nothing waits.
    pub fn take(&mut self, now: SystemTime, last: bool, known: &mut Known) -> Vec<Event> {
        let is_over =
            |at: SystemTime| last || now.duration_since(at).is_ok_and(|waited| waited >= GRACE);
        for track in self.live.values_mut().filter(|track| track.is_ours) {
            track.give(&mut self.ready);
        }
        self.settle_ambiguous(&is_over);
        let mut waiting = vec![];
        for mut ended in std::mem::take(&mut self.ended) {
            let is_asked = ended.to != Outcome::Unasked;
            let is_settled = ended.is_announced && is_asked;
            if !(is_settled || is_over(ended.at)) {
                if ended.track.is_ours {
                    ended.track.give(&mut self.ready);
                }
                waiting.push(ended);
                continue;
            }
            // The last moments of an orphan: most are in TIME_WAIT by the next look.
            if ended.to == Outcome::Became(State::FinWait2) && !is_over(ended.at) {
                ended.to = Outcome::Unasked;
                ended.ask = now + AGAIN;
                waiting.push(ended);
                continue;
            }
            if !ended.track.is_ours {
                self.foreign += 1;
                continue;
            }
            let orphan = ended.give(&mut self.ready);
            self.orphans.extend(orphan.filter(|_| self.orphans.len() < MOST_ORPHANS));
        }
        self.ended = waiting;
        // Announced, and nobody told of it before: it never had a state worth telling, or the
        // tracepoint lost it.
        for (at, socket) in std::mem::take(&mut self.announced) {
            if !is_over(at) {
                self.announced.push((at, socket));
            } else if let Some(track) = self.take_by_cookie(socket.cookie) {
                self.end(track, at, None);
                self.announced.push((at, socket));
            } else if known.has(&socket) {
                self.ready.push(known.closed(at, socket, None));
            }
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_by_key(|event| event.at);
        ready
    }

    fn take_by_cookie(&mut self, cookie: Option<u64>) -> Option<Track> {
        let is_it = |track: &Track| cookie.is_some() && track.socket.cookie == cookie;
        let address = *self.live.iter().find(|(_, track)| is_it(track))?.0;
        self.live.remove(&address)
    }

    /// After a reset by SO_LINGER or a failed connection the announcement lacks the peer's port, and
    /// the own address where it was not bound. Where as many sockets with the rest of it closed as were announced, they are
    /// those; what each sent is known only where it was one.
    fn settle_ambiguous(&mut self, is_over: &dyn Fn(SystemTime) -> bool) {
        let mut alike: HashMap<(u16, IpAddr), Vec<usize>> = HashMap::new();
        for (place, (_, socket)) in self.announced.iter().enumerate() {
            let is_bare = socket.remote.port == 0 && !socket.remote.is_wildcard();
            if is_bare && socket.local.port != 0 {
                let known = (socket.local.port, socket.remote.address);
                alike.entry(known).or_default().push(place);
            }
        }
        let mut used = vec![];
        for ((port, peer), places) in alike {
            let mut closed: Vec<&mut Ended> = self
                .ended
                .iter_mut()
                .filter(|ended| {
                    let socket = &ended.track.socket;
                    let has_ends = socket.local.port == port && socket.remote.address == peer;
                    !ended.is_announced && has_ends && socket.remote.port != 0
                })
                .collect();
            match (places.as_slice(), closed.as_mut_slice()) {
                ([place], [ended]) => {
                    if let Some((_, socket)) = self.announced.get(*place) {
                        let ends = ended.track.ends();
                        ended.announced(socket);
                        (ended.track.socket.local, ended.track.socket.remote) = ends;
                        used.push(*place);
                    }
                }
                (places, closed) if !closed.is_empty() => {
                    // More may come; the oldest wait no longer than they have to.
                    let due = closed.first().is_some_and(|ended| is_over(ended.at));
                    if places.len() >= closed.len() || due {
                        for (ended, place) in closed.iter_mut().zip(places) {
                            ended.is_announced = true;
                            ended.track.is_ours = true;
                            used.push(*place);
                        }
                    }
                }
                _ => {}
            }
        }
        used.sort_unstable();
        for place in used.into_iter().rev() {
            self.announced.swap_remove(place);
        }
    }
}

impl Track {
    fn ends(&self) -> Ends {
        (self.socket.local, self.socket.remote)
    }

    fn identity(&self) -> Identity {
        Identity { cookie: None, ..Identity::of(&self.socket) }
    }

    /// Whether an announcement is about it: by cookie where that is known, else by both ends.
    fn is_meant(&self, announced: &Socket) -> bool {
        match self.socket.cookie.filter(|_| self.is_cookie_inherited) {
            Some(cookie) => announced.cookie == Some(cookie),
            None => self.ends() == (announced.local, announced.remote),
        }
    }

    /// Takes the ends from a change, as far as it tells them: at first it lacks the local port, of a
    /// child the peer's address, and after a reset both.
    fn meets(&mut self, change: &StateChange) {
        if change.to == CLOSE && self.socket.local.port != 0 && self.socket.remote.port != 0 {
            return;
        }
        if change.local.port != 0 || self.socket.local.port == 0 {
            self.socket.local = change.local;
        }
        if change.remote.port != 0 || self.socket.remote.port == 0 {
            self.socket.remote = change.remote;
        }
    }

    /// The table has it, or the mini-socket that took its place meanwhile.
    fn is(&mut self, found: &Socket) {
        self.is_ours = true;
        if found.is_mini() {
            return;
        }
        self.is_cookie_inherited = found.cookie.is_some();
        self.socket.cookie = found.cookie;
        self.socket.inode = found.inode.or(self.socket.inode);
        self.socket.uid = found.uid.or(self.socket.uid);
        self.socket.cgroup_id = found.cgroup_id.or(self.socket.cgroup_id);
        self.socket.interface = found.interface;
    }

    fn event(&self, at: SystemTime, happening: Happening, from: Option<State>, to: State) -> Event {
        Event {
            at,
            happening,
            source: EventSource::Tracepoint,
            from,
            to: Some(to),
            socket: Some(Socket { state: to, ..self.socket.clone() }),
            holders: self.holders.clone(),
            lifetime: None,
            fin_received: Some(self.fin),
        }
    }

    /// Gives the events, with what was learnt of the socket since.
    fn give(&mut self, ready: &mut Vec<Event>) {
        for mut event in self.events.drain(..) {
            if let Some(socket) = &mut event.socket {
                (socket.local, socket.remote) = (self.socket.local, self.socket.remote);
                socket.cookie = self.socket.cookie;
                socket.inode = self.socket.inode;
                socket.uid = self.socket.uid;
                socket.cgroup_id = self.socket.cgroup_id;
                socket.interface = self.socket.interface;
            }
            event.holders.clone_from(&self.holders);
            ready.push(event);
        }
    }
}

impl Ended {
    fn announced(&mut self, socket: &Socket) {
        self.is_announced = true;
        let fin = self.from == State::FinWait2 && self.is_fin_counted(socket);
        let track = &mut self.track;
        track.is_ours = true;
        track.socket.cookie = socket.cookie;
        track.socket.interface = socket.interface;
        track.socket.tcp_info.clone_from(&socket.tcp_info);
        track.fin |= fin;
    }

    /// Whether the peer's FIN came to the whole socket, so that it is among the received bytes, or
    /// to the mini-socket after it. What a process cannot read any more is unread: if it closed,
    /// that is the FIN. If nothing is unread, a process that closed left an orphan, which becomes a
    /// mini-socket in the moment its own FIN is acknowledged (`tcp_rcv_state_process`); one that
    /// lasted longer in FIN_WAIT_2 was kept open, and ended by the FIN, which the process has read.
    fn is_fin_counted(&self, announced: &Socket) -> bool {
        if matches!(announced.queues, Queues::Data { recv: 1.., .. }) {
            return true;
        }
        let lasted = self.track.fin_wait_2.and_then(|since| self.at.duration_since(since).ok());
        lasted.is_some_and(|lasted| lasted >= MOMENT) && self.to != Outcome::Became(State::FinWait2)
    }

    /// Gives what is left of its events and the last; a socket that is an orphan now is given back.
    fn give(mut self, ready: &mut Vec<Event>) -> Option<Track> {
        let to = match self.to {
            Outcome::Became(state) => state,
            Outcome::Gone | Outcome::Unasked => State::Closed,
        };
        let info = self.track.socket.tcp_info.take();
        let timer = self.track.socket.timer.take();
        self.track.give(ready);
        self.track.socket.tcp_info = info;
        self.track.socket.timer = timer;
        let mut event = self.track.event(self.at, Happening::Closed, Some(self.from), to);
        event.lifetime = self.track.opened.and_then(|opened| self.at.duration_since(opened).ok());
        ready.push(event);
        (to == State::FinWait2).then_some(self.track)
    }
}

/// The documented state of the kernel's number; CLOSE of a TCP socket is CLOSED here.
fn state(number: u8) -> State {
    match number {
        CLOSE => State::Closed,
        other => State::from_kernel(Protocol::Tcp, other),
    }
}
