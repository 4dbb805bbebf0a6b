//! The decoders of families: built, cut, lying, random answers.
//!
//! Vsock, XDP, TIPC and SCTP are built from the structs of linux/{vm_sockets_diag,xdp_diag,
//! tipc_netlink,sctp}.h, because the kernels this was written on have no sock_diag for them.

use proptest::prelude::*;
use sockeye::{
    kernel::{
        netlink::attribute::push,
        sock_diag::{
            families::{Wanted, decode},
            inet,
        },
    },
    model::{
        family::{tipc, unix::File, vsock::VsockAddress},
        name::Name,
        protocol::{Family, Protocol},
        queues::Queues,
        socket_type::SocketType,
        state::State,
    },
};

const ALL: Wanted = Wanted { memory: true, details: true, filters: true };

/// Numbers as they stand in a struct.
fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn memory(recv: u32, send: u32) -> Vec<u8> {
    words(&[recv, 212_992, send, 212_992, 0, 0, 0, 0, 3])
}

fn unix() -> Vec<u8> {
    let mut bytes = vec![1, 1, 10, 0];
    bytes.extend(words(&[4711, 81, 0]));
    push(&mut bytes, 0, b"/run/web.sock\0");
    push(&mut bytes, 1, &words(&[77, 254 << 20 | 1]));
    push(&mut bytes, 3, &words(&[12, 0, 13]));
    push(&mut bytes, 4, &words(&[3, 128]));
    push(&mut bytes, 6, &[3]);
    push(&mut bytes, 7, &words(&[33]));
    bytes
}

fn packet() -> Vec<u8> {
    let mut bytes = vec![17, 3];
    bytes.extend(0x806u16.to_ne_bytes());
    bytes.extend(words(&[4712, 82, 0]));
    push(&mut bytes, 0, &words(&[2, 1, 4, 64, 0, 0b10011]));
    push(&mut bytes, 2, &words(&[4096, 8, 2048, 16, 0, 0, 0]));
    push(&mut bytes, 4, &words(&[0x3002a]));
    push(&mut bytes, 5, &words(&[0]));
    push(&mut bytes, 6, &memory(768, 0));
    push(&mut bytes, 7, &[0x28, 0, 0, 0, 12, 0, 0, 0]);
    bytes
}

fn netlink() -> Vec<u8> {
    let mut bytes = vec![16, 3, 0, 1];
    bytes.extend(words(&[811, 0, 5, 4713, 83, 0]));
    push(&mut bytes, 0, &memory(832, 4));
    push(&mut bytes, 1, &[0x11, 0, 0, 0, 1, 0, 0, 0]);
    push(&mut bytes, 4, &words(&[0b1001]));
    bytes
}

/// `struct vsock_diag_msg`.
fn vsock() -> Vec<u8> {
    let mut bytes = vec![40, 1, 1, 2];
    bytes.extend(words(&[3, 1024, 2, 22, 4714, 84, 0]));
    bytes
}

/// `struct xdp_diag_msg` with every attribute of `xsk_diag_fill`.
fn xdp() -> Vec<u8> {
    let mut bytes = vec![44, 3, 0, 0];
    bytes.extend(words(&[4715, 85, 0]));
    push(&mut bytes, 1, &words(&[4, 7]));
    push(&mut bytes, 2, &words(&[1000]));
    push(&mut bytes, 3, &words(&[2048]));
    push(&mut bytes, 4, &words(&[1024]));
    let mut umem = 16_777_216u64.to_ne_bytes().to_vec();
    umem.extend(words(&[9, 4096, 4096, 256, 4, 7, 1, 2]));
    push(&mut bytes, 5, &umem);
    push(&mut bytes, 6, &words(&[512]));
    push(&mut bytes, 7, &words(&[256]));
    push(&mut bytes, 8, &memory(0, 0));
    let statistics: Vec<u8> = (1u64..=6).flat_map(u64::to_ne_bytes).collect();
    push(&mut bytes, 9, &statistics);
    bytes
}

