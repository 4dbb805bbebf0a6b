//! One TCP or UDP socket.

use super::{
    Shown, extended,
    layout::{Column, Layout},
    owners, tcp,
};
use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Protocol, queues::Queues, sockopt::SocketOptions},
    view::{address, escape, json},
};
use std::{
    io::Write,
    net::{IpAddr, Ipv6Addr},
};

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, shown: Shown) {
    let socket = row.socket;
    layout.cell(Column::Netid, |out| out.extend(socket.protocol.name().as_bytes()));
    layout.cell(Column::State, |out| out.extend(socket.state.ss().as_bytes()));
    let (recv, send) = match socket.queues {
        Queues::Listen { accept_queue, limit } => (accept_queue, limit.unwrap_or(0)),
        Queues::Data { recv, send } => (recv, send),
        Queues::Absent => (0, 0),
    };
    for (column, number) in [(Column::RecvQueue, recv), (Column::SendQueue, send)] {
        layout.cell(column, |out| {
            let _ = write!(out, "{number:<6}");
        });
    }
    let interface = match socket.interface {
        0 => None,
        index => Some(index),
    };
    layout.cell(Column::LocalAddress, |out| host(out, row, &socket.local, interface));
    layout.cell(Column::LocalPort, |out| port(out, row, socket.local.port, shown));
    layout.cell(Column::PeerAddress, |out| host(out, row, &socket.remote, None));
    layout.cell(Column::PeerPort, |out| port(out, row, socket.remote.port, shown));
    layout.cell(Column::Process, |out| {
        owners::write(out, row, shown);
        details(out, row, shown);
    });
}

/// An address with the colon that joins it to its port.
fn host(out: &mut Vec<u8>, row: Row<'_>, end: &Endpoint, interface: Option<u32>) {
    let name = row.context.resolver.as_ref().and_then(|resolver| resolver.name(end.address));
    match end.address {
        // Takes IPv4 too, unless it says that it does not.
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) if row.socket.v6only != Some(true) => out.push(b'*'),
        _ if name.is_some() => escape::for_terminal(out, name.unwrap_or_default().as_bytes()),
        IpAddr::V4(_) => address::write(out, end.address),
        IpAddr::V6(v6) => {
            out.push(b'[');
            match compatible(v6) {
                Some(v4) => {
                    out.extend(b"::");
                    address::write(out, v4);
                }
                None => address::write(out, end.address),
            }
            out.push(b']');
        }
    }
    if let Some(index) = interface {
        out.push(b'%');
        match row.context.names.interface(row.socket.netns, index) {
            Some(name) => escape::for_terminal(out, name.as_bytes()),
            None => {
                let _ = write!(out, "if{index}");
            }
        }
    }
    out.push(b':');
}

/// inet_ntop(3) of glibc still writes `::a.b.c.d` (RFC 4291 section 2.5.5.1), which is deprecated.
fn compatible(address: Ipv6Addr) -> Option<IpAddr> {
    let [0, 0, 0, 0, 0, 0, high, _] = address.segments() else { return None };
    (high != 0).then(|| {
        let [.., a, b, c, d] = address.octets();
        IpAddr::from([a, b, c, d])
    })
}

/// A number, a service, or `*`. The ports the kernel chooses from have no services.
fn port(out: &mut Vec<u8>, row: Row<'_>, port: u16, shown: Shown) {
    let chosen_from = row.space().and_then(|space| space.ephemeral_ports.as_ref());
    let is_ephemeral = || chosen_from.is_some_and(|range| range.contains(&port));
    match row.context.names.service(row.socket.protocol, port) {
        _ if port == 0 => out.push(b'*'),
        Some(name) if !shown.numeric && !is_ephemeral() => out.extend(name.as_bytes()),
        _ => json::number(out, port),
    }
}

fn details(out: &mut Vec<u8>, row: Row<'_>, shown: Shown) {
    let socket = row.socket;
    if shown.timers {
        extended::timer(out, socket.timer);
    }
    if shown.identity {
        extended::identity(out, row);
    }
    if shown.traffic_class {
        extended::traffic_class(out, socket);
    }
    if shown.cgroup {
        extended::cgroup(out, row);
    }
    let next_line: &[u8] = if shown.oneline { b" " } else { b"\n\t" };
    if let Some(bits) = socket.sockopt.filter(|_| shown.options) {
        out.extend(next_line);
        extended::options(out, SocketOptions::from_kernel(bits));
    }
    if shown.memory || (shown.info && socket.protocol != Protocol::Udp) {
        out.extend(if shown.oneline { &b""[..] } else { next_line });
        if let Some(memory) = &socket.memory {
            extended::memory(out, memory);
        }
        if let Some(info) = &socket.tcp_info {
            tcp::write(out, socket, info, shown);
        }
        let details = socket.details.as_deref();
        if let Some(peers) = details.and_then(|details| details.md5.as_ref()) {
            for (index, peer) in peers.iter().enumerate() {
                out.extend(if index == 0 { &b" md5keys:"[..] } else { b"," });
                address::write(out, peer.address);
                // Behind the sign ss prints the key.
                let _ = write!(out, "/{}=", peer.prefix_length);
            }
        }
        if let Some(layer) = details.and_then(|details| details.upper_layer.as_ref()) {
            tcp::upper_layer(out, layer);
        }
    }
}
