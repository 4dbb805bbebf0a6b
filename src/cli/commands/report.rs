//! What the commands that print a report have in common: a snapshot in, a document out.

use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::{query::Query, replay, snapshot},
    kernel::namespace,
    model::{about::About, snapshot::Snapshot},
    view::{document::Document, head, output::Output, terminal::Device},
};
use serde::Serialize;
use std::time::Duration;

/// A report made from a snapshot.
pub struct Report<R> {
    /// The figures: its JSON.
    pub figures: R,
    /// The same for people.
    pub document: Document,
}

/// Takes snapshots and prints a report of each, once or as often as was asked.
pub fn run<R: Serialize>(
    args: &ReportArgs,
    schema: &str,
    query: &Query,
    window: Option<Duration>,
    make: impl Fn(&Snapshot) -> Result<Report<R>, Failure>,
) -> Result<Exit, Failure> {
    let mut recorded = plan::recording(&args.source, &args.repeat)?;
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let device = plan::device(args.output.color);
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |_| {
        let snapshot = match recorded.take() {
            Some(mut recording) => {
                replay::narrow(&mut recording, query, window);
                recording.snapshot
            }
            None => snapshot::take(query, window)?,
        };
        let report = make(&snapshot)?;
        print(schema, args.output.wants_json(), device, &snapshot.about, &report)?;
        notices.tell(&snapshot.about);
        Ok(Exit::Answered)
    })
}

/// Prints a report.
pub fn print<R: Serialize>(
    schema: &str,
    json: bool,
    device: Device,
    about: &About,
    report: &Report<R>,
) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if json {
        head::report(&mut output.buffer, schema, about, &report.figures)
            .map_err(|error| Failure::output(&error.into()))?;
    } else {
        output.buffer.extend(report.document.render(device).as_bytes());
    }
    Ok(output.flush()?)
}
