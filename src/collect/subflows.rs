//! Which TCP connections an MPTCP connection runs over.

use crate::{
    kernel::{
        error::Error,
        netlink::connection::{Connection, Next},
        sock_diag::{
            dump,
            request::{Extensions, Request},
        },
    },
    model::{
        family::{
            FamilyFacts,
            mptcp::{MptcpInfo, Subflow},
        },
        protocol::Protocol,
        socket::Socket,
        state::StateSet,
    },
};
use std::collections::HashMap;

/// The TCP connections of MPTCP sockets, by the token of the connection on this side.
#[derive(Debug, Default)]
pub(super) struct Subflows {
    by_token: HashMap<u32, Vec<Subflow>>,
}

impl Subflows {
    /// Asks for them: every TCP socket tells whether it is one, beside its `tcp_info`.
    pub(super) fn ask(connection: &mut Connection) -> Result<Self, Error> {
        let mut subflows = Self::default();
        let request = Request {
            protocol: Protocol::Tcp,
            family: None,
            states: StateSet::ALL,
            extensions: Extensions::INFO,
        };
        dump::sockets(connection, &request, |socket| {
            let layer = socket.details.as_ref().and_then(|details| details.upper_layer.as_ref());
            let token = layer.and_then(|layer| layer.mptcp.as_ref()?.token_local);
            if let (Some(token), Some(peer)) = (token, socket.peer()) {
                let (state, local) = (socket.state, socket.local);
                let subflow = Subflow { state, local, peer: *peer, cookie: socket.cookie };
                subflows.by_token.entry(token).or_default().push(subflow);
            }
            Next::More
        })?;
        Ok(subflows)
    }

    /// The socket with its TCP connections.
    pub(super) fn fill(&self, socket: &Socket) -> Socket {
        let mut socket = socket.clone();
        if let Some(FamilyFacts::Mptcp(mptcp)) = socket.family_facts.as_deref_mut() {
            let token = mptcp.info.as_ref().and_then(MptcpInfo::token);
            // A listener has no token, and no connection of its own.
            let found = token.filter(|token| *token != 0).and_then(|t| self.by_token.get(&t));
            mptcp.subflows = Some(found.cloned().unwrap_or_default());
        }
        socket
    }
}
