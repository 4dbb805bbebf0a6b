//! Which tables of sockets a listing reads: `-t`, `-x`, `-A`, `-f` and their likes, as ss has them.

use super::{args::ListArgs, failure::Failure};
use crate::model::{
    protocol::{Family, Protocol},
    socket_type::SocketType,
    state::{State, StateSet},
};

/// A table: a protocol, or the sockets of one type of it.
type Table = (Protocol, Option<SocketType>);

/// A name of `-A`, and the tables it stands for.
struct Named {
    word: &'static str,
    summary: &'static str,
    tables: &'static [Table],
}

const STREAM: Table = (Protocol::Unix, Some(SocketType::Stream));
const DGRAM: Table = (Protocol::Unix, Some(SocketType::Dgram));
const SEQPACKET: Table = (Protocol::Unix, Some(SocketType::Seqpacket));
const PACKET_RAW: Table = (Protocol::Packet, Some(SocketType::Raw));
const PACKET_DGRAM: Table = (Protocol::Packet, Some(SocketType::Dgram));
const VSOCK_STREAM: Table = (Protocol::Vsock, Some(SocketType::Stream));
const VSOCK_DGRAM: Table = (Protocol::Vsock, Some(SocketType::Dgram));

/// Every name ss takes, and those of the tables it does not know. What no name stands for is never
/// asked for unasked: TIPC, as in ss.
#[rustfmt::skip]
const NAMES: &[Named] = &[
    Named { word: "all", summary: "every table but TIPC", tables: &[
        (Protocol::Tcp, None), (Protocol::Udp, None), (Protocol::UdpLite, None), (Protocol::Raw, None),
        (Protocol::Icmp, None), (Protocol::Mptcp, None), (Protocol::Sctp, None), (Protocol::Dccp, None),
        (Protocol::Unix, None), (Protocol::Packet, None), (Protocol::Netlink, None),
        (Protocol::Vsock, None), (Protocol::Xdp, None),
    ] },
    Named { word: "inet", summary: "every table of the internet", tables: INET },
    Named { word: "tcp", summary: "TCP", tables: &[(Protocol::Tcp, None)] },
    Named { word: "udp", summary: "UDP", tables: &[(Protocol::Udp, None)] },
    Named { word: "udplite", summary: "UDP-Lite", tables: &[(Protocol::UdpLite, None)] },
    Named { word: "raw", summary: "raw IP", tables: &[(Protocol::Raw, None)] },
    Named { word: "icmp", summary: "ping sockets", tables: &[(Protocol::Icmp, None)] },
    Named { word: "mptcp", summary: "multipath TCP", tables: &[(Protocol::Mptcp, None)] },
    Named { word: "sctp", summary: "SCTP", tables: &[(Protocol::Sctp, None)] },
    Named { word: "dccp", summary: "DCCP", tables: &[(Protocol::Dccp, None)] },
    Named { word: "unix", summary: "unix domain, every type", tables: &[(Protocol::Unix, None)] },
    Named { word: "unix_stream", summary: "unix domain, stream", tables: &[STREAM] },
    Named { word: "u_str", summary: "the same as unix_stream", tables: &[STREAM] },
    Named { word: "unix_dgram", summary: "unix domain, datagram", tables: &[DGRAM] },
    Named { word: "u_dgr", summary: "the same as unix_dgram", tables: &[DGRAM] },
    Named { word: "unix_seqpacket", summary: "unix domain, seqpacket", tables: &[SEQPACKET] },
    Named { word: "u_seq", summary: "the same as unix_seqpacket", tables: &[SEQPACKET] },
    Named { word: "packet", summary: "packet, every type", tables: &[(Protocol::Packet, None)] },
    Named { word: "packet_raw", summary: "packet, frames with headers", tables: &[PACKET_RAW] },
    Named { word: "p_raw", summary: "the same as packet_raw", tables: &[PACKET_RAW] },
    Named { word: "packet_dgram", summary: "packet, frames without headers", tables: &[PACKET_DGRAM] },
    Named { word: "p_dgr", summary: "the same as packet_dgram", tables: &[PACKET_DGRAM] },
    Named { word: "netlink", summary: "netlink", tables: &[(Protocol::Netlink, None)] },
    Named { word: "vsock", summary: "vsock, every type", tables: &[(Protocol::Vsock, None)] },
    Named { word: "vsock_stream", summary: "vsock, stream", tables: &[VSOCK_STREAM] },
    Named { word: "v_str", summary: "the same as vsock_stream", tables: &[VSOCK_STREAM] },
    Named { word: "vsock_dgram", summary: "vsock, datagram", tables: &[VSOCK_DGRAM] },
    Named { word: "v_dgr", summary: "the same as vsock_dgram", tables: &[VSOCK_DGRAM] },
    Named { word: "xdp", summary: "XDP", tables: &[(Protocol::Xdp, None)] },
    Named { word: "tipc", summary: "TIPC", tables: &[(Protocol::Tipc, None)] },
];

