//! The nested attributes of a TIPC socket (`tipc_sk_fill_sock_diag` in `net/tipc/socket.c`).

use crate::{
    kernel::{
        bytes::{u32_ne, u64_ne},
        netlink::attribute::Attributes,
    },
    model::{
        family::{
            FamilyFacts,
            tipc::{Connection, Tipc},
        },
        protocol::{Family, Protocol},
        socket::Socket,
        socket_type::SocketType,
        state::{State, StateSet},
    },
};

/// `TIPC_NLA_SOCK`.
const SOCK: u16 = 2;

// `TIPC_NLA_SOCK_*`.
const ADDR: u16 = 1;
const REF: u16 = 2;
const CON: u16 = 3;
const HAS_PUBL: u16 = 4;
const STAT: u16 = 5;
const TYPE: u16 = 6;
const INO: u16 = 7;
const UID: u16 = 8;
const TIPC_STATE: u16 = 9;
const COOKIE: u16 = 10;

pub(super) fn request(states: StateSet) -> Vec<u8> {
    let mut body = vec![Family::Tipc.number(), 0, 0, 0];
    body.extend(states.bits().to_ne_bytes());
    body
}

/// Decodes one answer, which has attributes alone.
pub(super) fn decode(message: &[u8]) -> Option<Socket> {
    let (_, value) = Attributes::new(message).find(|(kind, _)| *kind == SOCK)?;
    let mut tipc = Tipc::default();
    let mut socket = Socket::new(Protocol::Tipc, Family::Tipc, State::Other(0));
    for (kind, value) in Attributes::new(value) {
        match kind {
            ADDR => tipc.node = u32_ne(value, 0)?,
            REF => tipc.reference = u32_ne(value, 0)?,
            CON => tipc.connection = Some(connection(value)),
            HAS_PUBL => tipc.has_publication = true,
            STAT => statistics(value, &mut tipc),
            TYPE => tipc.kind = small(value).map(SocketType::from_kernel),
            INO => socket.inode = u32_ne(value, 0).filter(|inode| *inode != 0).map(u64::from),
            UID => socket.uid = u32_ne(value, 0),
            TIPC_STATE => socket.state = State::from_kernel(Protocol::Tipc, small(value)?),
            COOKIE => socket.cookie = u64_ne(value, 0),
            _ => {}
        }
    }
    socket.family_facts = Some(Box::new(FamilyFacts::Tipc(tipc)));
    Some(socket)
}

/// A word that holds a small number.
fn small(value: &[u8]) -> Option<u8> {
    u32_ne(value, 0).and_then(|number| u8::try_from(number).ok())
}

/// `TIPC_NLA_CON_*`.
fn connection(value: &[u8]) -> Connection {
    let mut connection = Connection::default();
    let (mut is_named, mut name) = (false, (0, 0));
    for (kind, value) in Attributes::new(value) {
        let number = u32_ne(value, 0);
        match (kind, number) {
            (1, _) => is_named = true,
            (2, Some(number)) => connection.node = number,
            (3, Some(number)) => connection.port = number,
            (4, Some(number)) => name.0 = number,
            (5, Some(number)) => name.1 = number,
            _ => {}
        }
    }
    connection.via = is_named.then_some(name);
    connection
}

/// `TIPC_NLA_SOCK_STAT_*`. Its queues count messages, not bytes.
fn statistics(value: &[u8], tipc: &mut Tipc) {
    for (kind, value) in Attributes::new(value) {
        match kind {
            1 => tipc.recv_messages = u32_ne(value, 0),
            2 => tipc.send_messages = u32_ne(value, 0),
            3 => tipc.link_congested = true,
            4 => tipc.connection_congested = true,
            5 => tipc.drops = u32_ne(value, 0),
            _ => {}
        }
    }
}
