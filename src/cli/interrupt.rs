//! Ctrl-C: it ends the program at once, unless a command has something to put in order first.

use super::exit::Exit;
use signal_hook::{consts::SIGINT, flag};
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

/// Whether it ends the program.
static ENDS: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

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
