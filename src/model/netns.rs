//! Network namespaces.

use serde::Serialize;

/// A network namespace: sockets, ports and most `net.*` settings belong to one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Netns {
    /// Inode of its `ns/net` link, its identity on this boot. `None` where it could not be read.
    pub inode: Option<u64>,
    /// The name it is known by. `None`: it has none, or nobody looked.
    pub name: Option<String>,
    /// What the name is the name of; `None` without a name.
    pub kind: Option<NameKind>,
}

impl Netns {
    /// The name, with what it names.
    #[must_use]
    pub fn named(self, name: impl Into<String>, kind: NameKind) -> Self {
        Self { name: Some(name.into()), kind: Some(kind), ..self }
    }

    /// What stands for it in a sentence or a heading.
    pub fn title(&self) -> String {
        match (&self.name, self.inode) {
            (Some(name), _) => name.clone(),
            (None, Some(inode)) => format!("net:[{inode}]"),
            (None, None) => "a namespace without a name".to_owned(),
        }
    }
}

/// What the name of a namespace is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NameKind {
    /// A file that people named: `ip netns add NAME`.
    Named,
    /// The machine's own namespace, that of its first process.
    Host,
    /// A pod, whose containers share it.
    Pod,
    /// A container.
    Container,
    /// A systemd unit (`PrivateNetwork=yes`).
    Unit,
    /// Its first process.
    Process,
    /// A file that a program named: a container runtime's, a bind mount of somebody's.
    Mount,
    /// A process elsewhere that holds a socket of it, where nothing else keeps it.
    Socket,
}

impl NameKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Named,
        Self::Host,
        Self::Pod,
        Self::Container,
        Self::Unit,
        Self::Process,
        Self::Mount,
        Self::Socket,
    ];

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Host => "host",
            Self::Pod => "pod",
            Self::Container => "container",
            Self::Unit => "unit",
            Self::Process => "process",
            Self::Mount => "mount",
            Self::Socket => "socket",
        }
    }
}

/// Which of the namespaces of a question a socket belongs to; the first where there is one.
///
/// A socket is known by this and its cookie, never by its addresses: every namespace has its own
/// 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NetnsIndex(u32);

impl NetnsIndex {
    /// The first, and where one namespace is asked for the only one.
    pub const FIRST: Self = Self(0);

    /// From a place in a list.
    pub fn new(at: usize) -> Self {
        Self(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The place in the list.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}
