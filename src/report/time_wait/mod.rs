//! TIME_WAIT: how many, how fast, who closes, whether it harms, and what to do.

pub mod advice;
pub mod attribution;
pub mod closes;
pub mod destination;
pub mod expected;
pub mod figures;
pub mod groups;
pub mod history;
pub mod key;
pub mod listeners;
pub mod programs;
pub mod reckoning;
pub mod split;
pub mod verdict;

use crate::{
    collect::census::Ledger,
    model::{outline::Outline, snapshot::Snapshot},
};
pub use figures::TimeWait;
use reckoning::Reckoning;

/// Makes the report of a snapshot that has its sockets and owners, with at most so many groups.
pub fn of(snapshot: &Snapshot, limit: Option<usize>) -> TimeWait {
    let sockets = || snapshot.sockets.iter().map(Outline::socket);
    let mut reckoning = Reckoning::begin(snapshot, sockets(), limit);
    sockets().for_each(|socket| reckoning.enter(&socket));
    reckoning.judge();
    reckoning.report(snapshot)
}

#[cfg(test)]
mod tests;
