//! Events as they happen, from whatever this program may listen to.
//!
//! | source | privilege | sees | does not see |
//! |---|---|---|---|
//! | tracepoint | root | every change of TCP states, at its time | SYN_RCVD before the handshake is done, the end of TIME_WAIT, the namespace, other protocols |
//! | destroy | none | the end of every TCP and UDP socket, with its totals | anything before, the end of TIME_WAIT |
//! | poll | none | what is different between two looks | what came and went in between |

pub mod callers;
pub mod ended;
pub mod known;
pub mod ledger;
pub mod track;
pub mod waiting;

#[cfg(test)]
mod tests;

use super::{list::Failure, look, owners, query::Query, surroundings::Surroundings};
use crate::{
    field::row::Row,
    kernel::{
        error::Error,
        sock_diag::{
            destroyed::Destroyed,
            exact::{Identity, Inquiry},
        },
        tracefs::{
            instance::{self, Instance},
            new_task::NewTask,
            state_change::StateChange,
        },
    },
    model::{
        event::{Event, Loss},
        gap::Gap,
        netns::NetnsIndex,
        protocol::Protocol,
        socket::Socket,
    },
};
use callers::Callers;
use known::Known;
use ledger::Ledger;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    io, thread,
    time::{Duration, Instant, SystemTime},
};

/// From the first record to reading it and what came with it: the shorter, the more sockets are
/// still there to be asked about.
const BATCH: Duration = Duration::from_millis(10);
/// How often what waits is looked through though nothing happens.
const TICK: Duration = Duration::from_millis(200);
/// Of the time, one part in so many is for looking for owners.
const OWNERS_SHARE: u32 = 10;
/// Between two looks at the whole table for sockets that were not found one by one, and of the time
/// one part in so many for them.
const LOOKS: Duration = Duration::from_secs(2);
const LOOKS_SHARE: u32 = 20;

/// Which sources to listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The tracepoint, or without the right to it announcements and looks.
    Auto,
    /// The tracepoint, with the announcements for the totals.
    Tracepoint,
    /// The announcements alone, as `ss -E`.
    Destroy,
    /// Looks at the table alone.
    Poll,
}

/// What an instance recorded.
enum Record {
    Change(StateChange),
    Task(NewTask),
}

impl Record {
    const fn at_ns(&self) -> u64 {
        match self {
            Self::Change(change) => change.at_ns,
            Self::Task(task) => task.at_ns,
        }
    }
}

/// A running trace.
pub struct Tracer<'q> {
    query: &'q Query,
    surroundings: Surroundings<'q>,
    tracepoint: Option<Instance<StateChange>>,
    /// Where it is refused, owners that have ended are not known.
    tasks: Option<Instance<NewTask>>,
    destroyed: Option<Destroyed>,
    inquiry: Option<Inquiry>,
    /// Time between two looks; `None`: there is only the first.
    every: Option<Duration>,
    next_look: Instant,
    next_owners: Instant,
    next_orphans: Instant,
    next_overdue: Instant,
    ledger: Ledger,
    known: Known,
    /// What was read ahead of others.
    held: Vec<Record>,
    callers: Callers<'q>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

impl<'q> Tracer<'q> {
    /// Begins to listen, in the calling thread's network namespace; `everything` is the query
    /// without its filter, for looks at the table every so often.
    pub fn open(
        query: &'q Query,
        everything: &Query,
        choice: Choice,
        every: Duration,
    ) -> Result<Self, Failure> {
        let mut gaps = vec![];
        // Before the changes, so that every task that makes one is known.
        let tasks = match choice {
            Choice::Destroy | Choice::Poll => None,
            Choice::Auto | Choice::Tracepoint => Instance::start().ok(),
        };
        let tracepoint = match choice {
            Choice::Destroy | Choice::Poll => None,
            Choice::Tracepoint => Some(Instance::start()?),
            Choice::Auto => Instance::start().map_err(|error| gaps.push(refused(&error))).ok(),
        };
        let destroyed = match choice {
            Choice::Poll => None,
            Choice::Auto if tracepoint.is_none() => Destroyed::subscribe()
                .map_err(|error| {
                    gaps.push(Gap::new(
                        "announcements-refused",
                        format!("sockets that come and go between two looks are not seen: {error}"),
                        "allow AF_NETLINK in the seccomp or LSM profile",
                    ));
                })
                .ok(),
            _ => Some(Destroyed::subscribe()?),
        };
        let looks = choice == Choice::Poll || (choice == Choice::Auto && tracepoint.is_none());
        let mut tracer = Self {
            query,
            surroundings: Surroundings::of(query),
            inquiry: if destroyed.is_some() { Some(Inquiry::open()?) } else { None },
            tasks,
            tracepoint,
            destroyed,
            every: looks.then_some(every),
            next_look: Instant::now() + every,
            next_owners: Instant::now(),
            next_orphans: Instant::now(),
            next_overdue: Instant::now() + LOOKS,
            ledger: Ledger::default(),
            known: Known::default(),
            held: vec![],
            callers: Callers::new(&query.root),
            gaps,
        };
        tracer.surroundings.context.is_event = true;
        // After the subscriptions: what changes from here on is told.
        let sockets = look(everything)?;
        tracer.known.look(SystemTime::now(), sockets);
        tracer.look_for_owners();
        Ok(tracer)
    }

