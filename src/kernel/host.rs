//! Name and kernel of the machine.

use super::proc::root::Root;
use crate::model::about::Host;
use nix::sys::utsname::uname;

/// Identity of the boot, within which cookies and inodes of namespaces are unique.
pub fn boot_id(root: &Root) -> Option<String> {
    root.read_line("sys/kernel/random/boot_id").ok().filter(|id| !id.is_empty())
}

/// Reads them: of the running machine, or as another tree tells.
pub fn read(root: &Root) -> Host {
    if root.is_live()
        && let Ok(names) = uname()
    {
        let text = |word: &std::ffi::OsStr| Some(word.to_string_lossy().into_owned());
        return Host { name: text(names.nodename()), kernel: text(names.release()) };
    }
    Host {
        name: root.read_line("sys/kernel/hostname").ok(),
        kernel: root.read_line("sys/kernel/osrelease").ok(),
    }
}
