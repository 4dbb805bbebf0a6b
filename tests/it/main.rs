//! The one integration test program.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]

/// A table that changes while it is read shows no socket twice and loses none that stays.
mod churn;
/// Network namespaces, black holes, `ss`, and the program itself: what live tests are made of.
mod lab;
/// The rooms of src/ import downward only, and are named after what they hold.
mod layers;
/// Names of the processes that hold a socket agree with lsof's, and their absence has a reason.
mod owners;
/// A namespace with sockets in every state is listed exactly, by either source.
mod states;
/// Without netlink, without /proc, or with processes hidden, the listing says what it lacks.
mod withheld;
