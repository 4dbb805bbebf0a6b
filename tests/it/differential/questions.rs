//! The questions: products of every operator, host, port, state and joint of ss, and expressions made
//! of them by dice.

use std::collections::BTreeSet;

/// Comparisons of ports.
const OPERATORS: &[&str] = &[
    "", "=", "==", "eq", "!=", "ne", "neq", ">", "gt", "<", "lt", ">=", "ge", "geq", "<=", "le",
    "leq",
];
/// Those that have no order.
const EQUAL: &[&str] = &["", "=", "==", "eq"];
const PORTS: &[&str] = &[":8080", "22", ":443", ":0x1f90", ":9006", ":1", ":65534", ":domain"];
const HOSTS: &[&str] = &[
    "*",
    "*:8080",
    ":443",
    "127.0.0.1",
    "127.0.0.1:8080",
    "127.0.0.1:domain",
    "127/8",
    "127.0/16",
    "127.0.0/24:9006",
    "127.0.0.1/32",
    "127.0.0.0/31",
    "10/8",
    "192.0.2.1",
    "192.0.2.0/24",
    "198.51.100.77:9003",
    "0/0",
    "0.0.0.0",
    "0.0.0.0:22",
    "0/0:443",
    "[::1]",
    "[::1]:80",
    "[::1/128]",
    "[::]",
    "[::]:443",
    "[::/0]",
    "[fe80::/10]",
    "[2001:db8::/32]",
    "[2001:db8:1234:5678:9abc:def0:1234:5678]:54321",
    "[::102:304]",
    "[::ffff:127.0.0.1]",
    "[::ffff:127.0.0.0/104]",
    "localhost",
    "localhost:8080",
];
/// Tests of other things. `CGROUPS` is where the hierarchy is mounted.
const OTHERS: &[&str] = &[
    "dev lo",
    "dev = lo",
    "dev == d0",
    "dev eq 1",
    "dev != lo",
    "dev ne d0",
    "dev neq 1",
    "fwmark 0x11",
    "fwmark = 17",
    "fwmark == 0x1/0xf",
    "fwmark = 7/7",
    "fwmark != 0x11",
    "fwmark ne 0x1/0x1",
    "cgroup CGROUPS",
    "cgroup = CGROUPS",
    "cgroup != CGROUPS",
    "autobound",
];
const STATES: &[&str] = &[
    "all",
    "established",
    "syn-sent",
    "syn-recv",
    "syn-rcv",
    "fin-wait-1",
    "fin-wait-2",
    "time-wait",
    "unconnected",
    "close",
    "closed",
    "close-wait",
    "last-ack",
    "listening",
    "closing",
    "connected",
    "synchronized",
    "bucket",
    "big",
    "ESTABLISHED",
    "Time-Wait",
];
/// What may stand in front of an expression.
const CLAUSES: &[&str] = &[
    "",
    "state all",
    "state established",
    "state listening",
    "state time-wait",
    "state connected",
    "state unconnected",
    "exclude listening",
    "excl time-wait",
    "state established state listening",
    "exclude established exclude listening",
    "state connected exclude time-wait",
];
/// Tests that the dice join.
const JOINED: &[&str] = &[
    "sport = :8080",
    "dport = :8080",
    "sport :443",
    "dport eq 22",
    "dport != :8080",
    "sport neq :8081",
    "sport > :1024",
    "sport gt 5353",
    "dport < :1024",
    "dport lt :443",
    "sport >= :8080",
    "sport geq :9000",
    "dport <= :443",
    "dport le :22",
    "src 127.0.0.1",
    "dst 127.0.0.1",
    "dst 127/8",
    "src 192.0.2.0/24",
    "dst 10/8",
    "src *:8080",
    "dst 127/8:8080",
    "src [::1]",
    "dst [::1]:443",
    "src [fe80::/10]",
    "dst [::ffff:127.0.0.1]",
    "src localhost",
    "dev = lo",
    "dev != d0",
    "fwmark = 0x11",
    "fwmark = 0x1/0xf",
    "autobound",
];

/// A small generator (xorshift), so that every run asks the same questions.
pub(super) struct Dice(u64);

impl Dice {
    fn below(&mut self, number: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % number as u64).unwrap()
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// An expression with its order written out: without that ss reads it otherwise (`exceptions`).
    fn expression(&mut self, depth: usize, tests: &[&str]) -> String {
        let shape = if depth == 0 { 0 } else { self.below(5) };
        let (and, or) = (self.one(&["and", "&", "&&", ""]), self.one(&["or", "|", "||"]));
        let mut part = || self.expression(depth - 1, tests);
        match shape {
            0 => self.one(tests).to_owned(),
            1 => format!("( {} {and} {} )", part(), part()),
            2 => format!("( {} {or} {} )", part(), part()),
            3 => format!("( {} {} )", part(), part()),
            _ => {
                let part = part();
                if part.contains("autobound") {
                    part
                } else {
                    format!("{} ( {part} )", self.one(&["!", "not"]))
                }
            }
        }
    }
}

