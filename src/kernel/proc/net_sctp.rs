//! `/proc/net/sctp/{eps,assocs}`: endpoints and associations, one a line (`net/sctp/proc.c`). A bad
//! line costs one line.

use super::{net_inet::Tally, root::Root};
use crate::{
    kernel::{error::Error, netlink::connection::Next},
    model::{
        endpoint::Endpoint,
        family::{FamilyFacts, sctp::Sctp},
        protocol::{Family, Protocol},
        queues::Queues,
        socket::Socket,
        state::State,
    },
};
use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// As for the internet's tables: a read(2) gives at most about 4 KiB.
const BUFFER: usize = 8 * 1024;
/// An association has a line of some hundred addresses at most.
const LONGEST_LINE: usize = 16 * 1024;
/// `SCTP_SS_ESTABLISHED`: an endpoint whose association is listed instead.
const CONNECTED: &str = "1";

/// What reads a line. `None`: it is not what the kernel writes.
type Reader = fn(&str) -> Option<Line>;

/// The tables, and what reads a line of each.
const TABLES: [(&str, Reader); 2] = [("sctp/eps", endpoint), ("sctp/assocs", association)];

/// What a line tells.
#[derive(Debug)]
enum Line {
    Socket(Box<Socket>),
    /// Told elsewhere.
    Nothing,
}

/// Reads both tables and hands every socket to `each`.
pub fn sockets(root: &Root, mut each: impl FnMut(Socket) -> Next) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    for (table, read) in TABLES {
        let path = root.table(table);
        let failed = |e| Error::io("read", path.display().to_string(), &e);
        let mut reader = BufReader::with_capacity(BUFFER, Root::open(&path)?);
        let mut line = Vec::with_capacity(256);
        let mut heading = true;
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            if std::mem::take(&mut heading) || line.trim_ascii().is_empty() {
                continue;
            }
            let shown = line.get(..LONGEST_LINE).unwrap_or(&line);
            match std::str::from_utf8(shown).ok().and_then(read) {
                Some(Line::Socket(socket)) => {
                    if each(*socket) == Next::Stop {
                        return Ok(tally);
                    }
                }
                Some(Line::Nothing) => {}
                None => tally.bad_lines = tally.bad_lines.saturating_add(1),
            }
        }
    }
    Ok(tally)
}

/// `ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS`.
fn endpoint(line: &str) -> Option<Line> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, state, _, port, uid, inode, addresses @ ..] = words.as_slice() else {
        return None;
    };
    if *state == CONNECTED {
        return Some(Line::Nothing);
    }
    let state = State::from_kernel(Protocol::Sctp, state.parse().ok()?);
    let locals = addresses.iter().map(|word| address(word)).collect::<Option<Vec<_>>>()?;
    let queues = match state {
        State::Listen => Queues::Absent,
        _ => Queues::Data { recv: 0, send: 0 },
    };
    let sctp = Sctp { locals, ..Sctp::default() };
    socket(state, (port, "0"), (uid, inode), queues, sctp)
}

/// `ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS`,
/// and figures behind a tabulator.
fn association(line: &str) -> Option<Line> {
    let line = line.split('\t').next()?;
    let (near, far) = line.split_once("<->")?;
    let words: Vec<&str> = near.split_whitespace().collect();
    let [_, _, _, _, state, _, _, tx, rx, uid, inode, near_port, far_port, addresses @ ..] =
        words.as_slice()
    else {
        return None;
    };
    let number: u8 = state.parse().ok()?;
    let state = match number {
        // SHUTDOWN_ACK_SENT, which has the number of an endpoint without connections.
        7 => State::LastAck,
        number => State::from_kernel(Protocol::Sctp, number),
    };
    let queues = Queues::Data { recv: rx.parse().ok()?, send: tx.parse().ok()? };
    let sctp = Sctp {
        association_state: Some(number),
        locals: addresses.iter().map(|word| address(word)).collect::<Option<_>>()?,
        peers: far.split_whitespace().map(address).collect::<Option<_>>()?,
        info: None,
    };
    socket(state, (near_port, far_port), (uid, inode), queues, sctp)
}

fn socket(
    state: State,
    ports: (&str, &str),
    (uid, inode): (&str, &str),
    queues: Queues,
    sctp: Sctp,
) -> Option<Line> {
    let first = *sctp.locals.first()?;
    let (family, wildcard): (_, IpAddr) = match first {
        IpAddr::V4(_) => (Family::Ipv4, Ipv4Addr::UNSPECIFIED.into()),
        IpAddr::V6(_) => (Family::Ipv6, Ipv6Addr::UNSPECIFIED.into()),
    };
    let peer = sctp.peers.first().copied().unwrap_or(wildcard);
    let inode: u64 = inode.parse().ok()?;
    Some(Line::Socket(Box::new(Socket {
        local: Endpoint::new(first, ports.0.parse().ok()?),
        remote: Endpoint::new(peer, ports.1.parse().ok()?),
        queues,
        inode: (inode != 0).then_some(inode),
        uid: Some(uid.parse().ok()?),
        family_facts: Some(Box::new(FamilyFacts::Sctp(sctp))),
        ..Socket::new(Protocol::Sctp, family, state)
    })))
}

/// An address; the primary one has a star.
fn address(word: &str) -> Option<IpAddr> {
    word.strip_prefix('*').unwrap_or(word).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `sctp_eps_seq_show` and `sctp_assocs_seq_show` print them (Linux 6.18).
    const LISTENER: &str = "ffff8881 ffff8882 2   10  29   5000   1000  4711 0.0.0.0 ";
    const OPEN: &str = "ffff8883 ffff8884 2   1   3  0       1      100      200    1000  4712 \
        5000  6000  *10.0.0.1 10.1.0.1 <-> *10.0.0.2 \t    7500    10    10   10    0    0        0 \
        1        0   212992   212992";

    fn read(line: &str, of: Reader) -> Option<Socket> {
        match of(line)? {
            Line::Socket(socket) => Some(*socket),
            Line::Nothing => None,
        }
    }

    #[test]
    fn endpoints_and_associations_are_read() {
        let listener = read(LISTENER, endpoint).unwrap();
        assert_eq!((listener.state, listener.local.port), (State::Listen, 5000));
        assert_eq!((listener.inode, listener.uid), (Some(4711), Some(1000)));
        let open = read(OPEN, association).unwrap();
        assert_eq!(
            (open.state, open.local.port, open.remote.port),
            (State::Established, 5000, 6000)
        );
        assert_eq!(open.queues, Queues::Data { recv: 200, send: 100 });
        let sctp = open.sctp().unwrap();
        assert_eq!((sctp.locals.len(), sctp.peers.len()), (2, 1));
        assert_eq!(open.remote.address, "10.0.0.2".parse::<IpAddr>().unwrap());
        // Its endpoint is not told a second time.
        let own = LISTENER.replace(" 10 ", " 1 ");
        assert!(matches!(endpoint(&own), Some(Line::Nothing)));
        let v6 = LISTENER.replace("0.0.0.0", "fd00:0000:0000:0000:0000:0000:0000:0001");
        assert_eq!(read(&v6, endpoint).unwrap().family, Family::Ipv6);
    }

    #[test]
    fn a_line_cut_anywhere_is_read_or_refused() {
        for (line, of) in [(LISTENER, endpoint as Reader), (OPEN, association)] {
            for cut in 0..line.len() {
                let _ = of(&line[..cut]);
            }
        }
        assert!(association("a b c").is_none() && endpoint("").is_none());
    }
}
