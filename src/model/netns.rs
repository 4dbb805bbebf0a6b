//! Network namespaces.

/// A network namespace: sockets, ports and most `net.*` settings belong to one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Netns {
    /// Inode of its `ns/net` link, its identity on this boot. `None` where it could not be read.
    pub inode: Option<u64>,
    /// Its name under /run/netns, where it has one.
    pub name: Option<String>,
}
