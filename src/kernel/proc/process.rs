//! One process: its name, cgroup and namespace.

use super::root::Root;
use crate::{
    kernel::error::{Cause, Error},
    model::{cgroup, owner::Process},
};
use nix::fcntl;
use procfs::{FromRead, ProcessCGroups};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, time::Duration};

/// Every process id in the tree, ascending.
///
/// A tree without any is an error: even hidepid shows a process to itself, so /proc is not mounted
/// there and only its empty directory was found.
pub fn pids(root: &Root) -> Result<Vec<u32>, Error> {
    let path = root.join("");
    let listing = fs::read_dir(&path)
        .map_err(|e| Error::io("read the directory", path.display().to_string(), &e))?;
    let mut pids: Vec<u32> = listing
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    if pids.is_empty() {
        return Err(Error {
            attempted: "find processes in",
            subject: path.display().to_string(),
            cause: Cause::Malformed("it lists none, so /proc is not mounted there"),
        });
    }
    pids.sort_unstable();
    Ok(pids)
}

/// Name and cgroup of a process. A process that is gone has the name `?`: its sockets were seen.
pub fn read(root: &Root, pid: u32) -> Process {
    let command = command_in(root, pid);
    let cgroup = cgroup_path(root, pid);
    let path = cgroup.as_deref().unwrap_or_default();
    Process {
        pid,
        command,
        unit: cgroup::unit(path).map(str::to_owned),
        container: cgroup::container(path),
        pod: cgroup::pod(path),
        cgroup,
    }
}

/// Whether there is a process with this id.
pub fn exists(root: &Root, pid: u32) -> bool {
    root.join(pid.to_string()).exists()
}

/// The name of a process, or of `PID/task/TID`.
pub fn command_in(root: &Root, task: impl std::fmt::Display) -> Vec<u8> {
    let Ok(mut bytes) = root.read(format!("{task}/comm"), 64) else {
        return b"?".to_vec();
    };
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}

/// A task: a process, or a thread of one. /proc knows threads it does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// The process it belongs to.
    pub process: u32,
    /// Whether it is the kernel's own, which owns nothing.
    pub is_kernel: bool,
    /// When it began, since the machine was started (CLOCK_BOOTTIME), to a hundredth of a second.
    pub began: Duration,
}

/// The task with this id now. `None`: it is gone.
///
/// Fields of proc_pid_stat(5); `PF_KTHREAD` of `linux/sched.h`; `Tgid` of proc_pid_status(5).
pub fn task(root: &Root, tid: u32) -> Option<Task> {
    const PF_KTHREAD: u64 = 0x0020_0000;
    /// Hundredths of a second: `USER_HZ` of every architecture but one.
    const TICK: Duration = Duration::from_millis(10);
    let stat = root.read_line(format!("{tid}/stat")).ok()?;
    // The second field, the name, may have blanks and parentheses in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    let status = root.read(format!("{tid}/status"), 64 * 1024).ok()?;
    let status = String::from_utf8_lossy(&status);
    Some(Task {
        process: status.lines().find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok())?,
        is_kernel: field(9)? & PF_KTHREAD != 0,
        began: TICK.saturating_mul(u32::try_from(field(22)?).unwrap_or(u32::MAX)),
    })
}

/// Whether this process ignores a signal: a bit of `SigIgn` in its `status` (proc_pid_status(5)).
pub fn ignores(root: &Root, signal: i32) -> bool {
    let status = root.read("self/status", 64 * 1024).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or(0) & 1 == 1)
}

/// The cgroup path: that of the unified hierarchy, or on a v1 host that of systemd's, or of the
/// first hierarchy with a path other than the root.
pub fn cgroup_path(root: &Root, pid: u32) -> Option<String> {
    let bytes = root.read(format!("{pid}/cgroup"), 64 * 1024).ok()?;
    let ProcessCGroups(groups) = ProcessCGroups::from_read(bytes.as_slice()).ok()?;
    let is_named = |g: &&procfs::ProcessCGroup| g.pathname != "/";
    let unified = groups.iter().find(|g| g.hierarchy == 0);
    let systemd = groups.iter().find(|g| g.controllers.iter().any(|c| c == "name=systemd"));
    unified
        .filter(is_named)
        .or(systemd.filter(is_named))
        .or(groups.iter().find(is_named))
        .or(unified)
        .or(systemd)
        .map(|g| g.pathname.clone())
}

/// Inode of the network namespace of a process, or of `self`. `None`: it may not be read, or the
/// process is gone.
pub fn netns(root: &Root, process: impl std::fmt::Display) -> Option<u64> {
    netns_link(root, process).ok()
}

/// The same, with the reason.
pub fn netns_link(root: &Root, process: impl std::fmt::Display) -> Result<u64, Error> {
    let path = root.join(format!("{process}/ns/net"));
    let subject = || path.display().to_string();
    let target = fcntl::readlink(&path).map_err(|e| Error::errno("read the link", subject(), e))?;
    inode_in(b"net:[", &target).ok_or_else(|| Error {
        attempted: "read the link",
        subject: subject(),
        cause: Cause::Malformed("it leads to no network namespace"),
    })
}

