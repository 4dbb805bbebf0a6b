//! What a listing costs, beside the floor, `ss`, `netstat` and `lsof`, in network namespaces of its own.
//!
//! `cargo bench --bench listing` prints a Markdown table and says on stderr which ratio to the
//! floor is more than a tenth worse than the one committed in docs/performance.md;
//! `UPDATE=1 cargo bench --bench listing` rewrites that file. Numbers of sockets are arguments
//! (`-- 0 10000 100000 1000000`; a million take 5 GB of memory and a minute to make). Needs root (or
//! user namespaces) and iproute2; peers that are not installed are left out, and said.
//!
//! `cargo bench --bench listing -- gate` counts instructions in user space at 10,000 sockets with
//! valgrind, the same at every run, and fails where they are more than the limits below.
//!
//! The floor is the least a listing can cost: one dump of the whole table, received and not read; for
//! who asks for one state, the dump of that state.
//!
//! The program starts itself in other roles, named by the first argument: `load` fills the
//! namespace, `measure` runs one command and tells what it cost, `floor` is the floor, of one state if
//! that is named.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads what it compares with, and may panic"
)]

/// What one run costs.
mod cost;
/// The namespace and the sockets in it.
mod load;

use cost::{Cost, measure};
use load::{Load, SOCKEYE, load, machine, own_namespace};
use netlink_sys::{SocketAddr, protocols::NETLINK_SOCK_DIAG};
use sockeye::{
    kernel::sock_diag::request::{Extensions, Request},
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
};
use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    io::Read,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Command, ExitCode, Stdio},
};

/// How much worse than the committed ratio is worth a word.
const TOLERANCE: f64 = 1.10;

/// Instructions of the whole process at 10,000 sockets, in millions, that the gate lets pass.
const GATE: [(&str, f64); 2] = [("-tan", 10.0), ("-tan --ndjson", 16.0)];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor"] => floor(StateSet::ALL),
        ["floor", state] => floor(StateSet::of(State::parse(state).unwrap())),
        ["load", connections, port] => load(connections.parse().unwrap(), port.parse().unwrap()),
        ["measure", "elsewhere", ref command @ ..] => elsewhere(command),
        ["measure", ref command @ ..] => measure(command),
        ["gate"] => return gate(),
        [] => compare(&[0, 10_000, 100_000]),
        ref sizes => compare(&sizes.iter().map(|size| size.parse().unwrap()).collect::<Vec<_>>()),
    }
    ExitCode::SUCCESS
}

/// One line of the table.
struct Contender {
    /// What is run; empty is the floor.
    command: &'static str,
    /// The command that does the same.
    rival: &'static str,
    /// The most sockets it is run with.
    most: usize,
}

impl Contender {
    /// The dump it cannot do without: of the one state it asks for, else of the whole table.
    fn floor(&self) -> &'static str {
        let asked = self.command.split(' ').skip_while(|word| *word != "state").nth(1);
        match asked.or(self.command.strip_prefix("floor ")) {
            Some("close-wait") => "floor close-wait",
            Some("established") => "floor established",
            _ => "",
        }
    }
}

/// A command, whom it is compared with, and the most sockets it is run with.
const fn contender(command: &'static str, rival: &'static str, most: usize) -> Contender {
    Contender { command, rival, most }
}

const ALWAYS: usize = usize::MAX;
/// In another namespace, which has one listener: what the sockets of this one cost there.
const ELSEWHERE: &str = "elsewhere ";
/// While a few are in TIME_WAIT, whose owners are told.
const CLOSED: &str = "closed ";
/// So many.
const FEW: usize = 100;
/// So that owners are looked up by /proc: without the capabilities of BPF.
const WITHOUT_BPF: &str = "setpriv --bounding-set=-bpf,-perfmon,-sys_admin ";

