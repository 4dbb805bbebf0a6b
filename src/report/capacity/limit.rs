//! One limit, and which of several binds.

use serde::Serialize;

/// The name of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitId {
    /// RLIMIT_NOFILE.
    RlimitNofile,
    /// fs.file-max.
    FsFileMax,
    /// fs.nr_open.
    FsNrOpen,
    /// Ports of ip_local_port_range.
    EphemeralPorts,
    /// net.ipv4.tcp_mem.
    TcpMem,
    /// Memory of the host or of a cgroup.
    Memory,
    /// net.netfilter.nf_conntrack_max.
    NfConntrackMax,
    /// net.ipv4.tcp_max_tw_buckets.
    TcpMaxTwBuckets,
    /// net.ipv4.tcp_max_orphans.
    TcpMaxOrphans,
    /// net.core.somaxconn.
    Somaxconn,
    /// The accept queue of a listener.
    AcceptQueue,
    /// pids.max of a cgroup.
    PidsMax,
    /// Ports of one client address.
    ClientPorts,
    /// Handshakes that a listener has begun and not ended.
    SynQueue,
    /// fs.epoll.max_user_watches.
    EpollMaxUserWatches,
    /// kernel.threads-max.
    ThreadsMax,
}

impl LimitId {
    /// Every limit.
    pub const ALL: [Self; 16] = [
        Self::RlimitNofile,
        Self::FsFileMax,
        Self::FsNrOpen,
        Self::EphemeralPorts,
        Self::TcpMem,
        Self::Memory,
        Self::NfConntrackMax,
        Self::TcpMaxTwBuckets,
        Self::TcpMaxOrphans,
        Self::Somaxconn,
        Self::AcceptQueue,
        Self::PidsMax,
        Self::ClientPorts,
        Self::SynQueue,
        Self::EpollMaxUserWatches,
        Self::ThreadsMax,
    ];

    /// The word in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RlimitNofile => "rlimit-nofile",
            Self::FsFileMax => "fs-file-max",
            Self::FsNrOpen => "fs-nr-open",
            Self::EphemeralPorts => "ephemeral-ports",
            Self::TcpMem => "tcp-mem",
            Self::Memory => "memory",
            Self::NfConntrackMax => "nf-conntrack-max",
            Self::TcpMaxTwBuckets => "tcp-max-tw-buckets",
            Self::TcpMaxOrphans => "tcp-max-orphans",
            Self::Somaxconn => "somaxconn",
            Self::AcceptQueue => "accept-queue",
            Self::PidsMax => "pids-max",
            Self::ClientPorts => "client-ports",
            Self::SynQueue => "syn-queue",
            Self::EpollMaxUserWatches => "epoll-max-user-watches",
            Self::ThreadsMax => "threads-max",
        }
    }

    /// Whether it can be the limit that binds. The others are told beside it: a handshake that
    /// finds no room is tried again, and what uses up the last two is not the connection.
    pub const fn can_bind(self) -> bool {
        !matches!(self, Self::SynQueue | Self::EpollMaxUserWatches | Self::ThreadsMax)
    }
}

/// Whom a limit binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One process.
    Process,
    /// A network namespace.
    Netns,
    /// The machine.
    Host,
    /// A cgroup and those below it.
    Cgroup,
}

impl Scope {
    /// The word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Netns => "netns",
            Self::Host => "host",
            Self::Cgroup => "cgroup",
        }
    }
}

/// One limit with its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Its name.
    pub id: LimitId,
    /// Whom it binds.
    pub scope: Scope,
    /// Which process, tuple, cgroup.
    pub subject: String,
    /// The limit. `None`: unlimited, or unknown.
    pub value: Option<u64>,
    /// Whether there is no limit.
    pub unlimited: bool,
    /// How much is used. `None`: unknown.
    pub used: Option<u64>,
    /// How much is left. `None`: unlimited, or unknown.
    pub free: Option<u64>,
    /// In what it is counted.
    pub unit: &'static str,
    /// How many more connections it allows. `None`: it limits something else, or is unknown.
    pub connections: Option<u64>,
    /// The lower end, where that is an interval.
    pub connections_low: Option<u64>,
    /// How many units one connection takes. `None`: one, or it limits something else.
    pub units_per_connection: Option<u64>,
    /// The errno that a program sees at the limit.
    pub error_at_limit: Option<&'static str>,
    /// The file it was read from.
    pub source: String,
    /// Why something of it is unknown.
    pub unknown: Option<String>,
    /// What else to know about it.
    pub note: Option<String>,
}

