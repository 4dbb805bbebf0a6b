//! `sockeye time-wait`: who fills TIME_WAIT, whether it harms, and what to do.

use super::report::{self, Report};
use crate::{
    cli::{args::TimeWaitArgs, exit::Exit, failure::Failure, plan},
    field::need::Need,
    model::{protocol::Protocol, state::StateSet},
    report::time_wait,
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
    report::run(&args.report, SCHEMA, &query, Some(args.interval), |snapshot| {
        let figures = time_wait::of(snapshot, limit);
        let document = present::time_wait::document(&figures, unicode);
        Ok(Report { figures, document })
    })
}