const CONTENDERS: &[Contender] = &[
    contender("", "", ALWAYS),
    contender("floor close-wait", "", ALWAYS),
    contender("floor established", "", ALWAYS),
    contender("sockeye -tan", "ss -tan", ALWAYS),
    contender("sockeye -tan --ndjson", "", ALWAYS),
    contender("sockeye -tan --json", "", ALWAYS),
    contender("sockeye -tan --format csv", "ss -tan", ALWAYS),
    contender("sockeye -tan --format ss", "ss -tan", ALWAYS),
    contender("sockeye -tain", "ss -tain", ALWAYS),
    contender("sockeye -tanp", "ss -tanp", ALWAYS),
    contender("setpriv --bounding-set=-bpf,-perfmon,-sys_admin sockeye -tanp", "ss -tanp", ALWAYS),
    contender("sockeye -tln", "ss -tln", ALWAYS),
    contender("sockeye -tan state close-wait", "ss -tan state close-wait", ALWAYS),
    contender("sockeye -tan state established", "ss -tan state established", ALWAYS),
    contender("sockeye -tan sport = :7000", "ss -tan sport = :7000", ALWAYS),
    contender("sockeye -tan dst 10/8", "ss -tan dst 10/8", ALWAYS),
    contender(
        "sockeye -tan sport = :7000 and dport = :1 and recv_queue >= 0",
        "ss -tan sport = :7000 and dport = :1",
        ALWAYS,
    ),
    contender("sockeye summary", "", ALWAYS),
    contender("sockeye time-wait", "", ALWAYS),
    contender("closed sockeye time-wait", "", ALWAYS),
    contender("sockeye doctor --fail-on never", "", ALWAYS),
    contender("sockeye -tan --group-by state", "", ALWAYS),
    contender("sockeye -tan --sort peer", "", ALWAYS),
    contender("sockeye -tan --sort -send_queue --limit 20", "", ALWAYS),
    contender("sockeye -tan --source proc", "cat /proc/net/tcp /proc/net/tcp6", ALWAYS),
    contender("ss -tan", "", ALWAYS),
    contender("ss -tain", "", ALWAYS),
    // Several seconds a run at 100,000, and a quarter of an hour at a million.
    contender("ss -tanp", "", 10_000),
    contender("ss -tln", "", ALWAYS),
    contender("ss -tan state close-wait", "", ALWAYS),
    contender("ss -tan state established", "", ALWAYS),
    contender("ss -tan sport = :7000", "", ALWAYS),
    contender("ss -tan dst 10/8", "", ALWAYS),
    contender("ss -tan sport = :7000 and dport = :1", "", ALWAYS),
    contender("elsewhere sockeye -tlnp", "elsewhere ss -tlnp", ALWAYS),
    contender("elsewhere ss -tlnp", "", ALWAYS),
    contender("netstat -tan", "", 100_000),
    contender("netstat -tanp", "", 10_000),
    contender("lsof -nP -iTCP", "", 10_000),
    contender("cat /proc/net/tcp /proc/net/tcp6", "", ALWAYS),
];

/// Measures every contender at every size, in turn.
fn compare(sizes: &[usize]) {
    let mut table = String::from(
        "| sockets | command | CPU ms | wall ms | peak MiB | CPU / floor | CPU / peer |\n\
         |---:|---|---:|---:|---:|---:|---:|\n",
    );
    let mut ratios = BTreeMap::new();
    let mut instructions = String::new();
    let absent: Vec<&str> = ["ss", "netstat", "lsof", "setpriv"]
        .into_iter()
        .filter(|program| Command::new(program).arg("--version").output().is_err())
        .collect();
    if !absent.is_empty() {
        eprintln!("left out, not installed: {}", absent.join(", "));
    }
    for &sockets in sizes {
        let rounds = if sockets > 200_000 {
            3
        } else if sockets > 50_000 {
            7
        } else {
            21
        };
        own_namespace(sockets);
        let _load = Load::of(sockets);
        if sockets <= 100_000 && !absent.contains(&"ss") {
            assert_texts_agree();
        }
        let is_there = |c: &&Contender| {
            let command = c.command.trim_start_matches(ELSEWHERE);
            absent.iter().all(|program| !command.starts_with(program))
        };
        let contenders: Vec<&Contender> =
            CONTENDERS.iter().filter(|c| sockets <= c.most).filter(is_there).collect();
        let mut runs: BTreeMap<&str, Vec<Cost>> = BTreeMap::new();
        for _ in 0..rounds {
            for contender in &contenders {
                runs.entry(contender.command).or_default().push(cost_of(contender.command));
            }
        }
        let cpu = |command: &str| runs.get(command).map(|costs| median(costs, |c| c.cpu_ms));
        for contender in contenders {
            let costs = &runs[contender.command];
            let name = match contender.command {
                "" => "floor".to_owned(),
                command => {
                    let how = [
                        (WITHOUT_BPF, "by /proc".to_owned()),
                        (ELSEWHERE, "in another namespace".to_owned()),
                        (CLOSED, format!("{FEW} in TIME_WAIT")),
                    ];
                    let told = how.iter().find_map(|(prefix, how)| {
                        Some(format!("{}, {how}", command.strip_prefix(prefix)?))
                    });
                    told.unwrap_or_else(|| command.to_owned())
                }
            };
            let own = median(costs, |c| c.cpu_ms);
            let ratio =
                |to: Option<f64>| to.map_or("–".to_owned(), |to| format!("{:.2}", own / to));
            let to_floor = cpu(contender.floor()).map(|floor| own / floor);
            writeln!(
                table,
                "| {sockets} | `{name}` | {own:.2} | {:.2} | {:.1} | {} | {} |",
                median(costs, |c| c.wall_ms),
                median(costs, |c| c.peak_kib) / 1024.0,
                ratio(cpu(contender.floor())),
                ratio(cpu(contender.rival).filter(|_| !contender.rival.is_empty())),
            )
            .unwrap();
            ratios.insert(format!("{sockets} {name}"), to_floor.unwrap_or(1.0));
        }
        if sockets == 10_000 {
            instructions = told_instructions();
        }
    }
    let report = format!("{}\n{table}{instructions}", machine());
    println!("{report}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    for (key, before) in committed_ratios(&committed) {
        if let Some(now) = ratios.get(&key).filter(|now| **now > before * TOLERANCE) {
            eprintln!("slower: {key}: {now:.2} x the floor, committed {before:.2}");
        }
    }
    if env::var("UPDATE").as_deref() == Ok("1") {
        let (before, _) = committed.split_once(MARK).unwrap_or((&committed, ""));
        fs::write(&path, format!("{before}{MARK}\n\n{report}")).unwrap();
    }
}

