//! Manual pages: hand-written templates, with holes for what is defined in the source.
//!
//! A hole is a line `@NAME@`. Any page may have any hole; `@VERSION@` may stand inside a line.

use super::doctor;
use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use roff::{Inline, Roff, bold, italic, roman};
use sockeye::{
    cli::{args::Cli, exit::Exit},
    field,
    model::{owner::Unowned, state::State},
    view::{
        schema,
        watch::{keys::BINDINGS, order::Sort, screen::help},
    },
};
use std::collections::HashMap;

/// The holes, and what fills them.
fn holes() -> HashMap<&'static str, String> {
    let definition = Cli::whole();
    HashMap::from([
        ("@OPTIONS@", options(&definition)),
        ("@COMMANDS@", commands(&definition)),
        ("@COLUMNS@", columns()),
        ("@STATES@", states()),
        ("@OWNERS@", owners()),
        ("@DOCUMENTS@", documents()),
        ("@EXIT@", exits()),
        ("@WATCH_OPTIONS@", options(of_watch(&definition))),
        ("@WATCH_KEYS@", keys()),
        ("@WATCH_SIGNS@", signs()),
        ("@WATCH_ORDERS@", orders()),
        ("@DOCTOR@", doctor::options(&definition)),
        ("@RULES@", doctor::rules()),
    ])
}

/// A template with its holes filled.
pub(super) fn page(template: &str) -> String {
    let holes = holes();
    let mut page = String::new();
    for line in template.lines() {
        let line = line.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
        if let Some(filling) = holes.get(line.as_str()) {
            page.push_str(filling);
        } else {
            assert!(!line.starts_with('@'), "nothing fills {line}");
            page.push_str(&line);
        }
        page.push('\n');
    }
    // Characters outside ASCII by name: not every roff reads UTF-8.
    page.chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", c as u32) })
        .collect()
}

