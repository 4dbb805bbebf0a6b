//! Every descriptor of every process that is a socket, told by an iterator inside the kernel.

use super::{
    btf::Btf,
    program::{self, Choice, ITERATOR, MEMBERS, RECORD, Sockets},
};
use crate::kernel::{
    bytes::{u32_ne, u64_ne},
    proc::root::Root,
    syscall::{self, Mapping},
};
use nix::{
    errno::Errno,
    sys::{
        socket::{AddressFamily, SockFlag, SockType, socket},
        stat::fstat,
    },
};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    ops::ControlFlow,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

/// The running kernel's types.
const TYPES: &str = "/sys/kernel/btf/vmlinux";
/// The kernel gives at most 32 KiB a read, whatever the buffer (`bpf_seq_read`, eight pages).
const BUFFER: usize = 32 * 1024;

/// Which sockets to tell of, and how.
#[derive(Debug, Clone, Copy)]
pub struct Choose {
    /// Those of this network namespace; `None`: of every one.
    pub netns: Option<u64>,
    /// Whether this process lives in an inner pid namespace: the kernel then walks the processes of
    /// that alone, and they are told by the numbers they have in it.
    pub inner_pids: bool,
}

/// Namespaces that are passed over inside the kernel, one instruction each; of more the others are
/// told, and passed over by the reader.
const PASSED_OVER: usize = 1000;

/// A descriptor that is a socket of a network namespace nobody knew of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stray {
    /// The process.
    pub pid: u32,
    /// The descriptor in it.
    pub fd: u32,
    /// Inode of the namespace.
    pub netns: u64,
}

/// A descriptor that is a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The process.
    pub pid: u32,
    /// The descriptor in it.
    pub fd: u32,
    /// The socket.
    pub inode: u64,
}

/// A walk the kernel has accepted.
#[derive(Debug)]
pub struct Walk {
    file: File,
    buffer: Vec<u8>,
}

impl Walk {
    /// Prepares a walk. `None`: this kernel lacks something, or this process may not; nobody has to
    /// be told, since /proc knows the same.
    pub fn begin(choose: Choose) -> Option<Self> {
        let netns = choose.netns.map(u32::try_from).transpose().ok()?;
        let sockets = netns.map_or(Sockets::Every, Sockets::Of);
        Self::over(Choice { sockets, inner_pids: choose.inner_pids })
    }

    /// Tells of a socket of each network namespace that is not among these, in the pid namespace this
    /// process lives in. `None`: as in [`Self::begin`], or the walk broke off.
    pub fn strays(known: &[u64], inner_pids: bool) -> Option<Vec<Stray>> {
        let mut passed_over: Vec<u32> =
            known.iter().filter_map(|netns| u32::try_from(*netns).ok()).collect();
        passed_over.truncate(PASSED_OVER);
        let walk = Self::over(Choice { sockets: Sockets::Outside(&passed_over), inner_pids })?;
        let mut strays: Vec<Stray> = vec![];
        let each = |Held { pid, fd, inode: netns }| {
            let is_known = known.contains(&netns) || strays.iter().any(|s| s.netns == netns);
            if !is_known {
                strays.push(Stray { pid, fd, netns });
            }
        };
        let _: ControlFlow<()> = walk.run(each, || ControlFlow::Continue(())).ok()?;
        Some(strays)
    }

    fn over(choice: Choice<'_>) -> Option<Self> {
        let types = Types::read().ok()?;
        let found = Btf::new(types.bytes())?.find(ITERATOR, &MEMBERS)?;
        let code = program::assemble(&found, choice)?;
        let program = syscall::load(&code, found.function).ok()?;
        let link = syscall::link(&program).ok()?;
        let file = syscall::iterate(&link).ok()?;
        Some(Self { file, buffer: vec![0; BUFFER] })
    }

    /// Walks to the end, or until `each` breaks; `pause` is asked between two reads.
    pub fn run(
        mut self,
        mut each: impl FnMut(Held),
        mut pause: impl FnMut() -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        loop {
            let length = match self.file.read(&mut self.buffer) {
                Ok(0) => return Ok(ControlFlow::Continue(())),
                Ok(length) => length,
                // After a million descriptors that are no sockets the kernel lets us breathe.
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
                Err(error) => return Err(error),
            };
            let records = self.buffer.get(..length).unwrap_or_default().chunks_exact(RECORD);
            records.filter_map(held).for_each(&mut each);
            if pause().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
}

/// Whether a walk can be asked for, and its process ids are those of this /proc: it is this
/// machine's, mounted in the pid namespace this process lives in, and there are CAP_PERFMON and
/// CAP_BPF, or CAP_SYS_ADMIN that was all of them before Linux 5.8.
pub fn may_walk(root: &Root) -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    const PERFMON_AND_BPF: u64 = 1 << 38 | 1 << 39;
    let Some(status) = root.is_live().then(|| root.read("self/status", 16 * 1024).ok()).flatten()
    else {
        return false;
    };
    let status = String::from_utf8_lossy(&status);
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let capabilities = line("CapEff:").and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    // One number for each pid namespace from that of the mount inwards.
    let numbers = line("NSpid:").map_or(0, |numbers| numbers.split_whitespace().count());
    let may = |set: u64| set & SYS_ADMIN != 0 || set & PERFMON_AND_BPF == PERFMON_AND_BPF;
    numbers == 1 && capabilities.is_some_and(may)
}

fn held(record: &[u8]) -> Option<Held> {
    Some(Held { pid: u32_ne(record, 0)?, fd: u32_ne(record, 4)?, inode: u64_ne(record, 8)? })
}

/// A socket of our own, which a walk has to come by: were an offset wrong, it would not.
#[derive(Debug)]
pub struct Witness {
    socket: OwnedFd,
    inode: u64,
    seen: bool,
}

impl Witness {
    /// Makes one, in the calling thread's network namespace.
    pub fn new() -> Result<Self, Errno> {
        let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        let inode = fstat(&socket)?.st_ino;
        Ok(Self { socket, inode, seen: false })
    }

    /// Whether this is it.
    pub fn is(&mut self, held: Held) -> bool {
        let is = held.inode == self.inode
            && held.pid == std::process::id()
            && i32::try_from(held.fd) == Ok(self.socket.as_raw_fd());
        self.seen |= is;
        is
    }

    /// Whether it came by.
    pub fn was_seen(&self) -> bool {
        self.seen
    }
}

/// The kernel's types, without a copy where it allows that.
enum Types {
    Mapped(Mapping),
    Read(Vec<u8>),
}

impl Types {
    fn read() -> io::Result<Self> {
        let mut file = Root::open(Path::new(TYPES)).map_err(|_| ErrorKind::NotFound)?;
        if let Ok(mapping) = Mapping::of(&file) {
            return Ok(Self::Mapped(mapping));
        }
        let mut bytes = vec![];
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(mapping) => mapping.bytes(),
            Self::Read(bytes) => bytes,
        }
    }
}