fn words(parts: &[&str]) -> String {
    parts.iter().flat_map(|part| part.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// Filters over TCP and UDP sockets, without what stands in `exceptions`.
pub(super) fn of_the_internet() -> BTreeSet<String> {
    let mut filters = BTreeSet::new();
    for side in ["sport", "dport"] {
        for (index, operator) in OPERATORS.iter().enumerate() {
            // Every operator with every second port, and both sides together with all of them.
            let other_half = usize::from(side == "dport") + index;
            for port in PORTS.iter().skip(other_half % 2).step_by(2) {
                filters.insert(words(&["state all", side, operator, port]));
            }
        }
    }
    for side in ["src", "dst"] {
        for (index, host) in HOSTS.iter().enumerate() {
            filters.insert(words(&["state all", side, EQUAL[index % EQUAL.len()], host]));
            filters.insert(words(&[side, host]));
        }
    }
    filters.extend(OTHERS.iter().map(|test| words(&["state all", test])));
    for state in STATES {
        filters.insert(words(&["state", state]));
        if *state != "all" {
            filters.insert(words(&["exclude", state]));
            filters.insert(words(&["excl", state, "sport = :8080"]));
        }
    }
    // Several of each in a row, without parentheses: here there is one way to read them.
    for joint in ["and", "&", "&&", ""] {
        filters.insert(words(&[
            "state all src 127/8",
            joint,
            "sport > :1024",
            joint,
            "dport != :22",
        ]));
    }
    for joint in ["or", "|", "||"] {
        filters.insert(words(&["state all sport = :22", joint, "sport = :443", joint, "dev lo"]));
        filters.insert(words(&["state all src 127/8 sport = :8080", joint, "dst [::1]"]));
    }
    for not in ["not", "!"] {
        filters.insert(words(&["state all", not, "sport = :8080 and", not, "dst 127.0.0.1"]));
        filters.insert(words(&["state all", not, not, "src 127/8"]));
    }
    let mut dice = Dice(0x5eed_0004);
    let made = filters.len();
    while filters.len() < made + 200 {
        let clause = dice.one(CLAUSES);
        let depth = 1 + dice.below(3);
        let expression = dice.expression(depth, JOINED);
        // A device keeps ss from asking the kernel, which alone knows who chose a port.
        if !(expression.contains("autobound") && expression.contains("dev")) {
            filters.insert(words(&[clause, &expression]));
        }
    }
    filters
}

/// Expressions alone: a dump that ss reads has the states it has.
pub(super) fn of_a_dump() -> BTreeSet<String> {
    let mut filters = BTreeSet::new();
    for side in ["sport", "dport"] {
        for operator in OPERATORS {
            filters.insert(words(&[side, operator, ":8080"]));
            filters.insert(words(&[side, operator, "443"]));
        }
    }
    // Out of a dump ss compares addresses without their family (`exceptions`).
    let bare =
        |host: &&&str| !["0/0", "/0]", "0.0.0.0", "[::]"].iter().any(|bare| host.contains(bare));
    for side in ["src", "dst"] {
        filters.extend(HOSTS.iter().filter(bare).map(|host| words(&[side, host])));
    }
    // Interfaces have their numbers and cgroups their paths where the dump was made.
    // Which ports are ephemeral there a dump does not say: ss takes the range of where it reads.
    let elsewhere =
        |test: &str| ["dev", "cgroup", "autobound"].iter().any(|word| test.starts_with(word));
    filters.extend(OTHERS.iter().filter(|test| !elsewhere(test)).map(|test| words(&[test])));
    let joined: Vec<&str> = JOINED.iter().copied().filter(|test| !elsewhere(test)).collect();
    let mut dice = Dice(0xd0_0d1e);
    let made = filters.len();
    while filters.len() < made + 80 {
        let depth = 1 + dice.below(3);
        filters.insert(words(&[&dice.expression(depth, &joined)]));
    }
    filters
}

/// Switches and filters over the families beside TCP and UDP.
pub(super) const OF_FAMILIES: &[&str] = &[
    "-xa src *",
    "-xa src unix:*",
    "-xan src */stream",
    "-xan src = */stream",
    "-xan src unix:*STREAM",
    "-xan src unix:*/d?ram",
    "-xan src *[ds]t*m",
    "-xan src *[!a-r]t*m",
    "-xan src *[^a-r]t*m",
    "-xan src */[[:alpha:]]eq",
    "-xan src */[a-",
    "-xan src @*",
    "-xan src unix:@abstract*",
    "-xan autobound",
    "-xan not autobound",
    "-xan ! src */stream",
    "-xan src */stream or src */seq",
    "-xan ( src */stream or src */dgram ) and not autobound",
    "-xan sport = :1",
    "-xan sport > :1",
    "-xan sport != 1 src */*",
    "-xan state listening src */*",
    "-xan state established sport gt 1",
    "-xn exclude listening src *",
    "-xln src */seq",
    "-f unix -A u_str,u_seq -an src */*",
    "-f unix -an src */dgram",
    "-0an src *",
    "-0an src link:*",
    "-0an src link:arp",
    "-0an src link::lo",
    "-0an src *:lo",
    "-0an src link:*:lo",
    "-0an src link:ipv6:lo",
    "-0an not src link::lo",
    "-0an autobound",
    "-0an not autobound",
    "-f link -an src arp:lo",
    "-wan src 127.0.0.1",
    "-wan src 127/8 and dst 127.0.0.1",
    "-wan not src 127/8",
    "-wan state established",
    "-wan state unconnected src 127.0.0.1",
    "-Man sport = :7000",
    "-Man dport = :7000",
    "-Man src 127.0.0.1:7000 and not dport = :0",
    "-Man state listening",
    "-Man exclude listening dst 127/8",
    "-A mptcp,raw -an src 127.0.0.1",
    "-A inet -an sport = :7000 or dport = :7000",
];

/// The clauses of states in front, which ss takes as words of their own alone, and the expression.
pub(super) fn parts(filter: &str) -> (Vec<&str>, String) {
    let words: Vec<&str> = filter.split(' ').collect();
    let is_clause = |pair: &[&str]| matches!(pair[0], "state" | "exclude" | "excl");
    let clauses = 2 * words.chunks(2).take_while(|pair| is_clause(pair)).count();
    (words[..clauses].to_vec(), words[clauses..].join(" "))
}
