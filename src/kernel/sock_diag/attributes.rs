//! `INET_DIAG_*` attributes of an answer. Unknown kinds are passed over: newer kernels send more.

use super::{associations, details};
use crate::{
    kernel::{
        bytes::{array, u8_at, u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::{
        memory::SocketMemory,
        protocol::Protocol,
        socket::{Congestion, Socket, Unasked},
        tcp_info::TcpInfo,
    },
};
use netlink_packet_sock_diag::{
    INET_DIAG_CONG, INET_DIAG_INFO, INET_DIAG_MARK, INET_DIAG_SHUTDOWN, INET_DIAG_SKMEMINFO,
    INET_DIAG_SKV6ONLY, INET_DIAG_TOS,
};

// Not in the crate's constants.
const INET_DIAG_CGROUP_ID: u16 = 21;
const INET_DIAG_SOCKOPT: u16 = 22;

/// Fills in what the attributes tell, and nothing else. One that is too short for its kind is passed
/// over.
// Not inlined: the compiler would keep the socket in pieces and put it together byte by byte.
#[inline(never)]
pub fn decode(bytes: &[u8], socket: &mut Socket) {
    (socket.mark, socket.cgroup_id, socket.shutdown) = (None, None, None);
    (socket.v6only, socket.sockopt, socket.tos) = (None, None, None);
    (socket.memory, socket.congestion) = (None, None);
    (socket.details, socket.family_facts) = (None, None);
    // The place of the last one is the place of the next.
    let mut place = socket.tcp_info.take();
    for (kind, value) in Attributes::new(bytes) {
        match kind {
            INET_DIAG_SHUTDOWN => socket.shutdown = u8_at(value, 0),
            INET_DIAG_CGROUP_ID => socket.cgroup_id = u64_ne(value, 0),
            INET_DIAG_SOCKOPT => socket.sockopt = array(value, 0),
            INET_DIAG_MARK => socket.mark = u32_ne(value, 0),
            INET_DIAG_SKV6ONLY => socket.v6only = u8_at(value, 0).map(|flag| flag != 0),
            INET_DIAG_TOS => socket.tos = u8_at(value, 0),
            INET_DIAG_INFO if has_tcp_info(socket.protocol) && !value.is_empty() => {
                socket.tcp_info = Some(match place.take() {
                    Some(mut place) => {
                        place.take(value);
                        place
                    }
                    None => Box::new(TcpInfo::from_kernel(value)),
                });
            }
            INET_DIAG_CONG => socket.congestion = Some(Congestion::from_kernel(value)),
            INET_DIAG_SKMEMINFO => socket.memory = memory(value),
            rare if details::is_rare(rare) => details::decode(rare, value, &mut socket.details),
            kind if matches!(socket.protocol, Protocol::Mptcp | Protocol::Sctp) => {
                associations::decode(kind, value, socket);
            }
            _ => {}
        }
    }
}

/// What was read into a socket, where that is no more than comes unasked.
pub fn unasked_alone(socket: &Socket) -> Option<Unasked> {
    let is_more = socket.tcp_info.is_some()
        || socket.memory.is_some()
        || socket.congestion.is_some()
        || socket.details.is_some()
        || socket.family_facts.is_some();
    (!is_more).then(|| Unasked::of(socket))
}

/// Fills in what was read before of the same attributes, and nothing else.
#[inline]
pub fn fill(socket: &mut Socket, unasked: Unasked) {
    unasked.fill(socket);
    (socket.memory, socket.congestion) = (None, None);
    if socket.tcp_info.is_some() || socket.details.is_some() || socket.family_facts.is_some() {
        (socket.tcp_info, socket.details, socket.family_facts) = (None, None, None);
    }
}

/// Whether `INET_DIAG_INFO` is a `struct tcp_info`; DCCP fills in one too (`dccp_get_info`).
fn has_tcp_info(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Dccp)
}

/// Older kernels send fewer words: seven are the least that makes sense.
pub(super) fn memory(value: &[u8]) -> Option<SocketMemory> {
    let word = |index: usize| u32_ne(value, index * 4);
    Some(SocketMemory {
        rmem_alloc_bytes: word(0)?,
        rcvbuf_bytes: word(1)?,
        wmem_alloc_bytes: word(2)?,
        sndbuf_bytes: word(3)?,
        fwd_alloc_bytes: word(4)?,
        wmem_queued_bytes: word(5)?,
        optmem_bytes: word(6)?,
        lock_backlog_bytes: word(7),
        drops: word(8),
    })
}
