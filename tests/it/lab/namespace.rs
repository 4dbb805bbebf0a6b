//! One network namespace, which ends with the value that stands for it.

use nix::sched::{CloneFlags, setns};
use std::{
    fs::{self, File},
    panic,
    path::PathBuf,
    process::{Child, Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// Chains of the TCP table of a namespace made from here; 0: it shares its maker's (Linux 6.1).
pub(crate) const TCP_CHAINS: &str = "net.ipv4.tcp_child_ehash_entries";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A network namespace with its loopback interface up and nothing else in it.
pub(crate) struct Namespace {
    name: String,
    file: File,
}

impl Namespace {
    /// Makes one, under a name nobody else uses.
    pub(crate) fn new() -> Self {
        Self::made_by(ip)
    }

    /// Makes one whose TCP connections are in a table of their own with so many chains.
    ///
    /// The setting, [`TCP_CHAINS`], is that of the namespace in which another is made: a first one
    /// is made only for that, and the machine's own is left alone.
    pub(crate) fn with_tcp_chains(number: u32) -> Self {
        let outer = Self::new();
        outer.set_sysctl(TCP_CHAINS, &number.to_string());
        Self::made_by(|arguments| outer.run(|| ip(arguments)))
    }

    /// Makes one whose table of connections is small, where the kernel has tables of their own: who
    /// asks hundreds of times does not walk the machine's 262,144 chains each time.
    ///
    /// Limits that the kernel derives from the size of the table (`tcp_max_tw_buckets`,
    /// `tcp_max_syn_backlog`) are small there, too.
    pub(crate) fn quick() -> Self {
        let path = PathBuf::from("/proc/sys").join(TCP_CHAINS.replace('.', "/"));
        if path.exists() { Self::with_tcp_chains(64) } else { Self::new() }
    }

    fn made_by(ip: impl Fn(&[&str])) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sockeye-test-{}-{number}", std::process::id());
        ip(&["netns", "add", &name]);
        let file = File::open(format!("/run/netns/{name}")).unwrap();
        let namespace = Self { name, file };
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    /// Its name, as `ip netns` and `--netns` know it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Does `work` on a thread of its own that has entered the namespace.
    ///
    /// Sockets opened there belong to the namespace for good, wherever they are used later;
    /// processes started there live in it.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let done = thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.file, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            inside.join()
        });
        done.unwrap_or_else(|cause| panic::resume_unwind(cause))
    }

    /// Runs a program in the namespace to its end.
    pub(crate) fn output(&self, command: &mut Command) -> Output {
        self.run(|| command.output())
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
    }

    /// Starts a program in the namespace.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        self.run(|| command.spawn())
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
    }

    /// Runs `ip` on the namespace.
    pub(crate) fn ip(&self, arguments: &[&str]) {
        ip(&[&["-n", &self.name], arguments].concat());
    }

    /// Sets a kernel setting of the namespace (`net.core.somaxconn`).
    ///
    /// What /proc/sys/net shows depends on the namespace of the thread that looks.
    pub(crate) fn set_sysctl(&self, name: &str, value: &str) {
        let path = PathBuf::from("/proc/sys").join(name.replace('.', "/"));
        self.run(|| fs::write(&path, value))
            .unwrap_or_else(|error| panic!("{name} = {value}: {error}"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Nothing to do about a failure, and a second panic would hide the first.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

/// Runs `ip`, which must succeed.
pub(super) fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "ip {}: {said}", arguments.join(" "));
}
