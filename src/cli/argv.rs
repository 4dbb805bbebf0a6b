//! `sockeye -t --json summary` is `sockeye summary -t --json`: the first bare word that is a
//! command's name is that command, wherever it stands.

use clap::Command;
use std::ffi::OsString;

/// Moves a command's name to the front. Option values are passed over, as the definition has them.
pub fn command_first(definition: &Command, mut args: Vec<OsString>) -> Vec<OsString> {
    let mut index = 1;
    while let Some(word) = args.get(index).and_then(|word| word.to_str()) {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') || word == "-" {
            // A filter begins at the first bare word that is no command.
            if definition.find_subcommand(word).is_some() {
                let command = args.remove(index);
                args.insert(1, command);
            }
            break;
        }
        index += 1 + usize::from(takes_next(definition, word));
    }
    args
}

/// Whether the option in `word` takes the next word as its value.
fn takes_next(definition: &Command, word: &str) -> bool {
    let argument = if let Some(long) = word.strip_prefix("--") {
        definition.get_arguments().find(|a| a.get_long() == Some(long))
    } else {
        // Only the last letter of a bundle can take the next word; an earlier one takes the rest.
        let letters = word.strip_prefix('-').unwrap_or_default();
        let of = |c: char| definition.get_arguments().find(|a| a.get_short() == Some(c));
        let first_with_value = letters
            .char_indices()
            .find(|(_, c)| of(*c).is_some_and(|a| a.get_action().takes_values()));
        match first_with_value {
            Some((at, c)) if at + c.len_utf8() == letters.len() => of(c),
            _ => None,
        }
    };
    argument.is_some_and(|a| a.get_action().takes_values() && !a.is_require_equals_set())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn a_command_is_found_behind_options_and_never_in_their_values() {
        for (typed, meant) in [
            ("sockeye -t --json list", "sockeye list -t --json"),
            ("sockeye --sort list -t", "sockeye --sort list -t"),
            ("sockeye -N list -t", "sockeye -N list -t"),
            ("sockeye -tN list", "sockeye -tN list"),
            ("sockeye --watch list", "sockeye list --watch"),
            ("sockeye --watch=2 list", "sockeye list --watch=2"),
            ("sockeye state list", "sockeye state list"),
            ("sockeye -- list", "sockeye -- list"),
            ("sockeye", "sockeye"),
        ] {
            let args = typed.split(' ').map(OsString::from).collect();
            let got = command_first(&Cli::command(), args);
            assert_eq!(got.join(&OsString::from(" ")), OsString::from(meant));
        }
    }
}
