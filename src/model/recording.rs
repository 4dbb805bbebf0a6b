//! A snapshot that leaves the machine: with the names it will be shown by, since another machine
//! has other users, interfaces and cgroups.

use super::{earlier::Earlier, protocol::Protocol, snapshot::Snapshot, socket::Socket};
use std::collections::BTreeMap;

/// Names by number, as the recorded machine gave them. Only those that occur.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedNames {
    /// Users by id.
    pub users: BTreeMap<u32, String>,
    /// Interfaces by index.
    pub interfaces: BTreeMap<u32, String>,
    /// Cgroup paths by id.
    pub cgroups: BTreeMap<u64, String>,
}

/// A snapshot as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What was seen, without the sockets.
    pub snapshot: Snapshot,
    /// The sockets at the last look, with all that is known of them: any command may ask for it.
    pub sockets: Vec<Socket>,
    /// Every socket of the first look. `None`: there was one look.
    pub earlier: Option<Vec<Earlier>>,
    /// Protocols that were asked for, each in every state. A protocol that is not here is unknown,
    /// not absent.
    pub protocols: Vec<Protocol>,
    /// Names of users, interfaces and cgroups.
    pub names: RecordedNames,
    /// `kernel.random.boot_id`: cookies are unique within one boot. `None`: it could not be read.
    pub boot_id: Option<String>,
    /// Version of the program that recorded it.
    pub tool_version: String,
    /// Whether addresses and names were masked.
    pub redacted: bool,
}
