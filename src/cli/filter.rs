//! The filter of a listing: its words, its file, and what it does to the choice of states.

use super::{
    args::{Cli, ListArgs},
    failure::Failure,
    notices,
};
use crate::{
    collect::query::{Query, Scope},
    filter::{Filter, directory::System, error::FilterError},
    kernel::{error::Error, proc::root::Root},
    model::{
        protocol::{Family, Protocol},
        state::StateSet,
    },
};
use clap::CommandFactory;
use std::{
    io::{self, Read},
    path::Path,
};

/// Longest filter file: a bound, not an expectation.
const LONGEST: u64 = 1 << 20;

/// Reads the filter, if one was given. Where one family alone is listed, hosts are its own.
pub fn of(args: &ListArgs, family: Option<Family>) -> Result<Option<Filter>, Failure> {
    if let Some(word) = args.filter.first().filter(|word| PLANNED.contains(&word.as_str())) {
        return Err(Failure::usage(
            format!("the command `{word}` is not built yet"),
            "`sockeye --help` lists the commands there are",
        ));
    }
    let mut text = args.filter.join(" ");
    if let Some(path) = &args.filter_file {
        text.push('\n');
        text.push_str(&without_comments(&read(path)?));
    }
    if text.trim().is_empty() {
        // An empty file is no condition, as in ss.
        return Ok(None);
    }
    let filter =
        Filter::parse_for(&text, &System, family).map_err(|error| failure(&error, args))?;
    if filter.ss_reads_otherwise {
        let shown = filter.to_string().replace(char::is_control, " ");
        notices::note(&format!(
            "`and` binds tighter than `or`, as ss's manual says and ss does not do: read as {shown}"
        ));
    }
    Ok(Some(filter))
}

/// Refuses a name in the filter of a question that stands for nothing in the namespace this process
/// has entered. Of several namespaces, of recordings and of other machines' trees it is not known.
pub fn check_names(query: &Query, recorded: bool) -> Result<(), Failure> {
    let is_here = query.scope == Scope::Here && query.root.is_live() && !recorded;
    let absent = query.filter.as_ref().filter(|_| is_here).and_then(|f| f.absent(&System));
    absent.map_or(Ok(()), |error| {
        Err(Failure::usage(format!("{}\n{}", error.message, error.excerpt()), error.hint))
    })
}

/// Commands to come: their names are kept free of another meaning.
const PLANNED: [&str; 2] = ["exporter", "metrics"];

/// What a filter says of protocols and states. Protocols it excludes are not listed at all, so
/// that a listing of one protocol looks like one.
pub fn narrow(
    protocols: Vec<(Protocol, StateSet)>,
    filter: Option<&Filter>,
) -> Vec<(Protocol, StateSet)> {
    let narrow = |(protocol, default)| match filter {
        Some(filter) => (protocol, filter.states(protocol, default)),
        None => (protocol, default),
    };
    let narrowed: Vec<_> = protocols.into_iter().map(narrow).collect();
    let possible: Vec<_> =
        narrowed.iter().filter(|(_, states)| !states.is_empty()).copied().collect();
    if possible.is_empty() { narrowed } else { possible }
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = vec![];
    let failed = |error: &io::Error| {
        let error = Error::io("read", path.display().to_string(), error);
        Failure::usage(error.to_string(), "-F takes the name of a file, or `-` for standard input")
    };
    if path == Path::new("-") {
        io::stdin().lock().take(LONGEST).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    } else {
        let file = Root::open(path).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "-F takes the name of a file, or `-` for standard input",
            )
        })?;
        file.take(LONGEST).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::usage(
            format!("{} is not text in UTF-8", path.display()),
            "a filter file has tests and lines that begin with #",
        )
    })
}

/// Lines without those that begin with `#`.
fn without_comments(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    kept.collect::<Vec<_>>().join("\n")
}