/// Whether this /proc shows an inner pid namespace, so that processes outside it are not listed.
///
/// PROC_PID_INIT_INO is the inode of the outermost one (`linux/proc_ns.h`).
pub fn is_inner_pid_namespace(root: &Root) -> bool {
    const INITIAL: u64 = 0xEFFF_FFFC;
    fcntl::readlink(&root.join("1/ns/pid"))
        .or_else(|_| fcntl::readlink(&root.join("self/ns/pid")))
        .ok()
        .and_then(|link| inode_in(b"pid:[", &link))
        .is_some_and(|inode| inode != INITIAL)
}

/// The number in a link such as `socket:[4711]` or `net:[4026531840]`.
pub fn inode_in(prefix: &[u8], link: &OsStr) -> Option<u64> {
    let digits = link.as_bytes().strip_prefix(prefix)?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ID: &str = "3f4b1cbb1f0f6a2dd2b1a2a7c1e6f6a5b6b7c8d9e0f1a2b3c4d5e6f708192a3b";

    /// The unit, container and pod of a process with this /proc/PID/cgroup.
    fn home(cgroup: &str) -> [Option<String>; 3] {
        let directory = tempfile::TempDir::new().unwrap();
        fs::create_dir(directory.path().join("7")).unwrap();
        fs::write(directory.path().join("7/cgroup"), cgroup).unwrap();
        let process = read(&Root::at(directory.path()).unwrap(), 7);
        [process.unit, process.container, process.pod]
    }

    #[test]
    fn every_runtime_is_known_by_either_version_of_cgroups() {
        let uid = "0e5a2b3c-1111-2222-3333-444455556666";
        let under = uid.replace('-', "_");
        let (short, pod) = (Some(&ID[..12]), Some(uid));
        let scope = format!("docker-{ID}.scope");
        let containerd = format!("cri-containerd-{ID}.scope");
        let crio = format!("crio-{ID}.scope");
        let libpod = format!("libpod-{ID}.scope");
        let burstable = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod";
        for (cgroup, expected) in [
            // Version 2.
            (format!("0::/system.slice/{scope}\n"), [Some(&*scope), short, None]),
            (format!("0::/docker/{ID}\n"), [None, short, None]),
            (
                format!("0::/{burstable}{under}.slice/{containerd}\n"),
                [Some(&*containerd), short, pod],
            ),
            (format!("0::/kubepods/besteffort/pod{uid}/{ID}\n"), [None, short, pod]),
            (format!("0::/{burstable}{under}.slice/{crio}\n"), [Some(&*crio), short, pod]),
            (format!("0::/machine.slice/{libpod}/container\n"), [Some(&*libpod), short, None]),
            (
                format!(
                    "0::/user.slice/user-1000.slice/user@1000.service/user.slice/{libpod}/container\n"
                ),
                [Some(&*libpod), short, None],
            ),
            (
                "0::/lxc.payload.web/system.slice/nginx.service\n".to_owned(),
                [Some("nginx.service"), Some("web"), None],
            ),
            (
                "0::/machine.slice/systemd-nspawn@db.service/payload\n".to_owned(),
                [Some("systemd-nspawn@db.service"), Some("db"), None],
            ),
            (
                "0::/machine.slice/machine-db.scope/payload\n".to_owned(),
                [Some("machine-db.scope"), Some("db"), None],
            ),
            ("0::/system.slice/nginx.service\n".to_owned(), [Some("nginx.service"), None, None]),
            // Version 1: a line for each hierarchy, systemd's among them.
            (
                format!(
                    "12:memory:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n"
                ),
                [None, short, None],
            ),
            (
                format!("4:pids:/system.slice/{scope}\n1:name=systemd:/system.slice/{scope}\n"),
                [Some(&*scope), short, None],
            ),
            (
                format!(
                    "9:memory:/kubepods/burstable/pod{uid}/{ID}\n1:name=systemd:/kubepods/burstable/pod{uid}/{ID}\n"
                ),
                [None, short, pod],
            ),
            (
                format!(
                    "8:cpu:/{burstable}{under}.slice/{crio}\n1:name=systemd:/{burstable}{under}.slice/{crio}\n"
                ),
                [Some(&*crio), short, pod],
            ),
            (
                format!(
                    "5:memory:/machine.slice/{libpod}\n1:name=systemd:/machine.slice/{libpod}\n"
                ),
                [Some(&*libpod), short, None],
            ),
            (
                "11:memory:/lxc/web\n1:name=systemd:/lxc/web/system.slice/nginx.service\n"
                    .to_owned(),
                [Some("nginx.service"), Some("web"), None],
            ),
            // Both at once: the unified hierarchy is there and empty.
            (
                format!("0::/\n7:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n"),
                [None, short, None],
            ),
            (
                "0::/system.slice/nginx.service\n1:name=systemd:/system.slice/nginx.service\n"
                    .to_owned(),
                [Some("nginx.service"), None, None],
            ),
            // In a cgroup namespace everything looks like the root.
            ("0::/\n".to_owned(), [None, None, None]),
            (String::new(), [None, None, None]),
        ] {
            assert_eq!(home(&cgroup).each_ref().map(Option::as_deref), expected, "{cgroup}");
        }
    }
}
