//! One TIPC socket, whose queues count messages.

use super::{Shown, column::Column, extended, layout::Layout, owners, queues};
use crate::{
    field::row::Row,
    model::{family::tipc::Tipc, socket_type::SocketType},
};
use std::io::Write;

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, tipc: &Tipc, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| out.extend(netid(tipc.kind)));
    layout.cell(Column::State, |out| out.extend(socket.state.ss().as_bytes()));
    queues::numbers(layout, tipc.recv_messages.unwrap_or(0), tipc.send_messages.unwrap_or(0));
    let number = |out: &mut Vec<u8>, number: u32, end: &str| {
        let _ = write!(out, "{number}{end}");
    };
    layout.cell(Column::LocalAddress, |out| number(out, tipc.node, ":"));
    layout.cell(Column::LocalPort, |out| number(out, tipc.reference, ""));
    layout.cell(Column::PeerAddress, |out| match tipc.connection {
        Some(peer) => number(out, peer.node, ":"),
        None => out.push(b'-'),
    });
    layout.cell(Column::PeerPort, |out| {
        if let Some(peer) = tipc.connection {
            number(out, peer.port, "");
        }
    });
    layout.cell(Column::Process, |out| {
        if shown.identity {
            extended::numbers(out, socket);
        }
        owners::write(out, row, shown);
        if shown.tipc {
            details(out, tipc, shown);
        }
    });
}

const fn netid(kind: Option<SocketType>) -> &'static [u8] {
    match kind {
        Some(SocketType::Stream) => b"ti_st",
        Some(SocketType::Dgram) => b"ti_dg",
        Some(SocketType::Rdm) => b"ti_rd",
        Some(SocketType::Seqpacket) => b"ti_sq",
        _ => b"???",
    }
}

/// ` type:STREAM cong:none  drop:0  publ via {18888,17} `, with the blanks of ss.
fn details(out: &mut Vec<u8>, tipc: &Tipc, shown: Shown) {
    let kind = tipc.kind.map_or_else(|| "UNKNOWN".to_owned(), |kind| kind.name().to_uppercase());
    let congested = match (tipc.link_congested, tipc.connection_congested) {
        (true, _) => "link",
        (false, true) => "conn",
        (false, false) => "none",
    };
    let begin = if shown.oneline { " " } else { "\n " };
    let drops = tipc.drops.unwrap_or(0);
    let _ = write!(out, "{begin}type:{kind} cong:{congested}  drop:{drops} ");
    if tipc.has_publication {
        out.extend(b" publ");
    }
    if let Some((kind, instance)) = tipc.connection.and_then(|connection| connection.via) {
        let _ = write!(out, " via {{{kind},{instance}}} ");
    }
}
