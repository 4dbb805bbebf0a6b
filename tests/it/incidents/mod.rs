//! Incidents, made again in namespaces: limits are shrunk instead of loads grown, and peers die by
//! an address that nobody has. The doctor must name each, with its subject, and nothing beside it.
//!
//! Each file holds one family, and with each incident its twin: what looks alike and is healthy.

/// Closes that do not come to their end.
mod closing;
/// What the doctor said, and what a test wants of it.
mod diagnosis;
/// Data that is not read, not sent, lost.
mod flow;
/// Limits of the whole host, on /proc trees made by tests.
mod host;
/// Listeners that do not accept, and SYNs they cannot take.
mod listening;
/// Local ports for outgoing connections.
mod ports;
/// Real servers under load: well set up ones are well, and others are named.
mod servers;
/// Peers that do not answer.
mod silence;
/// TIME_WAIT, harmful and harmless.
mod time_wait;

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    program::sockeye,
};
use std::io::Write;
use tempfile::NamedTempFile;

/// How many TCP sockets of the namespace a filter selects.
fn count(namespace: &Namespace, filter: &str) -> usize {
    let run = sockeye(namespace, &format!("--tcp --all --count {filter}"));
    run.stdout.trim().parse().unwrap_or_else(|_| panic!("{run:?}"))
}

/// Waits until a filter selects so many TCP sockets of the namespace, or more.
fn wait_for(namespace: &Namespace, number: usize, filter: &str) {
    let is_so = eventually(PATIENCE, || count(namespace, filter) >= number);
    let listing = || sockeye(namespace, "-tanoi").stdout;
    assert!(is_so, "{} of {number}: {filter}\n{}", count(namespace, filter), listing());
}

/// A configuration file for the doctor.
struct Settings(NamedTempFile);

/// Thresholds of age are lowered so that a test need not become old.
fn settings(text: &str) -> Settings {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Settings(file)
}

impl Settings {
    /// The switch that names it.
    fn switch(&self) -> String {
        format!("--config {}", self.0.path().display())
    }
}
