//! What the commands that print a report have in common: a snapshot in, a document out.

use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::{
        query::{Query, Scope},
        replay, snapshot,
    },
    model::{
        about::{About, SourceKind},
        gap::Gap,
        snapshot::Snapshot,
    },
    view::{document::Document, head, output::Output, present, terminal::Device},
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

/// What was made of one namespace.
pub struct Part<R> {
    /// The report.
    pub report: Report<R>,
    /// What it says of itself.
    pub about: About,
    /// Whether it has nothing to show to people: beside others it is only named.
    pub is_empty: bool,
}

/// Takes snapshots and prints a report of each, once or as often as was asked.
///
/// `make` runs on a thread in the namespace of its snapshot.
pub fn run<R: Serialize + Send>(
    args: &ReportArgs,
    schema: &str,
    query: &Query,
    window: Option<Duration>,
    make: impl Fn(&Snapshot) -> Result<Report<R>, Failure> + Sync,
) -> Result<Exit, Failure> {
    let live = || Ok(snapshot::take_each(query, window, |snapshot| part(snapshot, &make))?);
    run_with(args, schema, query, window, live, &make)
}

/// The same where what is asked of the running machine is more than snapshots: `live` asks. `make` is
/// for recordings.
pub fn run_with<R: Serialize>(
    args: &ReportArgs,
    schema: &str,
    query: &Query,
    window: Option<Duration>,
    live: impl Fn() -> Result<Parts<R>, Failure>,
    make: impl Fn(&Snapshot) -> Result<Report<R>, Failure>,
) -> Result<Exit, Failure> {
    let mut recorded = plan::recordings(&args.source, &args.repeat)?;
    plan::enter(&args.source)?;
    let device = plan::device(args.output.color);
    let several =
        query.scope == Scope::Everywhere || recorded.as_ref().is_some_and(|r| r.len() > 1);
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |_| {
        let (parts, gaps) = match recorded.take() {
            Some(recordings) => {
                let snapshot = |recording| replay::snapshot(recording, query, window);
                let parts = recordings.into_iter().map(|one| part(snapshot(one), &make));
                (parts.collect(), vec![])
            }
            None => live()?,
        };
        let parts: Vec<Part<R>> = parts.into_iter().collect::<Result<_, Failure>>()?;
        let json = args.output.wants_json();
        // Where no namespace could be looked into there was an error.
        let Some(first) = parts.first() else { return Ok(Exit::Answered) };
        let about = whole(&first.about, &parts, gaps);
        if several {
            print_each(schema, json, device, &about, &parts, "No socket in ")?;
        } else {
            print(schema, json, device, &first.about, &first.report)?;
        }
        notices.tell(&about);
        Ok(Exit::Answered)
    })
}

/// Parts, each as far as it could be made, and what could not be seen of any.
pub type Parts<R> = (Vec<Result<Part<R>, Failure>>, Vec<Gap>);

fn part<R>(
    snapshot: Snapshot,
    make: impl Fn(&Snapshot) -> Result<Report<R>, Failure>,
) -> Result<Part<R>, Failure> {
    let report = make(&snapshot)?;
    let is_empty = snapshot.sockets.is_empty();
    Ok(Part { report, about: snapshot.about, is_empty })
}

/// What is said of all namespaces together: what could not be seen in any, once.
pub fn whole<R>(first: &About, parts: &[Part<R>], mut gaps: Vec<Gap>) -> About {
    let alike = parts.iter().all(|part| part.about.source == first.source);
    let source = if alike { first.source } else { SourceKind::Mixed };
    for gap in parts.iter().flat_map(|part| &part.about.gaps) {
        if !gaps.contains(gap) {
            gaps.push(gap.clone());
        }
    }
    About { source, gaps, ..first.clone() }
}

/// Prints the reports of several namespaces: as one document, or one below the other, and after
/// `without` the names of those that have nothing to show.
pub fn print_each<R: Serialize>(
    schema: &str,
    json: bool,
    device: Device,
    about: &About,
    parts: &[Part<R>],
    without: &str,
) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if json {
        let each = parts.iter().map(|part| (&part.about, &part.report.figures));
        head::reports(&mut output.buffer, schema, about, each)
            .map_err(|error| Failure::output(&error.into()))?;
        return Ok(output.flush()?);
    }
    let full = parts.iter().filter(|part| !part.is_empty);
    for (index, part) in full.enumerate() {
        let heading = present::namespaces::heading(&part.about.netns, index > 0);
        output.buffer.extend(heading.render(device).as_bytes());
        output.buffer.extend(part.report.document.render(device).as_bytes());
        output.flush_if_full()?;
    }
    let empty = parts.iter().filter(|part| part.is_empty).map(|part| &part.about.netns);
    output.buffer.extend(present::namespaces::listed(without, empty).render(device).as_bytes());
    Ok(output.flush()?)
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
