//! `struct unix_diag_msg` (16 bytes) to a socket.

use super::{Wanted, by_states, memory};
use crate::{
    kernel::{
        bytes::{u8_at, u32_ne, u64_ne},
        error::Error,
        netlink::{
            attribute::Attributes,
            connection::{Connection, Next, Piece},
        },
    },
    model::{
        family::{
            FamilyFacts,
            unix::{File, Unix},
        },
        name::Name,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        socket_type::SocketType,
        state::{State, StateSet},
    },
};
use netlink_packet_sock_diag::{
    SOCK_DIAG_BY_FAMILY, UDIAG_SHOW_ICONS, UDIAG_SHOW_MEMINFO, UDIAG_SHOW_NAME, UDIAG_SHOW_PEER,
    UDIAG_SHOW_RQLEN, UDIAG_SHOW_VFS, UNIX_DIAG_ICONS, UNIX_DIAG_MEMINFO, UNIX_DIAG_NAME,
    UNIX_DIAG_PEER, UNIX_DIAG_RQLEN, UNIX_DIAG_SHUTDOWN, UNIX_DIAG_VFS,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// `UDIAG_SHOW_UID` and `UNIX_DIAG_UID` (kernel 5.3), not in the crate's constants.
const UDIAG_SHOW_UID: u32 = 1 << 6;
const UNIX_DIAG_UID: u16 = 7;

/// What to ask for. Queue lengths take the lock of every socket, and are in every row.
pub(super) fn show(wanted: Wanted) -> u32 {
    let mut show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
    if wanted.memory {
        show |= UDIAG_SHOW_MEMINFO;
    }
    if wanted.details {
        show |= UDIAG_SHOW_VFS | UDIAG_SHOW_ICONS;
    }
    show
}

pub(super) fn request(states: StateSet, show: u32) -> Vec<u8> {
    by_states(Family::Unix.number(), states, show)
}

/// Decodes one answer.
pub(super) fn decode(message: &[u8]) -> Option<Socket> {
    let (header, rest) = message.split_first_chunk::<16>()?;
    if u8_at(header, 0)? != Family::Unix.number() {
        return None;
    }
    let state = State::from_kernel(Protocol::Unix, u8_at(header, 2)?);
    let inode = u32_ne(header, 4)?;
    let mut unix = Unix::of(SocketType::from_kernel(u8_at(header, 1)?));
    let mut socket = Socket {
        // A socket that waits to be accepted has no file yet.
        inode: (inode != 0).then_some(inode.into()),
        cookie: Some(u64_ne(header, 8)?),
        ..Socket::new(Protocol::Unix, Family::Unix, state)
    };
    for (kind, value) in Attributes::new(rest) {
        match kind {
            UNIX_DIAG_NAME => unix.path = name(value),
            UNIX_DIAG_VFS => unix.file = file(value),
            // 0: the socket that stands for this end at a listener has no file before accept(2).
            UNIX_DIAG_PEER => unix.peer_inode = u32_ne(value, 0).filter(|inode| *inode != 0),
            UNIX_DIAG_ICONS => {
                unix.pending = value.chunks_exact(4).filter_map(|word| u32_ne(word, 0)).collect();
            }
            UNIX_DIAG_RQLEN => {
                if let (Some(recv), Some(send)) = (u32_ne(value, 0), u32_ne(value, 4)) {
                    socket.queues = queues(state, recv, send);
                }
            }
            UNIX_DIAG_MEMINFO => socket.memory = memory(value),
            UNIX_DIAG_SHUTDOWN => socket.shutdown = u8_at(value, 0),
            UNIX_DIAG_UID => socket.uid = u32_ne(value, 0),
            _ => {}
        }
    }
    socket.family_facts = Some(Box::new(FamilyFacts::Unix(unix)));
    Some(socket)
}

/// For a listener connections and their limit, else bytes (`sk_diag_show_rqlen`).
fn queues(state: State, recv: u32, send: u32) -> Queues {
    match state {
        State::Listen => Queues::Listen { accept_queue: recv, limit: Some(send) },
        _ => Queues::Data { recv, send },
    }
}

/// A path comes with the zero that ends it, which is not part of it; an abstract name begins with
/// one, and every further zero is part of it (`unix_mkname`).
fn name(value: &[u8]) -> Option<Name> {
    let name = match value {
        [] => return None,
        [0, ..] => value,
        path => path.split(|byte| *byte == 0).next().unwrap_or_default(),
    };
    Some(Name(name.to_vec()))
}

fn file(value: &[u8]) -> Option<File> {
    Some(File { inode: u32_ne(value, 0)?, device: u32_ne(value, 4)? })
}

/// The names of unix sockets by inode, to tell who is at the other end.
#[derive(Debug, Default)]
pub struct Names {
    by_inode: HashMap<u32, Arc<[u8]>>,
    /// Of listeners, by the inodes of those who wait to be accepted.
    by_waiting: HashMap<u32, Arc<[u8]>>,
}

impl Names {
    /// Asks for the names of every unix socket. Whoever accepts connections has the listener's
    /// name as often as there are connections: each name is kept once.
    pub fn ask(connection: &mut Connection) -> Result<Self, Error> {
        let mut names = Self::default();
        let mut known: HashSet<Arc<[u8]>> = HashSet::new();
        let show = UDIAG_SHOW_NAME | UDIAG_SHOW_ICONS;
        let body = request(StateSet::every(Protocol::Unix), show);
        connection.dump("names of unix sockets", SOCK_DIAG_BY_FAMILY, &body, |piece| {
            if let Piece::Message { payload, .. } = piece
                && let (Some(inode), Some(rest)) = (u32_ne(payload, 4), payload.get(16..))
                && let Some((_, value)) =
                    Attributes::new(rest).find(|(kind, _)| *kind == UNIX_DIAG_NAME)
                && let Some(Name(name)) = self::name(value)
            {
                let name = if let Some(name) = known.get(&*name) {
                    Arc::clone(name)
                } else {
                    let name: Arc<[u8]> = name.into();
                    known.insert(Arc::clone(&name));
                    name
                };
                let waiting = Attributes::new(rest).find(|(kind, _)| *kind == UNIX_DIAG_ICONS);
                for word in waiting.map_or(&[][..], |(_, value)| value).chunks_exact(4) {
                    if let Some(client) = u32_ne(word, 0) {
                        names.by_waiting.insert(client, Arc::clone(&name));
                    }
                }
                names.by_inode.insert(inode, name);
            }
            Next::More
        })?;
        Ok(names)
    }

    /// Fills in the name of the socket at the other end.
    ///
    /// Of one that waits to be accepted it is the listener's, which the kernel knows it by.
    pub fn fill(&self, socket: &mut Socket) {
        let inode = socket.inode.and_then(|inode| u32::try_from(inode).ok());
        if let Some(FamilyFacts::Unix(unix)) = socket.family_facts.as_deref_mut() {
            let name = match unix.peer_inode {
                Some(peer) => self.by_inode.get(&peer),
                None => inode.and_then(|inode| self.by_waiting.get(&inode)),
            };
            unix.peer_path = name.map(|name| Name(name.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::netlink::attribute;

    #[test]
    fn names_end_as_unix_mkname_ends_them() {
        let of = |value: &[u8]| name(value).map(|name| name.0);
        assert_eq!(of(b"/run/x\0").as_deref(), Some(&b"/run/x"[..]));
        assert_eq!(of(b"/run/x").as_deref(), Some(&b"/run/x"[..]));
        assert_eq!(of(b"\0a\0b\0").as_deref(), Some(&b"\0a\0b\0"[..]));
        assert_eq!(of(b"\0").as_deref(), Some(&b"\0"[..]));
        assert_eq!(of(b""), None);
    }

    #[test]
    fn a_listener_counts_connections_and_others_bytes() {
        let answer = |state: u8| {
            let mut bytes = vec![1, 1, state, 0];
            bytes.extend(77u32.to_ne_bytes());
            bytes.extend(9u64.to_ne_bytes());
            let lengths = [3u32.to_ne_bytes(), 128u32.to_ne_bytes()].concat();
            attribute::push(&mut bytes, UNIX_DIAG_RQLEN, &lengths);
            decode(&bytes).unwrap()
        };
        assert_eq!(answer(10).queues, Queues::Listen { accept_queue: 3, limit: Some(128) });
        assert_eq!(answer(1).queues, Queues::Data { recv: 3, send: 128 });
        assert_eq!(answer(7).state, State::Unconnected);
        assert_eq!(answer(7).cookie, Some(9));
    }
}
