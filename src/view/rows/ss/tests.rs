//! Families that few kernels have. What ss prints of them is known from its manual and its source
//! (iproute2 6.1.0, `misc/ss.c`); where a kernel has them, `tests/it/ss_text.rs` runs it beside.

use super::{Shown, column::Column, inet, layout::Layout, tipc, xdp};
use crate::{
    field::row::{Context, Row},
    model::{
        any,
        endpoint::Endpoint,
        family::{
            FamilyFacts,
            sctp::{Sctp, SctpInfo},
            tipc::{Connection, Tipc},
            xdp::{Statistics, Umem, Xdp},
        },
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        socket_type::SocketType,
        state::State,
        timer::{Timer, TimerKind},
    },
    view::output::Output,
};
use proptest::prelude::*;
use std::net::IpAddr;

/// The lines of sockets; with or without the lane for plain ones.
fn lines<'s>(
    sockets: impl IntoIterator<Item = &'s Socket>,
    hidden: &[Column],
    with_lane: bool,
) -> String {
    let mut layout = Layout::without(hidden, None);
    let context = Context::default();
    let shown = Shown { numeric: true, ..Shown::default() };
    let (mut output, kept) = Output::kept();
    layout.head();
    for socket in sockets {
        if !(with_lane && layout.brief(socket)) {
            inet::row(&mut layout, Row { socket, context: &context }, shown);
        }
        if layout.end_row() {
            layout.print_part(&mut output).unwrap();
        }
    }
    layout.print(&mut output).unwrap();
    output.flush().unwrap();
    kept.text()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_lane_writes_what_cells_say(
        mut sockets in prop::collection::vec(any::socket(), 0..60),
        interface in 0usize..60,
        shows in prop::array::uniform4(prop::bool::ANY),
    ) {
        if let Some(socket) = sockets.get_mut(interface) {
            socket.interface = 3;
        }
        let before = [Column::Netid, Column::State, Column::RecvQueue, Column::SendQueue];
        let hidden = before.into_iter().zip(shows).filter(|(_, shown)| !shown);
        let hidden: Vec<Column> = hidden.map(|(column, _)| column).collect();
        prop_assert_eq!(lines(&sockets, &hidden, true), lines(&sockets, &hidden, false));
    }
}

#[test]
fn the_lane_fills_chunks_as_cells_do() {
    let sockets: Vec<Socket> = (0..100_000u32)
        .map(|n| {
            let state = if n < 80_000 { State::Established } else { State::FinWait1 };
            let mut socket = Socket::new(Protocol::Tcp, Family::Ipv4, state);
            let random = n.wrapping_mul(2_654_435_761);
            let [.., last, a, b] = random.to_be_bytes();
            let ports = [u16::from_be_bytes([a, b]), u16::from(last)];
            let [.., third] = (n / 20_000 * 50).to_be_bytes();
            socket.local = Endpoint::new([10, 0, 0, third].into(), ports[0] >> (n % 13));
            socket.remote = Endpoint::new((random % (1 + n / 2)).to_be_bytes().into(), ports[1]);
            socket.queues = Queues::Data { recv: n / 5000 % 2, send: random % (1 + n / 50_000) };
            socket
        })
        .collect();
    let text = lines(&sockets, &[Column::Netid], true);
    // Widths grow from chunk to chunk.
    let mut widths: Vec<usize> = text.lines().map(str::len).collect();
    widths.dedup();
    assert!(widths.len() >= 2 && widths.is_sorted(), "{widths:?}");
    assert!(text == lines(&sockets, &[Column::Netid], false));
}

/// The line of a socket.
fn line(socket: &Socket, shown: Shown) -> String {
    let mut layout = Layout::without(&[], None);
    let context = Context::default();
    let row = Row { socket, context: &context };
    match socket.family_facts.as_deref() {
        Some(FamilyFacts::Xdp(facts)) => xdp::row(&mut layout, row, facts, shown),
        Some(FamilyFacts::Tipc(facts)) => tipc::row(&mut layout, row, facts, shown),
        _ => inet::row(&mut layout, row, shown),
    }
    layout.end_row();
    let (mut output, kept) = Output::kept();
    layout.print(&mut output).unwrap();
    output.flush().unwrap();
    kept.text().trim_end().to_owned()
}

fn socket(protocol: Protocol, family: Family, state: State, facts: FamilyFacts) -> Socket {
    Socket {
        inode: Some(4711),
        cookie: Some(0x51),
        uid: Some(1000),
        family_facts: Some(Box::new(facts)),
        ..Socket::new(protocol, family, state)
    }
}

