//! What signals say to a screen: to end, to step aside, to come back.

use crate::cli::interrupt;
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGTERM, SIGTSTP},
    flag,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How the loop ends.
pub enum End {
    /// The screen was left.
    Left,
    /// As an interrupt does.
    Interrupted,
    /// By this signal.
    Signal(i32),
}

/// What signals said.
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    ends: Vec<(i32, Arc<AtomicBool>)>,
    /// To step aside.
    pub stop: Arc<AtomicBool>,
    /// To come back.
    pub continued: Arc<AtomicBool>,
}

impl Signals {
    /// Listens to them.
    pub fn listen() -> Self {
        let on = |signal| {
            let told = Arc::new(AtomicBool::new(false));
            let _ = flag::register(signal, Arc::clone(&told));
            told
        };
        Self {
            interrupted: interrupt::is_told(),
            ends: [SIGTERM, SIGHUP].map(|signal| (signal, on(signal))).to_vec(),
            stop: on(SIGTSTP),
            continued: on(SIGCONT),
        }
    }

    /// Whether it is to end, and how.
    pub fn end(&self) -> Option<End> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Some(End::Interrupted);
        }
        let sent = self.ends.iter().find(|(_, told)| told.load(Ordering::SeqCst));
        sent.map(|(signal, _)| End::Signal(*signal))
    }
}
