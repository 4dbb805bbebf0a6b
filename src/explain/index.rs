//! The list of topics.

use super::{
    block::{Block, fact, heading, text},
    topic::{Kind, Topic},
};
use crate::model::state::State;

/// The topic `topics`, made of the others.
pub fn topic(others: &[Topic]) -> Topic {
    let mut blocks = vec![text(
        "`sockeye explain TOPIC` explains one of these. Upper and lower case do not matter, nor do \
         `-`, `_` and `.`; every tool's spelling of a state works, and every error name (EMFILE).",
    )];
    for kind in Kind::ALL {
        let of_kind = || others.iter().filter(|t| t.kind == kind);
        if of_kind().next().is_none() {
            continue;
        }
        blocks.push(heading(kind.heading()));
        if kind == Kind::Lesson {
            blocks.extend(of_kind().map(|t| fact(t.name, t.title.clone())));
            let article = "why it exists, when it is harmless, when it hurts, what to do";
            blocks.push(fact(State::TimeWait.name(), article));
        } else {
            blocks.push(Block::Names(of_kind().map(|t| t.name).collect()));
        }
    }
    Topic {
        name: "topics",
        also: vec!["list", "help", "index"],
        title: "what can be explained".into(),
        kind: Kind::Index,
        blocks,
        see_also: vec![],
    }
}
