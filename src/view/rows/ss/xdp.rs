//! One XDP socket. Its queue stands where others have a port.

use super::{Shown, column::Column, extended, layout::Layout, owners, queues};
use crate::{
    field::row::Row,
    model::{
        family::xdp::{Statistics, Umem, Xdp},
        queues::Queues,
    },
    view::escape,
};
use std::io::Write;

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, xdp: &Xdp, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| out.extend(b"xdp"));
    layout.cell(Column::State, |out| out.extend(b"UNCONN"));
    // What waits to be sent is not counted.
    let recv = match socket.queues {
        Queues::Data { recv, .. } => recv,
        _ => 0,
    };
    queues::numbers(layout, recv, 0);
    let interface = socket.interface;
    layout.cell(Column::LocalAddress, |out| {
        if interface == 0 {
            return out.push(b'*');
        }
        match row.context.names.interface(socket.netns, interface) {
            Some(name) => escape::for_terminal(out, name.as_bytes()),
            None => {
                let _ = write!(out, "if{interface}");
            }
        }
        out.push(b':');
    });
    layout.cell(Column::LocalPort, |out| {
        if interface != 0 {
            let _ = write!(out, "q{}", xdp.queue_id.unwrap_or(0));
        }
    });
    layout.cell(Column::PeerAddress, |out| out.push(b'*'));
    layout.cell(Column::PeerPort, |_| {});
    layout.cell(Column::Process, |out| {
        owners::write(out, row, shown);
        if shown.identity {
            extended::numbers(out, socket);
            details(out, xdp, shown);
        }
        if let Some(memory) = socket.memory.as_ref().filter(|_| shown.memory) {
            extended::memory(out, memory);
        }
    });
}

fn details(out: &mut Vec<u8>, xdp: &Xdp, shown: Shown) {
    let begin = |out: &mut Vec<u8>, name: &str| {
        out.extend(if shown.oneline { &b" "[..] } else { b"\n\t" });
        let _ = write!(out, "{name}(");
    };
    let ring = |out: &mut Vec<u8>, name: &str, entries: Option<u32>| {
        if let Some(entries) = entries {
            begin(out, name);
            let _ = write!(out, "entries:{entries})");
        }
    };
    ring(out, "rx", xdp.rx_entries);
    ring(out, "tx", xdp.tx_entries);
    if let Some(memory) = &xdp.umem {
        // On one line ss writes the t of the tabulator it leaves out.
        begin(out, if shown.oneline { "tumem" } else { "umem" });
        umem(out, memory);
        ring(out, "fr", xdp.fill_entries);
        ring(out, "cr", xdp.completion_entries);
    }
    if let Some(counted) = &xdp.statistics {
        begin(out, "stats");
        statistics(out, counted);
    }
}

fn umem(out: &mut Vec<u8>, umem: &Umem) {
    let Umem { size, id, pages, chunk_size, headroom, interface, queue_id, flags, references } =
        umem;
    let zero_copy = flags & 1;
    let _ = write!(
        out,
        "id:{id},size:{size},num_pages:{pages},chunk_size:{chunk_size},headroom:{headroom},\
         ifindex:{interface},qid:{queue_id},zc:{zero_copy},refs:{references})"
    );
}

fn statistics(out: &mut Vec<u8>, counted: &Statistics) {
    let Statistics { rx_dropped, rx_invalid, rx_full, fill_ring_empty, tx_invalid, tx_ring_empty } =
        counted;
    let _ = write!(
        out,
        "rx dropped:{rx_dropped},rx invalid:{rx_invalid},rx queue full:{rx_full},\
         rx fill ring empty:{fill_ring_empty},tx invalid:{tx_invalid},tx ring empty:{tx_ring_empty})"
    );
}
