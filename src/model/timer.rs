//! The timer that runs on a socket.

/// What the timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerKind {
    /// 1: retransmission, early retransmit or tail loss probe; SYN-ACK of a request socket.
    Retransmit,
    /// 2: keepalive; also the long first part of an orphan's FIN_WAIT_2.
    Keepalive,
    /// 3: a mini-socket (TIME_WAIT, orphan FIN_WAIT_2) waits to be freed.
    TimeWait,
    /// 4: probe of a peer that announced a zero window.
    WindowProbe,
    /// A number this build does not know.
    Other(u8),
}

impl TimerKind {
    /// Decodes `idiag_timer` or the `tr` column of /proc; `None` is "no timer runs" (0).
    pub const fn from_kernel(number: u8) -> Option<Self> {
        match number {
            0 => None,
            1 => Some(Self::Retransmit),
            2 => Some(Self::Keepalive),
            3 => Some(Self::TimeWait),
            4 => Some(Self::WindowProbe),
            other => Some(Self::Other(other)),
        }
    }

    /// Its number in the kernel: the inverse of [`Self::from_kernel`].
    pub const fn number(self) -> u8 {
        match self {
            Self::Retransmit => 1,
            Self::Keepalive => 2,
            Self::TimeWait => 3,
            Self::WindowProbe => 4,
            Self::Other(number) => number,
        }
    }

    /// The word in tables, JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retransmit => "retransmit",
            Self::Keepalive => "keepalive",
            Self::TimeWait => "time-wait",
            Self::WindowProbe => "window-probe",
            Self::Other(_) => "unknown",
        }
    }
}

/// A running timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// What it is for.
    pub kind: TimerKind,
    /// Time until it fires, in milliseconds (`idiag_expires`; /proc tells it in 1/100 s).
    ///
    /// 0 is lawful: a mini-socket stays listed up to 2 s after its timer ran out, because the
    /// kernel's timer wheel is coarse.
    pub expires_ms: u32,
    /// Retransmissions of the oldest segment, or unanswered probes (`idiag_retrans`).
    pub retransmits: u8,
}
