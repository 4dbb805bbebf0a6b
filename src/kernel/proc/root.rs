//! The root of a /proc tree: the only place where a path below /proc is joined or opened, but for the
//! directories that stay open (`directory.rs`).

use crate::kernel::error::Error;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// A /proc tree: the machine's, a container host's mounted elsewhere, or a test fixture.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
    live: bool,
    /// The process whose network tables are read instead of the reading thread's.
    tables_of: Option<u32>,
    /// Files that stand for tables of `net`, by name.
    tables: BTreeMap<&'static str, PathBuf>,
}

impl Root {
    /// This machine's /proc.
    pub fn live() -> Self {
        Self { path: PathBuf::from("/proc"), live: true, tables_of: None, tables: BTreeMap::new() }
    }

    /// The tree at `path`; refused where it is not a directory.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let subject = path.display().to_string();
        let found = fs::read_dir(path).map_err(|e| Error::io("read the directory", subject, &e));
        let live = path == Path::new("/proc");
        found.map(|_| Self {
            path: path.to_owned(),
            live,
            tables_of: None,
            tables: BTreeMap::new(),
        })
    }

    /// The same tree, with the network tables of the namespace of this process.
    #[must_use]
    pub fn with_tables_of(&self, pid: u32) -> Self {
        Self { tables_of: Some(pid), ..self.clone() }
    }

    /// Whether the network tables are those of a process's namespace and not the reading thread's.
    pub fn is_of_another(&self) -> bool {
        self.tables_of.is_some()
    }

    /// The same, with other files in place of some tables of `net`.
    #[must_use]
    pub fn with_tables(self, tables: BTreeMap<&'static str, PathBuf>) -> Self {
        Self { tables, ..self }
    }

    /// Whether another file stands for a table of `net`.
    pub fn replaces(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// The path of a table of `net`.
    pub fn table(&self, table: &str) -> PathBuf {
        self.tables.get(table).cloned().unwrap_or_else(|| self.net().join(table))
    }

    /// Whether this is the running machine's own /proc, so that its uids, interfaces and
    /// namespaces are those of this process.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The path of an entry.
    pub fn join(&self, entry: impl AsRef<Path>) -> PathBuf {
        self.path.join(entry)
    }

    /// The directory of the network tables.
    ///
    /// In another machine's tree mounted here, `net` is a link to `self/net`: the tables of
    /// *this* process. Process 1 stands for the host there. Of the running machine those of the
    /// calling thread are read, which may have entered another namespace than its process.
    pub fn net(&self) -> PathBuf {
        if let Some(pid) = self.tables_of {
            return self.join(format!("{pid}/net"));
        }
        let first = self.join(if self.live { "thread-self/net" } else { "1/net" });
        if first.join("tcp").exists() { first } else { self.join("net") }
    }

    /// Where the cgroup hierarchies are mounted. Of another machine's tree: in the `sys` beside it,
    /// as hosts' trees are mounted into containers (`/host/proc`, `/host/sys`).
    pub fn cgroups(&self) -> PathBuf {
        if self.live { "/sys/fs/cgroup".into() } else { self.join("../sys/fs/cgroup") }
    }

    /// A file of the machine whose /proc this is: of another machine's tree, beside it
    /// (`/host/proc`, `/host/var`).
    pub fn beside(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        if self.live {
            return path.to_owned();
        }
        self.join("..").join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Reads such a file whole, at most `limit` bytes of it.
    pub fn read_beside(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.beside(path);
        let mut bytes = Vec::new();
        Self::open(&path)?
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("read", path.display().to_string(), &e))?;
        Ok(bytes)
    }

    /// Opens an entry.
    pub fn open(path: &Path) -> Result<File, Error> {
        File::open(path).map_err(|e| Error::io("open", path.display().to_string(), &e))
    }

    /// Reads an entry whole, at most `limit` bytes of it.
    pub fn read(&self, entry: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.join(entry);
        let mut bytes = Vec::new();
        Self::open(&path)?
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("read", path.display().to_string(), &e))?;
        Ok(bytes)
    }

    /// Reads a one-line entry as text, without the newline.
    pub fn read_line(&self, entry: impl AsRef<Path>) -> Result<String, Error> {
        let bytes = self.read(entry, 4096)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }
}
