//! /proc/sys.

use super::root::Root;
use crate::model::settings::{NAMES, Settings};

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
