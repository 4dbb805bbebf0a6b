//! Values to text: for people with units, for CSV exact.

use super::{address, escape, json};
use crate::{
    field::{
        end::{End, Part},
        families::ip_protocol,
        row::Row,
        value::{List, Value},
    },
    model::{
        endpoint::Endpoint,
        family::{packet::Instruction, unix},
        owner::{Process, Unowned},
        protocol::Protocol,
    },
};
use std::io::Write;

/// What stands where nothing is known.
pub const UNKNOWN: &str = "-";

/// Writes a value for people.
pub fn human(out: &mut Vec<u8>, row: Row<'_>, value: &Value<'_>) {
    match value {
        Value::Absent => out.extend(UNKNOWN.as_bytes()),
        Value::Count(n) | Value::Bytes(n) | Value::Queue(n, None) => json::number(out, *n),
        Value::BytesPerSecond(u64::MAX) => out.extend(b"unlimited"),
        Value::Queue(n, Some(limit)) => {
            json::number(out, *n);
            out.push(b'/');
            json::number(out, *limit);
        }
        Value::Milliseconds(ms) => duration(out, ms.saturating_mul(1000)),
        Value::Microseconds(us) => duration(out, *us),
        Value::BytesPerSecond(rate) => Quantity::bytes_per_second(*rate).write(out),
        Value::Flag(flag) => out.extend(if *flag { "yes" } else { "no" }.as_bytes()),
        Value::Word(word) => out.extend(word.as_bytes()),
        Value::Name(name) => escape::for_terminal(out, name),
        Value::Address(ip) => address::write(out, *ip),
        Value::Prefix(ip, length) => {
            address::write(out, *ip);
            out.push(b'/');
            json::number(out, *length);
        }
        Value::Path(name) => escape::for_terminal(out, &unix::written(name)),
        Value::Label(n) => json::number(out, *n),
        Value::Endpoint(end, interface) => endpoint(out, row, end, *interface),
        Value::End(row, side) => match End::of(*row, *side) {
            Some(end) => family_end(out, &end, escape::for_terminal),
            None => out.extend(UNKNOWN.as_bytes()),
        },
        Value::Connection(subflow) => {
            endpoint(out, row, &subflow.local, None);
            out.extend(b">");
            endpoint(out, row, &subflow.peer, None);
        }
        Value::Instruction(instruction) => self::instruction(out, *instruction),
        Value::State(state) => out.extend(state.name().as_bytes()),
        Value::List(values) => list(out, row, *values),
        Value::Owners(row) => owners(out, *row),
        Value::PeerOwners(row) => match row.peer_holders().next() {
            Some(_) => holders(out, row.peer_holders()),
            None => out.extend(UNKNOWN.as_bytes()),
        },
    }
}

/// `/run/x`, `#4711`, `rtnl:811`, `*:eth0`: what is not there is the wildcard.
fn family_end(out: &mut Vec<u8>, end: &End<'_>, name: fn(&mut Vec<u8>, &[u8])) {
    let mut write = |part: Option<Part<'_>>| match part {
        None => out.push(b'*'),
        Some(Part::Path(path)) => name(out, &unix::written(path)),
        Some(Part::Word(word)) => out.extend(word.as_bytes()),
        Some(Part::Interface(interface)) => name(out, interface.as_bytes()),
        Some(Part::Number(number)) => json::number(out, number),
        Some(Part::Inode(inode)) => {
            out.push(b'#');
            json::number(out, inode);
        }
        Some(Part::Queue(queue)) => {
            out.push(b'q');
            json::number(out, queue);
        }
    };
    write(end.address);
    if end.has_port {
        write(Some(Part::Word(":")));
        write(end.port);
    }
}

/// As ss writes it.
fn instruction(out: &mut Vec<u8>, instruction: Instruction) {
    let Instruction { code, yes, no, k } = instruction;
    let _ = write!(out, "0x{code:02x} {yes} {no} {k}");
}

fn list(out: &mut Vec<u8>, row: Row<'_>, values: List<'_>) {
    if values.is_empty() {
        return out.extend(UNKNOWN.as_bytes());
    }
    for (index, value) in values.values().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        human(out, row, &value);
    }
}

