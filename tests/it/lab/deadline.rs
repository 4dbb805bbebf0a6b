//! Waiting for a condition. The kernel does its part in its own time, and a bare sleep is either
//! too short on a busy machine or too long on an idle one.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for a machine that is busy with other things; reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Polls until `condition` holds and says whether it did before the deadline.
pub(crate) fn eventually(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + within;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