const INET: &[Table] = &[
    (Protocol::Tcp, None),
    (Protocol::Udp, None),
    (Protocol::UdpLite, None),
    (Protocol::Raw, None),
    (Protocol::Icmp, None),
    (Protocol::Mptcp, None),
    (Protocol::Sctp, None),
    (Protocol::Dccp, None),
];

/// The types of a protocol that have tables of their own.
const fn types(protocol: Protocol) -> &'static [SocketType] {
    match protocol {
        Protocol::Unix => &[SocketType::Stream, SocketType::Dgram, SocketType::Seqpacket],
        Protocol::Packet => &[SocketType::Raw, SocketType::Dgram],
        Protocol::Vsock => &[SocketType::Stream, SocketType::Dgram],
        _ => &[],
    }
}

/// What a listing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Protocols in the order of the listing, with the states to show where no filter names any.
    pub protocols: Vec<(Protocol, StateSet)>,
    /// Types, where a protocol is not wanted whole.
    pub types: Vec<(Protocol, SocketType)>,
    /// Whether they were asked for by name.
    pub named: bool,
    /// One family of the internet, or both.
    pub family: Option<Family>,
    /// The one family of all that is read: hosts of a filter are then its own.
    pub only: Option<Family>,
}

impl Tables {
    /// How many tables these are for ss, which has one for each type.
    pub fn count(&self) -> usize {
        let of = |protocol: Protocol| {
            let chosen = self.types.iter().filter(|(of, _)| *of == protocol).count();
            if chosen > 0 { chosen } else { types(protocol).len().max(1) }
        };
        self.protocols.iter().map(|(protocol, _)| of(*protocol)).sum()
    }
}

/// Names of tables with a line of help, for completion.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().map(|named| (named.word, named.summary))
}

/// Decides.
pub fn of(args: &ListArgs) -> Result<Tables, Failure> {
    let mut wanted: Vec<Table> = vec![];
    let mut add = |more: &[Table]| more.iter().for_each(|table| insert(&mut wanted, *table));
    for (switch, protocol) in [
        (args.tcp, Protocol::Tcp),
        (args.udp, Protocol::Udp),
        (args.raw, Protocol::Raw),
        (args.mptcp, Protocol::Mptcp),
        (args.sctp, Protocol::Sctp),
        (args.dccp, Protocol::Dccp),
    ] {
        if switch {
            add(&[(protocol, None)]);
        }
    }
    let (included, excluded) = queried(&args.query)?;
    add(&included);
    let families = families(args)?;
    let mut named = !wanted.is_empty();
    // A family brings its tables along, unless some of them were named.
    let of_inet = families.iter().any(|family| family.is_inet());
    if of_inet && !wanted.iter().any(|(protocol, _)| protocol.is_inet()) {
        for table in INET {
            insert(&mut wanted, *table);
        }
        named = false;
    }
    for protocol in Protocol::ALL {
        let is_asked = protocol.family().is_some_and(|family| families.contains(&family));
        if is_asked && !wanted.iter().any(|(known, _)| *known == protocol) {
            insert(&mut wanted, (protocol, None));
            named = true;
        }
    }
    if wanted.is_empty() {
        named = false;
        let every = NAMES.first().map_or(&[][..], |all| all.tables);
        for table in every {
            insert(&mut wanted, *table);
        }
    }
    for table in excluded {
        remove(&mut wanted, table);
    }
    if wanted.is_empty() {
        return Err(Failure::usage(
            "nothing is left of the tables that were asked for",
            "`-A all,!tcp` lists everything but TCP",
        ));
    }
    let listed =
        Protocol::LISTED.into_iter().filter(|p| wanted.iter().any(|(known, _)| known == p));
    let protocols: Vec<_> = listed.map(|p| (p, states(p, args, named))).collect();
    let types = wanted.iter().filter_map(|(p, kind)| kind.map(|kind| (*p, kind))).collect();
    let family = match *families.iter().filter(|f| f.is_inet()).collect::<Vec<_>>() {
        [only] => Some(*only),
        _ => None,
    };
    let first = protocols.first().and_then(|(protocol, _)| protocol.family());
    let only = first.filter(|_| protocols.iter().all(|(p, _)| p.family() == first));
    Ok(Tables { protocols, types, named, family, only })
}

