//! A filter on a row. Three answers: what is not known is neither yes nor no.

use super::{
    ast::{Column, Expr, FamilyHost, Interface, Prefix, Ranges, Test, What},
    pattern::Pattern,
};
use crate::{
    field::{
        definition::Field,
        end::{Side, local_port, peer_port},
        families,
        need::Need,
        row::{Row, Space},
        value::Value,
    },
    kernel::sock_diag::bytecode::End,
    model::{
        cgroup::SHORT_ID,
        endpoint::Endpoint,
        family::{FamilyFacts, unix},
        owner::{Process, Unowned},
        peers::Match,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
    },
};

/// Whether a row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The source did not tell what the answer hangs on.
    Unknown,
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

impl Truth {
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Tests a row.
pub fn test(expr: &Expr, row: Row<'_>) -> Truth {
    match expr {
        Expr::And(parts) => settled(parts, row, Truth::No),
        Expr::Or(parts) => settled(parts, row, Truth::Yes),
        Expr::Not(part) => test(part, row).opposite(),
        Expr::Test(Test { what, .. }) => test_one(what, row),
    }
}

/// `settling` of one part is the answer, whatever the others are; else unknown, if one is.
fn settled(parts: &[Expr], row: Row<'_>, settling: Truth) -> Truth {
    settled_by(parts, settling, |part| test(part, row))
}

/// The same, with each part asked by `ask`.
pub(super) fn settled_by(parts: &[Expr], settling: Truth, ask: impl Fn(&Expr) -> Truth) -> Truth {
    let mut answer = settling.opposite();
    for part in parts {
        match ask(part) {
            truth if truth == settling => return settling,
            Truth::Unknown => answer = Truth::Unknown,
            _ => {}
        }
    }
    answer
}

fn test_one(what: &What, row: Row<'_>) -> Truth {
    let socket = row.socket;
    match what {
        What::State(states) => states.contains(socket.state).into(),
        What::Protocol(protocols) => protocols.contains(&socket.protocol).into(),
        What::Family(family) => (*family == socket.family).into(),
        What::Port(end, ports) if !socket.family.is_inet() => {
            let port = match end {
                End::Local => local_port(socket),
                End::Peer => peer_port(socket),
            };
            // Without peer 0, as in ss.
            ports.contains(port.unwrap_or(0)).into()
        }
        What::Port(end, ports) => ports.contains(endpoint(socket, *end).port.into()).into(),
        What::Address(_, prefixes) if !socket.family.is_inet() => {
            prefixes.contains(&Prefix::Any).into()
        }
        What::Host(end, hosts) => host(hosts, *end, row),
        What::Address(end, prefixes) => {
            let address = endpoint(socket, *end).address;
            prefixes.iter().any(|prefix| prefix.contains(address)).into()
        }
        What::Interface(interfaces) => bound_to(interfaces, row),
        What::Mark(marks) => match socket.mark {
            Some(mark) => marks.iter().any(|(value, mask)| mark & mask == *value).into(),
            None => Truth::Unknown,
        },
        // Netlink also tells apart who bound to a port of the range by number: the kernel's part
        // of the filter leaves those out.
        What::Autobound if !socket.family.is_inet() => is_autobound(socket).into(),
        What::Autobound => match row.space().and_then(|space| space.ephemeral_ports.as_ref()) {
            Some(range) => range.contains(&socket.local.port).into(),
            None => Truth::Unknown,
        },
        What::Number(column, ranges) => by_value(column.0, row, &|value| number(value, ranges)),
        What::Name(Column(field), patterns) => match field.id {
            "netns.name" => by_netns(field, patterns, row, row.space()),
            "peer.netns.name" => by_netns(field, patterns, row, row.peer_space()),
            "container" | "pod" => by_home(field, patterns, row, Side::Local),
            "peer.container" | "peer.pod" => by_home(field, patterns, row, Side::Peer),
            _ => by_value(field, row, &|value| name(value, patterns)),
        },
        What::Flag(column, wanted) => by_value(column.0, row, &|value| match value {
            Value::Flag(flag) => flag == wanted,
            _ => false,
        }),
    }
}

/// An end as the kernel has it: without peer the wildcard and port 0, as ss filters it.
fn endpoint(socket: &Socket, end: End) -> &Endpoint {
    match end {
        End::Local => &socket.local,
        End::Peer => &socket.remote,
    }
}

/// Whether nobody bound the socket, or the kernel chose the address: as ss has it.
fn is_autobound(socket: &Socket) -> bool {
    match socket.family_facts.as_deref() {
        Some(FamilyFacts::Unix(unix)) => unix.is_autobound(),
        Some(FamilyFacts::Packet(packet)) => packet.protocol == 0 && socket.interface == 0,
        Some(FamilyFacts::Netlink(netlink)) => netlink.is_autobound(),
        // The first 1024 ports are reserved (`LAST_RESERVED_PORT` in `af_vsock.c`).
        Some(FamilyFacts::Vsock(vsock)) => vsock.local.port > 1023,
        _ => false,
    }
}

/// Whether an end is one of these hosts.
fn host(hosts: &[FamilyHost], end: End, row: Row<'_>) -> Truth {
    let mut answer = Truth::No;
    for host in hosts {
        match is_host(host, end, row) {
            Truth::Yes => return Truth::Yes,
            Truth::Unknown => answer = Truth::Unknown,
            Truth::No => {}
        }
    }
    answer
}

fn is_host(host: &FamilyHost, end: End, row: Row<'_>) -> Truth {
    let is = |wanted: Option<u32>, known: u32| wanted.is_none_or(|wanted| wanted == known);
    match (host, row.socket.family_facts.as_deref()) {
        (FamilyHost::Unix(pattern), Some(FamilyFacts::Unix(facts))) => {
            let path = match end {
                End::Local => &facts.path,
                End::Peer => &facts.peer_path,
            };
            let name = path.as_ref().map(unix::written).unwrap_or_default();
            pattern.matches_in_any_case(&name).into()
        }
        (FamilyHost::Link { protocol, interface }, Some(FamilyFacts::Packet(packet))) => {
            // There is no other end: only a host that says nothing is it.
            if end == End::Peer {
                return (protocol.is_none() && interface.is_none()).into();
            }
            if protocol.is_some_and(|wanted| wanted != packet.protocol) {
                return Truth::No;
            }
            interface.as_ref().map_or(Truth::Yes, |one| bound_to(std::slice::from_ref(one), row))
        }
        (FamilyHost::Netlink { protocol, port }, Some(FamilyFacts::Netlink(netlink))) => {
            let known = match end {
                End::Local => Some(netlink.port_id),
                End::Peer => netlink.peer_port_id,
            };
            let is_port = port.is_none_or(|wanted| known == Some(wanted));
            (protocol.is_none_or(|wanted| wanted == netlink.protocol) && is_port).into()
        }
        (FamilyHost::Vsock { cid, port }, Some(FamilyFacts::Vsock(vsock))) => {
            let address = if end == End::Local { vsock.local } else { vsock.peer };
            (is(*cid, address.cid) && is(*port, address.port)).into()
        }
        _ => Truth::No,
    }
}

fn bound_to(interfaces: &[Interface], row: Row<'_>) -> Truth {
    let index = row.socket.interface;
    let name = row.interface();
    let mut answer = Truth::No;
    for interface in interfaces {
        match (interface, name) {
            (Interface::Index(wanted), _) if *wanted == index => return Truth::Yes,
            (Interface::Name(pattern), Some(name)) if pattern.matches(name.as_bytes()) => {
                return Truth::Yes;
            }
            (Interface::Name(_), None) if index != 0 => answer = Truth::Unknown,
            _ => {}
        }
    }
    answer
}

/// By any name of the namespace.
fn by_netns(field: &Field, patterns: &[Pattern], row: Row<'_>, space: Option<&Space>) -> Truth {
    let names = space.map(|space| space.names.as_slice()).unwrap_or_default();
    let is_called = |name: &String| patterns.iter().any(|p| p.matches(name.as_bytes()));
    if names.iter().any(is_called) {
        return Truth::Yes;
    }
    by_value(field, row, &|value| name(value, patterns))
}

/// By the container or the pod of its holders; without one, by that whose namespace it is in.
fn by_home(field: &Field, patterns: &[Pattern], row: Row<'_>, side: Side) -> Truth {
    let lives_there = |process: &Process| lives_in(process, field.id, patterns);
    let (space, is_held, lives) = match side {
        Side::Local => {
            let lives = row.holders().any(|(process, _)| lives_there(process));
            (row.space(), row.holders().next().is_some(), lives)
        }
        Side::Peer => {
            let lives = row.peer_holders().any(|(process, _)| lives_there(process));
            (row.peer_space(), row.peer_holders().next().is_some(), lives)
        }
    };
    let resident = space.and_then(|space| space.resident.as_ref());
    if lives || resident.is_some_and(|process| !is_held && lives_there(process)) {
        return Truth::Yes;
    }
    by_value(field, row, &|value| name(value, patterns))
}

/// Whether a process is in a container, a pod or a unit so called: a container by name or id, a pod
/// with its namespace or without.
pub(super) fn lives_in(process: &Process, column: &str, patterns: &[Pattern]) -> bool {
    let container = process.container.as_deref();
    let id = process.container_id();
    let pod = process.pod.as_deref();
    let names = match column.trim_start_matches("peer.") {
        "container" => [container, id, id.and_then(|id| id.get(..SHORT_ID))],
        "pod" => [pod, pod.and_then(|pod| Some(pod.split_once('/')?.1)), None],
        "unit" => [process.unit.as_deref(), None, None],
        _ => [None; 3],
    };
    let fits = |name: &&str| patterns.iter().any(|pattern| pattern.matches(name.as_bytes()));
    names.iter().flatten().any(fits)
}

fn by_value(field: &Field, row: Row<'_>, fits: &dyn Fn(&Value<'_>) -> bool) -> Truth {
    match field.value(row) {
        Value::PeerOwners(row) if row.peer_holders().next().is_some() => {
            row.peer_holders().any(|(process, _)| fits(&Value::Name(&process.command))).into()
        }
        Value::PeerOwners(_) => Truth::Unknown,
        Value::List(list) if !list.is_empty() => list.values().any(|value| fits(&value)).into(),
        value if value.is_absent() => {
            if is_none(field, row) {
                Truth::No
            } else {
                Truth::Unknown
            }
        }
        value => fits(&value).into(),
    }
}

