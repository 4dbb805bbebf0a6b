//! What is typed and what comes back: stdout, stderr and exit code together. `! ` begins a line of
//! stderr, `= ` the exit code.

use crate::{
    fixture::{HEADING, Line, Tree},
    program::{self, Ended, command, ended, filtered, run},
};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::unix::fs::FileTypeExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Runs it on a tree.
fn on(tree: &Tree, words: &str) -> Ended {
    run(["--proc-root", tree.path()].into_iter().chain(words.split_whitespace()))
}

/// Asserts what a run said, all three streams of it.
#[track_caller]
fn says(ended: &Ended, expected: &str) {
    let said = ended.to_string();
    assert!(said == expected, "said:\n{said}\nexpected:\n{expected}");
}

#[expect(clippy::too_many_lines, reason = "one table")]
#[test]
fn what_has_no_meaning_is_refused_with_what_has() {
    let list = "`sockeye --help` lists commands and options";
    let columns = "`--columns help` lists every column";
    let formats = "it takes one of table, ss, json, ndjson, csv";
    let documents = sockeye::view::schema::names().collect::<Vec<_>>().join(", ");
    let documents = format!("there are: {documents}");
    for (typed, error, hint) in [
        (
            "--colums x",
            "no option is called `--colums`",
            &*format!("did you mean `--columns`? {list}"),
        ),
        (
            "--lisening",
            "no option is called `--lisening`",
            &format!("did you mean `--listening`? {list}"),
        ),
        ("-tanY", "no option is called `-Y`", list),
        ("schema --json", "no option is called `--json`", list),
        (
            "--columns recvqueue",
            "no column is called `recvqueue`",
            &format!("did you mean `recv_queue`? {columns}"),
        ),
        ("--columns state,,local", "no column is called ``", columns),
        ("--sort zzzz", "no column is called `zzzz`", columns),
        ("--sort -rtt_", "no column is called `rtt_`", &format!("did you mean `rtt`? {columns}")),
        (
            "--group-by peer.prot",
            "no column is called `peer.prot`",
            &format!("did you mean `peer.port`? {columns}"),
        ),
        ("--limit -1", "`--limit N` cannot be `-1`", "it takes a whole number from 1"),
        ("--limit 0", "`--limit N` cannot be `0`", "it takes a whole number from 1"),
        ("--limit abc", "`--limit N` cannot be `abc`", "it takes a whole number from 1"),
        ("--limit", "`--limit N` needs a value", "write `--limit N`"),
        (
            "--watch=0",
            "`--watch[=SECONDS]` cannot be `0`",
            "it takes a number of seconds from 0.1 to 86400",
        ),
        (
            "--watch=soon",
            "`--watch[=SECONDS]` cannot be `soon`",
            "it takes a number of seconds from 0.1 to 86400",
        ),
        ("--watch --times 0", "`--times N` cannot be `0`", "it takes a whole number from 1"),
        (
            "--times 3",
            "`--times N` counts the rounds of `--watch`, which is not there",
            "add `--watch`, or `--watch=SECONDS`",
        ),
        (
            "--owner-deadline -2",
            "`--owner-deadline SECONDS` cannot be `-2`",
            "it takes a number of seconds from 0.1 to 86400",
        ),
        ("--format xml", "`--format FORM` cannot be `xml`", formats),
        (
            "--format jsn",
            "`--format FORM` cannot be `jsn`",
            &format!("did you mean `json`? {formats}"),
        ),
        ("--format", "`--format FORM` needs a value", formats),
        (
            "--source tcp",
            "`--source SOURCE` cannot be `tcp`",
            "it takes one of auto, netlink, proc",
        ),
        (
            "--color sometimes",
            "`--color WHEN` cannot be `sometimes`",
            "it takes one of auto, always, never",
        ),
        ("--json --ndjson", "`--json` and `--ndjson` exclude each other", "leave one of them out"),
        (
            "--json --format csv",
            "`--json` and `--format FORM` exclude each other",
            "leave one of them out",
        ),
        (
            "--count --group-by state",
            "`--count` and `--group-by COL,…` exclude each other",
            "leave one of them out",
        ),
        ("--json=1", "`--json` takes no value, and `1` was given", "write `--json` alone"),
        ("--netns=", "`--netns NAME|PID|PATH` needs a value", "write `--netns NAME|PID|PATH`"),
        (
            "completions",
            "`SHELL` is missing",
            "`sockeye COMMAND --help` shows what a command takes",
        ),
        (
            "completions tcsh",
            "`SHELL` cannot be `tcsh`",
            "did you mean `zsh`? it takes one of bash, zsh, fish",
        ),
        (
            "schema a b",
            "`b` is a word too many",
            "`sockeye COMMAND --help` shows what a command takes",
        ),
        ("schema nope", "no document is called `nope`", documents.as_str()),
        (
            "metrics --json",
            "the command `metrics` is not built yet",
            "`sockeye --help` lists the commands there are",
        ),
    ] {
        let ended = run(typed.split_whitespace());
        says(&ended, &format!("! error: {error}\n! hint: {hint}\n= 64\n"));
    }
}

