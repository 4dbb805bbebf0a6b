//! Completion scripts: clap_complete's, and functions for the values it cannot list.

use super::candidates::{self, Candidates};
use clap::{Arg, Command};
use clap_complete::aot;
use sockeye::cli::args::Shell;
use std::fmt::Write as _;

/// The script of a shell.
pub(super) fn script(shell: Shell, definition: &Command) -> String {
    let mut base = candidates::shown(definition);
    let mut script = vec![];
    match shell {
        Shell::Bash => aot::generate(aot::Bash, &mut base, "sockeye", &mut script),
        Shell::Zsh => aot::generate(aot::Zsh, &mut base, "sockeye", &mut script),
        Shell::Fish => aot::generate(aot::Fish, &mut base, "sockeye", &mut script),
    }
    let script = String::from_utf8(script).unwrap();
    let options = options(&base);
    match shell {
        Shell::Bash => bash(&script, &options),
        Shell::Zsh => zsh(&script, &options),
        Shell::Fish => fish(&script, &options, &base),
    }
}

const MADE: &str = "Generated from the definition of options and columns: UPDATE=1 cargo test";

/// The options whose values we complete, each once.
fn options(definition: &Command) -> Vec<(Candidates, Arg)> {
    let mut options: Vec<(Candidates, Arg)> = vec![];
    let commands = std::iter::once(definition).chain(definition.get_subcommands());
    for argument in commands.flat_map(Command::get_arguments) {
        let known = options.iter().any(|(_, a)| a.get_id() == argument.get_id());
        if let Some(candidates) = candidates::of(argument)
            && !argument.is_positional()
            && !known
        {
            options.push((candidates, argument.clone()));
        }
    }
    options
}

/// `-N` and `--netns`, as typed.
fn spellings(argument: &Arg) -> Vec<String> {
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    short.into_iter().chain(argument.get_long().map(|word| format!("--{word}"))).collect()
}

