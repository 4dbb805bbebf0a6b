//! Both ends of the connections of a host.
//!
//! Two sockets are the ends of one connection where the addresses of one are those of the other, the
//! other way round. That is certain within a network namespace: what is sent to an address of its own
//! stays in it. Between namespaces it is so only while no third socket has these addresses: private
//! networks are made again and again, and so are 127.0.0.1 and ::1, which no packet leaves with.
//! What is translated on its way (NAT) has other addresses at the other end, and is not found.

use super::{
    endpoint::Endpoint,
    netns::NetnsIndex,
    protocol::Protocol,
    socket::Socket,
    sockopt::{SocketOptions, TRANSPARENT},
};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
    net::IpAddr,
    num::NonZeroU32,
};

/// The socket at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its network namespace, among those of the question. `None`: it is in none of them.
    pub netns: Option<NetnsIndex>,
    /// Its inode, the key to its owners. `None`: it has no file (not accepted, orphan).
    pub inode: Option<u64>,
}

/// What is known of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is on this host.
    Here(Peer),
    /// No socket that was seen is it: it is elsewhere, or behind an address translation, or gone.
    Elsewhere,
    /// Several may be.
    Ambiguous,
}

/// The sockets that have a peer, by both of their ends: 24 bytes each for IPv4, 48 for IPv6.
#[derive(Debug, Default)]
pub struct Peers {
    hasher: DefaultHashBuilder,
    v4: HashTable<Record<[u8; 4]>>,
    v6: HashTable<Record<[u8; 16]>>,
    /// Namespaces of unix sockets, by inode.
    unix: HashMap<u32, NetnsIndex>,
}

/// Both ends of a connection, as each of its sockets has them: the lower one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ends<A> {
    protocol: Protocol,
    /// The port first: it tells more than the address, where ends are compared.
    low: (u16, A),
    high: (u16, A),
}

/// A socket.
#[derive(Debug, Clone, Copy)]
struct Record<A> {
    ends: Ends<A>,
    /// Whether its own end is the lower one.
    is_low: bool,
    netns: NetnsIndex,
    inode: Option<NonZeroU32>,
}

impl Peers {
    /// Keeps a socket; one without a peer, of another family or of a protocol without ports is not
    /// kept.
    pub fn add(&mut self, socket: &Socket) {
        // Inodes of sockets have 32 bits (`get_next_ino` in `fs/inode.c`).
        let inode = socket.inode.and_then(|inode| u32::try_from(inode).ok());
        if socket.protocol == Protocol::Unix {
            self.unix.extend(inode.map(|inode| (inode, socket.netns)));
        }
        if !is_of_two(socket) {
            return;
        }
        let (netns, inode) = (socket.netns, inode.and_then(NonZeroU32::new));
        match addresses(socket) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let (ends, is_low) = Ends::of(socket, local.octets(), remote.octets());
                insert(&mut self.v4, &self.hasher, Record { ends, is_low, netns, inode });
            }
            (local, remote) => {
                let (ends, is_low) = Ends::of(socket, wide(local), wide(remote));
                insert(&mut self.v6, &self.hasher, Record { ends, is_low, netns, inode });
            }
        }
    }

    /// The other end of a socket.
    pub fn of(&self, socket: &Socket) -> Match {
        if let Some(unix) = socket.unix() {
            return match unix.peer_inode {
                None => Match::Elsewhere,
                Some(inode) => Match::Here(Peer {
                    netns: self.unix.get(&inode).copied(),
                    inode: Some(inode.into()),
                }),
            };
        }
        if !is_of_two(socket) {
            return Match::Elsewhere;
        }
        match addresses(socket) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let ends = Ends::of(socket, local.octets(), remote.octets());
                resolve(&self.v4, &self.hasher, ends, socket)
            }
            (local, remote) => {
                let ends = Ends::of(socket, wide(local), wide(remote));
                resolve(&self.v6, &self.hasher, ends, socket)
            }
        }
    }
}

impl<A: Copy + Ord> Ends<A> {
    /// The ends of a socket, and whether its own is the lower one.
    fn of(socket: &Socket, local: A, remote: A) -> (Self, bool) {
        let (local, remote) = ((socket.local.port, local), (socket.remote.port, remote));
        let is_low = local <= remote;
        let (low, high) = if is_low { (local, remote) } else { (remote, local) };
        (Self { protocol: socket.protocol, low, high }, is_low)
    }

    /// Whether a socket is connected to itself (simultaneous open, RFC 9293 3.5).
    fn is_one(&self) -> bool {
        self.low == self.high
    }
}

