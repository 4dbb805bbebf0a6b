//! Something that happened to a socket, as a trace tells it.

use super::{owner::Process, socket::Socket, state::State};
use std::time::{Duration, SystemTime};

/// What told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventSource {
    /// The tracepoint `sock:inet_sock_set_state`: every change of TCP states, at its time.
    Tracepoint,
    /// The kernel's announcement that a socket was freed.
    Destroy,
    /// Two looks at the table of sockets: what came and went in between is not known.
    Poll,
}

impl EventSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Tracepoint, Self::Destroy, Self::Poll];

    /// The word in JSON and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracepoint => "tracepoint",
            Self::Destroy => "destroy",
            Self::Poll => "poll",
        }
    }
}

/// Why events are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The kernel overwrote them in its buffer: they came faster than this program read.
    Overwritten,
    /// The kernel had no room for more announcements (ENOBUFS).
    Overrun,
    /// The tracepoint tells of all network namespaces, and nothing told whether these are of this.
    Unassigned,
}

impl Loss {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Overwritten, Self::Overrun, Self::Unassigned];

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overwritten => "buffer-overwritten",
            Self::Overrun => "announcements-lost",
            Self::Unassigned => "namespace-unknown",
        }
    }

    /// What a line says of it, behind how many.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Overwritten => "changes of state were overwritten before they could be read",
            Self::Overrun => "announcements of sockets that ended were lost: too many at once",
            Self::Unassigned => "changes of state are not told: perhaps of another namespace",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A socket began: it connects, listens, or came of a connection somebody made.
    Opened,
    /// It changed its state.
    State,
    /// It ended, or what is left of it is the kernel's alone (TIME_WAIT, orphan FIN_WAIT_2).
    Closed,
    /// Events are not told; `None`: nobody counted how many.
    Missed(Option<u64>, Loss),
}

impl Happening {
    /// The word in JSON and in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::State => "state",
            Self::Closed => "closed",
            Self::Missed(..) => "missed",
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened; of a poll, when it was seen.
    pub at: SystemTime,
    /// What.
    pub happening: Happening,
    /// What told of it.
    pub source: EventSource,
    /// State before. `None`: not seen.
    pub from: Option<State>,
    /// State after. `None`: there is none.
    pub to: Option<State>,
    /// The socket, in the state after. `None`: of lost events.
    pub socket: Option<Socket>,
    /// Who holds or held it, with the descriptor. Empty: not known.
    pub holders: Vec<(Process, u32)>,
    /// Time since it was opened. `None`: it did not end, or its beginning was not seen.
    pub lifetime: Option<Duration>,
    /// Whether the peer's FIN arrived, which the kernel counts as a received byte. `None`: not known.
    pub fin_received: Option<bool>,
}

impl Event {
    /// That events are not told.
    pub fn missed(at: SystemTime, count: Option<u64>, why: Loss) -> Self {
        Self {
            at,
            happening: Happening::Missed(count, why),
            source: match why {
                Loss::Overrun => EventSource::Destroy,
                Loss::Overwritten | Loss::Unassigned => EventSource::Tracepoint,
            },
            from: None,
            to: None,
            socket: None,
            holders: vec![],
            lifetime: None,
            fin_received: None,
        }
    }

    /// Bytes of data this end sent, each counted once (`tcpi_bytes_sent` without
    /// `tcpi_bytes_retrans`). `None`: not known, or a kernel before 4.19.
    pub fn bytes_sent(&self) -> Option<u64> {
        let sent = self.total("bytes_sent")?;
        Some(sent.saturating_sub(self.total("bytes_retrans").unwrap_or(0)))
    }

    /// Bytes of data this end received. `None`: not known. The kernel counts a FIN among them
    /// (`tcp_rcv_nxt_update`); it is taken off where it is known to have arrived.
    pub fn bytes_received(&self) -> Option<u64> {
        let received = self.total("bytes_received")?;
        Some(received.saturating_sub(u64::from(self.fin_received == Some(true))))
    }

    /// Smoothed round-trip time at the end, in microseconds.
    pub fn rtt_us(&self) -> Option<u64> {
        self.total("rtt")
    }

    /// Segments retransmitted.
    pub fn retransmits(&self) -> Option<u64> {
        self.total("total_retrans")
    }

    fn total(&self, id: &str) -> Option<u64> {
        self.socket.as_ref()?.tcp_info.as_deref()?.by_id(id)
    }
}
