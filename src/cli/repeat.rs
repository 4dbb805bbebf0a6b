//! `--watch`: the same question again and again.

use super::{args::RepeatArgs, exit::Exit, failure::Failure};
use std::{
    io::{self, IsTerminal, Write},
    thread,
    time::{Duration, Instant},
};

/// Asks once, or every so many seconds. `ask` is told whether it is repeated.
pub fn run(
    args: &RepeatArgs,
    mut ask: impl FnMut(bool) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let Some(every) = args.interval() else {
        if args.times.is_some() {
            return Err(Failure::usage(
                "`--times N` counts the rounds of `--watch`, which is not there",
                "add `--watch`, or `--watch=SECONDS`",
            ));
        }
        return ask(false);
    };
    let on_terminal = io::stdout().is_terminal();
    let mut round = 0u64;
    loop {
        let start = Instant::now();
        if on_terminal {
            // Home, and clear to the end: what stays the same does not flicker.
            io::stdout().lock().write_all(b"\x1b[H\x1b[J")?;
        }
        let exit = ask(true)?;
        round += 1;
        if args.times.is_some_and(|times| round >= times) {
            return Ok(exit);
        }
        thread::sleep(every.saturating_sub(start.elapsed()).max(Duration::from_millis(10)));
    }
}