/// A long listing breaks where that of ss does: the tests beside ss have too few sockets for it.
fn assert_texts_agree() {
    let text = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().unwrap().stdout
    };
    let (own, theirs) = (text(SOCKEYE, &["-tan", "--format", "ss"]), text("ss", &["-tan"]));
    assert!(own == theirs, "`sockeye -tan --format ss` differs from `ss -tan`");
}

/// Below this line of docs/performance.md everything is written here.
const MARK: &str = "<!-- below: UPDATE=1 cargo bench --bench listing -->";

/// The ratios to the floor of a table printed before.
fn committed_ratios(text: &str) -> impl Iterator<Item = (String, f64)> {
    text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let ratio = cells.get(6)?.parse().ok()?;
        Some((format!("{} {}", cells.get(1)?, cells.get(2)?), ratio))
    })
}

/// Median of one figure of the runs.
fn median(costs: &[Cost], figure: fn(&Cost) -> f64) -> f64 {
    let mut figures: Vec<f64> = costs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What one run of a contender cost.
fn cost_of(command: &str) -> Cost {
    if let Some(command) = command.strip_prefix(CLOSED) {
        let _listener = close(FEW);
        let cost = cost_of(command);
        // The next command is to find the table as it was (Linux 6.1).
        let kill = ["kill", "-t", "--yes", "state", "time-wait"];
        assert!(Command::new(SOCKEYE).args(kill).stdout(Stdio::null()).status().unwrap().success());
        return cost;
    }
    let own = env::current_exe().unwrap();
    let command = match command {
        "" => format!("{} floor", own.display()),
        command if command.starts_with("floor") => format!("{} {command}", own.display()),
        command => command.replace("sockeye", SOCKEYE),
    };
    cost::of(&command.split(' ').collect::<Vec<_>>())
}

/// Closes so many connections of its own, first by the client and by the server in turn: that end is in
/// TIME_WAIT then, of what went out and of what came in by the listener that is returned.
fn close(connections: usize) -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for number in 0..connections {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let (first, second) = if number % 2 == 0 { (client, accepted) } else { (accepted, client) };
        first.shutdown(Shutdown::Write).unwrap();
        drop(second);
        // Its FIN has come once there is nothing to read.
        assert_eq!((&first).read(&mut [0]).unwrap(), 0);
    }
    listener
}

/// Measures a command in a new namespace with one listener, which this process holds.
fn elsewhere(command: &[&str]) {
    own_namespace(0);
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 80)).unwrap();
    measure(command);
}

/// One dump of every TCP socket in these states in one walk, received and not read.
fn floor(states: StateSet) {
    let request =
        Request { protocol: Protocol::Tcp, family: None, states, extensions: Extensions::NONE };
    let (kind, body) = request.message();
    let socket = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).unwrap();
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    // NLM_F_REQUEST | NLM_F_DUMP, sequence 1, to the kernel.
    message.extend(0x301u16.to_ne_bytes());
    message.extend(1u32.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    message.extend(body);
    socket.send_to(&message, &SocketAddr::new(0, 0), 0).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = socket.recv(&mut &mut buffer[..], 0).unwrap();
        // The dump ends with a message of 20 bytes, type 3 (NLMSG_DONE), in a datagram's tail.
        let tail = &buffer[length.saturating_sub(20)..length];
        if tail.len() == 20 && tail[..6] == [20, 0, 0, 0, 3, 0] {
            return;
        }
    }
}

/// Fails where an everyday listing takes more instructions than the limits.
fn gate() -> ExitCode {
    own_namespace(0);
    let _load = Load::of(10_000);
    let mut passes = true;
    for (options, most) in GATE {
        match instructions(options) {
            Ok(millions) => {
                println!("sockeye {options}: {millions:.1} million instructions, at most {most}");
                passes &= millions <= most;
            }
            Err(why) => {
                println!("sockeye {options}: not counted: {why}");
                passes = false;
            }
        }
    }
    if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instructions in user space, the same at every run, where valgrind is there to count them.
fn told_instructions() -> String {
    let mut told = String::from("\nInstructions of the whole process at 10,000 sockets:");
    for (options, _) in GATE {
        match instructions(options) {
            Ok(millions) => write!(told, " `{options}` {millions:.1} million;").unwrap(),
            Err(why) => return format!("\nInstructions were not counted: {why}.\n"),
        }
    }
    told.replace_range(told.len() - 1.., ".\n");
    told
}

/// Instructions of one run, in millions.
fn instructions(options: &str) -> Result<f64, String> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", SOCKEYE])
        .args(options.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&run.stderr);
    let count = text.lines().find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    count.map(|count: f64| count / 1e6).ok_or_else(|| text.trim().to_owned())
}
