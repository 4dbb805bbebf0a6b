//! What a look into every network namespace costs: 200 of them with 50 sockets each, as a host of
//! containers has them.
//!
//! `cargo bench --bench namespaces` prints a Markdown table; with `UPDATE=1` it also writes it into
//! docs/performance.md. The number of namespaces is an argument (`-- 200`). Needs root and iproute2.
//!
//! It runs in pid, mount and network namespaces of its own, so that only its own are counted,
//! whatever else the machine does, and so that all of them end with it.
//!
//! The program starts itself in other roles, named by the first argument: `apart` is the first
//! process of those namespaces, `hold` holds the sockets of one, `measure` runs one command and tells
//! what it cost.
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
/// The machine, and this program in another role.
#[allow(dead_code, reason = "the other benchmarks need more of it")]
mod load;

use cost::{Cost, measure};
use load::{SOCKEYE, itself, machine};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Connections in each namespace: with both ends, a listener and a UDP socket 50 sockets.
const CONNECTIONS: usize = 24;
/// How often each command is run.
const ROUNDS: usize = 7;

/// The commands. The last is what people do without `--all-netns`.
const COMMANDS: [&str; 7] = [
    "sockeye --all-netns -tuan",
    "sockeye --all-netns -tuanp",
    "sockeye --all-netns -tu --group-by process,peer.process",
    "sockeye summary --all-netns",
    "sockeye doctor --all-netns --fail-on never",
    "sockeye capacity --all-netns",
    "ss -tuan in each",
];

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["apart", number] => compare(number.parse().unwrap()),
        ["hold"] => hold(),
        ["measure", ref command @ ..] => measure(command),
        [] => apart("200"),
        [number] => apart(number),
        _ => panic!("one argument: how many namespaces"),
    }
}

/// Starts this program again as the first process of its own namespaces.
fn apart(number: &str) {
    let own = env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--net"])
        .arg(own)
        .args(["apart", number])
        .status()
        .unwrap();
    assert!(status.success(), "it needs root");
}

/// Measures every command, in turn.
fn compare(number: usize) {
    let names = Path::new("/run/netns");
    fs::create_dir_all(names).unwrap();
    let none = None::<&str>;
    mount(Some("tmpfs"), names, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    let _held: Vec<Held> =
        (0..number).map(|at| Held::new(&names.join(format!("ns{at}")))).collect();
    let counted = Command::new(SOCKEYE).args(["--all-netns", "-tua", "--count"]).output().unwrap();
    let counted: usize = String::from_utf8(counted.stdout).unwrap().trim().parse().unwrap();
    assert_eq!(counted, number * (2 * CONNECTIONS + 2));
    let mut runs = vec![vec![]; COMMANDS.len()];
    for _ in 0..ROUNDS {
        for (command, costs) in COMMANDS.iter().zip(&mut runs) {
            costs.push(cost_of(command));
        }
    }
    let mut report = format!(
        "{}\n| {number} namespaces, {counted} sockets | CPU ms | wall ms | peak MiB |\n\
         |---|---:|---:|---:|\n",
        machine()
    );
    for (command, costs) in COMMANDS.iter().zip(&runs) {
        let median = |figure: usize| {
            let mut figures: Vec<f64> = costs.iter().map(|cost: &[f64; 3]| cost[figure]).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let (cpu, wall, peak) = (median(0), median(1), median(2) / 1024.0);
        writeln!(report, "| `{command}` | {cpu:.0} | {wall:.0} | {peak:.1} |").unwrap();
    }
    println!("{report}");
    if env::var("UPDATE").as_deref() == Ok("1") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        let text = fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        fs::write(&path, format!("{before}{BEGIN}\n\n{report}\n{END}{after}")).unwrap();
    }
}

/// Between these lines of docs/performance.md everything is written here.
const BEGIN: &str = "<!-- begin: UPDATE=1 cargo bench --bench namespaces -->";
const END: &str = "<!-- end: UPDATE=1 cargo bench --bench namespaces -->";

/// A process in a namespace of its own, which has a name.
struct Held(Child);

impl Held {
    fn new(name: &Path) -> Self {
        let mut child =
            itself(&["hold"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n", "no namespace could be made");
        fs::File::create(name).unwrap();
        let netns = format!("/proc/{}/ns/net", child.id());
        mount(Some(netns.as_str()), name, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Opens connections to itself in a namespace of its own, says so, and holds them until its input
/// ends.
fn hold() {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("needs ip");
    assert!(up.success());
    let listener = TcpListener::bind("127.0.0.1:80").unwrap();
    let _udp = UdpSocket::bind("127.0.0.1:53").unwrap();
    let open = |_| [TcpStream::connect("127.0.0.1:80").unwrap(), listener.accept().unwrap().0];
    let _held: Vec<[TcpStream; 2]> = (0..CONNECTIONS).map(open).collect();
    println!("ready");
    io::stdout().flush().unwrap();
    let _ = io::stdin().read(&mut [0]);
}

/// What one run cost: CPU and wall time in milliseconds, peak memory in KiB.
fn cost_of(command: &str) -> [f64; 3] {
    let each = "for n in /run/netns/*; do ss -tuan -N ${n##*/}; done";
    let command = command.replace("sockeye", SOCKEYE);
    let words = match command.strip_suffix(" in each") {
        Some(_) => vec!["sh", "-c", each],
        None => command.split(' ').collect(),
    };
    let Cost { cpu_ms, wall_ms, peak_kib } = cost::of(&words);
    [cpu_ms, wall_ms, peak_kib]
}