/// Adds a table; three types of unix sockets are the whole protocol.
fn insert(tables: &mut Vec<Table>, (protocol, kind): Table) {
    if kind.is_none() {
        tables.retain(|(known, _)| *known != protocol);
    }
    if tables.contains(&(protocol, None)) || tables.contains(&(protocol, kind)) {
        return;
    }
    tables.push((protocol, kind));
    let every = types(protocol);
    let has = |kind: &SocketType| tables.contains(&(protocol, Some(*kind)));
    if !every.is_empty() && every.iter().all(has) {
        tables.retain(|(known, _)| *known != protocol);
        tables.push((protocol, None));
    }
}

/// Takes a table away; of a whole protocol the other types are left.
fn remove(tables: &mut Vec<Table>, (protocol, kind): Table) {
    let whole = tables.contains(&(protocol, None));
    match kind {
        Some(kind) if whole => {
            tables.retain(|(known, _)| *known != protocol);
            let others = types(protocol).iter().filter(|other| **other != kind);
            tables.extend(others.map(|other| (protocol, Some(*other))));
        }
        Some(_) => tables.retain(|table| *table != (protocol, kind)),
        None => tables.retain(|(known, _)| *known != protocol),
    }
}

/// The tables that `-A` names, and those it excludes with `!`.
fn queried(words: &[String]) -> Result<(Vec<Table>, Vec<Table>), Failure> {
    let (mut included, mut excluded) = (vec![], vec![]);
    for word in words {
        let (name, to) = match word.strip_prefix('!') {
            Some(name) => (name, &mut excluded),
            None => (word.as_str(), &mut included),
        };
        let known = NAMES.iter().find(|known| known.word == name.to_ascii_lowercase());
        let Some(known) = known else {
            let near = NAMES.iter().map(|n| (strsim::jaro_winkler(name, n.word), n.word));
            let nearest = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(rate, _)| *rate > 0.75);
            let all: Vec<_> = NAMES.iter().map(|named| named.word).collect();
            let hint = match nearest {
                Some((_, near)) => format!("did you mean `{near}`? "),
                None => String::new(),
            };
            return Err(Failure::usage(
                format!("no table of sockets is called `{name}`"),
                format!("{hint}tables are {}", all.join(", ")),
            ));
        };
        to.extend_from_slice(known.tables);
    }
    Ok((included, excluded))
}

/// The families that `-4 -6 -0 -x -f` and their likes name.
fn families(args: &ListArgs) -> Result<Vec<Family>, Failure> {
    let mut families = vec![];
    for (switch, family) in [
        (args.ipv4, Family::Ipv4),
        (args.ipv6, Family::Ipv6),
        (args.unix, Family::Unix),
        (args.packet, Family::Packet),
        (args.vsock, Family::Vsock),
        (args.tipc, Family::Tipc),
        (args.xdp, Family::Xdp),
    ] {
        if switch {
            families.push(family);
        }
    }
    for word in &args.family {
        families.push(family(word).ok_or_else(|| {
            Failure::usage(
                format!("no family of sockets is called `{word}`"),
                "families are inet, inet6, unix, link, netlink, vsock, tipc, xdp",
            )
        })?);
    }
    families.dedup();
    Ok(families)
}

fn family(word: &str) -> Option<Family> {
    Some(match word.to_ascii_lowercase().as_str() {
        "inet" | "ipv4" | "4" => Family::Ipv4,
        "inet6" | "ipv6" | "6" => Family::Ipv6,
        "link" | "packet" => Family::Packet,
        name => Family::ALL.into_iter().find(|family| family.name() == name)?,
    })
}

