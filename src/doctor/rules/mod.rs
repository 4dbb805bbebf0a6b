//! Every rule, one file each. A new one is registered here and nowhere else.

use super::{rule::Rule, threshold::Threshold};

mod closing {
    pub(super) mod close_wait_leak;
}
mod listening {
    pub(super) mod accept_queue_overflow;
}
mod time_wait {
    pub(super) mod server_side;
}

/// Every rule, by area.
pub const RULES: &[&Rule] = &[
    &time_wait::server_side::RULE,
    &listening::accept_queue_overflow::RULE,
    &closing::close_wait_leak::RULE,
];

/// The rule of this name.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}

/// The thresholds of the rule of this name.
pub fn thresholds_of(id: &str) -> Option<&'static [Threshold]> {
    find(id).map(|rule| rule.thresholds)
}
