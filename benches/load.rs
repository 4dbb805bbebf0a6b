//! What the benchmarks stand on: a network namespace of their own, and so many sockets in it.
//!
//! A benchmark starts itself in the role `load`, which its `main` hands on to [`load`].

use nix::{
    sched::{CloneFlags, unshare},
    sys::resource::{Resource, getrlimit, setrlimit},
};
use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

/// The program that is measured.
pub(crate) const SOCKEYE: &str = env!("CARGO_BIN_EXE_sockeye");
/// Connections of one loading process: both ends, below the usual hard limit of descriptors.
const CONNECTIONS: usize = 9_000;
/// The part of the connections that is IPv6, in percent.
const IPV6_PERCENT: usize = 20;

/// Moves this process into a new namespace, with room for so many sockets; it is gone with its last
/// process.
pub(crate) fn own_namespace(sockets: usize) {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
            .expect("needs root, or a kernel that lets users make namespaces");
    }
    // A table with two sockets a chain, as a host that is made for so many would have: of the
    // namespace that is made from this one (Linux 6.1; else it shares the machine's).
    let chains = (sockets / 2).next_power_of_two();
    if sockets > 200_000
        && fs::write("/proc/sys/net/ipv4/tcp_child_ehash_entries", chains.to_string()).is_ok()
    {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
    }
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("needs ip");
    assert!(up.success());
}

/// Processes that hold the connections of a load; they end with this value, or with this process.
pub(crate) struct Load(Vec<Child>);

impl Load {
    /// So many sockets, both ends of half as many connections, and a listener for each process.
    pub(crate) fn of(sockets: usize) -> Self {
        let mut load = Self(vec![]);
        let mut left = sockets / 2;
        while left > 0 {
            let connections = left.min(CONNECTIONS);
            left -= connections;
            let port = 7000 + load.0.len();
            let mut child = itself(&["load", &connections.to_string(), &port.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut ready = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
            load.0.push(child);
            assert_eq!(ready, "ready\n", "a load process failed");
        }
        let counted = Command::new(SOCKEYE).args(["-tan", "--count"]).output().unwrap();
        let counted = String::from_utf8(counted.stdout).unwrap();
        let counted: usize = counted.trim().parse().unwrap();
        assert!(counted >= sockets / 2 * 2, "{counted} of {sockets} sockets");
        load
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // The end of its input ends it.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Opens connections to itself, says so, and holds them until its input ends.
pub(crate) fn load(connections: usize, port: u16) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).unwrap();
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut held = Vec::with_capacity(2 * connections);
    for index in 0..connections {
        let listener = if index % 100 < IPV6_PERCENT { &v6 } else { &v4 };
        held.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        held.push(listener.accept().unwrap().0);
    }
    println!("ready");
    io::stdout().flush().unwrap();
    let _ = io::stdin().read(&mut [0]);
}

/// This program in another role.
pub(crate) fn itself(args: &[&str]) -> Command {
    let path: PathBuf = env::current_exe().unwrap();
    let mut command = Command::new(path);
    command.args(args);
    command
}

/// Kernel, processor, cores.
pub(crate) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let release = read("/proc/sys/kernel/osrelease");
    let kernel = release.trim().split('-').next().unwrap_or_default();
    let ss = Command::new("ss").arg("-V").output().map_or(String::new(), |out| {
        String::from_utf8_lossy(&out.stdout).trim().replace("ss utility, ", "")
    });
    format!("Linux {kernel}, {}, {model}, {cores} cores; {ss}.\n", env::consts::ARCH)
}
