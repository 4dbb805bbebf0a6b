//! A word of `sockeye explain`: any is taken, since there are many spellings; completion offers the
//! names of the topics.

use crate::explain::{
    self,
    topic::{Kind, Topic},
};
use clap::{
    Arg, Command, Error,
    builder::{PossibleValue, TypedValueParser},
};
use std::ffi::OsStr;

/// Reads such a word.
#[derive(Debug, Clone, Copy)]
pub struct TopicWord;

impl TypedValueParser for TopicWord {
    type Value = String;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, word: &OsStr) -> Result<String, Error> {
        // Bytes that are not UTF-8 name no topic; the answer shows them as far as it can.
        Ok(word.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let offer = |topic: &'static Topic| PossibleValue::new(word(topic)).help(&*topic.title);
        Some(Box::new(explain::topics().iter().map(offer)))
    }
}

/// The word that completion offers. States in lower case, since few shells complete `time` to
/// `TIME_WAIT`.
pub fn word(topic: &Topic) -> String {
    match topic.kind {
        Kind::State => topic.name.to_ascii_lowercase().replace('_', "-"),
        _ => topic.name.to_owned(),
    }
}