/// A function before the generated one completes our values and mends `--option=value`, which bash
/// gives as three words.
fn bash(base: &str, options: &[(Candidates, Arg)]) -> String {
    let words = Candidates::Columns.words();
    let columns: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let mut cases = String::new();
    for (candidates, argument) in options {
        let function = match candidates {
            Candidates::Columns => "_sockeye_columns",
            Candidates::Tables => "_sockeye_tables",
            Candidates::Rules => "_sockeye_rules",
            Candidates::Order => "_sockeye_order",
            Candidates::Namespace => "_sockeye_namespaces",
            Candidates::Nothing => continue,
            other => panic!("say how bash completes {other:?}"),
        };
        let pattern = spellings(argument).join("|");
        let _ = writeln!(cases, "        {pattern}) {function} \"$cur\"; return ;;");
    }
    let registered = "complete -F _sockeye -o";
    assert_eq!(base.matches(registered).count(), 2, "clap_complete registers otherwise now");
    let (function, registration) =
        base.split_at(base.find("if [[ \"${BASH_VERSINFO[0]}\" -eq 4").unwrap());
    let registration = registration.replace(registered, "complete -F _sockeye_values -o");
    format!(
        r#"# {MADE}

{function}_sockeye_ids="{ids}"
_sockeye_table_names="{tables}"
_sockeye_rule_names="{rules}"

# Column ids: what follows the last comma is completed, and what stands before it stays.
_sockeye_columns() {{
    local before=""
    [[ $1 == *,* ]] && before="${{1%,*}},"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_ids" -- "${{1##*,}}") )
    compopt -o nospace 2>/dev/null
}}

# Rules of the doctor, likewise.
_sockeye_rules() {{
    local before=""
    [[ $1 == *,* ]] && before="${{1%,*}},"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_rule_names" -- "${{1##*,}}") )
    compopt -o nospace 2>/dev/null
}}

# Tables of sockets, likewise; `!` excludes one.
_sockeye_tables() {{
    local before="" word="${{1##*,}}"
    [[ $1 == *,* ]] && before="${{1%,*}},"
    [[ $word == !* ]] && before="$before!" word="${{word#!}}"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_table_names" -- "$word") )
    compopt -o nospace 2>/dev/null
}}

# A column id, perhaps behind the sign that turns the order round.
_sockeye_order() {{
    local sign=""
    [[ $1 == -* ]] && sign="-"
    COMPREPLY=( $(compgen -P "$sign" -W "$_sockeye_ids" -- "${{1#-}}") )
}}

# Names that `ip netns` keeps; where none fits, bash goes on to paths.
_sockeye_namespaces() {{
    local path
    for path in /run/netns/*; do
        path="${{path##*/}}"
        [[ -e /run/netns/$path && $path == "$1"* ]] && COMPREPLY+=( "$(printf '%q' "$path")" )
    done
}}

_sockeye_values() {{
    local cur="$2" prev="$3"
    COMPREPLY=()
    if [[ $cur == "=" ]]; then
        cur=""
    elif [[ $prev == "=" && $COMP_CWORD -ge 2 ]]; then
        prev="${{COMP_WORDS[COMP_CWORD-2]}}"
    fi
    # The watch has orders and groupings of its own, which the generated function lists.
    case " ${{COMP_WORDS[*]}} $prev" in
        *" watch "*" --sort"|*" watch "*" --group-by") _sockeye "$1" "$cur" "$prev"; return ;;
    esac
    case "$prev" in
{cases}    esac
    _sockeye "$1" "$cur" "$prev"
}}

{registration}"#,
        ids = columns.join(" "),
        tables = Candidates::Tables.words().iter().map(|w| w.0).collect::<Vec<_>>().join(" "),
        rules = Candidates::Rules.words().iter().map(|w| w.0).collect::<Vec<_>>().join(" "),
    )
}

/// Where the generated script leaves a value to files, one of our functions stands.
fn zsh(base: &str, options: &[(Candidates, Arg)]) -> String {
    let mut script = base.to_owned();
    for (candidates, argument) in options {
        let function = match candidates {
            Candidates::Columns => "_sockeye_column_list",
            Candidates::Tables => "_sockeye_table_list",
            Candidates::Rules => "_sockeye_rule_list",
            Candidates::Order => "_sockeye_order",
            Candidates::Namespace => "_sockeye_namespaces",
            Candidates::Nothing => " ",
            other => panic!("say how zsh completes {other:?}"),
        };
        for typed in spellings(argument) {
            script = lines(&script, &[&format!("{typed}=["), &format!("{typed}+[")], |line| {
                // A command of which clap knows the values lists them itself.
                if line.contains(":(") {
                    return line.to_owned();
                }
                assert!(line.contains(":_default'"), "clap_complete writes otherwise now: {line}");
                line.replace(":_default'", &format!(":{function}'"))
            });
        }
    }
    let described: Vec<String> = Candidates::Columns
        .words()
        .iter()
        .map(|(word, help)| format!("        '{word}:{}'", help.replace('\'', "'\\''")))
        .collect();
    let tables: Vec<String> = Candidates::Tables
        .words()
        .iter()
        .map(|(word, help)| format!("        '{word}:{help}'"))
        .collect();
    let rules: Vec<String> = Candidates::Rules
        .words()
        .iter()
        .map(|(word, help)| format!("        '{word}:{}'", help.replace('\'', "'\\''")))
        .collect();
    let at = script.find("if [ \"$funcstack[1]\"").expect("clap_complete ends otherwise now");
    script.insert_str(
        at,
        &format!(
            r"(( $+functions[_sockeye_columns] )) ||
_sockeye_columns() {{
    local -a columns=(
{described}
    )
    _describe -t columns column columns $@
}}

(( $+functions[_sockeye_column_list] )) ||
_sockeye_column_list() {{
    compset -P '*,'
    compset -S ',*'
    _sockeye_columns -qS ,
}}

(( $+functions[_sockeye_table_list] )) ||
_sockeye_table_list() {{
    local -a tables=(
{tables}
    )
    compset -P '*,'
    compset -P '!'
    compset -S ',*'
    _describe -t tables table tables -qS ,
}}

(( $+functions[_sockeye_rule_list] )) ||
_sockeye_rule_list() {{
    local -a rules=(
{rules}
    )
    compset -P '*,'
    compset -S ',*'
    _describe -t rules rule rules -qS ,
}}

(( $+functions[_sockeye_order] )) ||
_sockeye_order() {{
    compset -P '-'
    _sockeye_columns
}}

(( $+functions[_sockeye_namespaces] )) ||
_sockeye_namespaces() {{
    _alternative 'names:name:_path_files -W /run/netns' 'pids:process:_pids' 'paths:path:_files'
}}

",
            described = described.join("\n"),
            tables = tables.join("\n"),
            rules = rules.join("\n"),
        ),
    );
    let (tag, rest) = script.split_once('\n').unwrap();
    format!("{tag}\n# {MADE}\n{rest}")
}

/// The generated script knows no positional words, and our values get functions.
fn fish(base: &str, options: &[(Candidates, Arg)], definition: &Command) -> String {
    let mut script = base.to_owned();
    for (candidates, argument) in options {
        let values = match candidates {
            Candidates::Columns => "(__fish_complete_list , __sockeye_columns)",
            Candidates::Tables => "(__fish_complete_list , __sockeye_tables)",
            Candidates::Rules => "(__fish_complete_list , __sockeye_rules)",
            Candidates::Order => "(__sockeye_order)",
            Candidates::Namespace => "(__sockeye_namespaces; __fish_complete_path)",
            Candidates::Nothing => "",
            other => panic!("say how fish completes {other:?}"),
        };
        let long = argument.get_long().unwrap();
        if argument.get_num_args().unwrap().min_values() == 0 {
            script = script.replace(&format!(" {long}= "), &format!(" '{long}=?' "));
        }
        script = lines(&script, &[&format!(" -l {long} ")], |line| {
            if line.contains(" -a ") { line.to_owned() } else { format!("{line} -f -a '{values}'") }
        });
    }
    // The generated script sees no command line in which the last option still waits for its value.
    let parse = "argparse -s (__fish_sockeye_global_optspecs) -- $cmd 2>/dev/null\n    or return";
    assert_eq!(script.matches(parse).count(), 1, "clap_complete parses otherwise now");
    let again = parse.replace('\n', "\n    ");
    let (first, _) = parse.split_once('\n').unwrap();
    script = script.replace(
        parse,
        &format!("if not {first}\n        set -e cmd[-1]\n        {again}\n    end"),
    );
    let mut words = String::new();
    for argument in definition.get_positionals().filter(|a| !a.is_hide_set()) {
        words.push_str(&fish_words("__fish_sockeye_needs_command", argument));
    }
    for command in definition.get_subcommands() {
        let seen = format!("__fish_sockeye_using_subcommand {}", command.get_name());
        for argument in command.get_positionals().filter(|a| !a.is_hide_set()) {
            words.push_str(&fish_words(&seen, argument));
        }
    }
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let columns: Vec<String> = Candidates::Columns
        .words()
        .iter()
        .map(|(word, help)| format!("        {word} '{}'", quoted(help)))
        .collect();
    let columns = columns.join(" \\\n");
    let tables: Vec<String> = Candidates::Tables
        .words()
        .iter()
        .map(|(word, help)| format!("        {word} '{}'", quoted(help)))
        .collect();
    let tables = tables.join(" \\\n");
    let rules: Vec<String> = Candidates::Rules
        .words()
        .iter()
        .map(|(word, help)| format!("        {word} '{}'", quoted(help)))
        .collect();
    let rules = rules.join(" \\\n");
    format!(
        r"# {MADE}

function __sockeye_columns
    printf '%s\t%s\n' \
{columns}
end

function __sockeye_tables
    printf '%s\t%s\n' \
{tables}
end

function __sockeye_rules
    printf '%s\t%s\n' \
{rules}
end

function __sockeye_order
    __sockeye_columns
    __sockeye_columns | string replace -r '^' -- -
end

function __sockeye_namespaces
    for path in /run/netns/*
        printf '%s\tnetwork namespace\n' (string replace -r '.*/' '' -- $path)
    end
end

{script}{words}"
    )
}

/// The possible values of a positional argument, as fish takes them.
fn fish_words(condition: &str, argument: &Arg) -> String {
    let values = argument.get_possible_values();
    let word = |value: &clap::builder::PossibleValue| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        let text = format!("{}\\t'{}'", value.get_name(), help.replace('\'', "\\\\'"));
        text.replace('"', "\\\"")
    };
    let words: Vec<String> = values.iter().map(word).collect();
    format!("complete -c sockeye -n \"{condition}\" -f -a \"{}\"\n", words.join("\n"))
}