#[test]
fn a_tree_that_is_none_is_said_with_its_path() {
    let tree = Tree::empty().file("file", "x");
    let missing = tree.entry("missing");
    let hint = "! hint: check the path, or mount /proc: `mount -t proc proc /proc`\n= 3\n";
    says(
        &run(["--proc-root", &missing]),
        &format!(
            "! error: cannot read the directory {missing}: ENOENT (No such file or directory)\n{hint}"
        ),
    );
    let file = tree.entry("file");
    says(
        &run(["--proc-root", &file]),
        &format!("! error: cannot read the directory {file}: ENOTDIR (Not a directory)\n{hint}"),
    );
    // A directory without tables: the first that is missing is named, in every form of output.
    for words in ["-tan", "--json", "--ndjson", "--count", "-q", "--group-by state", "--format csv"]
    {
        let empty = Tree::empty();
        // The overview is about TCP and UDP, a listing of everything begins with unix sockets.
        let of_tcp = ["-tan", "--json"].contains(&words);
        let table = empty.entry(if of_tcp { "net/tcp" } else { "net/unix" });
        says(
            &on(&empty, words),
            &format!("! error: cannot open {table}: ENOENT (No such file or directory)\n{hint}"),
        );
    }
}

#[test]
fn a_namespace_that_is_none_is_said() {
    says(
        &run(["-N", "sockeye-no-such-name"]),
        "! error: cannot open /run/netns/sockeye-no-such-name: ENOENT (No such file or directory)\n\
         ! hint: `ip netns list` shows the names; the id of a process in it names it too\n= 3\n",
    );
}

