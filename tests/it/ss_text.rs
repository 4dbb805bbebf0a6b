//! `--format ss` is the text of ss: both run side by side, with dozens of switches and fifty
//! filters.
//!
//! Rows come in the kernel's order, which both programs ask for in the same way; only clocks are
//! masked, and only what stands behind them is compared without its padding.

use crate::{
    filters::filters_of_ss,
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        process::Script,
        program::{Run, SOCKEYE},
        requirement::{require_live, require_made, require_version},
    },
    states::Workload,
};
use serde_json::Value;
use std::{process::Command, thread, time::Duration};

/// The version whose text is written.
const IMITATED: &str = "ss utility, iproute2-6.1.0";

/// Whether this machine's ss is the one that is imitated.
fn has_ss() -> bool {
    require_live(&["ip", "ss", "python3"]) && require_version("ss", "-V", IMITATED)
}

/// Sockets of every kind, made by a script that says what it could make.
struct Zoo {
    namespace: Namespace,
    _script: Script,
    made: Value,
}

impl Zoo {
    fn new() -> Self {
        let namespace = Namespace::new();
        namespace.ip(&["link", "add", "d0", "type", "veth", "peer", "name", "d1"]);
        namespace.ip(&["addr", "add", "fe80::77/64", "dev", "d0", "nodad"]);
        namespace.ip(&["link", "set", "d0", "up"]);
        namespace.set_sysctl("net.ipv4.ip_unprivileged_port_start", "0");
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("ss_text.py")]);
        let (script, line) = Script::start(&namespace, &mut python);
        Self { namespace, _script: script, made: serde_json::from_str(&line).unwrap() }
    }
}

fn text(namespace: &Namespace, program: &str, words: &[&str]) -> String {
    let run = Run::of(namespace.output(Command::new(program).args(words)));
    assert_eq!(run.code, 0, "{program} {words:?}: {}", run.stderr);
    run.stdout
}

