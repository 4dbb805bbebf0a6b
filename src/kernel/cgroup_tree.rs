//! Cgroup v2 ids to paths: an id is the inode of the directory.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::{Component, Path, PathBuf},
};

/// Where the unified hierarchy is mounted: alone, or beside v1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
/// The root's id in every hierarchy.
const ROOT_ID: u64 = 1;
/// Directories read at most: a bound, not an expectation.
const MOST: usize = 200_000;

/// Paths by id, read when the first id is asked for.
#[derive(Debug, Default)]
pub struct CgroupTree {
    paths: Option<HashMap<u64, String>>,
}

impl CgroupTree {
    /// As another machine had them: nothing is read here.
    pub fn recorded(paths: &BTreeMap<u64, String>) -> Self {
        Self { paths: Some(paths.iter().map(|(id, path)| (*id, path.clone())).collect()) }
    }

    /// Reads the hierarchy, once, unless the id is that of the root.
    pub fn learn(&mut self, id: u64) {
        if id != ROOT_ID {
            self.paths.get_or_insert_with(walk);
        }
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

/// Where the v2 hierarchy is mounted.
fn mount() -> Option<&'static Path> {
    MOUNTS.iter().map(Path::new).find(|mount| mount.join("cgroup.procs").exists())
}

fn walk() -> HashMap<u64, String> {
    let mut paths = HashMap::new();
    let Some(mount) = mount() else {
        return paths;
    };
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
