//! What the commands that print a report have in common: a snapshot in, a document out.

use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::{query::Query, snapshot},
    kernel::namespace,
    model::snapshot::Snapshot,
    view::{document::Document, head, output::Output},
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
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let device = plan::device(args.color);
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |_| {
        let snapshot = snapshot::take(query, window)?;
        let report = make(&snapshot)?;
        let mut output = Output::stdout();
        if args.wants_json() {
            head::report(&mut output.buffer, schema, &snapshot.about, &report.figures)
                .map_err(|error| Failure::output(&error.into()))?;
        } else {
            output.buffer.extend(report.document.render(device).as_bytes());
        }
        output.flush()?;
        notices.tell(&snapshot.about);
        Ok(Exit::Answered)
    })
}