#[test]
fn a_tree_of_garbage_costs_its_lines_and_nothing_else() {
    let garbage: Vec<u8> =
        (0..4096u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let tree = Tree::empty()
        .file("net/tcp", &garbage)
        .file("net/tcp6", "\0".repeat(70_000))
        .file("net/udp", "a\n\n\u{7f}\n")
        .file("net/udp6", "")
        .file("sys/kernel/hostname", &garbage)
        .file("1/comm", &garbage)
        .file("1/cgroup", &garbage)
        .file("1/fd", "not a directory")
        .file("77/fd/notanumber", "x")
        .file("99999999999999999999/comm", "x");
    for words in
        ["-tuanp", "-tuanp --json", "-tuanp --ndjson", "--format csv -a", "--group-by state"]
    {
        let ended = on(&tree, words);
        assert_eq!(ended.code, Some(0), "{words}: {ended}");
        assert!(
            ended.stderr.starts_with("note: ") && ended.stderr.contains(" of net/tcp "),
            "{ended}"
        );
        assert!(!ended.stderr.contains("panicked"), "{ended}");
    }
    let json = on(&tree, "-tuan --json").json();
    let codes: Vec<&str> =
        json["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["bad-lines"; 3], "net/tcp, net/tcp6 and net/udp");
}

#[test]
fn one_bad_line_costs_one_line_and_one_warning() {
    let good = Line { inode: 102, ..Line::default() }.text();
    let after = Line { peer: "10.0.0.9:51235", inode: 103, ..Line::default() }.text();
    let broken = |from: &str, to: &str| {
        let line = good.replacen(from, to, 1);
        assert_ne!(line, good, "{from}");
        line
    };
    let cut = |at: usize| format!("{}\n", &good[..at]);
    for bad in [
        cut(6),
        cut(20),
        cut(60),
        broken(":1F90", ":11F90"),
        broken(":1F90", ":XXXX"),
        broken("0100000A", "100000A"),
        broken(" 01 ", " 1FF "),
        broken("00000000:00000000", "00000000"),
        broken(" 102 ", " 99999999999999999999999 "),
        broken(" 102 ", " -5 "),
        broken("0:", "0"),
        "x".repeat(100_000) + "\n",
    ] {
        let tree = Tree::with_tcp(&format!("{good}{bad}{after}"));
        says(
            &on(&tree, "-tn"),
            "State       Recv-Q Send-Q Local         Peer\n\
             ESTABLISHED      0      0 10.0.0.1:8080 10.0.0.9:51234\n\
             ESTABLISHED      0      0 10.0.0.1:8080 10.0.0.9:51235\n\
             ! note: 1 line of net/tcp is not what the kernel writes and was left out\n\
             ! hint: look at the file\n= 0\n",
        );
        let json = on(&tree, "-tan --json").json();
        assert_eq!(json["sockets"].as_array().unwrap().len(), 2);
        assert_eq!(json["warnings"][0]["code"], "bad-lines");
    }
}

#[test]
fn a_file_cut_at_any_byte_is_read_as_far_as_it_goes() {
    let lines = Line { inode: 102, ..Line::default() }.text();
    let whole = HEADING.to_owned() + &lines;
    for end in (0..whole.len()).step_by(7) {
        let tree = Tree::with_tcp("").file("net/tcp", &whole[..end]);
        let ended = on(&tree, "-tan --count");
        assert_eq!(ended.code, Some(0), "{end}: {ended}");
        assert!(["0\n", "1\n"].contains(&&*ended.text()), "{end}: {ended}");
    }
}

#[test]
fn tables_for_people() {
    let tree = Tree::server();
    says(
        &on(&tree, "-tanp"),
        "State       Recv-Q Send-Q Accept-Q Local          Peer           Process\n\
         LISTEN           -      -        3 0.0.0.0:8080   -              nginx[811]\n\
         ESTABLISHED   1000      5        - 10.0.0.1:8080  10.0.0.9:51234 nginx[811]\n\
         ESTABLISHED      0      0        - 10.0.0.1:8080  10.0.0.9:51235 (not-accepted)\n\
         TIME_WAIT        -      -        - 10.0.0.1:8080  10.0.0.9:51236 (time-wait)\n\
         CLOSE_WAIT       1      0        - 10.0.0.1:40000 10.0.0.4:5432  worker[900,901]\n= 0\n",
    );
    says(
        &on(&tree, "-tulpn"),
        "Proto State       Recv-Q Accept-Q Local        Process\n\
         udp   UNCONNECTED      0        - 127.0.0.1:53 (kernel)\n\
         tcp   LISTEN           -        3 0.0.0.0:8080 nginx[811]\n= 0\n",
    );
    says(
        &on(&tree, "-tanoH --columns state,timer,timer.expires,age"),
        "LISTEN      -              -     -\n\
         ESTABLISHED keepalive 117min     -\n\
         ESTABLISHED -              -     -\n\
         TIME_WAIT   time-wait  59.5s 450ms\n\
         CLOSE_WAIT  -              -     -\n= 0\n",
    );
    says(
        &on(&tree, "-tn --sort -recv_queue --limit 2"),
        "State       Recv-Q Send-Q Local          Peer\n\
         ESTABLISHED   1000      5 10.0.0.1:8080  10.0.0.9:51234\n\
         CLOSE_WAIT       1      0 10.0.0.1:40000 10.0.0.4:5432\n= 0\n",
    );
    says(
        &on(&tree, "-tan --group-by state,local.port"),
        "Sockets  State        LocalPort\n      \
               2  ESTABLISHED  8080\n      \
               1  CLOSE_WAIT   40000\n      \
               1  LISTEN       8080\n      \
               1  TIME_WAIT    8080\n= 0\n",
    );
    says(&on(&tree, "-ta --count"), "5\n= 0\n");
    says(&on(&tree, "-u"), "State Recv-Q Send-Q Local Peer\n= 0\n");
    says(&on(&tree, "-uq"), "= 1\n");
    says(&on(&tree, "-tq"), "= 0\n");
    // What is unknown comes last, whichever way the order is.
    for words in ["-tan --sort -age --columns age -H", "-tan --sort age --columns age -H"] {
        assert_eq!(on(&tree, words).quietly().lines()[0].trim(), "450ms", "{words}");
    }
}

#[test]
fn letters_and_words_may_stand_in_any_order() {
    let tree = Tree::server();
    let expected = on(&tree, "-t -a -n -p").quietly();
    for words in [
        "-tanp",
        "-pnat",
        "list -tanp",
        "-tan list -p",
        "-tt -anp",
        "--tcp --all --numeric --processes",
    ] {
        assert_eq!(on(&tree, words), expected, "{words}");
    }
    let root = ["--proc-root", tree.path()];
    assert_eq!(run(["-tanp", "list"].into_iter().chain(root)), expected);
    assert_eq!(on(&tree, "-tanp --limit 9 --limit 100"), expected, "the later one counts");
    // One that repeats collects.
    let both = on(&tree, "-ta --columns state --columns local.port");
    assert_eq!(both, on(&tree, "-ta --columns state,local.port"));
}

#[test]
fn a_host_tree_is_read_through_its_first_process() {
    // In a container that has the host's /proc mounted, `net` leads to the container's own tables.
    let own = Line { local: "10.9.9.9:1", inode: 7, ..Line::default() }.text();
    let host = Line { local: "10.0.0.1:8080", inode: 102, ..Line::default() }.text();
    let tree = Tree::empty()
        .file("self/net/tcp", HEADING.to_owned() + &own)
        .link("net", "self/net")
        .file("1/net/tcp", HEADING.to_owned() + &host)
        .process(811, b"nginx", &[(3, 102)]);
    says(
        &on(&tree, "-tanp --columns local,owner"),
        "Local         Process\n10.0.0.1:8080 nginx[811]\n= 0\n",
    );
}

#[test]
fn json_has_the_columns_in_their_places() {
    let tree = Tree::server();
    let lines =
        on(&tree, "-tan --ndjson --columns peer.port,state,local.port,peer.address").quietly();
    assert_eq!(
        lines.lines()[1],
        r#"{"peer":{"port":51234,"address":"10.0.0.9"},"state":"ESTABLISHED","local":{"port":8080}}"#
    );
    // By its JSON place a column is the same.
    assert_eq!(
        on(&tree, "-tan --ndjson --columns recv_queue_bytes"),
        on(&tree, "-tan --ndjson --columns recv_queue")
    );
    let groups = on(&tree, "-tan --group-by state,local.port --ndjson --limit 1").quietly();
    says(&groups, "{\"state\":\"ESTABLISHED\",\"local\":{\"port\":8080},\"count\":2}\n= 0\n");
    assert_eq!(on(&tree, "-ta --count --json").json()["count"], 5);
}

#[test]
fn json_is_what_jq_reads() {
    if !program::has("jq") {
        return;
    }
    let tree = Tree::server();
    let document = on(&tree, "-tanp --json").quietly().stdout;
    let select = ".sockets[] | select(.state==\"CLOSE_WAIT\") | .processes[].pid";
    assert_eq!(filtered(Command::new("jq").arg(select), &document), b"900\n901\n");
    // Through jq and back: the same document.
    let read: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let through = filtered(Command::new("jq").arg("."), &document);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&through).unwrap(), read);
    let lines = on(&tree, "-tanp --ndjson").quietly().stdout;
    let slurped = filtered(Command::new("jq").args(["-s", "."]), &lines);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&slurped).unwrap(), read["sockets"]);
}