fn insert<A: Hash>(
    table: &mut HashTable<Record<A>>,
    hasher: &DefaultHashBuilder,
    record: Record<A>,
) {
    let hash = |record: &Record<A>| hasher.hash_one(&record.ends);
    table.insert_unique(hash(&record), record, hash);
}

fn resolve<A: Copy + Ord + Hash>(
    table: &HashTable<Record<A>>,
    hasher: &DefaultHashBuilder,
    (ends, is_low): (Ends<A>, bool),
    socket: &Socket,
) -> Match {
    let hash = hasher.hash_one(ends);
    let all = || table.iter_hash(hash).filter(|record| record.ends == ends);
    let is_other = |record: &&Record<A>| ends.is_one() || record.is_low != is_low;
    let here = || all().filter(|record| record.netns == socket.netns);
    match only(here().filter(is_other)) {
        // Several sockets of one address, as UDP allows it: whose datagrams are whose?
        Only::One(_) if !ends.is_one() && here().filter(|r| !is_other(r)).nth(1).is_some() => {
            return Match::Ambiguous;
        }
        Only::One(other) => return Match::Here(other.peer()),
        Only::Several => return Match::Ambiguous,
        Only::None => {}
    }
    if [socket.local, socket.remote].iter().any(stays) {
        return Match::Elsewhere;
    }
    // Those whose other end is beside them are connections of their own.
    let alone = |record: &&Record<A>| {
        let is_beside =
            |other: &Record<A>| other.netns == record.netns && other.is_low != record.is_low;
        record.netns != socket.netns && !ends.is_one() && !all().any(is_beside)
    };
    match only(all().filter(alone).filter(is_other)) {
        Only::None => Match::Elsewhere,
        Only::One(other) if !all().filter(alone).any(|record| !is_other(&record)) => {
            Match::Here(other.peer())
        }
        _ => Match::Ambiguous,
    }
}

impl<A> Record<A> {
    fn peer(&self) -> Peer {
        Peer { netns: Some(self.netns), inode: self.inode.map(|inode| inode.get().into()) }
    }
}

