//! SELinux contexts of processes and sockets.

use super::proc::root::Root;
use rustix::fs::getxattr;

/// More than a context has.
const LONGEST: usize = 4096;

/// Whether SELinux is enabled: then its filesystem is mounted (`is_selinux_enabled(3)`).
pub fn is_enabled(root: &Root) -> bool {
    let mounts = root.read("self/mounts", 16 << 20).unwrap_or_default();
    String::from_utf8_lossy(&mounts).lines().any(|line| line.split(' ').nth(2) == Some("selinuxfs"))
}

/// The context of a process. `None`: it has ended, or may not be looked at.
pub fn of_process(root: &Root, pid: u32) -> Option<String> {
    text(&root.read(format!("{pid}/attr/current"), LONGEST as u64).ok()?)
}

/// The context of a socket that a process holds, as the attribute of its file tells it.
pub fn of_socket(root: &Root, pid: u32, fd: u32) -> Option<String> {
    let mut bytes = [0; LONGEST];
    let path = root.join(format!("{pid}/fd/{fd}"));
    let length = getxattr(&path, "security.selinux", &mut bytes[..]).ok()?;
    text(bytes.get(..length)?)
}

/// A context without the zero and the line feed it may end in.
fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\0', '\n']);
    (!text.is_empty()).then(|| text.to_owned())
}
