//! Socket states: one table of numbers, names and spellings.
//!
//! Names are those of the netstat manual as sockeye's contract fixes them; numbers are those of
//! `include/net/tcp_states.h`. Every other tool's word for the same state is accepted on input.

use super::protocol::Protocol;
use std::fmt;

/// The state of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// 1. The connection is open; for UDP: `connect(2)` has fixed the peer.
    Established,
    /// 2. We sent SYN and wait for the answer.
    SynSent,
    /// 3. We answered a SYN and wait for the final ACK (also request sockets, kernel number 12).
    SynRcvd,
    /// 4. We sent FIN; the peer has not acknowledged it.
    FinWait1,
    /// 5. Our FIN is acknowledged; the peer has not closed its side.
    FinWait2,
    /// 6. Both sides closed, we closed first; the 4-tuple is kept for 60 s.
    TimeWait,
    /// 7. No connection.
    Closed,
    /// 8. The peer closed; our process has not.
    CloseWait,
    /// 9. The peer closed, then we did; the ACK of our FIN is missing.
    LastAck,
    /// 10. Waits for connections.
    Listen,
    /// 11. Both sides sent FIN at once; the ACK of ours is missing.
    Closing,
    /// 13 in a request, 7 in the reply: bound to a port, neither listening nor connected.
    BoundInactive,
    /// 7 of a datagram or raw socket: no peer is fixed.
    Unconnected,
    /// A number this build does not know; shown as it is, never guessed.
    Other(u8),
}

/// One line of the table.
struct Names {
    state: State,
    /// Kernel number, as `idiag_state` or the `st` column of /proc reports it.
    number: u8,
    /// sockeye's documented name.
    name: &'static str,
    /// RFC 9293 section 3.3.2.
    rfc: &'static str,
    /// Linux netstat (net-tools).
    netstat: &'static str,
    /// `ss` (iproute2).
    ss: &'static str,
    /// lsof.
    lsof: &'static str,
    /// One line: what it means.
    meaning: &'static str,
}

#[rustfmt::skip]
const TABLE: [Names; 13] = [
    Names { state: State::Closed,        number: 7,  name: "CLOSED",         rfc: "CLOSED",       netstat: "CLOSE",       ss: "UNCONN",     lsof: "CLOSE",       meaning: "no connection" },
    Names { state: State::Listen,        number: 10, name: "LISTEN",         rfc: "LISTEN",       netstat: "LISTEN",      ss: "LISTEN",     lsof: "LISTEN",      meaning: "waits for connections from any peer" },
    Names { state: State::SynSent,       number: 2,  name: "SYN_SENT",       rfc: "SYN-SENT",     netstat: "SYN_SENT",    ss: "SYN-SENT",   lsof: "SYN_SENT",    meaning: "sent SYN, waits for the peer's SYN and ACK" },
    Names { state: State::SynRcvd,       number: 3,  name: "SYN_RCVD",       rfc: "SYN-RECEIVED", netstat: "SYN_RECV",    ss: "SYN-RECV",   lsof: "SYN_RECV",    meaning: "answered a SYN, waits for the final ACK" },
    Names { state: State::Established,   number: 1,  name: "ESTABLISHED",    rfc: "ESTABLISHED",  netstat: "ESTABLISHED", ss: "ESTAB",      lsof: "ESTABLISHED", meaning: "open: data can flow both ways" },
    Names { state: State::CloseWait,     number: 8,  name: "CLOSE_WAIT",     rfc: "CLOSE-WAIT",   netstat: "CLOSE_WAIT",  ss: "CLOSE-WAIT", lsof: "CLOSE_WAIT",  meaning: "the peer closed; this side's process must close too" },
    Names { state: State::LastAck,       number: 9,  name: "LAST_ACK",       rfc: "LAST-ACK",     netstat: "LAST_ACK",    ss: "LAST-ACK",   lsof: "LAST_ACK",    meaning: "closed after the peer, waits for the ACK of the FIN" },
    Names { state: State::FinWait1,      number: 4,  name: "FIN_WAIT_1",     rfc: "FIN-WAIT-1",   netstat: "FIN_WAIT1",   ss: "FIN-WAIT-1", lsof: "FIN_WAIT1",   meaning: "closed first, waits for the ACK of the FIN" },
    Names { state: State::FinWait2,      number: 5,  name: "FIN_WAIT_2",     rfc: "FIN-WAIT-2",   netstat: "FIN_WAIT2",   ss: "FIN-WAIT-2", lsof: "FIN_WAIT2",   meaning: "closed first, FIN acknowledged, waits for the peer's FIN" },
    Names { state: State::Closing,       number: 11, name: "CLOSING",        rfc: "CLOSING",      netstat: "CLOSING",     ss: "CLOSING",    lsof: "CLOSING",     meaning: "both sides closed at once, waits for the ACK of the FIN" },
    Names { state: State::TimeWait,      number: 6,  name: "TIME_WAIT",      rfc: "TIME-WAIT",    netstat: "TIME_WAIT",   ss: "TIME-WAIT",  lsof: "TIME_WAIT",   meaning: "closed first and done; the kernel keeps the 4-tuple 60 s" },
    Names { state: State::BoundInactive, number: 7,  name: "BOUND_INACTIVE", rfc: "CLOSED",       netstat: "CLOSE",       ss: "UNCONN",     lsof: "CLOSED",      meaning: "bound to a port, neither listening nor connected" },
    Names { state: State::Unconnected,   number: 7,  name: "UNCONNECTED",    rfc: "",             netstat: "",            ss: "UNCONN",     lsof: "",            meaning: "datagram or raw socket without a fixed peer" },
];

