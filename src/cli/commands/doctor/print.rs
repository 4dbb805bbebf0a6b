//! What the doctor found, in the form that was asked for.

use super::form;
use crate::{
    cli::{
        args::{DoctorArgs, DoctorFormat},
        commands::report::{self, Part},
        exit::Exit,
        failure::Failure,
        plan,
    },
    doctor::diagnosis::Diagnosis,
    model::about::About,
    view::{output::Output, present::nagios},
};

/// The schema of the diagnosis.
const SCHEMA: &str = "sockeye.doctor/1";

/// Prints one round: of one namespace, or of each of several.
pub(super) fn round(
    args: &DoctorArgs,
    several: bool,
    about: &About,
    parts: &[Part<Diagnosis>],
    exit: Exit,
) -> Result<(), Failure> {
    let form = form(args);
    if form == DoctorFormat::Nagios {
        let each = parts.iter();
        let each = each.map(|part| (several.then_some(&part.about.netns), &part.report.figures));
        return write(&nagios::line(state(exit), &each.collect::<Vec<_>>()));
    }
    let json = matches!(form, DoctorFormat::Json | DoctorFormat::Ndjson);
    let device = plan::device(args.color);
    match parts {
        [only] if !several => report::print(SCHEMA, json, device, &only.about, &only.report),
        _ => report::print_each(SCHEMA, json, device, about, parts, "No problem found in "),
    }
}

/// Says on standard output that nothing could be asked.
pub(super) fn failed(failure: &Failure) -> Result<(), Failure> {
    if failure.message.is_empty() {
        return Ok(());
    }
    write(&nagios::failed(&failure.message))
}

fn write(line: &str) -> Result<(), Failure> {
    let mut output = Output::stdout();
    output.buffer.extend(line.as_bytes());
    Ok(output.flush()?)
}

/// The monitor's word for an exit code.
fn state(exit: Exit) -> nagios::State {
    match exit {
        Exit::Answered => nagios::State::Ok,
        Exit::Warning => nagios::State::Warning,
        Exit::Critical => nagios::State::Critical,
        _ => nagios::State::Unknown,
    }
}
