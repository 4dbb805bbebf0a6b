//! `sockeye snapshot`: a host in a file.

use crate::{
    cli::{
        args::{RepeatArgs, SnapshotArgs},
        exit::Exit,
        failure::Failure,
        notices::Notices,
        plan,
    },
    collect::{recording, redaction},
    kernel::{error::Cause, snapshot_file::writer},
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
    view::output::Output,
};
use std::{
    io::{self, IsTerminal},
    path::Path,
};

/// Records, or reads a recording with `--from`, and writes it.
pub fn run(args: &SnapshotArgs) -> Result<Exit, Failure> {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "a snapshot is compressed and would garble the terminal",
            "name a file: `sockeye snapshot -o FILE`",
        ));
    }
    let recorded = plan::recordings(&args.source, &RepeatArgs::default())?;
    plan::enter(&args.source)?;
    let protocols = protocols(args);
    let mut recordings = if let Some(mut recordings) = recorded {
        let every = !args.tcp && !args.udp;
        let asked = |protocol| every || protocols.iter().any(|(asked, _)| *asked == protocol);
        for recording in &mut recordings {
            recording.sockets.retain(|socket| asked(socket.protocol));
            recording.protocols.retain(|protocol| asked(*protocol));
        }
        recordings
    } else {
        let query = plan::report_query(&args.source, protocols, recording::NEED)?;
        recording::record(&query, args.interval, env!("CARGO_PKG_VERSION"))?
    };
    if args.redact {
        recordings = redaction::redact(recordings);
    }
    if to_stdout {
        let mut output = Output::stdout();
        let (bytes, _) = writer::encode(&recordings, vec![])?;
        output.buffer = bytes;
        output.flush()?;
    } else {
        writer::write_file(&args.output, &recordings).map_err(|error| Failure {
            exit: Exit::NoAnswer,
            message: error.to_string(),
            hints: vec![
                match error.cause {
                    Cause::Errno(nix::errno::Errno::ENOSPC) => "free space, or write elsewhere",
                    _ => "write to a directory that exists and that you may write to",
                }
                .to_owned(),
            ],
        })?;
    }
    let mut notices = Notices::default();
    for recording in &recordings {
        notices.tell(&recording.snapshot.about);
    }
    Ok(Exit::Answered)
}

/// Every state, bound sockets too: the ports they hold are held from everybody.
fn protocols(args: &SnapshotArgs) -> Vec<(Protocol, StateSet)> {
    let every = !args.tcp && !args.udp;
    let asked = |protocol: &Protocol| match protocol {
        Protocol::Tcp => args.tcp || every,
        Protocol::Udp => args.udp || every,
        // Not asked for unasked, as in listings.
        Protocol::Tipc => false,
        _ => every,
    };
    let states = |protocol| match protocol {
        Protocol::Tcp => StateSet::ALL.with(StateSet::of(State::BoundInactive)),
        other => StateSet::every(other),
    };
    let protocols = Protocol::ALL.into_iter().filter(asked);
    protocols.map(|protocol| (protocol, states(protocol))).collect()
}
