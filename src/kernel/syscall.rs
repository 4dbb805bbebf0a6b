//! The one file with `unsafe` in it: bpf(2), which the crates offer only together with libbpf, a
//! mapping of the kernel's type information, and an ioctl that answers with a descriptor. Everything
//! else of BPF is bytes, made and read in safe code in its own room.
#![allow(
    unsafe_code,
    reason = "bpf(2) takes addresses of programs; a mapping is memory of its own; a number becomes a \
              descriptor"
)]

use nix::{
    errno::Errno,
    libc,
    sys::{
        mman::{MapFlags, ProtFlags, mmap, munmap},
        statfs::{SYSFS_MAGIC, fstatfs},
    },
};
use std::{
    ffi::c_void,
    fs::File,
    num::NonZeroUsize,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::NonNull,
};

// Commands of bpf(2) and kinds of programs, `linux/bpf.h`.
const BPF_PROG_LOAD: u32 = 5;
const BPF_LINK_CREATE: u32 = 28;
const BPF_ITER_CREATE: u32 = 33;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_ITER: u32 = 28;
/// The helpers the program calls are for programs under the GPL or a licence compatible with it.
const LICENCE: &[u8] = b"Dual MIT/GPL\0";
/// What `bpftool prog` shows; at most 15 bytes.
const NAME: &[u8] = b"sockeye_owners";

/// Loads an iterator program for the function with this BTF id.
pub(super) fn load(code: &[u8], function: u32) -> Result<OwnedFd, Errno> {
    let instructions = u32::try_from(code.len() / 8).map_err(|_| Errno::E2BIG)?;
    let mut attributes = Attributes::<112>::new();
    attributes.put(0, &BPF_PROG_TYPE_TRACING.to_ne_bytes());
    attributes.put(4, &instructions.to_ne_bytes());
    attributes.put(8, &(code.as_ptr().addr() as u64).to_ne_bytes());
    attributes.put(16, &(LICENCE.as_ptr().addr() as u64).to_ne_bytes());
    attributes.put(48, NAME);
    attributes.put(68, &BPF_TRACE_ITER.to_ne_bytes());
    attributes.put(108, &function.to_ne_bytes());
    code.as_ptr().expose_provenance();
    LICENCE.as_ptr().expose_provenance();
    // SAFETY: the two addresses are those of `code`, which holds as many instructions as are told,
    // and of a string with its final zero. Both live until the call returns; the kernel reads them
    // and writes to neither.
    unsafe { call(BPF_PROG_LOAD, &attributes) }
}

/// Attaches a loaded program to its iterator.
pub(super) fn link(program: &OwnedFd) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<16>::new();
    attributes.put(0, &program.as_raw_fd().to_ne_bytes());
    attributes.put(8, &BPF_TRACE_ITER.to_ne_bytes());
    // SAFETY: no address is among the attributes.
    unsafe { call(BPF_LINK_CREATE, &attributes) }
}

/// Begins a walk; read(2) of the file runs the program and gives what it wrote.
pub(super) fn iterate(link: &OwnedFd) -> Result<File, Errno> {
    let mut attributes = Attributes::<8>::new();
    attributes.put(0, &link.as_raw_fd().to_ne_bytes());
    // SAFETY: no address is among the attributes.
    unsafe { call(BPF_ITER_CREATE, &attributes) }.map(File::from)
}

/// `union bpf_attr`, as far as a command uses it; eight bytes aligned, as the kernel has it.
#[repr(C, align(8))]
struct Attributes<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Attributes<SIZE> {
    fn new() -> Self {
        Self([0; SIZE])
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(field) = self.0.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    }
}

/// bpf(2), of commands that answer with a descriptor.
///
/// # Safety
/// Every address among the attributes must be valid for what the command does with it.
unsafe fn call<const SIZE: usize>(
    command: u32,
    attributes: &Attributes<SIZE>,
) -> Result<OwnedFd, Errno> {
    // SAFETY: the attributes are `SIZE` bytes that live until the call returns, and the commands
    // used here only read them; the caller answers for the addresses among them.
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), SIZE) };
    let descriptor = i32::try_from(Errno::result(answer)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Asks a socket of what network namespace it is (`linux/sockios.h`, Linux 4.9).
const SIOCGSKNS: libc::Ioctl = 0x894c;

/// The network namespace of a socket, as a file to enter it by (`sock_ioctl`, needs CAP_NET_ADMIN in
/// that namespace).
pub(super) fn namespace_of(socket: &OwnedFd) -> Result<File, Errno> {
    // SAFETY: the command takes no argument, so no memory is read or written for it.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    let descriptor = Errno::result(answer)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

/// A file of sysfs in memory, without reading it: six megabytes of types for a dozen numbers.
#[derive(Debug)]
pub(super) struct Mapping {
    address: NonNull<c_void>,
    length: NonZeroUsize,
}

impl Mapping {
    /// Maps the whole file. Kernels before 6.16 refuse with ENODEV.
    ///
    /// Only of sysfs, whose files the kernel makes of its own memory: one of a disk could shrink
    /// under the mapping.
    pub(super) fn of(file: &File) -> Result<Self, Errno> {
        if fstatfs(file)?.filesystem_type() != SYSFS_MAGIC {
            return Err(Errno::ENODEV);
        }
        let length = file.metadata().ok().and_then(|m| usize::try_from(m.len()).ok());
        let length = length.and_then(NonZeroUsize::new).ok_or(Errno::ENODATA)?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE;
        // SAFETY: without a wished address nothing that is mapped is touched.
        let address = unsafe { mmap(None, length, ProtFlags::PROT_READ, flags, file, 0) }?;
        Ok(Self { address, length })
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is readable over its whole length until it is dropped, nobody has it
        // for writing, and the file is the description of the running kernel's types
        // (`kernel/bpf/sysfs_btf.c`), which lies in read-only memory and does not change.
        unsafe { std::slice::from_raw_parts(self.address.cast().as_ptr(), self.length.get()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `of` with this length, and the slices of it have ended with `self`.
        let _ = unsafe { munmap(self.address, self.length.get()) };
    }
}
