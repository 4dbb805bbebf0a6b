//! What is wrong with this host's connections: rules judge a snapshot, what they find is joined to
//! stories. Pure: the same rule runs on a live host, a recorded one, and a three-line test.

pub mod area;
pub mod config;
pub mod diagnosis;
pub mod evidence;
pub mod finding;
pub mod needs;
pub mod parties;
pub mod rounds;
pub mod rule;
pub mod rules;
pub mod share;
pub mod software;
mod sorted;
pub mod story;
pub mod subject;
pub mod threshold;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
