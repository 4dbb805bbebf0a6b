//! One end of a socket that is not of the internet.

use super::row::Row;
use crate::model::{
    family::{FamilyFacts, ethertype, vsock},
    name::Name,
    socket::Socket,
};

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This one.
    Local,
    /// The other one.
    Peer,
}

/// Two parts, of which either may be none: the wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct End<'a> {
    /// What stands before the colon.
    pub address: Option<Part<'a>>,
    /// What stands after it. `None` also where the family has no such thing, as unix.
    pub port: Option<Part<'a>>,
    /// Whether the family has two parts.
    pub has_port: bool,
}

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part<'a> {
    /// The name of a unix socket.
    Path(&'a Name),
    /// The inode by which a unix socket without a name is known.
    Inode(u64),
    /// A word: a protocol, `kernel`.
    Word(&'a str),
    /// The name of an interface.
    Interface(&'a str),
    /// A number that is an address.
    Number(u32),
    /// A queue of an interface.
    Queue(u32),
}

impl<'a> End<'a> {
    const fn unix(address: Option<Part<'a>>) -> Self {
        Self { address, port: None, has_port: false }
    }

    const fn pair(address: Option<Part<'a>>, port: Option<Part<'a>>) -> Self {
        Self { address, port, has_port: true }
    }

    /// One of the ends. `None`: there is none, or the socket is of the internet.
    pub fn of(row: Row<'a>, side: Side) -> Option<Self> {
        match side {
            Side::Local => Self::local(row),
            Side::Peer => Self::peer(row),
        }
    }

    /// This end. `None`: the socket is of the internet.
    pub fn local(row: Row<'a>) -> Option<Self> {
        let socket = row.socket;
        Some(match socket.family_facts.as_deref()? {
            FamilyFacts::Unix(unix) => {
                let inode = socket.inode.map(Part::Inode);
                Self::unix(unix.path.as_ref().map(Part::Path).or(inode))
            }
            FamilyFacts::Packet(packet) => {
                // Every frame is no condition.
                let protocol =
                    (packet.protocol != 3).then(|| match ethertype::name(packet.protocol) {
                        Some(name) => Part::Word(name),
                        None => Part::Number(packet.protocol.into()),
                    });
                Self::pair(protocol, interface(row))
            }
            FamilyFacts::Netlink(netlink) => {
                let protocol = match netlink.protocol_name() {
                    Some(name) => Part::Word(name),
                    None => Part::Number(netlink.protocol.into()),
                };
                let port = match netlink.port_id {
                    0 => Part::Word("kernel"),
                    id => Part::Number(id),
                };
                Self::pair(Some(protocol), Some(port))
            }
            FamilyFacts::Vsock(vsock) => Self::of_vsock(vsock.local),
            FamilyFacts::Xdp(xdp) => Self::pair(interface(row), xdp.queue_id.map(Part::Queue)),
            FamilyFacts::Tipc(tipc) => {
                Self::pair(Some(Part::Number(tipc.node)), Some(Part::Number(tipc.reference)))
            }
            FamilyFacts::Mptcp(_) | FamilyFacts::Sctp(_) => return None,
        })
    }

    /// The other end. `None`: there is none, or the socket is of the internet.
    pub fn peer(row: Row<'a>) -> Option<Self> {
        match row.socket.family_facts.as_deref()? {
            FamilyFacts::Unix(unix) => {
                let inode = unix.peer_inode.map(|inode| Part::Inode(inode.into()));
                unix.peer_path.as_ref().map(Part::Path).or(inode).map(|part| Self::unix(Some(part)))
            }
            FamilyFacts::Netlink(netlink) => {
                let port = match netlink.peer_port_id? {
                    0 => Part::Word("kernel"),
                    id => Part::Number(id),
                };
                let group = netlink.peer_group.filter(|group| *group != 0).map(Part::Number);
                Some(Self::pair(group, Some(port)))
            }
            FamilyFacts::Vsock(vsock) if !vsock.peer.is_nothing() => {
                Some(Self::of_vsock(vsock.peer))
            }
            FamilyFacts::Tipc(tipc) => {
                let peer = tipc.connection?;
                Some(Self::pair(Some(Part::Number(peer.node)), Some(Part::Number(peer.port))))
            }
            _ => None,
        }
    }

    fn of_vsock(address: vsock::VsockAddress) -> Self {
        let known = |number: u32| (number != vsock::ANY).then_some(Part::Number(number));
        Self::pair(known(address.cid), known(address.port))
    }
}

/// The interface a socket is bound to: its name, or else its number.
fn interface(row: Row<'_>) -> Option<Part<'_>> {
    match row.socket.interface {
        0 => None,
        index => Some(match row.interface() {
            Some(name) => Part::Interface(name),
            None => Part::Number(index),
        }),
    }
}

/// The number of this end's port, where the family has ports: of a unix socket it is the inode, as
/// in ss.
pub fn local_port(socket: &Socket) -> Option<u64> {
    match socket.family_facts.as_deref()? {
        FamilyFacts::Unix(_) => socket.inode,
        FamilyFacts::Packet(_) => Some(socket.interface.into()),
        FamilyFacts::Netlink(netlink) => Some(netlink.port_id.into()),
        FamilyFacts::Vsock(vsock) => Some(vsock.local.port.into()),
        FamilyFacts::Xdp(xdp) => xdp.queue_id.map(u64::from),
        FamilyFacts::Tipc(tipc) => Some(tipc.reference.into()),
        FamilyFacts::Mptcp(_) | FamilyFacts::Sctp(_) => None,
    }
}

/// The number of the other end's port.
pub fn peer_port(socket: &Socket) -> Option<u64> {
    match socket.family_facts.as_deref()? {
        FamilyFacts::Unix(unix) => unix.peer_inode.map(u64::from),
        FamilyFacts::Netlink(netlink) => netlink.peer_port_id.map(u64::from),
        FamilyFacts::Vsock(vsock) if !vsock.peer.is_nothing() => Some(vsock.peer.port.into()),
        FamilyFacts::Tipc(tipc) => tipc.connection.map(|peer| peer.port.into()),
        _ => None,
    }
}
