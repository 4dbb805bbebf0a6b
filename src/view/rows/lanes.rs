//! Tests that the short ways of writing a row write what the long ones do.

use super::{
    csv::Csv,
    object,
    plain::{Form, Plain},
    table::Table,
    whole::{Among, Whole},
};
use crate::{
    collect::sink::RowSink,
    field::{
        self,
        row::{Context, Row},
    },
    model::{
        endpoint::Endpoint,
        owner::{Owners, Process, Unowned},
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
        timer::{Timer, TimerKind},
    },
    view::{output::Output, terminal::Device},
};
use proptest::{collection::vec, prelude::*};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn end() -> impl Strategy<Value = (u8, u32, u128, u16)> {
    let port = prop_oneof![Just(0u16), 1u16..200, any::<u16>()];
    (0u8..4, any::<u32>(), any::<u128>(), port)
}

fn address(family: Family, (kind, v4, v6, _): (u8, u32, u128, u16)) -> IpAddr {
    match (family, kind) {
        (Family::Ipv4, 0) => Ipv4Addr::UNSPECIFIED.into(),
        (Family::Ipv4, _) => Ipv4Addr::from(v4).into(),
        (_, 0) => Ipv6Addr::UNSPECIFIED.into(),
        (_, 1) => Ipv4Addr::from(v4).to_ipv6_mapped().into(),
        // Short ones, too.
        (_, 2) => Ipv6Addr::from(u128::from(v4) | 0xfe80 << 112).into(),
        (_, _) => Ipv6Addr::from(v6).into(),
    }
}

prop_compose! {
    fn socket()(
        is_v6: bool,
        number in 0u8..15,
        is_udp in prop::bool::weighted(0.1),
        local in end(),
        remote in end(),
        queues in (0u8..8, any::<u32>(), 0u32..20),
        interface in prop_oneof![9 => Just(0u32), 1 => Just(1)],
        timer in (0u8..6, any::<u32>(), any::<u8>()),
        identity in (prop::option::of(1u32..4), 1u64.., 0u32..3),
        told in (any::<Option<bool>>(), any::<Option<u8>>(), any::<Option<[u8; 2]>>(), 0u64..3),
    ) -> Socket {
        let protocol = if is_udp { Protocol::Udp } else { Protocol::Tcp };
        let family = if is_v6 { Family::Ipv6 } else { Family::Ipv4 };
        let mut socket = Socket::new(protocol, family, State::from_kernel(protocol, number));
        socket.local = Endpoint::new(address(family, local), local.3);
        socket.remote = Endpoint::new(address(family, remote), remote.3);
        socket.interface = interface;
        socket.queues = match queues {
            (0, large, small) => Queues::Listen { accept_queue: small, limit: Some(large) },
            (1, ..) => Queues::Absent,
            (2, large, small) => Queues::Data { recv: large, send: small },
            (_, _, small) => Queues::Data { recv: small, send: 0 },
        };
        socket.timer = TimerKind::from_kernel(timer.0)
            .map(|kind| Timer { kind, expires_ms: timer.1, retransmits: timer.2 });
        socket.inode = identity.0.map(u64::from);
        socket.cookie = Some(identity.1);
        socket.uid = identity.2.checked_sub(1);
        (socket.v6only, socket.shutdown, socket.sockopt) = (told.0, told.1, told.2);
        socket.cgroup_id = told.3.checked_sub(1);
        socket.mark = identity.2.checked_sub(2);
        socket
    }
}

/// Two processes that hold some of the sockets.
fn owners() -> Owners {
    let process = |pid, command: &[u8]| Process {
        pid,
        command: command.to_vec(),
        unit: None,
        container: None,
        pod: None,
        cgroup: None,
    };
    let mut owners = Owners::default();
    owners.add(process(7, b"nginx"), &[(1, 3), (2, 4)]);
    owners.add(process(8, b"nginx"), &[(1, 3), (1, 5)]);
    owners.add(process(9, b"a\x1bb\xff"), &[(2, 4)]);
    owners.finished(Some(Unowned::Kernel))
}

