//! Columns of one family or protocol. Their JSON places begin with its name: a row of that family
//! has the object, and no other row has it.

use super::{
    definition::{Field, Reader},
    need::Need,
    row::Row,
    value::{List, Value},
};
use crate::model::{
    family::{
        ethertype,
        mptcp::{MPTCP_FIELDS, Mptcp},
        netlink::Netlink,
        packet::{Fanout, Instruction, Packet, Ring},
        sctp::Sctp,
        tipc::Tipc,
        unix::Unix,
        vsock::Vsock,
        xdp::{Statistics, Umem, Xdp},
    },
    protocol::Protocol,
    socket_type::SocketType,
    tcp_info::TcpUnit,
};
use std::sync::LazyLock;

macro_rules! columns {
    ($($id:literal $json:literal $header:literal $unit:literal $need:expr, $source:literal, $summary:literal, $read:expr;)*) => {
        const FIELDS: &[Field] = &[$(Field {
            id: $id, json: $json, header: $header, unit: $unit, summary: $summary,
            source: $source, need: $need, read: Reader::Row($read),
        }),*];
    };
}

/// The columns, those of `struct mptcp_info` made from the model's table.
pub fn fields() -> impl Iterator<Item = Field> {
    let of_mptcp = MPTCP_FIELDS.iter().zip(PLACES.iter()).map(|(field, json)| Field {
        id: field.id,
        json,
        header: field.header,
        unit: match field.unit {
            TcpUnit::Milliseconds => "ms",
            TcpUnit::Bytes => "bytes",
            _ => "count",
        },
        summary: field.summary,
        source: field.source,
        need: Need::TCP_INFO,
        read: Reader::MptcpInfo(field),
    });
    FIELDS.iter().copied().chain(of_mptcp)
}

/// The JSON places, `mptcp.` before each key, made once.
static PLACES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| MPTCP_FIELDS.iter().map(|f| &*format!("mptcp.{}", f.key).leak()).collect());

/// The name of the object that a row of this protocol has. `None`: it has none of its own.
pub const fn object(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Tcp | Protocol::Udp | Protocol::UdpLite | Protocol::Icmp | Protocol::Dccp => None,
        other => Some(other.name()),
    }
}

