//! `users:(("nginx",pid=811,fd=12))`.

use super::Shown;
use crate::{field::row::Row, view::escape};
use std::io::Write;

/// Writes the processes that hold the socket; nothing where there is none.
///
/// ss puts each descriptor it finds in front of the ones before, so the last is the first.
pub(super) fn write(out: &mut Vec<u8>, row: Row<'_>, shown: Shown) {
    if !shown.processes {
        return;
    }
    let mut users = vec![];
    for process in row.processes() {
        let descriptors = row.holders().filter(|(holder, _)| holder.pid == process.pid);
        let descriptors: Vec<u32> = descriptors.map(|(_, fd)| fd).collect();
        let mut add = |command: &[u8], tid: Option<u32>| {
            for fd in &descriptors {
                users.push(user(row, shown, command, (process.pid, tid, *fd)));
            }
        };
        match row.context.owners.particulars.threads.get(&process.pid) {
            Some(threads) if shown.threads => {
                for thread in threads {
                    add(&thread.command, Some(thread.tid));
                }
            }
            _ => add(&process.command, None),
        }
    }
    if users.is_empty() {
        return;
    }
    users.reverse();
    out.extend(b" users:(");
    out.extend(users.join(&b","[..]));
    out.push(b')');
}

/// `("nginx",pid=811,fd=12)`; the thread, the contexts where they are wanted.
fn user(
    row: Row<'_>,
    shown: Shown,
    command: &[u8],
    (pid, tid, fd): (u32, Option<u32>, u32),
) -> Vec<u8> {
    let particulars = &row.context.owners.particulars;
    let mut out = b"(\"".to_vec();
    escape::for_terminal(&mut out, command);
    let _ = write!(out, "\",pid={pid}");
    if let Some(tid) = tid {
        let _ = write!(out, ",tid={tid}");
    }
    if let Some(context) = particulars.contexts.get(&pid).filter(|_| shown.contexts) {
        let _ = write!(out, ",proc_ctx={context}");
    }
    let _ = write!(out, ",fd={fd}");
    let of_socket = row.socket.inode.and_then(|inode| particulars.socket_contexts.get(&inode));
    if let Some(context) = of_socket.filter(|_| shown.socket_contexts) {
        let _ = write!(out, ",sock_ctx={context}");
    }
    out.push(b')');
    out
}
