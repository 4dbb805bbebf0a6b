//! /proc/sys.

use super::root::Root;
use crate::{
    kernel::namespace,
    model::settings::{NAMES, Settings},
};
use std::{collections::BTreeMap, thread};

/// Longest setting: `ip_local_reserved_ports` can hold every second port.
const LONGEST: u64 = 1 << 20;

/// Reads every setting the reports use.
///
/// `net.*` of the running machine are those of the calling thread's network namespace: the kernel
/// looks the table up by the reading thread. Some exist in the initial namespace only (`tcp_mem`,
/// `tcp_max_orphans`).
pub fn read(root: &Root) -> Settings {
    let mut settings = Settings::default();
    for name in NAMES {
        let path = format!("sys/{}", name.replace('.', "/"));
        match root.read(&path, LONGEST) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                settings.values.insert((*name).to_owned(), text);
            }
            Err(error) => {
                settings.missing.insert((*name).to_owned(), error.to_string());
            }
        }
    }
    settings
}

/// Settings of the network namespace of process 1, read by a thread that enters it.
///
/// Empty: this is that namespace, or another machine's tree, or it may not be entered
/// (CAP_SYS_ADMIN).
pub fn of_first_namespace(root: &Root) -> BTreeMap<String, String> {
    let first = super::process::netns(root, "1");
    if !root.is_live() || first.is_none() || first == namespace::current(root).inode {
        return BTreeMap::new();
    }
    let reader = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            namespace::enter("/proc/1/ns/net").ok()?;
            Some(read(root).values)
        });
        inside.join().ok().flatten()
    });
    let values = reader.unwrap_or_default().into_iter();
    values.filter(|(name, _)| name.starts_with("net.")).collect()
}
