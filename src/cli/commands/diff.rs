//! `sockeye diff`: what changed between two snapshots.

use super::report::{self, Report};
use crate::{
    cli::{args::DiffArgs, exit::Exit, failure::Failure, notices::Notices, plan},
    kernel::recording_file,
    report::diff,
    view::diff as shown,
};

/// Compares, and prints.
pub fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let before = recording_file::read(&args.before)?;
    let after = recording_file::read(&args.after)?;
    let diff = diff::compare(&before, &after);
    let (earlier, later) = (&before.snapshot.about, &after.snapshot.about);
    let report = Report {
        figures: shown::figures(&diff, earlier, later),
        document: shown::document(&diff, earlier, later, args.limit as usize),
    };
    // What the document says of itself is what is known of the later one, and of both together.
    let mut about = later.clone();
    about.gaps.extend(earlier.gaps.iter().filter(|gap| !later.gaps.contains(gap)).cloned());
    about.gaps.extend(diff.gaps);
    report::print(
        shown::SCHEMA,
        args.output.wants_json(),
        plan::device(args.output.color),
        &about,
        &report,
    )?;
    Notices::default().tell(&about);
    Ok(Exit::Answered)
}
