//! What the ledger makes of what it is told, without a kernel.

use super::{known::Known, ledger::Ledger};
use crate::{
    kernel::tracefs::state_change::{CLOSE, StateChange},
    model::{
        endpoint::Endpoint,
        event::{Event, Happening, Loss},
        protocol::{Family, Protocol},
        socket::Socket,
        state::State,
    },
};
use std::time::{Duration, SystemTime};

const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;
const FIN_WAIT1: u8 = 4;
const LAST_ACK: u8 = 9;
const CLOSE_WAIT: u8 = 8;

fn end(port: u16) -> Endpoint {
    Endpoint::new([10, 0, 0, 1].into(), port)
}

fn socket(cookie: u64, port: u16, state: State) -> Socket {
    Socket {
        cookie: Some(cookie),
        local: end(port),
        remote: end(443),
        ..Socket::new(Protocol::Tcp, Family::Ipv4, state)
    }
}

/// A ledger and its clock, in milliseconds.
#[derive(Default)]
struct Story {
    ledger: Ledger,
    known: Known,
    now: u64,
}

impl Story {
    fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.now)
    }

    /// A socket at an address goes from one state to another.
    fn change(&mut self, address: u64, port: u16, from: u8, to: u8) -> &mut Self {
        let change = StateChange {
            at_ns: 0,
            task: 0,
            is_interrupt: true,
            socket: address,
            family: Family::Ipv4,
            from,
            to,
            local: end(port),
            remote: end(443),
        };
        self.now += 1;
        self.ledger.change(&change, (self.time(), self.time()), None, &mut self.known);
        self
    }

    /// One that connects and is closed by its peer at once: five changes.
    fn short(&mut self, address: u64, port: u16) -> &mut Self {
        self.change(address, 0, CLOSE, SYN_SENT)
            .change(address, port, SYN_SENT, ESTABLISHED)
            .change(address, port, ESTABLISHED, CLOSE_WAIT)
            .change(address, port, CLOSE_WAIT, LAST_ACK)
            .change(address, port, LAST_ACK, CLOSE)
    }

    fn announced(&mut self, socket: Socket) -> &mut Self {
        let now = self.time();
        self.ledger.announced(now, socket, &mut self.known);
        self
    }

    /// What is told after some time.
    fn after(&mut self, milliseconds: u64) -> Vec<Event> {
        self.now += milliseconds;
        let now = self.time();
        self.ledger.take(now, false, &mut self.known)
    }
}

fn told(events: &[Event]) -> String {
    let word = |event: &Event| event.to.map_or("missed", State::name);
    events.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_socket_whose_announcement_comes_late_is_told_whole() {
    let mut story = Story::default();
    assert_eq!(told(&story.short(1, 1000).after(4000)), "");
    let events = story.announced(socket(7, 1000, State::Closed)).after(1);
    assert_eq!(told(&events), "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    assert!(events.iter().all(|event| event.socket.as_ref().unwrap().cookie == Some(7)));
    // The kernel is that slow now: the next one may take longer.
    assert_eq!(told(&story.short(2, 1001).after(8000)), "");
    let events = story.announced(socket(8, 1001, State::Closed)).after(1);
    assert_eq!(events.len(), 5);
}

#[test]
fn what_nobody_announces_is_of_another_namespace_unless_announcements_were_lost() {
    let mut story = Story::default();
    assert_eq!(told(&story.short(1, 1000).after(6000)), "");
    story.short(2, 1001);
    let now = story.time();
    story.ledger.overrun(now);
    let missed = story.after(6000);
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].happening, Happening::Missed(Some(5), Loss::Unassigned));
    // What was lost before it closed does not concern it.
    assert_eq!(told(&story.short(3, 1002).after(6000)), "");
}

#[test]
fn a_live_socket_that_the_whole_table_does_not_have_is_of_another_namespace() {
    let mut story = Story::default();
    story.change(1, 0, CLOSE, SYN_SENT).change(1, 1000, SYN_SENT, ESTABLISHED);
    story.change(2, 0, CLOSE, SYN_SENT).change(2, 1001, SYN_SENT, ESTABLISHED);
    assert_eq!(told(&story.after(2000)), "");
    let now = story.time();
    assert!(story.ledger.has_overdue(now));
    story.ledger.looked((now, now), &[socket(7, 1000, State::Established)]);
    assert_eq!(told(&story.after(1)), "SYN_SENT ESTABLISHED", "the one that is there");
    story.change(2, 1001, ESTABLISHED, FIN_WAIT1).change(2, 1001, FIN_WAIT1, CLOSE);
    let now = story.time();
    story.ledger.overrun(now);
    assert_eq!(told(&story.after(6000)), "", "nor can it be among the lost");
}

#[test]
fn a_socket_that_still_connects_is_found_without_its_port() {
    let mut story = Story::default();
    story.change(1, 0, CLOSE, SYN_SENT);
    assert_eq!(told(&story.after(2000)), "");
    let now = story.time();
    story.ledger.looked((now, now), &[socket(7, 1000, State::SynSent)]);
    let events = story.after(1);
    assert_eq!(told(&events), "SYN_SENT");
    assert_eq!(events[0].socket.as_ref().unwrap().local.port, 1000);
}

#[test]
fn a_socket_that_its_process_keeps_after_a_reset_is_told_once() {
    let mut story = Story::default();
    story.change(1, 0, CLOSE, SYN_SENT).change(1, 1000, SYN_SENT, ESTABLISHED);
    let now = story.time();
    for (question, _) in story.ledger.questions(now) {
        story.ledger.answer(question, Some(socket(7, 1000, State::Established)));
    }
    assert_eq!(told(&story.after(1)), "SYN_SENT ESTABLISHED");
    story.change(1, 1000, ESTABLISHED, CLOSE);
    assert_eq!(told(&story.after(1500)), "CLOSED");
    assert_eq!(told(&story.announced(socket(7, 1000, State::Closed)).after(3000)), "");
    // An announcement that nothing fits is told: the tracepoint lost the rest.
    assert_eq!(told(&story.announced(socket(8, 1001, State::Closed)).after(3000)), "CLOSED");
}
