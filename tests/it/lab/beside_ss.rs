//! ss and sockeye side by side, in a namespace with sockets of every kind.
//!
//! Rows come in the kernel's order, which both programs ask for in the same way; only clocks are
//! masked, and only what stands behind them is compared without its padding.

use super::{
    namespace::Namespace,
    process::Script,
    program::{Run, SOCKEYE},
    requirement::{require_live, require_version},
};
use serde_json::Value;
use std::{path::Path, process::Command, thread, time::Duration};

/// The version whose text is written.
const IMITATED: &str = "ss utility, iproute2-6.1.0";

/// Whether this machine's ss is the one that is imitated.
pub(crate) fn has_ss() -> bool {
    require_live(&["ip", "ss", "python3"]) && require_version("ss", "-V", IMITATED)
}

/// Sockets of every kind, made by a script that says what it could make.
pub(crate) struct Zoo {
    pub(crate) namespace: Namespace,
    _script: Script,
    /// What not every kernel lets it make.
    pub(crate) made: Value,
}

impl Zoo {
    pub(crate) fn new() -> Self {
        let namespace = Namespace::quick();
        namespace.ip(&["link", "add", "d0", "type", "veth", "peer", "name", "d1"]);
        namespace.ip(&["addr", "add", "fe80::77/64", "dev", "d0", "nodad"]);
        namespace.ip(&["link", "set", "d0", "up"]);
        namespace.set_sysctl("net.ipv4.ip_unprivileged_port_start", "0");
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("beside_ss.py")]);
        let (script, line) = Script::start(&namespace, &mut python);
        Self { namespace, _script: script, made: serde_json::from_str(&line).unwrap() }
    }
}

/// What a program prints, which must succeed.
pub(crate) fn text(namespace: &Namespace, program: &str, words: &[&str]) -> String {
    let run = Run::of(namespace.output(Command::new(program).args(words)));
    assert_eq!(run.code, 0, "{program} {words:?}: {}", run.stderr);
    run.stdout
}

/// What sockeye prints in the words of ss.
pub(crate) fn ours(namespace: &Namespace, words: &[&str]) -> String {
    text(namespace, SOCKEYE, &[words, &["--format", "ss"]].concat())
}

/// Clocks: what they show differs between two runs of the same program.
///
/// The time left of a timer; how long ago something was sent or came; how long there was something
/// to send, and how much of that time another limit held it back.
const CLOCKS: &[(&str, &str)] = &[
    ("timer:(", ",)"),
    ("lastsnd:", " \n"),
    ("lastrcv:", " \n"),
    ("lastack:", " \n"),
    ("busy:", " \n"),
    ("rwnd_limited:", " \n"),
    ("sndbuf_limited:", " \n"),
];

/// The text with clocks masked; where there is one, without the blanks that fill up its line.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    let mut has_clocks = false;
    while let Some((at, (word, ends))) = CLOCKS
        .iter()
        .filter_map(|clock| rest.find(clock.0).map(|at| (at, *clock)))
        .min_by_key(|(at, _)| *at)
    {
        has_clocks = true;
        let start = at + word.len();
        // Of a timer the name stays, the time goes.
        let start = match word {
            "timer:(" => start + rest[start..].find(',').unwrap() + 1,
            _ => start,
        };
        masked.push_str(&rest[..start]);
        masked.push('~');
        let end = rest[start..].find(|c| ends.contains(c)).unwrap();
        rest = &rest[start + end..];
    }
    masked.push_str(rest);
    if !has_clocks {
        return masked;
    }
    masked.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Every row is filled up to the same length: the heading too, and a row of several lines. Only
/// the last can be longer: ss does not measure its last cell.
fn is_even(text: &str) -> bool {
    let rows = text.replace("\n\t", "\t\t");
    let mut lengths: Vec<usize> = rows.lines().map(str::len).collect();
    let last = lengths.pop();
    lengths.windows(2).all(|pair| pair[0] == pair[1]) && last >= lengths.last().copied()
}

/// Both are asked the same words.
pub(crate) fn agree(namespace: &Namespace, words: &[&str]) {
    agree_on(namespace, words, words, None);
}

/// Asks each in its words, and both again while something moves: a segment is sent again, a timer
/// ends. With a dump, both read that.
pub(crate) fn agree_on(
    namespace: &Namespace,
    words: &[&str],
    of_sockeye: &[&str],
    dump: Option<&Path>,
) {
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).envs(dump.map(|path| ("TCPDIAG_FILE", path)));
        let run = Run::of(namespace.output(&mut command));
        assert_eq!(run.code, 0, "{program} {words:?}: {}", run.stderr);
        run.stdout
    };
    let of_sockeye = [of_sockeye, &["--format", "ss"]].concat();
    let (mut theirs, mut ours) = (String::new(), String::new());
    for _ in 0..8 {
        for asks_ss in [true, false, true] {
            let program = if asks_ss { "ss" } else { SOCKEYE };
            let said = if asks_ss { run(program, words) } else { run(program, &of_sockeye) };
            assert!(is_even(&said), "{program} {words:?}\n{said}");
            *(if asks_ss { &mut theirs } else { &mut ours }) = masked(&said);
            if theirs == ours {
                return;
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
    let difference = similar::TextDiff::from_lines(&theirs, &ours);
    let difference =
        difference.unified_diff().context_radius(0).header("ss", "sockeye").to_string();
    panic!("{words:?} {of_sockeye:?}\n{difference}");
}

/// A namespace with sockets of the families beside TCP and UDP, and who holds them.
pub(crate) fn families() -> (Namespace, Script) {
    let namespace = Namespace::quick();
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("beside_ss_families.py")]);
    let (script, _) = Script::start(&namespace, &mut python);
    (namespace, script)
}
