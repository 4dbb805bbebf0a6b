//! `sockeye summary`: how many sockets there are, and in which states.

use super::list::ask;
use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::query::{Query, Scope},
    field::need::Need,
    model::{protocol::Protocol, state::StateSet},
    view::{output::Output, rows::summary::SummarySink},
};

/// Prints the summary.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    // TIPC is not asked for unasked, as in listings.
    let listed = Protocol::ALL.into_iter().filter(|protocol| *protocol != Protocol::Tipc);
    let protocols: Vec<_> = listed.map(|p| (p, StateSet::every(p))).collect();
    let mut asked: Vec<_> = protocols.iter().map(|(protocol, _)| *protocol).collect();
    let query = plan::report_query(&args.source, protocols, Need::NONE)?;
    let query = Query { need: Need::NONE, ..query };
    let mut recordings = plan::recordings(&args.source, &args.repeat)?;
    if let Some(recordings) = &recordings {
        asked.retain(|protocol| recordings.iter().any(|one| one.protocols.contains(protocol)));
    }
    plan::enter(&args.source)?;
    let device = (!args.output.wants_json()).then(|| plan::device(args.output.color));
    let mut notices = Notices::default();
    let recorded = recordings.as_ref().map_or(1, Vec::len);
    let several = query.scope == Scope::Everywhere || recorded > 1;
    repeat::run(&args.repeat, |_| {
        let mut output = Output::stdout();
        let sink = &mut SummarySink::new(&mut output, device, several, asked.clone());
        let outcome = ask(&query, recordings.take(), sink)?;
        notices.tell(&outcome.about);
        Ok(Exit::Answered)
    })
}
