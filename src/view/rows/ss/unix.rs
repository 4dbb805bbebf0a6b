//! One unix socket. Its inode stands where others have a port.

use super::{Shown, column::Column, extended, layout::Layout, owners, queues};
use crate::{
    field::row::Row,
    model::{
        family::unix::{self, Unix},
        socket_type::SocketType,
        state::State,
    },
    view::{escape, json},
};
use std::io::Write;

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, unix: &Unix, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| out.extend(netid(unix.kind)));
    layout.cell(Column::State, |out| out.extend(socket.state.ss().as_bytes()));
    queues::write(layout, socket);
    layout.cell(Column::LocalAddress, |out| {
        match &unix.path {
            Some(path) => escape::for_terminal(out, &unix::written(path)),
            None => out.push(b'*'),
        }
        out.push(b' ');
    });
    layout.cell(Column::LocalPort, |out| json::number(out, socket.inode.unwrap_or(0)));
    layout.cell(Column::PeerAddress, |out| out.extend(b"* "));
    layout.cell(Column::PeerPort, |out| json::number(out, unix.peer_inode.unwrap_or(0)));
    layout.cell(Column::Process, |out| {
        owners::write(out, row, shown);
        if shown.identity {
            identity(out, row, unix);
        }
        if let Some(memory) = socket.memory.as_ref().filter(|_| shown.memory) {
            extended::memory(out, memory);
        }
    });
}

fn netid(kind: SocketType) -> &'static [u8] {
    match kind {
        SocketType::Stream => b"u_str",
        SocketType::Dgram => b"u_dgr",
        SocketType::Seqpacket => b"u_seq",
        _ => b"???",
    }
}

/// ` <-> ino:10166309 dev:254/0 peers: 1508974`.
fn identity(out: &mut Vec<u8>, row: Row<'_>, unix: &Unix) {
    if let Some(bits) = row.socket.shutdown {
        out.extend(extended::directions(bits));
    }
    if let Some(file) = unix.file {
        let (major, minor) = file.device_numbers();
        let _ = write!(out, " ino:{} dev:{major}/{minor}", file.inode);
    }
    if row.socket.state == State::Listen {
        out.extend(b" peers:");
        for inode in &unix.pending {
            let _ = write!(out, " {inode}");
        }
    }
}
