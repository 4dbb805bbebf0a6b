//! `/proc/net/{unix,packet,netlink}`: one socket a line. A bad line costs one line.

use super::{net_inet::Tally, root::Root};
use crate::{
    kernel::{error::Error, netlink::connection::Next},
    model::{
        family::{FamilyFacts, netlink::Netlink, packet::Packet, unix::Unix},
        name::Name,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        socket_type::SocketType,
        state::State,
    },
};
use std::io::{BufRead, BufReader};

/// As for the internet's tables: a read(2) gives at most about 4 KiB.
const BUFFER: usize = 8 * 1024;
/// A path has 108 bytes at most; a file without newlines is not worth more.
const LONGEST_LINE: usize = 4096;

/// The file name of a family's table. `None`: the kernel has none.
pub const fn table(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Unix => Some("unix"),
        Protocol::Packet => Some("packet"),
        Protocol::Netlink => Some("netlink"),
        _ => None,
    }
}

/// Reads the table of a family and hands every socket to `each`.
pub fn sockets(
    root: &Root,
    protocol: Protocol,
    mut each: impl FnMut(Socket) -> Next,
) -> Result<Tally, Error> {
    let path = root.table(table(protocol).unwrap_or_default());
    let failed = |e| Error::io("read", path.display().to_string(), &e);
    let mut reader = BufReader::with_capacity(BUFFER, Root::open(&path)?);
    let mut tally = Tally::default();
    let mut line = Vec::with_capacity(256);
    let mut heading = true;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(tally);
        }
        if std::mem::take(&mut heading) || line.trim_ascii().is_empty() {
            continue;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        match parse_line(protocol, line.get(..LONGEST_LINE).unwrap_or(line)) {
            Some(socket) => {
                if each(socket) == Next::Stop {
                    return Ok(tally);
                }
            }
            None => tally.bad_lines = tally.bad_lines.saturating_add(1),
        }
    }
}

fn parse_line(protocol: Protocol, line: &[u8]) -> Option<Socket> {
    match protocol {
        Protocol::Unix => unix(line),
        Protocol::Packet => packet(line),
        Protocol::Netlink => netlink(line),
        _ => None,
    }
}

/// `Num RefCount Protocol Flags Type St Inode Path` (`unix_seq_show`).
///
/// A path is written as it is, with a newline where it has one: what follows that cannot be told
/// from a line of its own, and is left out as one that is not the kernel's. A zero byte of an
/// abstract name is written as `@`, which a path could begin with too.
fn unix(line: &[u8]) -> Option<Socket> {
    let mut rest = line;
    let mut word = || next_word(&mut rest);
    word()?.strip_suffix(b":")?;
    hex(word()?)?;
    hex(word()?)?;
    let flags = hex(word()?)?;
    let kind = SocketType::from_kernel(u8::try_from(hex(word()?)?).ok()?);
    let connection = hex(word()?)?;
    let inode = decimal(word()?)?;
    let path = rest.strip_prefix(b" ").unwrap_or(rest);
    let mut unix = Unix::of(kind);
    unix.path = match path {
        [] => None,
        [b'@', abstracted @ ..] => {
            let bytes = abstracted.iter().map(|byte| if *byte == b'@' { 0 } else { *byte });
            Some(Name(std::iter::once(0).chain(bytes).collect()))
        }
        path => Some(Name(path.to_vec())),
    };
    // `__SO_ACCEPTCON`, and `SS_CONNECTED` of `linux/net.h`. A connected datagram socket is
    // `SS_UNCONNECTED` here; only netlink tells.
    let state = match (flags & 0x1_0000 != 0, connection) {
        (true, _) => State::Listen,
        (false, 2) => State::SynSent,
        (false, 3) => State::Established,
        (false, 4) => State::Closing,
        _ => State::Unconnected,
    };
    Some(Socket {
        inode: (inode != 0).then_some(inode),
        family_facts: Some(Box::new(FamilyFacts::Unix(unix))),
        ..Socket::new(Protocol::Unix, Family::Unix, state)
    })
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode` (`packet_seq_show`).
fn packet(line: &[u8]) -> Option<Socket> {
    let mut rest = line;
    let mut word = || next_word(&mut rest);
    word()?;
    decimal(word()?)?;
    let kind = SocketType::from_kernel(u8::try_from(decimal(word()?)?).ok()?);
    let packet = Packet::of(kind, u16::try_from(hex(word()?)?).ok()?);
    let interface = u32::try_from(decimal(word()?)?).ok()?;
    decimal(word()?)?;
    let recv = u32::try_from(decimal(word()?)?).ok()?;
    let uid = u32::try_from(decimal(word()?)?).ok()?;
    let inode = decimal(word()?)?;
    Some(Socket {
        interface,
        queues: Queues::Data { recv, send: 0 },
        uid: Some(uid),
        inode: (inode != 0).then_some(inode),
        family_facts: Some(Box::new(FamilyFacts::Packet(packet))),
        ..Socket::new(Protocol::Packet, Family::Packet, State::Unconnected)
    })
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode` (`netlink_native_seq_show`).
fn netlink(line: &[u8]) -> Option<Socket> {
    let mut rest = line;
    let mut word = || next_word(&mut rest);
    let kernel_address = hex(word()?)?;
    let protocol = u8::try_from(decimal(word()?)?).ok()?;
    let port_id = u32::try_from(decimal(word()?)?).ok()?;
    let groups = u32::try_from(hex(word()?)?).ok()?;
    let recv = u32::try_from(decimal(word()?)?).ok()?;
    let send = u32::try_from(decimal(word()?)?).ok()?;
    // A flag since kernel 3.10, the address of the callback before.
    let callback = hex(word()?)?;
    decimal(word()?)?;
    let drops = u32::try_from(decimal(word()?)?).ok()?;
    let inode = decimal(word()?)?;
    let netlink = Netlink {
        groups: if groups == 0 { vec![] } else { vec![groups] },
        kernel_address: Some(kernel_address),
        callback: Some(callback),
        ..Netlink::of(protocol, port_id)
    };
    Some(Socket {
        queues: Queues::Data { recv, send },
        drops: Some(drops),
        inode: (inode != 0).then_some(inode),
        family_facts: Some(Box::new(FamilyFacts::Netlink(netlink))),
        ..Socket::new(Protocol::Netlink, Family::Netlink, State::Unconnected)
    })
}

/// The next word, and the rest from the blank after it on.
fn next_word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let line = rest.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, after) = line.split_at(end);
    *rest = after;
    (!word.is_empty()).then_some(word)
}

