//! `/proc/net/{snmp,netstat,sockstat,sockstat6,softnet_stat,stat/*}`: counters and gauges of a
//! network namespace, and some of the host that are told in each.

use super::root::Root;
use crate::model::{counters::Counters, gap::Gap};
use std::{fs::File, io::Read};

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

/// Reads them; a file that cannot be read is a gap.
pub fn read(root: &Root) -> (Counters, Vec<Gap>) {
    let mut counters = Counters::default();
    let mut gaps = vec![];
    for (file, parse) in [
        ("snmp", parse_mib as fn(&str, &mut Counters)),
        ("netstat", parse_mib),
        ("sockstat", |text, counters| parse_sockstat("sockstat", text, counters)),
        ("sockstat6", |text, counters| parse_sockstat("sockstat6", text, counters)),
        ("protocols", parse_protocols),
        ("softnet_stat", parse_softnet),
        ("stat/nf_conntrack", |text, counters| parse_stat("nf_conntrack", text, counters)),
        ("stat/arp_cache", |text, counters| parse_stat("arp_cache", text, counters)),
        ("stat/ndisc_cache", |text, counters| parse_stat("ndisc_cache", text, counters)),
    ] {
        let path = root.net().join(file);
        let mut text = String::new();
        let read = Root::open(&path).map(|file: File| file.take(LONGEST).read_to_string(&mut text));
        match read {
            Ok(Ok(_)) => parse(&text, &mut counters),
            // A kernel without IPv6, without connection tracking.
            Err(error) if error.is_absent() && OPTIONAL.contains(&file) => {}
            Ok(Err(error)) => gaps.push(unreadable(file, &error.to_string())),
            Err(error) => gaps.push(unreadable(file, &error.to_string())),
        }
    }
    (counters, gaps)
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
fn parse_mib(text: &str, counters: &mut Counters) {
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.chunks_exact(2) {
        let [names, values] = pair else { continue };
        let mut names = names.split_whitespace();
        let mut values = values.split_whitespace();
        let group = names.next().and_then(|group| group.strip_suffix(':'));
        let Some(group) = group.filter(|_| values.next().is_some()) else { continue };
        for (name, value) in names.zip(values) {
            if let Ok(value) = value.parse() {
                counters.values.insert(format!("{group}.{name}"), value);
            }
        }
    }
}

/// `TCP: inuse 5 orphan 0 tw 20 alloc 30 mem 3`.
fn parse_sockstat(file: &str, text: &str, counters: &mut Counters) {
    for line in text.lines() {
        let Some((group, rest)) = line.split_once(':') else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        for pair in words.chunks_exact(2) {
            if let [name, value] = pair
                && let Ok(value) = value.parse()
            {
                counters.values.insert(format!("{file}.{group}.{name}"), value);
            }
        }
    }
}

/// A line for each protocol with the sockets of it that are in its tables, of this namespace
/// (`proto_seq_printf`): together with `sockets used` of sockstat they tell how many are in none.
fn parse_protocols(text: &str, counters: &mut Counters) {
    let in_tables = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2));
    let sum = in_tables.filter_map(|word| word.parse::<u64>().ok()).sum();
    counters.values.insert("protocols.sockets".to_owned(), sum);
}

/// A line of hexadecimal numbers for each CPU, without names (`softnet_seq_show`): packets, those
/// dropped because `netdev_max_backlog` was reached, and times the budget ran out.
fn parse_softnet(text: &str, counters: &mut Counters) {
    for line in text.lines() {
        let numbers: Vec<u64> =
            line.split_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok()).collect();
        for (name, at) in [("processed", 0), ("dropped", 1), ("time_squeeze", 2)] {
            if let Some(number) = numbers.get(at) {
                *counters.values.entry(format!("softnet.{name}")).or_default() += number;
            }
        }
    }
}

/// A line of names, then a line of hexadecimal numbers for each CPU: counters are per CPU and are
/// added up, `entries` is the table's and is the same on every line (`neigh_stat_seq_show`,
/// `ct_cpu_seq_show`).
fn parse_stat(group: &str, text: &str, counters: &mut Counters) {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    for line in lines {
        for (name, word) in names.iter().zip(line.split_whitespace()) {
            let Ok(number) = u64::from_str_radix(word, 16) else { continue };
            let value = counters.values.entry(format!("{group}.{name}")).or_default();
            *value = if *name == "entries" { number } else { *value + number };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_name() {
        let mut counters = Counters::default();
        parse_mib("Tcp: MaxConn ActiveOpens\nTcp: -1 7\nTcpExt: TW\nTcpExt: 9\n", &mut counters);
        parse_sockstat("sockstat", "sockets: used 9\nTCP: inuse 5 tw 20 mem\n", &mut counters);
        assert_eq!(counters.get("Tcp.ActiveOpens"), Some(7));
        assert_eq!(counters.get("Tcp.MaxConn"), None);
        assert_eq!(counters.get("TcpExt.TW"), Some(9));
        assert_eq!(counters.get("sockstat.TCP.tw"), Some(20));
        assert_eq!(counters.get("sockstat.sockets.used"), Some(9));
    }

    #[test]
    fn counters_of_each_cpu_are_added_and_gauges_are_not() {
        let mut counters = Counters::default();
        parse_stat(
            "arp_cache",
            "entries  allocs table_fulls\n0000000a  00000001 00000002\n0000000a  0000000f 00000003\n",
            &mut counters,
        );
        parse_softnet(
            "000000ff 00000001 00000002 0 0\n00000001 00000002 00000000 0 0\n",
            &mut counters,
        );
        assert_eq!(counters.get("arp_cache.entries"), Some(10));
        assert_eq!(counters.get("arp_cache.allocs"), Some(16));
        assert_eq!(counters.get("arp_cache.table_fulls"), Some(5));
        assert_eq!(counters.get("softnet.processed"), Some(256));
        assert_eq!(counters.get("softnet.dropped"), Some(3));
        assert_eq!(counters.get("softnet.time_squeeze"), Some(2));
    }

    #[test]
    fn any_text_is_read_without_harm() {
        let mut counters = Counters::default();
        for text in ["", ":", "Tcp:", "Tcp: a\n", "a b\nc d\n", "Tcp: a b\nTcp: 1\n"] {
            parse_mib(text, &mut counters);
            parse_sockstat("sockstat", text, &mut counters);
            parse_softnet(text, &mut counters);
            parse_stat("arp_cache", text, &mut counters);
        }
        assert_eq!(counters.get("Tcp.a"), Some(1));
    }
}
