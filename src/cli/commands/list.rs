//! `sockeye list`, and `sockeye` with the options of a listing.

use super::dump;
use crate::{
    cli::{
        args::ListArgs,
        exit::Exit,
        failure::Failure,
        filter,
        notices::Notices,
        plan::{self, Form, Plan},
        repeat,
    },
    collect::{
        list::{self, Outcome},
        query::{Query, Scope},
        sink::RowSink,
    },
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
    let mut plan = Plan::of(args)?;
    if matches!(plan.form, Form::ColumnsHelp) {
        let mut output = Output::stdout();
        output.buffer.extend(columns::document().render(plan.device).as_bytes());
        output.flush()?;
        return Ok(Exit::Answered);
    }
    // TCPDIAG_FILE is about TCP.
    let is_about_tcp = plan.query.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Tcp);
    let mut recordings = if is_about_tcp || !args.source.from.is_empty() {
        plan::recordings(&args.source, &args.repeat)?
    } else {
        None
    };
    if recordings.as_ref().is_some_and(|recordings| recordings.len() > 1) {
        plan = Plan::over(args, Scope::Everywhere)?;
    }
    plan::enter(&args.source)?;
    filter::check_names(&plan.query, recordings.is_some())?;
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |repeated| once(&plan, recordings.take(), repeated, &mut notices))
}

fn once(
    plan: &Plan,
    recordings: Option<Vec<Recording>>,
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
    let outcome = ask(&plan.query, recordings, sink.as_mut())?;
    drop(sink);
    notices.tell(&outcome.about);
    Ok(if plan.quiet && outcome.rows == 0 { Exit::NothingMatched } else { Exit::Answered })
}

/// Asks the recordings, or without any the kernel.
pub fn ask(
    query: &Query,
    recordings: Option<Vec<Recording>>,
    sink: &mut dyn RowSink,
) -> Result<Outcome, list::Failure> {
    match recordings {
        Some(recordings) => list::recorded(query, recordings, sink),
        None => list::run(query, sink),
    }
}
