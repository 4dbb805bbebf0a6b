//! What `ss` says of the same sockets, in sockeye's words.

use super::{namespace::Namespace, program::Key};
use std::{net::IpAddr, process::Command};

/// Names of states: `ss` prints the first, sockeye the second; for TCP and for UDP.
const TCP: [(&str, &str); 10] = [
    ("LISTEN", "LISTEN"),
    ("SYN-SENT", "SYN_SENT"),
    ("SYN-RECV", "SYN_RCVD"),
    ("ESTAB", "ESTABLISHED"),
    ("FIN-WAIT-1", "FIN_WAIT_1"),
    ("FIN-WAIT-2", "FIN_WAIT_2"),
    ("CLOSE-WAIT", "CLOSE_WAIT"),
    ("LAST-ACK", "LAST_ACK"),
    ("CLOSING", "CLOSING"),
    ("TIME-WAIT", "TIME_WAIT"),
];
const UDP: [(&str, &str); 2] = [("UNCONN", "UNCONNECTED"), ("ESTAB", "ESTABLISHED")];

/// A socket, and the inode of its file; `None`: it has no file.
pub(crate) type Listed = (Key, Option<u64>);

/// The rows of `ss -HnOetu` with more switches (`-a`, `-4`), sorted.
///
/// Both protocols at once: for one alone ss leaves out the column of the protocol, and that of the
/// state where only one state can match.
pub(crate) fn rows(namespace: &Namespace, switches: &[&str]) -> Vec<Listed> {
    let done = namespace.output(Command::new("ss").arg("-HnOetu").args(switches));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    let mut rows: Vec<Listed> = text.lines().map(row).collect();
    rows.sort();
    rows
}

/// One line: protocol, state, both queues, both ends, and among the details `ino:4711`.
pub(crate) fn row(line: &str) -> Listed {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [protocol, state, _, _, local, peer, ref details @ ..] = words[..] else {
        panic!("not a line of ss: {line}");
    };
    let table: &[(&str, &str)] = if protocol == "tcp" { &TCP } else { &UDP };
    let state = table.iter().find(|(theirs, _)| *theirs == state).unwrap().1;
    let (local, peer) = (end(local), end(peer));
    let peer = (peer.1 != 0).then_some(peer);
    let inode = details.iter().find_map(|word| word.strip_prefix("ino:")).unwrap();
    let inode = inode.parse().unwrap();
    let key = Key { protocol: protocol.to_owned(), state: state.to_owned(), local, peer };
    (key, (inode != 0).then_some(inode))
}

/// `10.0.0.1%lo:80`, `[::1]:80`, `*:80` (any IPv6 address), `0.0.0.0:*`.
fn end(word: &str) -> (IpAddr, u16) {
    let (address, port) = word.rsplit_once(':').unwrap();
    let address = address.split('%').next().unwrap();
    let address = match address {
        "*" => "::",
        other => other.trim_start_matches('[').trim_end_matches(']'),
    };
    let port = if port == "*" { 0 } else { port.parse().unwrap() };
    (address.parse().unwrap(), port)
}
