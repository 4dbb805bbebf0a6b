//! Files that stand for network namespaces: bind mounts, as `ip netns`, docker and others make them.

use super::NAMED;
use crate::kernel::proc::root::Root;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Directories whose files are links or mounts of namespaces: those of `ip netns` and of docker.
const DIRECTORIES: [&str; 4] =
    [NAMED, "/var/run/netns", "/run/docker/netns", "/var/run/docker/netns"];
/// Longest mountinfo read.
const LONGEST: u64 = 16 << 20;

/// A file that stands for a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Inode of the namespace.
    pub inode: u64,
    /// The file.
    pub path: PathBuf,
}

/// What the files tell.
#[derive(Debug, Default)]
pub struct Standings {
    /// Those that stand for a namespace, those of `ip netns` first, then by path.
    pub found: Vec<Standing>,
    /// Files of `ip netns` that stand for nothing: their mount is gone.
    pub stale: Vec<PathBuf>,
}

/// Whether the files of a directory are names of namespaces.
pub fn keeps_names(directory: &Path) -> bool {
    DIRECTORIES.iter().any(|known| Path::new(known) == directory)
}

/// Looks into the directories where programs keep namespaces, and at every mount of one.
///
/// `device` is that of the filesystem in which all namespaces are (nsfs has one).
pub fn find(root: &Root, device: u64) -> Standings {
    let mut standings = Standings::default();
    for directory in DIRECTORIES {
        let mut paths: Vec<PathBuf> = fs::read_dir(directory)
            .map(|listing| listing.filter_map(Result::ok).map(|entry| entry.path()).collect())
            .unwrap_or_default();
        paths.sort_unstable();
        for path in paths {
            match fs::metadata(&path) {
                // A link to /proc/PID/ns/net does as well as a mount.
                Ok(meta) if meta.dev() == device => {
                    standings.found.push(Standing { inode: meta.ino(), path });
                }
                Ok(_) if directory == NAMED => standings.stale.push(path),
                _ => {}
            }
        }
    }
    let mounts = root.read("self/mountinfo", LONGEST).unwrap_or_default();
    let known: Vec<u64> = standings.found.iter().map(|standing| standing.inode).collect();
    let elsewhere = parse(&mounts).into_iter().filter(|standing| !known.contains(&standing.inode));
    standings.found.extend(elsewhere);
    standings
}

/// Mounts of network namespaces, by proc_pid_mountinfo(5): the fourth field is the root of the mount
/// (`net:[4026532177]`), the fifth where it is; the type follows the lone hyphen.
fn parse(mountinfo: &[u8]) -> Vec<Standing> {
    let text = String::from_utf8_lossy(mountinfo);
    let of_line = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        (after.split(' ').next()? == "nsfs").then_some(())?;
        let mut words = before.split(' ').skip(3);
        let inode = words.next()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
        Some(Standing { inode, path: Path::new(&unescaped(words.next()?)).to_owned() })
    };
    text.lines().filter_map(of_line).collect()
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
pub fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = byte {
            plain.push(char::from(byte));
            plain.push_str(part.get(3..).unwrap_or_default());
        } else {
            plain.push('\\');
            plain.push_str(part);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_a_network_namespace_stands_for_it() {
        let text = b"43 42 0:4 net:[4026532177] /run/netns/a\\040b rw shared:2 - nsfs nsfs rw\n\
                     44 42 0:4 mnt:[4026532178] /run/x rw - nsfs nsfs rw\n\
                     45 42 0:5 / /run rw shared:2 - tmpfs tmpfs rw\n\
                     net:[1] - nsfs\n";
        let inode = 4_026_532_177;
        assert_eq!(parse(text), [Standing { inode, path: "/run/netns/a b".into() }]);
    }

    #[test]
    fn any_text_is_read_without_harm() {
        for text in ["", " - ", " - nsfs", "a b c net:[x] \\ - nsfs", "a b c net:[1] \\9 - nsfs"] {
            let _ = parse(text.as_bytes());
        }
        assert_eq!(unescaped("a\\134b\\"), "a\\b\\");
    }
}
