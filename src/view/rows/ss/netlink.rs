//! One netlink socket. Whom it talks to stands where others have an address, its own address where
//! they have a port.

use super::{Shown, column::Column, extended, layout::Layout, queues};
use crate::{
    field::row::Row,
    model::family::netlink::Netlink,
    view::{escape, json},
};
use std::io::Write;

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, netlink: &Netlink, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| out.extend(b"nl"));
    layout.cell(Column::State, |out| out.extend(b"UNCONN"));
    queues::write(layout, socket);
    layout.cell(Column::LocalAddress, |out| {
        match netlink.protocol_name().filter(|_| !shown.numeric) {
            Some(name) => out.extend(name.as_bytes()),
            None => json::number(out, netlink.protocol),
        }
        out.push(b':');
    });
    layout.cell(Column::LocalPort, |out| address(out, row, netlink, shown));
    layout.cell(Column::PeerAddress, |out| out.push(b'*'));
    layout.cell(Column::PeerPort, |_| {});
    layout.cell(Column::Process, |out| {
        if shown.identity {
            let groups = netlink.groups.first().copied().unwrap_or(0);
            let (address, callback) =
                (netlink.kernel_address.unwrap_or(0), netlink.callback.unwrap_or(0));
            let _ = write!(out, " sk={address:x} cb={callback:x} groups=0x{groups:08x}");
        }
        if let Some(memory) = socket.memory.as_ref().filter(|_| shown.memory) {
            extended::memory(out, memory);
        }
    });
}

/// The address, with the name of the process that has it as its id; 0 is the kernel.
fn address(out: &mut Vec<u8>, row: Row<'_>, netlink: &Netlink, shown: Shown) {
    match netlink.port_id {
        _ if shown.numeric => {}
        0 => return out.extend(b"kernel"),
        _ => {
            if let Some(name) = row.context.names.process(netlink.port_id) {
                escape::for_terminal(out, name);
                out.push(b'/');
            }
        }
    }
    let _ = write!(out, "{}", netlink.port_id.cast_signed());
}
