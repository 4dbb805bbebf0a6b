//! A laboratory: private network namespaces in which a test puts sockets into known situations.
//!
//! Nothing leaves the machine: traffic stays on loopback and between namespaces made here, and
//! every namespace and process that a test made ends with it, also when it panics.

/// ss and sockeye side by side.
pub(crate) mod beside_ss;
/// Waiting for a condition.
pub(crate) mod deadline;
/// Two namespaces joined by a wire, and black holes on it.
pub(crate) mod link;
/// One network namespace.
pub(crate) mod namespace;
/// Two namespaces with a router between them.
pub(crate) mod path;
/// Processes that hold sockets, written in Python.
pub(crate) mod process;
/// The program under test, and what it printed.
pub(crate) mod program;
/// A process that does what the test tells it.
pub(crate) mod puppet;
/// What a live test needs of the machine.
pub(crate) mod requirement;
/// Servers that others wrote, from their packages.
pub(crate) mod server;
/// What `ss` says of the same sockets.
pub(crate) mod ss;
/// TCP and UDP sockets in known situations.
pub(crate) mod transport;
