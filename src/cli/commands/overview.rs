//! `sockeye` alone: what is going on here.

use super::report::{self, Report};
use crate::{
    cli::{args::ListArgs, exit::Exit, failure::Failure, plan},
    field::need::Need,
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
    report::overview,
    view::present,
};
use std::time::Duration;

/// The schema of the overview.
const SCHEMA: &str = "sockeye.overview/1";
/// Lines of each kind: with the rest they fit one screen.
const MOST: usize = 5;
/// How long owners may take: the whole answer is to come within 50 ms.
const OWNERS: Duration = Duration::from_millis(30);

/// Prints the overview.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let udp = StateSet::of(State::Established).with(StateSet::of(State::Unconnected));
    let protocols = vec![(Protocol::Tcp, StateSet::ALL), (Protocol::Udp, udp)];
    let args = args.as_report();
    let mut query = plan::report_query(&args.source, protocols, Need::OWNERS.with(Need::LIMITS))?;
    query.owner_patience.get_or_insert(OWNERS);
    report::run(&args, SCHEMA, &query, None, |snapshot| {
        let figures = overview::of(snapshot, MOST);
        let document = present::overview::document(&figures, &snapshot.about);
        Ok(Report { figures, document })
    })
}