#[rustfmt::skip]
columns! {
    "unix.type" "unix.type" "UnixType" "word" Need::NONE, "unix_diag_msg.udiag_type",
        "unix: stream, dgram or seqpacket", |row| unix(row, |u| Value::Word(u.kind.name()));
    "path" "unix.path" "Path" "name" Need::NONE, "UNIX_DIAG_NAME",
        "unix: name of this end, an abstract one behind @", |row| unix(row, |u| path(u.path.as_ref()));
    "peer.path" "unix.peer_path" "PeerPath" "name" Need::UNIX_PEERS, "UNIX_DIAG_NAME of the peer",
        "unix: name of the other end, an abstract one behind @", |row| unix(row, |u| path(u.peer_path.as_ref()));
    "peer.inode" "unix.peer_inode" "PeerInode" "number" Need::NONE, "UNIX_DIAG_PEER",
        "unix: inode of the other end", |row| unix(row, |u| count(u.peer_inode));
    "peer.owner" "unix.peer_processes" "PeerProcess" "list" Need::OWNERS, "UNIX_DIAG_PEER, /proc/PID/fd",
        "unix: processes that hold the other end", peer_owners;
    "file.inode" "unix.file_inode" "FileInode" "number" Need::FAMILY_DETAILS, "unix_diag_vfs.udiag_vfs_ino",
        "unix: inode of the file the path names", |row| unix(row, |u| count(u.file.map(|f| f.inode)));
    "file.device_major" "unix.file_device_major" "FileMajor" "number" Need::FAMILY_DETAILS, "unix_diag_vfs.udiag_vfs_dev",
        "unix: major number of that file's device", |row| unix(row, |u| count(u.file.map(|f| f.device_numbers().0)));
    "file.device_minor" "unix.file_device_minor" "FileMinor" "number" Need::FAMILY_DETAILS, "unix_diag_vfs.udiag_vfs_dev",
        "unix: minor number of that file's device", |row| unix(row, |u| count(u.file.map(|f| f.device_numbers().1)));
    "pending" "unix.pending_inodes" "Pending" "list" Need::FAMILY_DETAILS, "UNIX_DIAG_ICONS",
        "unix: inodes of the clients that wait for accept(2)", pending;
    "packet.type" "packet.type" "PacketType" "word" Need::NONE, "packet_diag_msg.pdiag_type",
        "packet: raw (frames with header) or dgram (without)", |row| packet(row, |p| Value::Word(p.kind.name()));
    "packet.protocol" "packet.protocol" "EtherType" "word" Need::NONE, "packet_diag_msg.pdiag_num",
        "packet: protocol of the frames, all for every one", |row| packet(row, |p| word(ethertype::name(p.protocol)));
    "packet.protocol_number" "packet.protocol_number" "EtherNr" "number" Need::NONE, "packet_diag_msg.pdiag_num",
        "packet: number of that protocol", |row| packet(row, |p| Value::Count(p.protocol.into()));
    "packet.version" "packet.version" "RingVer" "number" Need::NONE, "packet_diag_info.pdi_version",
        "packet: version of the rings, from 0", |row| packet(row, |p| count(p.info.map(|i| i.version)));
    "packet.copy_threshold" "packet.copy_threshold_bytes" "CopyThresh" "bytes" Need::NONE, "packet_diag_info.pdi_copy_thresh",
        "packet: PACKET_COPY_THRESH", |row| packet(row, |p| bytes(p.info.map(|i| i.copy_threshold)));
    "packet.reserve" "packet.reserve_bytes" "Reserve" "bytes" Need::NONE, "packet_diag_info.pdi_reserve",
        "packet: PACKET_RESERVE", |row| packet(row, |p| bytes(p.info.map(|i| i.reserve)));
    "packet.flags" "packet.flags" "PacketFlags" "list" Need::NONE, "packet_diag_info.pdi_flags",
        "packet: running, auxdata, origdev, vnethdr, loss", packet_flags;
    "packet.rx_ring" "packet.rx_ring_bytes" "RxRing" "bytes" Need::NONE, "packet_diag_ring.pdr_block_size, pdr_block_nr",
        "packet: size of the ring for received frames", |row| packet(row, |p| ring(p.rx_ring));
    "packet.rx_frames" "packet.rx_frames" "RxFrames" "count" Need::NONE, "packet_diag_ring.pdr_frame_nr",
        "packet: frames in that ring", |row| packet(row, |p| count(p.rx_ring.map(|r| r.frame_count)));
    "packet.rx_frame_size" "packet.rx_frame_bytes" "RxFrame" "bytes" Need::NONE, "packet_diag_ring.pdr_frame_size",
        "packet: size of a frame in that ring", |row| packet(row, |p| bytes(p.rx_ring.map(|r| r.frame_size)));
    "packet.tx_ring" "packet.tx_ring_bytes" "TxRing" "bytes" Need::NONE, "packet_diag_ring.pdr_block_size, pdr_block_nr",
        "packet: size of the ring for frames to send", |row| packet(row, |p| ring(p.tx_ring));
    "packet.tx_frames" "packet.tx_frames" "TxFrames" "count" Need::NONE, "packet_diag_ring.pdr_frame_nr",
        "packet: frames in that ring", |row| packet(row, |p| count(p.tx_ring.map(|r| r.frame_count)));
    "packet.tx_frame_size" "packet.tx_frame_bytes" "TxFrame" "bytes" Need::NONE, "packet_diag_ring.pdr_frame_size",
        "packet: size of a frame in that ring", |row| packet(row, |p| bytes(p.tx_ring.map(|r| r.frame_size)));
    "packet.fanout_id" "packet.fanout_id" "FanoutId" "number" Need::NONE, "PACKET_DIAG_FANOUT",
        "packet: group whose members share the frames", |row| packet(row, |p| count(p.fanout.map(|f| f.id.into())));
    "packet.fanout_mode" "packet.fanout_mode" "Fanout" "word" Need::NONE, "PACKET_DIAG_FANOUT",
        "packet: how frames are dealt: hash, lb, cpu, rollover…", |row| packet(row, |p| word(p.fanout.and_then(Fanout::mode_name)));
    "packet.memberships" "packet.memberships" "Members" "list" Need::FAMILY_DETAILS, "PACKET_DIAG_MCLIST",
        "packet: multicast, promiscuous, allmulti, unicast", memberships;
    "packet.filter" "packet.filter" "Filter" "list" Need::FILTERS, "PACKET_DIAG_FILTER, needs CAP_NET_ADMIN",
        "packet: classic BPF program, as code jt jf k", filter;
    "netlink.protocol" "netlink.protocol" "NlProto" "word" Need::NONE, "netlink_diag_msg.ndiag_protocol",
        "netlink: to whom it talks: rtnl, genl, audit…", |row| netlink(row, |n| word(n.protocol_name()));
    "netlink.protocol_number" "netlink.protocol_number" "NlNr" "number" Need::NONE, "netlink_diag_msg.ndiag_protocol",
        "netlink: number of that protocol", |row| netlink(row, |n| Value::Count(n.protocol.into()));
    "netlink.port_id" "netlink.port_id" "PortId" "number" Need::NONE, "netlink_diag_msg.ndiag_portid",
        "netlink: address, often a process id; 0 is the kernel", |row| netlink(row, |n| Value::Count(n.port_id.into()));
    "netlink.peer_port_id" "netlink.peer_port_id" "PeerPortId" "number" Need::NONE, "netlink_diag_msg.ndiag_dst_portid",
        "netlink: address of the other end, where connected", |row| netlink(row, |n| count(n.peer_port_id));
    "netlink.groups" "netlink.groups" "Groups" "list" Need::NONE, "NETLINK_DIAG_GROUPS",
        "netlink: multicast groups it receives from", groups;
    "netlink.flags" "netlink.flags" "NlFlags" "list" Need::NONE, "NETLINK_DIAG_FLAGS, kernel 4.12",
        "netlink: dump-running, no-enobufs, cap-ack…", netlink_flags;
    "raw.ip_protocol" "raw.ip_protocol" "IpProto" "word" Need::NONE, "inet_diag_sockid.idiag_sport",
        "raw: IP protocol it sees: icmp, igmp, ospf…", |row| raw(row, |n| word(ip_protocol(n)));
    "raw.ip_protocol_number" "raw.ip_protocol_number" "IpNr" "number" Need::NONE, "inet_diag_sockid.idiag_sport",
        "raw: number of that protocol", |row| raw(row, |n| Value::Count(n.into()));
    "mptcp.connections" "mptcp.connections" "Connections" "list" Need::SUBFLOWS, "INET_DIAG_ULP_INFO of TCP sockets",
        "mptcp: its TCP connections", connections;
    "vsock.type" "vsock.type" "VsockType" "word" Need::NONE, "vsock_diag_msg.vdiag_type",
        "vsock: stream, dgram or seqpacket", |row| vsock(row, |v| Value::Word(v.kind.name()));
    "xdp.queue_id" "xdp.queue_id" "Queue" "number" Need::NONE, "xdp_diag_info.queue_id",
        "xdp: queue of the interface", |row| xdp(row, |x| count(x.queue_id));
    "xdp.rx_entries" "xdp.rx_entries" "RxEntries" "count" Need::NONE, "XDP_DIAG_RX_RING",
        "xdp: entries of the ring for received frames", |row| xdp(row, |x| count(x.rx_entries));
    "xdp.tx_entries" "xdp.tx_entries" "TxEntries" "count" Need::NONE, "XDP_DIAG_TX_RING",
        "xdp: entries of the ring for frames to send", |row| xdp(row, |x| count(x.tx_entries));
    "xdp.fill_entries" "xdp.fill_entries" "FillEntries" "count" Need::NONE, "XDP_DIAG_UMEM_FILL_RING",
        "xdp: entries of the ring of free frames", |row| xdp(row, |x| count(x.fill_entries));
    "xdp.completion_entries" "xdp.completion_entries" "DoneEntries" "count" Need::NONE, "XDP_DIAG_UMEM_COMPLETION_RING",
        "xdp: entries of the ring of sent frames", |row| xdp(row, |x| count(x.completion_entries));
    "xdp.umem_id" "xdp.umem_id" "Umem" "number" Need::NONE, "xdp_diag_umem.id",
        "xdp: number of its memory for frames", |row| umem(row, |u| Value::Count(u.id.into()));
    "xdp.umem_size" "xdp.umem_bytes" "UmemSize" "bytes" Need::NONE, "xdp_diag_umem.size",
        "xdp: size of that memory", |row| umem(row, |u| Value::Bytes(u.size));
    "xdp.umem_chunk_size" "xdp.umem_chunk_bytes" "Chunk" "bytes" Need::NONE, "xdp_diag_umem.chunk_size",
        "xdp: size of a chunk of it", |row| umem(row, |u| Value::Bytes(u.chunk_size.into()));
    "xdp.umem_headroom" "xdp.umem_headroom_bytes" "Headroom" "bytes" Need::NONE, "xdp_diag_umem.headroom",
        "xdp: room left free before a frame", |row| umem(row, |u| Value::Bytes(u.headroom.into()));
    "xdp.umem_users" "xdp.umem_users" "UmemUsers" "count" Need::NONE, "xdp_diag_umem.refs",
        "xdp: sockets that use it", |row| umem(row, |u| Value::Count(u.references.into()));
    "xdp.zero_copy" "xdp.zero_copy" "ZeroCopy" "flag" Need::NONE, "xdp_diag_umem.flags",
        "xdp: whether the device writes into it", |row| umem(row, |u| Value::Flag(u.flags & 1 != 0));
    "xdp.rx_dropped" "xdp.rx_dropped" "RxDropped" "count" Need::NONE, "xdp_diag_stats.n_rx_dropped, kernel 5.9",
        "xdp: frames dropped", |row| statistics(row, |s| s.rx_dropped);
    "xdp.rx_invalid" "xdp.rx_invalid" "RxInvalid" "count" Need::NONE, "xdp_diag_stats.n_rx_invalid, kernel 5.9",
        "xdp: invalid descriptors of free frames", |row| statistics(row, |s| s.rx_invalid);
    "xdp.rx_full" "xdp.rx_full" "RxFull" "count" Need::NONE, "xdp_diag_stats.n_rx_full, kernel 5.9",
        "xdp: frames lost to a full ring", |row| statistics(row, |s| s.rx_full);
    "xdp.fill_ring_empty" "xdp.fill_ring_empty" "FillEmpty" "count" Need::NONE, "xdp_diag_stats.n_fill_ring_empty, kernel 5.9",
        "xdp: frames lost for want of free ones", |row| statistics(row, |s| s.fill_ring_empty);
    "xdp.tx_invalid" "xdp.tx_invalid" "TxInvalid" "count" Need::NONE, "xdp_diag_stats.n_tx_invalid, kernel 5.9",
        "xdp: invalid descriptors of frames to send", |row| statistics(row, |s| s.tx_invalid);
    "xdp.tx_ring_empty" "xdp.tx_ring_empty" "TxEmpty" "count" Need::NONE, "xdp_diag_stats.n_tx_ring_empty, kernel 5.9",
        "xdp: how often there was nothing to send", |row| statistics(row, |s| s.tx_ring_empty);
    "tipc.type" "tipc.type" "TipcType" "word" Need::NONE, "TIPC_NLA_SOCK_TYPE",
        "tipc: stream, dgram, rdm or seqpacket", |row| tipc(row, |t| word(t.kind.map(SocketType::name)));
    "tipc.recv_messages" "tipc.recv_queue_messages" "RecvMsgs" "count" Need::NONE, "TIPC_NLA_SOCK_STAT_RCVQ",
        "tipc: messages the process has not read", |row| tipc(row, |t| count(t.recv_messages));
    "tipc.send_messages" "tipc.send_queue_messages" "SendMsgs" "count" Need::NONE, "TIPC_NLA_SOCK_STAT_SENDQ",
        "tipc: messages not sent yet", |row| tipc(row, |t| count(t.send_messages));
    "tipc.drops" "tipc.drops" "TipcDrops" "count" Need::NONE, "TIPC_NLA_SOCK_STAT_DROP",
        "tipc: messages dropped", |row| tipc(row, |t| count(t.drops));
    "tipc.congested" "tipc.congested" "Congested" "word" Need::NONE, "TIPC_NLA_SOCK_STAT_LINK_CONG, CONN_CONG",
        "tipc: what it waits for: none, link, connection", |row| tipc(row, |t| Value::Word(match t {
            Tipc { link_congested: true, .. } => "link",
            Tipc { connection_congested: true, .. } => "connection",
            _ => "none",
        }));
    "tipc.published" "tipc.published" "Published" "flag" Need::NONE, "TIPC_NLA_SOCK_HAS_PUBL",
        "tipc: whether a name is published for it", |row| tipc(row, |t| Value::Flag(t.has_publication));
    "tipc.via_type" "tipc.via_type" "ViaType" "number" Need::NONE, "TIPC_NLA_CON_TYPE",
        "tipc: type of the name it was connected by", |row| tipc(row, |t| count(t.connection.and_then(|c| c.via).map(|v| v.0)));
    "tipc.via_instance" "tipc.via_instance" "ViaInst" "number" Need::NONE, "TIPC_NLA_CON_INST",
        "tipc: instance of that name", |row| tipc(row, |t| count(t.connection.and_then(|c| c.via).map(|v| v.1)));
    "sctp.locals" "sctp.locals" "SctpLocals" "list" Need::NONE, "INET_DIAG_LOCALS",
        "sctp: every address of this end", sctp_locals;
    "sctp.peers" "sctp.peers" "SctpPeers" "list" Need::NONE, "INET_DIAG_PEERS",
        "sctp: every address of the other end", sctp_peers;
    "sctp.association_state" "sctp.association_state" "SctpState" "number" Need::TCP_INFO, "sctp_info.sctpi_state",
        "sctp: SCTP_* state: 3 established, 5 shutdown sent…", |row| sctp(row, "state");
    "sctp.rwnd" "sctp.rwnd_bytes" "SctpRwnd" "bytes" Need::TCP_INFO, "sctp_info.sctpi_rwnd",
        "sctp: window this side announced", |row| sctp(row, "rwnd");
    "sctp.peer_rwnd" "sctp.peer_rwnd_bytes" "SctpPeerRwnd" "bytes" Need::TCP_INFO, "sctp_info.sctpi_peer_rwnd",
        "sctp: window the peer announced", |row| sctp(row, "peer_rwnd");
    "sctp.unacked" "sctp.unacked_chunks" "SctpUnacked" "count" Need::TCP_INFO, "sctp_info.sctpi_unackdata",
        "sctp: chunks sent and not acknowledged", |row| sctp(row, "unackdata");
    "sctp.pending" "sctp.pending_chunks" "SctpPending" "count" Need::TCP_INFO, "sctp_info.sctpi_penddata",
        "sctp: chunks received and not read", |row| sctp(row, "penddata");
    "sctp.in_streams" "sctp.in_streams" "SctpIn" "count" Need::TCP_INFO, "sctp_info.sctpi_instrms",
        "sctp: streams from the peer", |row| sctp(row, "instrms");
    "sctp.out_streams" "sctp.out_streams" "SctpOut" "count" Need::TCP_INFO, "sctp_info.sctpi_outstrms",
        "sctp: streams to the peer", |row| sctp(row, "outstrms");
    "sctp.tag" "sctp.tag" "SctpTag" "number" Need::TCP_INFO, "sctp_info.sctpi_tag",
        "sctp: verification tag of this side", |row| sctp(row, "tag");
    "sctp.peer_tag" "sctp.peer_tag" "SctpPeerTag" "number" Need::TCP_INFO, "sctp_info.sctpi_peer_tag",
        "sctp: verification tag of the peer", |row| sctp(row, "peer_tag");
}

