//! `sock:inet_sock_set_state`: a TCP socket changes its state (kernel 4.16 and later).

use super::{
    format::{Format, Place},
    instance::Record,
};
use crate::{
    kernel::bytes::{array, u16_ne, u32_ne, u64_ne},
    model::{endpoint::Endpoint, protocol::Family},
};
use std::net::IpAddr;

/// `TCP_CLOSE`.
pub const CLOSE: u8 = 7;
/// `TRACE_FLAG_HARDIRQ`, `…SOFTIRQ` and `…NMI` (`linux/trace_events.h`): the task was interrupted.
const INTERRUPTED: u8 = 0x08 | 0x10 | 0x40;

/// One change, of a socket of any network namespace of the host: the event does not tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// When, on the trace clock, in nanoseconds.
    pub at_ns: u64,
    /// The task that ran, a thread. Packets are received by whoever runs: see [`Self::caller`].
    pub task: u32,
    /// Whether it was interrupted by what made the change.
    pub is_interrupt: bool,
    /// Address of the kernel's socket: its identity while it lives.
    pub socket: u64,
    /// Family.
    pub family: Family,
    /// State before, by the kernel's number (`include/net/tcp_states.h`).
    pub from: u8,
    /// State after. Entering TIME_WAIT is a change to CLOSE (7): a mini-socket takes over, of which
    /// there are no events.
    pub to: u8,
    /// This end; the port is 0 where none is chosen yet (→SYN_SENT).
    pub local: Endpoint,
    /// The other end.
    pub remote: Endpoint,
}

impl StateChange {
    /// The task whose system call made the change. `None`: a packet or a timer made it, or it is not
    /// certain.
    ///
    /// connect(2), listen(2), shutdown(2) and close(2) make these, and nothing else does; others are
    /// made as well by whoever happens to work off what the socket received (`release_sock`).
    pub fn caller(&self) -> Option<u32> {
        const ESTABLISHED: u8 = 1;
        const SYN_SENT: u8 = 2;
        const FIN_WAIT1: u8 = 4;
        const CLOSE_WAIT: u8 = 8;
        const LAST_ACK: u8 = 9;
        const LISTEN: u8 = 10;
        let is_call = matches!(
            (self.from, self.to),
            (CLOSE, SYN_SENT | LISTEN) | (ESTABLISHED, FIN_WAIT1) | (CLOSE_WAIT, LAST_ACK)
        );
        (is_call && !self.is_interrupt && self.task != 0).then_some(self.task)
    }
}

impl Record for StateChange {
    const EVENT: &'static str = "sock/inet_sock_set_state";
    const SUFFIX: &'static str = "";
    const FILTER: &'static str = "protocol == 6";
    /// At 10,000 changes a second and CPU it holds five seconds.
    const BUFFER_KIB: usize = 4096;
    type Layout = Layout;

    fn layout(format: &Format) -> Option<Layout> {
        Layout::of(format)
    }

    fn decode(layout: &Layout, at_ns: u64, record: &[u8]) -> Option<Self> {
        layout.decode(at_ns, record)
    }
}

/// Where the fields lie on this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    id: u16,
    flags: Place,
    task: Place,
    socket: Place,
    from: Place,
    to: Place,
    sport: Place,
    dport: Place,
    family: Place,
    protocol: Place,
    saddr: Place,
    daddr: Place,
    saddr_v6: Place,
    daddr_v6: Place,
}

impl Layout {
    /// From the event's `format`; `None` where a field is missing.
    pub fn of(format: &Format) -> Option<Self> {
        let place = |name| format.place(name);
        Some(Self {
            id: format.id?,
            flags: place("common_flags")?,
            task: place("common_pid")?,
            socket: place("skaddr")?,
            from: place("oldstate")?,
            to: place("newstate")?,
            sport: place("sport")?,
            dport: place("dport")?,
            family: place("family")?,
            protocol: place("protocol")?,
            saddr: place("saddr")?,
            daddr: place("daddr")?,
            saddr_v6: place("saddr_v6")?,
            daddr_v6: place("daddr_v6")?,
        })
    }

