//! Filters, live: a namespace with a zoo of sockets, asked hundreds of questions.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    program::{Document, Key, Run, SOCKEYE, public_copy},
    requirement::require_live,
    ss,
    transport::{at, begin_connect, bound, connect, listener, local, read_to_end, udp},
};
use socket2::Socket;
use sockeye::{
    field::row::{Context, Row, Space},
    filter::{
        Filter,
        directory::System,
        eval::Truth,
        lower::{Abilities, Numbers, Selection, Target},
    },
    kernel::{
        names::interface_index,
        netlink::connection::{Connection, Next},
        sock_diag::{
            dump,
            request::{Extensions, Request},
        },
    },
    model::{
        protocol::{Family, Protocol},
        state::StateSet,
    },
};
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::process::CommandExt,
    process::Command,
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOOPBACK6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 9, 8, 7));
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Sockets of every kind a filter tells apart. They live as long as the value does.
struct Zoo {
    namespace: Namespace,
    _sockets: Vec<Socket>,
}

impl Zoo {
    fn new() -> Self {
        let namespace = Namespace::quick();
        let sockets = namespace.run(inhabitants);
        let zoo = Self { namespace, _sockets: sockets };
        // The last segments may still be under way: a FIN is acknowledged when the kernel likes.
        let settled = eventually(PATIENCE, || {
            let moving = ["-t", "state in FIN_WAIT_1,LAST_ACK,CLOSING,SYN_RCVD"];
            zoo.document(&moving).sockets.is_empty()
                && zoo.document(&["-t", "state = TIME_WAIT"]).sockets.len() == 2
                && zoo.document(&["-t", "state = FIN_WAIT_2"]).sockets.len() == 1
        });
        assert!(settled, "{:?}", zoo.document(&["state", "all"]).keys());
        // SYN_SENT to a full listener stays: its retransmissions change nothing a filter here sees.
        zoo
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        Run::of(self.namespace.output(Command::new(SOCKEYE).args(arguments)))
    }

    fn document(&self, arguments: &[&str]) -> Document {
        self.ask(&[&["-tu", "--json"], arguments].concat()).document()
    }
}

fn inhabitants() -> Vec<Socket> {
    let mut kept = vec![];
    let web = listener(at(ANY, 8080), 16);
    let both = listener(at(ANY6, 8081), 16);
    let full = listener(at(LOOPBACK, 22), 0);
    let six = listener(at(LOOPBACK6, 443), 16);
    // Open, from a chosen port below the ephemeral ones and from an address of its own.
    let chosen = bound(at(OTHER, 1500));
    chosen.connect(&at(LOOPBACK, 8080).into()).unwrap();
    kept.push(web.accept().unwrap().0);
    // Chosen by number, in the ephemeral range.
    let inside = bound(at(LOOPBACK, 40_000));
    inside.connect(&at(LOOPBACK, 8080).into()).unwrap();
    kept.push(web.accept().unwrap().0);
    // v4-mapped at the listener's end.
    let mapped = connect(LOOPBACK, at(LOOPBACK, 8081));
    kept.push(both.accept().unwrap().0);
    let v6 = connect(LOOPBACK6, at(LOOPBACK6, 443));
    kept.push(six.accept().unwrap().0);
    // Not accepted.
    let waiting = connect(LOOPBACK6, at(LOOPBACK6, 8081));
    // TIME_WAIT: the first to close.
    for to in [at(LOOPBACK, 8080), at(LOOPBACK6, 443)] {
        let first = connect(to.ip(), to);
        let listening = if to.port() == 443 { &six } else { &web };
        let second = listening.accept().unwrap().0;
        drop(first);
        read_to_end(&second);
        drop(second);
    }
    // FIN_WAIT_2 and CLOSE_WAIT.
    let half = connect(LOOPBACK, at(LOOPBACK, 8080));
    let other_half = web.accept().unwrap().0;
    half.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(&other_half);
    // One waits in a queue for one; the next stays in SYN_SENT.
    let queued = connect(LOOPBACK, at(LOOPBACK, 22));
    let begun = begin_connect(LOOPBACK, at(LOOPBACK, 22));
    // Bound to an interface, and marked.
    let device = listener(at(LOOPBACK, 9000), 4);
    device.bind_device(Some(b"lo")).unwrap();
    let marked = connect(LOOPBACK, at(LOOPBACK, 8080));
    marked.set_mark(0x11).unwrap();
    kept.push(web.accept().unwrap().0);
    // Datagrams.
    let (open, open6) = (udp(at(ANY, 5353)), udp(at(LOOPBACK6, 53)));
    let talking = udp(at(LOOPBACK, 0));
    talking.connect(&at(LOOPBACK, 5353).into()).unwrap();
    let talking6 = udp(at(LOOPBACK6, 546));
    talking6.connect(&at(LOOPBACK6, 53).into()).unwrap();
    assert_ne!(local(&talking).port(), 0);
    kept.extend([web, both, full, six, chosen, inside, mapped, v6, waiting, half, other_half]);
    kept.extend([queued, begun, device, marked, open, open6, talking, talking6]);
    kept
}

