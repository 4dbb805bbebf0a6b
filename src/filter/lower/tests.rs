//! What is lowered selects no less than the filter takes.

use super::*;
use crate::{
    field::row::{Context, Row, Space},
    filter::{
        directory::Empty,
        eval::{self, Truth},
        parser,
    },
    kernel::sock_diag::bytecode::audit,
    model::{endpoint::Endpoint, queues::Queues, socket::Socket},
};
use proptest::prelude::*;

struct Fixed;

impl Numbers for Fixed {
    fn interface(&self, _: &str) -> Option<u32> {
        None
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        (path == "/").then_some(1)
    }
}

const TCP: Target = Target { protocol: Protocol::Tcp, family: None, states: StateSet::ALL };

fn lowered(text: &str) -> Lowered {
    let parsed = parser::parse(text, &Empty).unwrap_or_else(|error| panic!("{error}"));
    lower(&parsed.expr, TCP, Abilities::ALL, &Fixed)
}

/// A socket as the kernel's interpreter sees it (`struct inet_diag_entry`).
struct Entry<'a> {
    socket: &'a Socket,
    /// Whether nobody chose the local port.
    autobound: bool,
}

/// Runs a program as the kernel documents its instructions.
fn run(program: &[u8], entry: &Entry<'_>) -> bool {
    let word = |at: usize| u32::from_ne_bytes(program[at..at + 4].try_into().unwrap());
    let half = |at: usize| u16::from_ne_bytes(program[at..at + 2].try_into().unwrap());
    let socket = entry.socket;
    let mut at = 0;
    while at < program.len() {
        let code = program[at];
        let (yes, no) = (usize::from(program[at + 1]), usize::from(half(at + 2)));
        let end = if matches!(code, 2 | 3 | 7 | 11) { socket.local } else { socket.remote };
        let operand = at + 4;
        let holds = match code {
            0 => true,
            1 => false,
            2 | 4 => end.port >= half(operand + 2),
            3 | 5 => end.port <= half(operand + 2),
            11 | 12 => end.port == half(operand + 2),
            6 => entry.autobound,
            9 => socket.interface == word(operand),
            10 => socket.mark.unwrap_or(0) & word(operand + 4) == word(operand),
            13 => {
                let id = u64::from_ne_bytes(program[operand..operand + 8].try_into().unwrap());
                socket.cgroup_id.unwrap_or(0) == id
            }
            7 | 8 => host_holds(&program[operand..], &end),
            other => panic!("code {other}"),
        };
        at += if holds { yes } else { no };
    }
    at == program.len()
}

fn host_holds(condition: &[u8], end: &Endpoint) -> bool {
    let (family, prefix) = (condition[0], usize::from(condition[1]));
    let port = i32::from_ne_bytes(condition[4..8].try_into().unwrap());
    if port != -1 && port != i32::from(end.port) {
        return false;
    }
    let address = &condition[8..];
    let same = |bits: &[u8]| {
        (0..prefix).all(|bit| (bits[bit / 8] ^ address[bit / 8]) & (0x80 >> (bit % 8)) == 0)
    };
    match (family, end.address) {
        (0, _) => true,
        (2, IpAddr::V4(own)) => same(&own.octets()),
        (10, IpAddr::V6(own)) => same(&own.octets()),
        (2, IpAddr::V6(own)) => own.to_ipv4_mapped().is_some_and(|own| same(&own.octets())),
        _ => false,
    }
}

#[test]
fn what_the_kernel_can_do_it_does() {
    for (text, exact) in [
        ("sport = :22", true),
        ("dport != :22", true),
        ("( dport = :443 or sport gt :1024 ) and dst 10.0.0.0/8", true),
        ("dst [fe80::/10] or src 10/8 or src [::1]:22", true),
        ("dev = 3", true),
        ("fwmark = 1/3 or not fwmark = 7", true),
        ("cgroup = /", true),
        ("tcp:443", true),
        ("state all dport in 1-9,12", true),
        // What is left for here.
        ("dport = 443 and process = nginx", false),
        ("sport = :22 and state established", false),
        ("not (rtt > 5ms and dport = 443)", false),
        ("autobound", false),
        ("dev eth0", false),
        ("family = ipv6 and dport = 1", false),
    ] {
        let lowered = lowered(text);
        assert_eq!(lowered.exact, exact, "{text}");
        match lowered.selection {
            Selection::Program(program) => {
                assert_eq!(audit(program.bytes(), true), Ok(()), "{text}");
            }
            Selection::Everything => {
                assert!(["not (rtt > 5ms and dport = 443)", "dev eth0"].contains(&text), "{text}");
            }
            Selection::Nothing => panic!("{text}"),
        }
    }
    assert_eq!(lowered("udp and dport = 1").selection, Selection::Nothing);
    assert_eq!(lowered("dst *").selection, Selection::Everything);
    assert!(lowered("dst *").exact);
}