#[test]
fn xdp_has_its_queue_for_a_port_and_rings_behind() {
    let facts = Xdp {
        queue_id: Some(7),
        rx_entries: Some(2048),
        tx_entries: Some(1024),
        umem: Some(Umem {
            size: 16_777_216,
            id: 9,
            pages: 4096,
            chunk_size: 4096,
            headroom: 256,
            interface: 4,
            queue_id: 7,
            flags: 1,
            references: 2,
        }),
        fill_entries: Some(512),
        completion_entries: Some(256),
        statistics: Some(Statistics { rx_dropped: 1, tx_ring_empty: 6, ..Statistics::default() }),
    };
    let mut row = socket(Protocol::Xdp, Family::Xdp, State::Unconnected, FamilyFacts::Xdp(facts));
    row.interface = 4;
    row.queues = Queues::Data { recv: 3, send: 5 };
    assert_eq!(line(&row, Shown::default()), "xdp UNCONN 3      0      if4:q7 *");
    let shown = Shown { identity: true, oneline: true, ..Shown::default() };
    assert_eq!(
        line(&row, shown),
        "xdp UNCONN 3      0      if4:q7 * uid:1000 ino:4711 sk:51 rx(entries:2048) \
         tx(entries:1024) tumem(id:9,size:16777216,num_pages:4096,chunk_size:4096,headroom:256,\
         ifindex:4,qid:7,zc:1,refs:2) fr(entries:512) cr(entries:256) stats(rx dropped:1,\
         rx invalid:0,rx queue full:0,rx fill ring empty:0,tx invalid:0,tx ring empty:6)"
    );
    let shown = Shown { oneline: false, ..shown };
    assert!(line(&row, shown).contains("\n\tumem(id:9,") && !line(&row, shown).contains("tumem"));
    row.interface = 0;
    assert_eq!(line(&row, Shown::default()), "xdp UNCONN 3      0      * *");
}

#[test]
fn tipc_has_nodes_for_addresses() {
    let facts = Tipc {
        kind: Some(SocketType::Stream),
        node: 16_781_314,
        reference: 1234,
        connection: Some(Connection { node: 16_781_313, port: 99, via: Some((18_888, 17)) }),
        has_publication: true,
        recv_messages: Some(5),
        send_messages: Some(6),
        drops: Some(7),
        link_congested: false,
        connection_congested: true,
    };
    let row =
        |facts| socket(Protocol::Tipc, Family::Tipc, State::Established, FamilyFacts::Tipc(facts));
    let shown = Shown { tipc: true, identity: true, oneline: true, ..Shown::default() };
    assert_eq!(
        line(&row(facts.clone()), shown),
        "ti_st ESTAB 5      6      16781314:1234 16781313:99 uid:1000 ino:4711 sk:51 type:STREAM \
         cong:conn  drop:7  publ via {18888,17}"
    );
    let alone = Tipc { connection: None, kind: Some(SocketType::Rdm), ..facts };
    assert_eq!(line(&row(alone), Shown::default()), "ti_rd ESTAB 5      6      16781314:1234 -");
}

#[test]
fn associations_hang_below_their_endpoint() {
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    let mut info = vec![0; 368];
    info[4..8].copy_from_slice(&3u32.to_ne_bytes());
    info[8..12].copy_from_slice(&106_496u32.to_ne_bytes());
    info[16..18].copy_from_slice(&10u16.to_ne_bytes());
    info[48..52].copy_from_slice(&0xbeefu32.to_ne_bytes());
    let facts = Sctp {
        association_state: Some(3),
        locals: vec![address("10.0.0.1"), address("10.1.0.1")],
        peers: vec![address("10.0.0.2")],
        info: Some(SctpInfo::from_kernel(&info)),
    };
    let mut row =
        socket(Protocol::Sctp, Family::Ipv4, State::Established, FamilyFacts::Sctp(facts));
    row.queues = Queues::Data { recv: 0, send: 0 };
    row.timer = Some(Timer { kind: TimerKind::Retransmit, expires_ms: 1200, retransmits: 2 });
    let shown =
        Shown { info: true, timers: true, numeric: true, oneline: true, ..Shown::default() };
    let text = line(&row, shown);
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words[..4], ["`-", "ESTAB", "0", "0"], "{text}");
    let details = " timer:(T3_RTX,1.200ms,2) locals:10.0.0.1,10.1.0.1 peers:10.0.0.2 state:ESTAB \
                   rwnd:106496 instrms:10 ptag:beef";
    assert!(text.ends_with(details), "{text}");
    let endpoint = Sctp { association_state: None, ..Sctp::default() };
    let row = socket(Protocol::Sctp, Family::Ipv4, State::Listen, FamilyFacts::Sctp(endpoint));
    assert!(line(&row, Shown::default()).starts_with("sctp LISTEN"));
}
