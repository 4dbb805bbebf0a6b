//! A socket that closed, until its end is told: with the totals of its announcement, and as what the
//! table says became of it.

use super::track::{Kin, Track};
use crate::model::{
    event::{Event, Happening},
    queues::Queues,
    socket::Socket,
    state::State,
};
use std::time::{Duration, SystemTime};

/// Two changes of one socket that one packet made.
const MOMENT: Duration = Duration::from_micros(100);

/// What a change to CLOSE was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The end.
    Gone,
    /// Perhaps TIME_WAIT: the table has to be asked.
    Unasked,
    /// What the table said.
    Became(State),
}

/// A socket that closed.
#[derive(Debug)]
pub struct Ended {
    /// The socket.
    pub track: Track,
    /// When.
    pub at: SystemTime,
    /// When this program read it: from here on it waits for the announcement.
    pub read: SystemTime,
    /// From which state.
    pub from: State,
    /// To what.
    pub to: Outcome,
    /// Whether its end was announced.
    pub is_announced: bool,
    /// When to ask what became of it.
    pub ask: SystemTime,
}

impl Ended {
    /// Of a track, which was in this state until then.
    pub fn new(track: Track, at: SystemTime, read: SystemTime, from: State) -> Self {
        let to = match from {
            State::FinWait2 | State::Closing => Outcome::Unasked,
            _ => Outcome::Gone,
        };
        Self { track, at, read, from, to, is_announced: false, ask: at }
    }

    /// Its announcement came.
    pub fn announced(&mut self, socket: &Socket) {
        self.is_announced = true;
        let fin = self.from == State::FinWait2 && self.is_fin_counted(socket);
        let track = &mut self.track;
        track.kin = Kin::Ours;
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

    /// The table's answer to what became of it.
    pub fn answered(&mut self, found: Option<Socket>) {
        let cookie = self.track.marks().cookie;
        let is_it = |socket: &Socket| cookie.is_none() || socket.cookie == cookie;
        self.to = match found.filter(is_it) {
            Some(found) if found.is_mini() => {
                self.track.kin = Kin::Ours;
                self.track.socket.timer = found.timer;
                if !self.is_announced {
                    self.track.socket.cookie = found.cookie;
                }
                Outcome::Became(found.state)
            }
            // Reset, or more than tcp_max_tw_buckets.
            _ => Outcome::Gone,
        };
    }

    /// How many changes of it are not told.
    pub fn untold(&self) -> u64 {
        self.track.events.len() as u64 + 1
    }

    /// Gives what is left of its events and the last; a socket that is an orphan now is given back.
    pub fn give(mut self, ready: &mut Vec<Event>) -> Option<Track> {
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