fn failure(error: &FilterError, args: &ListArgs) -> Failure {
    let message = format!("{}\n{}", error.message, error.excerpt());
    let mut failure = Failure::usage(message, error.hint.clone());
    // The first bare word may have been meant as a command.
    if let Some(word) = args.filter.first().filter(|_| error.span.start == 0) {
        let definition = Cli::command();
        let names = definition.get_subcommands().map(clap::Command::get_name);
        let near = names.map(|name| (strsim::jaro_winkler(word, name), name));
        let nearest = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(rate, _)| *rate > 0.85);
        if let Some((_, name)) = nearest {
            failure.hints.insert(0, format!("the command nearest to `{word}` is `sockeye {name}`"));
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::plan::Plan, model::state::State};
    use clap::Parser;

    fn plan(line: &str) -> Result<Plan, Failure> {
        let cli = Cli::try_parse_from(line.split(' ')).map_err(|e| Failure::from_clap(&e, &[]))?;
        Plan::of(&cli.list)
    }

    fn states(line: &str) -> Vec<(Protocol, StateSet)> {
        plan(line).unwrap_or_else(|f| panic!("{}", f.message)).query.protocols
    }

    #[test]
    fn a_filter_that_names_a_state_decides_on_the_states() {
        let listen = StateSet::of(State::Listen);
        let time_wait = StateSet::of(State::TimeWait);
        // Of every table those that can have the state.
        let connections = [
            Protocol::Unix,
            Protocol::Tcp,
            Protocol::Dccp,
            Protocol::Sctp,
            Protocol::Vsock,
            Protocol::Mptcp,
        ];
        assert_eq!(states("sockeye state listening"), connections.map(|p| (p, listen)));
        assert_eq!(states("sockeye -t state = TIME_WAIT"), [(Protocol::Tcp, time_wait)]);
        assert_eq!(states("sockeye -tln state time-wait"), [(Protocol::Tcp, time_wait)]);
        let aged = [(Protocol::Tcp, time_wait), (Protocol::Dccp, time_wait)];
        assert_eq!(states("sockeye age>1s"), aged);
        assert_eq!(states("sockeye -t sport = :22"), [(Protocol::Tcp, StateSet::CONNECTED)]);
        assert_eq!(states("sockeye -tl sport = :22"), [(Protocol::Tcp, listen)]);
        assert_eq!(
            states("sockeye -A tcp,udp state all"),
            [(Protocol::Udp, StateSet::DATAGRAM), (Protocol::Tcp, StateSet::ALL)]
        );
        assert_eq!(states("sockeye state all").len(), 13, "TIPC is asked for by name alone");
        assert_eq!(states("sockeye udp:53"), [(Protocol::Udp, StateSet::of(State::Established))]);
        let bound = StateSet::of(State::BoundInactive);
        assert_eq!(states("sockeye state bound-inactive"), [(Protocol::Tcp, bound)]);
        assert!(!states("sockeye -t exclude listening")[0].1.contains(State::BoundInactive));
    }

    #[test]
    fn words_may_come_split_or_together_and_values_may_be_names_of_commands() {
        let together = plan("sockeye sport=:22").unwrap().query.filter;
        assert_eq!(plan("sockeye sport = :22").unwrap().query.filter, together);
        assert_eq!(plan("sockeye -t sport = :22 -n").unwrap().query.filter, together);
        let named = plan("sockeye process = schema").unwrap().query.filter.unwrap();
        assert_eq!(named.to_string(), "process = schema");
    }

    #[test]
    fn its_columns_are_asked_for() {
        use crate::field::need::Need;
        let need = |line| plan(line).unwrap().query.need;
        assert!(need("sockeye -t rtt > 5ms").includes(Need::TCP_INFO));
        assert!(need("sockeye -t --count process = x").includes(Need::OWNERS));
        assert!(!need("sockeye -t sport = 1").includes(Need::OWNERS));
    }

    #[test]
    fn a_wrong_filter_is_told_with_the_place_and_the_nearest_command() {
        let failure = plan("sockeye schemma").err().unwrap();
        assert_eq!(failure.exit.code(), 64);
        assert!(failure.message.contains("\n  | schemma\n  | ^^^^^^^"), "{}", failure.message);
        assert!(failure.hints[0].contains("`sockeye schema`"), "{:?}", failure.hints);
    }

    #[test]
    fn comments_of_a_file_are_left_out_and_lines_that_begin_with_0_are_not() {
        let text = "# a\nsport = :22\n  # b\n or\n0 = 1\n";
        assert_eq!(without_comments(text), "sport = :22\n or\n0 = 1");
    }
}
