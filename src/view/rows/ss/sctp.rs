//! What differs of SCTP: associations hang below their endpoint, and have several addresses.

use super::number;
use crate::{
    model::{
        family::sctp::{Sctp, SctpInfo},
        socket::Socket,
        timer::Timer,
    },
    view::address,
};
use std::{io::Write, net::IpAddr};

/// `enum sctp_state` in the words of ss.
const STATES: [&str; 8] = [
    "CLOSED",
    "COOKIE_WAIT",
    "COOKIE_ECHOED",
    "ESTAB",
    "SHUTDOWN_PENDING",
    "SHUTDOWN_SENT",
    "SHUTDOWN_RECEIVED",
    "ACK_SENT",
];

fn state_name(number: u64) -> Option<&'static str> {
    STATES.get(usize::try_from(number).ok()?).copied()
}

/// `- ESTAB`, with a tick in front: the state of an association. `None`: this is an endpoint.
pub(super) fn association(socket: &Socket) -> Option<&'static str> {
    let number = socket.sctp()?.association_state?;
    Some(state_name(number.into()).unwrap_or("UNKNOWN"))
}

/// ` timer:(T3_RTX,1.2sec,0)`: the one timer that is told.
pub(super) fn timer(out: &mut Vec<u8>, timer: Option<Timer>) {
    let Some(timer) = timer else { return };
    out.extend(b" timer:(T3_RTX,");
    number::timer(out, timer.expires_ms);
    let _ = write!(out, ",{})", timer.retransmits);
}

/// Addresses, and the association where it was asked for.
pub(super) fn info(out: &mut Vec<u8>, sctp: &Sctp) {
    for (key, addresses) in [(" locals:", &sctp.locals), (" peers:", &sctp.peers)] {
        list(out, key, addresses);
    }
    if let Some(info) = &sctp.info {
        fields(out, info);
    }
}

fn list(out: &mut Vec<u8>, key: &str, addresses: &[IpAddr]) {
    for (index, one) in addresses.iter().enumerate() {
        out.extend(if index == 0 { key.as_bytes() } else { b"," });
        address::write(out, *one);
    }
}

/// What is zero is left out.
fn fields(out: &mut Vec<u8>, info: &SctpInfo) {
    for (key, name) in [
        ("tag", "tag"),
        ("state", "state"),
        ("rwnd", "rwnd"),
        ("unackdata", "unackdata"),
        ("penddata", "penddata"),
        ("instrms", "instrms"),
        ("outstrms", "outstrms"),
        ("inqueue", "inqueue"),
        ("outqueue", "outqueue"),
        ("overerr", "overall_error"),
        ("maxburst", "max_burst"),
        ("maxseg", "maxseg"),
        ("prwnd", "peer_rwnd"),
        ("ptag", "peer_tag"),
        ("pcapable", "peer_capable"),
        ("psack", "peer_sack"),
        ("autoclose", "s_autoclose"),
        ("adapind", "s_adaptation_ind"),
        ("pdpoint", "s_pd_point"),
        ("nodelay", "s_nodelay"),
        ("nofrag", "s_disable_fragments"),
        ("v4mapped", "s_v4mapped"),
        ("fraginl", "s_frag_interleave"),
    ] {
        let Some(number) = info.by_name(name).filter(|number| *number != 0) else { continue };
        let _ = match key {
            "tag" | "ptag" => write!(out, " {key}:{number:x}"),
            "state" => write!(out, " state:{}", state_name(number).unwrap_or("UNKNOWN")),
            _ => write!(out, " {key}:{number}"),
        };
    }
}
