//! `/proc/net/{tcp,udp,udplite,raw,icmp}` and the same with `6`: one socket a line. A bad line costs
//! one line.
//!
//! Parsed here and not by the procfs crate, which drops timers and retransmits and gives up the
//! whole table at one unknown state.

use super::root::Root;
use crate::{
    kernel::{error::Error, netlink::connection::Next},
    model::{
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
        timer::{Timer, TimerKind},
    },
};
use nix::errno::Errno;
use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// One read(2) of the table gives at most about 4 KiB whatever the buffer.
const BUFFER: usize = 8 * 1024;
/// A line of the kernel's has 150 bytes; a file without newlines is not worth more.
const LONGEST_LINE: usize = 4096;

/// What reading a table said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Lines that are not what the kernel writes.
    pub bad_lines: u32,
}

/// The file name of a table. `None`: there is none of this form.
pub const fn table(protocol: Protocol, family: Family) -> Option<&'static str> {
    Some(match (protocol, family) {
        (Protocol::Tcp, Family::Ipv4) => "tcp",
        (Protocol::Tcp, Family::Ipv6) => "tcp6",
        (Protocol::Udp, Family::Ipv4) => "udp",
        (Protocol::Udp, Family::Ipv6) => "udp6",
        (Protocol::UdpLite, Family::Ipv4) => "udplite",
        (Protocol::UdpLite, Family::Ipv6) => "udplite6",
        (Protocol::Raw, Family::Ipv4) => "raw",
        (Protocol::Raw, Family::Ipv6) => "raw6",
        (Protocol::Icmp, Family::Ipv4) => "icmp",
        (Protocol::Icmp, Family::Ipv6) => "icmp6",
        _ => return None,
    })
}

/// Reads one table and hands every socket to `each`.
pub fn sockets(
    root: &Root,
    protocol: Protocol,
    family: Family,
    mut each: impl FnMut(Socket) -> Next,
) -> Result<Tally, Error> {
    let subject = || format!("{} sockets over {}", protocol.title(), family.title());
    let no_table = || Error::errno("read a table of", subject(), Errno::ENOENT);
    let path = root.table(table(protocol, family).ok_or_else(no_table)?);
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
        if std::mem::take(&mut heading) && line.trim_ascii_start().starts_with(b"sl") {
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse_line(protocol, family, line.get(..LONGEST_LINE).unwrap_or(&line)) {
            Some(socket) => {
                if each(socket) == Next::Stop {
                    return Ok(tally);
                }
            }
            None => tally.bad_lines = tally.bad_lines.saturating_add(1),
        }
    }
}

/// One line: `sl local remote st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops`.
fn parse_line(protocol: Protocol, family: Family, line: &[u8]) -> Option<Socket> {
    let mut words = Words(line);
    let mut word = || words.next();
    word()?.strip_suffix(b":")?;
    let local = endpoint(family, word()?)?;
    let remote = endpoint(family, word()?)?;
    let number = u8::try_from(hex(word()?, 2)?).ok()?;
    let state = State::from_kernel(protocol, number);
    let (tx, rx) = pair(word()?, 8, 8)?;
    let (timer, when) = pair(word()?, 2, 8)?;
    let retransmits = hex(word()?, 8)?;
    let uid = decimal(word()?)?;
    let probes = decimal(word()?)?;
    let inode = decimal(word()?)?;
    // Datagram sockets have no timers, for which the kernel writes zeros, but count their drops.
    let is_datagram = !protocol.has_tcp_states();
    let drops = if is_datagram { words.nth(2).map(decimal) } else { None };
    let timer = TimerKind::from_kernel(u8::try_from(timer).ok()?).map(|kind| Timer {
        kind,
        // Clock ticks of 1/100 s (USER_HZ).
        expires_ms: when.saturating_mul(10),
        retransmits: u8::try_from(match kind {
            TimerKind::Keepalive | TimerKind::WindowProbe => probes,
            _ => retransmits.into(),
        })
        .unwrap_or(u8::MAX),
    });
    let is_mini = timer.is_some_and(|t| t.kind == TimerKind::TimeWait);
    let filler = is_mini || matches!(state, State::TimeWait | State::SynRcvd);
    Some(Socket {
        local,
        remote,
        queues: match state {
            State::Listen => Queues::Listen { accept_queue: rx, limit: None },
            _ if filler => Queues::Absent,
            _ => Queues::Data { recv: rx, send: tx },
        },
        timer,
        inode: (inode != 0).then_some(inode),
        uid: if filler { None } else { Some(u32::try_from(uid).ok()?) },
        drops: match drops {
            Some(drops) => Some(u32::try_from(drops?).ok()?),
            None => None,
        },
        ..Socket::new(protocol, family, state)
    })
}