/// Spellings people type that no tool prints.
const ALSO: [(&str, State); 3] =
    [("LISTENING", State::Listen), ("SYNRCV", State::SynRcvd), ("UNCONN", State::Unconnected)];

impl State {
    /// Every named state, in the order of a connection's life.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|names| names.state)
    }

    /// Decodes the kernel's number for a socket of this protocol.
    ///
    /// 12 (`TCP_NEW_SYN_RECV`) is a request socket: the kernel reports it as 3, /proc too.
    pub const fn from_kernel(protocol: Protocol, number: u8) -> Self {
        if matches!(protocol, Protocol::Sctp) {
            return Self::of_sctp(number);
        }
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 | 12 => Self::SynRcvd,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 if !protocol.has_tcp_states() => Self::Unconnected,
            // A TCP dump reports 7 only for sockets selected by mask bit 13 (bound, inactive).
            7 => Self::BoundInactive,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            other => Self::Other(other),
        }
    }

    /// What SCTP reports: an endpoint that listens, or does not, has the number of TCP, an
    /// association that of `enum sctp_state` (`inet_diag_msg_sctpasoc_fill`).
    const fn of_sctp(number: u8) -> Self {
        match number {
            0 | 7 => Self::Closed,
            // COOKIE_WAIT, COOKIE_ECHOED.
            1 | 2 => Self::SynSent,
            3 => Self::Established,
            // SHUTDOWN_PENDING, SHUTDOWN_SENT.
            4 | 5 => Self::FinWait1,
            // SHUTDOWN_RECEIVED.
            6 => Self::CloseWait,
            10 => Self::Listen,
            other => Self::Other(other),
        }
    }

    /// The number the kernel reports for this state; 7 for `BOUND_INACTIVE`.
    pub fn number(self) -> u8 {
        match self {
            Self::Other(number) => number,
            named => named.names().map_or(0, |n| n.number),
        }
    }

    /// The documented name, as tables and JSON show it; `UNKNOWN` for a number not in the table.
    pub fn name(self) -> &'static str {
        self.names().map_or("UNKNOWN", |n| n.name)
    }

    /// The line of the table. By index: every row of a listing asks for it.
    fn names(self) -> Option<&'static Names> {
        TABLE.get(match self {
            Self::Closed => 0,
            Self::Listen => 1,
            Self::SynSent => 2,
            Self::SynRcvd => 3,
            Self::Established => 4,
            Self::CloseWait => 5,
            Self::LastAck => 6,
            Self::FinWait1 => 7,
            Self::FinWait2 => 8,
            Self::Closing => 9,
            Self::TimeWait => 10,
            Self::BoundInactive => 11,
            Self::Unconnected => 12,
            Self::Other(_) => return None,
        })
    }

    /// The word of RFC 9293; `None` where the RFC has none (datagram sockets).
    pub fn rfc(self) -> Option<&'static str> {
        self.names().map(|n| n.rfc).filter(|word| !word.is_empty())
    }

    /// The word Linux netstat prints; `None` where it prints none.
    pub fn netstat(self) -> Option<&'static str> {
        self.names().map(|n| n.netstat).filter(|word| !word.is_empty())
    }

    /// The word `ss` prints.
    pub fn ss(self) -> &'static str {
        self.names().map_or("UNKNOWN", |n| n.ss)
    }

    /// The word lsof prints; `None` where it prints none.
    pub fn lsof(self) -> Option<&'static str> {
        self.names().map(|n| n.lsof).filter(|word| !word.is_empty())
    }

    /// One line: what the state means. Empty for a number not in the table.
    pub fn meaning(self) -> &'static str {
        self.names().map_or("", |n| n.meaning)
    }

    /// Reads any tool's spelling, in any case, with `-`, `_` or nothing between the words.
    ///
    /// Where two states share a foreign word (`CLOSE` of netstat, `UNCONN` of ss) the documented
    /// name decides first, then the order of the table.
    pub fn parse(word: &str) -> Option<Self> {
        let wanted = squeezed(word);
        if wanted.is_empty() {
            return None;
        }
        let by = |spelling: fn(&Names) -> &'static str| {
            TABLE.iter().find(|n| squeezed(spelling(n)) == wanted).map(|n| n.state)
        };
        by(|n| n.name)
            .or_else(|| ALSO.iter().find(|(also, _)| *also == wanted).map(|(_, state)| *state))
            .or_else(|| by(|n| n.rfc))
            .or_else(|| by(|n| n.netstat))
            .or_else(|| by(|n| n.ss))
            .or_else(|| by(|n| n.lsof))
    }
}

