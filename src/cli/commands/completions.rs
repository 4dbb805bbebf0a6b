//! `sockeye completions`: the scripts that are committed under completions/.

use crate::{
    cli::{
        args::{CompletionsArgs, Shell},
        exit::Exit,
        failure::Failure,
    },
    view::output::Output,
};

/// Prints the script of a shell.
pub fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let script = match args.shell {
        Shell::Bash => include_str!("../../../completions/sockeye.bash"),
        Shell::Zsh => include_str!("../../../completions/_sockeye"),
        Shell::Fish => include_str!("../../../completions/sockeye.fish"),
    };
    let mut output = Output::stdout();
    output.buffer.extend(script.as_bytes());
    output.flush()?;
    Ok(Exit::Answered)
}