#[test]
fn an_older_kernel_gets_what_it_understands() {
    let old = Abilities { newer: false, ..Abilities::ALL };
    let none = Abilities { bytecode: false, ..old };
    let expr = parser::parse("dport = 443 and mark = 1 and dev = 2", &Empty).unwrap().expr;
    let Lowered { selection: Selection::Program(program), exact: false } =
        lower(&expr, TCP, old, &Fixed)
    else {
        panic!("no program");
    };
    // One host condition without address.
    assert_eq!((program.bytes().len(), program.bytes()[0]), (12, 8));
    assert_eq!(lower(&expr, TCP, none, &Fixed).selection, Selection::Everything);
}

#[test]
fn a_filter_longer_than_its_jumps_selects_more_and_stays_lawful() {
    let ports: Vec<_> = (0..12_000).map(|port| (port * 5).to_string()).collect();
    for text in [
        format!("dport in {}", ports.join(",")),
        format!("not dport in {}", ports.join(",")),
        format!("sport = 1 and dport in {}", ports.join(",")),
        ports.iter().map(|port| format!("sport = {port}")).collect::<Vec<_>>().join(" or "),
        ports.iter().map(|port| format!("sport != {port}")).collect::<Vec<_>>().join(" and "),
    ] {
        let lowered = lowered(&text);
        assert!(!lowered.exact);
        if let Selection::Program(program) = &lowered.selection {
            assert_eq!(audit(program.bytes(), false), Ok(()));
            let mut socket = entry_socket("1.2.3.4", 1, "1.2.3.4", 55);
            let (context, parsed) = (Context::default(), parser::parse(&text, &Empty).unwrap());
            for port in [0, 1, 4, 5, 55, 56, 59_995, 59_996, 65_535] {
                (socket.local.port, socket.remote.port) = (port, port);
                let wanted = eval::test(&parsed.expr, Row { socket: &socket, context: &context });
                let taken = run(program.bytes(), &Entry { socket: &socket, autobound: true });
                assert!(taken || wanted == Truth::No, "{port}");
            }
        }
    }
    let just_long = format!("sport = 1 and dport in {}", ports[..4000].join(","));
    assert!(lowered(&just_long).exact);
    let Selection::Program(program) =
        lowered(&format!("sport = 1 and dport in {}", ports.join(","))).selection
    else {
        panic!("nothing is left for the kernel");
    };
    assert!(program.bytes().len() < 100);
}

#[test]
fn states_are_decided_by_the_whole_filter() {
    let states = |text: &str| {
        let parsed = parser::parse(text, &Empty).unwrap();
        states(&parsed.expr, Protocol::Tcp, StateSet::ALL).0
    };
    let of = |state| StateSet::of(state);
    assert_eq!(states("state listening"), of(State::Listen));
    assert_eq!(states("sport = 1 and state = LISTEN"), of(State::Listen));
    assert_eq!(states("sport = 1 or state = LISTEN"), StateSet::ALL);
    assert_eq!(states("state != TIME_WAIT"), StateSet::ALL.without(of(State::TimeWait)));
    assert_eq!(
        states("not (state = LISTEN or sport = 1)"),
        StateSet::ALL.without(of(State::Listen))
    );
    assert_eq!(states("not (state = LISTEN and sport = 1)"), StateSet::ALL);
    assert_eq!(states("state = LISTEN and state = ESTAB"), StateSet::NONE);
    assert_eq!(states("age > 30s"), of(State::TimeWait));
    assert_eq!(states("accept_queue > 0"), of(State::Listen));
    assert_eq!(states("not accept_queue > 0"), StateSet::ALL);
    assert_eq!(states("state_number = 6"), of(State::TimeWait));
    assert_eq!(states("timer = time-wait"), of(State::TimeWait).with(of(State::FinWait2)));
    assert_eq!(states("udp or age > 1s"), of(State::TimeWait));
}

fn entry_socket(local: &str, local_port: u16, peer: &str, peer_port: u16) -> Socket {
    let local: IpAddr = local.parse().unwrap();
    let family = if local.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    Socket {
        local: Endpoint::new(local, local_port),
        remote: Endpoint::new(peer.parse().unwrap(), peer_port),
        queues: Queues::Data { recv: 0, send: 0 },
        mark: Some(0),
        cgroup_id: Some(1),
        ..Socket::new(Protocol::Tcp, family, State::Established)
    }
}

