//! `-D FILE`: the kernel's answers as they came, for later and for other programs.

use crate::{
    cli::{
        args::ListArgs,
        exit::Exit,
        failure::Failure,
        filter, notices,
        plan::{self, Plan},
    },
    collect::{dump, list},
    kernel::{error::Error, whole_file},
    view::output::Output,
};
use std::{
    io::{self, BufWriter, IsTerminal},
    path::Path,
};

/// Writes the dump.
pub fn run(args: &ListArgs, path: &Path) -> Result<Exit, Failure> {
    let to_stdout = path == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "a raw dump would garble the terminal",
            "name a file: `sockeye -ta -D FILE`",
        ));
    }
    if !args.source.from.is_empty() {
        return Err(Failure::usage(
            "-D writes what the kernel answers and --from asks no kernel",
            "leave out one of them",
        ));
    }
    if args.source.all_netns {
        return Err(Failure::usage(
            "a raw dump does not tell namespaces apart",
            "name one with -N; `sockeye --all-netns --json` tells of each",
        ));
    }
    let plan = Plan::of(args)?;
    if !dump::is_possible(&plan.query) {
        return Err(Failure::usage(
            "-D dumps TCP sockets, and none were asked for",
            "add -t; `sockeye snapshot -o FILE` records every protocol",
        ));
    }
    plan::enter(&args.source)?;
    filter::check_names(&plan.query, false)?;
    let gaps = if to_stdout {
        let mut output = Output::stdout();
        let (bytes, _, gaps) = dump::write(&plan.query, vec![])?;
        output.buffer = bytes;
        output.flush()?;
        gaps
    } else {
        whole_file::write(path, |file| {
            dump::write(&plan.query, BufWriter::new(file)).map(|(_, _, gaps)| gaps)
        })
        .map_err(|failure| in_file(failure, path))?
    };
    let mut notices = notices::Notices::default();
    for gap in &gaps {
        notices.tell_gap(gap);
    }
    Ok(Exit::Answered)
}

/// A failure to write names the file.
fn in_file(failure: list::Failure, path: &Path) -> Failure {
    match failure {
        list::Failure::Output(error) => Failure {
            hints: vec!["write to a directory that exists and that you may write to".to_owned()],
            ..Failure::from(Error::io("write the dump", path.display().to_string(), &error))
        },
        asked @ list::Failure::Kernel(_) => asked.into(),
    }
}
