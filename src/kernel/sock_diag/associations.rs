//! Attributes of MPTCP and SCTP answers (`net/mptcp/mptcp_diag.c`, `net/sctp/diag.c`).

use crate::{
    kernel::bytes::{array, u16_ne},
    model::{
        family::{
            FamilyFacts,
            mptcp::{Mptcp, MptcpInfo},
            sctp::{Sctp, SctpInfo},
        },
        protocol::Protocol,
        socket::Socket,
        state::State,
    },
};
use netlink_packet_sock_diag::{INET_DIAG_INFO, INET_DIAG_LOCALS, INET_DIAG_PEERS};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `struct sockaddr_storage`.
const STORAGE: usize = 128;

/// Fills in what one attribute tells.
#[cold]
pub fn decode(kind: u16, value: &[u8], socket: &mut Socket) {
    match socket.protocol {
        Protocol::Mptcp if kind == INET_DIAG_INFO && !value.is_empty() => {
            let info = Some(MptcpInfo::from_kernel(value));
            let mptcp = Mptcp { info, subflows: None };
            socket.family_facts = Some(Box::new(FamilyFacts::Mptcp(mptcp)));
        }
        Protocol::Sctp => {
            let facts = socket
                .family_facts
                .get_or_insert_with(|| Box::new(FamilyFacts::Sctp(Sctp::default())));
            let FamilyFacts::Sctp(sctp) = facts.as_mut() else {
                return;
            };
            match kind {
                INET_DIAG_INFO if !value.is_empty() => {
                    sctp.info = Some(SctpInfo::from_kernel(value));
                }
                INET_DIAG_LOCALS => sctp.locals = addresses(value),
                INET_DIAG_PEERS => {
                    sctp.peers = addresses(value);
                    // SHUTDOWN_ACK_SENT has the number of an endpoint without connections.
                    if socket.state == State::Closed {
                        socket.state = State::LastAck;
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// Keeps the number the header has for the state of an association, which knows more states than
/// TCP; an endpoint, which has no peers, has a state of TCP.
pub fn learn_state(socket: &mut Socket, number: u8) {
    if let Some(FamilyFacts::Sctp(sctp)) = socket.family_facts.as_deref_mut() {
        sctp.association_state = (!sctp.peers.is_empty()).then_some(number);
    }
}

/// Addresses, one in each `struct sockaddr_storage`.
fn addresses(value: &[u8]) -> Vec<IpAddr> {
    let address = |storage: &[u8]| -> Option<IpAddr> {
        match u16_ne(storage, 0)? {
            2 => Some(Ipv4Addr::from(array::<4>(storage, 4)?).into()),
            10 => Some(Ipv6Addr::from(array::<16>(storage, 8)?).into()),
            _ => None,
        }
    };
    value.chunks_exact(STORAGE).filter_map(address).collect()
}
