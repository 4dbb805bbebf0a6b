//! `sockeye` alone: what is going on here.

use super::report::{self, Report};
use crate::{
    cli::{args::ListArgs, exit::Exit, failure::Failure, plan},
    doctor::{
        diagnosis::{self, Plan},
        finding::Severity,
        rules::RULES,
    },
    field::need::Need,
    model::{
        protocol::Protocol,
        snapshot::Snapshot,
        state::{State, StateSet},
    },
    report::{notable::Notable, overview, time_wait::verdict::Verdict},
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
    // The ages of sockets are in tcp_info: the doctor asks for them.
    let need = Need::OWNERS.with(Need::LIMITS).with(Need::TCP_INFO);
    let args = args.as_report();
    let mut query = plan::report_query(&args.source, protocols, need)?;
    query.owner_patience.get_or_insert(OWNERS);
    report::run(&args, SCHEMA, &query, None, |snapshot| {
        let mut figures = overview::of(snapshot, MOST);
        // Of two that are as bad, the one whose command shows it at once.
        let glance = figures.worst.as_ref().map(|worst| worst.verdict);
        if let Some(found) = found(snapshot).filter(|found| Some(found.verdict) > glance) {
            figures.worst = Some(found);
        }
        let document = present::overview::document(&figures, &snapshot.about);
        Ok(Report { figures, document })
    })
}

/// The doctor's worst finding of one look, where it is more than a notice: the rules that compare two
/// looks are left out.
fn found(snapshot: &Snapshot) -> Option<Notable> {
    let diagnosis = diagnosis::examine(snapshot, None, RULES, &Plan::default());
    let serious = diagnosis.findings.iter().filter(|found| found.severity >= Severity::Warning);
    // The first of those that are as bad.
    let worst = serious.rev().max_by_key(|found| found.severity)?;
    let verdict = match worst.severity {
        Severity::Critical => Verdict::Harmful,
        _ => Verdict::Watch,
    };
    Some(Notable { verdict, text: worst.title.clone(), command: "sockeye doctor" })
}