/// `0100007F:1F90`: the address as 32-bit words in the host's order, the port as a number.
fn endpoint(family: Family, word: &[u8]) -> Option<Endpoint> {
    let (address, port) = split_at_colon(word)?;
    let quad = |at: usize| Some(hex(address.get(at..at + 8)?, 8)?.to_ne_bytes());
    let address: IpAddr = match family {
        Family::Ipv4 if address.len() == 8 => Ipv4Addr::from(quad(0)?).into(),
        Family::Ipv6 if address.len() == 32 => {
            let mut bytes = [0; 16];
            for (to, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                to.copy_from_slice(&quad(at)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(Endpoint::new(address, u16::try_from(hex(port, 4)?).ok()?))
}

fn pair(word: &[u8], first: usize, second: usize) -> Option<(u32, u32)> {
    let (a, b) = split_at_colon(word)?;
    Some((hex(a, first)?, hex(b, second)?))
}

fn split_at_colon(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = word.iter().position(|b| *b == b':')?;
    Some((word.get(..colon)?, word.get(colon + 1..)?))
}

/// Words apart by blanks. Not `split`, which asks of every byte whether it is one of five: a line has
/// 150 bytes, and a host a million lines.
struct Words<'l>(&'l [u8]);

impl<'l> Iterator for Words<'l> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<&'l [u8]> {
        let start = self.0.iter().position(|byte| *byte > b' ')?;
        let rest = self.0.get(start..)?;
        let end = rest.iter().position(|byte| *byte <= b' ').unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(end)?;
        self.0 = rest;
        Some(word)
    }
}

/// The value of every hexadecimal digit; of other bytes, more than that.
#[allow(clippy::indexing_slicing, reason = "the compiler makes it, and would refuse a wrong index")]
static DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Up to `digits` hexadecimal digits, at least one.
fn hex(word: &[u8], digits: usize) -> Option<u32> {
    if word.is_empty() || word.len() > digits {
        return None;
    }
    let (mut sum, mut largest) = (0u32, 0);
    for byte in word {
        let digit = DIGITS.get(usize::from(*byte))?;
        sum = sum << 4 | u32::from(*digit & 15);
        largest |= digit;
    }
    (largest < 16).then_some(sum)
}

fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Linux 6.18, x86-64: `cat /proc/net/tcp` in a namespace with one listener and one TIME_WAIT.
    const LISTEN: &str = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n";
    const TIME_WAIT: &str = "   1: 0100007F:1F90 0100007F:D431 06 00000000:00000000 03:00001743 00000000     0        0 0 3 0000000000000000\n";
    const KEEPALIVE: &str = "   2: 0100007F:D431 0100007F:1F90 01 00000005:00000007 02:000ACCF2 00000000  1000        2 4712 2 0000000000000000 20 4 30 10 -1\n";
    const UDP6: &str = "  33: 00000000000000000000000001000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 4713 2 0000000000000000 5\n";

    fn tcp(line: &str) -> Option<Socket> {
        parse_line(Protocol::Tcp, Family::Ipv4, line.as_bytes())
    }

    #[test]
    fn lines_of_the_kernel_are_read() {
        let listen = tcp(LISTEN).unwrap();
        assert_eq!(listen.state, State::Listen);
        assert_eq!(listen.queues, Queues::Listen { accept_queue: 3, limit: None });
        assert_eq!(listen.local.to_string(), "127.0.0.1:8080");
        assert_eq!((listen.peer(), listen.inode, listen.uid), (None, Some(4711), Some(0)));
        let mini = tcp(TIME_WAIT).unwrap();
        assert_eq!((mini.age_ms(), mini.uid, mini.inode), (Some(60_000 - 59_550), None, None));
        assert_eq!(mini.queues, Queues::Absent);
        let open = tcp(KEEPALIVE).unwrap();
        assert_eq!(open.queues, Queues::Data { recv: 7, send: 5 });
        let timer = open.timer.unwrap();
        assert_eq!(
            (timer.kind, timer.expires_ms, timer.retransmits),
            (TimerKind::Keepalive, 7_078_260, 2)
        );
        let udp = parse_line(Protocol::Udp, Family::Ipv6, UDP6.as_bytes()).unwrap();
        assert_eq!(udp.local.to_string(), "[::1]:5353");
        assert_eq!((udp.state, udp.drops), (State::Unconnected, Some(5)));
    }

    #[test]
    fn a_line_cut_anywhere_is_refused_or_read_but_never_a_panic() {
        for line in [LISTEN, TIME_WAIT, KEEPALIVE] {
            for cut in 0..line.len() {
                let _ = tcp(&line[..cut]);
            }
        }
        assert!(tcp(&LISTEN[..60]).is_none());
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_read_as_the_standard_library_reads_them(
            word in "[0-9a-fA-F]{0,9}|[0-9]{0,21}|[ -~]{0,9}",
        ) {
            let is = |digit: fn(&u8) -> bool| !word.is_empty() && word.bytes().all(|b| digit(&b));
            let short = word.len() <= 8 && is(u8::is_ascii_hexdigit);
            let expected = short.then(|| u32::from_str_radix(&word, 16).unwrap());
            proptest::prop_assert_eq!(hex(word.as_bytes(), 8), expected);
            let expected = is(u8::is_ascii_digit).then(|| word.parse().ok()).flatten();
            proptest::prop_assert_eq!(decimal(word.as_bytes()), expected);
        }

        #[test]
        fn words_are_those_between_blanks(line in "[ -~\t\n]{0,80}") {
            let words: Vec<&[u8]> = Words(line.as_bytes()).collect();
            let expected: Vec<&[u8]> = line.split_ascii_whitespace().map(str::as_bytes).collect();
            proptest::prop_assert_eq!(words, expected);
        }
    }

    #[test]
    fn absurd_fields_are_refused() {
        for (from, to) in [
            ("0100007F:1F90", "0100007F:11F90"),
            ("0100007F:1F90", "00100007F:1F90"),
            ("0100007F:1F90", "0100007G:1F90"),
            ("0100007F:1F90", "0100007F1F90"),
            (" 0A ", " 1FF "),
            ("4711", "99999999999999999999999"),
            ("00:00000000", "-1:00000000"),
            ("0:", "0"),
        ] {
            assert!(tcp(&LISTEN.replacen(from, to, 1)).is_none(), "{from} -> {to}");
        }
    }
}