fn table(ids: &[&str], sockets: &[Socket], short: bool) -> String {
    let (mut output, kept) = Output::kept();
    let fields = ids.iter().map(|id| field::find(id).unwrap()).collect();
    let mut table = Table::new(&mut output, fields, true, Device::PIPE);
    if !short {
        table.without_short_way();
    }
    let context = Context { owners: owners(), ..Context::default() };
    for socket in sockets {
        table.row(Row { socket, context: &context }).unwrap();
    }
    table.end(&[]).unwrap();
    drop(table);
    kept.text()
}

const LISTINGS: [&[&str]; 7] = [
    &["state", "local", "peer", "owner"],
    &["state", "recv_queue", "send_queue", "accept_queue", "local", "peer"],
    &["protocol", "state", "recv_queue", "send_queue", "local", "peer"],
    &["recv_queue", "local"],
    &["local", "state", "peer", "send_queue"],
    &["state"],
    &["accept_queue", "accept_queue_limit", "local", "rtt", "uid"],
];

fn csv(ids: &[&str], sockets: &[Socket], short: bool) -> String {
    let (mut output, kept) = Output::kept();
    let fields = ids.iter().map(|id| field::find(id).unwrap()).collect();
    let mut csv = Csv::new(&mut output, fields, true);
    if !short {
        csv.without_short_way();
    }
    for socket in sockets {
        csv.row(Row { socket, context: &Context::default() }).unwrap();
    }
    csv.end(&[]).unwrap();
    drop(csv);
    kept.text()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_plain_row_is_the_row_of_the_columns(
        // The first are measured; of the others some are wider.
        sockets in vec(socket(), 100..500),
        ids in prop::sample::select(&LISTINGS[..]),
    ) {
        prop_assert_eq!(table(ids, &sockets, true), table(ids, &sockets, false));
        prop_assert_eq!(csv(ids, &sockets, true), csv(ids, &sockets, false));
    }

    #[test]
    fn an_object_by_the_short_way_is_the_object(sockets in vec(socket(), 1..200)) {
        let context = Context::default();
        for begins in ["", "{\"generated_at\":\"now\","] {
            let (mut output, kept) = Output::kept();
            let mut short = Whole::new(begins.into());
            let mut expected = String::new();
            for socket in &sockets {
                let row = Row { socket, context: &context };
                short.write(&mut output, row, Among::Lines).unwrap();
                let mut object = vec![];
                object::whole(&mut object, row);
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&object).is_ok());
                let object = String::from_utf8(object).unwrap();
                let rest = object.strip_prefix('{').unwrap();
                let begins = if begins.is_empty() { "{" } else { begins };
                expected.extend([begins, rest, "\n"]);
            }
            output.flush().unwrap();
            prop_assert_eq!(kept.text(), expected);
        }
    }
}

#[test]
fn most_rows_go_the_short_way_and_what_is_not_plain_does_not() {
    let form = Form { separator: b' ', unknown: "-", newline: b"\n ", ends: 1 };
    let columns =
        LISTINGS[1].iter().take(5).map(|id| (*id, 11)).chain([("peer", 24), ("owner", 9)]);
    let mut plain = Plain::of(form, columns).unwrap();
    assert!(plain.is_followed() && plain.covers() == 6);
    assert!(Plain::of(form, [("owner", 8), ("state", 11)].into_iter()).is_none());
    let context = Context::default();
    let mut writes = |socket: &Socket| {
        let mut out = b"before\n".to_vec();
        let does = plain.begin(&mut out, Row { socket, context: &context });
        assert_eq!(does, out.len() > 7, "nothing is half written");
        does
    };
    let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, State::Established);
    assert!(writes(&socket));
    socket.interface = 1;
    assert!(!writes(&socket));
    socket = Socket::new(Protocol::Tcp, Family::Ipv6, State::Established);
    socket.local = Endpoint::new("2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap(), 1);
    assert!(writes(&socket), "wider than its column, which shifts the row");
    assert!(Plain::of(form, [("state", 11), ("rtt", 8), ("local", 9)].into_iter()).is_none());
}
