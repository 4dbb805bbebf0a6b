//! Variables that say where to look, as ss has them. What is typed wins over them; an empty one is
//! none.

use std::{collections::BTreeMap, env, path::PathBuf};

/// Tables of /proc/net that have a variable of their own.
const TABLES: [&str; 9] =
    ["tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "packet", "netlink"];

/// `TCPDIAG_FILE`: a raw dump to read TCP sockets from.
pub fn dump_file() -> Option<PathBuf> {
    path("TCPDIAG_FILE")
}

/// `PROC_ROOT`: the tree to read instead of /proc. Netlink is not asked where it is set.
pub fn proc_root() -> Option<PathBuf> {
    path("PROC_ROOT")
}

/// `PROC_NET_TCP`, `PROC_NET_UDP6`…: files to read instead of a table, by the table's name. Netlink
/// is not asked for those.
pub fn tables() -> BTreeMap<&'static str, PathBuf> {
    let of = |table: &'static str| {
        path(&format!("PROC_NET_{}", table.to_ascii_uppercase())).map(|path| (table, path))
    };
    TABLES.into_iter().filter_map(of).collect()
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
