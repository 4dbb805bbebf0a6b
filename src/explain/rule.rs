//! The doctor's rules, each from what the rule itself says.

use super::{
    block::{Block, fact, heading, item, text},
    topic::{Kind, Topic},
};
use crate::doctor::{
    rule::{Advice, Rule},
    rules::RULES,
};
use std::borrow::Cow;

/// A topic for each rule.
pub fn topics() -> Vec<Topic> {
    RULES.iter().map(|rule| topic(rule)).collect()
}

fn topic(rule: &'static Rule) -> Topic {
    let mut blocks = vec![text(rule.meaning), fact("Looked at", rule.evidence)];
    if !rule.needs.is_empty() {
        let needs: Vec<String> = rule.needs.iter().map(|need| need.name()).collect();
        blocks.push(fact("Needs", format!("{}; without, it is skipped.", needs.join("; "))));
    }
    blocks.push(fact("Seen as", rule.symptoms));
    blocks.push(fact("Looks alike", rule.false_positives));
    if !rule.thresholds.is_empty() {
        blocks.push(heading("Thresholds"));
        for threshold in rule.thresholds {
            blocks
                .push(item(format!("{} = {}: {}", threshold.key, threshold.value, threshold.why)));
        }
    }
    blocks.push(heading("Causes, the most frequent first"));
    blocks.extend(rule.causes.iter().map(|cause| item(*cause)));
    if !rule.remedies.is_empty() {
        blocks.push(heading("What to do, in this order"));
        for advice in rule.remedies {
            blocks.extend(remedy(advice));
        }
    }
    if !rule.avoid.is_empty() {
        blocks.push(heading("What does not help"));
        blocks.extend(rule.avoid.iter().map(|(what, why)| item(format!("{what}: {why}"))));
    }
    blocks.push(heading("Rests on"));
    blocks.extend(rule.sources.iter().map(|source| item(*source)));
    let known = |id: &&str| RULES.iter().any(|rule| rule.id == *id);
    Topic {
        name: rule.id,
        also: vec![],
        title: rule.title.into(),
        kind: Kind::Rule,
        blocks,
        see_also: rule.caused_by.iter().copied().filter(known).collect(),
    }
}

fn remedy(advice: &'static Advice) -> Vec<Block> {
    let mut said: Cow<'static, str> = format!("{}: {}", advice.tier.name(), advice.text).into();
    if !advice.risk.is_empty() {
        said = format!("{said}. Risk: {}", advice.risk).into();
    }
    let commands = advice.command.lines().map(super::block::command);
    std::iter::once(item(said)).chain(commands).collect()
}