#[test]
fn csv_is_quoted_and_exact() {
    let tree = Tree::server().process(811, b"a,\"b\"", &[(6, 101), (12, 102)]);
    let ended = on(&tree, "-tanp --format csv --columns state,recv_queue,age,process,pid");
    let rows = [
        "state,recv_queue,age,process,pid",
        "LISTEN,,,\"a,\"\"b\"\"\",811",
        "ESTABLISHED,1000,,\"a,\"\"b\"\"\",811",
        "ESTABLISHED,0,,,",
        "TIME_WAIT,,450,,",
        "CLOSE_WAIT,1,,worker,900;901",
    ];
    assert_eq!(ended.quietly().text(), rows.map(|row| format!("{row}\r\n")).concat());
}

#[test]
fn hostile_names_are_harmless_on_a_terminal_and_exact_in_json() {
    for (comm, shown, exact) in [
        (&b"\x1b]0;owned\x07"[..], "\\x1b]0;owned\\x07[811]", "\u{1b}]0;owned\u{7}"),
        (b"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m[811]", "\u{1b}[31mred\u{1b}[0m"),
        (b"caf\xe9\xff", "caf\\xe9\\xff[811]", "caf\\xe9\\xff"),
        (b"\\xff", "\\xff[811]", "\\x5cxff"),
        ("a\u{202e}b".as_bytes(), "a\\u{202e}b[811]", "a\u{202e}b"),
        (b"two words (x)", "two words (x)[811]", "two words (x)"),
        (b"a\nb\tc", "a\\x0ab\\x09c[811]", "a\nb\tc"),
    ] {
        let tree = Tree::server().process(811, comm, &[]);
        for colour in ["never", "always"] {
            let table = on(&tree, &format!("-tlpH --columns owner --color {colour}")).quietly();
            assert_eq!(table.text(), format!("{shown}\n"));
        }
        let json = on(&tree, "-tlp --json").quietly();
        assert_eq!(json.json()["sockets"][0]["processes"][0]["command"], exact);
        let raw = json.text();
        assert!(
            !raw.trim_end().contains(char::is_control),
            "no control character, escaped ones alone"
        );
        let csv = on(&tree, "-tlpH --columns process --format csv").quietly();
        assert!(csv.text().contains(exact.trim_end()), "{csv}");
    }
}

