//! Cgroup v2 ids to paths: an id is the inode of the directory.

use super::proc::root::Root;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::Read,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::{Component, Path, PathBuf},
};

/// Longest list of mounts: a bound, not an expectation.
const LONGEST: u64 = 16 << 20;
/// What is mounted where, and of which type (proc(5)).
const MOUNTS: &str = "/proc/self/mounts";
/// The root's id in every hierarchy.
const ROOT_ID: u64 = 1;
/// Directories read at most: a bound, not an expectation.
const MOST: usize = 200_000;

/// Paths by id, read when the first id is asked for.
#[derive(Debug, Default)]
pub struct CgroupTree {
    paths: Option<HashMap<u64, String>>,
    /// Whether every directory was read here, so that an id without a path is none of them.
    whole: bool,
    /// Whether the hierarchy was looked for and is mounted nowhere.
    unmounted: bool,
    root: Option<PathBuf>,
}

impl CgroupTree {
    /// As another machine had them: nothing is read here.
    pub fn recorded(paths: &BTreeMap<u64, String>) -> Self {
        let paths = paths.iter().map(|(id, path)| (*id, path.clone())).collect();
        Self { paths: Some(paths), ..Self::default() }
    }

    /// Finds the hierarchy, and reads it unless the id is that of the root; each once.
    pub fn learn(&mut self, id: u64) {
        if self.paths.is_some() {
            return;
        }
        if self.root.is_none() && !self.unmounted {
            self.root = mount();
            self.unmounted = self.root.is_none();
        }
        if id != ROOT_ID {
            let paths = self.root.as_deref().map(walk).unwrap_or_default();
            self.whole = !self.unmounted && paths.len() < MOST;
            self.paths = Some(paths);
        }
    }

    /// Whether paths were asked for and no hierarchy is mounted here: then the root alone is known.
    pub fn is_unmounted(&self) -> bool {
        self.unmounted
    }

    /// Whether the paths are known of all that are mounted here: an id without one is of none.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The path of a cgroup; `None`: it is gone, or in a hierarchy not mounted here.
    pub fn path(&self, id: u64) -> Option<&str> {
        if id == ROOT_ID {
            return Some("/");
        }
        self.paths.as_ref()?.get(&id).map(String::as_str)
    }
}

/// The id of the cgroup at a path below the root of the hierarchy; `None`: there is none.
pub fn id_of(path: &str) -> Option<u64> {
    let below = Path::new(path.trim_start_matches('/'));
    let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    let mount = mount().filter(|_| is_plain)?;
    Some(fs::metadata(mount.join(below)).ok()?.ino())
}

/// Whether the hierarchy is mounted here.
pub fn is_mounted() -> bool {
    mount().is_some()
}

/// Where the v2 hierarchy is mounted, the first place of several. `None`: nowhere in this mount
/// namespace, as after `ip netns exec`, which mounts /sys anew.
fn mount() -> Option<PathBuf> {
    let mut text = String::new();
    Root::open(Path::new(MOUNTS)).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let fields = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        let (at, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(at))
    };
    text.lines().find_map(fields)
}

fn walk(mount: &Path) -> HashMap<u64, String> {
    // What is mounted may be the cgroup of a container, whose id is not the root's.
    let own = fs::metadata(mount).map(|mount| (mount.ino(), "/".to_owned()));
    let mut paths: HashMap<u64, String> = own.into_iter().collect();
    let mut todo = vec![PathBuf::from(mount)];
    while let Some(directory) = todo.pop() {
        let Ok(listing) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in listing.filter_map(Result::ok) {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && paths.len() < MOST {
                let path = entry.path();
                let shown = path.strip_prefix(mount).unwrap_or(&path).to_string_lossy();
                paths.insert(entry.ino(), format!("/{shown}"));
                todo.push(path);
            }
        }
    }
    paths
}