fn unix<'a>(row: Row<'a>, of: fn(&'a Unix) -> Value<'a>) -> Value<'a> {
    row.socket.unix().map_or(Value::Absent, of)
}

fn packet<'a>(row: Row<'a>, of: fn(&'a Packet) -> Value<'a>) -> Value<'a> {
    row.socket.packet().map_or(Value::Absent, of)
}

fn netlink<'a>(row: Row<'a>, of: fn(&'a Netlink) -> Value<'a>) -> Value<'a> {
    row.socket.netlink().map_or(Value::Absent, of)
}

fn vsock<'a>(row: Row<'a>, of: fn(&'a Vsock) -> Value<'a>) -> Value<'a> {
    row.socket.vsock().map_or(Value::Absent, of)
}

fn xdp<'a>(row: Row<'a>, of: fn(&'a Xdp) -> Value<'a>) -> Value<'a> {
    row.socket.xdp().map_or(Value::Absent, of)
}

fn umem<'a>(row: Row<'a>, of: fn(Umem) -> Value<'a>) -> Value<'a> {
    row.socket.xdp().and_then(|xdp| xdp.umem).map_or(Value::Absent, of)
}

fn statistics(row: Row<'_>, of: fn(Statistics) -> u64) -> Value<'_> {
    let statistics = row.socket.xdp().and_then(|xdp| xdp.statistics);
    statistics.map_or(Value::Absent, |statistics| Value::Count(of(statistics)))
}

fn tipc<'a>(row: Row<'a>, of: fn(&'a Tipc) -> Value<'a>) -> Value<'a> {
    row.socket.tipc().map_or(Value::Absent, of)
}