/// Tests both programs understand.
const TESTS: &[&str] = &[
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
    "sport geq :40000",
    "dport <= :443",
    "dport le :22",
    "sport = :0x1f90",
    "dport = :0",
    "src 127.0.0.1",
    "dst 127.0.0.1",
    "src = 127/8",
    "dst 127.9/16",
    "dst 10/8",
    "src 0.0.0.0",
    "dst 0/0",
    "src 0/0",
    "src *",
    "dst *:443",
    "src *:8080",
    "dst 127/8:8080",
    "src [::1]",
    "dst [::1]:443",
    "src [::/0]",
    "dst [::1/128]",
    "src [::]:8081",
    "dst [::ffff:127.0.0.1]",
    "src [::ffff:127.0.0.0/104]",
    "src 127.9.8.7:1500",
    "dst = :53",
    "src :8081",
    "dev = lo",
    "dev lo",
    "dev != lo",
    "fwmark = 0x11",
    "fwmark = 0x1/0xf",
    "fwmark != 17",
    "autobound",
    "src inet:*",
    "dst inet6:[::1]",
    "src localhost",
];

/// What ss takes before the expression.
const STATES: &[&str] = &[
    "state all",
    "state established",
    "state listening",
    "state time-wait",
    "state connected",
    "state synchronized",
    "state bucket",
    "state big",
    "state syn-sent",
    "state fin-wait-2",
    "state close-wait",
    "state unconnected",
    "exclude listening",
    "exclude time-wait",
    "state established state listening",
    "exclude established exclude listening",
    "state connected exclude time-wait",
];

/// A small generator (xorshift), so that every run asks the same questions.
struct Dice(u64);

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

    /// An expression with its order written out, since ss reads `and` and `or` from left to right.
    fn expression(&mut self, depth: usize, tests: &[&str]) -> String {
        let shape = if depth == 0 { 0 } else { self.below(5) };
        let mut part = || self.expression(depth - 1, tests);
        match shape {
            0 => self.one(tests).to_owned(),
            1 => format!("( {} and {} )", part(), part()),
            2 => format!("( {} or {} )", part(), part()),
            3 => format!("( {} {} )", part(), part()),
            _ => {
                let part = part();
                // Under a `not` ss answers something else about ports the kernel chose.
                if part.contains("autobound") { part } else { format!("! ( {part} )") }
            }
        }
    }
}