/// How many there are.
enum Only<T> {
    None,
    One(T),
    Several,
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Only<T> {
    match (items.next(), items.next()) {
        (None, _) => Only::None,
        (Some(one), None) => Only::One(one),
        _ => Only::Several,
    }
}

/// Whether a connection of this protocol is known by two addresses with ports.
pub const fn is_between_two(protocol: Protocol) -> bool {
    use Protocol::{Dccp, Mptcp, Sctp, Tcp, Udp, UdpLite};
    matches!(protocol, Tcp | Udp | UdpLite | Mptcp | Sctp | Dccp)
}

/// Whether both ends of a socket are known. Those of a transparent proxy are not its own
/// (`IP_TRANSPARENT`, ip(7)).
fn is_of_two(socket: &Socket) -> bool {
    let options = socket.sockopt.map(SocketOptions::from_kernel);
    is_between_two(socket.protocol)
        && socket.peer().is_some()
        && !options.is_some_and(|options| options.has(TRANSPARENT))
}

/// The addresses of both ends, IPv4 as such also where an IPv6 socket has it (`::ffff:0:0/96`).
fn addresses(socket: &Socket) -> (IpAddr, IpAddr) {
    (socket.local.address.to_canonical(), socket.remote.address.to_canonical())
}

fn wide(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// Whether no packet with this address leaves its namespace (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
fn stays(end: &Endpoint) -> bool {
    end.address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{protocol::Family, state::State};

    fn socket(netns: usize, local: &str, remote: &str, inode: u64) -> Socket {
        let end = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        let (local, remote) = (end(local), end(remote));
        let family = if local.address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        Socket {
            netns: NetnsIndex::new(netns),
            local,
            remote,
            inode: Some(inode),
            ..Socket::new(Protocol::Tcp, family, State::Established)
        }
    }

    fn among(sockets: &[Socket]) -> Peers {
        let mut peers = Peers::default();
        for socket in sockets {
            peers.add(socket);
        }
        peers
    }

    fn here(netns: usize, inode: u64) -> Match {
        Match::Here(Peer { netns: Some(NetnsIndex::new(netns)), inode: Some(inode) })
    }

    const CLIENT: &str = "10.0.0.1:40000";
    const SERVER: &str = "10.0.0.2:80";

    #[test]
    fn the_ends_of_a_connection_find_each_other_beside_and_across() {
        for (client, server) in [(0, 0), (0, 1), (2, 1)] {
            let sockets = [
                socket(client, CLIENT, SERVER, 7),
                socket(server, SERVER, CLIENT, 8),
                socket(server, SERVER, "10.0.0.1:40001", 9),
            ];
            let peers = among(&sockets);
            let found = sockets.each_ref().map(|socket| peers.of(socket));
            assert_eq!(found, [here(server, 8), here(client, 7), Match::Elsewhere]);
        }
    }

    #[test]
    fn ipv4_is_ipv4_also_in_an_ipv6_socket() {
        let sockets = [
            socket(0, "127.0.0.1:40000", "127.0.0.1:80", 7),
            socket(0, "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:40000", 8),
            socket(0, "[fd00::1]:40000", "[fd00::2]:80", 9),
            socket(1, "[fd00::2]:80", "[fd00::1]:40000", 10),
        ];
        let peers = among(&sockets);
        let found = sockets.each_ref().map(|socket| peers.of(socket));
        assert_eq!(found, [here(0, 8), here(0, 7), here(1, 10), here(0, 9)]);
    }

    #[test]
    fn loopback_addresses_are_those_of_one_namespace() {
        let (client, server) = ("127.0.0.1:40000", "127.0.0.1:80");
        let sockets = [
            socket(0, client, server, 7),
            // The server of the first has ended, and the client of the second.
            socket(1, server, client, 8),
            socket(2, client, server, 9),
            socket(2, server, client, 10),
        ];
        let peers = among(&sockets);
        let found = sockets.each_ref().map(|socket| peers.of(socket));
        assert_eq!(found, [Match::Elsewhere, Match::Elsewhere, here(2, 10), here(2, 9)]);
    }

    #[test]
    fn who_of_several_it_is_nobody_guesses() {
        // Two private networks with the same addresses.
        let twins = [
            socket(0, CLIENT, SERVER, 7),
            socket(1, SERVER, CLIENT, 8),
            socket(2, CLIENT, SERVER, 9),
            socket(3, SERVER, CLIENT, 10),
        ];
        let peers = among(&twins);
        assert!(twins.iter().all(|socket| peers.of(socket) == Match::Ambiguous));
        // One of the clients is gone: the other's server may still be either.
        let peers = among(&twins[1..]);
        assert!(twins[1..].iter().all(|socket| peers.of(socket) == Match::Ambiguous));
        // Who has the other end beside him is no candidate.
        let one = [
            socket(0, CLIENT, SERVER, 7),
            socket(1, SERVER, CLIENT, 8),
            socket(2, CLIENT, SERVER, 9),
            socket(2, SERVER, CLIENT, 10),
        ];
        let peers = among(&one);
        let found = one.each_ref().map(|socket| peers.of(socket));
        assert_eq!(found, [here(1, 8), here(0, 7), here(2, 10), here(2, 9)]);
    }

    #[test]
    fn datagrams_of_a_shared_address_are_nobodys() {
        let udp = |local, remote, inode| Socket {
            protocol: Protocol::Udp,
            ..socket(0, local, remote, inode)
        };
        // Two servers that are connected to one client (SO_REUSEPORT).
        let sockets = [udp(CLIENT, SERVER, 7), udp(SERVER, CLIENT, 8), udp(SERVER, CLIENT, 9)];
        let peers = among(&sockets);
        assert!(sockets.iter().all(|socket| peers.of(socket) == Match::Ambiguous));
        // TCP with the same ports is another protocol.
        assert_eq!(peers.of(&socket(0, CLIENT, SERVER, 10)), Match::Elsewhere);
    }

    #[test]
    fn a_socket_can_be_connected_to_itself() {
        let mine = socket(0, CLIENT, CLIENT, 7);
        let peers = among(&[mine.clone(), socket(1, CLIENT, CLIENT, 8)]);
        assert_eq!(peers.of(&mine), here(0, 7));
    }

    #[test]
    fn what_has_no_peer_or_a_borrowed_address_has_no_other_end() {
        let sockets = [socket(0, CLIENT, SERVER, 7), socket(0, SERVER, CLIENT, 8)];
        let peers = among(&sockets);
        let listener = Socket { state: State::Listen, ..socket(0, SERVER, "0.0.0.0:0", 9) };
        assert_eq!(peers.of(&listener), Match::Elsewhere);
        // A proxy that has the client's address towards the server and the server's towards the
        // client: each is connected to the other machine.
        let transparent = sockets.map(|s| Socket { sockopt: Some([1 << 5, 0]), ..s });
        if cfg!(target_endian = "little") {
            let peers = among(&transparent);
            assert!(transparent.iter().all(|socket| peers.of(socket) == Match::Elsewhere));
        }
    }

    #[test]
    fn a_record_is_small() {
        assert_eq!(size_of::<Record<[u8; 4]>>(), 24);
        assert_eq!(size_of::<Record<[u8; 16]>>(), 48);
    }
}
