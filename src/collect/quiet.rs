//! The TCP sockets of a network namespace in which nothing was sent or received since they were seen.
//!
//! A walk goes over the table of the whole machine, whatever the namespace has in it. Where no socket
//! can have come, those that were seen are asked for one by one, which costs a few microseconds each.

use crate::{
    kernel::{
        error::Error,
        sock_diag::{
            exact::{Identity, Inquiry},
            request::Extensions,
        },
    },
    model::{
        counters::Counters,
        netns::NetnsIndex,
        protocol::Protocol,
        socket::Socket,
        state::{State, StateSet},
    },
};

/// More are walked for: asking for each takes as long by then.
const FEW: usize = 256;

/// What stands still where no connection came. A socket comes into the table of connections when it
/// sends a SYN (`tcp_connect`) or receives one (`tcp_v4_rcv` counts it first), or by TCP_REPAIR, which
/// is seen by their number (`inet_hash`). Where there is no IPv6 its number is missing both times.
const STILL: [&str; 7] = [
    "Tcp.InSegs",
    "Tcp.OutSegs",
    "Tcp.RetransSegs",
    "Tcp.ActiveOpens",
    "Tcp.PassiveOpens",
    "sockstat.TCP.inuse",
    "sockstat6.TCP6.inuse",
];

/// The states of which sockets come without a segment: those are walked for, in tables of their own.
pub(super) fn silent() -> StateSet {
    StateSet::of(State::Listen).with(StateSet::of(State::BoundInactive))
}

/// The connections that were seen, as long as they are few enough to ask for each.
#[derive(Default)]
pub(super) struct Few {
    connections: Vec<Identity>,
    are_more: bool,
}

impl Few {
    /// One more socket.
    pub(super) fn add(&mut self, socket: &Socket) {
        if self.are_more || socket.protocol != Protocol::Tcp || silent().contains(socket.state) {
            return;
        }
        // One of /proc has no cookie, and another may have its addresses by now.
        self.are_more = socket.cookie.is_none() || self.connections.len() == FEW;
        self.connections.push(Identity::of(socket));
    }

    /// All of them. `None`: they are too many, or cannot be asked for.
    pub(super) fn connections(self) -> Option<Vec<Identity>> {
        (!self.are_more).then_some(self.connections)
    }
}

/// Whether no connection can have come between the two moments.
pub(super) fn is_quiet(before: &Counters, now: &Counters) -> bool {
    let is_known = |name: &str| now.get(name).is_some() || name.starts_with("sockstat6");
    STILL.iter().all(|name| is_known(name) && before.get(name) == now.get(name))
}

/// These connections as they are now. `None`: one that cannot have ended is not found.
pub(super) fn ask(
    netns: NetnsIndex,
    connections: &[Identity],
    extensions: Extensions,
) -> Result<Option<Vec<Socket>>, Error> {
    let (mut found, mut missed) = (Vec::with_capacity(connections.len()), false);
    Inquiry::open()?.find_each(connections, extensions, |_, socket| match socket {
        Some(mut socket) => {
            socket.netns = netns;
            found.push(socket);
        }
        None => missed = true,
    })?;
    Ok((!missed).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::protocol::Family;

    fn counters(segments: u64, v6: Option<u64>) -> Counters {
        let six = v6.map(|number| ("sockstat6.TCP6.inuse", number));
        let still = STILL.iter().filter(|name| !name.starts_with("sockstat6"));
        still.map(|name| (*name, segments)).chain(six).collect()
    }

    #[test]
    fn one_segment_or_a_counter_that_is_not_known_is_not_quiet() {
        assert!(is_quiet(&counters(7, Some(1)), &counters(7, Some(1))));
        assert!(is_quiet(&counters(7, None), &counters(7, None)));
        assert!(!is_quiet(&counters(7, Some(1)), &counters(7, Some(2))));
        for name in STILL {
            let before = counters(7, Some(7));
            let mut now = before.clone();
            now.insert(name, 8);
            assert!(!is_quiet(&before, &now), "{name}");
        }
        assert!(!is_quiet(&Counters::default(), &Counters::default()));
    }

    #[test]
    fn few_connections_with_cookies_are_asked_for_one_by_one() {
        let socket = |state| {
            let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, state);
            socket.cookie = Some(1);
            socket
        };
        let (listener, open) = (socket(State::Listen), socket(State::Established));
        let udp = Socket::new(Protocol::Udp, Family::Ipv4, State::Unconnected);
        let connections = |sockets: &[Socket]| {
            let mut few = Few::default();
            for socket in sockets {
                few.add(socket);
            }
            few.connections()
        };
        let few = [listener.clone(), open.clone(), udp.clone()];
        assert_eq!(connections(&few).map(|few| few.len()), Some(1));
        assert_eq!(connections(&vec![open.clone(); FEW]).map(|few| few.len()), Some(FEW));
        assert_eq!(connections(&vec![open.clone(); FEW + 1]), None);
        assert_eq!(connections(&[Socket { cookie: None, ..open }]), None);
    }
}