/// Few addresses and ports, so that tests and sockets meet.
fn any_socket() -> impl Strategy<Value = (Socket, bool)> {
    let v4 = prop::sample::select(vec!["10.0.0.1", "10.1.2.3", "127.0.0.1", "0.0.0.0"]);
    let v6 = prop::sample::select(vec!["::1", "::", "fe80::1", "::ffff:10.0.0.1"]);
    let pair = prop_oneof![(v4.clone(), v4), (v6.clone(), v6)];
    let states: Vec<State> =
        State::all().filter(|s| StateSet::ALL.contains(*s) && *s != State::Unconnected).collect();
    let ports = prop::sample::select(vec![0u16, 1, 22, 80, 443, 1024, 8080, 40_000, 65_535]);
    let rest = (prop::sample::select(states), 0u32..4, 0u32..5, 0u8..2);
    (pair, ports.clone(), ports, rest).prop_map(|((local, peer), sport, dport, rest)| {
        let (state, interface, mark, autobound) = rest;
        let mut socket = entry_socket(local, sport, peer, dport);
        (socket.state, socket.interface) = (state, interface);
        socket.mark = Some(mark);
        // Mini-sockets are in no cgroup; the kernel compares 0 there.
        let small = matches!(state, State::TimeWait | State::SynRcvd);
        socket.cgroup_id = (!small).then_some(1);
        // The kernel's word and the range agree: nobody binds by number in the range here.
        (socket, autobound == 1 || (32_768..61_000).contains(&sport))
    })
}

fn any_filter() -> impl Strategy<Value = String> {
    let test = prop::sample::select(vec![
        "sport = :22",
        "dport != 443",
        "sport > 1024",
        "dport <= 80",
        "sport in 22,80-443",
        "src 10/8",
        "dst 10.0.0.1",
        "dst [::1]:22",
        "src [fe80::/10]",
        "dst 0/0",
        "src [::]/0",
        "dst [::ffff:10.0.0.0/104]",
        "src *",
        "dst *:443",
        "host 10.0.0.1:80",
        "port 22",
        "dev = 2",
        "dev != 0",
        "fwmark = 1/3",
        "mark != 2",
        "cgroup = /",
        "cgroup = /gone",
        "autobound",
        "state = LISTEN",
        "state != TIME_WAIT",
        "state in ESTAB,CLOSING",
        "tcp",
        "udp",
        "family = ipv6",
        "rtt > 5ms",
        "recv_queue > 0",
        "process = nginx",
        "retransmits > 0",
        "dport in 1,3,5,7,22,443,8080",
        "not sport in 0,22-80,90,443,1000-2000,8080,65535",
        "src 10.0.0.1,[::1],127/8",
    ]);
    test.prop_map(str::to_owned).prop_recursive(5, 40, 4, |inner| {
        let joined = |word: &'static str, inner: BoxedStrategy<String>| {
            prop::collection::vec(inner, 2..4)
                .prop_map(move |parts| format!("({})", parts.join(word)))
        };
        let inner = inner.boxed();
        prop_oneof![
            joined(" and ", inner.clone()),
            joined(" or ", inner.clone()),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_kernel_takes_whatever_the_filter_takes(
        text in any_filter(),
        sockets in prop::collection::vec(any_socket(), 1..8),
        newer: bool,
        family in prop::sample::select(vec![None, Some(Family::Ipv4), Some(Family::Ipv6)]),
        wide: bool,
    ) {
        let parsed = parser::parse(&text, &Empty).unwrap();
        let (may, _) = states(&parsed.expr, Protocol::Tcp, StateSet::ALL);
        let target = Target {
            protocol: Protocol::Tcp,
            family,
            states: if wide { StateSet::ALL } else { may },
        };
        let abilities = Abilities { newer, ..Abilities::ALL };
        let lowered = lower(&parsed.expr, target, abilities, &Fixed);
        if let Selection::Program(program) = &lowered.selection {
            prop_assert_eq!(audit(program.bytes(), true), Ok(()));
        }
        let context =
            Context { spaces: vec![Space { ephemeral_ports: Some(32_768..=60_999), ..Space::default() }], ..Context::default() };
        for (socket, autobound) in &sockets {
            let wanted = eval::test(&parsed.expr, Row { socket, context: &context });
            let walked = target.states.contains(socket.state)
                && family.is_none_or(|family| family == socket.family);
            if !walked {
                // The mask alone leaves it out: rightly so, unless the family was asked for.
                prop_assert!(wanted == Truth::No || family.is_some() || wide
                    || (wanted == Truth::Unknown && !may.contains(socket.state)));
                continue;
            }
            let taken = match &lowered.selection {
                Selection::Everything => true,
                Selection::Nothing => false,
                Selection::Program(program) => {
                    run(program.bytes(), &Entry { socket, autobound: *autobound })
                }
            };
            // Unknown rows reach this side too, where they are counted.
            prop_assert!(taken || wanted == Truth::No, "{} {:?} {:?}", text, wanted, socket);
            if lowered.exact {
                prop_assert_eq!(taken, wanted == Truth::Yes, "{} {:?}", text, socket);
            }
        }
    }
}