fn number(value: &Value<'_>, ranges: &Ranges) -> bool {
    match value {
        Value::Count(n)
        | Value::Queue(n, _)
        | Value::Bytes(n)
        | Value::Milliseconds(n)
        | Value::Microseconds(n)
        | Value::BytesPerSecond(n) => ranges.contains(*n),
        _ => false,
    }
}

fn name(value: &Value<'_>, patterns: &[Pattern]) -> bool {
    let name = match value {
        Value::Word(word) => word.as_bytes(),
        Value::Name(name) => name,
        Value::Path(name) => {
            let written = unix::written(name);
            return patterns.iter().any(|pattern| pattern.matches(&written));
        }
        Value::Prefix(ip, length) => {
            let text = format!("{ip}/{length}");
            return patterns.iter().any(|pattern| pattern.matches(text.as_bytes()));
        }
        _ => return false,
    };
    patterns.iter().any(|pattern| pattern.matches(name))
}

/// Whether a column without a value says "there is none", which is an answer, and not "the source
/// did not tell". A listener has no receive queue; a socket read from /proc has an rtt nobody told.
fn is_none(field: &Field, row: Row<'_>) -> bool {
    let socket = row.socket;
    // Neither kind has more than addresses, ports, a timer and a mark.
    let is_small = socket.is_mini() || socket.state == State::SynRcvd;
    if let Some((parent, _)) = field.json.split_once('.') {
        if families::object(socket.protocol) == Some(parent) {
            // Netlink tells all that is asked for, but not a program to who may not see it.
            return socket.cookie.is_some() && families::is_told(field, row);
        }
        // What only another family has.
        if Protocol::ALL.iter().any(|other| families::object(*other) == Some(parent)) {
            return true;
        }
    }
    match field.id {
        // /proc tells of no queue of a unix socket.
        "recv_queue" | "send_queue" | "accept_queue" | "accept_queue_limit"
            if socket.protocol == Protocol::Unix && socket.queues == Queues::Absent =>
        {
            false
        }
        "recv_queue" | "send_queue" => !matches!(socket.queues, Queues::Data { .. }),
        "accept_queue" | "accept_queue_limit" => !matches!(socket.queues, Queues::Listen { .. }),
        "timer" | "timer.expires" | "retransmits" => socket.timer.is_none(),
        "age" => socket.state != State::TimeWait,
        "inode" | "type" => true,
        "netns.name" | "netns.kind" => row.netns().is_some_and(|netns| netns.inode.is_some()),
        "user" => socket.uid.is_some(),
        "v6only" => socket.state != State::Listen || is_small,
        "shutdown" | "tos" | "congestion" | "drops" => is_small,
        // One that is gone, or outside of what is mounted here, is none of those that are there.
        "cgroup" => is_small || socket.cgroup_id.is_some() && row.context.cgroups.is_whole(),
        "tclass" => is_small || socket.family == Family::Ipv4,
        "sockopt" => is_small || socket.sockopt.is_some(),
        // Without CAP_NET_ADMIN the kernel keeps silent about keys; so it does about marks.
        "md5" => is_small || socket.protocol != Protocol::Tcp || socket.mark.is_some(),
        _ if field.need.includes(Need::ALGORITHM) => {
            is_small || socket.protocol != Protocol::Tcp || socket.congestion.is_some()
        }
        _ if field.id.starts_with("ulp") => is_small || socket.tcp_info.is_some(),
        "owner" | "process" | "pid" | "fd" | "unit" | "container" | "container.id" | "pod"
        | "tid" => !matches!(
            row.unowned(),
            Some(
                Unowned::Permission
                    | Unowned::OtherPidNamespace
                    | Unowned::NotAsked
                    | Unowned::Deadline
            )
        ),
        "owner_unknown" => row.unowned().is_none(),
        _ if field.need.includes(Need::PEERS) => is_nobody_there(field, row),
        _ if field.need.includes(Need::TCP_INFO) => {
            socket.protocol != Protocol::Tcp || is_small || socket.state == State::BoundInactive
        }
        _ if field.need.includes(Need::MEMORY) => is_small,
        _ => false,
    }
}