/// Every filter the comparison with ss asks.
fn filters_of_ss() -> BTreeSet<String> {
    let mut filters: BTreeSet<String> =
        TESTS.iter().map(|test| format!("state all {test}")).collect();
    filters.extend(STATES.iter().map(|states| (*states).to_owned()));
    let mut dice = Dice(0x5eed_0004);
    while filters.len() < 320 {
        let states = dice.one(STATES);
        let depth = 1 + dice.below(3);
        let expression = dice.expression(depth, TESTS);
        // What ss selects itself it compares without the family, so that 0/0 and 0.0.0.0 take in
        // IPv6; the kernel does not. Under a `not`, or beside a `dev`, which ss keeps from the
        // kernel, that shows. And `inet:` anywhere is a switch of its whole listing, here a part
        // of the filter. These are asked alone.
        let differs = ["/0", "0.0.0.0", "[::]", "inet"].iter().any(|w| expression.contains(w));
        if !differs {
            filters.insert(format!("{states} {expression}"));
        }
    }
    filters
}

#[test]
fn the_rows_of_hundreds_of_filters_are_those_of_ss() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    let (mut shown, mut selective) = (0, 0);
    let total = zoo.document(&["state", "all"]).sockets.len();
    for filter in filters_of_ss() {
        let words: Vec<&str> = filter.split(' ').collect();
        let theirs = ss_keys(&zoo, &words);
        let ours = zoo.document(&words).keys();
        assert_eq!(ours, theirs, "{filter}");
        // In one argument, and without blanks around operators.
        if shown % 7 == 0 {
            let squeezed = filter.replace(" = ", "=").replace("( ", "(").replace(" )", ")");
            assert_eq!(zoo.document(&[&squeezed]).keys(), theirs, "{squeezed}");
        }
        shown += 1;
        selective += usize::from(!theirs.is_empty() && theirs.len() < total);
    }
    assert!(shown >= 300 && selective > 100, "{selective} of {shown} tell sockets apart");
}

fn ss_keys(zoo: &Zoo, words: &[&str]) -> Vec<Key> {
    let mut words = words.to_vec();
    // For a single state ss leaves out the column; `unknown` is one more, in which no socket is.
    if let Some(first) = words.iter().position(|word| *word == "state") {
        words.splice(first..first, ["state", "unknown"]);
    }
    let mut keys: Vec<Key> =
        ss::rows(&zoo.namespace, &words).into_iter().map(|(key, _)| key).collect();
    keys.sort();
    keys
}

#[test]
fn without_a_state_the_switches_decide_as_in_ss() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    for line in [
        "sport = :8080",
        "-a dport != :22",
        "-l sport > :1024",
        "-4 -a src 127/8",
        "-6 -a sport = :8081",
        "-l state established",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(zoo.document(&words).keys(), ss_keys(&zoo, &words), "{line}");
    }
}

#[test]
fn the_file_of_a_filter_is_read_as_ss_reads_it() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    let directory = std::env::temp_dir().join(format!("sockeye-filter-{}", std::process::id()));
    std::fs::write(&directory, "# the web\nsport = :8080\n# or\nor dport = :8080\n").unwrap();
    let file = directory.to_str().unwrap();
    let words = ["-a", "-F", file];
    let (ours, theirs) = (zoo.document(&words).keys(), ss_keys(&zoo, &words));
    let joined = zoo.document(&["-a", "-F", file, "src", "127.9.8.7"]).keys();
    std::fs::remove_file(&directory).unwrap();
    assert_eq!(ours, theirs);
    assert!(ours.len() > 4);
    // ss reads `src … sport or dport` from left to right; here `and` binds tighter.
    assert!(joined.len() > 1, "{joined:?}");
}

struct Here;

impl Numbers for Here {
    fn interface(&self, name: &str) -> Option<u32> {
        interface_index(name)
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        sockeye::kernel::cgroup_tree::id_of(path)
    }
}

/// Our own words, of which the kernel can do some and some not.
const OWN: &[&str] = &[
    "state = LISTEN",
    "state != TIME_WAIT",
    "state in ESTAB,SYN_SENT",
    "recv_queue > 0",
    "retransmits > 0",
    "age < 1min",
    "timer = time-wait",
    "peer.port in 443,8000-8999",
    "local.port in 22,53,1000-9000",
    "peer = 127.0.0.0/8",
    "local = [::1]:443",
    "uid = 0",
    "family = ipv6",
    "tcp",
    "udp",
    "port 8080",
    "host 127.0.0.1",
    "local.interface = l*",
    "mark = 0x11",
    "cgroup = /",
    "inode > 0",
    "local.port not in 8080,8081",
    "tcp:443",
    "accept_queue > 0",
    "state_number = 1",
];

