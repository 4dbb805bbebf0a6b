//! The program: for every descriptor that is a socket, sixteen bytes of who and which, or of what
//! network namespace.

use super::btf::{Found, Member};

/// One record: process id, descriptor, and inode of the socket or of its network namespace.
pub(super) const RECORD: usize = 16;
/// The function whose argument the program is given.
pub(super) const ITERATOR: &str = "bpf_iter_task_file";

/// What the program reads, in the order of [`Layout`].
pub(super) const MEMBERS: [Member; 13] = [
    Member { of: "file", name: "f_inode" },
    Member { of: "inode", name: "i_ino" },
    Member { of: "task_struct", name: "tgid" },
    Member { of: "socket", name: "sk" },
    Member { of: "sock_common", name: "skc_net" },
    Member { of: "net", name: "ns" },
    Member { of: "ns_common", name: "inum" },
    Member { of: "task_struct", name: "group_leader" },
    Member { of: "task_struct", name: "thread_pid" },
    Member { of: "pid", name: "level" },
    Member { of: "pid", name: "numbers" },
    Member { of: "upid", name: "nr" },
    Member { of: "upid", name: "ns" },
];

/// Offsets in the running kernel.
struct Layout {
    file_inode: i16,
    inode_number: i16,
    task_tgid: i16,
    socket_sock: i16,
    sock_net: i16,
    net_number: i16,
    task_leader: i16,
    task_pid: i16,
    pid_level: i16,
    pid_numbers: i16,
}

impl Layout {
    fn of(found: &Found) -> Option<Self> {
        let &[
            file_inode,
            inode_number,
            task_tgid,
            socket_sock,
            sock_net,
            net_common,
            common_number,
            task_leader,
            task_pid,
            pid_level,
            pid_numbers,
            upid_number,
            upid_namespace,
        ] = found.offsets.as_slice()
        else {
            return None;
        };
        // `struct upid` is a number, padding and a pointer on every machine with BPF: 16 bytes.
        ((upid_number, upid_namespace) == (0, 8)).then_some(Self {
            file_inode,
            inode_number,
            task_tgid,
            socket_sock,
            sock_net,
            net_number: net_common.checked_add(common_number)?,
            task_leader,
            task_pid,
            pid_level,
            pid_numbers,
        })
    }
}

/// Which sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sockets<'n> {
    /// All.
    Every,
    /// Those of this network namespace.
    Of(u32),
    /// Those of none of these network namespaces: of each is told of what namespace it is.
    Outside(&'n [u32]),
}

/// Which sockets, and by which number processes are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice<'n> {
    /// Which sockets.
    pub(super) sockets: Sockets<'n>,
    /// Whether the reader lives in an inner pid namespace, where a process has another number than
    /// `tgid`, which is that of the outermost.
    pub(super) inner_pids: bool,
}

/// Registers. R0 is the result of a call, R1 to R5 its arguments, gone after it; R10 the end of the
/// stack.
const R0: u8 = 0;
const R1: u8 = 1;
const R2: u8 = 2;
const R3: u8 = 3;
const CONTEXT: u8 = 6;
const TASK: u8 = 7;
const FILE: u8 = 8;
const SOCKET: u8 = 9;
const STACK: u8 = 10;

/// `struct bpf_iter__task_file`: meta, task, fd, file.
const CONTEXT_META: i16 = 0;
const CONTEXT_TASK: i16 = 8;
const CONTEXT_FD: i16 = 16;
const CONTEXT_FILE: i16 = 24;
/// `struct bpf_iter_meta`: the sequential file to write to.
const META_SEQ: i16 = 0;

/// Where the record is made on the stack, and where a number is put aside.
const PID_AT: i16 = -16;
const FD_AT: i16 = -12;
const INODE_AT: i16 = -8;

/// Numbers of helpers, `linux/bpf.h`.
const PROBE_READ_KERNEL: i32 = 113;
const SEQ_WRITE: i32 = 127;
const GET_CURRENT_TASK_BTF: i32 = 158;
const SOCK_FROM_FILE: i32 = 162;

