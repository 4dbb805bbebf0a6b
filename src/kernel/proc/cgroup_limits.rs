//! Memory and pids limits of cgroups, v1 and v2: `/proc/PID/cgroup` and the files of the hierarchy.
//!
//! A limit anywhere on the way to the root binds, so every ancestor is read.

use super::root::Root;
use crate::model::limits::{CgroupLimit, Resource};
use procfs::{FromRead, ProcessCGroups};
use std::{
    collections::HashMap,
    io::Read as _,
    path::{Path, PathBuf},
};

/// More than any of these files holds.
const LONGEST: u64 = 64 * 1024;
/// Cgroup v1 writes "no limit" as the largest number of pages that fits (`PAGE_COUNTER_MAX`), a
/// little below 2^63 in bytes.
const UNLIMITED: u64 = 1 << 62;

/// Names of the files of one resource in one version.
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The line of memory.stat with file cache that can be given back.
    reclaimable: Option<&'static str>,
}

const fn files(resource: Resource, unified: bool) -> Files {
    match (resource, unified) {
        (Resource::Memory, true) => Files {
            limit: "memory.max",
            used: "memory.current",
            reclaimable: Some("inactive_file"),
        },
        (Resource::Memory, false) => Files {
            limit: "memory.limit_in_bytes",
            used: "memory.usage_in_bytes",
            reclaimable: Some("total_inactive_file"),
        },
        (Resource::Pids, _) => Files { limit: "pids.max", used: "pids.current", reclaimable: None },
    }
}

/// What was read of cgroups, by resource and path; `None`: it has no such limit. Processes by the
/// hundred share a few, and the root has no limits.
#[derive(Debug, Default)]
pub struct Read(HashMap<(Resource, String), Option<CgroupLimit>>);

/// Reads the limits that bind a process, innermost first for each resource, and adds them to `known`
/// where they are not in it. Those already in `read` are not read again. Returns the keys of its
/// innermost cgroups.
pub fn read(
    root: &Root,
    pid: u32,
    Read(read): &mut Read,
    known: &mut Vec<CgroupLimit>,
) -> Vec<String> {
    let Ok(bytes) = root.read(format!("{pid}/cgroup"), LONGEST) else {
        return vec![];
    };
    let Ok(ProcessCGroups(groups)) = ProcessCGroups::from_read(bytes.as_slice()) else {
        return vec![];
    };
    let mut keys = vec![];
    for resource in Resource::ALL {
        // A controller is in one hierarchy: its own of v1, or the unified one.
        let v1 = groups.iter().find(|g| g.controllers.iter().any(|c| c == resource.name()));
        let v2 = groups.iter().find(|g| g.hierarchy == 0);
        let Some((group, unified)) =
            v1.map(|group| (group, false)).or_else(|| v2.map(|group| (group, true)))
        else {
            continue;
        };
        // Outside this cgroup namespace: the path leads nowhere here.
        if group.pathname.contains("/..") {
            continue;
        }
        keys.push(format!("{}:{}", resource.name(), group.pathname));
        for path in ancestors(&group.pathname) {
            if known.iter().any(|k| k.resource == resource && k.path == path) {
                break;
            }
            let limit = read.entry((resource, path.to_owned())).or_insert_with(|| {
                limit_of(&mount(root, resource, unified), path, resource, unified)
            });
            known.extend(limit.clone());
        }
    }
    keys
}

/// Where the hierarchy is mounted: as systemd and the distributions do it.
fn mount(root: &Root, resource: Resource, unified: bool) -> PathBuf {
    let base = root.cgroups();
    if !unified {
        return base.join(resource.name());
    }
    let beside_v1 = base.join("unified");
    if beside_v1.is_dir() { beside_v1 } else { base }
}

/// `/a/b`, `/a`, `/`.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    Path::new(path).ancestors().filter_map(Path::to_str)
}

/// `None`: the cgroup has no such limit (the root has none, or the controller is off).
fn limit_of(mount: &Path, path: &str, resource: Resource, unified: bool) -> Option<CgroupLimit> {
    let names = files(resource, unified);
    let directory = mount.join(path.trim_start_matches('/'));
    let file = directory.join(names.limit);
    let limit = match text(&file)?.trim() {
        "max" => None,
        number => Some(number.parse().ok()?).filter(|limit| *limit < UNLIMITED),
    };
    let used: Option<u64> = text(&directory.join(names.used)).and_then(|t| t.trim().parse().ok());
    let reclaimable = names.reclaimable.and_then(|name| {
        let stat = text(&directory.join("memory.stat"))?;
        stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    });
    Some(CgroupLimit {
        resource,
        path: path.to_owned(),
        file: file.display().to_string(),
        limit,
        used: used.map(|used| used.saturating_sub(reclaimable.unwrap_or(0))),
    })
}

fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    Root::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}