#[test]
fn the_kernel_and_the_evaluator_agree_on_live_sockets() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let words: Vec<&str> = TESTS.iter().chain(OWN).copied().collect();
    let mut dice = Dice(0xfee1_900d);
    let mut filters: Vec<String> = words.iter().map(|test| (*test).to_owned()).collect();
    filters.extend((0..400).map(|_| dice.expression(3, &words)));
    let exact = zoo.namespace.run(|| {
        let mut connection = Connection::open().unwrap();
        filters.iter().map(|text| compare(&mut connection, text)).sum::<usize>()
    });
    assert!(exact > 200, "{exact} programs were exact");
}

/// Asks for everything and evaluates here; asks the kernel to select, and evaluates the rest.
fn compare(connection: &mut Connection, text: &str) -> usize {
    let filter = Filter::parse(text, &System).unwrap_or_else(|error| panic!("{error}"));
    let space = Space { ephemeral_ports: Some(32_768..=60_999), ..Space::default() };
    let mut context = Context { spaces: vec![space], ..Context::default() };
    context.names.learn_interface(
        sockeye::model::netns::NetnsIndex::default(),
        interface_index("lo").unwrap(),
    );
    let mut exact = 0;
    for (protocol, family) in [
        (Protocol::Tcp, None),
        (Protocol::Tcp, Some(Family::Ipv4)),
        (Protocol::Tcp, Some(Family::Ipv6)),
        (Protocol::Udp, Some(Family::Ipv4)),
        (Protocol::Udp, Some(Family::Ipv6)),
    ] {
        let states = filter.states(protocol, StateSet::ALL);
        if states.is_empty() {
            continue;
        }
        let extensions = Extensions::UNASKED.with(Extensions::MARK);
        let request = Request { protocol, family, states, extensions };
        let target = Target { protocol, family, states };
        let lowered = filter.lower(target, Abilities::ALL, &Here);
        let mut rows = |program: Option<&_>| {
            let (mut sent, mut wanted) = (BTreeSet::new(), BTreeSet::new());
            let tally = dump::selected(connection, &request, program, |socket| {
                if states.contains(socket.state) {
                    let key = (socket.cookie, socket.local, socket.remote);
                    sent.insert(key);
                    if filter.test(Row { socket, context: &context }) == Truth::Yes {
                        wanted.insert(key);
                    }
                }
                Next::More
            });
            tally.unwrap_or_else(|error| panic!("{text}: {error}"));
            (sent, wanted)
        };
        let (_, wanted) = rows(None);
        let (sent, kept) = match &lowered.selection {
            Selection::Everything => continue,
            Selection::Nothing => (BTreeSet::new(), BTreeSet::new()),
            Selection::Program(program) => rows(Some(program)),
        };
        if text.contains("autobound") {
            // Only the kernel knows who chose a port of the range by number.
            assert!(kept.is_subset(&wanted), "{text}");
            continue;
        }
        assert_eq!(kept, wanted, "{text}");
        if lowered.exact {
            exact += 1;
            assert_eq!(sent, wanted, "the kernel sent more than it had to: {text}");
        }
    }
    exact
}

#[test]
fn marks_without_their_privilege_are_a_gap_and_not_an_error() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let (_directory, program) = public_copy(SOCKEYE);
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--json").args(arguments).uid(65_534).gid(65_534);
        Run::of(zoo.namespace.output(&mut command)).document()
    };
    let marked = ask(&["-t", "mark", "=", "0x11"]);
    assert_eq!(marked.source.kind, "netlink");
    assert!(marked.sockets.is_empty());
    assert!(marked.warning_codes().contains(&"filter-unknown"), "{:?}", marked.warnings);
    // What hangs on the mark alone is not known; the other half of an `or` is.
    let either = ask(&["-t", "mark = 0x11 or dport = :443"]);
    assert!(!either.sockets.is_empty());
    let as_root = zoo.document(&["mark", "=", "0x11"]);
    assert_eq!(as_root.sockets.len(), 1);
    assert!(as_root.warnings.is_empty(), "{:?}", as_root.warnings);
}