/// Upper case without the separators in which the tools differ.
fn squeezed(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect()
}

/// A state in a file: its documented name, or the number of one that has none.
pub mod by_name {
    use super::State;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    pub fn serialize<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
        match state {
            State::Other(number) => serializer.collect_str(number),
            named => serializer.serialize_str(named.name()),
        }
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<State, D::Error> {
        let word = String::deserialize(deserializer)?;
        let named = State::all().find(|state| state.name() == word);
        named
            .or_else(|| word.parse().ok().map(State::Other))
            .ok_or_else(|| D::Error::custom("expected a state"))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of states: the `idiag_states` mask of a request, bit = 1 << kernel number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSet(u32);

impl StateSet {
    /// No state.
    pub const NONE: Self = Self(0);
    /// Every state a dump walks for: 1 to 12.
    ///
    /// Not bit 13: it makes the kernel walk the bind table of all namespaces (measured: 0.24 ms
    /// becomes 26 to 50 ms on an empty namespace), so `BOUND_INACTIVE` is asked for by name only.
    pub const ALL: Self = Self(0x1ffe);
    /// The states of datagram sockets: connected to a peer, or not.
    pub const DATAGRAM: Self = Self((1 << 1) | (1 << 7));
    /// What ss shows without `-a` or `-l`: all but LISTEN, CLOSED, TIME_WAIT and SYN_RCVD.
    pub const CONNECTED: Self =
        Self(Self::ALL.0 & !((1 << 10) | (1 << 7) | (1 << 6) | (1 << 3) | (1 << 12)));

    /// Every state a socket of this protocol can have, `BOUND_INACTIVE` apart.
    pub const fn every(protocol: Protocol) -> Self {
        let mini = (1 << 6) | (1 << 3) | (1 << 12);
        if matches!(protocol, Protocol::Mptcp) {
            // TIME_WAIT and SYN_RCVD are matters of its TCP connections.
            Self(Self::ALL.0 & !mini)
        } else if matches!(protocol, Protocol::Sctp) {
            // What `State::of_sctp` makes of its own, and LAST_ACK: SHUTDOWN_ACK_SENT.
            Self((1 << 1) | (1 << 2) | (1 << 4) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 10))
        } else if protocol.has_tcp_states() {
            Self::ALL
        } else if matches!(protocol, Protocol::Packet | Protocol::Netlink | Protocol::Xdp) {
            // They have no connections, and every tool shows them without a state.
            Self(1 << 7)
        } else if protocol.can_listen() {
            // ESTABLISHED, SYN_SENT, UNCONNECTED, CLOSE_WAIT, LISTEN, CLOSING.
            Self((1 << 1) | (1 << 2) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 11))
        } else {
            Self::DATAGRAM
        }
    }