/// Changes every line that has one of `marks`; there has to be one.
fn lines(script: &str, marks: &[&str], change: impl Fn(&str) -> String) -> String {
    let mut changed = 0;
    let lines = script.lines().map(|line| {
        if marks.iter().any(|mark| line.contains(mark)) {
            changed += 1;
            change(line) + "\n"
        } else {
            line.to_owned() + "\n"
        }
    });
    let text = lines.collect();
    assert!(changed > 0, "clap_complete no longer writes {marks:?}");
    text
}

/// What bash offers at the end of a command line, sorted.
fn bash_offers(script: &str, words: &[&str]) -> Vec<String> {
    let last = words.len() - 1;
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let program = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={last}\n\
         _sockeye_values sockeye '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words[last],
        words[last - 1],
    );
    let mut bash = std::process::Command::new("bash");
    let printed = crate::program::filtered(bash.args(["--norc", "-u", "-s"]), program.as_bytes());
    let text = String::from_utf8(printed).unwrap();
    let mut offers: Vec<String> =
        text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect();
    offers.sort();
    offers
}

fn committed(shell: Shell) -> String {
    script(shell, &sockeye::cli::args::Cli::whole())
}

#[test]
fn bash_completes_what_the_table_says() {
    if !crate::program::has("bash") {
        return;
    }
    let script = committed(Shell::Bash);
    for (words, offers) in [
        (&["sockeye", "--columns", "sta"][..], &["state", "state_number"][..]),
        (
            &["sockeye", "--columns", "rtt,peer."],
            &[
                "rtt,peer.address",
                "rtt,peer.container",
                "rtt,peer.inode",
                "rtt,peer.netns",
                "rtt,peer.netns.name",
                "rtt,peer.owner",
                "rtt,peer.path",
                "rtt,peer.pid",
                "rtt,peer.pod",
                "rtt,peer.port",
                "rtt,peer.process",
                "rtt,peer.unit",
            ],
        ),
        (&["sockeye", "--group-by", "=", "local.p"], &["local.port"]),
        (&["sockeye", "doctor", "--skip", "=", "self-"], &["self-connect"]),
        (
            &["sockeye", "doctor", "--only", "self-connect,close-wait-"],
            &["self-connect,close-wait-idle-pool", "self-connect,close-wait-leak"],
        ),
        (&["sockeye", "-tan", "--sort", "-rtt"], &["-rtt", "-rttvar"]),
        (&["sockeye", "list", "--sort", "rttv"], &["rttvar"]),
        (&["sockeye", "--format", "n"], &["ndjson"]),
        (&["sockeye", "--format", "=", "n"], &["ndjson"]),
        (&["sockeye", "--source", ""], &["auto", "netlink", "proc"]),
        (&["sockeye", "--color", "a"], &["always", "auto"]),
        (&["sockeye", "completions", ""], &["--help", "-h", "bash", "fish", "zsh"]),
        (&["sockeye", "schema", "soc"], &["socket", "sockets"]),
        (&["sockeye", "sch"], &["schema"]),
        (&["sockeye", "--group"], &["--group-by"]),
        (&["sockeye", "--columns", "nonsense"], &[]),
    ] {
        assert_eq!(bash_offers(&script, words), offers, "{words:?}");
    }
}

