//! `sockeye explain`: a topic, or the list of them.

use crate::{
    cli::{args::ExplainArgs, exit::Exit, failure::Failure, plan},
    explain::{self, topic::Topic},
    kernel::{host, proc::root::Root},
    view::{explain as rendered, output::Output},
};
use std::time::SystemTime;

/// Explains a topic.
pub fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let topic = topic(&args.topic)?;
    let mut output = Output::stdout();
    if args.output.wants_json() {
        let document = rendered::json(topic, &host::read(&Root::live()), SystemTime::now());
        output.buffer.extend(document.map_err(|error| Failure::output(&error.into()))?);
    } else {
        let text = rendered::text(topic, plan::device(args.output.color));
        output.buffer.extend(text.as_bytes());
    }
    output.flush()?;
    Ok(Exit::Answered)
}

/// The topic of these words: `accept queue` is typed as often as `accept-queue`.
fn topic(words: &[String]) -> Result<&'static Topic, Failure> {
    let name = if words.is_empty() { "topics".to_owned() } else { words.join("-") };
    explain::find(&name).ok_or_else(|| {
        let near = explain::nearest(&name);
        let hint = match near.as_slice() {
            [] => "`sockeye explain` lists every topic".to_owned(),
            near => {
                let near: Vec<String> =
                    near.iter().map(|name| format!("`sockeye explain {name}`")).collect();
                format!("did you mean {}? `sockeye explain` lists every topic", near.join(" or "))
            }
        };
        Failure::usage(format!("there is no topic `{}`", words.join(" ")), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{
            args::{Cli, Command},
            argv,
            plan::Plan,
        },
        view::terminal::Device,
    };
    use clap::{CommandFactory, FromArgMatches};
    use std::ffi::OsString;

    /// Commands of the contract that texts may name before they are built.
    const PLANNED: [&str; 1] = ["kill"];

    #[test]
    fn every_command_a_text_names_can_be_typed() {
        let definition = Cli::command();
        let mut typed = 0;
        for topic in explain::topics() {
            let text = rendered::text(topic, Device::PIPE);
            let quoted = text.split('`').skip(1).step_by(2);
            for command in quoted.filter(|quoted| quoted.starts_with("sockeye ")) {
                let word = command.split(' ').nth(1).unwrap_or_default();
                if !word.starts_with('-') && definition.find_subcommand(word).is_none() {
                    assert!(PLANNED.contains(&word), "{}: `{command}`", topic.name);
                    continue;
                }
                // A command of the contract may have arguments in capitals, for the reader to fill.
                if PLANNED.contains(&word) {
                    continue;
                }
                // What the reader is to fill in stands in capitals.
                let filled = command.replace("ADDRESS:PORT", "127.0.0.1:80").replace("PORT", "80");
                let args = filled.split(' ').map(OsString::from).collect();
                let args = argv::command_first(&definition, args);
                let matches = definition.clone().try_get_matches_from(args);
                let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
                let cli = cli.unwrap_or_else(|error| panic!("{}: {error}", topic.name));
                match cli.command {
                    // Columns, too, must be real.
                    None => assert!(Plan::of(&cli.list).is_ok(), "{}: `{command}`", topic.name),
                    Some(Command::Explain(args)) => assert_eq!(args.topic.len(), 1, "{command}"),
                    // What clap accepts has its meaning checked by the command's own tests.
                    Some(
                        Command::TimeWait(_)
                        | Command::Capacity(_)
                        | Command::Doctor(_)
                        | Command::Trace(_),
                    ) => {}
                    Some(other) => panic!("{}: {other:?}", topic.name),
                }
                typed += 1;
            }
        }
        assert!(typed > 10, "only {typed} commands were found");
    }

    #[test]
    fn completion_offers_every_topic_and_takes_any_word() {
        let definition = Cli::whole();
        let explain = definition.find_subcommand("explain").unwrap();
        let topic = explain.get_positionals().next().unwrap();
        let offered: Vec<String> = topic
            .get_value_parser()
            .possible_values()
            .unwrap()
            .map(|value| value.get_name().to_owned())
            .collect();
        let names: Vec<&str> = explain::topics().iter().map(|t| t.name).collect();
        let led: Vec<&str> = offered.iter().map(|word| explain::find(word).unwrap().name).collect();
        assert_eq!(led, names);
        assert!(offered.iter().any(|word| word == "time-wait"));
        assert!(definition.try_get_matches_from(["sockeye", "explain", "timewait"]).is_ok());
    }

    fn named(words: &[&str]) -> Result<&'static str, Failure> {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        topic(&words).map(|topic| topic.name)
    }

    #[test]
    fn words_make_a_name_and_none_the_list() {
        assert_eq!(named(&[]).ok(), Some("topics"));
        assert_eq!(named(&["accept", "queue"]).ok(), Some("accept-queue"));
        assert_eq!(named(&["Time", "Wait"]).ok(), Some("TIME_WAIT"));
    }

    #[test]
    fn an_unknown_topic_is_a_usage_error_with_the_nearest_names() {
        let failure = named(&["handshke"]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.hints[0].contains("`sockeye explain handshake`"), "{failure:?}");
        let failure = named(&["qqqqqqqq"]).unwrap_err();
        assert_eq!(failure.hints, ["`sockeye explain` lists every topic"]);
    }
}
