//! `sockeye summary`: how many sockets there are, and in which states.

use super::list::ask;
use crate::{
    cli::{args::ReportArgs, exit::Exit, failure::Failure, notices::Notices, plan, repeat},
    collect::query::Scope,
    field::need::Need,
    kernel::namespace,
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
    view::{output::Output, rows::summary::SummarySink},
};

/// Prints the summary.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let udp = StateSet::of(State::Established).with(StateSet::of(State::Unconnected));
    let protocols = vec![(Protocol::Tcp, StateSet::ALL), (Protocol::Udp, udp)];
    let query = plan::report_query(&args.source, protocols, Need::NONE)?;
    let mut recording = plan::recording(&args.source, &args.repeat)?;
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let device = (!args.output.wants_json()).then(|| plan::device(args.output.color));
    let mut notices = Notices::default();
    let several = query.scope == Scope::Everywhere;
    repeat::run(&args.repeat, |_| {
        let mut output = Output::stdout();
        let outcome =
            ask(&query, recording.take(), &mut SummarySink::new(&mut output, device, several))?;
        notices.tell(&outcome.about);
        Ok(Exit::Answered)
    })
}
