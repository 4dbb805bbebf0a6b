//! The ports the kernel may choose for an outgoing connection, and how many of them are in use.
//!
//! `connect(2)` without a bound port takes one of `ip_local_port_range`, passing over the reserved
//! ones and every port whose bind bucket holds a socket that got its port by `bind(2)` or
//! `listen(2)`, whatever its address (`__inet_hash_connect`: `fastreuse >= 0 || fastreuseport >= 0`).
//! A port is then usable once for each (local address, peer address, peer port).

use super::{port_use::PortUse, tuples::Tuples};
use crate::model::{
    endpoint::Endpoint,
    outline::Outline,
    ports::PortSet,
    protocol::Protocol,
    settings::Settings,
    snapshot::Snapshot,
    state::{State, StateSet},
};
use hashbrown::HashSet;
use std::{collections::BTreeMap, net::IpAddr, ops::RangeInclusive};

/// The ephemeral ports of a network namespace, shared by IPv4 and IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EphemeralPorts {
    range: RangeInclusive<u16>,
    reserved: PortSet,
    reserved_known: bool,
    blocked: PortSet,
    /// In the range, not reserved, not blocked.
    usable: PortSet,
    /// How many these are: every destination asks.
    usable_number: u32,
    /// Of them.
    suspected: PortSet,
    suspected_number: u32,
}

/// Ports in use for one (local address, peer address, peer port).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// Distinct ephemeral ports, sockets in any state.
    pub total: u32,
    /// Sockets by state; a port counts once for each state it is in.
    pub by_state: BTreeMap<State, u32>,
}

impl EphemeralPorts {
    /// Reads them off a snapshot, whose connections are sorted. `None`: the range could not be read.
    ///
    /// Idle bound sockets block their ports and are known only where the snapshot was asked for
    /// `BOUND_INACTIVE`; connections from a port their program named, where it has limits.
    pub fn of(snapshot: &Snapshot, tuples: &Tuples<'_>) -> Option<Self> {
        let is_bound = |s: &&Outline| matches!(s.state, State::Listen | State::BoundInactive);
        let bound = tcp(snapshot).filter(is_bound).map(|socket| socket.local.port);
        let named = snapshot.limits.named_ports.iter().flatten().copied();
        let range = snapshot.settings.port_range()?;
        // Of others no port is taken from anybody: most connections of a server are others.
        let is_use = |s: &&&Outline| range.contains(&s.local.port);
        let connections = tuples.iter().flat_map(|(_, sockets)| sockets).filter(is_use);
        let uses: Vec<PortUse> = connections.map(|s| PortUse::of(&s.socket())).collect();
        let uses = tuples.iter().scan(uses.as_slice(), |rest, ((_, peer), sockets)| {
            let own = sockets.iter().filter(is_use).count();
            let (uses, others) = rest.split_at_checked(own)?;
            *rest = others;
            Some((peer, uses))
        });
        let uses = uses.filter(|(_, uses)| !uses.is_empty());
        let listeners = Listeners::of(snapshot);
        Self::among(&snapshot.settings, bound.chain(named), uses, |end| listeners.have(end))
    }

    /// The same from what was kept of the sockets: the ports of those that are bound and no
    /// connection, the uses of ports of each (local address, peer), of which the peer is told, and
    /// whether somebody listens here at an end. `None`: the range could not be read.
    pub fn among<'u>(
        settings: &Settings,
        bound: impl IntoIterator<Item = u16>,
        tuples: impl IntoIterator<Item = (Endpoint, &'u [PortUse]), IntoIter: Clone>,
        listens: impl Fn(Endpoint) -> bool,
    ) -> Option<Self> {
        let range = settings.port_range().filter(|range| !range.is_empty())?;
        let reserved = settings.reserved_ports();
        let mut ports = Self {
            range,
            reserved_known: reserved.is_some(),
            reserved: reserved.unwrap_or_else(PortSet::empty),
            blocked: PortSet::empty(),
            usable: PortSet::empty(),
            usable_number: 0,
            suspected: PortSet::empty(),
            suspected_number: 0,
        };
        bound.into_iter().for_each(|port| ports.blocked.insert(port));
        let mut offered = PortSet::empty();
        offered.insert_range(ports.range());
        ports.usable = offered.without(&ports.reserved).without(&ports.blocked);
        ports.usable_number = ports.usable.len();
        ports.suspect(&tuples.into_iter(), listens);
        Some(ports)
    }

    /// The same with nothing suspected: what is counted then is a proof, and may be too little.
    #[must_use]
    pub fn certain(&self) -> Self {
        Self { suspected: PortSet::empty(), suspected_number: 0, ..self.clone() }
    }

