//! `/proc/net/{snmp,netstat,sockstat,sockstat6,softnet_stat,stat/*}`: counters and gauges of a
//! network namespace, and some of the host that are told in each.

use super::{directory::Directory, root::Root};
use crate::{
    kernel::error::Error,
    model::{
        counters::{Counters, Names},
        gap::Gap,
    },
};
use std::{
    io::{self, Read},
    str,
    sync::Arc,
    time::{Duration, Instant},
};

/// More than any of these files holds.
const LONGEST: u64 = 1 << 20;

/// What not every kernel, namespace or tree has.
const OPTIONAL: [&str; 6] = [
    "sockstat6",
    "protocols",
    "softnet_stat",
    "stat/nf_conntrack",
    "stat/arp_cache",
    "stat/ndisc_cache",
];

type Parse = fn(&str, &mut Gathered);

/// What grows, and tells by several moments whether it goes on.
const GROWING: [(&str, Parse); 6] = [
    ("snmp", parse_mib),
    ("netstat", parse_mib),
    ("softnet_stat", parse_softnet),
    ("stat/nf_conntrack", |text, counters| parse_stat("nf_conntrack", text, counters)),
    ("stat/arp_cache", |text, counters| parse_stat("arp_cache", text, counters)),
    ("stat/ndisc_cache", |text, counters| parse_stat("ndisc_cache", text, counters)),
];
/// What goes up and down.
const GAUGES: [(&str, Parse); 3] = [
    ("sockstat", |text, counters| parse_sockstat("sockstat", text, counters)),
    ("sockstat6", |text, counters| parse_sockstat("sockstat6", text, counters)),
    ("protocols", parse_protocols),
];

/// Reads counters, again and again: the names are mostly those of the time before.
#[derive(Debug, Default)]
pub struct Reader {
    text: Vec<u8>,
    gathered: Gathered,
    /// The text of the machine's own file, and when it was read.
    of_machine: Option<(Instant, Vec<u8>)>,
}

/// The file that is the machine's, whichever namespace reads it (`softnet_seq_show`): read once for
/// namespaces that are looked into one after the other.
const OF_MACHINE: &str = "softnet_stat";
const ONE_LOOK: Duration = Duration::from_millis(100);

/// Names and values in the order of the files.
#[derive(Debug, Default)]
struct Gathered {
    /// Those of this time as far as there are values, then those of the time before.
    names: Vec<String>,
    values: Vec<u64>,
    /// The same names in order, and where each is there.
    sorted: Arc<Names>,
    places: Vec<usize>,
    /// Whether these are of other names.
    is_other: bool,
}

impl Gathered {
    /// Takes a value by the parts of its name.
    fn take(&mut self, parts: &[&str], value: u64) {
        let at = self.values.len();
        if !self.names.get(at).is_some_and(|name| is_joined(name, parts)) {
            self.names.truncate(at);
            self.names.push(parts.join("."));
            self.is_other = true;
        }
        self.values.push(value);
    }

    /// Hands over what was taken.
    fn counters(&mut self) -> Counters {
        if self.is_other || self.names.len() != self.values.len() {
            self.names.truncate(self.values.len());
            let sorted = Names::of(self.names.iter().map(String::as_str));
            self.places = self.names.iter().filter_map(|name| sorted.place(name).ok()).collect();
            self.sorted = Arc::new(sorted);
            self.is_other = false;
        }
        let mut values = vec![0; self.sorted.len()];
        for (place, value) in self.places.iter().zip(self.values.drain(..)) {
            if let Some(known) = values.get_mut(*place) {
                *known = value;
            }
        }
        Counters::of(Arc::clone(&self.sorted), values)
    }
}

