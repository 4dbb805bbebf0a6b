//! /proc trees made by tests, for `--proc-root`.

use std::{
    fmt::Write,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A tree, removed when the test ends, however it ends.
pub(crate) struct Tree {
    path: PathBuf,
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Tree {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("sockeye-proc-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    /// A host with these lines in net/tcp and an empty table of each other kind.
    pub(crate) fn with_tcp(lines: &str) -> Self {
        let empty = HEADING.to_owned();
        Self::empty()
            .file("net/tcp", HEADING.to_owned() + lines)
            .file("net/tcp6", empty.clone())
            .file("net/udp", empty.clone())
            .file("net/udp6", empty)
            .file("sys/kernel/hostname", "web1\n")
            .file("sys/kernel/osrelease", "6.18.44\n")
            .process(1, b"init", &[])
    }

    /// A small server: a listener with a queue, two connections, one of them not accepted, a
    /// TIME_WAIT, a CLOSE_WAIT, a name server over UDP; nginx is process 811.
    pub(crate) fn server() -> Self {
        let lines = [
            Line { state: 0x0A, local: "0.0.0.0:8080", rx: 3, inode: 101, ..Line::default() },
            Line { rx: 1000, tx: 5, inode: 102, timer: (2, 0xACCF2), ..Line::default() },
            Line { peer: "10.0.0.9:51235", ..Line::default() },
            Line { state: 6, peer: "10.0.0.9:51236", timer: (3, 0x1743), ..Line::default() },
            Line {
                state: 8,
                local: "10.0.0.1:40000",
                peer: "10.0.0.4:5432",
                rx: 1,
                inode: 104,
                uid: 33,
                ..Line::default()
            },
        ];
        let name_server = Line {
            state: 7,
            local: "127.0.0.1:53",
            peer: "0.0.0.0:0",
            inode: 105,
            ..Line::default()
        };
        Self::with_tcp(&lines.map(Line::text).concat())
            .file("net/udp", HEADING.to_owned() + &name_server.text())
            .process(811, b"nginx", &[(6, 101), (12, 102)])
            .process(900, b"worker", &[(4, 104)])
            .process(901, b"worker", &[(4, 104)])
    }

    /// Writes a file.
    pub(crate) fn file(self, entry: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.path.join(entry);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes a symbolic link.
    pub(crate) fn link(self, entry: &str, target: &str) -> Self {
        let path = self.path.join(entry);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
        self
    }

    /// Adds a process that holds sockets, as (descriptor, inode).
    pub(crate) fn process(self, pid: u32, comm: &[u8], sockets: &[(u32, u64)]) -> Self {
        let mut tree = self
            .file(&format!("{pid}/comm"), [comm, b"\n"].concat())
            .file(&format!("{pid}/cgroup"), "0::/system.slice/web.service\n")
            .file(&format!("{pid}/fd/.made"), "")
            .link(&format!("{pid}/ns/net"), "net:[4026531840]");
        for (fd, inode) in sockets {
            tree = tree.link(&format!("{pid}/fd/{fd}"), &format!("socket:[{inode}]"));
        }
        tree
    }

    /// Its path, for `--proc-root`.
    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The path of an entry.
    pub(crate) fn entry(&self, entry: &str) -> String {
        Path::new(self.path()).join(entry).to_str().unwrap().to_owned()
    }
}

/// First line of net/tcp.
pub(crate) const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/// A line of net/tcp; by default an ESTABLISHED connection to port 8080 that nobody has accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Number of the state.
    pub(crate) state: u8,
    /// IPv4 address and port of this end.
    pub(crate) local: &'static str,
    /// Of the other end.
    pub(crate) peer: &'static str,
    /// Bytes not acknowledged.
    pub(crate) tx: u32,
    /// Bytes not read; connections not accepted.
    pub(crate) rx: u32,
    /// Kind of timer, and what is left of it in 1/100 s.
    pub(crate) timer: (u8, u32),
    /// User.
    pub(crate) uid: u32,
    /// Inode.
    pub(crate) inode: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            state: 1,
            local: "10.0.0.1:8080",
            peer: "10.0.0.9:51234",
            tx: 0,
            rx: 0,
            timer: (0, 0),
            uid: 0,
            inode: 0,
        }
    }
}

impl Line {
    /// As the kernel writes it.
    pub(crate) fn text(self) -> String {
        // A listener has no peer.
        let peer = if self.state == 0x0A { "0.0.0.0:0" } else { self.peer };
        let mut line = format!(
            "   0: {} {} {:02X} {:08X}:{:08X} ",
            end(self.local),
            end(peer),
            self.state,
            self.tx,
            self.rx
        );
        let (kind, left) = self.timer;
        let _ = writeln!(
            line,
            "{kind:02X}:{left:08X} 00000000 {:5}        0 {} 1 0000000000000000 0",
            self.uid, self.inode
        );
        line
    }
}

/// The address is one number in the order of the host, the port in reading order.
fn end(text: &str) -> String {
    let end: SocketAddr = text.parse().unwrap();
    let address = match end.ip() {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.octets()), end.port())
}