/// A namespace that is gone when the test ends, however it ends.
struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = std::process::Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn bash_completes_namespaces() {
    if !crate::program::has("bash") || !crate::program::has("ip") {
        return;
    }
    let name = format!("sockeye-completion-{}", std::process::id());
    let made = std::process::Command::new("ip").args(["netns", "add", &name]).output().unwrap();
    if !made.status.success() {
        return crate::program::skipped("`ip netns add` is refused");
    }
    let namespace = Namespace(name);
    for option in ["-N", "--netns"] {
        let offers = bash_offers(&committed(Shell::Bash), &["sockeye", option, &namespace.0[..20]]);
        assert!(offers.contains(&namespace.0), "{option}: {offers:?}");
    }
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    for (shell, kind) in [("zsh", Shell::Zsh), ("fish", Shell::Fish), ("bash", Shell::Bash)] {
        // Shells that few servers have: told, and never a failure.
        if !crate::program::is_installed(shell) {
            println!("SKIPPED: {shell} is not installed");
            continue;
        }
        // From a file: zsh -n reads no program from a pipe.
        let path = std::env::temp_dir().join(format!("sockeye-{}.{shell}", std::process::id()));
        std::fs::write(&path, committed(kind)).unwrap();
        let checked = std::process::Command::new(shell).arg("-n").arg(&path).output().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(checked.status.success() && checked.stderr.is_empty(), "{shell}: {checked:?}");
    }
}

#[test]
fn fish_completes_what_the_table_says() {
    if !crate::program::is_installed("fish") {
        println!("SKIPPED: fish is not installed");
        return;
    }
    for (line, offers) in [
        ("sockeye --columns sta", &["state", "state_number"][..]),
        ("sockeye list --columns rtt,peer.po", &["rtt,peer.pod", "rtt,peer.port"]),
        ("sockeye --sort=-rttv", &["--sort=-rttvar"]),
        ("sockeye --format n", &["ndjson"]),
        ("sockeye --watch --format n", &["ndjson"]),
        ("sockeye schema sockets", &["sockets"]),
        ("sockeye completions z", &["zsh"]),
    ] {
        let program = format!("{}\ncomplete -C '{line}'", committed(Shell::Fish));
        let mut fish = std::process::Command::new("fish");
        fish.arg("--no-config").stderr(std::process::Stdio::inherit());
        let printed = crate::program::filtered(&mut fish, program.as_bytes());
        let text = String::from_utf8(printed).unwrap();
        let words: Vec<&str> = text.lines().filter_map(|l| l.split('\t').next()).collect();
        assert_eq!(words, offers, "{line}");
        assert!(text.lines().all(|l| l.contains('\t')), "each word has its help: {text}");
    }
}

#[test]
fn a_filter_completes_states() {
    let definition = sockeye::cli::args::Cli::whole().mut_arg("filter", |a| a.hide(true));
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        // Topics of `explain` name the states too, with a help of their own.
        let states = |script: &str| script.matches("CLOSE_WAIT").count();
        let (shown, hidden) = (states(&committed(shell)), states(&script(shell, &definition)));
        assert!(shown > hidden, "{shell:?}: {shown} with filters, {hidden} without");
    }
}