/// Whether a name is made of these parts with a dot between them.
fn is_joined(name: &str, parts: &[&str]) -> bool {
    let mut rest = name;
    for (at, part) in parts.iter().enumerate() {
        let after_dot = if at == 0 { Some(rest) } else { rest.strip_prefix('.') };
        let Some(after) = after_dot.and_then(|rest| rest.strip_prefix(part)) else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// Reads them once; a file that cannot be read is a gap.
pub fn read(root: &Root) -> (Counters, Vec<Gap>) {
    Reader::default().read(root)
}

impl Reader {
    /// Reads all of them; a file that cannot be read is a gap.
    pub fn read(&mut self, root: &Root) -> (Counters, Vec<Gap>) {
        self.read_files(root, GAUGES.iter().chain(&GROWING))
    }

    /// Reads those that grow; one that cannot be read is missing.
    pub fn read_growing(&mut self, root: &Root) -> Counters {
        self.read_files(root, &GROWING).0
    }

    fn read_files<'f>(
        &mut self,
        root: &Root,
        files: impl IntoIterator<Item = &'f (&'static str, Parse)>,
    ) -> (Counters, Vec<Gap>) {
        let directory = Directory::at(root.net());
        let mut gaps = vec![];
        for (file, parse) in files {
            let read = self.read_text(&directory, file, root.is_live());
            match read {
                Ok(Ok(())) => match str::from_utf8(&self.text) {
                    Ok(text) => parse(text, &mut self.gathered),
                    Err(error) => gaps.push(unreadable(file, &error.to_string())),
                },
                // A kernel without IPv6, without connection tracking.
                Err(error) if error.is_absent() && OPTIONAL.contains(file) => {}
                Ok(Err(error)) => gaps.push(unreadable(file, &error.to_string())),
                Err(error) => gaps.push(unreadable(file, &error.to_string())),
            }
        }
        (self.gathered.counters(), gaps)
    }
}

impl Reader {
    /// Reads the text of a file, on a live machine its own no more than once for a look.
    fn read_text(
        &mut self,
        directory: &Directory,
        file: &str,
        is_live: bool,
    ) -> Result<io::Result<()>, Error> {
        self.text.clear();
        let is_machines = is_live && file == OF_MACHINE;
        let known = self.of_machine.as_ref().filter(|(at, _)| at.elapsed() < ONE_LOOK);
        if let Some((_, text)) = known.filter(|_| is_machines) {
            self.text.extend_from_slice(text);
            return Ok(Ok(()));
        }
        let read = directory.file(file)?.take(LONGEST).read_to_end(&mut self.text);
        if is_machines && read.is_ok() {
            self.of_machine = Some((Instant::now(), self.text.clone()));
        }
        Ok(read.map(|_| ()))
    }
}

fn unreadable(file: &str, why: &str) -> Gap {
    Gap::new(
        "counters-unreadable",
        format!("counters of net/{file} are missing: {why}"),
        "mount /proc, or name another tree with --proc-root",
    )
}

/// Pairs of lines, names then values. Columns differ by kernel: they go by name. A value that is
/// no natural number (`Tcp.MaxConn` is -1) is left out.
fn parse_mib(text: &str, counters: &mut Gathered) {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let mut names = names.split_whitespace();
        let mut values = values.split_whitespace();
        let group = names.next().and_then(|group| group.strip_suffix(':'));
        let Some(group) = group.filter(|_| values.next().is_some()) else { continue };
        for (name, value) in names.zip(values) {
            if let Ok(value) = value.parse() {
                counters.take(&[group, name], value);
            }
        }
    }
}

/// `TCP: inuse 5 orphan 0 tw 20 alloc 30 mem 3`.
fn parse_sockstat(file: &str, text: &str, counters: &mut Gathered) {
    for line in text.lines() {
        let Some((group, rest)) = line.split_once(':') else { continue };
        let mut words = rest.split_whitespace();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if let Ok(value) = value.parse() {
                counters.take(&[file, group, name], value);
            }
        }
    }
}

/// A line for each protocol with the sockets of it that are in its tables, of this namespace
/// (`proto_seq_printf`): together with `sockets used` of sockstat they tell how many are in none.
fn parse_protocols(text: &str, counters: &mut Gathered) {
    let in_tables = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2));
    let sum = in_tables.filter_map(|word| word.parse::<u64>().ok()).sum();
    counters.take(&["protocols", "sockets"], sum);
}

/// A line of hexadecimal numbers for each CPU, without names (`softnet_seq_show`): packets, those
/// dropped because `netdev_max_backlog` was reached, and times the budget ran out.
fn parse_softnet(text: &str, counters: &mut Gathered) {
    let mut sums: [Option<u64>; 3] = [None; 3];
    for line in text.lines() {
        let numbers = line.split_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok());
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum.get_or_insert(0) += number;
        }
    }
    for (name, sum) in ["processed", "dropped", "time_squeeze"].into_iter().zip(sums) {
        if let Some(sum) = sum {
            counters.take(&["softnet", name], sum);
        }
    }
}

