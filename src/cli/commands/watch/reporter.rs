//! The thread that makes reports beside the rounds, and the alerts that come of them.

use super::wake::Wake;
use crate::{
    collect::{
        query::{Query, Scope},
        snapshot,
    },
    doctor::{diagnosis, rules::RULES},
    field::need::Need,
    model::{
        counters::{Counters, Sample},
        protocol::Protocol,
        snapshot::{Alive, Snapshot},
        state::StateSet,
    },
    report::{capacity::estimate::Estimate, time_wait},
    view::watch::alert::{self, Alert, Growth, Level},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    thread,
    time::{Duration, Instant},
};

/// Before the first round.
pub const UNKNOWN: usize = usize::MAX;
/// How often it is looked whether that has come.
const FIRST: Duration = Duration::from_millis(50);
/// The reports are made no more often than this, and take at most a fiftieth of a processor.
const REPORTS: Duration = Duration::from_secs(10);
const REPORTS_REST: u32 = 50;
/// How long owners may take for a report.
const OWNERS: Duration = Duration::from_secs(2);
/// Above so many sockets no reports are made: each keeps some 500 bytes of a socket for a moment.
const REPORTED: usize = 300_000;

/// The thread that makes reports, seldom.
pub struct Reporter {
    /// Where to look.
    pub query: Query,
    /// Whether nothing is to be asked.
    pub paused: Arc<AtomicBool>,
    /// Sockets of the last round, [`UNKNOWN`] before the first.
    pub sockets: Arc<AtomicUsize>,
    /// Who is told.
    pub wake: Sender<Wake>,
}

impl Reporter {
    /// Makes them until the loop is gone.
    pub fn run(mut self) {
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
            thread::sleep(FIRST);
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
            let (cookie, inode) = (socket.cookie()?, socket.inode()?);
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
pub fn reports(snapshot: &Snapshot, growth: &mut Growth, now: Duration) -> Vec<Alert> {
    let closes = time_wait::of(snapshot, None);
    let estimate = Estimate::of(snapshot, None, &[]).ok();
    // Rules that ask for more than such a snapshot has are left out.
    let diagnosis = diagnosis::examine(snapshot, None, RULES, &diagnosis::Plan::default());
    alert::alerts(&closes, estimate.as_ref(), &diagnosis, growth, now)
}