    /// The range, both ends included.
    pub fn range(&self) -> RangeInclusive<u16> {
        self.range.clone()
    }

    /// Ports of the range.
    pub fn total(&self) -> u32 {
        u32::from(*self.range.end()) - u32::from(*self.range.start()) + 1
    }

    /// Ports of the range that `ip_local_reserved_ports` takes out. 0 also where that setting
    /// could not be read, see [`Self::reserved_known`].
    pub fn reserved(&self) -> u32 {
        self.reserved.count_in(self.range())
    }

    /// Whether `ip_local_reserved_ports` could be read.
    pub fn reserved_known(&self) -> bool {
        self.reserved_known
    }

    /// Ports of the range, not reserved, that a listener or a bound socket keeps from every
    /// `connect(2)`.
    pub fn unusable(&self) -> u32 {
        self.blocked.clone().without(&self.reserved).count_in(self.range())
    }

    /// Ports that `connect(2)` can choose: the ceiling for each destination.
    pub fn usable(&self) -> u32 {
        self.usable_number
    }

    /// Of these, those that `connect(2)` tries first.
    pub fn usable_first(&self) -> u32 {
        self.usable.count_with(&PortSet::of_parity(self.range.start() % 2 == 1))
    }

    /// Usable ports that are probably blocked as well: by clients that call `bind(2)` before
    /// `connect(2)`, or by connections whose listener is gone. The kernel does not tell how a
    /// connected socket got its port.
    pub fn suspected(&self) -> u32 {
        self.suspected_number
    }

    /// Whether `connect(2)` can choose a port: in the range, not reserved, not blocked.
    pub fn contains(&self, port: u16) -> bool {
        self.usable.contains(port)
    }

    /// Whether a usable port is probably blocked as well, see [`Self::suspected`].
    pub fn is_suspected(&self, port: u16) -> bool {
        self.contains(port) && self.suspected.contains(port)
    }

    /// Whether a port is in the range and not reserved, blocked or not: what `bind(2)` with port 0
    /// looks at.
    pub fn is_offered(&self, port: u16) -> bool {
        self.range.contains(&port) && !self.reserved.contains(port)
    }

    /// How many such ports there are.
    pub fn offered(&self) -> u32 {
        self.total() - self.reserved()
    }

    /// Whether the range has an odd number of ports: a search then covers all but one, and which
    /// one is left out differs from call to call (`remaining &= ~1U`). A single port is searched.
    pub fn is_odd(&self) -> bool {
        self.total() > 1 && self.total() % 2 == 1
    }

    /// Whether a search may miss a port: it is the first or the last of an odd-sized range.
    pub fn may_be_missed(&self, port: u16) -> bool {
        self.is_odd() && (port == *self.range.start() || port == *self.range.end())
    }

    /// How many ports of the range satisfy `wanted`.
    pub fn count(&self, wanted: impl Fn(u16) -> bool) -> u32 {
        self.range().filter(|port| wanted(*port)).fold(0, |sum, _| sum + 1)
    }

    /// Whether a port has the parity that `connect(2)` tries first; `bind(2)` with port 0 tries
    /// the other first (`inet_csk_find_open_port`).
    ///
    /// Only for ports of the range.
    pub fn is_connects_parity(&self, port: u16) -> bool {
        port.abs_diff(*self.range.start()).is_multiple_of(2)
    }