/// Writes a value exactly, without units: CSV, keys of groups. What is unknown is empty.
pub fn exact(out: &mut Vec<u8>, row: Row<'_>, value: &Value<'_>) {
    match value {
        Value::Absent => {}
        Value::Milliseconds(n)
        | Value::Microseconds(n)
        | Value::BytesPerSecond(n)
        | Value::Queue(n, _) => {
            json::number(out, *n);
        }
        Value::Flag(flag) => out.extend(if *flag { "true" } else { "false" }.as_bytes()),
        Value::Name(name) => out.extend(escape::lossless(name).as_bytes()),
        Value::Path(name) => lossless(out, &unix::written(name)),
        Value::End(row, side) => {
            if let Some(end) = End::of(*row, *side) {
                family_end(out, &end, lossless);
            }
        }
        Value::List(values) => {
            for (index, value) in values.values().enumerate() {
                if index > 0 {
                    out.push(b';');
                }
                exact(out, row, &value);
            }
        }
        Value::Owners(row) => exact_holders(out, row.holders()),
        Value::PeerOwners(row) => exact_holders(out, row.peer_holders()),
        other => human(out, row, other),
    }
}

fn lossless(out: &mut Vec<u8>, name: &[u8]) {
    out.extend(escape::lossless(name).as_bytes());
}

fn exact_holders<'p>(out: &mut Vec<u8>, holders: impl Iterator<Item = (&'p Process, u32)>) {
    for (index, (process, fd)) in holders.enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend(escape::lossless(&process.command).as_bytes());
        let _ = write!(out, "/{}/{fd}", process.pid);
    }
}

/// `address:port`; IPv6 in brackets, a bound interface after `%`, names where they were asked for.
fn endpoint(out: &mut Vec<u8>, row: Row<'_>, end: &Endpoint, interface: Option<&str>) {
    let resolved = row.context.resolver.as_ref().and_then(|r| r.name(end.address));
    if let Some(name) = resolved {
        escape::for_terminal(out, name.as_bytes());
    } else {
        let bracketed = end.address.is_ipv6();
        if bracketed {
            out.push(b'[');
        }
        address::write(out, end.address);
        if let Some(interface) = interface {
            out.push(b'%');
            escape::for_terminal(out, interface.as_bytes());
        }
        if bracketed {
            out.push(b']');
        }
    }
    out.push(b':');
    match row.context.names.service(row.socket.protocol, end.port) {
        Some(name) => escape::for_terminal(out, name.as_bytes()),
        None if end.port == 0 => out.push(b'*'),
        // The port of a raw socket is the IP protocol it sees.
        None => match ip_protocol(end.port).filter(|_| row.socket.protocol == Protocol::Raw) {
            Some(name) => out.extend(name.as_bytes()),
            None => json::number(out, end.port),
        },
    }
}

/// `nginx[811,812]`, several programs apart by a comma; or the reason in parentheses.
pub(super) fn owners(out: &mut Vec<u8>, row: Row<'_>) {
    if let Some(why) = row.unowned() {
        // Not asked for is not worth saying in a column that was.
        if why == Unowned::NotAsked {
            out.extend(UNKNOWN.as_bytes());
        } else {
            out.push(b'(');
            out.extend(why.name().as_bytes());
            out.push(b')');
        }
        return;
    }
    holders(out, row.holders());
}

fn holders<'p>(out: &mut Vec<u8>, holders: impl Iterator<Item = (&'p Process, u32)>) {
    let mut command: Option<&[u8]> = None;
    let mut last_pid = None;
    for (process, _) in holders {
        if command == Some(&process.command) {
            if last_pid != Some(process.pid) {
                out.push(b',');
                json::number(out, process.pid);
            }
        } else {
            if command.is_some() {
                out.extend(b"],");
            }
            escape::for_terminal(out, &process.command);
            out.push(b'[');
            json::number(out, process.pid);
        }
        command = Some(&process.command);
        last_pid = Some(process.pid);
    }
    out.push(b']');
}

