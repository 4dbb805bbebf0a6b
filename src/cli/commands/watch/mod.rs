//! `sockeye watch`: the full-screen view, or with `--ndjson` what happens as lines.

pub mod drive;
pub mod events;
pub mod reporter;
pub mod rounds;
pub mod signals;
pub mod typed;
pub mod wake;

use crate::{
    cli::{
        args::{ListArgs, RepeatArgs, WatchArgs},
        exit::Exit,
        failure::Failure,
        filter, plan,
    },
    collect::{live::recorded::Recorded, query::Query},
    view::watch::{state::Watch, terminal::Screen},
};
use drive::Loop;
use signal_hook::low_level::emulate_default_handler;
use signals::{End, Signals};
use std::{
    env,
    io::{self, IsTerminal},
};

/// Shows the screen until it is left.
pub fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    let list = ListArgs {
        filter: args.filter.clone(),
        filter_file: args.filter_file.clone(),
        ..ListArgs::default()
    };
    let filter = filter::of(&list, None)?;
    let recordings = plan::recordings(&args.source, &RepeatArgs::default())?;
    let query = typed::query(args)?;
    if args.ndjson && recordings.is_some() {
        return Err(Failure::usage(
            "nothing happens in a recording",
            "`sockeye list --from FILE --ndjson` prints its sockets",
        ));
    }
    if !args.ndjson {
        is_a_terminal()?;
    }
    plan::enter(&args.source)?;
    let asked = Query { filter: filter.clone(), ..query.clone() };
    filter::check_names(&asked, recordings.is_some())?;
    if args.ndjson {
        return events::run(args, query, filter);
    }
    let setup = typed::setup(args, query, recordings.as_deref());
    let recorded = recordings.map(Recorded::new);
    let mut watch = Watch::new(setup, typed::shape(args), args.interval, (80, 24));
    if let Some(filter) = filter {
        let text = filter.to_string();
        watch.set_filter(Some(filter), &text);
    }
    let signals = Signals::listen();
    let mut screen = Screen::open(args.mouse).map_err(|error| failed(&error))?;
    let outcome = Loop::new(&mut watch, &mut screen, typed::theme(args), recorded, signals).run();
    drop(screen);
    match outcome? {
        End::Left => Ok(Exit::Answered),
        End::Interrupted => Ok(Exit::Interrupted),
        End::Signal(signal) => {
            // Who sent it is to see that it was the end.
            let _ = emulate_default_handler(signal);
            Ok(Exit::NoAnswer)
        }
    }
}

/// Where there is no screen, says what there is instead.
fn is_a_terminal() -> Result<(), Failure> {
    let hint = "in a pipe: `sockeye watch --ndjson` prints events, `sockeye list --watch` lists";
    for (stream, is_terminal) in [
        ("standard output", io::stdout().is_terminal()),
        ("standard input", io::stdin().is_terminal()),
    ] {
        if !is_terminal {
            let message = format!("watch draws on a terminal, and {stream} is none");
            return Err(Failure::usage(message, hint));
        }
    }
    if env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(Failure::usage("watch draws on the screen, and TERM=dumb has no cursor", hint));
    }
    Ok(())
}

fn failed(error: &io::Error) -> Failure {
    Failure::usage(
        format!("cannot draw on this terminal: {error}"),
        "in a pipe: `sockeye watch --ndjson` prints events, `sockeye list --watch` lists",
    )
}
