//! What a listing costs, beside the floor and `ss`, in network namespaces of its own.
//!
//! `cargo bench --bench listing` prints a Markdown table and says on stderr which ratio to the
//! floor is more than a tenth worse than the one committed in docs/performance.md;
//! `UPDATE=1 cargo bench --bench listing` rewrites that file. Needs root (or user namespaces) and
//! iproute2; where valgrind is installed it also counts instructions.
//!
//! The floor is the least a listing can cost: one dump of the whole table, received and not read.
//!
//! The program starts itself in other roles, named by the first argument: `load` fills the
//! namespace, `measure` runs one command and tells what it cost, `floor` is the floor.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads what it compares with, and may panic"
)]

/// The namespace and the sockets in it.
mod load;

use load::{Load, SOCKEYE, itself, load, machine, own_namespace};
use netlink_sys::{SocketAddr, protocols::NETLINK_SOCK_DIAG};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use sockeye::{
    kernel::sock_diag::request::{Extensions, Request},
    model::{protocol::Protocol, state::StateSet},
};
use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// How much worse than the committed ratio is worth a word.
const TOLERANCE: f64 = 1.10;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor"] => floor(),
        ["load", connections, port] => load(connections.parse().unwrap(), port.parse().unwrap()),
        ["measure", ref command @ ..] => measure(command),
        _ => compare(),
    }
}

/// One line of the table.
struct Contender {
    /// What is run; empty is the floor.
    command: &'static str,
    /// The command of `ss` that does the same.
    rival: &'static str,
    /// The most sockets it is run with.
    most: usize,
}

const CONTENDERS: &[Contender] = &[
    Contender { command: "", rival: "", most: usize::MAX },
    Contender { command: "sockeye -tan", rival: "ss -tan", most: usize::MAX },
    Contender { command: "sockeye -tan --ndjson", rival: "", most: usize::MAX },
    Contender { command: "sockeye -tan --json", rival: "", most: usize::MAX },
    Contender { command: "sockeye -tain", rival: "ss -tain", most: usize::MAX },
    Contender { command: "sockeye -tanp", rival: "ss -tanp", most: usize::MAX },
    Contender { command: "sockeye -tln", rival: "ss -tln", most: usize::MAX },
    Contender { command: "ss -tan", rival: "", most: usize::MAX },
    Contender { command: "ss -tain", rival: "", most: usize::MAX },
    // Several seconds a run at 100,000.
    Contender { command: "ss -tanp", rival: "", most: 10_000 },
    Contender { command: "ss -tln", rival: "", most: usize::MAX },
];

/// What one run cost.
#[derive(Clone, Copy)]
struct Cost {
    cpu_ms: f64,
    wall_ms: f64,
    peak_kib: f64,
}

/// Measures every contender at every size, in turn.
fn compare() {
    let mut table = String::from(
        "| sockets | command | CPU ms | wall ms | peak MiB | CPU / floor | CPU / ss |\n\
         |---:|---|---:|---:|---:|---:|---:|\n",
    );
    let mut ratios = BTreeMap::new();
    let mut instructions = String::new();
    for (sockets, rounds) in [(0, 21), (10_000, 21), (100_000, 7)] {
        own_namespace();
        let _load = Load::of(sockets);
        let contenders: Vec<&Contender> = CONTENDERS.iter().filter(|c| sockets <= c.most).collect();
        let mut runs: BTreeMap<&str, Vec<Cost>> = BTreeMap::new();
        for _ in 0..rounds {
            for contender in &contenders {
                runs.entry(contender.command).or_default().push(cost_of(contender.command));
            }
        }
        let cpu = |command: &str| runs.get(command).map(|costs| median(costs, |c| c.cpu_ms));
        for contender in contenders {
            let costs = &runs[contender.command];
            let name = if contender.command.is_empty() { "floor" } else { contender.command };
            let own = median(costs, |c| c.cpu_ms);
            let ratio =
                |to: Option<f64>| to.map_or("–".to_owned(), |to| format!("{:.2}", own / to));
            let to_floor = cpu("").map(|floor| own / floor);
            writeln!(
                table,
                "| {sockets} | `{name}` | {own:.2} | {:.2} | {:.1} | {} | {} |",
                median(costs, |c| c.wall_ms),
                median(costs, |c| c.peak_kib) / 1024.0,
                ratio(cpu("")),
                ratio(cpu(contender.rival).filter(|_| !contender.rival.is_empty())),
            )
            .unwrap();
            ratios.insert(format!("{sockets} {name}"), to_floor.unwrap_or(1.0));
        }
        if sockets == 10_000 {
            instructions = counted_instructions();
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

/// Runs a command by way of a process that has no other child, so that the figures are its own.
fn cost_of(command: &str) -> Cost {
    let own = env::current_exe().unwrap();
    let command = match command {
        "" => format!("{} floor", own.display()),
        command => command.replace("sockeye", SOCKEYE),
    };
    let mut args = vec!["measure"];
    args.extend(command.split(' '));
    let told = itself(&args).output().unwrap();
    assert!(told.status.success(), "{command}: {}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout).unwrap();
    let figures: Vec<f64> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
    Cost { cpu_ms: figures[0], wall_ms: figures[1], peak_kib: figures[2] }
}

/// Runs a command once and prints CPU and wall time in milliseconds and peak memory in KiB.
fn measure(command: &[&str]) {
    let start = Instant::now();
    let status = Command::new(command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let wall = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = usage.user_time() + usage.system_time();
    println!(
        "{} {} {}",
        cpu.num_microseconds() as f64 / 1000.0,
        wall.as_secs_f64() * 1000.0,
        usage.max_rss()
    );
}

/// One dump of every TCP socket in one walk, received and not read.
fn floor() {
    let request = Request {
        protocol: Protocol::Tcp,
        family: None,
        states: StateSet::ALL,
        extensions: Extensions::NONE,
    };
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

/// Instructions in user space, the same at every run, where valgrind is there to count them.
fn counted_instructions() -> String {
    let mut told = String::from("\nInstructions of the whole process at 10,000 sockets:");
    for options in ["-tan", "-tan --ndjson"] {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", SOCKEYE])
            .args(options.split(' '))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output();
        let Ok(run) = run else { return "\nInstructions were not counted: no valgrind.\n".into() };
        let text = String::from_utf8_lossy(&run.stderr).into_owned();
        let count = text.lines().find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
        let Some(count): Option<f64> = count else { return format!("\nvalgrind failed: {text}\n") };
        write!(told, " `{options}` {:.1} million;", count / 1e6).unwrap();
    }
    told.replace_range(told.len() - 1.., ".\n");
    told
}
