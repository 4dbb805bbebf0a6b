//! Words that a filter knows: states, protocols, families, and those of columns that have few.

use super::{error::FilterError, kind, pattern::Pattern, value::Value};
use crate::{
    field::definition::Field,
    model::{
        protocol::{Family, Protocol},
        state::{State, StateSet},
    },
};

/// Groups of states ss has words for.
fn group(word: &str) -> Option<StateSet> {
    let all = StateSet::ALL;
    let connected = all.without(StateSet::of(State::Closed)).without(StateSet::of(State::Listen));
    let bucket = StateSet::of(State::SynRcvd).with(StateSet::of(State::TimeWait));
    Some(match word {
        "all" => all,
        "connected" => connected,
        "synchronized" => connected.without(StateSet::of(State::SynSent)),
        "bucket" => bucket,
        "big" => all.without(bucket),
        "none" | "unknown" => StateSet::NONE,
        _ => return None,
    })
}

/// A word for a state, or for a group of them.
pub fn state_word(word: &str) -> Option<StateSet> {
    group(&word.to_ascii_lowercase()).or_else(|| State::parse(word).map(StateSet::of))
}

/// Any of these states.
pub fn states(values: &[Value]) -> Result<StateSet, FilterError> {
    values.iter().try_fold(StateSet::NONE, |sum, value| {
        let word = value.plain();
        let found = state_word(&word).ok_or_else(|| {
            let hint = if let Some(near) = nearest_state(&word) {
                format!("did you mean `{near}`? every tool's spelling will do")
            } else {
                let names: Vec<_> = State::all().map(State::name).collect();
                let names = names.join(", ");
                format!("states are {names}, or all, connected, synchronized, bucket, big")
            };
            value.wrong(format!("no state is called `{word}`"), hint)
        })?;
        Ok(sum.with(found))
    })
}

fn nearest_state(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "tw" => return Some(State::TimeWait.name()),
        "est" | "open" => return Some(State::Established.name()),
        _ => {}
    }
    let word = word.to_ascii_uppercase().replace('-', "_");
    let groups = ["all", "connected", "synchronized", "bucket", "big"];
    let names = State::all().map(|state| (state.name(), state.name()));
    let foreign = State::all().map(|state| (state.ss(), state.name()));
    let words = names.chain(foreign).chain(groups.map(|group| (group, group)));
    near(&word, words.map(|(known, shown)| (known.to_ascii_uppercase(), shown)))
}

/// The word nearest to a mistyped one, if any is near.
pub(super) fn near<T>(word: &str, known: impl Iterator<Item = (String, T)>) -> Option<T> {
    let rated = known.map(|(known, shown)| (strsim::jaro_winkler(word, &known), shown));
    rated
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(rate, _)| *rate > 0.75)
        .map(|(_, shown)| shown)
}

/// A transport protocol.
pub(super) fn protocol(value: &Value) -> Result<Protocol, FilterError> {
    let word = value.plain().to_ascii_lowercase();
    let names: Vec<_> = Protocol::ALL.map(Protocol::name).to_vec();
    Protocol::ALL.into_iter().find(|protocol| protocol.name() == word).ok_or_else(|| {
        value.wrong(
            format!("no protocol is called `{word}`"),
            format!("protocols that can be listed are {}", names.join(", ")),
        )
    })
}

/// An address family, as every tool calls it.
pub(super) fn family(value: &Value) -> Result<Family, FilterError> {
    match value.plain().to_ascii_lowercase().as_str() {
        "ipv4" | "inet" | "ip4" | "v4" | "4" => Ok(Family::Ipv4),
        "ipv6" | "inet6" | "ip6" | "v6" | "6" => Ok(Family::Ipv6),
        "link" => Ok(Family::Packet),
        word => Family::ALL.into_iter().find(|family| family.name() == word).ok_or_else(|| {
            let names: Vec<_> = Family::ALL.map(Family::name).to_vec();
            value.wrong(
                format!("no family is called `{word}`"),
                format!("families are {}", names.join(", ")),
            )
        }),
    }
}

/// A word of a column that has few; a pattern of them.
pub(super) fn word(field: &'static Field, value: &Value) -> Result<Pattern, FilterError> {
    let pattern = value.pattern();
    let known = kind::words(field);
    let Some(text) = pattern.literal().filter(|_| !known.is_empty()) else {
        return Ok(pattern);
    };
    let typed = text.to_ascii_lowercase().replace('_', "-");
    // What ss prints.
    let typed = match (field.id, typed.as_str()) {
        ("timer", "on") => "retransmit",
        ("timer", "timewait") => "time-wait",
        ("timer", "persist") => "window-probe",
        (_, typed) => typed,
    };
    if known.contains(&typed) {
        return Ok(Pattern::exactly(typed));
    }
    let near = near(typed, known.iter().map(|word| ((*word).to_owned(), *word)));
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    Err(value.wrong(
        format!("`{}` is never `{text}`", field.id),
        format!("{near}it is one of {}", known.join(", ")),
    ))
}

/// Yes or no.
pub(super) fn flag(value: &Value) -> Result<bool, FilterError> {
    match value.plain().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        word => Err(value.wrong(format!("`{word}` is neither yes nor no"), "write true or false")),
    }
}