/// The nested attributes of `tipc_sk_fill_sock_diag`.
fn tipc() -> Vec<u8> {
    let mut connection = vec![];
    push(&mut connection, 1, &[]);
    push(&mut connection, 2, &words(&[16_781_313]));
    push(&mut connection, 3, &words(&[99]));
    push(&mut connection, 4, &words(&[18_888]));
    push(&mut connection, 5, &words(&[17]));
    let mut statistics = vec![];
    push(&mut statistics, 1, &words(&[5]));
    push(&mut statistics, 2, &words(&[6]));
    push(&mut statistics, 4, &[]);
    push(&mut statistics, 5, &words(&[7]));
    let mut socket = vec![];
    push(&mut socket, 6, &words(&[1]));
    push(&mut socket, 9, &words(&[1]));
    push(&mut socket, 7, &words(&[4716]));
    push(&mut socket, 8, &words(&[1000]));
    push(&mut socket, 10, &86u64.to_ne_bytes());
    push(&mut socket, 1, &words(&[16_781_314]));
    push(&mut socket, 2, &words(&[1234]));
    push(&mut socket, 3 | 1 << 15, &connection);
    push(&mut socket, 4, &[]);
    push(&mut socket, 5 | 1 << 15, &statistics);
    let mut bytes = vec![];
    push(&mut bytes, 2 | 1 << 15, &socket);
    bytes
}

/// An association as `inet_sctp_diag_fill` tells it: state 3, addresses, `struct sctp_info`.
fn sctp() -> Vec<u8> {
    let mut bytes = vec![2, 3, 0, 0];
    bytes.extend(5000u16.to_be_bytes());
    bytes.extend(6000u16.to_be_bytes());
    let addresses = [[10, 0, 0, 1], [10, 0, 0, 2]];
    for address in addresses {
        bytes.extend(address);
        bytes.extend([0; 12]);
    }
    bytes.extend(words(&[0, 87, 0, 0, 0, 0, 1000, 4717]));
    let storage = |address: [u8; 4]| {
        let mut storage = vec![0; 128];
        storage[..2].copy_from_slice(&2u16.to_ne_bytes());
        storage[4..8].copy_from_slice(&address);
        storage
    };
    push(&mut bytes, 12, &[storage([10, 0, 0, 1]), storage([10, 1, 0, 1])].concat());
    push(&mut bytes, 13, &storage([10, 0, 0, 2]));
    let mut info = vec![0; 368];
    info[4..8].copy_from_slice(&3u32.to_ne_bytes());
    info[8..12].copy_from_slice(&106_496u32.to_ne_bytes());
    info[16..18].copy_from_slice(&10u16.to_ne_bytes());
    push(&mut bytes, 2, &info);
    bytes
}

fn built() -> Vec<(Protocol, Vec<u8>)> {
    vec![
        (Protocol::Unix, unix()),
        (Protocol::Packet, packet()),
        (Protocol::Netlink, netlink()),
        (Protocol::Vsock, vsock()),
        (Protocol::Xdp, xdp()),
        (Protocol::Tipc, tipc()),
    ]
}

