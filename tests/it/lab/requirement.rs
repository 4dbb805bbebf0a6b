//! What a live test needs of the machine. A test that cannot run says so aloud, or fails.

use nix::unistd::geteuid;
use sockeye::kernel::bpf::task_file::{Choose, Walk};
use std::{
    env,
    io::{self, Write},
    path::Path,
    process::Command,
    sync::OnceLock,
};

/// With the value 1 a live test that cannot run fails instead of being skipped.
const REQUIRED: &str = "SOCKEYE_REQUIRE_LIVE";

/// Whether the calling test can run: root, network namespaces, and these programs.
///
/// Where it cannot, prints `SKIPPED: …` with the reason, or panics if live tests are required.
pub(crate) fn require_live(programs: &[&str]) -> bool {
    missing(programs).is_none_or(|missing| cannot_run(&missing))
}

/// Whether this kernel has a setting (`net.ipv4.tcp_child_ehash_entries`) that the test changes in
/// a namespace of its own; if not, as [`require_live`].
pub(crate) fn require_setting(name: &str) -> bool {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    path.exists() || cannot_run(&format!("this kernel has no {name}"))
}

/// Whether this kernel lets this user walk over descriptors by BPF; if not, as [`require_live`].
pub(crate) fn require_walk() -> bool {
    Walk::begin(Choose { netns: None, inner_pids: false }).is_some()
        || cannot_run("the kernel allows no iterator over task_file (BTF, CAP_BPF, Linux 5.11)")
}

/// Whether a program says that it is this version; if not, as [`require_live`].
pub(crate) fn require_version(program: &str, switch: &str, version: &str) -> bool {
    let said = Command::new(program).arg(switch).output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    said == version || cannot_run(&format!("this is {said}, and {version} is wanted"))
}

/// Whether a socket could be made that not every kernel has; if not, as [`require_live`].
pub(crate) fn require_made(made: bool, what: &str) -> bool {
    made || cannot_run(&format!("this kernel has no {what}"))
}

/// Says aloud that the calling test is skipped, or panics if it must not be.
pub(crate) fn cannot_run(missing: &str) -> bool {
    assert!(env::var_os(REQUIRED).is_none_or(|value| value != "1"), "{REQUIRED}=1, but {missing}");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("live test");
    // Not by a macro: the test runner hides what a passing test prints through those.
    let _ = writeln!(io::stderr().lock(), "SKIPPED: {test}: {missing}");
    false
}

fn missing(programs: &[&str]) -> Option<String> {
    if let Some(program) = programs.iter().find(|program| !is_installed(program)) {
        return Some(format!("the program `{program}` is not in PATH"));
    }
    if !geteuid().is_root() {
        return Some("root is needed to make network namespaces".to_owned());
    }
    NAMESPACES.get_or_init(why_no_namespace).clone()
}

/// Why network namespaces cannot be made, found out once.
static NAMESPACES: OnceLock<Option<String>> = OnceLock::new();

fn why_no_namespace() -> Option<String> {
    let name = format!("sockeye-probe-{}", std::process::id());
    let ip = |verb| Command::new("ip").args(["netns", verb, &name]).output();
    match ip("add") {
        Ok(made) if made.status.success() => {
            let _ = ip("del");
            None
        }
        Ok(refused) => {
            let said = String::from_utf8_lossy(&refused.stderr);
            Some(format!("no network namespace can be made: {}", said.trim()))
        }
        Err(error) => Some(format!("`ip` cannot be run: {error}")),
    }
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
}
