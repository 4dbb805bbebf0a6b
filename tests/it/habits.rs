//! What people type who come from ss, netstat, lsof and tcpdump: it works, or a hint says exactly
//! what does, and that works.

use clap::Parser;
use sockeye::{
    cli::{args::Cli, failure::Failure},
    filter::{Filter, directory::System},
};
use std::process::Command;

/// Lines that are answered.
const WORK: &[&str] = &[
    "-plant",
    "-tulpen",
    "-antp",
    "-anp",
    "-tlnp",
    "-nr",
    "--listening --tcp --numeric",
    "-o state established ( dport = :ssh )",
    "-o state established ( dport = :ssh or sport = :ssh )",
    "-t state established sport = :http",
    "port 22",
    "dst port 22",
    "src port 22 or dst port 22",
    "portrange 21-23",
    "dst portrange 8000-9000",
    "tcp port 80",
    "udp port 53",
    "tcp and dst host 1.2.3.4",
    "ip host 1.2.3.4",
    "ip6",
    "icmp",
    "not port 22",
    "net 10.0.0.0/8",
    "host 1.2.3.4",
    "tcp:443",
    "-i tcp:22",
    "TCP:https",
    "dport=:domain",
    "sport = 80,443",
    "sport = :1-1024",
    "dst = 1.2.3.4:443",
    "dst [::1]:22",
    "dst ::1",
    "src :22",
    "src != 1.2.3.4",
    "state listen",
    "state time_wait",
    "state ESTAB,TIME_WAIT",
    "state closed",
    "sport = 22 && state = LISTEN",
    "exclude established",
    "user=root",
];

/// Lines that are not, and a part of the hint.
const HINTED: &[(&str, &str)] = &[
    ("sport = 70000", "0 to 65535"),
    ("sport = 026", "`22`"),
    ("state establshed", "`ESTABLISHED`"),
    ("state tw", "`TIME_WAIT`"),
    ("state not established", "`state != established`"),
    ("state !established", "`state != established`"),
    ("state = ESTABLISHED or LISTEN", "`state = ESTABLISHED or state = LISTEN`"),
    ("-i :22", "`port 22`"),
    ("-i @1.2.3.4", "`host 1.2.3.4`"),
    ("-nP -iTCP", "`sockeye -a 'tcp'`"),
    ("-iTCP -sTCP:LISTEN", "`sockeye -a 'tcp and state in LISTEN'`"),
    ("-iTCP:443", "`sockeye -a 'tcp and port 443'`"),
    ("-iUDP@10.0.0.1:53", "`sockeye -a 'udp and host 10.0.0.1 and port 53'`"),
    ("-c", "`--watch=1`"),
    ("-Wn", "leave it out"),
    ("--inet", "`-4`"),
    ("--numeric-ports", "numbers are shown"),
    ("--programs", "`-p`"),
    ("--route", "`ip route`"),
    ("src 22", "`:22`"),
    ("dst 443", "`:443`"),
    ("src net 10.0.0.0 mask 255.0.0.0", "`src net 10.0.0.0/8`"),
    ("ESTABLISHED", "`state ESTABLISHED`"),
    ("syn-sent", "`state syn-sent`"),
    ("sport 80 or 443", "`sport 80 or sport 443`"),
    ("dport 80:90", "`80-90`"),
    ("22", "`port 22`"),
    (":22", "`port 22`"),
    ("domain", "`port domain`"),
    ("1.2.3.4:80", "`host 1.2.3.4:80`"),
    ("10.0.0.0/8", "`host 10.0.0.0/8`"),
    ("dst 1.2.3.4 443", "`dst 1.2.3.4:443`"),
    ("pid 42", "`pid = 42`"),
    ("process nginx", "`process = nginx`"),
    ("nginx", "`process = nginx`"),
    ("user root", "`user = root`"),
    ("-u root", "`user = root`"),
    ("-p 1234", "`pid = 1234`"),
    ("command=nginx", "`process = nginx`"),
    ("rport = 443", "`peer.port = 443`"),
    ("inode 4711", "`inode = 4711`"),
    ("iface lo", "`local.interface = lo`"),
    ("sport => 22", "`sport >= 22`"),
    ("sport =< 22", "`sport <= 22`"),
    ("sport <> 22", "`sport != 22`"),
    ("src ! 1.2.3.4", "`src != 1.2.3.4`"),
    ("not ( port = 22", "add )"),
    ("rtt > 50", "`50ms`"),
    ("age > 30", "`30s`"),
    ("tcp[tcpflags] & tcp-syn != 0", "not packets"),
    ("unix:/run/x", "`src unix:/run/x`"),
    ("process =~ ngin.*", "`process = ngin*`"),
];

fn run(line: &str) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_sockeye");
    // Nothing is looked up but names: a tree without tables has no socket.
    let done = Command::new(program).args(line.split(' ')).arg("-q").output().unwrap();
    (done.status.code().unwrap(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn what_people_type_works_or_the_hint_does() {
    assert!(WORK.len() + HINTED.len() > 90);
    let mut wrong = vec![];
    for line in WORK {
        let (code, said) = run(line);
        if code > 1 {
            wrong.push(format!("{line}: {code} {said}"));
        }
    }
    for (line, part) in HINTED {
        let (code, said) = run(line);
        let hints: Vec<&str> = said.lines().filter(|line| line.starts_with("hint: ")).collect();
        let hint = hints.join(" ");
        if code != 64 || !hint.contains(part) {
            wrong.push(format!("{line}: {code} {said}"));
        }
        let written = hint.split('`').skip(1).step_by(2);
        wrong.extend(
            written
                .filter(|written| !is_understood(written, &said))
                .map(|written| format!("{line}: `{written}` in {said}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a hint's text is a command, a filter, an option, or a word that makes one of the marked.
fn is_understood(written: &str, said: &str) -> bool {
    let lines: Vec<&str> = said.lines().collect();
    let in_place = || {
        let text = lines.iter().find_map(|line| line.strip_prefix("  | "))?;
        let marks = lines.iter().filter_map(|line| line.strip_prefix("  | ")).nth(1)?;
        let (start, end) = (marks.find('^')?, marks.len());
        let mended = format!("{}{written}{}", &text[..start], &text[end..]);
        Filter::parse(&mended, &System).ok()
    };
    let command = written.strip_prefix("sockeye ").unwrap_or(written);
    let words = std::iter::once("sockeye").chain(words(command));
    let is_command = || match Cli::try_parse_from(words) {
        Ok(_) => written.starts_with(['-', 's']),
        Err(error) => Failure::from_clap(&error, &[]).message.is_empty(),
    };
    Filter::parse(written, &System).is_ok()
        || in_place().is_some()
        || is_command()
        || written.starts_with("ip ")
        || written == "conntrack -L"
        || sockeye::field::find(written).is_some()
        // Signs that are explained.
        || written.bytes().all(|byte| byte.is_ascii_punctuation())
}

/// The words of a line as a shell makes them of it, where only whole words are quoted.
fn words(line: &str) -> Vec<&str> {
    match line.split_once(" '") {
        Some((options, filter)) => {
            options.split(' ').chain([filter.trim_end_matches('\'')]).collect()
        }
        None => line.split(' ').collect(),
    }
}