fn sctp<'a>(row: Row<'a>, name: &str) -> Value<'a> {
    let info = row.socket.sctp().and_then(|sctp| sctp.info.as_ref());
    info.and_then(|info| info.by_name(name)).map_or(Value::Absent, Value::Count)
}

fn raw(row: Row<'_>, of: fn(u16) -> Value<'static>) -> Value<'_> {
    match row.socket.protocol {
        Protocol::Raw => of(row.socket.local.port),
        _ => Value::Absent,
    }
}

fn path(name: Option<&crate::model::name::Name>) -> Value<'_> {
    name.map_or(Value::Absent, Value::Path)
}

fn word(word: Option<&str>) -> Value<'_> {
    word.map_or(Value::Absent, Value::Word)
}

fn count(number: Option<u32>) -> Value<'static> {
    number.map_or(Value::Absent, |number| Value::Count(number.into()))
}

fn bytes(number: Option<u32>) -> Value<'static> {
    number.map_or(Value::Absent, |number| Value::Bytes(number.into()))
}

fn ring(ring: Option<Ring>) -> Value<'static> {
    let size = |ring: Ring| u64::from(ring.block_size) * u64::from(ring.block_count);
    ring.map_or(Value::Absent, |ring| Value::Bytes(size(ring)))
}

// Functions, because these constructors are not general over the row's lifetime.

