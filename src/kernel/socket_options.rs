//! Options of other processes' sockets, through a duplicate of the descriptor (`pidfd_getfd(2)`,
//! Linux 5.6; needs the right to ptrace the process). The duplicate is closed at once; nothing is
//! set. While it is held, a close(2) by its process does not end the connection.

use super::error::Error;
use crate::model::socket_options::SocketOptions;
use nix::{
    errno::Errno,
    sys::{
        socket::{GetSockOpt, getsockopt, sockopt},
        stat::fstat,
    },
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::os::fd::OwnedFd;

/// Reads the options of the socket that a process has as this descriptor.
///
/// `Err` with ENOENT: the descriptor is another file by now.
pub fn read(pid: u32, fd: u32, inode: u64) -> Result<SocketOptions, Error> {
    let socket = duplicate(pid, fd)?;
    let same = fstat(&socket).is_ok_and(|status| status.st_ino == inode);
    if !same {
        let subject = format!("descriptor {fd} of process {pid}");
        return Err(Error::errno("look at", subject, Errno::ENOENT));
    }
    Ok(SocketOptions {
        pid,
        fd,
        inode,
        keepalive: get(&socket, sockopt::KeepAlive),
        keepalive_idle_s: get(&socket, sockopt::TcpKeepIdle),
        keepalive_interval_s: get(&socket, sockopt::TcpKeepInterval),
        keepalive_probes: get(&socket, sockopt::TcpKeepCount),
        user_timeout_ms: get(&socket, sockopt::TcpUserTimeout),
        linger_s: get(&socket, sockopt::Linger)
            .map(|linger| if linger.l_onoff == 0 { -1 } else { linger.l_linger }),
        nodelay: get(&socket, sockopt::TcpNoDelay),
        reuse_address: get(&socket, sockopt::ReuseAddr),
        reuse_port: get(&socket, sockopt::ReusePort),
        bind_address_no_port: get(&socket, sockopt::IpBindAddressNoPort),
        receive_buffer_bytes: get(&socket, sockopt::RcvBuf).and_then(|n| u32::try_from(n).ok()),
        send_buffer_bytes: get(&socket, sockopt::SndBuf).and_then(|n| u32::try_from(n).ok()),
    })
}

/// A duplicate of the descriptor of another process.
pub(super) fn duplicate(pid: u32, fd: u32) -> Result<OwnedFd, Error> {
    let subject = || format!("descriptor {fd} of process {pid}");
    let failed = |errno: rustix::io::Errno| {
        let errno = Errno::from_raw(errno.raw_os_error());
        Error::errno("look at", subject(), errno)
    };
    let no_process = || Error::errno("look at", subject(), Errno::ESRCH);
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(no_process)?;
    let number = i32::try_from(fd).map_err(|_| no_process())?;
    let process = pidfd_open(process, PidfdFlags::empty()).map_err(failed)?;
    pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).map_err(failed)
}

fn get<O: GetSockOpt>(socket: &OwnedFd, option: O) -> Option<O::Val> {
    getsockopt(socket, option).ok()
}
