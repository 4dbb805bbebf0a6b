//! How sockets are selected: the language of filters, and ten of them.

use super::{
    block::{Block, command, fact, heading, item, text},
    topic::{Kind, Topic},
};

/// Ten filters to paste: a word for each, what it is for, and the line.
const EXAMPLES: [(&str, &str, &str); 10] = [
    ("HTTPS", "connections to it", "sockeye 'dport = :443'"),
    ("ssh", "port 22 at either end", "sockeye -a 'port 22'"),
    (
        "network",
        "into a network, on several ports",
        "sockeye 'dst 10/8 and dport in 443,8000-8999'",
    ),
    (
        "listeners",
        "those of the web, as ss has it",
        "sockeye 'state listening ( sport = :80 or sport = :443 )'",
    ),
    ("TIME_WAIT", "what entered it in the last half minute", "sockeye 'age < 30s'"),
    ("slow", "slow connections of one program", "sockeye -p 'process = nginx and rtt > 50ms'"),
    ("unread", "those whose process does not read", "sockeye -p 'recv_queue > 64KiB'"),
    ("backlog", "listeners whose process does not accept", "sockeye -p 'accept_queue > 0'"),
    (
        "the rest",
        "all but two states, and not from the loopback network",
        "sockeye 'state not in TIME_WAIT,LISTEN and not src 127/8'",
    ),
    (
        "container",
        "of one user, in containers of one kind",
        "sockeye -p 'user = www-data container = web*'",
    ),
];

/// The topic.
pub fn topic() -> Topic {
    let mut blocks = vec![
        text(
            "What stands behind the options of a list is a filter: the words of ss, or comparisons \
             of any column, or both. It may be one argument or many; -F reads more of it from a \
             file. A shell has a meaning for <, >, &, |, !, ( and ): quote them.",
        ),
        heading("Tests"),
        fact("column", "COLUMN = VALUE, or !=, <, <=, >, >=, in: `rtt > 50ms`"),
        fact("several", "`peer.port in 443,8000-8999`: any of these, ranges included"),
        fact("state", "`state time-wait` or `state = TIME_WAIT`, in any tool's spelling"),
        fact("exclude", "`exclude listening`: all states but these"),
        fact("src, dst", "an address, a prefix, a port, or both: `dst 10.0.0.0/8`"),
        fact("sport, dport", "`sport = :443`, `dport gt :1024`, a service by name"),
        fact("port, host", "the same at either end"),
        fact("others", "`dev eth0`, `fwmark = 0x1/0xff`, `cgroup = /path`, `autobound`"),
        fact(
            "unix",
            "`src unix:/run/*`, `path = @x*`, `peer.path = */socket`; abstract names begin with @",
        ),
        fact("families", "`src link:arp:eth0`, `src netlink:rtnl:811`, `dst vsock:2:22`"),
        heading("Together"),
        item(
            "Tests side by side, or with `and`, hold all; with `or` one is enough; `not` turns \
             one round; parentheses group.",
        ),
        item(
            "`not` binds tighter than `and`, and `and` tighter than `or`, as the manual of ss \
             says. Where ss itself, which reads from left to right, would answer something else, \
             a note says so.",
        ),
        item(
            "A filter that names a state, or `age` or `accept_queue`, which only some states have, \
             decides on the states: -a and -l say nothing more.",
        ),
        heading("Values"),
        item("Times need a unit: us, ms, s, min, h, d."),
        item("Sizes may have one: k, M, G are thousands, KiB, MiB, GiB are 1024s."),
        item("Names take *, ? and [a-z]. An IPv4 prefix covers IPv4-mapped IPv6 addresses too."),
        item(
            "What a socket does not have (the rtt of TIME_WAIT) compares as false. A row of which \
             the source does not tell what is asked is left out, and how many there are is said.",
        ),
        heading("Ten filters"),
    ];
    for (word, what, line) in EXAMPLES {
        blocks.push(fact(word, what));
        blocks.push(command(line));
    }
    blocks.push(text(
        "The ports, addresses, interfaces, marks, cgroups and states of a filter are tested in \
         the kernel, before a socket is sent at all; the rest is tested here.",
    ));
    blocks.push(Block::Text("`sockeye --columns help` lists the columns.".into()));
    Topic {
        name: "filters",
        also: vec!["filter", "expressions", "expression", "grammar"],
        title: "how sockets are selected: tests, and, or, not, and ten examples".into(),
        kind: Kind::Lesson,
        blocks,
        see_also: vec!["state", "4-tuple", "queues"],
    }
}
