//! What `sockeye explain` teaches: one table of topics, each made of the facts it consists of, so
//! that the command, completion and the manual tell the same. Prints nothing, asks nothing.

pub mod block;
pub mod both_ends;
pub mod close;
pub mod column;
pub mod errors;
pub mod exchange;
pub mod filters;
pub mod handshake;
pub mod index;
pub mod limit;
pub mod myth;
pub mod owner;
pub mod ports;
pub mod queues;
pub mod rule;
pub mod state;
pub mod time_wait;
pub mod timer;
pub mod topic;
pub mod trace;

use crate::model::state::State;
use std::sync::LazyLock;
use topic::Topic;

static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let mut topics = vec![
        handshake::topic(),
        close::topic(),
        time_wait::twice_msl(),
        ports::topic(),
        ports::four_tuple(),
        queues::topic(),
        both_ends::topic(),
        errors::topic(),
        filters::topic(),
        trace::topic(),
    ];
    topics.extend(state::topics());
    topics.extend(limit::topics());
    topics.extend(rule::topics());
    topics.extend(owner::topics());
    topics.extend(timer::topics());
    topics.extend(myth::topics());
    topics.extend(column::topics());
    let index = index::topic(&topics);
    topics.insert(0, index);
    topics
});

/// Every topic, the index first, grouped by kind. Names are unique: completion, the manual and
/// `see also` use them.
pub fn topics() -> &'static [Topic] {
    &TOPICS
}

/// The topic of this name, in any case and with any separators; of any tool's spelling of a state;
/// of a kernel setting with or without its prefix.
///
/// `close` is the lesson and `CLOSE`, as netstat writes it, the state: an exact name decides first.
pub fn find(name: &str) -> Option<&'static Topic> {
    let exact = |name: &str| topics().iter().find(|t| t.name == name);
    let setting = ["net.ipv4.", "net.core.", "net.netfilter.", "myths."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let wanted = squeezed(setting);
    if wanted.is_empty() {
        return None;
    }
    exact(name)
        .or_else(|| State::parse(name).and_then(|state| exact(state.name())))
        .or_else(|| topics().iter().find(|t| t.name.eq_ignore_ascii_case(setting)))
        .or_else(|| topics().iter().find(|t| t.also.contains(&setting)))
        .or_else(|| topics().iter().find(|t| t.spellings().any(|s| squeezed(s) == wanted)))
}

/// The names nearest to a mistyped one, nearest first, at most three.
pub fn nearest(name: &str) -> Vec<&'static str> {
    let wanted = name.to_ascii_lowercase();
    let mut near: Vec<(f64, &'static str)> = topics()
        .iter()
        .filter_map(|topic| {
            let likeness = topic
                .spellings()
                .map(|s| strsim::jaro_winkler(&wanted, &s.to_ascii_lowercase()))
                .max_by(f64::total_cmp)?;
            (likeness > 0.8).then_some((likeness, topic.name))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Lower case without the separators in which spellings differ.
fn squeezed(word: &str) -> String {
    let kept = word.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ' | ':'));
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests;
