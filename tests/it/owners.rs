//! Who holds a socket: the same processes and descriptors that lsof finds, or the reason why none.

use crate::lab::{
    namespace::Namespace,
    process::Script,
    program::{Document, Row, Run, SOCKEYE, public_copy, sockeye},
    requirement::require_live,
};
use serde::Deserialize;
use std::{
    collections::{BTreeSet, HashMap},
    process::Command,
};

/// The ports of the script's IPv6 UDP socket, and of the one it carries elsewhere.
const DATAGRAMS: u16 = 6002;
const CARRIED: u16 = 6003;
/// A user and group with no rights (nobody).
const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// A listener of nobody's. A process that has changed its user is closed even to that user, until
/// it says otherwise (`PR_SET_DUMPABLE`).
const UNPRIVILEGED: &str = "
import ctypes, os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
assert ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0
s = socket.socket()
s.bind(('127.0.0.1', 6100))
s.listen()
print('ready', flush=True)
sys.stdin.read()
";

/// What the script says of itself.
#[derive(Deserialize)]
struct Cast {
    pids: HashMap<String, u32>,
    ports: HashMap<String, u16>,
}

fn start(namespace: &Namespace) -> (Script, Cast) {
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("owners.py")]);
    let (script, line) = Script::start(namespace, &mut python);
    (script, serde_json::from_str(&line).unwrap())
}

/// (inode, pid, descriptor) of every socket with a holder.
type Held = BTreeSet<(u64, u32, u32)>;

fn held(document: &Document) -> Held {
    let of = |row: &Row| -> Vec<(u64, u32, u32)> {
        let inode = row.inode.unwrap_or_default();
        row.processes.iter().map(|holder| (inode, holder.pid, holder.fd)).collect()
    };
    document.sockets.iter().flat_map(of).collect()
}

/// The same from lsof: lines of `-F` begin with a letter that says what they hold. `d` is the
/// device, which for a socket is its inode.
fn held_by_lsof(namespace: &Namespace) -> Held {
    let done = namespace.output(Command::new("lsof").args(["-nP", "-i", "-F", "pfd"]));
    let text = String::from_utf8(done.stdout).unwrap();
    let (mut pid, mut fd, mut found) = (0, 0, Held::new());
    for line in text.lines() {
        match line.split_at(1) {
            ("p", number) => pid = number.parse().unwrap(),
            ("f", number) => fd = number.parse().unwrap(),
            ("d", inode) => _ = found.insert((inode.parse().unwrap(), pid, fd)),
            _ => {}
        }
    }
    found
}

fn only<'a>(document: &'a Document, what: &str, is_it: impl Fn(&&Row) -> bool) -> &'a Row {
    let found: Vec<&Row> = document.sockets.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{what}: {found:?}");
    found[0]
}

fn at_port(document: &Document, port: u16) -> &Row {
    only(document, &port.to_string(), |row| row.local.port == port)
}

#[test]
fn holders_are_those_that_lsof_finds_however_they_came_to_the_socket() {
    if !require_live(&["ip", "lsof", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (script, cast) = start(&namespace);
    assert_eq!(cast.pids["first"], script.pid());
    for source in ["netlink", "proc"] {
        let run = sockeye(&namespace, &format!("-tuap --json --source {source}"));
        let document = run.document();
        let (ours, theirs) = (held(&document), held_by_lsof(&namespace));
        assert_eq!(ours, theirs);
        assert_eq!((run.stderr.as_str(), document.warning_codes()), ("", vec![]));

        let pids = |row: &Row| row.processes.iter().map(|holder| holder.pid).collect::<Vec<_>>();
        let both = BTreeSet::from([cast.pids["first"], cast.pids["forked"]]);
        let listener = only(&document, "listener", |row| row.state == "LISTEN");
        for shared in [listener, at_port(&document, DATAGRAMS)] {
            assert_eq!(BTreeSet::from_iter(pids(shared)), both, "inherited");
            assert_eq!(shared.processes.len(), 2);
        }
        let passed = at_port(&document, cast.ports["passed"]);
        assert_eq!(pids(passed), [cast.pids["passed"]], "passed, and closed by the sender");
        let duplicated = at_port(&document, cast.ports["duplicated"]);
        assert_eq!(pids(duplicated), [script.pid(), script.pid()], "two descriptors");
        assert_ne!(duplicated.processes[0].fd, duplicated.processes[1].fd);
        let carried = at_port(&document, CARRIED);
        assert_eq!(pids(carried), [cast.pids["carried"]], "by a process of another namespace");
    }
}

#[test]
fn names_of_processes_come_through_whatever_bytes_they_have() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (_script, cast) = start(&namespace);
    let run = sockeye(&namespace, "-tuap --json");
    let document = run.document();
    let name = |who: &str| {
        let pid = cast.pids[who];
        let names = document.sockets.iter().flat_map(|row| &row.processes);
        let names: BTreeSet<_> = names.filter(|h| h.pid == pid).map(|h| &h.command).collect();
        assert_eq!(names.len(), 1, "{who}: {names:?}");
        names.first().unwrap().as_str()
    };
    assert_eq!(name("first"), "ser) ver (R 1");
    // A byte that is no UTF-8 is `\xNN`; a control character is text, and JSON escapes it.
    assert_eq!(name("forked"), "caf\\xe9 \\xff)\u{1b}[1m");
    assert!(!run.stdout.contains('\u{1b}'));
    // A backslash that could be taken for such an escape is itself escaped.
    assert_eq!(name("passed"), "lit\\x5cxfferal");

    let table = sockeye(&namespace, "-tlp");
    assert_eq!(table.code, 0);
    assert!(table.stdout.contains("ser) ver (R 1"), "{}", table.stdout);
    assert!(table.stdout.contains("caf\\xe9 \\xff)\\x1b[1m"), "{}", table.stdout);
    let inert = table.stdout.chars().all(|c| !c.is_control() || c == '\n');
    assert!(inert, "a name must not reach the terminal as a command: {:?}", table.stdout);
}

#[test]
fn a_socket_without_holder_has_the_reason() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (_script, cast) = start(&namespace);
    let expected = [
        ("time_wait", "TIME_WAIT", "time-wait"),
        ("fin_wait_2", "FIN_WAIT_2", "time-wait"),
        ("orphan", "FIN_WAIT_1", "orphan"),
    ];
    for (arguments, asked) in
        [("-tap --json", true), ("-tap --json --source proc", true), ("-ta --json", false)]
    {
        let document = sockeye(&namespace, arguments).document();
        let mut reasons: Vec<(&Row, &str)> = vec![];
        for (who, state, reason) in expected {
            let row = at_port(&document, cast.ports[who]);
            assert_eq!(row.state, state);
            reasons.push((row, reason));
        }
        let waiting = cast.ports["waiting"];
        let is_it = |row: &&Row| row.peer.as_ref().is_some_and(|peer| peer.port == waiting);
        reasons.push((only(&document, "not accepted", is_it), "not-accepted"));
        for (row, reason) in reasons {
            assert_eq!(row.owner_unknown.as_deref(), Some(reason), "{row:?}");
            assert!(row.processes.is_empty(), "{row:?}");
        }
        let listener = only(&document, "listener", |row| row.state == "LISTEN");
        assert_eq!(listener.accept_queue, Some(1));
        let expected = if asked { None } else { Some("not-asked") };
        assert_eq!(listener.owner_unknown.as_deref(), expected, "{arguments}");
    }
}