fn hex(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 16 {
        return None;
    }
    word.iter()
        .try_fold(0u64, |sum, byte| Some(sum << 4 | u64::from(char::from(*byte).to_digit(16)?)))
}

fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |sum, byte| {
        sum.checked_mul(10)?.checked_add(char::from(*byte).to_digit(10)?.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Linux 6.18, x86-64, 2026-11-26: lines of /proc/net/unix, packet and netlink.
    const LISTEN: &str = "0000000000000000: 00000002 00000000 00010000 0001 01 20012 /run/a b";
    const ABSTRACT: &str = "0000000000000000: 00000003 00000000 00000000 0005 03 20013 @x@y";
    const UNNAMED: &str = "0000000000000000: 00000003 00000000 00000000 0002 01 20014";
    const PACKET: &str = "0000000000000000 3      3    0003   1     1 768        0      20015 ";
    const NETLINK: &str = "0000000000000000 0   811        00000551 768      0        0     2        5        20016   ";

    fn read(protocol: Protocol, line: &str) -> Option<Socket> {
        parse_line(protocol, line.as_bytes())
    }

    #[test]
    fn lines_of_the_kernel_are_read() {
        let listen = read(Protocol::Unix, LISTEN).unwrap();
        assert_eq!((listen.state, listen.inode), (State::Listen, Some(20012)));
        assert_eq!(listen.unix().unwrap().path, Some(Name(b"/run/a b".to_vec())));
        assert_eq!(listen.queues, Queues::Absent, "/proc tells of no queue");
        let connected = read(Protocol::Unix, ABSTRACT).unwrap();
        assert_eq!(connected.state, State::Established);
        assert_eq!(connected.socket_type(), Some(SocketType::Seqpacket));
        assert_eq!(connected.unix().unwrap().path, Some(Name(b"\0x\0y".to_vec())));
        let unnamed = read(Protocol::Unix, UNNAMED).unwrap();
        assert_eq!((unnamed.state, &unnamed.unix().unwrap().path), (State::Unconnected, &None));
        let packet = read(Protocol::Packet, PACKET).unwrap();
        assert_eq!((packet.interface, packet.uid), (1, Some(0)));
        assert_eq!(packet.packet().unwrap().protocol, 3);
        assert_eq!(packet.queues, Queues::Data { recv: 768, send: 0 });
        let netlink = read(Protocol::Netlink, NETLINK).unwrap();
        assert_eq!(netlink.netlink().unwrap().groups, [0x551]);
        assert_eq!((netlink.netlink().unwrap().port_id, netlink.drops), (811, Some(5)));
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(
            base in prop::sample::select(vec![LISTEN, ABSTRACT, UNNAMED, PACKET, NETLINK]),
            at in 0usize..80,
            with in prop::collection::vec(any::<u8>(), 0..4),
            cut in 0usize..100,
        ) {
            let mut line = base.as_bytes().to_vec();
            let at = at.min(line.len());
            line.splice(at..(at + 1).min(line.len()), with);
            line.truncate(cut);
            for protocol in [Protocol::Unix, Protocol::Packet, Protocol::Netlink] {
                let _ = parse_line(protocol, &line);
            }
        }
    }
}
