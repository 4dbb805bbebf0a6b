//! What every document says of itself: when, where, and from which source it was made.

use super::{gap::Gap, netns::Netns};
use std::time::SystemTime;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// Host name. `None`: it could not be read.
    pub name: Option<String>,
    /// Kernel release (`6.18.44`). `None`: it could not be read.
    pub kernel: Option<String>,
}

/// Where the sockets came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// sock_diag over netlink.
    Netlink,
    /// The text tables of /proc/net.
    Proc,
    /// Both: netlink for some protocols, /proc for the others.
    Mixed,
}

impl SourceKind {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Netlink, Self::Proc, Self::Mixed];

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Netlink => "netlink",
            Self::Proc => "proc",
            Self::Mixed => "mixed",
        }
    }
}

/// The head of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// When the kernel was asked.
    pub generated_at: SystemTime,
    /// The machine.
    pub host: Host,
    /// Where the sockets came from.
    pub source: SourceKind,
    /// Why /proc was read instead of netlink; `None`: it was not, or it was asked for.
    pub fallback_reason: Option<String>,
    /// The network namespace the sockets belong to.
    pub netns: Netns,
    /// What could not be seen, as far as it is known.
    pub gaps: Vec<Gap>,
}
