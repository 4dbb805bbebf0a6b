//! The decoder of inet_diag answers against netlink-packet-sock-diag, on recorded bytes, on cut and
//! lying ones, on random ones, and on one live dump.

use netlink_packet_core::{Nla as _, Parseable};
use netlink_packet_sock_diag::inet::{InetResponse, Timer as CrateTimer, nlas::Nla};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use proptest::prelude::*;
use sockeye::{
    kernel::{
        netlink::{
            attribute::{self, Attributes},
            connection::Next,
            frame::{Frame, Frames, HEADER as FRAME_HEADER},
        },
        proc::{net_inet, root::Root},
        sock_diag::{
            inet,
            request::{Extensions, Request},
        },
    },
    model::{
        endpoint::Endpoint,
        owner::Unowned,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::{State, StateSet},
        tcp_info::{TCP_FIELDS, TcpInfo},
        timer::{Timer, TimerKind},
    },
};
use std::{
    fs,
    net::{TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_SKMEMINFO: u16 = 7;
const INET_DIAG_CGROUP_ID: u16 = 21;
const INET_DIAG_SOCKOPT: u16 = 22;

/// The recorded answers, each with what is true of the socket by how it was made.
type Fact = fn(&Socket) -> bool;
const RECORDED: &[(&str, Protocol, Fact)] = &[
    ("listen4", Protocol::Tcp, |s| {
        s.state == State::Listen
            && s.local.to_string() == "127.0.0.1:8080"
            && s.peer().is_none()
            && s.queues == Queues::Listen { accept_queue: 1, limit: Some(7) }
    }),
    ("listen6", Protocol::Tcp, |s| {
        s.local.to_string() == "[::]:8081"
            && s.v6only == Some(true)
            && s.queues == Queues::Listen { accept_queue: 0, limit: Some(16) }
    }),
    ("listen6_bound", Protocol::Tcp, |s| s.interface == 1 && s.local.to_string() == "[::1]:8083"),
    ("not_accepted4", Protocol::Tcp, |s| {
        s.state == State::Established
            && s.inode.is_none()
            && s.unowned() == Some(Unowned::NotAccepted)
    }),
    ("established4", Protocol::Tcp, |s| {
        s.state == State::Established
            && s.remote.to_string() == "127.0.0.1:8080"
            && s.queues == Queues::Data { recv: 7, send: 0 }
            && (s.tos, s.mark) == (Some(0x10), Some(42))
            && s.timer.is_some_and(|t| t.kind == TimerKind::Keepalive && t.expires_ms > 7_000_000)
    }),
    ("established6", Protocol::Tcp, |s| {
        s.family == Family::Ipv6 && s.remote.to_string() == "[::1]:8081" && s.timer.is_none()
    }),
    ("mapped6", Protocol::Tcp, |s| {
        s.family == Family::Ipv6 && s.remote.to_string() == "[::ffff:127.0.0.1]:8080"
    }),
    ("fin_wait_2", Protocol::Tcp, |s| {
        s.state == State::FinWait2 && s.inode.is_some() && s.shutdown == Some(2) && !s.is_mini()
    }),
    ("close_wait", Protocol::Tcp, |s| s.state == State::CloseWait && s.shutdown == Some(1)),
    ("fin_wait_2_orphan", Protocol::Tcp, |s| {
        s.state == State::FinWait2 && s.is_mini() && s.age_ms().is_none() && s.uid.is_none()
    }),
    ("time_wait", Protocol::Tcp, |s| {
        s.state == State::TimeWait && s.age_ms().is_some_and(|age| age < 1000) && s.uid.is_none()
    }),
    ("time_wait6", Protocol::Tcp, |s| s.family == Family::Ipv6 && s.age_ms().is_some()),
    ("window_probe", Protocol::Tcp, |s| {
        s.timer.is_some_and(|t| t.kind == TimerKind::WindowProbe && t.retransmits > 0)
    }),
    ("keepalive", Protocol::Tcp, |s| {
        s.timer.is_some_and(|t| t.kind == TimerKind::Keepalive && t.retransmits == 2)
    }),
    ("syn_sent", Protocol::Tcp, |s| {
        s.state == State::SynSent
            && s.timer.is_some_and(|t| t.kind == TimerKind::Retransmit && t.retransmits > 0)
    }),
    ("syn_rcvd", Protocol::Tcp, |s| {
        s.state == State::SynRcvd
            && s.remote.to_string() == "10.99.0.2:50000"
            && (s.uid, s.inode, s.queues) == (None, None, Queues::Absent)
    }),
    ("udp4", Protocol::Udp, |s| s.state == State::Unconnected && s.peer().is_none()),
    ("udp4_connected", Protocol::Udp, |s| {
        s.state == State::Established && s.remote.to_string() == "127.0.0.1:5353"
    }),
    ("udp6", Protocol::Udp, |s| s.local.to_string() == "[::]:5355"),
];

#[test]
fn recorded_answers_say_what_was_done_and_what_the_crate_reads() {
    for (name, protocol, fact) in RECORDED {
        let bytes = recorded(name);
        let ours = inet::decode(*protocol, &bytes).expect(name);
        assert!(fact(&ours), "{name}: {ours:?}");
        agree(name, &ours, &bytes);
    }
}

#[test]
fn an_answer_keeps_nothing_of_the_one_before() {
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let told = RECORDED.iter().filter(|(_, of, _)| *of == protocol);
        let answers: Vec<_> = told.map(|(name, ..)| recorded(name)).collect();
        // Without attributes, with one that is cut, and with them twice in a row.
        let all: Vec<&[u8]> = answers
            .iter()
            .flat_map(|bytes| {
                [&bytes[..], &bytes[..bytes.len() - 1], &bytes[..inet::HEADER], bytes, bytes]
            })
            .collect();
        let mut decoder = inet::Decoder::new(protocol, Extensions::UNASKED);
        for first in &all {
            for second in &all {
                for answer in [first, second] {
                    let alone = inet::decode(protocol, answer);
                    assert_eq!(decoder.decode(answer).cloned(), alone);
                }
            }
        }
    }
}

#[test]
fn every_recording_is_tested() {
    let mut known: Vec<String> = RECORDED.iter().map(|(name, ..)| format!("{name}.hex")).collect();
    known.extend(["datagram.hex".to_owned(), "record.py".to_owned()]);
    for entry in fs::read_dir(data()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is in no test");
    }
}

#[test]
fn a_cut_answer_is_refused_or_tells_less_and_never_something_else() {
    for (name, protocol, _) in RECORDED {
        let bytes = recorded(name);
        let whole = inet::decode(*protocol, &bytes).unwrap();
        for cut in 0..bytes.len() {
            let told = inet::decode(*protocol, &bytes[..cut]);
            assert_eq!(told.is_some(), cut >= inet::HEADER, "{name} cut at {cut}");
            if let Some(told) = told {
                tells_no_more(&told, &whole, &format!("{name} cut at {cut}"));
            }
        }
    }
}

#[test]
fn a_lying_length_costs_what_follows_it_and_nothing_before() {
    for (name, protocol, _) in RECORDED {
        let bytes = recorded(name);
        let whole = inet::decode(*protocol, &bytes).unwrap();
        let mut at = inet::HEADER;
        while at < bytes.len() {
            let length = u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
            let before = inet::decode(*protocol, &bytes[..at]).unwrap();
            for lie in [0u16, 1, 3, u16::try_from(bytes.len() - at + 1).unwrap(), u16::MAX] {
                let mut lying = bytes.clone();
                lying[at..at + 2].copy_from_slice(&lie.to_ne_bytes());
                assert_eq!(inet::decode(*protocol, &lying).unwrap(), before, "{name} at {at}");
            }
            // A length that is wrong and fits: the rest is misread, but the fixed part stands.
            for lie in 4..length {
                let mut lying = bytes.clone();
                lying[at..at + 2].copy_from_slice(&lie.to_ne_bytes());
                let told = inet::decode(*protocol, &lying).unwrap();
                assert_eq!(fixed_part(&told), fixed_part(&whole), "{name} at {at}");
            }
            at += usize::from(length).next_multiple_of(4);
        }
    }
}

#[test]
fn attributes_of_newer_kernels_are_passed_over() {
    for (name, protocol, _) in RECORDED {
        let bytes = recorded(name);
        let whole = inet::decode(*protocol, &bytes).unwrap();
        let mut newer = bytes[..inet::HEADER].to_vec();
        attribute::push(&mut newer, 0x3fff, b"of a later kernel");
        newer.extend(&bytes[inet::HEADER..]);
        newer.resize(newer.len().next_multiple_of(4), 0);
        attribute::push(&mut newer, 999, &[]);
        assert_eq!(inet::decode(*protocol, &newer).unwrap(), whole, "{name}");
    }
}

#[test]
fn a_shorter_or_longer_tcp_info_keeps_the_fields_it_has() {
    let bytes = recorded("established4");
    let whole = inet::decode(Protocol::Tcp, &bytes).unwrap().tcp_info.unwrap();
    let (_, sent) =
        Attributes::new(&bytes[inet::HEADER..]).find(|(kind, _)| *kind == INET_DIAG_INFO).unwrap();
    // 104 bytes: before Linux 3.15. 275: the last field is cut. 400: a kernel to come.
    for length in [104, 275, sent.len(), 400] {
        let mut info = sent.to_vec();
        info.resize(length, 0xee);
        let mut message = bytes[..inet::HEADER].to_vec();
        attribute::push(&mut message, INET_DIAG_INFO, &info);
        let told = inet::decode(Protocol::Tcp, &message).unwrap().tcp_info.unwrap();
        let kept = length.min(whole.bytes().len());
        assert_eq!(told.bytes()[..kept.min(sent.len())], whole.bytes()[..kept.min(sent.len())]);
        assert_eq!(told.by_id("rtt"), whole.by_id("rtt"));
        assert_eq!(told.by_id("pacing_rate").is_some(), length > 104);
        let fields = TCP_FIELDS.iter().filter(|f| told.get(f.place).is_some()).count();
        assert_eq!(fields == TCP_FIELDS.len(), length > 275, "{length}");
    }
}

#[test]
fn memory_of_older_kernels_lacks_its_last_words() {
    let mut words = vec![];
    for number in 1u32..=9 {
        words.extend(number.to_ne_bytes());
    }
    let of = |length: usize| {
        let mut message = recorded("established4")[..inet::HEADER].to_vec();
        attribute::push(&mut message, INET_DIAG_SKMEMINFO, &words[..length]);
        inet::decode(Protocol::Tcp, &message).unwrap().memory
    };
    let known = |length| of(length).map(|m| (m.optmem_bytes, m.lock_backlog_bytes, m.drops));
    assert_eq!(known(36), Some((7, Some(8), Some(9))));
    assert_eq!(known(32), Some((7, Some(8), None)));
    assert_eq!(known(28), Some((7, None, None)));
    assert_eq!(known(27), None);
}

#[test]
fn a_recorded_datagram_is_walked_whole_and_every_cut_of_it_ends() {
    let datagram = recorded("datagram");
    let rows = Frames::new(&datagram)
        .map(|frame| match frame {
            Frame::Message { kind: 20, payload } => inet::decode(Protocol::Tcp, payload).unwrap(),
            other => panic!("{other:?}"),
        })
        .count();
    assert!(rows > 4, "{rows}");
    for cut in 0..datagram.len() {
        let frames: Vec<_> = Frames::new(&datagram[..cut]).collect();
        let whole = frames.iter().filter(|f| matches!(f, Frame::Message { .. })).count();
        assert!(whole <= rows && frames.len() <= whole + 1, "{cut}");
        assert!(frames.iter().rev().skip(1).all(|f| *f != Frame::Truncated), "{cut}");
    }
}

proptest! {
    #[test]
    fn random_datagrams_end(bytes: Vec<u8>, flags in any::<u16>(), kind in 0u16..24) {
        let mut datagram = u32::try_from(FRAME_HEADER + bytes.len()).unwrap().to_ne_bytes().to_vec();
        datagram.extend(kind.to_ne_bytes());
        datagram.extend(flags.to_ne_bytes());
        datagram.extend([0; 8]);
        datagram.extend(&bytes);
        datagram.resize(datagram.len().next_multiple_of(4), 0);
        // The same bytes behind a message that is whole: nothing of it is lost.
        let whole = usize::from(kind != 1);
        datagram.extend(&bytes);
        prop_assert!(Frames::new(&datagram).count() >= whole);
        prop_assert!(Frames::new(&bytes).count() <= bytes.len() / FRAME_HEADER + 1);
        prop_assert!(Attributes::new(&bytes).count() <= bytes.len() / 4);
    }

    #[test]
    fn random_answers_are_read_as_the_crate_reads_them(
        family in prop_oneof![4 => Just(2u8), 4 => Just(10u8), 1 => any::<u8>()],
        state in prop_oneof![8 => 1u8..12, 1 => any::<u8>()],
        timer in 0u8..6,
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = vec![family, state, timer];
        bytes.extend(rest);
        for protocol in Protocol::ALL {
            let ours = inet::decode(protocol, &bytes);
            let lawful = bytes.len() >= inet::HEADER && [2, 10].contains(&family);
            prop_assert_eq!(ours.is_some(), lawful);
            // The crate refuses the whole answer for one attribute it cannot read.
            if let (Some(ours), Ok(theirs)) =
                (ours, InetResponse::parse(bytes.get(..inet::HEADER).unwrap_or(&bytes)))
            {
                agree_on_fixed_part("random", &ours, &theirs, &bytes);
            }
        }
    }

    #[test]
    fn no_line_of_a_table_is_lost_whatever_it_holds(
        lines in prop::collection::vec(prop_oneof![
            "[0-9A-F: ]{0,170}",
            "[^\n]{0,80}",
            Just(LINE.to_owned()),
            (0..LINE.len()).prop_map(|cut| LINE[..cut].to_owned()),
            ((0..LINE.len()), "[ -~]").prop_map(|(at, with)| {
                let mut line = LINE.to_owned();
                line.replace_range(at..=at, &with);
                line
            }),
        ], 0..12),
        table in 0usize..10,
    ) {
        let (protocol, family) = [
            (Protocol::Tcp, Family::Ipv4), (Protocol::Tcp, Family::Ipv6),
            (Protocol::Udp, Family::Ipv4), (Protocol::Udp, Family::Ipv6),
            (Protocol::UdpLite, Family::Ipv4), (Protocol::UdpLite, Family::Ipv6),
            (Protocol::Raw, Family::Ipv4), (Protocol::Raw, Family::Ipv6),
            (Protocol::Icmp, Family::Ipv4), (Protocol::Icmp, Family::Ipv6),
        ][table];
        let text = format!("  sl  local_address rem_address   st\n{}", lines.join("\n"));
        let tree = Tree::with(net_inet::table(protocol, family).unwrap(), text.as_bytes());
        let mut rows = 0;
        let tally = net_inet::sockets(&tree.root(), protocol, family, |_| {
            rows += 1;
            Next::More
        }).unwrap();
        // As the reader sees them: a blank line is nothing.
        let asked = lines.join("\n").split('\n').filter(|l| !l.as_bytes().trim_ascii().is_empty()).count();
        prop_assert_eq!(rows + tally.bad_lines, u32::try_from(asked).unwrap());
    }
}

#[test]
fn one_live_dump_is_read_alike() {
    // Something to see: a listener, both ends of a connection, and UDP.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let udp = match UdpSocket::bind("[::1]:0") {
        Ok(udp) => udp,
        Err(error) => return skipped(&format!("no IPv6 loopback: {error}")),
    };
    if let Err(error) = netlink_sys::Socket::new(NETLINK_SOCK_DIAG) {
        return skipped(&format!("netlink is refused: {error}"));
    }
    let mut seen = vec![];
    for (protocol, family) in [
        (Protocol::Tcp, None),
        (Protocol::Tcp, Some(Family::Ipv4)),
        (Protocol::Udp, Some(Family::Ipv6)),
    ] {
        let extensions = Extensions::INFO
            .with(Extensions::CONGESTION)
            .with(Extensions::TOS)
            .with(Extensions::MEMORY);
        let request = Request { protocol, family, states: StateSet::ALL, extensions };
        for payload in dump(request) {
            let ours = inet::decode(protocol, &payload).unwrap();
            agree("live", &ours, &payload);
            seen.push((family, ours.local, ours.peer().copied()));
        }
    }
    let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
    let (server, client) = (end(client.peer_addr().unwrap()), end(client.local_addr().unwrap()));
    for family in [None, Some(Family::Ipv4)] {
        assert!(seen.contains(&(family, server, None)));
        assert!(seen.contains(&(family, server, Some(client))));
        assert!(seen.contains(&(family, client, Some(server))));
    }
    assert!(seen.contains(&(Some(Family::Ipv6), end(udp.local_addr().unwrap()), None)));
}

