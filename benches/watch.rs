//! What a screen that stays open costs, beside `watch ss` and another program of its kind.
//!
//! `cargo bench --bench watch` prints a Markdown table; `UPDATE=1 cargo bench --bench watch` writes
//! docs/watch.md anew. Needs root (or user namespaces), iproute2 and procps; tcptrack (a Debian
//! package) and netwatch (`cargo install netwatch-tui`) are measured where they are installed, and
//! it is said where they are not.
//!
//! Each program runs on a pseudo-terminal of 80 by 24; its CPU and that of the children it has
//! waited for are read from /proc over some seconds, after the first four, and divided by how often
//! its clock moved: `watch` sleeps a second after each run, so that it asks less often. tcptrack has
//! no clock and draws once a second; it hears packets instead of asking for sockets, so that it knows
//! none that is silent, and the load is: what it costs is the least a screen can.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads what it compares with, and may panic"
)]

/// The namespace and the sockets in it.
mod load;

use load::{Load, SOCKEYE, load, machine, own_namespace};
use nix::{
    fcntl::{OFlag, open},
    pty::{grantpt, posix_openpt, ptsname_r, unlockpt},
    sys::stat::Mode,
};
use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::Read,
    num::NonZeroU16,
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// What is run. `{sockeye}` is the program; keys are pressed after it has started.
const CONTENDERS: &[(&str, &str, Clock)] = &[
    ("{sockeye} watch", "", Clock::Shown),
    ("{sockeye} watch --group-by process", "", Clock::Shown),
    ("{sockeye} watch --sort in", "", Clock::Shown),
    ("{sockeye} watch dport = :7000", "", Clock::Shown),
    ("watch -n1 ss -tan", "", Clock::Shown),
    ("watch -n1 ss -tani", "", Clock::Shown),
    ("netwatch", "2", Clock::Shown),
    ("tcptrack -i lo", "", Clock::Second),
];

/// How its rounds are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The clock in the first row moves with each.
    Shown,
    /// It makes one each second.
    Second,
}
/// Before this nothing is measured: everybody is busy with the start.
const START: Duration = Duration::from_secs(4);
/// How long it is measured.
const MEASURED: Duration = Duration::from_secs(15);
/// Clock ticks a second in /proc/PID/stat (`USER_HZ`).
const TICKS: f64 = 100.0;
/// Below this line of docs/watch.md everything is written here.
const MARK: &str = "<!-- below: UPDATE=1 cargo bench --bench watch -->";

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["load", connections, port] => load(connections.parse().unwrap(), port.parse().unwrap()),
        _ => compare(),
    }
}

fn compare() {
    let mut table = String::from(
        "| sockets | command | CPU ms a round | rounds a second | peak MiB |\n\
         |---:|---|---:|---:|---:|\n",
    );
    for sockets in [0, 10_000, 100_000] {
        own_namespace(0);
        let _load = Load::of(sockets);
        for (command, keys, clock) in CONTENDERS {
            let words: Vec<String> =
                command.split(' ').map(|word| word.replace("{sockeye}", SOCKEYE)).collect();
            if !is_installed(&words[0]) {
                println!("not measured: {} is not installed", words[0]);
                continue;
            }
            let cost = cost_of(&words, keys, *clock);
            writeln!(
                table,
                "| {sockets} | `{}` | {:.1} | {:.2} | {:.1} |",
                command.replace("{sockeye}", "sockeye"),
                cost.cpu_ms / cost.rounds,
                cost.rounds / cost.seconds,
                cost.peak_kib / 1024.0
            )
            .unwrap();
        }
    }
    let report = format!("{}\n{table}", machine());
    println!("{report}");
    if env::var("UPDATE").as_deref() == Ok("1") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/watch.md");
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let (before, _) = committed.split_once(MARK).unwrap_or((&committed, ""));
        fs::write(&path, format!("{before}{MARK}\n\n{report}")).unwrap();
    }
}

fn is_installed(program: &str) -> bool {
    program.contains('/')
        || env::var_os("PATH").is_some_and(|path| {
            env::split_paths(&path).any(|directory| directory.join(program).is_file())
        })
}

/// What a program cost while it was measured.
struct Cost {
    /// CPU of the program and of the children it waited for.
    cpu_ms: f64,
    /// How often it asked: the clock on its screen has another second then.
    rounds: f64,
    seconds: f64,
    /// Peak memory of the program itself.
    peak_kib: f64,
}

fn cost_of(words: &[String], keys: &str, by: Clock) -> Cost {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = open(ptsname_r(&master).unwrap().as_str(), flags, Mode::empty()).unwrap();
    let end = || slave.try_clone().unwrap();
    let sized = Command::new("stty").args(["cols", "80", "rows", "24"]).stdin(end()).status();
    assert!(sized.unwrap().success());
    let mut child = Command::new("setsid")
        .arg("--ctty")
        .args(words)
        .env("TERM", "xterm-256color")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut output = File::from(OwnedFd::from(master));
    let mut typed = output.try_clone().unwrap();
    let size = |number: u16| NonZeroU16::new(number).unwrap();
    let screen = Arc::new(Mutex::new(vt100::Parser::new(size(24), size(80), 0)));
    let shown = Arc::clone(&screen);
    // It ends with the terminal, when this function drops both ends of it.
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read) = output.read(&mut bytes)
            && read > 0
        {
            shown.lock().unwrap().process(&bytes[..read]);
        }
    });
    thread::sleep(START / 2);
    std::io::Write::write_all(&mut typed, keys.as_bytes()).unwrap();
    thread::sleep(START / 2);
    let (start, before) = (Instant::now(), cpu_ms(&child));
    let (mut rounds, mut last) = (0.0, clock(&screen));
    while start.elapsed() < MEASURED {
        thread::sleep(Duration::from_millis(20));
        let now = clock(&screen);
        if now != last {
            rounds += 1.0;
            last = now;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cost = Cost {
        cpu_ms: cpu_ms(&child) - before,
        rounds: if by == Clock::Second { seconds } else { rounds },
        seconds,
        peak_kib: peak_kib(&child),
    };
    child.kill().unwrap();
    child.wait().unwrap();
    cost
}

/// The first row: nearly all of these programs have a clock in it.
fn clock(screen: &Mutex<vt100::Parser>) -> String {
    let screen = screen.lock().unwrap();
    screen.screen().contents().lines().next().unwrap_or_default().to_owned()
}

/// User and system time of a process and of the children it waited for: words 14 to 17 of
/// proc_pid_stat(5).
fn cpu_ms(child: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let words = stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(4);
    words.map(|word| word.parse::<f64>().unwrap()).sum::<f64>() * 1000.0 / TICKS
}

fn peak_kib(child: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