impl Limit {
    /// A limit of connections, with what is left of it.
    pub fn new(id: LimitId, scope: Scope, subject: impl Into<String>, unit: &'static str) -> Self {
        Self {
            id,
            scope,
            subject: subject.into(),
            value: None,
            unlimited: false,
            used: None,
            free: None,
            unit,
            connections: None,
            connections_low: None,
            units_per_connection: None,
            error_at_limit: None,
            source: String::new(),
            unknown: None,
            note: None,
        }
    }

    /// Value and use, as far as known.
    #[must_use]
    pub fn with(
        mut self,
        value: Option<u64>,
        used: Option<u64>,
        source: impl Into<String>,
    ) -> Self {
        self.unlimited = value == Some(u64::MAX);
        self.value = value.filter(|_| !self.unlimited);
        self.used = used;
        self.free = self.value.zip(used).map(|(value, used)| value.saturating_sub(used));
        self.source = source.into();
        self
    }

    /// Says that each unit left is one connection.
    #[must_use]
    pub fn of_connections(mut self, error: &'static str) -> Self {
        self.connections = self.free;
        self.error_at_limit = Some(error);
        self
    }

    /// Says that so many units make one connection.
    #[must_use]
    pub fn each(mut self, units: u64, error: &'static str) -> Self {
        self.connections = self.free.and_then(|free| free.checked_div(units));
        self.units_per_connection = Some(units);
        self.error_at_limit = Some(error);
        self
    }

    /// Says why it is unknown.
    #[must_use]
    pub fn unless_known(mut self, why: Option<&String>) -> Self {
        if !self.unlimited && (self.value.is_none() || self.used.is_none()) {
            self.unknown = why.cloned();
        }
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The fewest more connections it allows.
    pub fn low(&self) -> Option<u64> {
        self.connections_low.or(self.connections)
    }

    /// Whether it should bind connections and nobody knows how many.
    pub fn is_unknown(&self) -> bool {
        self.error_at_limit.is_some() && !self.unlimited && self.connections.is_none()
    }
}

/// Which of several limits binds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// How many more connections.
    pub remaining: Option<u64>,
    /// The lower end, where that is an interval.
    pub remaining_low: Option<u64>,
    /// The limit that is met first.
    pub limit: Option<LimitId>,
    /// The errno seen there.
    pub error: Option<&'static str>,
    /// The limit that is met next, with how many more connections it allows.
    pub runner_up: Option<(LimitId, u64)>,
}

impl Binding {
    /// The least of the limits that are known. Nothing where the descriptors of the process are
    /// not: they bind nearly always, and the others would give a number far too large.
    pub fn of<'l>(limits: impl IntoIterator<Item = &'l Limit>) -> Self {
        let limits: Vec<&Limit> = limits.into_iter().filter(|limit| limit.id.can_bind()).collect();
        if limits.iter().any(|limit| limit.id == LimitId::RlimitNofile && limit.is_unknown()) {
            return Self::default();
        }
        let mut known: Vec<(&Limit, u64)> =
            limits.into_iter().filter_map(|limit| Some((limit, limit.connections?))).collect();
        known.sort_by_key(|(_, connections)| *connections);
        let first = known.first().map(|(limit, _)| *limit);
        Self {
            remaining: first.and_then(|limit| limit.connections),
            remaining_low: known.iter().filter_map(|(limit, _)| limit.low()).min(),
            limit: first.map(|limit| limit.id),
            error: first.and_then(|limit| limit.error_at_limit),
            runner_up: known
                .iter()
                .find(|(limit, _)| Some(limit.id) != first.map(|l| l.id))
                .map(|(limit, connections)| (limit.id, *connections)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_json_says() {
        for id in LimitId::ALL {
            assert_eq!(serde_json::to_value(id).unwrap(), id.name());
        }
    }

    #[test]
    fn the_least_binds_and_the_unknown_does_not() {
        let limit = |id, value, used| {
            Limit::new(id, Scope::Host, "", "things").with(value, used, "f").of_connections("EX")
        };
        let limits = [
            limit(LimitId::FsFileMax, Some(u64::MAX), Some(9)),
            limit(LimitId::RlimitNofile, Some(64), Some(5)),
            limit(LimitId::EphemeralPorts, Some(100), Some(0)),
            limit(LimitId::Memory, None, Some(0)),
        ];
        let binding = Binding::of(&limits);
        assert_eq!((binding.remaining, binding.limit), (Some(59), Some(LimitId::RlimitNofile)));
        assert_eq!(binding.runner_up, Some((LimitId::EphemeralPorts, 100)));
        assert!(limits[3].is_unknown() && !limits[0].is_unknown());
    }
}
