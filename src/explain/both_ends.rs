//! Who is at the other end: how two sockets of one host are found to be one connection.

use super::{
    block::{command, fact, heading, text},
    topic::{Kind, Topic},
};

/// The topic.
pub fn topic() -> Topic {
    Topic {
        name: "both-ends",
        also: vec!["service-map", "other-end", "peers"],
        title: "who is at the other end of a connection within this host".into(),
        kind: Kind::Lesson,
        blocks: vec![
            text(
                "A connection between two programs of one host is two sockets. The columns \
                 peer.process, peer.pid, peer.unit, peer.container, peer.pod and peer.netns tell of \
                 each who holds the other: over loopback, over an address of the host, between \
                 network namespaces (--all-netns), and of unix sockets.",
            ),
            command("sockeye -tux --group-by process,peer.process"),
            command("sockeye --all-netns -tu --group-by container,peer.container"),
            heading("How it is known"),
            fact(
                "in one namespace",
                "The addresses and ports of one socket are those of the other, the other way round: \
                 a namespace delivers to itself what is sent to its own addresses.",
            ),
            fact(
                "between two",
                "The same, and no third socket has these addresses. Private networks are made \
                 alike again and again; where several sockets fit, none is named. Loopback \
                 addresses never leave a namespace.",
            ),
            fact("unix", "The kernel tells the inode of the other end."),
            heading("What stays unknown"),
            text(
                "What is translated on its way (NAT, published ports of containers) has other \
                 addresses at the other end. The addresses of a transparent proxy \
                 (IP_TRANSPARENT) are not its own. Datagrams of sockets that share an address \
                 (SO_REUSEPORT) may go to any of them. Who has not called accept(2) yet holds \
                 nothing. Without --all-netns other namespaces are not looked into.",
            ),
            fact(
                "what it costs",
                "One more walk over the connections, 24 bytes of memory for each of IPv4 and 48 \
                 for IPv6, and the look-up of owners; nothing where none of these columns is shown, \
                 sorted or filtered by.",
            ),
        ],
        see_also: vec!["peer.process", "owner", "netns.name", "4-tuple", "filters"],
    }
}