#[test]
fn colour_is_for_those_who_want_it() {
    let tree = Tree::server();
    let plain = on(&tree, "-tan").quietly();
    assert!(!plain.text().contains('\x1b'));
    let coloured = on(&tree, "-tan --color always").quietly().text();
    assert!(
        coloured.contains("\x1b[32mLISTEN\x1b[0m") && coloured.contains("\x1b[2mTIME_WAIT\x1b[0m")
    );
    let mut bare = coloured;
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, plain.text(), "colour says nothing that words do not say");
    let with = |name: &str, words: &str| {
        let words = format!("--proc-root {} -tan {words}", tree.path());
        ended(command(words.split_whitespace()).env(name, "1")).quietly().text().contains('\x1b')
    };
    assert!(with("CLICOLOR_FORCE", ""));
    assert!(!with("CLICOLOR_FORCE", "--color never"));
    assert!(!with("NO_COLOR", ""));
    assert!(with("NO_COLOR", "--color always"), "what is typed counts more");
    assert!(!with("CLICOLOR_FORCE", "--json"), "never in JSON");
}

#[test]
fn neither_locale_nor_width_changes_a_pipe() {
    let tree = Tree::server();
    let expected = on(&tree, "-tanp").quietly();
    for (name, value) in [
        ("LC_ALL", "C"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("COLUMNS", "3"),
        ("COLUMNS", "-1"),
        ("TERM", "dumb"),
        ("LANG", ""),
    ] {
        let words = ["--proc-root", tree.path(), "-tanp"];
        assert_eq!(ended(command(words).env(name, value)), expected, "{name}={value}");
    }
    for width in ["0", "1", "12", "x", "99999999999999999999"] {
        let help = ended(command(["--help"]).env("COLUMNS", width)).quietly();
        assert!(help.text().contains("--proc-root"), "{width}");
    }
}

/// A tree with more lines than any pipe holds.
fn many() -> Tree {
    Tree::with_tcp(&Line { inode: 102, ..Line::default() }.text().repeat(20_000))
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let tree = many();
    for words in ["-tan", "-tan --ndjson", "-tan --json", "-tan --format csv", "-tan --watch=0.1"] {
        let words = format!("--proc-root {} {words}", tree.path());
        let mut child = command(words.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // `head -c 10`: it reads a little and goes away.
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert!(output.stderr.is_empty(), "{words}: {output:?}");
    }
}

#[test]
fn an_output_that_is_full_is_an_error() {
    if !std::fs::metadata("/dev/full").is_ok_and(|m| m.file_type().is_char_device()) {
        return program::skipped("there is no /dev/full");
    }
    let tree = Tree::server();
    for words in [
        "-tan",
        "-tan --json",
        "-tan --ndjson",
        "-tan --format csv",
        "--count",
        "--group-by state",
        "--columns help",
        "--help",
        "--version",
        "schema",
        "completions bash",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = command(words.split_whitespace());
        if words.starts_with('-') {
            command.args(["--proc-root", tree.path()]);
        }
        let output = command
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*stderr),
            (
                Some(3),
                "error: cannot write the output: ENOSPC (No space left on device)\n\
                 hint: what was written is not complete; free space or write elsewhere\n"
            ),
            "{words}"
        );
    }
}

