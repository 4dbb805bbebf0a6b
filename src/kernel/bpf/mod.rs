//! BPF, without clang, libbpf or headers: one program, assembled here for the running kernel.
//!
//! `/proc/PID/fd` has to be asked about every descriptor by name, 3.6 µs each. An iterator over
//! `task_file` (`kernel/bpf/task_iter.c`, Linux 5.8; `bpf_sock_from_file` 5.11) walks the same
//! descriptors inside the kernel, 0.35 µs each, and tells of sockets alone. It wants CAP_BPF and
//! CAP_PERFMON (or root) and the kernel's type information; whatever is refused, the caller
//! goes by /proc, which finds the same.

mod btf;
mod program;
pub mod task_file;
