//! Network namespaces that nothing leads to but a socket: no process is in them, no file stands for
//! them, and a process elsewhere holds a socket of theirs, its own from before or one it was passed.
//!
//! A walk over the descriptors inside the kernel tells of sockets whose namespace is not known, a
//! third of a microsecond each; a duplicate of one leads into its namespace.

use crate::kernel::{
    bpf::task_file::{Stray, Walk, may_walk},
    proc::{process, root::Root},
    socket_options::duplicate,
    syscall::namespace_of,
};
use std::{fs::File, os::unix::fs::MetadataExt, sync::Arc};

/// A namespace, and how it was found.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its inode.
    pub inode: u64,
    /// A process that holds a socket of it.
    pub pid: u32,
    /// The way into it.
    pub file: Arc<File>,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Search {
    /// The namespaces, each once.
    pub kept: Vec<Kept>,
    /// How many were seen that no way led into.
    pub closed: usize,
}

/// Looks for namespaces other than these. `None`: the walk is refused (it needs root, or CAP_BPF and
/// CAP_PERFMON, and Linux 5.11), or the tree is another machine's.
pub fn find(root: &Root, known: &[u64]) -> Option<Search> {
    if !may_walk(root) {
        return None;
    }
    let mut search = Search::default();
    for stray in Walk::strays(known, process::is_inner_pid_namespace(root))? {
        match way_into(stray) {
            Some(kept) => search.kept.push(kept),
            None => search.closed += 1,
        }
    }
    Some(search)
}

/// The descriptor may be another by now: then it leads elsewhere.
fn way_into(Stray { pid, fd, netns }: Stray) -> Option<Kept> {
    let socket = duplicate(pid, fd).ok()?;
    let file = namespace_of(&socket).ok()?;
    let leads_there = file.metadata().is_ok_and(|meta| meta.ino() == netns);
    leads_there.then(|| Kept { inode: netns, pid, file: Arc::new(file) })
}