    /// Finds the ports that are probably blocked by sockets which do not show it.
    fn suspect<'u>(
        &mut self,
        tuples: &(impl Iterator<Item = (Endpoint, &'u [PortUse])> + Clone),
        listens: impl Fn(Endpoint) -> bool,
    ) {
        let is_in = |used: &&PortUse| self.contains(used.port) && !used.names_no_port();
        let connections = || tuples.clone().flat_map(|(_, uses)| uses).filter(is_in);
        let first_parity = self.usable_first();
        let mut found = PortSet::empty();
        for (_, uses) in tuples.clone() {
            let is_first = |used: &&PortUse| self.is_connects_parity(used.port);
            // Mostly connect() has chosen, and finds enough in the first half.
            if uses.iter().filter(is_in).all(|used| is_first(&used)) {
                continue;
            }
            let (first, second): (Vec<PortUse>, Vec<PortUse>) =
                uses.iter().filter(is_in).partition(is_first);
            // connect() takes the second half when the first is used up. It may have been used up
            // when these were opened, so near its end the order of opening decides.
            let first_is_nearly_full = distinct(&first) * 4 >= first_parity as usize * 3;
            if !(first_is_nearly_full && clearly_opened_before(&first, &second)) {
                for used in &second {
                    found.insert(used.port);
                }
            }
        }
        let by_bind = found.count_in(self.range());
        let second_parity = self.usable() - first_parity;
        // Where bind() has used up its half, it goes on in the other one.
        if by_bind > 0 && by_bind * 20 >= second_parity * 19 {
            connections().for_each(|used| found.insert(used.port));
        }
        for (peer, uses) in tuples.clone() {
            let mut ports = uses.iter().filter(is_in).map(|used| used.port);
            let Some(port) = ports.next() else { continue };
            // A peer port of the range that nobody listens on, with one local port towards it: the
            // peer may be the client, and this socket the child of a listener that is gone.
            if self.range.contains(&peer.port) && ports.all(|other| other == port) && !listens(peer)
            {
                found.insert(port);
            }
        }
        self.suspected_number = found.len();
        self.suspected = found;
    }
}

/// The ephemeral ports in use for one (local address, peer address, peer port), sockets in any
/// state.
///
/// IPv4 and IPv4-mapped IPv6 addresses are the same.
pub fn ports_in_use(
    snapshot: &Snapshot,
    ports: &EphemeralPorts,
    local: IpAddr,
    peer: IpAddr,
    peer_port: u16,
) -> InUse {
    ports_in_use_among(&snapshot.sockets, ports, local, peer, peer_port)
}

/// The same, where only these sockets can have that tuple: a report of many destinations sorts
/// the sockets by destination once instead of reading all of them for each.
pub fn ports_in_use_among<'s>(
    sockets: impl IntoIterator<Item = &'s Outline>,
    ports: &EphemeralPorts,
    local: IpAddr,
    peer: IpAddr,
    peer_port: u16,
) -> InUse {
    let (local, peer) = (local.to_canonical(), Endpoint::new(peer.to_canonical(), peer_port));
    let is_of_tuple = |socket: &&Outline| {
        socket.protocol == Protocol::Tcp
            && socket.local.address.to_canonical() == local
            && socket.remote.canonical() == peer
    };
    let ofs = sockets.into_iter().filter(is_of_tuple);
    let uses: Vec<PortUse> = ofs.map(|socket| PortUse::of(&socket.socket())).collect();
    in_use(&uses, ports)
}

/// The same of one tuple's uses of ports.
pub fn in_use(uses: &[PortUse], ports: &EphemeralPorts) -> InUse {
    let taking = || uses.iter().filter(|used| ports.contains(used.port));
    let mut numbers = [0u32; u8::MAX as usize + 1];
    let mut total = 0;
    let mut seen = PortSet::empty();
    // Mostly a port is there once: then each counts as it comes.
    let are_distinct = taking().all(|used| {
        let is_new = !seen.contains(used.port);
        seen.insert(used.port);
        numbers[usize::from(used.state_number)] += 1;
        total += 1;
        is_new
    });
    if !are_distinct {
        let mut each: Vec<(u16, u8)> =
            taking().map(|used| (used.port, used.state_number)).collect();
        each.sort_unstable();
        each.dedup();
        numbers.fill(0);
        for (_, state_number) in &each {
            numbers[usize::from(*state_number)] += 1;
        }
        each.dedup_by_key(|(port, _)| *port);
        total = u32::try_from(each.len()).unwrap_or(u32::MAX);
    }
    let mut in_use = InUse { total, ..InUse::default() };
    for (state_number, number) in (0..=u8::MAX).zip(numbers).filter(|(_, number)| *number > 0) {
        let state = State::from_kernel(Protocol::Tcp, state_number);
        *in_use.by_state.entry(state).or_default() += number;
    }
    in_use
}

