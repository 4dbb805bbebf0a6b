//! Sockets as they were seen alive: what an announcement or a later look is compared with, and who
//! held them.

use crate::model::{
    endpoint::Endpoint,
    event::{Event, EventSource, Happening},
    owner::Process,
    queues::Queues,
    socket::Socket,
    state::State,
};
use std::{
    collections::{HashMap, HashSet},
    time::SystemTime,
};

/// A socket that was seen.
#[derive(Debug)]
struct Seen {
    socket: Socket,
    /// When it was first seen; `None`: it was there before the trace began.
    opened: Option<SystemTime>,
    holders: Vec<(Process, u32)>,
}

/// Sockets by cookie, which none without has: /proc tells none.
#[derive(Debug, Default)]
pub struct Known {
    seen: HashMap<u64, Seen>,
    /// Cookies by both ends, of those that are not mini-sockets.
    ends: HashMap<(Endpoint, Endpoint), u64>,
    /// Whether there was a look before.
    is_begun: bool,
}

impl Known {
    /// A look at all there is: what changed since the one before, at this time.
    ///
    /// States between two looks are not seen, and neither is a socket that came and went.
    pub fn look(&mut self, at: SystemTime, sockets: Vec<Socket>) -> Vec<Event> {
        let mut events = vec![];
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let mut there = HashSet::new();
        self.ends.clear();
        for socket in sockets {
            let Some(cookie) = socket.cookie else { continue };
            if !there.insert(cookie) {
                continue;
            }
            if !socket.is_mini() {
                self.ends.insert((socket.local, socket.remote), cookie);
            }
            if let Some(seen) = self.seen.get_mut(&cookie) {
                let from = std::mem::replace(&mut seen.socket, socket).state;
                // What closes as an orphan FIN_WAIT_2 keeps its state.
                if from != seen.socket.state {
                    let is_over = seen.socket.state == State::TimeWait;
                    let happening = if is_over { Happening::Closed } else { Happening::State };
                    events.push(seen.event(at, happening, Some(from)));
                }
                continue;
            }
            let seen = Seen { socket, opened: (!is_first).then_some(at), holders: vec![] };
            if !is_first {
                let is_over = seen.socket.is_mini();
                let happening = if is_over { Happening::Closed } else { Happening::Opened };
                events.push(Event { lifetime: None, ..seen.event(at, happening, None) });
            }
            self.seen.insert(cookie, seen);
        }
        self.seen.retain(|cookie, seen| {
            if there.contains(cookie) {
                return true;
            }
            // The end of TIME_WAIT is no event: nothing ends with it.
            if !seen.socket.is_mini() {
                let from = std::mem::replace(&mut seen.socket.state, State::Closed);
                events.push(seen.event(at, Happening::Closed, Some(from)));
            }
            false
        });
        events
    }

    /// Sockets without a holder, to look for.
    pub fn without_holder(&self) -> Vec<Socket> {
        let lack = self.seen.values().filter(|s| s.holders.is_empty() && s.socket.inode.is_some());
        lack.map(|seen| seen.socket.clone()).collect()
    }

    /// Holders were found.
    pub fn held(&mut self, holders: impl Fn(&Socket) -> Vec<(Process, u32)>) {
        for seen in self.seen.values_mut().filter(|seen| seen.holders.is_empty()) {
            seen.holders = holders(&seen.socket);
        }
    }

    /// The socket that had these ends when it was last looked, once.
    pub fn take(&mut self, ends: (Endpoint, Endpoint)) -> Option<Socket> {
        let cookie = self.ends.remove(&ends)?;
        self.seen.get(&cookie).map(|seen| seen.socket.clone())
    }

    /// Who held a socket.
    pub fn holders(&self, socket: &Socket) -> Vec<(Process, u32)> {
        let seen = socket.cookie.and_then(|cookie| self.seen.get(&cookie));
        seen.map(|seen| seen.holders.clone()).unwrap_or_default()
    }

    /// Whether a socket was seen.
    pub fn has(&self, socket: &Socket) -> bool {
        socket.cookie.is_some_and(|cookie| self.seen.contains_key(&cookie))
    }

