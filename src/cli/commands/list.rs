//! `sockeye list`, and `sockeye` with the options of a listing.

use super::dump;
use crate::{
    cli::{
        args::ListArgs,
        exit::Exit,
        failure::Failure,
        notices::Notices,
        plan::{self, Form, Plan},
        repeat,
    },
    collect::{
        list::{self, Outcome},
        query::Query,
        sink::RowSink,
    },
    kernel::namespace,
    model::{protocol::Protocol, recording::Recording},
    view::{
        columns,
        output::Output,
        rows::{
            counted::Counted,
            csv::Csv,
            groups::Groups,
            json::{Document, Lines},
            ss::SsText,
            table::Table,
        },
    },
};

/// Lists sockets.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    if let Some(path) = &args.diag {
        return dump::run(args, path);
    }
    let plan = Plan::of(args)?;
    if matches!(plan.form, Form::ColumnsHelp) {
        let mut output = Output::stdout();
        output.buffer.extend(columns::document().render(plan.device).as_bytes());
        output.flush()?;
        return Ok(Exit::Answered);
    }
    // TCPDIAG_FILE is about TCP.
    let is_about_tcp = plan.query.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Tcp);
    let mut recording = if is_about_tcp || !args.source.from.is_empty() {
        plan::recording(&args.source, &args.repeat)?
    } else {
        None
    };
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |repeated| once(&plan, recording.take(), repeated, &mut notices))
}

fn once(
    plan: &Plan,
    recording: Option<Recording>,
    repeated: bool,
    notices: &mut Notices,
) -> Result<Exit, Failure> {
    let mut output = Output::stdout();
    let to = &mut output;
    let fields = plan.fields.clone();
    let mut sink: Box<dyn RowSink + '_> = match plan.form.clone() {
        Form::Table => Box::new(Table::new(to, fields, plan.heading, plan.device)),
        Form::Json(shape) => Box::new(Document::new(to, shape)),
        Form::JsonLines(shape) => Box::new(Lines::new(to, shape, repeated)),
        Form::Ss(shown) => Box::new(SsText::new(to, shown, plan.device.width)),
        Form::Csv => Box::new(Csv::new(to, fields, plan.heading)),
        Form::Groups(form, limit) => Box::new(Groups::new(to, fields, form, plan.heading, limit)),
        Form::Count(form) => Box::new(Counted::new(to, form)),
        Form::ColumnsHelp => return Ok(Exit::Answered),
    };
    let outcome = ask(&plan.query, recording, sink.as_mut())?;
    drop(sink);
    notices.tell(&outcome.about);
    Ok(if plan.quiet && outcome.rows == 0 { Exit::NothingMatched } else { Exit::Answered })
}

/// Asks the recording, or without one the kernel.
pub fn ask(
    query: &Query,
    recording: Option<Recording>,
    sink: &mut dyn RowSink,
) -> Result<Outcome, list::Failure> {
    match recording {
        Some(recording) => list::recorded(query, recording, sink),
        None => list::run(query, sink),
    }
}
