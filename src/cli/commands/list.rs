//! `sockeye list`, and `sockeye` with the options of a listing.

use crate::{
    cli::{
        args::ListArgs,
        exit::Exit,
        failure::Failure,
        notices::Notices,
        plan::{Form, Plan},
        repeat,
    },
    collect::{list, sink::RowSink},
    kernel::namespace,
    view::{
        columns,
        output::Output,
        rows::{
            counted::Counted,
            csv::Csv,
            groups::Groups,
            json::{Document, Lines},
            table::Table,
        },
    },
};

/// Lists sockets.
pub fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let plan = Plan::of(args)?;
    if matches!(plan.form, Form::ColumnsHelp) {
        let mut output = Output::stdout();
        output.buffer.extend(columns::document().render(plan.device).as_bytes());
        output.flush()?;
        return Ok(Exit::Answered);
    }
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let mut notices = Notices::default();
    repeat::run(&args.repeat, |repeated| once(&plan, repeated, &mut notices))
}

fn once(plan: &Plan, repeated: bool, notices: &mut Notices) -> Result<Exit, Failure> {
    let mut output = Output::stdout();
    let to = &mut output;
    let fields = plan.fields.clone();
    let mut sink: Box<dyn RowSink + '_> = match plan.form.clone() {
        Form::Table => Box::new(Table::new(to, fields, plan.heading, plan.device)),
        Form::Json(shape) => Box::new(Document::new(to, shape)),
        Form::JsonLines(shape) => Box::new(Lines::new(to, shape, repeated)),
        Form::Csv => Box::new(Csv::new(to, fields, plan.heading)),
        Form::Groups(form, limit) => Box::new(Groups::new(to, fields, form, plan.heading, limit)),
        Form::Count(form) => Box::new(Counted::new(to, form)),
        Form::ColumnsHelp => return Ok(Exit::Answered),
    };
    let outcome = list::run(&plan.query, sink.as_mut())?;
    drop(sink);
    notices.tell(&outcome.about);
    Ok(if plan.quiet && outcome.rows == 0 { Exit::NothingMatched } else { Exit::Answered })
}
