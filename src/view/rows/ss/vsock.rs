//! One vsock socket.

use super::{Shown, column::Column, layout::Layout, owners, queues};
use crate::{
    field::row::Row,
    model::{
        family::vsock::{ANY, Vsock},
        socket_type::SocketType,
    },
    view::json,
};

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, vsock: &Vsock, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| {
        out.extend(match vsock.kind {
            SocketType::Stream => &b"v_str"[..],
            SocketType::Dgram => b"v_dgr",
            _ => b"???",
        });
    });
    layout.cell(Column::State, |out| out.extend(socket.state.ss().as_bytes()));
    queues::write(layout, socket);
    let number = |out: &mut Vec<u8>, number: u32| match number {
        ANY => out.push(b'*'),
        number => json::number(out, number),
    };
    for (address, port, end) in [
        (Column::LocalAddress, Column::LocalPort, vsock.local),
        (Column::PeerAddress, Column::PeerPort, vsock.peer),
    ] {
        layout.cell(address, |out| {
            number(out, end.cid);
            out.push(b':');
        });
        layout.cell(port, |out| number(out, end.port));
    }
    layout.cell(Column::Process, |out| owners::write(out, row, shown));
}
