//! `sockeye schema`: the JSON Schema of a document.

use crate::{
    cli::{args::SchemaArgs, exit::Exit, failure::Failure},
    view::{output::Output, schema},
};

/// Prints a schema, or the list of them.
pub fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let names: Vec<&str> = schema::names().collect();
    let mut output = Output::stdout();
    match &args.name {
        None => output.buffer.extend(names.join("\n").as_bytes()),
        Some(name) => {
            let text = schema::text(name).ok_or_else(|| {
                Failure::usage(
                    format!("no document is called `{name}`"),
                    format!("there are: {}", names.join(", ")),
                )
            })?;
            output.buffer.extend(text.as_bytes());
        }
    }
    output.buffer.push(b'\n');
    output.flush()?;
    Ok(Exit::Answered)
}
