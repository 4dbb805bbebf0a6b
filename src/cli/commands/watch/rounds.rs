//! The thread that asks the kernel, and what it is told.

use super::wake::Wake;
use crate::{
    collect::live::{collector::Collector, entry::Entry, question::Question, refresh::Refresh},
    kernel::error::Error,
};
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

/// After a round nothing is asked for so many times its own length: on any machine at most a
/// fifth of a processor.
const REST: u32 = 4;

/// What the loop wants of the thread that asks the kernel.
pub enum Order {
    /// This at the next round.
    Ask(Box<Question>),
    /// This now.
    Round(Box<Question>),
    /// Only what is on the screen of this, now.
    Glance(Box<Question>),
    /// The end of this socket.
    Close(Box<Entry>),
    /// At this interval.
    Every(Duration),
    /// Nothing until it is taken back.
    Pause(bool),
}

/// Asks until the loop is gone: one round, then it waits until that has been shown.
pub fn ask(first: Question, every: Duration, orders: &Receiver<Order>, wake: &Sender<Wake>) {
    let start = Instant::now();
    let root = first.query.root.clone();
    let mut collector = Collector::new(&root, first.query.source, start);
    let (mut question, mut every) = (first, every);
    let (mut due, mut last) = (start, start);
    let (mut shown, mut paused, mut glance) = (true, false, false);
    loop {
        let wait = due.saturating_duration_since(Instant::now());
        let order = if paused || !shown {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else if wait.is_zero() && !glance {
            orders.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else if glance {
            orders.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else {
            orders.recv_timeout(wait)
        };
        match order {
            Ok(Order::Ask(next)) => (question, shown) = (*next, true),
            Ok(Order::Round(next)) => {
                (question, shown) = (*next, true);
                due = Instant::now();
                if paused {
                    // A filter is answered also while it is paused, once.
                    if !tell(wake, collector.round(&question)) {
                        return;
                    }
                    shown = false;
                }
            }
            Ok(Order::Glance(next)) => (question, shown, glance) = (*next, true, !paused),
            Ok(Order::Close(entry)) => {
                if wake.send(Wake::Closed(collector.close(&entry))).is_err() {
                    return;
                }
            }
            Ok(Order::Every(next)) => {
                every = next;
                due = last + every;
            }
            Ok(Order::Pause(next)) => {
                paused = next;
                due = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => return,
            // Nothing more has been asked: now it is time.
            Err(RecvTimeoutError::Timeout) if due <= Instant::now() => {
                last = Instant::now();
                let refresh = collector.round(&question);
                due = last + every.max(last.elapsed() * (REST + 1));
                (shown, glance) = (false, false);
                if !tell(wake, refresh) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if std::mem::take(&mut glance) {
                    shown = false;
                    if !tell(wake, Ok(collector.glance(&question))) {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether the loop is still there to be told.
fn tell(wake: &Sender<Wake>, refresh: Result<Refresh, Error>) -> bool {
    wake.send(Wake::Round(refresh.map(Box::new))).is_ok()
}
