//! /proc/sys.

use super::{directory::Directory, root::Root};
use crate::{
    kernel::{error::Error, namespace},
    model::settings::{NAMES, Settings},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek},
    thread,
};

/// Longest setting: `ip_local_reserved_ports` can hold every second port.
const LONGEST: usize = 1 << 20;
/// Room for a setting; most need less than 32 bytes.
const USUAL: usize = 4096;

/// Reads every setting the reports use.
pub fn read(root: &Root) -> Settings {
    let mut settings = of_machine(root);
    settings.absorb(of_namespace(root));
    settings
}

/// Settings that are the machine's: the same in all its network namespaces.
pub fn of_machine(root: &Root) -> Settings {
    named(root, |name| !is_of_namespace(name))
}

/// Settings of the calling thread's network namespace.
///
/// `net.*` of the running machine are those of the calling thread's: the kernel looks the table up
/// by the reading thread. Some exist in the initial namespace only (`tcp_mem`, `tcp_max_orphans`).
/// Of a namespace that is seen through one of its processes alone none is known.
pub fn of_namespace(root: &Root) -> Settings {
    if root.is_live() && root.is_of_another() {
        let why = "it is seen from within its network namespace alone, which could not be entered";
        let missing = NAMES.iter().filter(|name| is_of_namespace(name));
        let missing = missing.map(|name| ((*name).to_owned(), why.to_owned())).collect();
        return Settings { missing, ..Settings::default() };
    }
    named(root, is_of_namespace)
}

fn is_of_namespace(name: &str) -> bool {
    name.starts_with("net.")
}

fn named(root: &Root, wanted: impl Fn(&str) -> bool) -> Settings {
    let mut settings = Settings::default();
    let mut directories = BTreeMap::new();
    let mut buffer = vec![0; USUAL];
    for name in NAMES.iter().filter(|name| wanted(name)) {
        let path = format!("sys/{}", name.replace('.', "/"));
        let Some((above, own)) = split(&path) else { continue };
        let directory =
            directories.entry(above.to_owned()).or_insert_with(|| Directory::at(root.join(above)));
        let read = directory.file(own).and_then(|mut file| {
            let failed = |e| Error::io("read", root.join(&path).display().to_string(), &e);
            let length = whole(&mut file, &mut buffer).map_err(failed)?;
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            Ok(text.trim_end().to_owned())
        });
        match read {
            Ok(text) => settings.values.insert((*name).to_owned(), text),
            Err(error) => settings.missing.insert((*name).to_owned(), error.to_string()),
        };
    }
    settings
}

/// The directory that is opened for a setting, and the way from there: `sys/net/ipv4`, below which the
/// names are the namespace's own.
fn split(path: &str) -> Option<(&str, &str)> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    path.split_at_checked(slashes.take(3).last()?).map(|(above, own)| (above, &own[1..]))
}

/// Reads a setting in one call: what does not fit into it is lost, the next call tells of an end
/// (`proc_do_large_bitmap`, `_proc_do_string`). Where it may not have fitted it is read again.
fn whole(file: &mut File, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    loop {
        let length = file.read(buffer)?;
        if length < buffer.len() || length >= LONGEST {
            return Ok(length);
        }
        buffer.resize(LONGEST, 0);
        file.rewind()?;
    }
}

/// Settings of the network namespace of process 1, read by a thread that enters it.
///
/// Empty: this is another machine's tree, or the namespace may not be entered (CAP_SYS_ADMIN).
pub fn of_first_namespace(root: &Root) -> Settings {
    if !root.is_live() {
        return Settings::default();
    }
    let reader = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            namespace::enter("/proc/1/ns/net").ok()?;
            Some(of_namespace(root))
        });
        inside.join().ok().flatten()
    });
    reader.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_family_is_opened_once() {
        let all = "sys/net/ipv4/conf/all/rp_filter";
        assert_eq!(split(all), Some(("sys/net/ipv4", "conf/all/rp_filter")));
        assert_eq!(split("sys/net/core/somaxconn"), Some(("sys/net/core", "somaxconn")));
        assert_eq!(split("sys/fs/file-max"), Some(("sys/fs", "file-max")));
        assert_eq!(split("sys"), None);
    }

    #[test]
    fn a_setting_that_is_longer_than_usual_is_read_whole() {
        let long = "1,3,".repeat(USUAL);
        let tree = tempfile::tempdir().unwrap();
        let directory = tree.path().join("sys/net/ipv4");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("ip_local_reserved_ports"), &long).unwrap();
        std::fs::write(directory.join("tcp_fin_timeout"), "60\n").unwrap();
        let settings = read(&Root::at(tree.path()).unwrap());
        assert_eq!(settings.text("net.ipv4.ip_local_reserved_ports"), Some(long.as_str()));
        assert_eq!(settings.number("net.ipv4.tcp_fin_timeout"), Some(60));
        // The directory is there and the file is not, and neither is.
        for name in ["net.ipv4.tcp_mem", "net.core.somaxconn"] {
            assert!(settings.is_absent(name), "{:?}", settings.missing.get(name));
            let path = name.replace('.', "/");
            assert!(settings.missing.get(name).unwrap().contains(&path));
        }
    }
}
