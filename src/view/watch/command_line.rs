//! The command line that gives the present view.

use super::{
    order::{By, Sort},
    state::Watch,
};
use crate::filter::Filter;

/// Options that choose tables.
const TABLES: [&str; 7] = ["-t", "-u", "-w", "-M", "-S", "-d", "-A"];

/// `sockeye watch …`, as it can be pasted into a shell.
pub fn of(watch: &Watch) -> String {
    let mut words = vec!["sockeye".to_owned(), "watch".to_owned()];
    words.extend(watch.setup.words.iter().map(|word| quoted(word)));
    let shape = &watch.shape;
    if watch.every.as_millis() != 1000 && !watch.setup.recorded {
        words.push(format!("--interval {}", watch.every.as_secs_f64()));
    }
    if let Some(state) = shape.chip {
        words.push(format!("--state {state}"));
    }
    if let Some(grouping) = shape.grouping {
        words.push(format!("--group-by {}", grouping.word()));
    }
    let usual = if shape.grouping.is_some() { Sort::Sockets } else { Sort::Waiting };
    if (By { totals: false, ..shape.by }) != By::usual(usual) {
        let usual = shape.by.sort.is_descending();
        let sign = match (shape.by.descending, usual) {
            (true, false) => "-",
            (false, true) => "+",
            _ => "",
        };
        words.push(format!("--sort {sign}{}", shape.by.sort.word()));
    }
    if !shape.fold {
        words.push("--no-fold".to_owned());
    }
    if shape.by.totals && !watch.setup.recorded {
        words.push("--totals".to_owned());
    }
    // Not the state with it: sockets of others tell in which direction a connection was made.
    let typed = typed(watch);
    if !typed.is_empty() {
        words.push(quoted(&typed));
    }
    words.join(" ")
}

/// The same sockets as a list, printed once.
pub fn list(watch: &Watch) -> String {
    let is_table = |word: &String| TABLES.contains(&word.as_str());
    let tables = if watch.setup.words.iter().any(is_table) { "-anp" } else { "-tuanp" };
    let mut words = vec!["sockeye".to_owned(), tables.to_owned()];
    words.extend(watch.setup.words.iter().map(|word| quoted(word)));
    let filter = filter(watch);
    if !filter.is_empty() {
        words.push(quoted(&filter));
    }
    words.join(" ")
}

fn typed(watch: &Watch) -> String {
    watch.filter.as_ref().map_or(String::new(), Filter::to_string)
}

/// The filter and the state chosen by its chip.
fn filter(watch: &Watch) -> String {
    let typed = typed(watch);
    match (watch.shape.chip, typed.is_empty()) {
        (None, _) => typed,
        (Some(state), true) => format!("state = {state}"),
        (Some(state), false) => format!("state = {state} and ({typed})"),
    }
}

/// A word that a shell takes as it stands.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("blue"), "blue");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