#[test]
fn closed_streams_are_no_crash() {
    let tree = Tree::server();
    for redirect in [">&-", "2>&-", ">&- 2>&-", "<&-"] {
        let program = format!("exec \"$0\" --proc-root \"$1\" -tan {redirect}");
        let output =
            Command::new("sh").args(["-c", &program, program::PATH, tree.path()]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{redirect}: {output:?}");
        assert!(output.stderr.is_empty(), "{redirect}: {output:?}");
    }
}

#[test]
fn a_watch_prints_a_document_each_round() {
    let tree = Tree::server();
    let json = on(&tree, "-tan --watch=0.1 --times 3 --json").quietly().text();
    let documents: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents.len(), 3);
    let times: Vec<&str> = documents.iter().map(|d| d["generated_at"].as_str().unwrap()).collect();
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    let lines = on(&tree, "-tan --watch=0.1 --times 3 --ndjson").quietly().lines();
    assert_eq!(lines.len(), 15);
    assert!(lines.iter().all(|line| line.starts_with("{\"generated_at\":\"")), "{lines:?}");
    let once = on(&tree, "-tan").quietly().text();
    assert_eq!(on(&tree, "-tan --watch=0.1 --times 3").quietly().text(), once.repeat(3));
    says(&on(&tree, "-ta --count --watch=0.1 --times 3"), "5\n5\n5\n= 0\n");
    // A note is said once, not every round.
    let bad = Tree::with_tcp("bad\n");
    let stderr = on(&bad, "-tan --watch=0.1 --times 3").stderr;
    assert_eq!(stderr.matches("note: ").count(), 1, "{stderr}");
}

#[test]
fn an_interrupt_ends_a_watch_with_130() {
    let tree = Tree::server();
    let words = ["--proc-root", tree.path(), "-ta", "--count", "--watch=0.1"];
    let mut child = command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "5\n");
    let pid = child.id().to_string();
    let killed = Command::new("sh").args(["-c", "kill -INT \"$0\"", &pid]).status().unwrap();
    assert!(killed.success());
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it goes on after SIGINT");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(130));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.is_empty(), "{stderr}");
}