/// The states to show where no filter names any.
fn states(protocol: Protocol, args: &ListArgs, named: bool) -> StateSet {
    let every = StateSet::every(protocol);
    let bound = match protocol {
        Protocol::Tcp if args.bound_inactive => StateSet::of(State::BoundInactive),
        _ => StateSet::NONE,
    };
    let closed = StateSet::of(State::Closed);
    if args.all {
        every.with(bound)
    } else if args.listening {
        // For TCP CLOSED is no state of a socket that is listed.
        let listed = if protocol == Protocol::Tcp { StateSet::NONE } else { closed };
        every.intersection(StateSet::of(State::Listen).with(listed)).with(bound)
    } else if args.bound_inactive {
        bound
    } else if named && matches!(protocol, Protocol::Packet | Protocol::Netlink | Protocol::Xdp) {
        // They have no connections: whoever names them wants to see them.
        every
    } else if named && protocol == Protocol::Tipc {
        let connected = every.intersection(StateSet::CONNECTED);
        connected.with(closed).with(StateSet::of(State::Listen))
    } else {
        every.intersection(StateSet::CONNECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::Parser;

    fn tables(line: &str) -> Tables {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        of(&cli.list).unwrap_or_else(|failure| panic!("{}", failure.message))
    }

    fn protocols(line: &str) -> Vec<Protocol> {
        tables(line).protocols.into_iter().map(|(protocol, _)| protocol).collect()
    }

    #[test]
    fn switches_and_names_choose_tables_as_in_ss() {
        use Protocol::{
            Dccp, Icmp, Mptcp, Netlink, Packet, Raw, Sctp, Tcp, Udp, UdpLite, Unix, Vsock, Xdp,
        };
        let inet = vec![Raw, Icmp, Udp, UdpLite, Tcp, Dccp, Sctp, Mptcp];
        let mut all = vec![Netlink, Packet, Unix];
        all.extend([Raw, Icmp, Udp, UdpLite, Tcp, Dccp, Sctp, Vsock, Xdp, Mptcp]);
        for (line, expected) in [
            ("sockeye -tu", vec![Udp, Tcp]),
            ("sockeye -a", all.clone()),
            ("sockeye -4", inet.clone()),
            ("sockeye -4t", vec![Tcp]),
            ("sockeye -xt", vec![Unix, Tcp]),
            ("sockeye -0", vec![Packet]),
            ("sockeye -f link -f netlink", vec![Netlink, Packet]),
            ("sockeye -A inet", inet),
            ("sockeye -A tcp,u_str,p_raw", vec![Packet, Unix, Tcp]),
            ("sockeye -A all,!tcp,!unix -a", {
                let left = |p: &Protocol| *p != Tcp && *p != Unix;
                all.into_iter().filter(left).collect()
            }),
            ("sockeye --query netlink --socket xdp", vec![Netlink, Xdp]),
            ("sockeye -wSMd --vsock", vec![Raw, Dccp, Sctp, Vsock, Mptcp]),
        ] {
            assert_eq!(protocols(line), expected, "{line}");
        }
    }

    #[test]
    fn types_are_kept_apart_until_all_of_them_are_wanted() {
        let types = |line: &str| tables(line).types;
        let unix = |kinds: &[SocketType]| -> Vec<_> {
            kinds.iter().map(|kind| (Protocol::Unix, *kind)).collect()
        };
        let (stream, dgram, seq) = (SocketType::Stream, SocketType::Dgram, SocketType::Seqpacket);
        assert_eq!(types("sockeye -A u_str"), unix(&[stream]));
        assert_eq!(types("sockeye -A unix,!u_str"), unix(&[dgram, seq]));
        assert_eq!(types("sockeye -A u_str,u_dgr,u_seq"), []);
        assert_eq!(types("sockeye -x -A u_str"), unix(&[stream]));
        assert_eq!(types("sockeye -A u_str,unix"), []);
    }

    #[test]
    fn both_internet_families_are_both() {
        assert_eq!(tables("sockeye -t46").family, None);
        assert_eq!(tables("sockeye -t4").family, Some(Family::Ipv4));
        assert_eq!(tables("sockeye -tx -f inet6").family, Some(Family::Ipv6));
        assert_eq!(tables("sockeye -x").only, Some(Family::Unix));
        assert_eq!(tables("sockeye -xt").only, None);
    }

    #[test]
    fn the_states_are_those_ss_shows() {
        let states = |line: &str| tables(line).protocols[0].1;
        let (listen, idle) = (StateSet::of(State::Listen), StateSet::of(State::Unconnected));
        assert_eq!(states("sockeye -tl"), listen);
        assert_eq!(states("sockeye -xl"), listen.with(idle));
        assert_eq!(states("sockeye -0"), idle);
        assert!(!states("sockeye -x").contains(State::Unconnected));
        assert_eq!(states("sockeye -A netlink -l"), idle);
        assert_eq!(states("sockeye -n"), StateSet::NONE, "netlink has no connections");
    }

    #[test]
    fn a_wrong_table_says_what_was_meant() {
        let cli = Cli::try_parse_from(["sockeye", "-A", "u_strm"]).unwrap();
        let failure = of(&cli.list).unwrap_err();
        assert!(failure.hints[0].contains("did you mean `u_str`"), "{:?}", failure.hints);
        assert!(Cli::try_parse_from(["sockeye", "-f", "ipx"]).is_err());
    }
}
