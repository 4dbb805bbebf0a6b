//! What was typed, what it means, and how it ends.

pub mod args;
pub mod argv;
pub mod commands;
pub mod deferred;
pub mod environment;
pub mod exit;
pub mod failure;
pub mod filter;
pub mod foreign;
pub mod interrupt;
pub mod notices;
pub mod plan;
pub mod repeat;
pub mod ss;
pub mod tables;
pub mod topic_word;
pub mod watch_words;

use args::{Cli, Command, Format};
use clap::{CommandFactory, FromArgMatches};
use exit::Exit;
use failure::Failure;
use std::{ffi::OsString, process::ExitCode};

/// Runs the program with these arguments, the first of which is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    interrupt::ends_the_program();
    let exit = match parse(args) {
        Ok(cli) => dispatch(cli),
        Err(failure) => Err(failure),
    };
    exit.unwrap_or_else(|failure| failure.tell()).into()
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Failure> {
    let definition = Cli::command();
    let args = argv::command_first(&definition, args.into_iter().collect());
    let explained = |error: clap::Error| Failure::from_clap(&error, &args);
    let matches = definition.try_get_matches_from(&args).map_err(explained)?;
    Cli::from_arg_matches(&matches).map_err(explained)
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        None if cli.list.summary && cli.list.format == Some(Format::Ss) => {
            commands::ss_summary::run(&cli.list)
        }
        None if cli.list.summary => commands::summary::run(&cli.list.as_report()),
        None if cli.list.events => commands::trace::ended(&cli.list),
        None if cli.list.kill => commands::kill::at_once(&cli.list),
        None if cli.list.is_overview() => commands::overview::run(&cli.list),
        None => commands::list::run(&cli.list),
        Some(Command::List(args)) if args.events => commands::trace::ended(&args),
        Some(Command::List(args)) if args.kill => commands::kill::at_once(&args),
        Some(Command::List(args)) => commands::list::run(&args),
        Some(Command::Summary(args)) => commands::summary::run(&args),
        Some(Command::TimeWait(args)) => commands::time_wait::run(&args),
        Some(Command::Doctor(args)) => commands::doctor::run(&args),
        Some(Command::Explain(args)) => commands::explain::run(&args),
        Some(Command::Capacity(args)) => commands::capacity::run(&args),
        Some(Command::Snapshot(args)) => commands::snapshot::run(&args),
        Some(Command::Kill(args)) => commands::kill::run(&args),
        Some(Command::Trace(args)) => commands::trace::run(&args),
        Some(Command::Diff(args)) => commands::diff::run(&args),
        Some(Command::Watch(args)) => commands::watch::run(&args),
        Some(Command::Schema(args)) => commands::schema::run(&args),
        Some(Command::Completions(args)) => commands::completions::run(&args),
    }
}