/// How many ports.
fn distinct(uses: &[PortUse]) -> usize {
    let mut ports: Vec<u16> = uses.iter().map(|used| used.port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.len()
}

/// States in which a socket has a port that matters here, bound and idle ones included.
///
/// A report that asks for them makes the kernel walk the bind table of the whole host (measured:
/// 26 to 50 ms); without, ports of idle bound sockets count as usable.
pub fn states_with_bound() -> StateSet {
    StateSet::ALL.with(StateSet::of(State::BoundInactive))
}

fn tcp(snapshot: &Snapshot) -> impl Iterator<Item = &Outline> {
    snapshot.sockets.iter().filter(|socket| socket.protocol == Protocol::Tcp)
}

/// Whether the first sockets were opened clearly before the second ones: in three of four pairs.
/// Inodes of sockets grow, though not evenly; mini-sockets have none, and there the time
/// they have left stands for it. `false` where neither is known.
fn clearly_opened_before(first: &[PortUse], second: &[PortUse]) -> bool {
    let by = |key: fn(&PortUse) -> Option<u64>| {
        let known = |uses: &[PortUse]| uses.iter().filter_map(key).collect::<Vec<_>>();
        let (mut first, second) = (known(first), known(second));
        first.sort_unstable();
        let earlier: usize = second.iter().map(|k| first.partition_point(|f| f < k)).sum();
        let pairs = first.len() * second.len();
        (pairs > 0).then_some(earlier * 4 >= pairs * 3)
    };
    by(PortUse::inode).or_else(|| by(|used| used.left_ms().map(u64::from))).unwrap_or(false)
}

/// Where connections are accepted in this namespace.
struct Listeners {
    at: HashSet<Endpoint>,
    local: HashSet<IpAddr>,
}

impl Listeners {
    fn of(snapshot: &Snapshot) -> Self {
        let listening = tcp(snapshot).filter(|s| s.state == State::Listen);
        Self {
            at: listening.map(|s| s.local.canonical()).collect(),
            local: tcp(snapshot).map(|s| s.local.address.to_canonical()).collect(),
        }
    }

    /// Whether a local listener accepts connections to this endpoint.
    fn have(&self, end: Endpoint) -> bool {
        let any = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let is_local = end.address.is_loopback() || self.local.contains(&end.address);
        self.at.contains(&end)
            || (is_local && any.iter().any(|ip| self.at.contains(&Endpoint::new(*ip, end.port))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outline::BIND_ADDRESS_NO_PORT;
    use crate::model::socket::Socket;
    use crate::model::{
        about::{About, Host, SourceKind},
        limits::Limits,
        measures::Measures,
        netns::Netns,
        owner::Owners,
        protocol::Family,
        settings::{PORT_RANGE, RESERVED_PORTS},
        timer::{Timer, TimerKind},
    };
    use std::time::SystemTime;

    fn snapshot(
        range: &str,
        reserved: &str,
        sockets: impl IntoIterator<Item = Socket>,
    ) -> Snapshot {
        let mut settings = Settings::default();
        settings.values.insert(PORT_RANGE.into(), range.into());
        settings.values.insert(RESERVED_PORTS.into(), reserved.into());
        Snapshot {
            about: About {
                generated_at: SystemTime::UNIX_EPOCH,
                host: Host::default(),
                source: SourceKind::Netlink,
                fallback_reason: None,
                netns: Netns::default(),
                gaps: vec![],
            },
            sockets: sockets.into_iter().map(|socket| Outline::of(&socket)).collect(),
            measures: Measures::default(),
            alive_before: vec![],
            before: None,
            owners: Owners::default(),
            settings,
            limits: Limits::default(),
            samples: vec![],
        }
    }

    fn end(text: &str) -> Endpoint {
        let at: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(at.ip(), at.port())
    }

    fn socket(state: State, local: &str, remote: &str, inode: u64) -> Socket {
        let family = if local.starts_with('[') { Family::Ipv6 } else { Family::Ipv4 };
        Socket {
            local: end(local),
            remote: end(remote),
            timer: (state == State::TimeWait).then_some(Timer {
                kind: TimerKind::TimeWait,
                expires_ms: 50_000,
                retransmits: 0,
            }),
            inode: (inode != 0).then_some(inode),
            ..Socket::new(Protocol::Tcp, family, state)
        }
    }

    /// A client's connections from these ports, opened in this order.
    fn clients(ports: impl IntoIterator<Item = u16>) -> Vec<Socket> {
        (1..)
            .zip(ports)
            .map(|(inode, port)| {
                let local = format!("10.0.0.1:{port}");
                socket(State::Established, &local, "10.0.0.9:80", inode)
            })
            .collect()
    }

    fn read(snapshot: &Snapshot) -> Option<EphemeralPorts> {
        EphemeralPorts::of(snapshot, &Tuples::of(&snapshot.sockets))
    }

    fn ports(snapshot: &Snapshot) -> EphemeralPorts {
        read(snapshot).unwrap()
    }

    #[test]
    fn a_listener_blocks_its_port_once_whatever_its_address() {
        let snapshot = snapshot(
            "40000\t40099",
            "40010-40019,80",
            vec![
                socket(State::Listen, "127.0.0.77:40050", "0.0.0.0:0", 1),
                socket(State::Listen, "0.0.0.0:40051", "0.0.0.0:0", 2),
                socket(State::Listen, "[::1]:40051", "[::]:0", 3),
                socket(State::BoundInactive, "127.0.0.88:40052", "0.0.0.0:0", 4),
                // Reserved already, and outside.
                socket(State::Listen, "0.0.0.0:40012", "0.0.0.0:0", 5),
                socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0", 6),
            ],
        );
        let ports = ports(&snapshot);
        assert_eq!(
            (ports.total(), ports.reserved(), ports.unusable(), ports.usable()),
            (100, 10, 3, 87)
        );
        assert!(ports.contains(40000) && !ports.contains(40012) && !ports.contains(40050));
        assert!(!ports.contains(80) && !ports.is_odd() && ports.suspected() == 0);
    }

    #[test]
    fn without_a_range_nothing_is_known() {
        let mut snapshot = snapshot("40000\t40099", "", vec![]);
        snapshot.settings.values.remove(PORT_RANGE);
        assert_eq!(read(&snapshot), None);
        snapshot.settings.values.insert(PORT_RANGE.into(), "9 8".into());
        assert_eq!(read(&snapshot), None);
    }

    #[test]
    fn a_tuple_counts_its_own_ports_in_every_state() {
        let snapshot = snapshot(
            "40000 40009",
            "",
            vec![
                socket(State::Established, "127.0.0.1:40000", "127.0.0.1:80", 1),
                socket(State::TimeWait, "127.0.0.1:40002", "127.0.0.1:80", 0),
                // The same tuple from an IPv6 socket.
                socket(State::CloseWait, "[::ffff:127.0.0.1]:40004", "[::ffff:127.0.0.1]:80", 3),
                socket(State::Established, "127.0.0.2:40006", "127.0.0.1:80", 4),
                socket(State::Established, "127.0.0.1:40006", "127.0.0.1:81", 5),
                socket(State::Established, "127.0.0.1:50000", "127.0.0.1:80", 6),
            ],
        );
        let ports = ports(&snapshot);
        let local = IpAddr::from([127, 0, 0, 1]);
        let in_use = ports_in_use(&snapshot, &ports, local, local, 80);
        assert_eq!(in_use.total, 3);
        let by_state: Vec<_> = in_use.by_state.into_iter().collect();
        assert_eq!(
            by_state,
            [(State::Established, 1), (State::TimeWait, 1), (State::CloseWait, 1)]
        );
    }

    #[test]
    fn ports_of_binds_parity_are_suspected_while_connects_are_free() {
        let bound = snapshot("40000 40019", "", clients([40001, 40003, 40009]));
        assert_eq!(ports(&bound).suspected(), 3);
        assert!(ports(&bound).is_suspected(40009));
        assert_eq!(ports(&bound).usable(), 20);
        let connected = snapshot("40000 40019", "", clients([40000, 40004, 40018]));
        assert_eq!(ports(&connected).suspected(), 0);
        let mut said = clients([40001]);
        said[0].sockopt = Some([0, BIND_ADDRESS_NO_PORT]);
        assert_eq!(ports(&snapshot("40000 40019", "", said)).suspected(), 0);
    }

    #[test]
    fn in_a_full_range_the_order_of_opening_tells_bind_from_connect() {
        let (even, odd) = ((40000..40020).step_by(2), (40001..40020).step_by(2));
        let connected = clients(even.clone().chain(odd.clone()));
        assert_eq!(ports(&snapshot("40000 40019", "", connected)).suspected(), 0);
        let bound = clients(odd.chain(even));
        assert_eq!(ports(&snapshot("40000 40019", "", bound)).suspected(), 20);
    }

    #[test]
    fn a_connection_whose_listener_is_gone_is_suspected() {
        let pair = |listens: bool| {
            let mut sockets = vec![
                socket(State::Established, "127.0.0.1:40004", "127.0.0.1:40002", 2),
                socket(State::Established, "127.0.0.1:40002", "127.0.0.1:40004", 1),
            ];
            if listens {
                sockets.push(socket(State::Listen, "0.0.0.0:40004", "0.0.0.0:0", 3));
            }
            ports(&snapshot("40000 40019", "", sockets))
        };
        // Which end was the client is not to be seen.
        assert_eq!((pair(false).usable(), pair(false).suspected()), (20, 2));
        assert_eq!((pair(true).usable(), pair(true).suspected()), (19, 0));
    }

    #[test]
    fn an_odd_sized_range_may_miss_an_end() {
        let odd = ports(&snapshot("40000 40002", "", vec![]));
        assert!(odd.is_odd() && odd.may_be_missed(40000) && odd.may_be_missed(40002));
        assert!(!odd.may_be_missed(40001));
        assert!(!ports(&snapshot("40000 40000", "", vec![])).is_odd());
    }
}
