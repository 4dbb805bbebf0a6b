//! Something that happened to a socket.

use super::{socket::Socket, state::State};
use std::time::{Duration, SystemTime};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It appeared.
    Opened,
    /// Its state was this one, and is another.
    State {
        /// The state before.
        from: State,
    },
    /// It is not there any more.
    Closed,
}

impl Kind {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::State { .. } => "state",
            Self::Closed => "closed",
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was seen.
    pub at: SystemTime,
    /// What happened.
    pub kind: Kind,
    /// The socket as it is, or as it was last.
    pub socket: Socket,
    /// Time from the event that opened it to the one that closed it. `None`: its opening was not
    /// seen, or it is open.
    pub lifetime: Option<Duration>,
    /// Bytes sent over its whole life. `None`: not known, or it is open.
    pub bytes_sent: Option<u64>,
    /// Bytes received over its whole life.
    pub bytes_received: Option<u64>,
}