/// Assembles the program; `None`: the members are not those asked for.
///
/// In C it would be
///
/// ```c
/// struct socket *socket = bpf_sock_from_file(ctx->file);
/// if (!ctx->task || !ctx->file || !socket) return 0;
/// if (socket->sk->__sk_common.skc_net.net->ns.inum != netns) return 0;
/// record = { task->tgid, ctx->fd, file->f_inode->i_ino };
/// bpf_seq_write(ctx->meta->seq, &record, 16);
/// ```
///
/// The loads follow pointers that the verifier knows the type of; one that is null reads as zero.
pub(super) fn assemble(found: &Found, choice: Choice<'_>) -> Option<Vec<u8>> {
    let at = Layout::of(found)?;
    let mut code = Code::default();
    code.copy(CONTEXT, R1);
    code.load_pointer(TASK, CONTEXT, CONTEXT_TASK);
    code.end_if_zero(TASK);
    code.load_pointer(FILE, CONTEXT, CONTEXT_FILE);
    code.end_if_zero(FILE);
    code.copy(R1, FILE);
    code.call(SOCK_FROM_FILE);
    code.end_if_zero(R0);
    if choice.sockets != Sockets::Every {
        code.load_pointer(SOCKET, R0, at.socket_sock);
        // `sock_common` is the first member of `sock`, and the pointer the only one of `skc_net`.
        code.load_pointer(SOCKET, SOCKET, at.sock_net);
        code.load_word(R1, SOCKET, at.net_number);
    }
    match choice.sockets {
        Sockets::Every => {}
        Sockets::Of(netns) => code.end_unless_equal(R1, netns),
        Sockets::Outside(known) => known.iter().for_each(|netns| code.end_if_equal(R1, *netns)),
    }
    if !matches!(choice.sockets, Sockets::Outside(_)) {
        code.load_pointer(R1, FILE, at.file_inode);
        code.load_pointer(R1, R1, at.inode_number);
    }
    code.store_pointer(STACK, R1, INODE_AT);
    code.load_word(R1, CONTEXT, CONTEXT_FD);
    code.store_word(STACK, R1, FD_AT);
    if choice.inner_pids {
        // The iterator walks the processes of its reader's pid namespace. The number a process has
        // there is numbers[level of the reader] of the `struct pid` of its first thread.
        code.call(GET_CURRENT_TASK_BTF);
        code.load_pointer(R1, R0, at.task_pid);
        code.load_word(R1, R1, at.pid_level);
        code.shift_left(R1, 4);
        code.load_pointer(R3, TASK, at.task_leader);
        code.load_pointer(R3, R3, at.task_pid);
        code.add_register(R3, R1);
        code.add(R3, at.pid_numbers.into());
        code.copy(R1, STACK);
        code.add(R1, PID_AT.into());
        code.set(R2, 4);
        code.call(PROBE_READ_KERNEL);
        code.end_unless_equal(R0, 0);
    } else {
        code.load_word(R1, TASK, at.task_tgid);
        code.store_word(STACK, R1, PID_AT);
    }
    code.load_pointer(R1, CONTEXT, CONTEXT_META);
    code.load_pointer(R1, R1, META_SEQ);
    code.copy(R2, STACK);
    code.add(R2, PID_AT.into());
    code.set(R3, 16);
    code.call(SEQ_WRITE);
    Some(code.finished())
}

/// Instructions as they are added, eight bytes each.
#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    /// Instructions that jump to the end, which is not known yet.
    jumps: Vec<usize>,
}

/// Opcodes, `linux/bpf_common.h`: class, size or source, operation.
impl Code {
    fn push(&mut self, opcode: u8, to: u8, from: u8, offset: i16, number: i32) {
        // Two fields of four bits: the first is the lower half on a little-endian machine.
        let (low, high) = if cfg!(target_endian = "little") { (to, from) } else { (from, to) };
        self.bytes.extend([opcode, low | high << 4]);
        self.bytes.extend(offset.to_ne_bytes());
        self.bytes.extend(number.to_ne_bytes());
    }

    fn copy(&mut self, to: u8, from: u8) {
        self.push(0xbf, to, from, 0, 0);
    }

    fn set(&mut self, to: u8, number: i32) {
        self.push(0xb7, to, 0, 0, number);
    }

    fn add(&mut self, to: u8, number: i32) {
        self.push(0x07, to, 0, 0, number);
    }