#[test]
fn help_and_version_answer_whatever_else_is_typed() {
    let version = format!("sockeye {}\n= 0\n", env!("CARGO_PKG_VERSION"));
    for words in [&["-V"][..], &["--version"], &["-tan", "--version"]] {
        says(&run(words.iter().copied()), &version);
    }
    for words in [
        &["--help"][..],
        &["-h"],
        &["-tan", "-h"],
        &["list", "--help"],
        &["schema", "-h"],
        &["-t", "schema", "-h"],
    ] {
        let ended = run(words.iter().copied());
        if words.starts_with(&["-t"]) {
            // `schema` does not know -t; that is told, and not hidden by the help.
            assert_eq!(ended.code, Some(64), "{words:?}: {ended}");
            continue;
        }
        let text = ended.quietly().text();
        assert!(text.contains("Usage: sockeye"), "{words:?}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{words:?}");
    }
    let long = run(["--help"]).quietly().text();
    for word in ["Examples:", "Commands:", "Which sockets:", "Output:", "man sockeye"] {
        assert!(long.contains(word), "{word}");
    }
}

#[test]
fn every_column_is_listed_with_its_unit_and_source() {
    let listed = run(["--columns", "help"]).quietly().lines();
    for field in sockeye::field::all() {
        let line = listed.iter().find(|line| line.split_whitespace().next() == Some(field.id));
        let line = line.unwrap_or_else(|| panic!("{} is not listed", field.id));
        for part in [field.json, field.unit, field.summary, field.source] {
            assert!(line.contains(part), "{line}: {part}");
        }
    }
}

/// Runs it on a terminal of this width; what it says on both streams, without carriage returns.
fn on_terminal(columns: u32, words: &str, environment: (&str, &str)) -> String {
    let program = format!("stty rows 24 cols {columns}; exec {} {words}", program::PATH);
    let mut script = Command::new("script");
    script.args(["-qec", &program, "/dev/null"]).stdin(Stdio::null());
    script.env("LC_ALL", "C.UTF-8").env("TERM", "xterm").env_remove("NO_COLOR");
    let output = script.env(environment.0, environment.1).output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[test]
fn a_terminal_gets_rows_that_fit_and_colour() {
    if !program::has("script") {
        return;
    }
    let long = " 00000000:00000000 00:00000000 00000000     0        0 103 1 0000000000000000 0\n";
    let six = format!(
        "{HEADING}   0: B80D0120111111112222222233333333:C001 \
         B80D0120111111112222222244444444:01BB 01{long}"
    );
    let tree = Tree::server().file("net/tcp6", six).process(77, b"a-long-name-fif", &[(3, 103)]);
    let words = format!("--proc-root {} -tanp", tree.path());
    let narrow = on_terminal(80, &format!("{words} --color never"), ("LC_ALL", "C.UTF-8"));
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(narrow.contains('…') && narrow.contains(":49153"), "cut, with its port: {narrow}");
    let ascii = on_terminal(80, &format!("{words} --color never"), ("LC_ALL", "C"));
    assert!(ascii.is_ascii() && ascii.contains('~'), "{ascii}");
    let wide = on_terminal(200, &format!("{words} --color never"), ("LC_ALL", "C.UTF-8"));
    assert_eq!(wide, on(&tree, "-tanp").text(), "nothing is cut where there is room");
    assert!(on_terminal(200, &words, ("LC_ALL", "C.UTF-8")).contains("\x1b[32mLISTEN"));
    assert!(!on_terminal(200, &words, ("NO_COLOR", "1")).contains('\x1b'));
    for columns in [1, 7, 40] {
        let tiny = on_terminal(columns, &format!("{words} --color never"), ("LC_ALL", "C"));
        assert_eq!(tiny.lines().count(), 7, "{columns}: {tiny}");
        assert!(tiny.lines().all(|l| l.ends_with('~')), "columns are left out: {tiny}");
        let fits = |l: &str| columns < 20 || l.len() <= columns as usize;
        assert!(tiny.lines().all(fits), "{columns}: {tiny}");
    }
}
