//! What completes a value that clap cannot list: columns, states, documents, namespaces.

use clap::{
    Arg, Command, CommandFactory, ValueHint,
    builder::{PossibleValue, PossibleValuesParser, StringValueParser},
};
use sockeye::{
    cli::{args::Cli, tables},
    doctor::rules::RULES,
    field,
    model::state::State,
    view::schema,
};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Candidates {
    /// Column ids, commas between them.
    Columns,
    /// A column id, perhaps behind a `-`.
    Order,
    /// Tables of sockets, commas between them.
    Tables,
    /// Rules of the doctor, commas between them.
    Rules,
    /// Network namespaces: names of `ip netns`, or a path.
    Namespace,
    /// What a filter is made of: names of states, columns, words of ss.
    Filter,
    /// Names of documents.
    Document,
    /// Numbers and times: nothing to offer.
    Nothing,
}

/// Words of a filter that are no column.
const FILTER_WORDS: [(&str, &str); 18] = [
    ("and", "both hold"),
    ("or", "one of them holds"),
    ("not", "what follows does not hold"),
    ("in", "one of several values"),
    ("state", "in this state"),
    ("exclude", "in any state but this"),
    ("src", "address or port of this end"),
    ("dst", "address or port of the other end"),
    ("sport", "port of this end"),
    ("dport", "port of the other end"),
    ("port", "port of either end"),
    ("host", "address of either end"),
    ("dev", "interface it is bound to"),
    ("fwmark", "mark of the socket"),
    ("cgroup", "control group of the socket"),
    ("autobound", "port chosen by the kernel"),
    ("tcp", "TCP sockets"),
    ("udp", "UDP sockets"),
];

/// By argument id. An option that takes a value and is not here fails
/// `every_value_has_its_candidates`.
const TABLE: &[(&str, Candidates)] = &[
    ("columns", Candidates::Columns),
    ("group_by", Candidates::Columns),
    ("sort", Candidates::Order),
    ("query", Candidates::Tables),
    ("only", Candidates::Rules),
    ("skip", Candidates::Rules),
    ("netns", Candidates::Namespace),
    ("filter", Candidates::Filter),
    ("name", Candidates::Document),
    ("limit", Candidates::Nothing),
    ("watch", Candidates::Nothing),
    ("times", Candidates::Nothing),
    ("interval", Candidates::Nothing),
    ("for", Candidates::Nothing),
    ("to", Candidates::Nothing),
    ("pid", Candidates::Nothing),
    ("listen", Candidates::Nothing),
    ("assume", Candidates::Nothing),
    ("owner_deadline", Candidates::Nothing),
];

/// What completes this argument; `None`: clap knows.
pub(super) fn of(argument: &Arg) -> Option<Candidates> {
    TABLE.iter().find(|(id, _)| argument.get_id() == id).map(|(_, candidates)| *candidates)
}

impl Candidates {
    /// The words, each with a line of help. Empty for what only the shell can know.
    pub(super) fn words(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Columns | Self::Order => {
                field::all().iter().map(|field| (field.id, field.summary)).collect()
            }
            Self::Tables => tables::names().collect(),
            Self::Rules => RULES.iter().map(|rule| (rule.id, rule.title)).collect(),
            Self::Filter => {
                let states = State::all().map(|state| (state.name(), state.meaning()));
                let words = FILTER_WORDS.iter().copied();
                // A word of ss and a column of the same name (`state`, `cgroup`) are offered once.
                let named = |id: &str| FILTER_WORDS.iter().any(|(word, _)| *word == id);
                let columns = field::all().iter().filter(|field| !named(field.id));
                states.chain(words).chain(columns.map(|f| (f.id, f.summary))).collect()
            }
            Self::Document => schema::names().map(|name| (name, schema::summary(name))).collect(),
            Self::Namespace | Self::Nothing => vec![],
        }
    }
}

/// What is shown of a definition: clap_complete offers hidden words too.
pub(super) fn shown(definition: &Command) -> Command {
    let mut built = definition.clone();
    built.build();
    let mut shown = Command::new(built.get_name().to_owned())
        .about(built.get_about().cloned().unwrap_or_default())
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true);
    shown = shown.args(built.get_arguments().filter(|a| !a.is_hide_set()).map(with_words));
    shown.subcommands(built.get_subcommands().filter(|c| !c.is_hide_set()).map(self::shown))
}

/// The words of a positional argument become its possible values, which is where clap_complete
/// looks for them.
fn with_words(argument: &Arg) -> Arg {
    let argument = argument.clone();
    match of(&argument) {
        Some(candidates) if argument.is_positional() => {
            let words = candidates.words().into_iter();
            let values = words.map(|(word, help)| PossibleValue::new(word).help(help));
            argument.value_parser(PossibleValuesParser::new(values))
        }
        // A list of which clap_complete would complete the first value alone.
        Some(Candidates::Rules) => argument.value_parser(StringValueParser::new()),
        _ => argument,
    }
}

#[test]
fn every_value_has_its_candidates() {
    let definition = Cli::command();
    let commands = std::iter::once(&definition).chain(definition.get_subcommands());
    for argument in commands.flat_map(Command::get_arguments) {
        let listed = !argument.get_possible_values().is_empty();
        let hinted = argument.get_value_hint() != ValueHint::Unknown;
        let takes = argument.get_action().takes_values();
        assert!(
            !takes || listed || hinted || of(argument).is_some(),
            "`{}` takes a value: say in TABLE what completes it",
            argument.get_id()
        );
    }
}
