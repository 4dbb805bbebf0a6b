//! One TCP or UDP socket.

use super::{
    Shown, column::Column, compatible, extended, layout::Layout, mptcp, owners, queues, sctp, tcp,
};
use crate::{
    field::row::Row,
    model::{endpoint::Endpoint, protocol::Protocol, sockopt::SocketOptions},
    view::{
        address::{self, Texts},
        escape, json,
    },
};
use std::{
    io::Write,
    net::{IpAddr, Ipv6Addr},
};

/// IP protocols by the words of iproute2, which are those of /etc/protocols; the others have a
/// number.
const IP_PROTOCOLS: [(u16, &str); 15] = [
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipencap"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (103, "pim"),
    (132, "sctp"),
];

/// Gathers the row.
pub(super) fn row(layout: &mut Layout, row: Row<'_>, shown: Shown) {
    let socket = row.socket;
    let association = sctp::association(socket);
    layout.cell(Column::Netid, |out| {
        if association.is_none() {
            out.extend(socket.protocol.name().as_bytes());
        }
    });
    layout.cell(Column::State, |out| match association {
        Some(state) => {
            let _ = write!(out, "`- {state}");
        }
        None => out.extend(socket.state.ss().as_bytes()),
    });
    queues::write(layout, socket);
    let interface = match socket.interface {
        0 => None,
        index => Some(index),
    };
    let local = Column::LocalAddress;
    layout.cell_with_addresses(local, |out, texts| host(out, texts, row, &socket.local, interface));
    layout.cell(Column::LocalPort, |out| port(out, row, socket.local.port, shown));
    let peer = Column::PeerAddress;
    layout.cell_with_addresses(peer, |out, texts| host(out, texts, row, &socket.remote, None));
    layout.cell(Column::PeerPort, |out| port(out, row, socket.remote.port, shown));
    layout.cell(Column::Process, |out| {
        owners::write(out, row, shown);
        details(out, row, shown);
    });
}

/// An address with the colon that joins it to its port.
fn host(
    out: &mut Vec<u8>,
    texts: &mut Texts,
    row: Row<'_>,
    end: &Endpoint,
    interface: Option<u32>,
) {
    let name = row.context.resolver.as_ref().and_then(|resolver| resolver.name(end.address));
    match end.address {
        // Takes IPv4 too, unless it says that it does not.
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) if row.socket.v6only != Some(true) => out.push(b'*'),
        _ if name.is_some() => escape::for_terminal(out, name.unwrap_or_default().as_bytes()),
        IpAddr::V4(_) => out.extend(texts.of(end.address).as_bytes()),
        IpAddr::V6(v6) => {
            out.push(b'[');
            match compatible::v4(v6) {
                Some(v4) => {
                    out.extend(b"::");
                    address::write(out, v4);
                }
                None => out.extend(texts.of(end.address).as_bytes()),
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

/// A number, a service, or `*`. The ports the kernel chooses from have no services; a raw socket has
/// an IP protocol instead.
fn port(out: &mut Vec<u8>, row: Row<'_>, port: u16, shown: Shown) {
    if shown.numeric && port != 0 {
        return json::number(out, port);
    }
    if row.socket.protocol == Protocol::Raw && port != 0 {
        return match IP_PROTOCOLS.iter().find(|(number, _)| *number == port) {
            Some((_, name)) => out.extend(name.as_bytes()),
            None => {
                let _ = write!(out, "ipproto-{port}");
            }
        };
    }
    let chosen_from = row.space().and_then(|space| space.ephemeral_ports.as_ref());
    let is_ephemeral = || chosen_from.is_some_and(|range| range.contains(&port));
    match row.context.names.service(row.socket.protocol, port) {
        _ if port == 0 => out.push(b'*'),
        Some(name) if !is_ephemeral() => out.extend(name.as_bytes()),
        _ => json::number(out, port),
    }
}

fn details(out: &mut Vec<u8>, row: Row<'_>, shown: Shown) {
    let socket = row.socket;
    let sctp = socket.sctp();
    if shown.timers && sctp.is_some() {
        sctp::timer(out, socket.timer);
    } else if shown.timers {
        extended::timer(out, socket.timer);
    }
    // ss has no details of a datagram socket from /proc.
    let is_told = socket.cookie.is_some() || socket.protocol.has_tcp_states();
    if shown.identity && is_told {
        extended::identity(out, row);
    }
    if shown.traffic_class {
        extended::traffic_class(out, socket);
    }
    if shown.cgroup {
        extended::cgroup(out, row);
    }
    let is_datagram = socket.protocol == Protocol::Udp;
    let next_line: &[u8] = if shown.oneline { b" " } else { b"\n\t" };
    if let Some(bits) = socket.sockopt.filter(|_| shown.options) {
        out.extend(next_line);
        extended::options(out, SocketOptions::from_kernel(bits));
    }
    if shown.memory || (shown.info && !is_datagram) {
        out.extend(if shown.oneline { &b""[..] } else { next_line });
        if let Some(memory) = &socket.memory {
            extended::memory(out, memory);
        }
        if let Some(sctp) = sctp {
            sctp::info(out, sctp);
        }
        if let Some(info) = &socket.tcp_info {
            tcp::write(out, socket, info, shown);
        }
        if let Some(info) = socket.mptcp().and_then(|mptcp| mptcp.info.as_ref()) {
            mptcp::info(out, info);
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
