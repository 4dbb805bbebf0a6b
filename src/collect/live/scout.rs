//! The look-up of owners beside the rounds: on a host with a million descriptors it takes seconds,
//! and the screen is not to wait for it.

use super::refresh::Found;
use crate::{
    kernel::{
        owners::{self, Wanted},
        proc::root::Root,
    },
    model::owner::{Owners, Unowned},
};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// A look-up is not begun again before so many times its own length have passed: it takes at most
/// a twentieth of a processor.
const REST: u32 = 20;
/// And not before this.
const LEAST: Duration = Duration::from_secs(1);

/// What a look-up gave, and how long it took.
struct Answer {
    found: Found,
    cost: Duration,
}

/// Looks owners up on a thread of its own, one look-up at a time.
pub struct Scout {
    ask: Sender<Wanted>,
    answers: Receiver<Answer>,
    may_use_bpf: bool,
    away: bool,
    next: Instant,
}

impl Scout {
    /// Starts the thread, in the namespace of the calling one.
    pub fn start(root: Root, may_use_bpf: bool) -> Self {
        let (ask, asked) = channel::<Wanted>();
        let (tell, answers) = channel();
        // It ends with the channel. Without a thread nobody is named, and that is said.
        let _ = thread::Builder::new().name("owners".to_owned()).spawn(move || {
            for wanted in asked {
                let start = Instant::now();
                let owners = owners::look_up(&root, &wanted).map_or_else(
                    |_| Owners::default().finished(Some(Unowned::Permission)),
                    |found| found.owners,
                );
                let asked = wanted.inodes.map(Arc::new);
                let found = Found { asked, owners: Arc::new(owners) };
                if tell.send(Answer { found, cost: start.elapsed() }).is_err() {
                    break;
                }
            }
        });
        Self { ask, answers, may_use_bpf, away: false, next: Instant::now() }
    }

    /// Whether a look-up may begin now.
    pub fn is_free(&self) -> bool {
        !self.away && Instant::now() >= self.next
    }

    /// Begins one: of these inodes, or of every socket of the host.
    pub fn send(&mut self, inodes: Option<HashSet<u64>>, netns: Option<u64>) {
        let wanted =
            Wanted { inodes, netns, deadline: None, may_use_bpf: self.may_use_bpf, progress: None };
        self.away = self.ask.send(wanted).is_ok();
    }

    /// What it found, if it is back, or will be within `patience`.
    pub fn found(&mut self, patience: Duration) -> Option<Found> {
        if !self.away {
            return None;
        }
        let Answer { found, cost } = self.answers.recv_timeout(patience).ok()?;
        self.away = false;
        self.next = Instant::now() + (cost * REST).max(LEAST);
        Some(found)
    }
}
