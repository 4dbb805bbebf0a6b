//! Words of `sockeye watch`: the state shown alone, what lines are grouped by, and their order.
//! Completion offers them.

use crate::{
    model::state::State,
    view::watch::{grouping::Grouping, order::Sort, state::CHIPS},
};
use clap::{
    Arg, Command, Error,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use std::ffi::OsStr;

/// Reads a state, in any tool's spelling.
#[derive(Debug, Clone, Copy)]
pub struct States;

/// Reads what lines are grouped by.
#[derive(Debug, Clone, Copy)]
pub struct Groupings;

/// Reads an order, and its direction: `-` the largest first, `+` the smallest.
#[derive(Debug, Clone, Copy)]
pub struct Orders;

/// The words, for completion and for what clap says of another.
fn listed(words: impl IntoIterator<Item = PossibleValue>) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

fn states() -> impl Iterator<Item = PossibleValue> {
    CHIPS.into_iter().map(|state| PossibleValue::new(state.name()))
}

fn groupings() -> impl Iterator<Item = PossibleValue> {
    Grouping::ALL.into_iter().map(|grouping| {
        let word = PossibleValue::new(grouping.word());
        // As somebody says it who does not think of the column.
        if grouping == Grouping::Netns { word.alias("namespace") } else { word }
    })
}

fn orders() -> impl Iterator<Item = PossibleValue> {
    Sort::ALL.into_iter().map(|sort| PossibleValue::new(sort.word()))
}

impl TypedValueParser for States {
    type Value = State;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        word: &OsStr,
    ) -> Result<State, Error> {
        if let Some(state) = word.to_str().and_then(State::parse) {
            return Ok(state);
        }
        // What clap says of a word that is none.
        listed(states()).parse_ref(command, argument, word)?;
        Err(Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(states()))
    }
}

impl TypedValueParser for Groupings {
    type Value = Grouping;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        word: &OsStr,
    ) -> Result<Grouping, Error> {
        let word = listed(groupings()).parse_ref(command, argument, word)?;
        let listed = groupings().find(|value| value.matches(&word, false));
        // Every listed word is the word of one.
        listed
            .and_then(|value| Grouping::named(value.get_name()))
            .ok_or_else(|| Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(groupings()))
    }
}

impl TypedValueParser for Orders {
    type Value = (Sort, Option<bool>);

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        word: &OsStr,
    ) -> Result<Self::Value, Error> {
        let text = word.to_string_lossy();
        let (plain, descending) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(plain), _) => (plain, Some(true)),
            (_, Some(plain)) => (plain, Some(false)),
            _ => (&*text, None),
        };
        let word = listed(orders()).parse_ref(command, argument, OsStr::new(plain))?;
        let sort = Sort::named(&word);
        sort.map(|sort| (sort, descending))
            .ok_or_else(|| Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(orders()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, Command};
    use clap::Parser;

    fn sort(words: &[&str]) -> Result<Option<(Sort, Option<bool>)>, String> {
        let words = ["sockeye", "watch"].iter().chain(words);
        match Cli::try_parse_from(words).map_err(|e| e.to_string())?.command {
            Some(Command::Watch(args)) => Ok(args.sort),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_order_has_a_direction_where_one_is_typed() {
        assert_eq!(sort(&["--sort", "-in"]), Ok(Some((Sort::Received, Some(true)))));
        assert_eq!(sort(&["--sort", "+in"]), Ok(Some((Sort::Received, Some(false)))));
        assert_eq!(sort(&["--sort=peer"]), Ok(Some((Sort::Peer, None))));
        assert_eq!(sort(&[]), Ok(None));
        let wrong = sort(&["--sort", "rt"]).unwrap_err();
        assert!(wrong.contains("rtt") && wrong.contains("queues"), "{wrong}");
    }
}
