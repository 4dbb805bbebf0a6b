//! Local ports that programs named in `bind(2)`, asked for with inet_diag bytecode.

use super::{
    inet,
    request::{Extensions, Request},
};
use crate::{
    kernel::{
        error::Error,
        netlink::connection::{Connection, Next, Piece},
    },
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
};
use std::collections::BTreeSet;

/// `INET_DIAG_REQ_BYTECODE`.
const BYTECODE: u16 = 1;
/// `INET_DIAG_BC_JMP` and `INET_DIAG_BC_AUTO`.
const JUMP: u8 = 1;
const AUTO: u8 = 6;

/// Ports of connected sockets that have `SOCK_BINDPORT_LOCK`: the program named the port. Sockets
/// for which `bind(2)` chose one, and accepted ones, do not have it; of mini-sockets the kernel
/// has forgotten it.
pub fn read() -> Result<Vec<u16>, Error> {
    let mut connection = Connection::open()?;
    let states = StateSet::ALL
        .without(StateSet::of(State::Listen))
        .without(StateSet::of(State::TimeWait))
        .without(StateSet::of(State::SynRcvd));
    let request =
        Request { protocol: Protocol::Tcp, family: None, states, extensions: Extensions::NONE };
    let (kind, mut body) = request.message();
    body.extend(12u16.to_ne_bytes());
    body.extend(BYTECODE.to_ne_bytes());
    // An instruction is {code, yes, no}: where to go on, in bytes. The end accepts, 4 beyond it
    // rejects. AUTO lets a port the kernel chose fall to JMP, which goes beyond the end.
    for code in [AUTO, JUMP] {
        body.extend([code, 4]);
        body.extend(8u16.to_ne_bytes());
    }
    let mut ports = BTreeSet::new();
    connection.dump("ask for the ports programs named", kind, &body, |piece| {
        if let Piece::Message { payload, .. } = piece
            && let Some(socket) = inet::decode(Protocol::Tcp, payload)
        {
            ports.insert(socket.local.port);
        }
        Next::More
    })?;
    Ok(ports.into_iter().collect())
}