    /// Decodes a record. `None`: of another event, of another protocol than TCP, or cut.
    pub fn decode(&self, at_ns: u64, record: &[u8]) -> Option<StateChange> {
        let half = |place: Place| u16_ne(record, place.offset);
        if half(Place { offset: 0, size: 2 })? != self.id || number(record, self.protocol)? != 6 {
            return None;
        }
        let family = Family::from_number(u8::try_from(number(record, self.family)?).ok()?)?;
        let address = |v4: Place, v6: Place| -> Option<IpAddr> {
            Some(match family {
                Family::Ipv4 => array::<4>(record, v4.offset)?.into(),
                _ => array::<16>(record, v6.offset)?.into(),
            })
        };
        let state = |place| u8::try_from(number(record, place)?).ok();
        Some(StateChange {
            at_ns,
            task: u32::try_from(number(record, self.task)?).ok()?,
            is_interrupt: number(record, self.flags)? & u64::from(INTERRUPTED) != 0,
            socket: number(record, self.socket)?,
            family,
            from: state(self.from)?,
            to: state(self.to)?,
            local: Endpoint::new(address(self.saddr, self.saddr_v6)?, half(self.sport)?),
            remote: Endpoint::new(address(self.daddr, self.daddr_v6)?, half(self.dport)?),
        })
    }
}

/// A number of whatever size this kernel gives it: `protocol` had one byte before 5.6.
pub(super) fn number(record: &[u8], place: Place) -> Option<u64> {
    match place.size {
        1 => record.get(place.offset).copied().map(u64::from),
        2 => u16_ne(record, place.offset).map(u64::from),
        4 => u32_ne(record, place.offset).map(u64::from),
        _ => u64_ne(record, place.offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux 6.18 has it (x86-64, `events/sock/inet_sock_set_state/format`).
    const FORMAT: &str = "ID: 2287
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
	field:const void * skaddr;	offset:8;	size:8;	signed:0;
	field:int oldstate;	offset:16;	size:4;	signed:1;
	field:int newstate;	offset:20;	size:4;	signed:1;
	field:__u16 sport;	offset:24;	size:2;	signed:0;
	field:__u16 dport;	offset:26;	size:2;	signed:0;
	field:__u16 family;	offset:28;	size:2;	signed:0;
	field:__u16 protocol;	offset:30;	size:2;	signed:0;
	field:__u8 saddr[4];	offset:32;	size:4;	signed:0;
	field:__u8 daddr[4];	offset:36;	size:4;	signed:0;
	field:__u8 saddr_v6[16];	offset:40;	size:16;	signed:0;
	field:__u8 daddr_v6[16];	offset:56;	size:16;	signed:0;
";

    fn record(family: u16, protocol: u16) -> Vec<u8> {
        let mut record = vec![0; 76];
        record[..2].copy_from_slice(&2287u16.to_ne_bytes());
        record[4..8].copy_from_slice(&811u32.to_ne_bytes());
        record[8..16].copy_from_slice(&0xffff_8880_1234_5678u64.to_ne_bytes());
        record[16..20].copy_from_slice(&7u32.to_ne_bytes());
        record[20..24].copy_from_slice(&2u32.to_ne_bytes());
        record[26..28].copy_from_slice(&443u16.to_ne_bytes());
        record[28..30].copy_from_slice(&family.to_ne_bytes());
        record[30..32].copy_from_slice(&protocol.to_ne_bytes());
        record[32..40].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 9]);
        record[71] = 1;
        record
    }

    #[test]
    fn a_change_is_read_where_the_format_says() {
        let layout = Layout::of(&Format::parse(FORMAT)).unwrap();
        let change = layout.decode(5, &record(2, 6)).unwrap();
        assert_eq!((change.task, change.from, change.to), (811, 7, 2));
        assert_eq!(change.local, Endpoint::new([10, 0, 0, 1].into(), 0));
        assert_eq!(change.remote, Endpoint::new([10, 0, 0, 9].into(), 443));
        assert_eq!(change.caller(), Some(811));
        let mut interrupted = record(2, 6);
        interrupted[2] = 0x10;
        assert_eq!(layout.decode(5, &interrupted).unwrap().caller(), None);
        let received = StateChange { from: 1, to: 8, ..change };
        assert_eq!(received.caller(), None, "a FIN came, whoever ran");
        let six = layout.decode(5, &record(10, 6)).unwrap();
        assert_eq!(six.remote.address, "::1".parse::<IpAddr>().unwrap());
        // SCTP, MPTCP, another family, another event.
        assert_eq!(layout.decode(5, &record(2, 132)), None);
        assert_eq!(layout.decode(5, &record(2, 262)), None);
        assert_eq!(layout.decode(5, &record(1, 6)), None);
        let mut other = record(2, 6);
        other[0] ^= 1;
        assert_eq!(layout.decode(5, &other), None);
        for cut in 0..72 {
            let _ = layout.decode(5, &record(10, 6)[..cut]);
        }
        assert_eq!(Layout::of(&Format::parse(&FORMAT.replace("dport", "x"))), None);
    }
}