/// A line of names, then a line of hexadecimal numbers for each CPU: counters are per CPU and are
/// added up, `entries` is the table's and is the same on every line (`neigh_stat_seq_show`,
/// `ct_cpu_seq_show`).
fn parse_stat(group: &str, text: &str, counters: &mut Gathered) {
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split_whitespace();
    let mut sums: Vec<(&str, Option<u64>)> = names.map(|name| (name, None)).collect();
    for line in lines {
        for ((name, sum), word) in sums.iter_mut().zip(line.split_whitespace()) {
            let Ok(number) = u64::from_str_radix(word, 16) else { continue };
            *sum = Some(if *name == "entries" { number } else { sum.unwrap_or(0) + number });
        }
    }
    for (name, sum) in sums {
        if let Some(sum) = sum {
            counters.take(&[group, name], sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_name() {
        let mut counters = Gathered::default();
        parse_mib("Tcp: MaxConn ActiveOpens\nTcp: -1 7\nTcpExt: TW\nTcpExt: 9\n", &mut counters);
        parse_sockstat("sockstat", "sockets: used 9\nTCP: inuse 5 tw 20 mem\n", &mut counters);
        let counters = counters.counters();
        assert_eq!(counters.get("Tcp.ActiveOpens"), Some(7));
        assert_eq!(counters.get("Tcp.MaxConn"), None);
        assert_eq!(counters.get("TcpExt.TW"), Some(9));
        assert_eq!(counters.get("sockstat.TCP.tw"), Some(20));
        assert_eq!(counters.get("sockstat.sockets.used"), Some(9));
    }

    #[test]
    fn counters_of_each_cpu_are_added_and_gauges_are_not() {
        let mut counters = Gathered::default();
        parse_stat(
            "arp_cache",
            "entries  allocs table_fulls\n0000000a  00000001 00000002\n0000000a  0000000f 00000003\n",
            &mut counters,
        );
        parse_softnet(
            "000000ff 00000001 00000002 0 0\n00000001 00000002 00000000 0 0\n",
            &mut counters,
        );
        let counters = counters.counters();
        assert_eq!(counters.get("arp_cache.entries"), Some(10));
        assert_eq!(counters.get("arp_cache.allocs"), Some(16));
        assert_eq!(counters.get("arp_cache.table_fulls"), Some(5));
        assert_eq!(counters.get("softnet.processed"), Some(256));
        assert_eq!(counters.get("softnet.dropped"), Some(3));
        assert_eq!(counters.get("softnet.time_squeeze"), Some(2));
    }

    #[test]
    fn any_text_is_read_without_harm() {
        let mut counters = Gathered::default();
        for text in ["", ":", "Tcp:", "Tcp: a\n", "a b\nc d\n", "Tcp: a b\nTcp: 1\n"] {
            parse_mib(text, &mut counters);
            parse_sockstat("sockstat", text, &mut counters);
            parse_softnet(text, &mut counters);
            parse_stat("arp_cache", text, &mut counters);
        }
        assert_eq!(counters.counters().get("Tcp.a"), Some(1));
    }

    #[test]
    fn another_kernel_of_namespace_has_other_names() {
        let mut gathered = Gathered::default();
        let mut read = |text: &str| {
            parse_mib(text, &mut gathered);
            gathered
                .counters()
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let plain = "Ip: B A\nIp: 1 2\nTcp: X Y\nTcp: 3 4\n";
        let more = "Ip: B A\nIp: 5 6\nIcmpMsg: OutType3\nIcmpMsg: 9\nTcp: X Y\nTcp: 7 8\n";
        assert_eq!(read(plain), "Ip.A=2 Ip.B=1 Tcp.X=3 Tcp.Y=4");
        assert_eq!(read(more), "IcmpMsg.OutType3=9 Ip.A=6 Ip.B=5 Tcp.X=7 Tcp.Y=8");
        assert_eq!(read(plain), "Ip.A=2 Ip.B=1 Tcp.X=3 Tcp.Y=4");
        assert_eq!(read("Ip: B\nIp: 4\n"), "Ip.B=4");
        assert_eq!(read(""), "");
        assert_eq!(read(plain), "Ip.A=2 Ip.B=1 Tcp.X=3 Tcp.Y=4");
        // The same twice in a file, and one name that begins as another.
        assert_eq!(read("Ip: B B\nIp: 4 5\nIp: BB\nIp: 6\n"), "Ip.B=5 Ip.BB=6");
    }
}
