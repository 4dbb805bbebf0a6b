//! `sockeye time-wait`: who fills TIME_WAIT, whether it harms, and what to do.

use super::report::{self, Part, Report};
use crate::{
    cli::{args::TimeWaitArgs, exit::Exit, failure::Failure, plan},
    collect::census::{self, Counted},
    field::need::Need,
    model::{protocol::Protocol, state::StateSet},
    report::time_wait::{self, TimeWait, reckoning::Reckoning},
    view::present,
};
use std::time::Duration;

/// The schema of the report.
const SCHEMA: &str = "sockeye.time-wait/1";
/// Groups on a page.
const PAGE: usize = 10;
/// How long owners may take: on a host with millions of descriptors the rest is not to wait.
const OWNERS: Duration = Duration::from_secs(5);

/// Prints the report.
pub fn run(args: &TimeWaitArgs) -> Result<Exit, Failure> {
    let protocols = vec![(Protocol::Tcp, StateSet::ALL)];
    let mut query = plan::report_query(&args.report.source, protocols, Need::OWNERS)?;
    query.owner_patience.get_or_insert(OWNERS);
    let unicode = plan::device(args.report.output.color).unicode;
    let limit = match args.limit {
        Some(limit) => Some(limit as usize),
        None if args.report.output.wants_json() => None,
        None => Some(PAGE),
    };
    let report = |figures: TimeWait| {
        let document = present::time_wait::document(&figures, unicode);
        Report { figures, document }
    };
    let live = || {
        let begin = |snapshot: &_, listening: &_| Reckoning::begin(snapshot, listening, limit);
        let (counted, gaps) = census::take_each(&query, args.interval, begin)?;
        let parts = counted.into_iter().map(|Counted { snapshot, ledger, is_empty, .. }| {
            let report = report(ledger.report(&snapshot));
            Ok(Part { report, about: snapshot.about, is_empty })
        });
        Ok((parts.collect(), gaps))
    };
    report::run_with(&args.report, SCHEMA, &query, Some(args.interval), live, |snapshot| {
        Ok(report(time_wait::of(snapshot, limit)))
    })
}