    /// Waits for something to happen, at most until `until`, and hands what is known to `each`.
    pub fn step(
        &mut self,
        everything: &Query,
        until: Instant,
        each: &mut dyn FnMut(&Event, Option<Row<'_>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.wait(until.min(Instant::now() + TICK));
        let mut events = vec![];
        self.listen(&mut events, false)?;
        if self.every.is_some() && Instant::now() >= self.next_look {
            self.next_look = Instant::now() + self.every.unwrap_or_default();
            let sockets = look(everything)?;
            // What ended before the look has been announced.
            self.announcements(&mut events)?;
            events.extend(self.known.look(SystemTime::now(), sockets));
        }
        if Instant::now() >= self.next_overdue {
            self.look_for_overdue(everything)?;
        }
        if Instant::now() >= self.next_owners {
            self.look_for_owners();
        }
        self.give(events, each)
    }

    /// Ends the trace: what happened until now is told, and nothing waits any longer.
    pub fn finish(
        &mut self,
        each: &mut dyn FnMut(&Event, Option<Row<'_>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if let Some(tracepoint) = &self.tracepoint {
            tracepoint.stop();
        }
        let mut events = vec![];
        let begun = Instant::now();
        loop {
            thread::sleep(BATCH);
            self.listen(&mut events, false)?;
            if self.ledger.last_patience().is_none_or(|patience| begun.elapsed() >= patience) {
                break;
            }
        }
        self.listen(&mut events, true)?;
        self.give(events, each)
    }

    /// What could not be seen, and what came of the filter.
    pub fn all_gaps(&self) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        gaps.extend(self.surroundings.gaps());
        gaps
    }

    fn wait(&self, until: Instant) {
        let mut fds: Vec<PollFd<'_>> = vec![];
        if let Some(tracepoint) = &self.tracepoint {
            fds.extend(tracepoint.descriptors().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        }
        if let Some(destroyed) = &self.destroyed {
            fds.push(PollFd::new(destroyed.descriptor(), PollFlags::POLLIN));
        }
        let until = if self.every.is_some() { until.min(self.next_look) } else { until };
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::from(100u8));
        // A signal ends the wait, and the caller looks for it.
        if poll(&mut fds, timeout).is_ok_and(|ready| ready > 0) {
            thread::sleep(BATCH);
        }
    }

    /// Reads what was announced and traced, asks what has to be asked, and gives what is known.
    fn listen(&mut self, events: &mut Vec<Event>, last: bool) -> Result<(), Failure> {
        self.changes(events)?;
        self.announcements(events)?;
        let questions = self.ledger.questions(SystemTime::now());
        for (question, identity) in questions {
            let found = self.ask(identity)?;
            self.ledger.answer(question, found);
        }
        if Instant::now() >= self.next_orphans {
            self.next_orphans = Instant::now() + Duration::from_secs(1);
            let mut found = vec![];
            for identity in self.ledger.questions_about_orphans() {
                found.push(self.ask(identity)?);
            }
            self.ledger.answer_orphans(SystemTime::now(), found);
        }
        events.extend(self.ledger.take(SystemTime::now(), last, &mut self.known));
        Ok(())
    }

    fn ask(&mut self, identity: Identity) -> Result<Option<Socket>, Error> {
        match &mut self.inquiry {
            Some(inquiry) => inquiry.find(identity),
            None => Ok(None),
        }
    }

