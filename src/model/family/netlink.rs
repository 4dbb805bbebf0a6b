//! `AF_NETLINK` sockets (`linux/netlink_diag.h`, netlink(7)).

use crate::model::socket_type::SocketType;
use serde::{Deserialize, Serialize};

/// What a netlink socket has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Netlink {
    /// Raw or dgram, which netlink treats alike. `None` from /proc.
    pub kind: Option<SocketType>,
    /// `NETLINK_*`: to whom it talks.
    pub protocol: u8,
    /// Its address, often the id of the process; 0 is the kernel. Numbers the kernel chose for a
    /// further socket of a process are negative as `i32`.
    pub port_id: u32,
    /// Address of the other end, where it is connected. `None` from /proc.
    pub peer_port_id: Option<u32>,
    /// Multicast group of the other end, where it is connected to one.
    pub peer_group: Option<u32>,
    /// `NETLINK_*` of `sk_state`: 0 not connected, 1 connected. `None` from /proc.
    pub connected: Option<bool>,
    /// Groups it receives from, 32 a word; the first word has groups 1 to 32.
    pub groups: Vec<u32>,
    /// `NDIAG_FLAG_*`: 1 dump running, 2 pktinfo, 4 broadcast error, 8 no ENOBUFS, 16 listens in
    /// all namespaces, 32 capped acks. `None`: not asked for, or kernel before 4.12.
    pub flags: Option<u32>,
    /// Address of its `struct sock`, which only /proc tells.
    pub kernel_address: Option<u64>,
    /// Address of the callback of a running dump, which only /proc tells.
    pub callback: Option<u64>,
}

impl Netlink {
    /// A socket of this protocol and address of which nothing else is known.
    pub const fn of(protocol: u8, port_id: u32) -> Self {
        Self {
            kind: None,
            protocol,
            port_id,
            peer_port_id: None,
            peer_group: None,
            connected: None,
            groups: vec![],
            flags: None,
            kernel_address: None,
            callback: None,
        }
    }

    /// The word for the protocol; `None` for one this build does not know.
    pub fn protocol_name(&self) -> Option<&'static str> {
        PROTOCOLS.iter().find(|(number, _)| *number == self.protocol).map(|(_, name)| *name)
    }

    /// Whether the kernel chose its address ([`Self::port_id`]).
    pub const fn is_autobound(&self) -> bool {
        self.port_id.cast_signed() < 0
    }

    /// Words of the flags that are set, in the order of their bits.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        let flags = self.flags.unwrap_or(0);
        FLAGS.into_iter().enumerate().filter(move |(bit, _)| flags & (1 << bit) != 0).map(|f| f.1)
    }
}

const FLAGS: [&str; 6] =
    ["dump-running", "pktinfo", "broadcast-error", "no-enobufs", "listen-all-nsid", "cap-ack"];

/// The protocols by their numbers (`linux/netlink.h`), with the words that iproute2 prints
/// (`/etc/iproute2/nl_protos` has them too).
pub const PROTOCOLS: [(u8, &str); 21] = [
    (0, "rtnl"),
    (1, "unused"),
    (2, "usersock"),
    (3, "fw"),
    (4, "tcpdiag"),
    (5, "nflog"),
    (6, "xfrm"),
    (7, "selinux"),
    (8, "iscsi"),
    (9, "audit"),
    (10, "fiblookup"),
    (11, "connector"),
    (12, "nft"),
    (13, "ip6fw"),
    (14, "dec-rt"),
    (15, "uevent"),
    (16, "genl"),
    (18, "scsi-trans"),
    (19, "ecryptfs"),
    (20, "rdma"),
    (21, "crypto"),
];
