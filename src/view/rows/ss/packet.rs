//! One packet socket. The protocol of its frames stands where others have an address, its interface
//! where they have a port.

use super::{Shown, column::Column, extended, layout::Layout, owners, queues};
use crate::{
    field::row::Row,
    model::{
        family::packet::{Packet, Ring},
        socket_type::SocketType,
    },
    view::escape,
};
use std::io::Write;

/// `ETH_P_ALL`: every frame.
const EVERY_FRAME: u16 = 3;

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, packet: &Packet, shown: Shown) {
    let socket = row.socket;
    let netid: &[u8] = if packet.kind == SocketType::Dgram { b"p_dgr" } else { b"p_raw" };
    layout.cell(Column::Netid, |out| out.extend(netid));
    layout.cell(Column::State, |out| out.extend(socket.state.ss().as_bytes()));
    queues::write(layout, socket);
    layout.cell(Column::LocalAddress, |out| protocol(out, packet.protocol, shown.numeric));
    layout.cell(Column::LocalPort, |out| match socket.interface {
        0 => out.push(b'*'),
        index => match row.context.names.interface(socket.netns, index) {
            Some(name) => escape::for_terminal(out, name.as_bytes()),
            None => {
                let _ = write!(out, "if{index}");
            }
        },
    });
    layout.cell(Column::PeerAddress, |out| out.push(b'*'));
    layout.cell(Column::PeerPort, |_| {});
    layout.cell(Column::Process, |out| {
        owners::write(out, row, shown);
        if shown.identity {
            extended::numbers(out, socket);
            settings(out, packet, shown);
        }
        if shown.filters {
            filter(out, packet, shown);
        }
        if let Some(memory) = socket.memory.as_ref().filter(|_| shown.memory) {
            extended::memory(out, memory);
        }
    });
}

fn protocol(out: &mut Vec<u8>, protocol: u16, numeric: bool) {
    match PROTOCOLS.iter().find(|(number, _)| *number == protocol) {
        _ if protocol == EVERY_FRAME => out.push(b'*'),
        Some((_, name)) if !numeric => out.extend(name.as_bytes()),
        _ => {
            let _ = write!(out, "[{protocol}]");
        }
    }
    out.push(b':');
}

/// `ETH_P_*` of `linux/if_ether.h` with the words of iproute2.
const PROTOCOLS: [(u16, &str); 12] = [
    (0x0800, "ip"),
    (0x0805, "x25"),
    (0x0806, "arp"),
    (0x8035, "rarp"),
    (0x8100, "802.1Q"),
    (0x86dd, "ipv6"),
    (0x8847, "mpls_uc"),
    (0x8848, "mpls_mc"),
    (0x8863, "ppp_disc"),
    (0x8864, "ppp_ses"),
    (0x88a8, "802.1ad"),
    (0x88cc, "LLDP"),
];

fn next_line(out: &mut Vec<u8>, shown: Shown) {
    out.extend(if shown.oneline { &b" "[..] } else { b"\n\t" });
}

fn settings(out: &mut Vec<u8>, packet: &Packet, shown: Shown) {
    if let Some(info) = packet.info {
        next_line(out, shown);
        let (version, threshold) = (info.version, info.copy_threshold);
        let _ = write!(out, "ver:{version} cpy_thresh:{threshold} flags(");
        for name in info.flag_names() {
            let _ = write!(out, " {name}");
        }
        if info.flags == 0 {
            out.extend(b" 0");
        }
        out.extend(b" )");
    }
    for (name, ring) in [("ring_rx", packet.rx_ring), ("ring_tx", packet.tx_ring)] {
        if let Some(ring) = ring {
            next_line(out, shown);
            self::ring(out, name, ring);
        }
    }
    if let Some(fanout) = packet.fanout {
        next_line(out, shown);
        let _ = write!(out, "fanout(id:{},type:", fanout.id);
        match fanout.mode & 0xff {
            0 => out.extend(b"hash"),
            1 => out.extend(b"lb"),
            2 => out.extend(b"cpu"),
            3 => out.extend(b"roll"),
            4 => out.extend(b"random"),
            5 => out.extend(b"qm"),
            _ => {
                let _ = write!(out, "0x{:x}", fanout.mode);
            }
        }
        out.push(b')');
    }
}

fn ring(out: &mut Vec<u8>, name: &str, ring: Ring) {
    let Ring { block_size, block_count, frame_size, frame_count, retire_ms, features, .. } = ring;
    let _ = write!(
        out,
        "{name}(blk_size:{block_size},blk_nr:{block_count},frm_size:{frame_size},\
         frm_nr:{frame_count},tmo:{retire_ms},features:0x{features:x})"
    );
}

/// `bpf filter (2):  0x28 0 0 12, 0x06 0 0 65535,`.
fn filter(out: &mut Vec<u8>, packet: &Packet, shown: Shown) {
    let Some(program) = packet.filter.as_ref().filter(|program| !program.is_empty()) else {
        return;
    };
    next_line(out, shown);
    let _ = write!(out, "bpf filter ({}): ", program.len());
    for step in program {
        let _ = write!(out, " 0x{:02x} {} {} {},", step.code, step.yes, step.no, step.k);
    }
}
