//! `--watch`: the same question again and again.

use super::{args::RepeatArgs, exit::Exit, failure::Failure};
use crate::view::{
    frame::{self, Frame},
    output,
};
use std::{
    io::{self, IsTerminal},
    thread,
    time::{Duration, Instant},
};

/// How often it is looked whether somebody still reads.
const LOOK: Duration = Duration::from_millis(200);

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
    let mut frame = Frame::default();
    let mut round = 0u64;
    loop {
        let start = Instant::now();
        if on_terminal {
            frame::gather();
        }
        let asked = ask(true);
        if on_terminal {
            let text = frame::gathered();
            frame.show(&text)?;
        }
        let exit = asked?;
        round += 1;
        if args.times.is_some_and(|times| round >= times) {
            return Ok(exit);
        }
        let next = start + every.max(start.elapsed() + Duration::from_millis(10));
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            // Nobody reads any more, and nothing would be written for a while.
            if output::is_closed() {
                return Ok(exit);
            }
            thread::sleep(left.min(LOOK));
        }
    }
}