/// The options of a listing, under their help headings.
fn options(definition: &Command) -> String {
    let mut text = vec![];
    Man::new(definition.clone()).render_options_section(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // clap_mangen makes a section of each heading, in capitals.
    let headings: Vec<&str> =
        definition.get_arguments().filter_map(Arg::get_help_heading).collect();
    let heading = |line: &str| {
        let name = line.strip_prefix(".SH ")?.trim_matches('"');
        let written = headings.iter().find(|heading| heading.to_uppercase() == name);
        Some(format!(".SS \"{}\"", written.unwrap_or_else(|| panic!("no heading {name}"))))
    };
    // What stands before the first heading prepares apostrophes, once for a whole page.
    let lines = text.lines().skip_while(|line| !line.starts_with(".SH"));
    let lines = lines.filter(|line| *line != ".SH OPTIONS");
    let lines: Vec<String> =
        lines.map(|line| heading(line).unwrap_or_else(|| line.to_owned())).collect();
    // A blank line between breaks does nothing, and mandoc says so; italics mark a value without
    // angle brackets.
    let text = lines.join("\n").replace("\n.br\n\n.br\n", "\n.br\n");
    text.replace("\\*(Aq", "\\(aq").replace("\\fI<", "\\fI").replace(">\\fR", "\\fR")
}

/// Commands, each with the options it does not share with a listing.
fn commands(definition: &Command) -> String {
    let mut roff = Roff::new();
    let mut built = definition.clone();
    built.build();
    for command in built.get_subcommands().filter(|c| !c.is_hide_set()) {
        let mut head = vec![bold(format!("sockeye {}", command.get_name()))];
        let shared = |argument: &&Arg| {
            built.get_arguments().any(|of_list| of_list.get_id() == argument.get_id())
        };
        let own = command.get_arguments().filter(|a| !a.is_hide_set() && !shared(a));
        let own: Vec<&Arg> = own.collect();
        if own.len() < command.get_arguments().count() {
            head.push(roman(" ["));
            head.push(italic("OPTIONS"));
            head.push(roman("]"));
        }
        for argument in own.iter().filter(|a| a.is_positional()) {
            let name = argument.get_value_names().map_or_else(String::new, |n| n[0].to_string());
            let required = argument.is_required_set();
            head.push(roman(if required { " " } else { " [" }));
            head.push(italic(name));
            head.push(roman(if required { "" } else { "]" }));
        }
        entry(&mut roff, head, &sentence(&command.get_about().unwrap().to_string()));
        for argument in own {
            let values: Vec<String> =
                argument.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let name = match argument.get_long() {
                Some(long) => format!("--{long}"),
                None => argument.get_value_names().map_or_else(String::new, |n| n[0].to_string()),
            };
            let choice =
                if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
            roff.control("br", []);
            roff.text([italic(name), roman(format!(": {help}{choice}."))]);
        }
    }
    rendered(&roff)
}

/// The definition of `watch`.
fn of_watch(definition: &Command) -> &Command {
    definition.find_subcommand("watch").unwrap()
}

/// The keys of the watch.
fn keys() -> String {
    let mut roff = Roff::new();
    for binding in BINDINGS {
        entry(&mut roff, vec![bold(binding.shown)], &sentence(binding.help));
    }
    rendered(&roff)
}

/// The signs in front of its lines.
fn signs() -> String {
    let mut roff = Roff::new();
    for (sign, text) in help::SIGNS {
        entry(&mut roff, vec![bold(sign)], &sentence(text));
    }
    rendered(&roff)
}

/// What its lines can be ordered by.
fn orders() -> String {
    let mut roff = Roff::new();
    for sort in Sort::ALL {
        entry(&mut roff, vec![bold(sort.word())], &sentence(sort.meaning()));
    }
    rendered(&roff)
}

fn columns() -> String {
    let mut roff = Roff::new();
    for field in field::all() {
        entry(
            &mut roff,
            vec![bold(field.id), roman(format!(" ({})", field.unit))],
            &sentence(field.summary),
        );
        roff.control("br", []);
        roff.text([roman("JSON "), bold(field.json), roman(",")]);
        wrapped(&mut roff, &format!("from {}.", field.source));
    }
    rendered(&roff)
}

/// A table of the words, then what each state means.
fn states() -> String {
    let mut text = String::from(
        ".TS\nlb1 lb2 lb2 lb2 lb2 lb\nl1 r2 l2 l2 l2 l.\nName\tNr\tRFC 9293\tnetstat\tss\tlsof\n",
    );
    for state in State::all() {
        let row = [
            state.name().to_owned(),
            state.number().to_string(),
            state.rfc().unwrap_or("-").to_owned(),
            state.netstat().unwrap_or("-").to_owned(),
            state.ss().to_owned(),
            state.lsof().unwrap_or("-").to_owned(),
        ];
        text.push_str(&row.map(|word| word.replace('-', "\\-")).join("\t"));
        text.push('\n');
    }
    text.push_str(".TE\n");
    let mut roff = Roff::new();
    for state in State::all() {
        entry(&mut roff, vec![bold(state.name())], &sentence(state.meaning()));
    }
    text + &rendered(&roff)
}

fn owners() -> String {
    let mut roff = Roff::new();
    for why in Unowned::ALL {
        entry(&mut roff, vec![bold(why.name())], &sentence(why.meaning()));
    }
    rendered(&roff)
}

fn documents() -> String {
    let mut roff = Roff::new();
    for name in schema::names() {
        entry(&mut roff, vec![bold(format!("sockeye.{name}/1"))], &sentence(schema::summary(name)));
    }
    rendered(&roff)
}

fn exits() -> String {
    let mut roff = Roff::new();
    let mut codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
    codes.dedup();
    for code in codes {
        let of_code = Exit::ALL.iter().filter(|exit| exit.code() == code);
        let meanings: Vec<&str> = of_code.map(|exit| exit.meaning()).collect();
        entry(&mut roff, vec![bold(code.to_string())], &sentence(&meanings.join("; ")));
    }
    rendered(&roff)
}

/// A tagged paragraph.
pub(super) fn entry(roff: &mut Roff, head: Vec<Inline>, body: &str) {
    roff.control("TP", []);
    roff.text(head);
    wrapped(roff, body);
}

/// Text on lines of the source that fit a terminal.
pub(super) fn wrapped(roff: &mut Roff, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + word.len() > 72 {
            roff.text([roman(std::mem::take(&mut line))]);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    roff.text([roman(line)]);
}

/// Our lines of help have no full stop and may begin small.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

pub(super) fn rendered(roff: &Roff) -> String {
    roff.to_roff().trim_end().to_owned()
}

/// The text of a page without roff: what a reader sees, roughly.
fn plain(page: &str) -> String {
    let text = page.replace("\\-", "-").replace("\\e", "\\").replace("\\(aq", "'");
    ["\\fB", "\\fI", "\\fR"].iter().fold(text, |text, font| text.replace(font, ""))
}

/// The commands of EXAMPLES.
fn examples(template: &str) -> Vec<String> {
    let template = plain(template);
    let (_, section) = template.split_once(".SH EXAMPLES").unwrap();
    let section = section.split("\n.SH ").next().unwrap();
    let commands = section.lines().filter_map(|line| {
        line.strip_prefix(".B # ").or_else(|| line.strip_prefix(".B $ ")).map(str::to_owned)
    });
    commands.collect()
}

#[test]
fn examples_are_what_the_program_understands() {
    use clap::FromArgMatches;
    use sockeye::cli::{argv, plan::Plan};
    let mut examples = examples(&super::file("man/template.1"));
    assert!(examples.len() >= 10, "{}", examples.len());
    // Those of --help, without what is said of them.
    let help = Cli::command().get_after_help().unwrap().to_string();
    let of_help = help.lines().filter_map(|line| line.strip_prefix("  sockeye"));
    let of_help: Vec<String> =
        of_help.map(|l| format!("sockeye{}", l.split("  ").next().unwrap())).collect();
    assert!(of_help.len() >= 5, "{help}");
    examples.extend(of_help);
    for example in examples {
        let own = example.split(['|', ';']).next().unwrap();
        let own = &own[own.find("sockeye").expect("it runs sockeye")..];
        let words = own.split_whitespace().map(std::ffi::OsString::from).collect();
        let definition = Cli::command();
        let words = argv::command_first(&definition, words);
        let matches =
            definition.try_get_matches_from(words).unwrap_or_else(|e| panic!("{example}: {e}"));
        let mut list = Cli::from_arg_matches(&matches).unwrap().list;
        // The tree of the example is not here.
        list.source.proc_root = None;
        assert!(Plan::of(&list).is_ok(), "{example}");
    }
}

#[test]
fn every_option_a_template_names_exists() {
    let template = ["man/template.1", "man/template-doctor.1"].map(super::file).concat();
    let template = plain(&template);
    let definition = Cli::whole();
    let commands = || std::iter::once(&definition).chain(definition.get_subcommands());
    for word in template.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) else {
            continue;
        };
        let known = commands().any(|c| c.get_arguments().any(|a| a.get_long() == Some(long)));
        assert!(known, "the manual names --{long}");
    }
}