/// A line of /proc/net/tcp, Linux 6.18, x86-64.
const LINE: &str = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0";

/// Everything the crate keeps is what the decoder says, and nothing more is said.
fn agree(name: &str, ours: &Socket, bytes: &[u8]) {
    let theirs = InetResponse::parse(bytes).expect(name);
    agree_on_fixed_part(name, ours, &theirs, bytes);
    let mut expected = fixed_part(ours);
    let mut congestion = None;
    for nla in &theirs.nlas {
        match nla {
            Nla::Mark(mark) => expected.mark = Some(*mark),
            Nla::Shutdown(bits) => expected.shutdown = Some(*bits),
            Nla::SkV6Only(only) => expected.v6only = Some(*only),
            Nla::Tos(tos) => expected.tos = Some(*tos),
            Nla::Congestion(algorithm) => congestion = Some(algorithm.clone()),
            Nla::TcpInfo(sent) => {
                let told = ours.tcp_info.as_deref().map(TcpInfo::bytes);
                assert_eq!(told, Some(&sent[..]), "{name}: tcp_info");
            }
            Nla::MemInfo(m) => {
                let told = ours.memory.unwrap();
                assert_eq!(
                    [
                        told.rmem_alloc_bytes,
                        told.rcvbuf_bytes,
                        told.wmem_alloc_bytes,
                        told.sndbuf_bytes,
                        told.fwd_alloc_bytes,
                        told.wmem_queued_bytes,
                        told.optmem_bytes,
                        told.lock_backlog_bytes.unwrap(),
                        told.drops.unwrap(),
                    ],
                    [
                        m.receive_queue,
                        m.receive_queue_max,
                        m.bottom_send_queues,
                        m.send_queue_max,
                        m.cache,
                        m.send_queue,
                        m.options,
                        m.backlog_queue_length,
                        m.drops,
                    ],
                    "{name}: memory"
                );
            }
            Nla::Other(other) => {
                let mut value = vec![0; other.value_len()];
                other.emit_value(&mut value);
                match other.kind() {
                    INET_DIAG_CGROUP_ID => {
                        expected.cgroup_id =
                            Some(u64::from_ne_bytes(value.as_slice().try_into().unwrap()));
                    }
                    INET_DIAG_SOCKOPT => {
                        expected.sockopt = Some(value.as_slice().try_into().unwrap());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let sent = |kind| theirs.nlas.iter().any(|nla| nla.kind() == kind);
    assert_eq!(ours.tcp_info.is_some(), sent(INET_DIAG_INFO), "{name}: tcp_info");
    assert_eq!(ours.memory.is_some(), sent(INET_DIAG_SKMEMINFO), "{name}: memory");
    let told = ours.congestion.as_ref().map(|c| String::from_utf8(c.name().to_vec()).unwrap());
    assert_eq!(told, congestion, "{name}: congestion");
    let others =
        Socket { tcp_info: None, memory: None, congestion: None, details: None, ..ours.clone() };
    assert_eq!(others, expected, "{name}");
}

fn agree_on_fixed_part(name: &str, ours: &Socket, theirs: &InetResponse, bytes: &[u8]) {
    let header = &theirs.header;
    let id = &header.socket_id;
    // A request socket, whose number the kernel never tells, is a SYN_RCVD one.
    // SCTP has states of its own, which the crate does not know.
    let state = match header.state {
        _ if ours.protocol == Protocol::Sctp => ours.state.number(),
        12 => 3,
        other => other,
    };
    assert_eq!((ours.family.number(), ours.state.number()), (header.family, state), "{name}");
    assert_eq!(ours.local, Endpoint::new(id.source_address, id.source_port), "{name}");
    assert_eq!(ours.remote, Endpoint::new(id.destination_address, id.destination_port), "{name}");
    assert_eq!(ours.interface, id.interface_id, "{name}");
    assert_eq!(ours.cookie, Some(u64::from_ne_bytes(id.cookie)), "{name}");
    assert_eq!(ours.inode.unwrap_or(0), u64::from(header.inode), "{name}");
    let queues = (header.recv_queue, header.send_queue);
    match ours.queues {
        Queues::Listen { accept_queue, limit } => {
            assert_eq!((accept_queue, limit), (queues.0, Some(queues.1)), "{name}");
        }
        Queues::Data { recv, send } => assert_eq!((recv, send), queues, "{name}"),
        Queues::Absent => assert!(ours.is_mini() || ours.state == State::SynRcvd, "{name}"),
    }
    match ours.uid {
        Some(uid) => assert_eq!(uid, header.uid, "{name}"),
        None => assert!(ours.is_mini() || ours.state == State::SynRcvd, "{name}"),
    }
    // What the crate drops is read off the bytes: idiag_retrans at 3, idiag_expires at 52.
    let expires_ms = u32::from_ne_bytes(bytes[52..56].try_into().unwrap());
    let kind = match &header.timer {
        Some(CrateTimer::Retransmit(expires, retransmits)) => {
            assert_eq!(
                (expires.as_millis(), *retransmits),
                (expires_ms.into(), bytes[3]),
                "{name}"
            );
            TimerKind::Retransmit
        }
        Some(CrateTimer::KeepAlive(expires)) => {
            assert_eq!(expires.as_millis(), expires_ms.into(), "{name}");
            TimerKind::Keepalive
        }
        Some(CrateTimer::Probe(expires)) => {
            assert_eq!(expires.as_millis(), expires_ms.into(), "{name}");
            TimerKind::WindowProbe
        }
        Some(CrateTimer::TimeWait) => TimerKind::TimeWait,
        // The crate knows no other; the decoder keeps the number.
        None if bytes[2] == 0 => return assert_eq!(ours.timer, None, "{name}"),
        None => TimerKind::Other(bytes[2]),
    };
    assert_eq!(ours.timer, Some(Timer { kind, expires_ms, retransmits: bytes[3] }), "{name}");
}

/// The socket without what attributes tell.
fn fixed_part(socket: &Socket) -> Socket {
    Socket {
        mark: None,
        cgroup_id: None,
        shutdown: None,
        v6only: None,
        sockopt: None,
        tos: None,
        drops: None,
        tcp_info: None,
        memory: None,
        congestion: None,
        details: None,
        family_facts: None,
        ..socket.clone()
    }
}

fn tells_no_more(told: &Socket, whole: &Socket, name: &str) {
    assert_eq!(fixed_part(told), fixed_part(whole), "{name}");
    macro_rules! same_or_absent {
        ($($field:ident)*) => {$(
            assert!(told.$field.is_none() || told.$field == whole.$field, "{name}: {}", stringify!($field));
        )*};
    }
    same_or_absent!(mark cgroup_id shutdown v6only sockopt tos drops tcp_info memory congestion);
    let (Some(told), Some(whole)) = (&told.details, &whole.details) else {
        return assert!(told.details.is_none(), "{name}: details");
    };
    macro_rules! same_or_absent_detail {
        ($($field:ident)*) => {$(
            assert!(told.$field.is_none() || told.$field == whole.$field, "{name}: {}", stringify!($field));
        )*};
    }
    same_or_absent_detail!(tclass class_id algorithm upper_layer md5 storages);
}

/// The payloads of a dump, asked for without sockeye's own connection.
fn dump(request: Request) -> Vec<Vec<u8>> {
    let (kind, body) = request.message();
    let socket = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).unwrap();
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    // NLM_F_REQUEST | NLM_F_DUMP, sequence 1.
    message.extend(0x301u16.to_ne_bytes());
    message.extend(1u32.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    message.extend(body);
    socket.send_to(&message, &netlink_sys::SocketAddr::new(0, 0), 0).unwrap();
    let mut payloads = vec![];
    loop {
        let mut buffer = vec![0; 65536];
        let length = socket.recv(&mut &mut buffer[..], 0).unwrap();
        for frame in Frames::new(&buffer[..length]) {
            match frame {
                Frame::Message { payload, .. } => payloads.push(payload.to_vec()),
                Frame::Done(0) => return payloads,
                other => panic!("{other:?}"),
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "a skip is said aloud")]
fn skipped(why: &str) {
    println!("SKIPPED: {why}");
    assert_ne!(std::env::var("SOCKEYE_REQUIRE_LIVE").as_deref(), Ok("1"), "{why}");
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inet_diag")
}

/// Bytes of a recording: hexadecimal, below lines of comment.
#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
fn recorded(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(data().join(name).with_extension("hex")).unwrap();
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// A /proc tree with one table, gone with its value.
struct Tree(PathBuf);

impl Tree {
    fn with(table: &str, text: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("wire-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("net")).unwrap();
        fs::write(path.join("net").join(table), text).unwrap();
        Self(path)
    }

    fn root(&self) -> Root {
        Root::at(&self.0).unwrap()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
