//! Real containers: Docker's, with busybox and no network but their own loopback.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    program::{Row, Run, SOCKEYE},
    requirement::require_live,
};
use nix::{
    mount::{MntFlags, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Loading an image and starting three containers takes seconds where others are busy too.
const BUSY: Duration = Duration::from_secs(40);
/// What listens, and what is connected to it, in each container.
const WORK: &str = "httpd -p 80 -h / && sleep 600 | nc 127.0.0.1 80";
const NAMES: [&str; 3] = ["sockeye-web", "sockeye-db", "sockeye-queue"];

/// A daemon of our own, with its containers; all of it ends with the value.
struct Docker {
    directory: TempDir,
    daemon: Child,
}

impl Docker {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let at = |name: &str| directory.path().join(name);
        let daemon = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--storage-driver=vfs", "--data-root"])
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .args(["-H", &format!("unix://{}", at("socket").display())])
            .stdout(Stdio::null())
            .stderr(File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let docker = Self { directory, daemon };
        let is_up = || docker.command().arg("version").output().unwrap().status.success();
        assert!(eventually(BUSY, is_up), "{}", docker.log());
        docker
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        let socket = self.directory.path().join("socket");
        command.args(["-H", &format!("unix://{}", socket.display())]);
        command
    }

    fn log(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "a test reads a log")]
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Does what `docker` does with these words, and returns what it printed.
    fn run(&self, words: &[&str]) -> String {
        let done = self.command().args(words).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "docker {}: {said}\n{}", words.join(" "), self.log());
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// An image that holds busybox alone.
    fn import(&self) {
        let root = self.directory.path().join("image");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::copy(in_path("busybox"), root.join("bin/busybox")).unwrap();
        for name in ["sh", "httpd", "nc", "sleep"] {
            symlink("busybox", root.join("bin").join(name)).unwrap();
        }
        let tar = self.directory.path().join("image.tar");
        let done = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".").status();
        assert!(done.unwrap().success());
        self.run(&["import", tar.to_str().unwrap(), "sockeye-busybox"]);
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = self.command().args(["rm", "-f"]).args(NAMES).output();
        let pid = Pid::from_raw(i32::try_from(self.daemon.id()).unwrap());
        // It ends containerd, its child.
        let _ = kill(pid, Signal::SIGTERM);
        if !eventually(PATIENCE, || self.daemon.try_wait().is_ok_and(|end| end.is_some())) {
            let _ = self.daemon.kill();
            let _ = self.daemon.wait();
        }
        for mount in mounts_below(self.directory.path()) {
            let _ = umount2(&mount, MntFlags::MNT_DETACH);
        }
    }
}

/// Mounts below a directory, the innermost first.
fn mounts_below(directory: &Path) -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test cleans up")]
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let mut below: Vec<PathBuf> =
        places.map(PathBuf::from).filter(|place| place.starts_with(directory)).collect();
    below.sort();
    below.reverse();
    below
}

fn in_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|directory| directory.join(program));
    places.find(|place| place.is_file()).unwrap()
}

fn sockets(arguments: &str) -> Vec<Row> {
    let run = Run::of(Command::new(SOCKEYE).args(arguments.split_whitespace()).output().unwrap());
    run.document().sockets
}

/// State, local port and peer port of rows, sorted.
fn shape(rows: &[&Row]) -> Vec<(String, bool, bool)> {
    let of = |row: &&Row| {
        let peer = row.peer.as_ref().is_some_and(|peer| peer.port == 80);
        (row.state.clone(), row.local.port == 80, peer)
    };
    let mut shape: Vec<_> = rows.iter().map(of).collect();
    shape.sort();
    shape
}

#[test]
fn the_sockets_of_docker_containers_are_found_by_their_names() {
    if !require_live(&["ip", "dockerd", "docker", "busybox", "tar"]) {
        return;
    }
    let docker = Docker::start();
    docker.import();
    for name in NAMES {
        let words = ["run", "-d", "--network", "none", "--name", name, "sockeye-busybox"];
        docker.run(&[&words[..], &["/bin/sh", "-c", WORK]].concat());
    }
    // A listener, and both ends of a connection to it: on IPv6 as httpd has it.
    let expected = [
        ("ESTABLISHED".to_owned(), false, true),
        ("ESTABLISHED".to_owned(), true, false),
        ("LISTEN".to_owned(), true, false),
    ];
    for name in NAMES {
        let id = docker.run(&["inspect", "-f", "{{.Id}}", name]);
        let whole = format!("-tanp --json container = {name}");
        let complete = || {
            let rows = sockets(&whole);
            shape(&rows.iter().collect::<Vec<_>>()) == expected
        };
        assert!(eventually(BUSY, complete), "{name}: {:#?}\n{}", sockets(&whole), docker.log());
        // By name without being told where to look, by the id that `docker ps` shows, by the whole.
        for filter in [name, &id[..12], &id, "sockeye-*"] {
            let rows = sockets(&format!("-tanp --json container = {filter}"));
            let own: Vec<&Row> =
                rows.iter().filter(|row| row.netns.name.as_deref() == Some(name)).collect();
            assert_eq!(shape(&own), expected, "{filter}");
            for row in own {
                assert_eq!(row.netns.kind.as_deref(), Some("container"));
                let holder = row.processes.first().unwrap();
                assert_eq!(holder.container.as_deref(), Some(name), "{holder:?}");
                assert_eq!(holder.container_id.as_deref(), Some(id.as_str()));
            }
        }
    }
    // All of them at once, each in a namespace of its own.
    let rows = sockets("--all-netns -tanp --json");
    for name in NAMES {
        let is_of = |row: &&Row| row.netns.name.as_deref() == Some(name);
        assert_eq!(shape(&rows.iter().filter(is_of).collect::<Vec<_>>()), expected);
    }
    assert!(sockets("-tan --json container = sockeye-nobody").is_empty());
    // Who talks to whom: each container to itself, over a loopback of its own.
    let map = "-t --format csv --group-by container,peer.container container = sockeye-*";
    let run = Run::of(Command::new(SOCKEYE).args(map.split_whitespace()).output().unwrap());
    for name in NAMES {
        assert!(run.stdout.lines().any(|line| line == format!("{name},{name},2")), "{run:?}");
    }
}