fn peer_owners(row: Row<'_>) -> Value<'_> {
    match row.socket.unix().and_then(|unix| unix.peer_inode) {
        Some(_) => Value::PeerOwners(row),
        None => Value::Absent,
    }
}

fn pending(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        row.socket.unix()?.pending.get(index).map(|inode| Value::Count((*inode).into()))
    }))
}

fn packet_flags(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        row.socket.packet()?.info?.flag_names().nth(index).map(Value::Word)
    }))
}

fn memberships(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        Some(Value::Word(row.socket.packet()?.memberships.get(index)?.kind_name()))
    }))
}

fn filter(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        let instruction: &Instruction = row.socket.packet()?.filter.as_ref()?.get(index)?;
        Some(Value::Instruction(*instruction))
    }))
}

/// Numbers of groups, from 1.
fn groups(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        let words = row.socket.netlink()?.groups.iter().enumerate();
        let groups = words.flat_map(|(at, word)| {
            (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u64 * 32 + bit + 1)
        });
        groups.into_iter().nth(index).map(Value::Count)
    }))
}

fn netlink_flags(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        row.socket.netlink()?.flag_names().nth(index).map(Value::Word)
    }))
}

fn connections(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        let subflow = row.socket.mptcp()?.subflows.as_ref()?.get(index)?;
        Some(Value::Connection(subflow))
    }))
}