    /// A socket was announced to have ended; `left` is the mini-socket that took its place.
    pub fn closed(&mut self, at: SystemTime, mut socket: Socket, left: Option<&Socket>) -> Event {
        let seen = socket.cookie.and_then(|cookie| self.seen.remove(&cookie));
        socket.state = left.map_or(State::Closed, |left| left.state);
        socket.timer = left.and_then(|left| left.timer);
        let queues = std::mem::replace(&mut socket.queues, Queues::Absent);
        let Some(seen) = seen else {
            self.keep(left, vec![]);
            let seen = Seen { socket, opened: None, holders: vec![] };
            return Event {
                source: EventSource::Destroy,
                ..seen.event(at, Happening::Closed, None)
            };
        };
        // After a reset an announcement has neither address nor peer.
        if socket.remote.is_nothing() {
            (socket.local, socket.remote) = (seen.socket.local, seen.socket.remote);
        }
        socket.inode = seen.socket.inode;
        socket.uid = seen.socket.uid;
        socket.cgroup_id = seen.socket.cgroup_id;
        let from = seen.socket.state;
        self.keep(left, seen.holders.clone());
        let seen = Seen { socket, ..seen };
        let event = seen.event(at, Happening::Closed, Some(from));
        // Where the states it went through are not known, what is unread after a close is the FIN.
        let had_fin = from == State::CloseWait || from == State::LastAck;
        let is_unread = left.is_some() && matches!(queues, Queues::Data { recv: 1.., .. });
        let fin = (had_fin || is_unread).then_some(true);
        Event { source: EventSource::Destroy, fin_received: fin, ..event }
    }

    /// Remembers a mini-socket, so that the next look does not tell of it again.
    fn keep(&mut self, left: Option<&Socket>, holders: Vec<(Process, u32)>) {
        if let Some(left) = left
            && let Some(cookie) = left.cookie
        {
            self.seen.insert(cookie, Seen { socket: left.clone(), opened: None, holders });
        }
    }
}

impl Seen {
    fn event(&self, at: SystemTime, happening: Happening, from: Option<State>) -> Event {
        let ended = happening == Happening::Closed;
        let lifetime =
            self.opened.filter(|_| ended).and_then(|opened| at.duration_since(opened).ok());
        Event {
            at,
            happening,
            source: EventSource::Poll,
            from,
            to: Some(self.socket.state),
            socket: Some(self.socket.clone()),
            holders: self.holders.clone(),
            lifetime,
            fin_received: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::protocol::{Family, Protocol};

    fn socket(cookie: u64, state: State) -> Socket {
        Socket {
            cookie: Some(cookie),
            local: Endpoint::new([127, 0, 0, 1].into(), 1000),
            remote: Endpoint::new([127, 0, 0, 1].into(), 80),
            ..Socket::new(Protocol::Tcp, Family::Ipv4, state)
        }
    }

    fn told(events: &[Event]) -> Vec<(Happening, Option<State>, Option<State>)> {
        events.iter().map(|event| (event.happening, event.from, event.to)).collect()
    }

    #[test]
    fn two_looks_tell_what_came_changed_and_went() {
        let at = SystemTime::UNIX_EPOCH;
        let mut known = Known::default();
        let open = State::Established;
        assert!(known.look(at, vec![socket(1, open), socket(2, open), socket(3, open)]).is_empty());
        let second = vec![
            socket(1, open),
            socket(2, State::CloseWait),
            socket(4, open),
            socket(5, State::TimeWait),
        ];
        assert_eq!(
            told(&known.look(at, second.clone())),
            [
                (Happening::State, Some(open), Some(State::CloseWait)),
                (Happening::Opened, None, Some(open)),
                (Happening::Closed, None, Some(State::TimeWait)),
                (Happening::Closed, Some(open), Some(State::Closed)),
            ]
        );
        assert!(known.look(at, second).is_empty());
        // The end of TIME_WAIT is none.
        let last = known.look(at, vec![socket(1, State::TimeWait)]);
        assert_eq!(last.len(), 3, "{last:?}");
        assert!(told(&last).contains(&(Happening::Closed, Some(open), Some(State::TimeWait))));
    }

    #[test]
    fn what_was_announced_is_not_told_again_by_a_look() {
        let at = SystemTime::UNIX_EPOCH;
        let mut known = Known::default();
        known.look(at, vec![socket(1, State::Established), socket(2, State::CloseWait)]);
        let mut reset = socket(1, State::Closed);
        reset.remote = Endpoint::nothing(Family::Ipv4);
        let event = known.closed(at, reset, None);
        assert_eq!(
            told(std::slice::from_ref(&event)),
            [(Happening::Closed, Some(State::Established), Some(State::Closed))]
        );
        assert_eq!(event.socket.unwrap().remote.port, 80, "as it was seen");
        let fin = known.closed(at, socket(2, State::Closed), None);
        assert_eq!(fin.fin_received, Some(true));
        // A cookie made for the announcement is not that of the mini-socket.
        known.closed(at, socket(7, State::Closed), Some(&socket(8, State::TimeWait)));
        assert!(known.look(at, vec![socket(8, State::TimeWait)]).is_empty());
    }
}
