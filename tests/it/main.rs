//! The one integration test program.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "a test that does not run says so")]

/// The manual and the completion scripts are generated, committed and fresh.
mod artifacts;
/// Whoever is connected to whom on this host is named at both ends.
mod both_ends;
/// `capacity` says how many and with which error, and then it is done and counted.
mod capacity;
/// A table that changes while it is read shows no socket twice and loses none that stays.
mod churn;
/// What is typed, and what comes back: stdout, stderr and exit code together.
mod cli;
/// Real containers are found by their names.
mod containers;
/// Hundreds of filters, answered by ss and sockeye side by side.
mod differential;
/// The doctor on trees: exit codes, choice of rules, the config file.
mod doctor;
/// Raw dumps: ours are read by ss, those of ss by us.
mod dump;
/// `sockeye explain`, by its text.
mod explain;
/// Sockets of every family are those of ss, with what they are told of.
mod families;
/// The decoders of families: built from the kernel's structs, cut, lying, random.
mod family_wire;
/// Filters select the rows ss selects, in the kernel as here.
mod filters;
/// /proc trees made by tests.
mod fixture;
/// Recorded hosts look as they did, in every form.
mod golden;
/// What people type who come from elsewhere.
mod habits;
/// Incidents, made again in namespaces: the doctor names each, and nothing else.
mod incidents;
/// `sockeye kill` closes what it says and nothing else, and says what it did not close.
mod kill;
/// Network namespaces, black holes, `ss`, and the program itself: what live tests are made of.
mod lab;
/// The rooms of src/ import downward only, and are named after what they hold.
mod layers;
/// Twenty namespaces at once are told as each alone.
mod many_namespaces;
/// Every network namespace is found, told once and named.
mod namespaces;
/// Names of the processes that hold a socket agree with lsof's, and their absence has a reason.
mod owners;
/// Runs the program.
mod program;
/// `--watch` on lists and reports.
mod repeat;
/// Every document is what its schema says.
mod schemas;
/// What is recorded is read back, and answers as the live machine did.
mod snapshot;
/// `--format ss` is the text of ss.
mod ss_text;
/// A namespace with sockets in every state is listed exactly, by either source.
mod states;
/// What BPF maps keep in sockets.
mod storages;
/// The TIME_WAIT report says what was done.
mod time_wait;
/// `sockeye trace` tells every event, in order, with the bytes that were sent.
mod trace;
/// What the kernel's walk over descriptors tells is what /proc tells.
mod walk;
/// The full-screen view, by its screens, on a terminal and beside what was sent.
mod watch;
/// The decoder of inet_diag answers: recorded, cut, lying, random, live.
mod wire;
/// Without netlink, without /proc, or with processes hidden, the listing says what it lacks.
mod withheld;