#[test]
fn what_the_kernels_structs_hold_is_read() {
    let socket = decode(Protocol::Unix, &unix(), ALL).unwrap();
    let facts = socket.unix().unwrap();
    assert_eq!((socket.state, socket.inode, socket.uid), (State::Listen, Some(4711), Some(33)));
    assert_eq!(socket.queues, Queues::Listen { accept_queue: 3, limit: Some(128) });
    assert_eq!(facts.path, Some(Name(b"/run/web.sock".to_vec())));
    assert_eq!(facts.file, Some(File { inode: 77, device: 254 << 20 | 1 }));
    assert_eq!(
        (facts.file.unwrap().device_numbers(), &*facts.pending),
        ((254, 1), &[12, 0, 13][..])
    );

    let socket = decode(Protocol::Packet, &packet(), ALL).unwrap();
    let facts = socket.packet().unwrap();
    assert_eq!((socket.interface, facts.protocol, facts.kind), (2, 0x806, SocketType::Raw));
    let flags: Vec<_> = facts.info.unwrap().flag_names().collect();
    assert_eq!(flags, ["running", "auxdata", "loss"]);
    assert_eq!((facts.rx_ring.unwrap().frame_count, facts.tx_ring), (16, None));
    assert_eq!(
        (facts.fanout.unwrap().id, facts.fanout.unwrap().mode_name()),
        (42, Some("rollover"))
    );
    assert_eq!(facts.filter.as_ref().unwrap().len(), 1);
    assert_eq!(socket.queues, Queues::Data { recv: 768, send: 0 });
    assert_eq!(decode(Protocol::Packet, &packet(), Wanted::default()).unwrap().memory, None);

    let socket = decode(Protocol::Netlink, &netlink(), ALL).unwrap();
    let facts = socket.netlink().unwrap();
    assert_eq!((facts.port_id, facts.peer_port_id, facts.peer_group), (811, Some(0), Some(5)));
    assert_eq!(facts.groups, [0x11, 1]);
    assert_eq!(facts.flag_names().collect::<Vec<_>>(), ["dump-running", "no-enobufs"]);

    let socket = decode(Protocol::Vsock, &vsock(), ALL).unwrap();
    let facts = socket.vsock().unwrap();
    assert_eq!(facts.local, VsockAddress { cid: 3, port: 1024 });
    assert_eq!(facts.peer, VsockAddress { cid: 2, port: 22 });
    assert_eq!(
        (socket.state, socket.shutdown, socket.cookie),
        (State::Established, Some(2), Some(84))
    );
    assert_eq!(socket.queues, Queues::Absent, "vsock_diag tells of none");

    let socket = decode(Protocol::Xdp, &xdp(), ALL).unwrap();
    let facts = socket.xdp().unwrap();
    assert_eq!((socket.interface, facts.queue_id, socket.uid), (4, Some(7), Some(1000)));
    assert_eq!((facts.rx_entries, facts.tx_entries), (Some(2048), Some(1024)));
    let umem = facts.umem.unwrap();
    assert_eq!((umem.size, umem.headroom, umem.flags, umem.references), (16_777_216, 256, 1, 2));
    assert_eq!(facts.statistics.unwrap().tx_ring_empty, 6);

    let socket = decode(Protocol::Tipc, &tipc(), ALL).unwrap();
    let facts = socket.tipc().unwrap();
    assert_eq!(
        (facts.kind, facts.reference, socket.inode),
        (Some(SocketType::Stream), 1234, Some(4716))
    );
    let via = tipc::Connection { node: 16_781_313, port: 99, via: Some((18_888, 17)) };
    assert_eq!((facts.connection, facts.drops), (Some(via), Some(7)));
    assert!(facts.connection_congested && !facts.link_congested && facts.has_publication);

    let socket = inet::decode(Protocol::Sctp, &sctp()).unwrap();
    let facts = socket.sctp().unwrap();
    assert_eq!((socket.state, socket.uid), (State::Established, Some(1000)));
    assert_eq!((facts.locals.len(), facts.peers.len()), (2, 1));
    assert_eq!(facts.association_state, Some(3));
    let info = facts.info.as_ref().unwrap();
    assert_eq!((info.by_name("rwnd"), info.by_name("instrms")), (Some(106_496), Some(10)));
}

#[test]
fn an_answer_cut_anywhere_is_read_or_refused() {
    for (protocol, bytes) in built() {
        for cut in 0..bytes.len() {
            let _ = decode(protocol, &bytes[..cut], ALL);
        }
        // The answer of one family is none of another.
        for (other, bytes) in built() {
            let is_own = other == protocol;
            assert_eq!(decode(protocol, &bytes, ALL).is_some(), is_own, "{other} as {protocol}");
        }
    }
    for cut in 0..sctp().len() {
        let _ = inet::decode(Protocol::Sctp, &sctp()[..cut]);
    }
}

proptest! {
    #[test]
    fn hostile_answers_are_no_crash(
        which in 0usize..6,
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..8),
        random in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (protocol, mut bytes) = built().swap_remove(which);
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes.splice(at..end, with);
        let _ = decode(protocol, &bytes, ALL);
        let _ = decode(protocol, &random, ALL);
        let mut random = random;
        if let Some(first) = random.first_mut() {
            *first = protocol.family().map_or(2, Family::number);
        }
        let _ = decode(protocol, &random, ALL);
        for protocol in [Protocol::Sctp, Protocol::Mptcp, Protocol::Raw] {
            let _ = inet::decode(protocol, &random);
        }
    }
}