    fn add_register(&mut self, to: u8, from: u8) {
        self.push(0x0f, to, from, 0, 0);
    }

    fn shift_left(&mut self, to: u8, bits: i32) {
        self.push(0x67, to, 0, 0, bits);
    }

    fn load_word(&mut self, to: u8, from: u8, offset: i16) {
        self.push(0x61, to, from, offset, 0);
    }

    /// Eight bytes, also where they are a number.
    fn load_pointer(&mut self, to: u8, from: u8, offset: i16) {
        self.push(0x79, to, from, offset, 0);
    }

    fn store_word(&mut self, to: u8, from: u8, offset: i16) {
        self.push(0x63, to, from, offset, 0);
    }

    fn store_pointer(&mut self, to: u8, from: u8, offset: i16) {
        self.push(0x7b, to, from, offset, 0);
    }

    fn call(&mut self, helper: i32) {
        self.push(0x85, 0, 0, 0, helper);
    }

    fn end_if_zero(&mut self, register: u8) {
        self.jumps.push(self.bytes.len());
        self.push(0x15, register, 0, 0, 0);
    }

    /// The same, where it is.
    fn end_if_equal(&mut self, register: u8, number: u32) {
        self.jumps.push(self.bytes.len());
        self.push(0x16, register, 0, 0, number.cast_signed());
    }

    /// Compares 32 bits (class JMP32, Linux 5.1): the number is not sign-extended.
    fn end_unless_equal(&mut self, register: u8, number: u32) {
        self.jumps.push(self.bytes.len());
        self.push(0x56, register, 0, 0, number.cast_signed());
    }

    /// Ends the program. Jumps to the end are counted in instructions, from the one after them.
    fn finished(mut self) -> Vec<u8> {
        let end = self.bytes.len();
        for jump in std::mem::take(&mut self.jumps) {
            let distance = i16::try_from((end - jump) / 8 - 1).unwrap_or(0);
            if let Some(field) = self.bytes.get_mut(jump + 2..jump + 4) {
                field.copy_from_slice(&distance.to_ne_bytes());
            }
        }
        self.set(R0, 0);
        self.push(0x95, 0, 0, 0, 0);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        let mut offsets: Vec<i16> = (1..=11).map(|index| index * 8).collect();
        offsets.extend([0, 8]);
        Found { function: 1, offsets }
    }

    fn assembled(sockets: Sockets<'_>, inner_pids: bool) -> Vec<[u8; 8]> {
        let code = assemble(&found(), Choice { sockets, inner_pids }).unwrap();
        code.as_chunks().0.to_vec()
    }

    #[test]
    fn every_jump_lands_on_the_end() {
        let many: Vec<u32> = (4_026_531_840..4_026_532_840).collect();
        for (sockets, inner) in [
            (Sockets::Every, false),
            (Sockets::Of(4_026_531_840), false),
            (Sockets::Of(1), true),
            (Sockets::Outside(&many), false),
        ] {
            let code = assembled(sockets, inner);
            let end = code.len() - 2;
            let jumps = code.iter().enumerate().filter(|(_, c)| [0x15, 0x16, 0x56].contains(&c[0]));
            let targets: Vec<usize> = jumps
                .map(|(at, c)| at + 1 + usize::from(u16::from_ne_bytes([c[2], c[3]])))
                .collect();
            assert!(targets.len() >= 3 && targets.iter().all(|at| *at == end), "{targets:?}");
            assert_eq!((code[end][0], code[end + 1][0]), (0xb7, 0x95), "r0 = 0; exit");
        }
    }

    #[test]
    fn only_what_is_chosen_is_asked_of_every_descriptor() {
        assert_eq!(assembled(Sockets::Every, false).len(), 23);
        assert_eq!(assembled(Sockets::Of(7), false).len(), 27);
        assert_eq!(assembled(Sockets::Outside(&[7, 8, 9]), false).len(), 27);
    }

    #[test]
    fn a_kernel_of_another_shape_gets_no_program() {
        let mut other = found();
        other.offsets[12] = 4;
        assert_eq!(assemble(&other, Choice { sockets: Sockets::Every, inner_pids: false }), None);
        other.offsets.pop();
        assert_eq!(assemble(&other, Choice { sockets: Sockets::Every, inner_pids: true }), None);
    }
}
