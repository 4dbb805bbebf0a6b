//! Why a socket has no process to name: every reason of `owner_unknown`.

use super::{
    block::{fact, text},
    topic::{Kind, Topic},
};
use crate::model::owner::Unowned;

/// What is known of a reason.
#[derive(Debug)]
pub struct OwnerText {
    /// The reason.
    pub reason: Unowned,
    /// One line.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How to learn more.
    pub learn: &'static str,
    /// Topics to read next.
    pub see_also: &'static [&'static str],
}

/// Every reason.
pub const OWNERS: &[OwnerText] = &[
    OwnerText {
        reason: Unowned::TimeWait,
        title: "a mini-socket: nobody has it any more",
        meaning: "A mini-socket, TIME_WAIT or FIN_WAIT_2 after close(2), belongs to no process. \
            The kernel has thrown away inode, user and cgroup with the socket.",
        learn: "The local port tells the direction: a listener's port, this host served and closed \
            first; another port, a program here connected and closed first. Processes with live \
            connections to the same peer are the likely ones.",
        see_also: &["TIME_WAIT", "FIN_WAIT_2", "cookie"],
    },
    OwnerText {
        reason: Unowned::Orphan,
        title: "closed by its process; the kernel finishes alone",
        meaning: "The process has closed the socket, or ended, and the kernel still delivers what \
            was queued and waits for the peer: FIN_WAIT_1, CLOSING, LAST_ACK, or FIN_WAIT_2.",
        learn: "The user id is kept. The peer's address and the local port tell the rest.",
        see_also: &["FIN_WAIT_1", "LAST_ACK", "tcp-max-orphans"],
    },
    OwnerText {
        reason: Unowned::NotAccepted,
        title: "connected, and waiting in the accept queue",
        meaning: "The handshake is done and no process has called accept(2): the connection waits \
            in the accept queue of the listener with the same local port.",
        learn: "Look at that listener: `sockeye -tlnp` shows its queue and its process. One that \
            waits long means that the program does not accept.",
        see_also: &["accept-queue", "queues", "LISTEN"],
    },
    OwnerText {
        reason: Unowned::SynReceived,
        title: "a request: no process has it yet",
        meaning: "It is a request in a listener's SYN queue, not yet a socket; it has neither inode \
            nor user, and the user 0 that the kernel fills in is not root.",
        learn: "The listener with the same local port will have it: `sockeye -tlnp`.",
        see_also: &["SYN_RCVD", "handshake", "LISTEN"],
    },
    OwnerText {
        reason: Unowned::Kernel,
        title: "no process of this host has a descriptor of it",
        meaning: "The descriptors of every process were read and none is this socket. It is the \
            kernel's own (network file systems, tunnels), a file registered with io_uring, which \
            has no descriptor, or a descriptor on its way between two processes.",
        learn: "The local and peer ports tell which service it is.",
        see_also: &["inode", "owner_unknown"],
    },
    OwnerText {
        reason: Unowned::Permission,
        title: "the descriptors of some processes could not be read",
        meaning: "The socket has an owner, but /proc/PID/fd of other users' processes is closed to \
            you. The list of sockets itself needs no privilege and is complete.",
        learn: "Run as root, or grant CAP_SYS_PTRACE.",
        see_also: &["owner_unknown", "other-pid-namespace"],
    },
    OwnerText {
        reason: Unowned::OtherPidNamespace,
        title: "its process is outside this container",
        meaning: "The network namespace is shared with processes of an outer pid namespace, as \
            with a container on the host's network. This /proc does not show them.",
        learn: "Run it on the host, or read the host's /proc with `--proc-root DIR`.",
        see_also: &["owner_unknown", "netns"],
    },
    OwnerText {
        reason: Unowned::NotAsked,
        title: "owners were not looked up",
        meaning: "Looking up owners means reading the descriptors of every process. It is done \
            only when asked for. Of an event: the socket ended before anybody could look.",
        learn: "Add `-p`, or a column such as `owner`.",
        see_also: &["owner", "owner_unknown"],
    },
    OwnerText {
        reason: Unowned::Deadline,
        title: "the look-up ended at its deadline",
        meaning: "The host has so many descriptors that the look-up was ended before it had seen \
            all of them. The socket may have an owner.",
        learn: "Give it more time: `--owner-deadline SECONDS`.",
        see_also: &["owner_unknown"],
    },
];

/// The text of a reason.
pub fn text_of(reason: Unowned) -> Option<&'static OwnerText> {
    OWNERS.iter().find(|of| of.reason == reason)
}

/// The topics: those reasons whose word is not a state's. `time-wait` and `syn-received` lead to
/// the state, whose text says why it has no process.
pub fn topics() -> impl Iterator<Item = Topic> {
    let own = |of: &&OwnerText| crate::model::state::State::parse(of.reason.name()).is_none();
    OWNERS.iter().filter(own).map(|of| Topic {
        name: of.reason.name(),
        also: vec![],
        title: of.title.to_owned(),
        kind: Kind::Owner,
        blocks: vec![text(of.meaning), fact("To learn more", of.learn)],
        see_also: of.see_also.to_vec(),
    })
}
