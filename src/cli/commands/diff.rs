//! `sockeye diff`: what changed between two snapshots.

use super::report::{self, Part, Report};
use crate::{
    cli::{args::DiffArgs, exit::Exit, failure::Failure, notices::Notices, plan},
    kernel::recording_file,
    model::{gap::Gap, recording::Recording},
    report::diff,
    view::diff as shown,
};

/// Compares, and prints.
pub fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let before = recording_file::read(&args.before)?;
    let after = recording_file::read(&args.after)?;
    let several = before.len() > 1 || after.len() > 1;
    let (pairs, gaps) = pairs(&before, &after);
    let parts: Vec<_> = pairs.into_iter().map(|(a, b)| part(args, a, b)).collect();
    let Some(first) = parts.first() else {
        return Err(Failure::usage(
            "the snapshots have no network namespace in common",
            "record both with --all-netns, or both in the same namespace",
        ));
    };
    let about = report::whole(&first.about, &parts, gaps);
    let json = args.output.wants_json();
    let device = plan::device(args.output.color);
    if several {
        report::print_each(shown::SCHEMA, json, device, &about, &parts, "Nothing changed in ")?;
    } else {
        report::print(shown::SCHEMA, json, device, &first.about, &first.report)?;
    }
    Notices::default().tell(&about);
    Ok(Exit::Answered)
}

/// The snapshots of the same network namespaces; where there is one each, these.
fn pairs<'r>(
    before: &'r [Recording],
    after: &'r [Recording],
) -> (Vec<(&'r Recording, &'r Recording)>, Vec<Gap>) {
    if let ([before], [after]) = (before, after) {
        return (vec![(before, after)], vec![]);
    }
    let (mut pairs, mut lonely) = (vec![], vec![]);
    for later in after {
        match before.iter().find(|earlier| diff::is_same_namespace(earlier, later)) {
            Some(earlier) => pairs.push((earlier, later)),
            None => lonely.push((later, "second")),
        }
    }
    let has_pair = |earlier: &Recording| after.iter().any(|b| diff::is_same_namespace(earlier, b));
    lonely.extend(before.iter().filter(|earlier| !has_pair(earlier)).map(|one| (one, "first")));
    let gap = |(recording, which): (&Recording, &str)| {
        let netns = recording.snapshot.about.netns.title();
        let message = format!("network namespace {netns} is in the {which} snapshot alone");
        Gap::new("other-namespace", message, "")
    };
    (pairs, lonely.into_iter().map(gap).collect())
}

fn part(args: &DiffArgs, before: &Recording, after: &Recording) -> Part<shown::Figures> {
    let diff = diff::compare(before, after);
    let (earlier, later) = (&before.snapshot.about, &after.snapshot.about);
    let report = Report {
        figures: shown::figures(&diff, earlier, later),
        document: shown::document(&diff, earlier, later, args.limit as usize),
    };
    // What the document says of itself is what is known of the later one, and of both together.
    let mut about = later.clone();
    about.gaps.extend(earlier.gaps.iter().filter(|gap| !later.gaps.contains(gap)).cloned());
    let is_empty = diff.born.is_empty() && diff.gone.is_empty() && diff.changed.is_empty();
    about.gaps.extend(diff.gaps);
    Part { report, about, is_empty }
}