#[test]
fn without_rights_the_owners_of_others_are_hidden_and_counted() {
    if !require_live(&["install", "ip", "python3", "setpriv"]) {
        return;
    }
    let namespace = Namespace::new();
    let (_others, _) = start(&namespace);
    let (_own, _) = Script::start(&namespace, Command::new("python3").args(["-c", UNPRIVILEGED]));

    let (_directory, program) = public_copy(SOCKEYE);
    let run_as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        Run::of(namespace.output(command.args(NOBODY).arg(&program).args(arguments)))
    };
    let run = run_as_nobody(&["-tuap", "--json"]);
    let document = run.document();
    let full = sockeye(&namespace, "-tuap --json").document();
    assert_eq!(document.keys(), full.keys(), "every socket is seen, if not every owner");

    let hidden = |row: &&Row| row.owner_unknown.as_deref() == Some("permission");
    let number = document.sockets.iter().filter(hidden).count();
    let others = full.sockets.iter().filter(|r| !r.processes.is_empty() && r.local.port != 6100);
    assert_eq!(number, others.count());
    let mine = at_port(&document, 6100);
    assert_eq!((mine.processes.len(), &mine.owner_unknown, mine.uid), (1, &None, Some(65534)));

    assert_eq!(document.warning_codes(), ["owners-hidden"]);
    let said = format!("owners of {number} sockets are hidden");
    assert!(document.warnings[0].message.starts_with(&said), "{:?}", document.warnings);
    for run in [run, run_as_nobody(&["-tuap"])] {
        assert_eq!(run.code, 0);
        assert!(run.stderr.starts_with(&format!("note: {said}")), "{}", run.stderr);
        assert!(run.stderr.contains("hint: run as root"), "{}", run.stderr);
        assert_eq!(run.stderr.matches("are hidden").count(), 1, "said once");
    }
    // Nothing is hidden of what was not asked for.
    assert_eq!(run_as_nobody(&["-tua"]).stderr, "");
}

/// A process that starts others, as fast as it can, until its standard input closes.
const SHORT_LIVED: &str = "
import os, select, socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 6200))
s.listen()
print('ready', flush=True)
for _ in range(20000):
    if select.select([sys.stdin], [], [], 0)[0]:
        break
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
s.close()
";

#[test]
fn processes_that_end_during_the_look_up_harm_nothing() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let mut python = Command::new("python3");
    python.args(["-c", SHORT_LIVED]);
    let (script, _) = Script::start(&namespace, &mut python);
    for _ in 0..20 {
        let run = sockeye(&namespace, "-tlp --json");
        assert_eq!(run.code, 0, "{run:?}");
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let sockets = document["sockets"].as_array().unwrap();
        assert_eq!(sockets.len(), 1, "{document}");
        assert_eq!(sockets[0]["local"]["port"], 6200);
        // A child in the middle of its end has the listener too: it may be named, or not.
        let holders = sockets[0]["processes"].as_array().unwrap();
        assert!(!holders.is_empty(), "the parent holds it throughout: {document}");
    }
    drop(script);
}
