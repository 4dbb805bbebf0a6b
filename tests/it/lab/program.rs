//! The program under test, and what it printed.

use super::namespace::Namespace;
use serde::Deserialize;
use std::{
    fs::{self, Permissions},
    net::IpAddr,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::PathBuf,
    process::{Command, Output},
};
use tempfile::TempDir;

/// The program cargo has built for this test.
pub(crate) const SOCKEYE: &str = env!("CARGO_BIN_EXE_sockeye");

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code; a signal is a failure of the test.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    /// Takes what a process left behind.
    pub(crate) fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert_eq!(output.status.signal(), None, "ended by a signal: {run:?}");
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// The JSON document of a run that answered.
    pub(crate) fn document(&self) -> Document {
        assert_eq!(self.code, 0, "{self:?}");
        let document: Document = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}", self.stdout));
        assert_eq!(document.schema, "sockeye.sockets/1");
        document
    }
}

/// Runs sockeye in a namespace, its arguments written as a user types them.
pub(crate) fn sockeye(namespace: &Namespace, arguments: &str) -> Run {
    Run::of(namespace.output(Command::new(SOCKEYE).args(arguments.split_whitespace())))
}

/// A copy that every user can run, wherever the original was built; gone with the directory.
///
/// Written by another process: a descriptor open for writing here would be inherited by whatever
/// another test is just starting, and the copy could not be executed (ETXTBSY).
pub(crate) fn public_copy(program: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = directory.path().join("sockeye");
    let done = Command::new("install").args(["-m", "755", program]).arg(&copy).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    (directory, copy)
}

/// A `sockeye.sockets/1` document.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    schema: String,
    pub(crate) source: Source,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) sockets: Vec<Row>,
}

impl Document {
    /// What identifies each row, sorted.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.sockets.iter().map(Row::key).collect();
        keys.sort();
        keys
    }

    /// The one row with these ends.
    pub(crate) fn row(&self, key: &Key) -> &Row {
        let found: Vec<&Row> = self.sockets.iter().filter(|row| row.key() == *key).collect();
        assert_eq!(found.len(), 1, "{key:?}");
        found[0]
    }

    /// Codes of the warnings.
    pub(crate) fn warning_codes(&self) -> Vec<&str> {
        self.warnings.iter().map(|warning| warning.code.as_str()).collect()
    }
}

/// Where the rows came from.
#[derive(Debug, Deserialize)]
pub(crate) struct Source {
    pub(crate) kind: String,
    pub(crate) fallback_reason: Option<String>,
}

/// Something that could not be seen.
#[derive(Debug, Deserialize)]
pub(crate) struct Warning {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What identifies a socket within a namespace whatever tool shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) protocol: String,
    pub(crate) state: String,
    pub(crate) local: (IpAddr, u16),
    pub(crate) peer: Option<(IpAddr, u16)>,
}

/// One socket.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) protocol: String,
    pub(crate) family: String,
    pub(crate) state: String,
    pub(crate) local: Local,
    pub(crate) peer: Option<Peer>,
    pub(crate) recv_queue_bytes: Option<u32>,
    pub(crate) send_queue_bytes: Option<u32>,
    pub(crate) accept_queue: Option<u32>,
    pub(crate) accept_queue_limit: Option<u32>,
    pub(crate) inode: Option<u64>,
    pub(crate) cookie: Option<u64>,
    pub(crate) uid: Option<u32>,
    pub(crate) user: Option<String>,
    pub(crate) timer: Option<Timer>,
    pub(crate) age_ms: Option<u32>,
    pub(crate) processes: Vec<Holder>,
    pub(crate) owner_unknown: Option<String>,
    pub(crate) netns: Netns,
    pub(crate) cgroup: Option<String>,
    pub(crate) mark: Option<u32>,
}

impl Row {
    /// What identifies it.
    pub(crate) fn key(&self) -> Key {
        Key {
            protocol: self.protocol.clone(),
            state: self.state.clone(),
            local: (self.local.address, self.local.port),
            peer: self.peer.as_ref().map(|peer| (peer.address, peer.port)),
        }
    }

    /// The word for its timer.
    pub(crate) fn timer_kind(&self) -> Option<&str> {
        self.timer.as_ref().map(|timer| timer.kind.as_str())
    }
}

/// This end.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Local {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) interface: Option<String>,
}

/// The other end.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// The running timer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Timer {
    pub(crate) kind: String,
    pub(crate) expires_ms: u32,
}

/// A process that holds the socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) command: String,
    pub(crate) fd: u32,
    pub(crate) container: Option<String>,
    pub(crate) container_id: Option<String>,
}

/// The namespace of the socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Netns {
    pub(crate) inode: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
}
