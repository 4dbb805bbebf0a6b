//! `sockeye -s --format ss`: what `ss -s` prints.

use super::list;
use crate::{
    cli::{args::ListArgs, exit::Exit, failure::Failure, plan},
    kernel::proc::counters,
    view::{output::Output, rows::ss::summary},
};

/// The figure that every kernel tells: without it nothing was told.
const FIRST: &str = "sockstat.sockets.used";

/// Prints the figures, and the listing behind them if one was asked for.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let recorded = plan::recordings(&args.source, &args.repeat)?;
    plan::enter(&args.source)?;
    let (counters, gaps) = match recorded {
        Some(mut recordings) => {
            // As of a running machine: of one namespace.
            let last = recordings.first_mut().and_then(|first| first.snapshot.samples.pop());
            (last.map(|sample| sample.counters).unwrap_or_default(), vec![])
        }
        None => counters::read(&plan::root(&args.source)?),
    };
    if counters.get(FIRST).is_none() {
        let why = gaps.first().map_or_else(
            || ("the figures of net/sockstat are not in the snapshot".to_owned(), String::new()),
            |gap| (gap.message.clone(), gap.hint.clone()),
        );
        let hints = [why.1, "`sockeye summary` counts the sockets themselves".to_owned()];
        let hints = hints.into_iter().filter(|hint| !hint.is_empty()).collect();
        return Err(Failure { exit: Exit::NoAnswer, message: why.0, hints });
    }
    let mut output = Output::stdout();
    summary::write(&mut output.buffer, &counters);
    output.flush()?;
    drop(output);
    if args.names_sockets() { list::run(args) } else { Ok(Exit::Answered) }
}
