//! Options of netstat and lsof that are typed by habit, and what does the same here.

use std::ffi::OsString;

/// Options, and what to type instead.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["-c", "--continuous", "--repeat"], "write `--watch=1`, which asks every second"),
    (&["--inet", "--ip", "--tcpip"], "write `-4`, or `-f inet`"),
    (&["--inet6"], "write `-6`, or `-f inet6`"),
    (&["-W", "--wide", "--notrim"], "leave it out: no name or address is cut in a pipe"),
    (
        &["--numeric-hosts", "--numeric-ports", "--numeric-users", "-P"],
        "leave it out: numbers are shown, and names with `-r`",
    ),
    (&["--program", "--programs"], "write `-p`"),
    (&["--extend"], "write `-e`"),
    (&["--timers"], "write `-o`"),
    (&["--statistics"], "write `-s`; what the counters mean for this host tells `sockeye doctor`"),
    (&["--udplite"], "write `-A udplite`"),
    (&["-U"], "unix sockets are `-x`, UDP-Lite is `-A udplite`"),
    (&["-J", "-j"], "write `--json`, or `--ndjson` for one object a line"),
    (&["--bpf-map-id"], "write `--bpf-maps`; the sockets of one map are `bpf_maps = 7`"),
    (&["-g", "--groups"], "sockets are shown here; multicast groups by `ip maddr`"),
    (&["--route"], "sockets are shown here; routes by `ip route`"),
    (&["--interfaces"], "sockets are shown here; interfaces by `ip -s link`"),
    (&["--masquerade"], "sockets are shown here; translated connections by `conntrack -L`"),
];

/// What to type instead of an option that does not exist; `None`: no other tool has it either.
pub fn instead(args: &[OsString], option: &str) -> Option<String> {
    if let Some(filter) = selection(args) {
        return Some(format!("lsof selects so; here a filter does: `sockeye -a '{filter}'`"));
    }
    let named = |(names, _): &&(&[&str], &str)| names.contains(&option);
    OPTIONS.iter().find(named).map(|(_, hint)| (*hint).to_owned())
}

/// The filter that selects what `lsof -iTCP@10.0.0.1:443 -sTCP:LISTEN` selects. `None`: nothing of
/// that kind was typed.
fn selection(args: &[OsString]) -> Option<String> {
    let mut tests: Vec<String> = vec![];
    for word in args.iter().filter_map(|word| word.to_str()) {
        if let Some(internet) = word.strip_prefix("-i") {
            tests.extend(internet_tests(internet).unwrap_or_default());
        } else if let Some((_, states)) =
            word.strip_prefix("-s").and_then(|list| list.split_once(':'))
        {
            let (excluded, states) = match states.strip_prefix('^') {
                Some(states) => ("not in", states),
                None => ("in", states),
            };
            tests.push(format!("state {excluded} {states}"));
        }
    }
    (!tests.is_empty()).then(|| tests.join(" and "))
}

/// `[46][PROTOCOL][@HOST][:PORTS]` as tests. `None`: it is no such thing, but letters of ours.
fn internet_tests(word: &str) -> Option<Vec<String>> {
    let mut tests = vec![];
    let mut rest = word;
    for (digit, family) in [('4', "ipv4"), ('6', "ipv6")] {
        if let Some(behind) = rest.strip_prefix(digit) {
            tests.push(format!("family = {family}"));
            rest = behind;
        }
    }
    let end = rest.find(['@', ':']).unwrap_or(rest.len());
    let (protocol, ends) = rest.split_at(end);
    match protocol.to_ascii_lowercase().as_str() {
        "" => {}
        known @ ("tcp" | "udp" | "udplite") => tests.push(known.to_owned()),
        _ => return None,
    }
    if let Some(host) = ends.strip_prefix('@') {
        let (host, ports) = match host.rsplit_once(':') {
            Some((host, ports)) if !ports.ends_with(']') => (host, Some(ports)),
            _ => (host, None),
        };
        if !host.is_empty() {
            tests.push(format!("host {host}"));
        }
        tests.extend(ports.map(|ports| format!("port {ports}")));
    } else if let Some(ports) = ends.strip_prefix(':') {
        tests.push(format!("port {ports}"));
    }
    // `-i` alone, and letters behind it, are ours.
    (!protocol.is_empty() || !ends.is_empty()).then_some(tests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, directory::Empty};

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn selections_of_lsof_become_filters() {
        for (line, filter) in [
            ("-nP -iTCP", "tcp"),
            ("-iTCP -sTCP:LISTEN", "tcp and state in LISTEN"),
            ("-iTCP:443,8080-8090", "tcp and port 443,8080-8090"),
            ("-i4UDP@10.0.0.1:53", "family = ipv4 and udp and host 10.0.0.1 and port 53"),
            ("-i6@[::1]", "family = ipv6 and host [::1]"),
            ("-iTCP -sTCP:^TIME_WAIT,LISTEN", "tcp and state not in TIME_WAIT,LISTEN"),
        ] {
            assert_eq!(selection(&words(line)).as_deref(), Some(filter), "{line}");
            Filter::parse(filter, &Empty).unwrap_or_else(|error| panic!("{error}"));
        }
        for line in ["-i", "-ie", "-tani", "-i4", "-s", "-sn"] {
            assert_eq!(selection(&words(line)), None, "{line}");
        }
    }

    #[test]
    fn options_of_netstat_have_an_answer() {
        for option in ["-c", "--inet", "-W", "--programs", "--numeric-ports", "--statistics"] {
            assert!(instead(&words("sockeye"), option).is_some(), "{option}");
        }
        assert_eq!(instead(&words("sockeye"), "--nosuch"), None);
    }
}
