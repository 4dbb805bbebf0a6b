//! What became of a socket that was to be closed from outside.

/// The end of an attempt to close a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It was not attempted: only shown.
    Shown,
    /// The kernel closed it.
    Closed,
    /// It had ended by itself: no socket has this identity any more.
    Gone,
    /// The kernel refused.
    Refused(Refusal),
}

/// Why the kernel refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// EPERM: it wants CAP_NET_ADMIN in the user namespace that owns the network namespace.
    Permission,
    /// EOPNOTSUPP: not sockets of this kind or in this state, or it was built without the means.
    Unsupported,
    /// Another errno.
    Other(i32),
}

impl Closing {
    /// The word in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shown => "would-close",
            Self::Closed => "closed",
            Self::Gone => "gone",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it was refused.
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Refused(why) => Some(why),
            _ => None,
        }
    }
}
