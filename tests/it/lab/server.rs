//! Servers that others wrote, from their packages, each with a directory of its own.

use super::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
};
use std::{
    env, fs,
    fs::Permissions,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A server that runs, and the directory it lives in.
pub(crate) struct Server {
    child: Child,
    directory: TempDir,
    /// What asks it to end, its own processes with it.
    ends_with: &'static str,
}

impl Server {
    /// nginx with this content of its `http` block.
    pub(crate) fn nginx(namespace: &Namespace, http: &str, address: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {path}/{name};")).concat();
        let configuration = format!(
            "daemon off; worker_processes 2; pid {path}/pid; error_log {path}/error.log;
             events {{ worker_connections 512; }}
             http {{ access_log off; {temporary} {http} }}"
        );
        fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-p", &path.to_string(), "-e", "error.log", "-c", "nginx.conf"]);
        Self::start(namespace, command, directory, "TERM", address)
    }

    /// A service on Node.js.
    pub(crate) fn node(namespace: &Namespace, script: &str, address: &str) -> Self {
        let mut command = Command::new("node");
        command.args(["-e", script]);
        Self::start(namespace, command, TempDir::new().unwrap(), "TERM", address)
    }

    /// Redis without persistence.
    pub(crate) fn redis(namespace: &Namespace, address: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let (host, port) = address.split_once(':').unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", host, "--port", port, "--save", "", "--protected-mode", "no"]);
        command.arg("--dir").arg(directory.path());
        Self::start(namespace, command, directory, "TERM", address)
    }

    /// PostgreSQL with an empty database, whose superuser is `postgres` and needs no password.
    pub(crate) fn postgres(namespace: &Namespace, address: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let data = directory.path().join("data");
        // It refuses to be root.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        let as_nobody = |program: &str| {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
            command.arg(postgres_program(program)).arg("-D").arg(&data);
            command.current_dir(directory.path());
            command
        };
        let made = as_nobody("initdb")
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let access = data.join("pg_hba.conf");
        fs::write(access, "host all all 10.77.0.0/16 trust\n").unwrap();
        let (host, port) = address.split_once(':').unwrap();
        let mut command = as_nobody("postgres");
        command.args(["-h", host, "-p", port, "-k", "", "-c", "fsync=off"]);
        Self::start(namespace, command, directory, "INT", address)
    }

    fn start(
        namespace: &Namespace,
        mut command: Command,
        directory: TempDir,
        ends_with: &'static str,
        address: &str,
    ) -> Self {
        let log = fs::File::create(directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = namespace.spawn(&mut command);
        let server = Self { child, directory, ends_with };
        let address: SocketAddr = address.parse().unwrap();
        let answers = || namespace.run(|| TcpStream::connect(address).is_ok());
        assert!(eventually(PATIENCE, answers), "{command:?}: {}", server.said());
        server
    }

    #[expect(clippy::disallowed_methods, reason = "a test reads the log of its server")]
    fn said(&self) -> String {
        let text = |name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        text("log") + &text("error.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends its workers, which nobody else would.
        let signal = format!("-{}", self.ends_with);
        let _ = Command::new("kill").args([&signal, &self.child.id().to_string()]).output();
        let ended = eventually(PATIENCE, || self.child.try_wait().is_ok_and(|end| end.is_some()));
        if !ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A load that runs until this value ends.
pub(crate) struct Load(Child);

impl Load {
    /// Starts `command`, which ends by itself before long.
    pub(crate) fn start(namespace: &Namespace, command: &mut Command) -> Self {
        Self(
            namespace
                .spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())),
        )
    }

    /// Whether it still runs: a load that has ended proves nothing.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of PostgreSQL, which Debian keeps out of PATH.
pub(crate) fn postgres_program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let kept = versions.map(|version| version.path().join("bin").join(name));
    let in_path = env::var_os("PATH").unwrap_or_default();
    let in_path: Vec<PathBuf> = env::split_paths(&in_path).map(|one| one.join(name)).collect();
    kept.chain(in_path).find(|path| Path::is_file(path)).unwrap_or_else(|| name.into())
}