#[test]
fn owners_are_known_before_they_are_asked_for() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let pid = std::process::id();
    let own = zoo.document(&["-a", &format!("pid = {pid}")]);
    let all = zoo.document(&["-ap"]);
    let held: Vec<Key> = {
        let mut held: Vec<Key> = all
            .sockets
            .iter()
            .filter(|row| row.processes.iter().any(|holder| holder.pid == pid))
            .map(crate::lab::program::Row::key)
            .collect();
        held.sort();
        held
    };
    assert!(held.len() > 10);
    assert_eq!(own.keys(), held);
    let nobody = zoo.document(&["-a", "not pid > 0"]);
    assert_eq!(nobody.sockets.len(), all.sockets.len() - held.len());
    assert!(nobody.sockets.iter().any(|row| row.state == "TIME_WAIT"));
}

#[test]
fn proc_answers_what_it_tells_and_says_what_it_does_not() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    for filter in [
        "state all dport = :8080",
        "state listening",
        "state = TIME_WAIT and age >= 0",
        "port 443",
        "-a uid = 0 and not src 127/8",
    ] {
        let words: Vec<&str> = filter.split(' ').collect();
        let by_proc = zoo.document(&[&["--source", "proc"], &words[..]].concat());
        assert_eq!(by_proc.source.kind, "proc");
        assert_eq!(by_proc.keys(), zoo.document(&words).keys(), "{filter}");
    }
    let told = zoo.document(&["--source", "proc", "-t", "rtt > 0"]);
    assert!(told.sockets.is_empty());
    assert!(told.warning_codes().contains(&"filter-unknown"));
    let left_out = told.warnings.iter().find(|w| w.code == "filter-unknown").unwrap();
    assert!(left_out.message.contains("rtt"), "{}", left_out.message);
}

#[test]
fn a_filter_without_meaning_exits_64_with_carets_and_a_hint() {
    for (words, lines) in [
        (
            "state establshed",
            "error: no state is called `establshed`\n  | state establshed\n  |       ^^^^^^^^^^\nhint: did you mean `ESTABLISHED`",
        ),
        (
            "sport = 70000",
            "  | sport = 70000\n  |         ^^^^^\nhint: ports are numbers from 0 to 65535",
        ),
        ("sport = 026", "write `22`"),
        ("( sport = 22", "hint: add ) at the end"),
        ("pid 42", "hint: write `pid = 42`"),
        ("10.0.0.1", "`host 10.0.0.1`"),
        ("-F /nonexistent/filter", "ENOENT"),
    ] {
        let done = Command::new(SOCKEYE).args(words.split(' ')).output().unwrap();
        let run = Run::of(done);
        assert_eq!(run.code, 64, "{words}: {run:?}");
        assert!(run.stdout.is_empty());
        assert!(run.stderr.contains(lines), "{words}: {}", run.stderr);
    }
}

#[test]
fn a_filter_that_ss_reads_differently_is_said_once() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let said = |words: &[&str]| zoo.ask(words).stderr.matches("ss does not do").count();
    assert_eq!(
        said(&[
            "-t",
            "src 0.0.0.0 or src 127.0.0.1 and dst 127.0.0.1",
            "--watch=0.1",
            "--times",
            "2"
        ]),
        1
    );
    assert_eq!(said(&["-t", "src 0.0.0.0 or ( src 127.0.0.1 and dst 127.0.0.1 )"]), 0);
}

