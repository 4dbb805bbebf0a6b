//! What showing a column costs, so that the plan asks for that and no more.

use crate::kernel::sock_diag::request::Extensions;

/// A set of costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need(u32);

impl Need {
    /// Nothing beyond the fixed part of an answer.
    pub const NONE: Self = Self(0);
    /// `struct tcp_info`: a third more time in the kernel.
    pub const TCP_INFO: Self = Self(1);
    /// Socket memory.
    pub const MEMORY: Self = Self(1 << 1);
    /// Congestion control.
    pub const CONGESTION: Self = Self(1 << 2);
    /// Type of service.
    pub const TOS: Self = Self(1 << 3);
    /// Descriptors of processes.
    pub const OWNERS: Self = Self(1 << 4);
    /// User names.
    pub const USERS: Self = Self(1 << 5);
    /// Paths of cgroups.
    pub const CGROUPS: Self = Self(1 << 6);
    /// Names of interfaces.
    pub const INTERFACES: Self = Self(1 << 7);
    /// What the congestion control says of itself.
    pub const ALGORITHM: Self = Self(1 << 8);
    /// Traffic class and net_cls class.
    pub const TRAFFIC_CLASS: Self = Self(1 << 9);
    /// What BPF programs keep in sockets.
    pub const STORAGES: Self = Self(1 << 10);
    /// Threads of the processes that hold sockets.
    pub const THREADS: Self = Self(1 << 11);
    /// SELinux contexts of processes.
    pub const CONTEXTS: Self = Self(1 << 12);
    /// SELinux contexts of sockets.
    pub const SOCKET_CONTEXTS: Self = Self(1 << 13);

    /// Who is at the other end of unix sockets: a second walk, for names alone.
    pub const UNIX_PEERS: Self = Self(1 << 20);
    /// What families tell beyond a row: files, pending connections, memberships.
    pub const FAMILY_DETAILS: Self = Self(1 << 21);
    /// Classic BPF programs of packet sockets.
    pub const FILTERS: Self = Self(1 << 22);
    /// The TCP connections of MPTCP sockets: a walk over TCP.
    pub const SUBFLOWS: Self = Self(1 << 23);
    /// What comes with every answer and still has to be decoded: cgroup, shutdown, flags.
    pub const UNASKED: Self = Self(1 << 24);
    /// Of that, whether an IPv6 wildcard takes IPv4 too: few sockets have such an end.
    pub const V6ONLY: Self = Self(1 << 16);
    /// The mark, for which the kernel looks at a privilege.
    pub const MARK: Self = Self(1 << 14);

    /// The sockets at the other ends: every connection is walked once before.
    pub const PEERS: Self = Self(1 << 25);

    /// Every socket of the first of two looks, and counters between them.
    pub const EARLIER: Self = Self(1 << 18);
    /// Limits of every process of the namespace, whatever sockets it holds.
    pub const PROCESSES: Self = Self(1 << 19);
    /// Limits of processes and cgroups.
    pub const LIMITS: Self = Self(1 << 15);
    /// The numbers of the descriptors of processes: how many are below a limit that is assumed.
    pub const DESCRIPTORS: Self = Self(1 << 27);
    /// Which ports of connections their programs named, of however few: a walk over TCP.
    pub const NAMED_PORTS: Self = Self(1 << 26);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `other` is in it.
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The attributes to ask the kernel for.
    pub fn extensions(self) -> Extensions {
        [
            (Self::TCP_INFO, Extensions::INFO),
            (Self::MEMORY, Extensions::MEMORY),
            (Self::CONGESTION, Extensions::CONGESTION),
            (Self::TOS, Extensions::TOS),
            (Self::ALGORITHM, Extensions::ALGORITHM),
            (Self::TRAFFIC_CLASS, Extensions::TRAFFIC_CLASS),
            (Self::STORAGES, Extensions::STORAGES),
            (Self::CGROUPS, Extensions::UNASKED),
            (Self::UNASKED, Extensions::UNASKED),
            (Self::V6ONLY, Extensions::V6ONLY),
            (Self::MARK, Extensions::MARK),
            // Whether an address is a proxy's own is told there.
            (Self::PEERS, Extensions::UNASKED),
        ]
        .into_iter()
        .filter(|(need, _)| self.includes(*need))
        .fold(Extensions::NONE, |sum, (_, extension)| sum.with(extension))
    }
}
