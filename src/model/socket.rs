//! One socket, whatever source told of it.

use super::{
    details::Details,
    endpoint::Endpoint,
    family::{
        FamilyFacts, mptcp::Mptcp, netlink::Netlink, packet::Packet, sctp::Sctp, tipc::Tipc,
        unix::Unix, vsock::Vsock, xdp::Xdp,
    },
    memory::SocketMemory,
    netns::NetnsIndex,
    owner::Unowned,
    protocol::{Family, Protocol},
    queues::Queues,
    socket_type::SocketType,
    state::State,
    tcp_info::TcpInfo,
    timer::{Timer, TimerKind},
};

/// `TCP_TIMEWAIT_LEN`: how long a socket stays in TIME_WAIT, in milliseconds. Compiled into the
/// kernel (`include/net/tcp.h`); no setting changes it.
pub const TIME_WAIT_MS: u32 = 60_000;

/// The name of a congestion control algorithm (`TCP_CA_NAME_MAX`, 16 bytes with the final zero).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Congestion {
    bytes: [u8; 16],
}

impl Congestion {
    /// Keeps the bytes before the first zero, at most 16.
    pub fn from_kernel(sent: &[u8]) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(sent.iter().take_while(|b| **b != 0)) {
            *to = *from;
        }
        Self { bytes }
    }

    /// The name.
    pub fn name(&self) -> &[u8] {
        let end = self.bytes.iter().position(|b| *b == 0).unwrap_or(self.bytes.len());
        self.bytes.get(..end).unwrap_or_default()
    }
}

/// What the kernel tells of a socket without being asked, beside the fixed part of its answer: mostly
/// what it told of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unasked {
    mark: Option<u32>,
    cgroup_id: Option<u64>,
    shutdown: Option<u8>,
    v6only: Option<bool>,
    sockopt: Option<[u8; 2]>,
    tos: Option<u8>,
}

impl Unasked {
    /// Nothing was told: mini-sockets tell no more.
    pub const NOTHING: Self = Self {
        mark: None,
        cgroup_id: None,
        shutdown: None,
        v6only: None,
        sockopt: None,
        tos: None,
    };

    /// Of this socket.
    pub fn of(socket: &Socket) -> Self {
        let Socket { mark, cgroup_id, shutdown, v6only, sockopt, tos, .. } = *socket;
        Self { mark, cgroup_id, shutdown, v6only, sockopt, tos }
    }

    /// Says it of this socket.
    #[inline]
    pub fn fill(self, socket: &mut Socket) {
        (socket.mark, socket.cgroup_id, socket.shutdown) =
            (self.mark, self.cgroup_id, self.shutdown);
        (socket.v6only, socket.sockopt, socket.tos) = (self.v6only, self.sockopt, self.tos);
    }
}

/// One socket. `None` is "the source did not tell", never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Socket {
    /// The network namespace it belongs to, among those of the question.
    pub netns: NetnsIndex,
    /// Transport protocol, or the family that has only one.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// State.
    pub state: State,
    /// This end. Of a raw socket the port is the number of the IP protocol it sees, as the kernel
    /// tells it. Of a family without internet addresses it is nothing: see [`Socket::family_facts`].
    pub local: Endpoint,
    /// The other end; the wildcard with port 0 is "no peer", see [`Socket::peer`].
    pub remote: Endpoint,
    /// Interface the socket is bound to (`SO_BINDTODEVICE`) or the scope of a link-local address;
    /// 0: none. Not the interface the route uses.
    pub interface: u32,
    /// What waits in it.
    pub queues: Queues,
    /// The running timer; `None`: no timer runs.
    pub timer: Option<Timer>,
    /// Socket inode, the key to its owners. `None`: no file (mini-socket, request socket, not
    /// accepted, orphan).
    pub inode: Option<u64>,
    /// Identity over the whole life of the connection, TIME_WAIT included. `None` from /proc.
    pub cookie: Option<u64>,
    /// User who created it. `None` on mini-sockets and request sockets, where the kernel fills in 0.
    pub uid: Option<u32>,
    /// `SO_MARK`. `None` without CAP_NET_ADMIN, and from /proc.
    pub mark: Option<u32>,
    /// Id of its cgroup (v2). `None` from /proc, before kernel 5.10, and on mini-sockets.
    pub cgroup_id: Option<u64>,
    /// Bits: 1 this side no longer receives, 2 this side no longer sends.
    pub shutdown: Option<u8>,
    /// `IPV6_V6ONLY`, told of IPv6 listeners.
    pub v6only: Option<bool>,
    /// `INET_DIAG_SOCKOPT`: two bytes of flags (`struct inet_diag_sockopt`). `None` before 5.10.
    pub sockopt: Option<[u8; 2]>,
    /// Type of service, where it was asked for.
    pub tos: Option<u8>,
    /// Packets dropped, as /proc/net/udp tells it; netlink tells it in [`SocketMemory::drops`].
    pub drops: Option<u32>,
    /// `struct tcp_info`, where it was asked for and exists.
    pub tcp_info: Option<Box<TcpInfo>>,
    /// Memory, where it was asked for.
    pub memory: Option<SocketMemory>,
    /// Congestion control, where it was asked for.
    pub congestion: Option<Congestion>,
    /// What few sockets have or few people ask for.
    pub details: Option<Box<Details>>,
    /// What only its family has. `None` for TCP and UDP: they come by the million.
    pub family_facts: Option<Box<FamilyFacts>>,
}

