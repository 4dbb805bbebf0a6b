//! `/proc/net/protocols`: which kinds of sockets this kernel can make.

use super::root::Root;
use crate::{kernel::error::Error, model::protocol::Protocol};
use std::io::Read;

/// The table has a line of about 150 bytes for each protocol.
const LONGEST: u64 = 1 << 20;

/// The protocols this kernel can make sockets of: those built in, and those whose modules are
/// loaded. Of one that is not here there can be no socket.
///
/// Asked before saying that something is missing: opening a socket of the family would tell too,
/// but loads its module.
pub fn registered(root: &Root) -> Result<Vec<Protocol>, Error> {
    let bytes = root.read("net/protocols", LONGEST)?;
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

/// How many sockets of a protocol the calling thread's namespace has in its tables
/// (`sock_prot_inuse_get`). `None`: the kernel does not tell.
///
/// Of MPTCP these are connections with a token and listeners: all that a dump tells of, for which it
/// walks the tokens of the whole machine.
pub fn in_tables(root: &Root, protocol: Protocol) -> Option<u64> {
    let mut text = String::new();
    let file = Root::open(&root.table("protocols")).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    count(&text, protocol)
}

fn count(text: &str, protocol: Protocol) -> Option<u64> {
    let mut sum = None;
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if words.next().and_then(named) == Some(protocol) {
            // -1: this one is not counted.
            *sum.get_or_insert(0) += words.nth(1)?.parse::<u64>().ok()?;
        }
    }
    sum
}

/// The first word of a line is `struct proto.name`.
fn parse(text: &str) -> Vec<Protocol> {
    let names = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<_> = names.filter_map(named).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn named(name: &str) -> Option<Protocol> {
    Some(match name {
        "TCP" | "TCPv6" => Protocol::Tcp,
        "UDP" | "UDPv6" => Protocol::Udp,
        "UDP-Lite" | "UDPLITEv6" => Protocol::UdpLite,
        "RAW" | "RAWv6" => Protocol::Raw,
        "PING" | "PINGv6" => Protocol::Icmp,
        "MPTCP" | "MPTCPv6" => Protocol::Mptcp,
        "SCTP" | "SCTPv6" => Protocol::Sctp,
        "DCCP" | "DCCPv6" => Protocol::Dccp,
        "UNIX" | "UNIX-STREAM" => Protocol::Unix,
        "PACKET" => Protocol::Packet,
        "NETLINK" => Protocol::Netlink,
        "AF_VSOCK" => Protocol::Vsock,
        "XDP" => Protocol::Xdp,
        "TIPC" => Protocol::Tipc,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Linux 6.18, x86-64: `head -4 /proc/net/protocols`, 2026-11-26.
    const TABLE: &str = "\
protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em
AF_VSOCK  1240      0      -1   NI       0   yes  kernel      n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n
PACKET    1600      0      -1   NI       0   no   kernel      n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n
MPTCPv6   2064      0    1229   no       0   yes  kernel      y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y  n
";

    #[test]
    fn the_first_word_of_each_line_is_a_protocol() {
        assert_eq!(parse(TABLE), [Protocol::Mptcp, Protocol::Packet, Protocol::Vsock]);
        assert_eq!(parse(""), []);
    }

    #[test]
    fn sockets_of_both_families_are_counted_together() {
        assert_eq!(count(TABLE, Protocol::Mptcp), Some(0));
        assert_eq!(count(TABLE, Protocol::Sctp), None);
        let more = format!("{TABLE}MPTCP     1936      3    1229   no       0   yes  kernel\n");
        assert_eq!(count(&more, Protocol::Mptcp), Some(3));
        let untold = format!("{TABLE}MPTCP     1936     -1    1229   no       0   yes  kernel\n");
        assert_eq!(count(&untold, Protocol::Mptcp), None);
    }
}
