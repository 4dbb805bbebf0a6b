//! What changed between two rounds, as events.

use super::entry::{ByKey, Entry};
use crate::model::{
    event::{Event, EventSource, Happening},
    socket::Socket,
    state::State,
};
use std::time::{Duration, SystemTime};

/// A socket that was there at the last round.
#[derive(Debug, Clone, Copy)]
struct Seen {
    entry: Entry,
    /// When its opening was seen. `None`: it was there before.
    opened: Option<Duration>,
    round: u32,
}

/// Compares each round with the one before.
#[derive(Debug, Default)]
pub struct Changes {
    seen: ByKey<Seen>,
    round: u32,
}

impl Changes {
    /// Whether no round was taken yet.
    pub const fn is_empty(&self) -> bool {
        self.round == 0
    }

    /// Takes a round, so long after the first; gives what happened, what is gone first. The first
    /// round is what there is, and nothing has happened.
    pub fn follow(&mut self, entries: &[Entry], at: Duration, time: SystemTime) -> Vec<Event> {
        let first = self.round == 0;
        self.round += 1;
        let round = self.round;
        let mut come = vec![];
        for entry in entries {
            let event = |happening, from| {
                let to = Some(entry.state);
                Event { from, to, ..seen(time, happening, entry.socket()) }
            };
            if let Some(seen) = self.seen.get_mut(&entry.key) {
                let from: State = seen.entry.state;
                if from != entry.state {
                    come.push(event(Happening::State, Some(from)));
                }
                (seen.entry, seen.round) = (*entry, round);
                continue;
            }
            let opened = (!first).then_some(at);
            self.seen.insert(entry.key, Seen { entry: *entry, opened, round });
            if !first {
                come.push(event(Happening::Opened, None));
            }
        }
        let mut events = vec![];
        self.seen.retain(|_, seen| {
            if seen.round != round {
                events.push(Event {
                    from: Some(seen.entry.state),
                    lifetime: seen.opened.map(|opened| at.saturating_sub(opened)),
                    ..self::seen(time, Happening::Closed, seen.entry.socket())
                });
            }
            seen.round == round
        });
        // Maps have no order: as the kernel counted them.
        events.sort_by_key(|event| event.socket.as_ref().and_then(|socket| socket.cookie));
        events.extend(come);
        events
    }
}

/// What two rounds tell apart.
fn seen(at: SystemTime, happening: Happening, socket: Socket) -> Event {
    Event {
        at,
        happening,
        source: EventSource::Poll,
        from: None,
        to: None,
        socket: Some(socket),
        holders: vec![],
        lifetime: None,
        fin_received: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::protocol::{Family, Protocol};

    fn entries(sockets: &[(u64, State)]) -> Vec<Entry> {
        let entry = |(cookie, state): &(u64, State)| {
            let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, *state);
            socket.cookie = Some(*cookie);
            Entry::of(&socket, Some(1))
        };
        sockets.iter().map(entry).collect()
    }

    #[test]
    fn what_comes_changes_and_goes_is_told_once() {
        use State::{CloseWait, Established, Listen};
        let mut changes = Changes::default();
        let mut follow = |second, sockets: &[(u64, State)]| -> Vec<_> {
            let at = Duration::from_secs(second);
            let events = changes.follow(&entries(sockets), at, SystemTime::UNIX_EPOCH);
            let told = |e: Event| {
                (
                    e.socket.unwrap().cookie.unwrap(),
                    e.happening,
                    e.from,
                    e.lifetime.map(|l| l.as_secs()),
                )
            };
            events.into_iter().map(told).collect()
        };
        assert_eq!(follow(0, &[(1, Listen), (2, Established)]), []);
        let came = follow(1, &[(1, Listen), (2, CloseWait), (3, Established)]);
        let second = (2, Happening::State, Some(Established), None);
        assert_eq!(came, [second, (3, Happening::Opened, None, None)]);
        let went = follow(5, &[(1, Listen)]);
        let closed = Happening::Closed;
        assert_eq!(
            went,
            [(2, closed, Some(CloseWait), None), (3, closed, Some(Established), Some(4))]
        );
        assert_eq!(follow(6, &[(1, Listen)]), []);
    }
}
