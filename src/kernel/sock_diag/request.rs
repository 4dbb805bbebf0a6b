//! Requests for the sockets of internet protocols.

use super::bytecode::{INET_DIAG_REQ_BYTECODE, Program};
use crate::{
    kernel::netlink::attribute,
    model::{
        protocol::{Family, Protocol},
        state::StateSet,
    },
};
use netlink_packet_core::Emitable;
use netlink_packet_sock_diag::{
    SOCK_DIAG_BY_FAMILY,
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};

/// `TCPDIAG_GETSOCK`: the request type before `SOCK_DIAG_BY_FAMILY`, still served.
pub const TCPDIAG_GETSOCK: u16 = 18;
/// The attribute of a request that asks for BPF storages (`linux/inet_diag.h`).
const INET_DIAG_REQ_SK_BPF_STORAGES: u16 = 2;

/// `INET_DIAG_REQ_PROTOCOL`. Not in the crate's constants.
const INET_DIAG_REQ_PROTOCOL: u16 = 3;

/// Optional attributes of an answer; each costs the kernel time for every socket (`tcp_info` a
/// third of a dump), so only what will be shown is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions(u16);

impl Extensions {
    /// None.
    pub const NONE: Self = Self(0);
    /// `struct tcp_info`.
    pub const INFO: Self = Self(1 << 1);
    /// What the congestion control says of itself.
    pub const ALGORITHM: Self = Self(1 << 2);
    /// Congestion control.
    pub const CONGESTION: Self = Self(1 << 3);
    /// Type of service.
    pub const TOS: Self = Self(1 << 4);
    /// Traffic class of IPv6, and the class of net_cls.
    pub const TRAFFIC_CLASS: Self = Self(1 << 5);
    /// Memory.
    pub const MEMORY: Self = Self(1 << 6);
    /// What BPF programs keep in sockets. Not one of the kernel's eight bits: an attribute of the
    /// request asks for it. Needs CAP_BPF.
    pub const STORAGES: Self = Self(1 << 8);

    /// All that needs no privilege.
    pub const OPEN: Self = Self((1 << 7) - 2);
    /// What the kernel tells unasked: cgroup, shutdown, flags. It costs the kernel nothing that could
    /// be saved, but decoding it costs us.
    pub const UNASKED: Self = Self(1 << 9);
    /// Of that, what wildcards tell: [`Socket::v6only`](crate::model::socket::Socket::v6only).
    pub const V6ONLY: Self = Self(1 << 11);
    /// The mark: asked for by having CAP_NET_ADMIN, and saved by setting that aside.
    pub const MARK: Self = Self(1 << 10);

    /// Whether the kernel tells more of this to who has CAP_NET_ADMIN: marks, and with `tcp_info` MD5
    /// keys and all of the upper layer (`tcp_diag_get_aux`).
    pub const fn needs_net_admin(self) -> bool {
        self.includes(Self::MARK) || self.includes(Self::INFO)
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `other` is in it.
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether an answer has measures, in hundreds of bytes.
    pub const fn measures(self) -> bool {
        let unasked = Self::UNASKED.with(Self::V6ONLY).with(Self::MARK);
        let light = Self::TOS.with(Self::TRAFFIC_CLASS).with(unasked);
        self.without(light).0 != 0
    }

    /// The byte of the request's head.
    pub(super) const fn byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }
}

/// One dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Protocol.
    pub protocol: Protocol,
    /// One family, or `None` for both in a single walk of the table (TCP only).
    pub family: Option<Family>,
    /// States to walk for.
    pub states: StateSet,
    /// Attributes.
    pub extensions: Extensions,
}

impl Request {
    /// What it asks for, for messages.
    pub fn subject(self) -> String {
        let title = self.protocol.title();
        match self.family {
            None => format!("{title} sockets"),
            Some(family) => format!("{title} sockets over {}", family.title()),
        }
    }

    /// Type and body of the netlink message.
    ///
    /// Both families of TCP come from one walk with the legacy request type, whose family byte
    /// the kernel ignores (`inet_diag_rcv_msg_compat`): a sixth cheaper than two dumps.
    pub fn message(self) -> (u16, Vec<u8>) {
        match self.family {
            Some(family) => (SOCK_DIAG_BY_FAMILY, self.by_family(family)),
            None => (TCPDIAG_GETSOCK, self.both_families()),
        }
    }

    /// The same with a program that selects sockets in the kernel. Its attribute follows the
    /// struct, of the legacy request too.
    pub fn message_with(self, program: Option<&Program>) -> (u16, Vec<u8>) {
        let (kind, mut body) = self.message();
        if self.extensions.includes(Extensions::STORAGES) {
            // Empty: of every map.
            attribute::push(&mut body, INET_DIAG_REQ_SK_BPF_STORAGES, &[]);
        }
        if let Some(program) = program {
            attribute::push(&mut body, INET_DIAG_REQ_BYTECODE, program.bytes());
        }
        (kind, body)
    }

    fn by_family(self, family: Family) -> Vec<u8> {
        let number = self.protocol.number().unwrap_or(0);
        // The struct has one byte for the protocol. A number beyond it follows as an attribute
        // (kernel 5.10); the byte is then 0, which older kernels have no answer to: with the low
        // byte of MPTCP they would answer with TCP sockets.
        let beyond = u8::try_from(number).is_err();
        let request = InetRequest {
            family: family.number(),
            protocol: u8::try_from(number).unwrap_or(0),
            extensions: ExtensionFlags::from_bits_retain(self.extensions.byte()),
            states: StateFlags::from_bits_retain(self.states.bits()),
            socket_id: match family {
                Family::Ipv4 => SocketId::new_v4(),
                _ => SocketId::new_v6(),
            },
        };
        let mut body = vec![0; request.buffer_len()];
        request.emit(&mut body);
        if beyond {
            attribute::push(&mut body, INET_DIAG_REQ_PROTOCOL, &u32::from(number).to_ne_bytes());
        }
        body
    }

    /// `struct inet_diag_req`: family, two lengths, extensions, socket id, states, dbs. The crate
    /// has no type for it.
    fn both_families(self) -> Vec<u8> {
        let mut body = vec![Family::Ipv4.number(), 0, 0, self.extensions.byte()];
        body.extend([0; 48]);
        body.extend(self.states.bits().to_ne_bytes());
        body.extend(0u32.to_ne_bytes());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::State;

    #[test]
    fn requests_have_the_kernels_sizes_and_offsets() {
        let mut request = Request {
            protocol: Protocol::Udp,
            family: Some(Family::Ipv6),
            states: StateSet::of(State::Listen).with(StateSet::of(State::BoundInactive)),
            extensions: Extensions::INFO.with(Extensions::MEMORY),
        };
        let (kind, body) = request.message();
        assert_eq!((kind, body.len()), (20, 56));
        assert_eq!(body[..4], [10, 17, 0b100_0010, 0]);
        assert_eq!(body[4..8], (1u32 << 10 | 1 << 13).to_ne_bytes());
        request.protocol = Protocol::Tcp;
        request.family = None;
        let (kind, body) = request.message();
        assert_eq!((kind, body.len()), (18, 60));
        assert_eq!(body[3], 0b100_0010);
        assert_eq!(body[52..56], (1u32 << 10 | 1 << 13).to_ne_bytes());
    }
}