    /// Reads what was recorded, in the order of its time: what was made before the reading began. The
    /// rest waits, since another CPU may have something earlier that was not read yet.
    fn changes(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(tracepoint) = &mut self.tracepoint else { return Ok(()) };
        let (now, now_ns) = (SystemTime::now(), instance::now_ns());
        let mut records = std::mem::take(&mut self.held);
        let missed = tracepoint.read(|change| records.push(Record::Change(change)))?;
        if missed.counted > 0 || missed.uncounted > 0 {
            let count = (missed.uncounted == 0).then_some(missed.counted);
            events.push(Event::missed(now, count, Loss::Overwritten));
        }
        if let Some(tasks) = &mut self.tasks {
            // Without one that was overwritten /proc tells, or nobody.
            tasks.read(|task| records.push(Record::Task(task)))?;
        }
        records.sort_by_key(Record::at_ns);
        let read = records.partition_point(|record| record.at_ns() <= now_ns);
        self.held = records.split_off(read);
        for record in records {
            match record {
                Record::Task(born) => self.callers.born(&born),
                Record::Change(change) => {
                    let ago = Duration::from_nanos(now_ns.saturating_sub(change.at_ns));
                    let caller = self.callers.of(&change, tracepoint);
                    self.ledger.change(&change, (now - ago, now), caller, &mut self.known);
                }
            }
        }
        Ok(())
    }

    fn announcements(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(destroyed) = &mut self.destroyed else { return Ok(()) };
        let mut announced = vec![];
        let lost = destroyed.receive(|socket| announced.push(socket))?;
        let now = SystemTime::now();
        if lost > 0 {
            self.ledger.overrun(now);
            events.push(Event::missed(now, None, Loss::Overrun));
        }
        for socket in announced {
            if self.tracepoint.is_some() {
                self.ledger.announced(now, socket, &mut self.known);
                continue;
            }
            let left = self.left_of(&socket)?;
            events.push(self.known.closed(now, socket, left.as_ref()));
        }
        Ok(())
    }

    /// What is left of a socket that was announced: a mini-socket in TIME_WAIT or FIN_WAIT_2 with
    /// its ends, if any. Its cookie may be another, see [`ledger`].
    fn left_of(&mut self, socket: &Socket) -> Result<Option<Socket>, Error> {
        if socket.protocol != Protocol::Tcp || socket.remote.port == 0 {
            return Ok(None);
        }
        let identity = Identity { cookie: None, ..Identity::of(socket) };
        Ok(self.ask(identity)?.filter(Socket::is_mini))
    }

    /// Looks at the whole table for sockets that were not found one by one.
    fn look_for_overdue(&mut self, everything: &Query) -> Result<(), Failure> {
        let (start, before) = (Instant::now(), SystemTime::now());
        if self.ledger.has_overdue(before) {
            let sockets = look(everything)?;
            self.ledger.looked((before, SystemTime::now()), &sockets);
        }
        self.next_overdue = Instant::now() + (start.elapsed() * LOOKS_SHARE).max(LOOKS);
        Ok(())
    }

    /// Looks for who holds the sockets that nobody is known to hold, and takes a tenth of the time
    /// for it at most.
    fn look_for_owners(&mut self) {
        let start = Instant::now();
        let mut wanted = self.known.without_holder();
        wanted.extend(self.ledger.without_holder());
        if !wanted.is_empty() {
            let netns = self.surroundings.netns();
            let inodes = wanted.iter().flat_map(owners::inodes);
            let found = owners::look_up_some(self.query, inodes, netns).take_owners();
            let holders = |socket: &Socket| {
                let inode = socket.inode.into_iter();
                inode
                    .flat_map(|inode| found.holders(inode))
                    .map(|(process, fd)| (process.clone(), fd))
                    .collect::<Vec<_>>()
            };
            self.known.held(holders);
            self.ledger.held(holders);
        }
        let took = start.elapsed();
        self.next_owners = Instant::now() + (took * OWNERS_SHARE).max(Duration::from_millis(500));
    }

    /// Hands on what was asked for.
    fn give(
        &mut self,
        mut events: Vec<Event>,
        each: &mut dyn FnMut(&Event, Option<Row<'_>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        events.sort_by_key(|event| event.at);
        for event in &mut events {
            let holders = std::mem::take(&mut event.holders);
            self.surroundings.context.known_holders = holders;
            let is_wanted = event.socket.as_ref().is_none_or(|s| self.surroundings.takes(s));
            if is_wanted {
                let context = &self.surroundings.context;
                let row = event.socket.as_ref().map(|socket| Row { socket, context });
                each(event, row).map_err(Failure::Output)?;
            }
        }
        self.surroundings.context.known_holders.clear();
        Ok(())
    }
}

fn look(query: &Query) -> Result<Vec<Socket>, Failure> {
    let (sockets, _) = look::sockets(NetnsIndex::default(), query)?;
    Ok(sockets)
}

fn refused(error: &Error) -> Gap {
    Gap::new(
        "tracepoint-refused",
        format!("not every change of state is seen: {error}"),
        "run as root; sockets that end are announced, and the table is looked at every second",
    )
}
