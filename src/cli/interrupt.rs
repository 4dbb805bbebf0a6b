//! Signals that end the program: at once, unless a command has something to put in order first.

use super::exit::Exit;
use crate::kernel::proc::{process, root::Root};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag, low_level,
};
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// Whether an interrupt ends the program.
static ENDS: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
/// The signal that came while one was only noted; 0: none.
static NOTED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// From now on it does, with the code a shell would show for the signal.
pub fn ends_the_program() {
    let code = i32::from(Exit::Interrupted.code());
    let _ = flag::register_conditional_shutdown(SIGINT, code, Arc::clone(&ENDS));
}

/// From now on it only sets the flag that this gives.
pub fn is_told() -> Arc<AtomicBool> {
    let told = Arc::new(AtomicBool::new(false));
    if flag::register(SIGINT, Arc::clone(&told)).is_ok() {
        ENDS.store(false, Ordering::SeqCst);
    }
    told
}

/// From where it begins on, signals only say that the program is to end; a second interrupt ends it
/// at once.
pub struct Orderly(());

impl Orderly {
    /// From here on.
    pub fn begin() -> Self {
        ENDS.store(false, Ordering::SeqCst);
        let root = Root::live();
        // Under nohup(1) a hang-up is ignored, and stays so.
        let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| !process::ignores(&root, *s));
        for signal in wanted {
            let number = usize::try_from(signal).unwrap_or_default();
            let _ = flag::register_usize(signal, Arc::clone(&NOTED), number);
            let _ = flag::register(signal, Arc::clone(&ENDS));
        }
        Self(())
    }

    /// Whether the program is to end.
    pub fn is_asked(&self) -> bool {
        NOTED.load(Ordering::SeqCst) != 0
    }

    /// Ends as the signal that came asks, once everything is put in order: with the code of an
    /// interrupt, or by the signal itself. Without one, with `exit`.
    pub fn end(self, exit: Exit) -> Exit {
        match i32::try_from(NOTED.load(Ordering::SeqCst)).unwrap_or_default() {
            0 => exit,
            SIGINT => Exit::Interrupted,
            signal => {
                let _ = low_level::emulate_default_handler(signal);
                exit
            }
        }
    }
}
