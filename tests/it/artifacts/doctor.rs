//! What the manual page of the doctor has of its own: its options and its rules.

use super::manual::{entry, rendered, sentence, wrapped};
use clap::Command;
use roff::{Roff, bold, italic, roman};
use sockeye::doctor::{area::Area, rules::RULES};

/// The options of the doctor, those it shares with a listing too.
pub(super) fn options(definition: &Command) -> String {
    let mut built = definition.clone();
    built.build();
    let command = built.find_subcommand("doctor").unwrap();
    let mut roff = Roff::new();
    for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
        let Some(long) = argument.get_long() else { continue };
        let mut head = vec![];
        if let Some(short) = argument.get_short() {
            head.extend([bold(format!("-{short}")), roman(", ")]);
        }
        head.push(bold(format!("--{long}")));
        if argument.get_action().takes_values() {
            let value = argument.get_value_names().map_or_else(String::new, |n| n[0].to_string());
            let equals = if argument.is_require_equals_set() { "[=" } else { " " };
            head.extend([roman(equals), italic(value)]);
            head.push(roman(if equals == " " { "" } else { "]" }));
        }
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|v| v.to_string_lossy().into()).collect();
        let default = if defaults.is_empty() || !argument.get_action().takes_values() {
            String::new()
        } else {
            format!(" ({})", defaults.join(", "))
        };
        entry(&mut roff, head, &sentence(&format!("{help}{default}")));
    }
    rendered(&roff)
}

/// The doctor's rules by area: what each means, its thresholds, what does not help.
pub(super) fn rules() -> String {
    let mut text = String::new();
    for area in Area::ALL {
        let mut of_area = RULES.iter().filter(|rule| rule.area == area).peekable();
        if of_area.peek().is_some() {
            let name = area.name().replace('-', "\\-");
            text.push_str(&[".SS \"", &name, "\"\n"].concat());
        }
        for rule in of_area {
            let mut roff = Roff::new();
            entry(&mut roff, vec![bold(rule.id)], &sentence(rule.title));
            wrapped(&mut roff, rule.meaning);
            if !rule.thresholds.is_empty() {
                let each: Vec<String> =
                    rule.thresholds.iter().map(|t| format!("{} {}", t.key, t.value)).collect();
                wrapped(&mut roff, &format!("Thresholds: {}.", each.join(", ")));
            }
            text.push_str(&rendered(&roff));
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}