/// Whether it is known that the other end is not on this host, or that nobody has it.
fn is_nobody_there(field: &Field, row: Row<'_>) -> bool {
    match row.other_end() {
        Match::Elsewhere => true,
        Match::Ambiguous => false,
        Match::Here(_) if !field.need.includes(Need::OWNERS) => row.peer_space().is_some(),
        Match::Here(peer) => {
            let owners = &row.context.owners;
            let is_held = peer.inode.is_some_and(|inode| owners.holds(inode));
            is_held || peer.inode.is_none() || owners.unmatched() == Some(Unowned::Kernel)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        field::row::{Context, Space},
        filter::{directory::Empty, parser},
        model::{
            owner::{Owners, Process},
            protocol::Family,
            timer::{Timer, TimerKind},
        },
    };

    fn socket() -> Socket {
        Socket {
            local: Endpoint::new("10.0.0.1".parse().unwrap(), 443),
            remote: Endpoint::new("10.0.0.9".parse().unwrap(), 51234),
            queues: Queues::Data { recv: 7, send: 0 },
            inode: Some(4711),
            cookie: Some(81),
            uid: Some(33),
            ..Socket::new(Protocol::Tcp, Family::Ipv4, State::Established)
        }
    }

    fn asked(text: &str, socket: &Socket, context: &Context) -> Truth {
        let parsed = parser::parse(text, &Empty).unwrap_or_else(|error| panic!("{error}"));
        test(&parsed.expr, Row { socket, context })
    }

    #[test]
    fn what_is_not_told_is_neither_yes_nor_no() {
        let context = Context::default();
        for (text, truth) in [
            ("peer.port = 51234", Truth::Yes),
            ("rtt > 5ms", Truth::Unknown),
            ("not rtt > 5ms", Truth::Unknown),
            ("rtt > 5ms or sport = 443", Truth::Yes),
            ("rtt > 5ms and sport = 443", Truth::Unknown),
            ("rtt > 5ms and sport = 444", Truth::No),
            ("mark = 1", Truth::Unknown),
            ("process = nginx", Truth::Unknown),
            ("autobound", Truth::Unknown),
            ("recv_queue = 7", Truth::Yes),
            // There is none, and that is known.
            ("retransmits > 0", Truth::No),
            ("not timer = keepalive", Truth::Yes),
            ("accept_queue >= 0", Truth::No),
            ("dev eth0", Truth::No),
            ("dev = 0", Truth::Yes),
            ("uid = 33", Truth::Yes),
            ("owner_unknown = not-asked", Truth::Yes),
        ] {
            assert_eq!(asked(text, &socket(), &context), truth, "{text}");
        }
    }

    #[test]
    fn a_mini_socket_has_neither_queue_nor_rtt_and_its_user_is_not_known() {
        let mut socket = socket();
        socket.state = State::TimeWait;
        socket.queues = Queues::Absent;
        socket.timer =
            Some(Timer { kind: TimerKind::TimeWait, expires_ms: 20_000, retransmits: 0 });
        (socket.inode, socket.uid) = (None, None);
        let context = Context::default();
        for (text, truth) in [
            ("age > 30s", Truth::Yes),
            ("age > 50s", Truth::No),
            ("recv_queue > 0", Truth::No),
            ("rtt > 1ms", Truth::No),
            ("user = root", Truth::Unknown),
            ("uid = 0", Truth::Unknown),
            ("process = nginx", Truth::No),
            ("process != nginx", Truth::Yes),
            ("timer = time-wait", Truth::Yes),
        ] {
            assert_eq!(asked(text, &socket, &context), truth, "{text}");
        }
    }

    #[test]
    fn one_of_several_owners_is_enough() {
        let mut owners = Owners::default();
        for (pid, command) in [(7, "nginx"), (8, "php-fpm")] {
            let command = command.as_bytes().to_vec();
            let container = Some("web".to_owned());
            let process = Process { pid, command, container, ..Process::default() };
            owners.add(process, &[(4711, 3)]);
        }
        let owners = owners.finished(Some(Unowned::Kernel));
        let context = Context {
            owners,
            spaces: vec![Space { ephemeral_ports: Some(400..=500), ..Space::default() }],
            ..Context::default()
        };
        for (text, truth) in [
            ("process = php*", Truth::Yes),
            ("pid = 8", Truth::Yes),
            ("pid > 8", Truth::No),
            ("process != nginx", Truth::No),
            ("container = web", Truth::Yes),
            ("unit = x.service", Truth::No),
            ("owner = 7", Truth::Yes),
            ("autobound", Truth::Yes),
        ] {
            assert_eq!(asked(text, &socket(), &context), truth, "{text}");
        }
    }

    #[test]
    fn a_listener_has_the_wildcard_as_peer_as_in_ss() {
        let mut socket = socket();
        socket.state = State::Listen;
        socket.queues = Queues::Listen { accept_queue: 3, limit: Some(128) };
        socket.remote = Endpoint::new("0.0.0.0".parse().unwrap(), 0);
        let context = Context::default();
        for (text, truth) in [
            ("dport = 0", Truth::Yes),
            ("dport != :22", Truth::Yes),
            ("dst 0.0.0.0", Truth::Yes),
            ("dst *", Truth::Yes),
            ("accept_queue > 2", Truth::Yes),
            ("recv_queue >= 0", Truth::No),
            ("rtt > 0", Truth::Unknown),
        ] {
            assert_eq!(asked(text, &socket, &context), truth, "{text}");
        }
    }
}