impl Socket {
    /// A socket of which nothing else is known: the base of every source's own.
    pub const fn new(protocol: Protocol, family: Family, state: State) -> Self {
        Self {
            netns: NetnsIndex::FIRST,
            protocol,
            family,
            state,
            local: Endpoint::nothing(family),
            remote: Endpoint::nothing(family),
            interface: 0,
            queues: Queues::Absent,
            timer: None,
            inode: None,
            cookie: None,
            uid: None,
            mark: None,
            cgroup_id: None,
            shutdown: None,
            v6only: None,
            sockopt: None,
            tos: None,
            drops: None,
            tcp_info: None,
            memory: None,
            congestion: None,
            details: None,
            family_facts: None,
        }
    }

    /// Its type, where its family has several.
    pub fn socket_type(&self) -> Option<SocketType> {
        self.family_facts.as_deref().and_then(FamilyFacts::socket_type)
    }

    /// What it has as a unix socket.
    pub fn unix(&self) -> Option<&Unix> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Unix(unix) => Some(unix),
            _ => None,
        }
    }

    /// What it has as a packet socket.
    pub fn packet(&self) -> Option<&Packet> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Packet(packet) => Some(packet),
            _ => None,
        }
    }

    /// What it has as a netlink socket.
    pub fn netlink(&self) -> Option<&Netlink> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Netlink(netlink) => Some(netlink),
            _ => None,
        }
    }

    /// What it has as a vsock socket.
    pub fn vsock(&self) -> Option<&Vsock> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Vsock(vsock) => Some(vsock),
            _ => None,
        }
    }

    /// What it has as an XDP socket.
    pub fn xdp(&self) -> Option<&Xdp> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Xdp(xdp) => Some(xdp),
            _ => None,
        }
    }

    /// What it has as a TIPC socket.
    pub fn tipc(&self) -> Option<&Tipc> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Tipc(tipc) => Some(tipc),
            _ => None,
        }
    }

    /// What it has as an MPTCP socket.
    pub fn mptcp(&self) -> Option<&Mptcp> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Mptcp(mptcp) => Some(mptcp),
            _ => None,
        }
    }

    /// What it has as an SCTP socket.
    pub fn sctp(&self) -> Option<&Sctp> {
        match self.family_facts.as_deref()? {
            FamilyFacts::Sctp(sctp) => Some(sctp),
            _ => None,
        }
    }

    /// The other end; `None` for LISTEN, bound and unconnected sockets, and for families without
    /// internet addresses.
    pub fn peer(&self) -> Option<&Endpoint> {
        (!self.remote.is_nothing()).then_some(&self.remote)
    }

    /// Whether it is a mini-socket (`inet_timewait_sock`): TIME_WAIT, or a FIN_WAIT_2 whose
    /// process has closed it. Both run timer 3 and nothing else does.
    pub fn is_mini(&self) -> bool {
        matches!(self.timer, Some(Timer { kind: TimerKind::TimeWait, .. }))
            || self.state == State::TimeWait
    }

    /// Milliseconds since the connection entered TIME_WAIT, or since its timer was last re-armed
    /// by a late segment: a lower bound of the age. `None` in other states, and for orphan
    /// FIN_WAIT_2, whose length differs by socket.
    pub fn age_ms(&self) -> Option<u32> {
        match (self.state, self.timer) {
            (State::TimeWait, Some(timer)) => Some(TIME_WAIT_MS.saturating_sub(timer.expires_ms)),
            _ => None,
        }
    }

    /// Why no process can have this socket; `None`: one may, by its inode.
    pub fn unowned(&self) -> Option<Unowned> {
        if self.is_mini() {
            return Some(Unowned::TimeWait);
        }
        if self.state == State::SynRcvd {
            return Some(Unowned::SynReceived);
        }
        if self.inode.is_some() {
            return None;
        }
        Some(match self.state {
            // The process closed it and the kernel is still saying goodbye. CLOSE_WAIT is not
            // here: only an open descriptor, or an accept queue, keeps a socket in it.
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck => Unowned::Orphan,
            State::Established | State::CloseWait => Unowned::NotAccepted,
            _ => Unowned::Kernel,
        })
    }
}