#[test]
fn names_that_stand_for_nothing_where_they_are_asked_are_refused() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    for (words, message, hint) in [
        ("-t dev nosuch0", "no interface is called `nosuch0` here", "there is lo"),
        ("-t dev != loo", "no interface is called `loo` here", "did you mean `dev lo`?"),
        (
            "-D /nonexistent/x -t dev nosuch0",
            "no interface is called `nosuch0` here",
            "`dev nosuch0*`",
        ),
        ("kill dev nosuch0", "no interface is called `nosuch0` here", "`dev nosuch0*`"),
        ("-ta cgroup = /nosuch/x", "there is no cgroup `/nosuch/x`", "`cgroup = /*`"),
        ("-ta user = sockeye-nobody", "no user is called `sockeye-nobody`", "`uid = 1000`"),
    ] {
        let run = zoo.ask(&words.split(' ').collect::<Vec<_>>());
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{words}: {run:?}");
        assert!(run.stderr.contains(message) && run.stderr.contains(hint), "{words}: {run:?}");
        assert!(run.stderr.contains("^^^"), "{words}: {run:?}");
    }
    // What may still come, and what is not of this namespace alone.
    for words in ["-t dev nosuch0*", "-t --all-netns dev nosuch0", "-t user = 4711"] {
        let run = zoo.ask(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code, 0, "{words}: {run:?}");
    }
    let run = zoo.ask(&["-t", "netns = sockeye-nowhere"]);
    assert!(run.stderr.contains("no network namespace is one the filter asks for"), "{run:?}");
}

/// The filters that the manual teaches.
#[expect(clippy::disallowed_methods, reason = "a test reads the manual")]
fn taught() -> Vec<String> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/man/template.1");
    let template = std::fs::read_to_string(template).unwrap();
    let (_, section) = template.split_once(".SS Ten filters").unwrap();
    let section = section.split("\n.S").next().unwrap();
    let filters = section.lines().filter_map(|line| line.strip_prefix(".B "));
    filters.map(|line| line.replace("\\-", "-")).collect()
}

#[test]
fn the_ten_filters_of_the_manual_select_what_it_says() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let taught = taught();
    assert_eq!(taught.len(), 10, "{taught:?}");
    let everything = zoo.document(&["state", "all"]).sockets;
    let has_port = |row: &crate::lab::program::Row, port: u16| {
        row.local.port == port || row.peer.as_ref().is_some_and(|peer| peer.port == port)
    };
    for (index, filter) in taught.iter().enumerate() {
        if filter.contains("www-data") && zoo.ask(&["user = www-data"]).code == 64 {
            continue;
        }
        let split: Vec<&str> = filter.split(' ').collect();
        let found = zoo.document(&[filter]).sockets;
        assert_eq!(zoo.document(&split).keys().len(), found.len(), "{filter}");
        let is_meant = |row: &crate::lab::program::Row| match index {
            0 => row.peer.as_ref().is_some_and(|peer| peer.port == 443),
            1 => has_port(row, 22),
            3 => row.state == "LISTEN" && [80, 443].contains(&row.local.port),
            4 => row.state == "TIME_WAIT",
            7 => row.accept_queue > Some(0),
            8 => {
                let address = row.local.address.to_string();
                !["TIME_WAIT", "LISTEN"].contains(&row.state.as_str())
                    && !address.starts_with("127.")
                    && !address.starts_with("::ffff:127.")
            }
            // Nothing of the kind is in the zoo.
            _ => false,
        };
        assert!(found.iter().all(is_meant), "{filter}: {found:?}");
        let is_shown = |row: &&crate::lab::program::Row| {
            // Without a state in it, a filter is asked of connections.
            filter.contains("state")
                || filter.contains("age")
                || filter.contains("accept_queue")
                || !["LISTEN", "TIME_WAIT", "SYN_RCVD", "UNCONNECTED"].contains(&row.state.as_str())
        };
        let meant = everything.iter().filter(is_shown).filter(|row| is_meant(row)).count();
        assert_eq!(found.len(), meant, "{filter}");
        assert_eq!(meant > 0, [0, 1, 3, 4, 7, 8].contains(&index), "{filter}");
    }
}