fn sctp_locals(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        row.socket.sctp()?.locals.get(index).map(|address| Value::Address(*address))
    }))
}

fn sctp_peers(row: Row<'_>) -> Value<'_> {
    Value::List(List::indexed(row, |row, index| {
        row.socket.sctp()?.peers.get(index).map(|address| Value::Address(*address))
    }))
}

/// Whether a source told of a list that is empty in this row: else it is unknown.
pub fn is_told(field: &Field, row: Row<'_>) -> bool {
    let socket = row.socket;
    match field.id {
        "packet.filter" => socket.packet().is_some_and(|packet| packet.filter.is_some()),
        "packet.flags" => socket.packet().is_some_and(|packet| packet.info.is_some()),
        "netlink.flags" => socket.netlink().is_some_and(|netlink| netlink.flags.is_some()),
        "mptcp.connections" => {
            socket.mptcp().is_some_and(|Mptcp { subflows, .. }| subflows.is_some())
        }
        "netlink.groups" => socket.netlink().is_some(),
        "pending" => socket.unix().is_some() && socket.cookie.is_some(),
        "packet.memberships" => socket.packet().is_some() && socket.cookie.is_some(),
        "sctp.locals" | "sctp.peers" => {
            socket.sctp().is_some_and(|sctp: &Sctp| !sctp.locals.is_empty())
        }
        _ => true,
    }
}

/// The word for an IP protocol (`/etc/protocols`); `None` for a rare one.
pub const fn ip_protocol(number: u16) -> Option<&'static str> {
    Some(match number {
        0 => "ip",
        1 => "icmp",
        2 => "igmp",
        4 => "ipencap",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "ipv6-icmp",
        88 => "eigrp",
        89 => "ospf",
        94 => "ipip",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        255 => "raw",
        _ => return None,
    })
}