    /// The set of one state.
    pub fn of(state: State) -> Self {
        match state {
            // Bit 3 implies 12 in the kernel; both are set so that the mask says what it means.
            State::SynRcvd => Self((1 << 3) | (1 << 12)),
            State::BoundInactive => Self(1 << 13),
            State::Other(number) if number > 31 => Self::NONE,
            other => Self(1 << other.number()),
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in `self` and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every state of `other` is in the set.
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether `state` is in the set.
    pub fn contains(self, state: State) -> bool {
        self.0 & Self::of(state).0 != 0
    }

    /// Whether no state is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The mask for `idiag_states`.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tools_word_is_understood() {
        for (word, state) in [
            ("TIME_WAIT", State::TimeWait),
            ("time-wait", State::TimeWait),
            ("timewait", State::TimeWait),
            ("SYN_RECV", State::SynRcvd),
            ("SYN-RECEIVED", State::SynRcvd),
            ("syn-rcvd", State::SynRcvd),
            ("syn-rcv", State::SynRcvd),
            ("FIN_WAIT1", State::FinWait1),
            ("fin-wait-1", State::FinWait1),
            ("ESTAB", State::Established),
            ("established", State::Established),
            ("listening", State::Listen),
            ("listen", State::Listen),
            ("CLOSE", State::Closed),
            ("closed", State::Closed),
            ("unconn", State::Unconnected),
            ("unconnected", State::Unconnected),
            ("bound-inactive", State::BoundInactive),
        ] {
            assert_eq!(State::parse(word), Some(state), "{word}");
        }
        assert_eq!(State::parse("establshed"), None);
        assert_eq!(State::parse(""), None);
        assert_eq!(State::parse("-"), None);
    }

    #[test]
    fn every_word_of_the_table_reads_back_as_a_state_with_the_same_number() {
        for names in &TABLE {
            assert_eq!(State::parse(names.name), Some(names.state));
            assert_eq!(names.state.name(), names.name);
            for word in [names.rfc, names.netstat, names.ss, names.lsof] {
                if !word.is_empty() {
                    let read = State::parse(word).expect(word);
                    assert_eq!(read.number(), names.state.number(), "{word}");
                }
            }
            assert_eq!(names.number, names.state.number(), "{}", names.name);
        }
    }

    #[test]
    fn numbers_are_decoded_by_protocol() {
        assert_eq!(State::from_kernel(Protocol::Udp, 7), State::Unconnected);
        assert_eq!(State::from_kernel(Protocol::Tcp, 7), State::BoundInactive);
        assert_eq!(State::from_kernel(Protocol::Tcp, 12), State::SynRcvd);
        assert_eq!(State::from_kernel(Protocol::Tcp, 99), State::Other(99));
        assert_eq!(State::Other(99).name(), "UNKNOWN");
    }

    #[test]
    fn the_default_view_is_what_ss_shows_but_idle_bound_sockets() {
        for hidden in [State::Listen, State::TimeWait, State::SynRcvd, State::BoundInactive] {
            assert!(!StateSet::CONNECTED.contains(hidden), "{hidden}");
        }
        assert!(StateSet::CONNECTED.contains(State::CloseWait));
        assert!(!StateSet::ALL.contains(State::BoundInactive));
    }
}