fn ours(namespace: &Namespace, words: &[&str]) -> String {
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
fn masked(text: &str) -> String {
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

/// Asks both, and both again while something moves: a segment is sent again, a timer ends.
fn agree(namespace: &Namespace, words: &[&str]) {
    let mut before = text(namespace, "ss", words);
    let mut ours = String::new();
    for _ in 0..8 {
        ours = self::ours(namespace, words);
        let after = text(namespace, "ss", words);
        assert!(is_even(&before) && is_even(&ours), "{words:?}\n{before}\n{ours}");
        if [&before, &after].iter().any(|theirs| masked(theirs) == masked(&ours)) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
        before = text(namespace, "ss", words);
    }
    let (before, ours) = (masked(&before), masked(&ours));
    let difference = similar::TextDiff::from_lines(&before, &ours);
    panic!("{words:?}\n{}", difference.unified_diff().context_radius(0).header("ss", "sockeye"));
}

/// Switches of ss, in the combinations people type and some they do not.
const SWITCHES: &[&str] = &[
    "-tan",
    "-tln",
    "-tulpn",
    "-tanp",
    "-tane",
    "-tano",
    "-tani",
    "-tanm",
    "-tn",
    "-un",
    "-uan",
    "-tuan",
    "-tua",
    "-ta",
    "-tl",
    "-ul",
    "-tai",
    "-tanO",
    "-tanH",
    "-tanHO",
    "-tulpnoemi",
    "-tie",
    "-tine",
    "-tanieO",
    "-tanmiO",
    "-tanemiOH",
    "-tuanpe",
    "-tuanpemO",
    "-tanpi",
    "-tanoO",
    "-4tan",
    "-6tan",
    "-6tuanpe",
    "-4uanm",
    "-tanT",
    "-tanpTe",
    "-tanTO",
    "-luntp",
    "-tanb",
    "-tan --tos",
    "-tane --tos",
    "-tuan --tos -p",
    "-tan --cgroup",
    "-tane --cgroup",
    "-tan --inet-sockopt",
    "-tuanO --inet-sockopt",
    "-tuane --tos --cgroup --inet-sockopt -m",
    "-tuanm",
    "-uam",
    "-tan state time-wait",
    "-tan state established",
    "-tan state connected",
    "-t state all",
    "-uan state unconnected",
    "-tuan state established",
    "-tuane state listening",
    "-tan exclude listening",
    "-tanp sport = :9012",
    "-tuan dst 127.0.0.1",
    "-tai dport = :8080",
    "-Htn dst 203.0.113.1",
    "-tn dst 203.0.113.1",
    "-tuao",
    "-tanH state syn-sent",
];

#[test]
fn the_text_of_every_switch_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    for line in SWITCHES {
        // The key of a signed connection is printed by ss, in front of everything.
        let shows_keys = line.split(' ').any(|word| word.starts_with('-') && word.contains('i'));
        let mut words: Vec<&str> = line.split(' ').collect();
        if shows_keys && zoo.made["md5"] == true && !line.contains("port") && !line.contains("--") {
            words.extend(["sport", "!=", ":9008"]);
        }
        agree(&zoo.namespace, &words);
    }
}

#[test]
fn the_text_of_every_state_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let workload = Workload::new();
    workload.settle();
    for line in ["-tuan", "-tuane", "-tuanpo", "-tani", "-tuanemiO", "-tan state fin-wait-2"] {
        agree(&workload.link.near, &line.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn the_text_of_fifty_filters_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    // Whoever asks one family leaves the other out of the text as well.
    let filters = filters_of_ss().into_iter().filter(|filter| !filter.contains("inet"));
    for (index, filter) in filters.step_by(6).enumerate() {
        let switches = ["-tuane", "-tuanp", "-tanm", "-tuanO"][index % 4];
        agree(&zoo.namespace, &[&[switches], &filter.split(' ').collect::<Vec<_>>()[..]].concat());
    }
}

/// What a program writes to a terminal so wide.
fn on_terminal(namespace: &Namespace, columns: u16, command: &str) -> String {
    let line = format!("stty cols {columns} rows 24; {command}");
    let done = namespace.output(Command::new("script").args(["-qec", &line, "/dev/null"]));
    Run::of(done).stdout
}

#[test]
fn on_a_terminal_columns_are_spread_as_ss_spreads_them() {
    if !has_ss() || !require_live(&["script", "stty"]) {
        return;
    }
    let zoo = Zoo::new();
    for columns in [40, 61, 80, 117, 200] {
        for switches in ["-tuln", "-tuanp", "-tuanH", "-tanm", "-tan dst 203.0.113.1"] {
            let theirs = on_terminal(&zoo.namespace, columns, &format!("ss {switches}"));
            let ours = format!("{SOCKEYE} {switches} --format ss");
            let ours = on_terminal(&zoo.namespace, columns, &ours);
            assert_eq!(ours, theirs, "{switches} in {columns} columns");
        }
    }
}

#[test]
fn the_text_of_other_families_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let namespace = Namespace::new();
    let (_script, _) = Script::start(
        &namespace,
        Command::new("python3").args(["-c", include_str!("ss_families.py")]),
    );
    for line in [
        "-xa",
        "-x",
        "-xl",
        "-xan",
        "-xanp",
        "-xam",
        "-xanO",
        "-xaH",
        "-x state established",
        "-A u_str -an",
        "-A u_dgr,u_seq -an",
        "-0an",
        "-0a",
        "-0",
        "-0anemb",
        "-0anbO",
        "-0anp",
        "-wan",
        "-wane",
        "-wa",
        "-wanp",
        "-Man",
        "-Manemi",
        "-Mai",
        "-tuxwan",
        "-tuxa",
    ] {
        agree(&namespace, &line.split(' ').collect::<Vec<_>>());
    }
    // The device of a path is not where ss splits it; with it the width of the column changes.
    let without_device = |text: String| -> Vec<String> {
        let words = |line: &str| -> Vec<String> {
            let words = line.split_whitespace().filter(|word| !word.starts_with("dev:"));
            words.map(str::to_owned).collect()
        };
        text.lines().map(|line| words(line).join(" ")).collect()
    };
    for words in [["-xane"], ["-xae"]] {
        let theirs = without_device(text(&namespace, "ss", &words));
        assert_eq!(without_device(ours(&namespace, &words)), theirs, "{words:?}");
        assert!(theirs.iter().any(|line| line.contains(" peers: ")), "{theirs:?}");
    }
    // ss tells a netlink socket with groups twice, as the kernel does; and both see themselves.
    let netlink = |text: String| -> Vec<String> {
        let is_other = |line: &&str| !line.contains("tcpdiag:") && !line.contains(" 4:");
        let mut lines: Vec<String> =
            text.lines().filter(is_other).map(|line| line.trim_end().replace("  ", "")).collect();
        lines.sort();
        lines.dedup();
        lines
    };
    for line in ["-f netlink -an", "-f netlink -ane", "-f netlink -a"] {
        let words: Vec<&str> = line.split(' ').collect();
        let theirs = netlink(text(&namespace, "ss", &words));
        assert_eq!(netlink(ours(&namespace, &words)), theirs, "{words:?}");
    }
}

#[test]
fn the_summary_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    // `TCP` and `closed` count the whole host, where other tests come and go.
    let host = |text: String| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("TCP: ")).map(str::to_owned).collect()
    };
    // Connections of the zoo end by themselves: the same is counted when nothing changes between.
    let agree = || host(ours(&zoo.namespace, &["-s"])) == host(text(&zoo.namespace, "ss", &["-s"]));
    assert!(eventually(PATIENCE, agree), "{}", ours(&zoo.namespace, &["-s"]));
    let follows = eventually(PATIENCE, || {
        let both = ours(&zoo.namespace, &["-s", "-tan"]);
        both.starts_with("Total: ") && both.ends_with(&ours(&zoo.namespace, &["-tan"]))
    });
    assert!(follows, "no listing behind the figures");
}

#[test]
fn no_key_is_ever_printed() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    if !require_made(zoo.made["md5"] == true, "TCP_MD5SIG") {
        return;
    }
    let words = ["-tani", "sport", "=", ":9008"];
    let theirs = text(&zoo.namespace, "ss", &words);
    let ours = ours(&zoo.namespace, &words);
    // ss puts it in front of the headings.
    assert_eq!(theirs.strip_prefix("TOPSECRET").map(masked), Some(masked(&ours)));
    assert!(ours.contains(" md5keys:10.1.2.3/32="), "{ours}");
    for form in ["json", "ndjson", "csv", "table"] {
        let columns = ["-tani", "--columns", "local,md5", "--format", form];
        let shown = text(&zoo.namespace, SOCKEYE, &columns);
        assert!(shown.contains("10.1.2.3") && !shown.contains("SECRET"), "{shown}");
    }
    let whole = text(&zoo.namespace, SOCKEYE, &["-tani", "--json"]);
    assert!(whole.contains(r#""md5":[{"address":"10.1.2.3","prefix_length":32}]"#), "{whole}");
    assert!(!whole.contains("SECRET"));
}