/// A number with its unit, as people read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantity {
    /// Before the point.
    pub whole: u64,
    /// Behind it; 0 is not written.
    pub tenths: u8,
    /// The unit, and how many bytes of it there are.
    pub unit: ([u8; 4], usize),
}

const NO_UNIT: ([u8; 4], usize) = (*b"    ", 0);
const MICROSECONDS: ([u8; 4], usize) = (*b"us  ", 2);
const MILLISECONDS: ([u8; 4], usize) = (*b"ms  ", 2);
const SECONDS: ([u8; 4], usize) = (*b"s   ", 1);
const MINUTES: ([u8; 4], usize) = (*b"min ", 3);
const HOURS: ([u8; 4], usize) = (*b"h   ", 1);
const DAYS: ([u8; 4], usize) = (*b"d   ", 1);
const BYTES: ([u8; 4], usize) = (*b"B/s ", 3);
const KILOBYTES: ([u8; 4], usize) = (*b"kB/s", 4);
const MEGABYTES: ([u8; 4], usize) = (*b"MB/s", 4);
const GIGABYTES: ([u8; 4], usize) = (*b"GB/s", 4);

impl Quantity {
    /// What [`human`] writes of a value, where that is one number.
    #[inline]
    pub(super) fn of(value: &Value<'_>) -> Option<Self> {
        match *value {
            Value::Count(n) | Value::Bytes(n) | Value::Queue(n, None) => {
                Some(Self::whole(n, NO_UNIT))
            }
            Value::Milliseconds(ms) => Some(Self::duration(ms.saturating_mul(1000))),
            Value::Microseconds(us) => Some(Self::duration(us)),
            Value::BytesPerSecond(rate) if rate < u64::MAX => Some(Self::bytes_per_second(rate)),
            _ => None,
        }
    }

    fn duration(us: u64) -> Self {
        match us {
            0 => Self::whole(0, SECONDS),
            1..1_000 => Self::whole(us, MICROSECONDS),
            1_000..1_000_000 => Self::tenths(us, 1_000, MILLISECONDS),
            1_000_000..120_000_000 => Self::tenths(us, 1_000_000, SECONDS),
            120_000_000..7_200_000_000 => Self::whole(us / 60_000_000, MINUTES),
            7_200_000_000..172_800_000_000 => Self::whole(us / 3_600_000_000, HOURS),
            _ => Self::whole(us / 86_400_000_000, DAYS),
        }
    }

    fn bytes_per_second(rate: u64) -> Self {
        match rate {
            0..10_000 => Self::whole(rate, BYTES),
            10_000..10_000_000 => Self::tenths(rate, 1_000, KILOBYTES),
            10_000_000..10_000_000_000 => Self::tenths(rate, 1_000_000, MEGABYTES),
            _ => Self::tenths(rate, 1_000_000_000, GIGABYTES),
        }
    }

    const fn whole(whole: u64, unit: ([u8; 4], usize)) -> Self {
        Self { whole, tenths: 0, unit }
    }

    /// One digit after the point, rounded down: a value just below a border must not reach it.
    fn tenths(value: u64, unit: u64, name: ([u8; 4], usize)) -> Self {
        let tenths = u8::try_from(value % unit / (unit / 10)).unwrap_or(0);
        Self { whole: value / unit, tenths, unit: name }
    }

    fn write(self, out: &mut Vec<u8>) {
        json::number(out, self.whole);
        if self.tenths > 0 {
            out.extend([b'.', b'0' + self.tenths]);
        }
        out.extend(self.unit.0.iter().take(self.unit.1));
    }
}

/// `412us`, `41.2ms`, `59.6s`, `119min`, `5h`, `3d`.
pub fn duration(out: &mut Vec<u8>, us: u64) {
    Quantity::duration(us).write(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_a_person_would_choose() {
        for (us, text) in [
            (0, "0s"),
            (412, "412us"),
            (41_200, "41.2ms"),
            (59_648_000, "59.6s"),
            (60_000_000, "60s"),
            (7_180_950_000, "119min"),
            (18_000_000_000, "5h"),
            (400_000_000_000, "4d"),
        ] {
            let mut out = vec![];
            duration(&mut out, us);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
