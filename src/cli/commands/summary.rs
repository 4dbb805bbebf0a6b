//! `sockeye summary`: how many sockets there are, and in which states.

use super::list::ask;
use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::query::{Query, Scope},
    field::need::Need,
    kernel::namespace,
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
    let mut recording = plan::recording(&args.source, &args.repeat)?;
    if let Some(recording) = &recording {
        asked.retain(|protocol| recording.protocols.contains(protocol));
    }
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let device = (!args.output.wants_json()).then(|| plan::device(args.output.color));
    let mut notices = Notices::default();
    let several = query.scope == Scope::Everywhere;
    repeat::run(&args.repeat, |_| {
        let mut output = Output::stdout();
        let sink = &mut SummarySink::new(&mut output, device, several, asked.clone());
        let outcome = ask(&query, recording.take(), sink)?;
        notices.tell(&outcome.about);
        Ok(Exit::Answered)
    })
}
