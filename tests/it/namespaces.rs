//! Every network namespace at once: found by whatever leads to it, told once, named.

use crate::{
    lab::{
        deadline::{PATIENCE, eventually},
        link::{self, Link},
        namespace::Namespace,
        process::Script,
        program::{Row, Run, SOCKEYE, public_copy},
        puppet::Puppet,
        requirement::require_live,
        transport::{at, connect, listener, local},
    },
    program,
};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    process::Command,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Says that it is ready, and waits for the end of its standard input.
const WAIT: &str = "import sys; print('ready', flush=True); sys.stdin.read()";

/// Runs sockeye outside of every namespace of the test, over all of them.
fn everywhere(arguments: &str) -> Run {
    let mut command = Command::new(SOCKEYE);
    command.arg("--all-netns").args(arguments.split_whitespace());
    Run::of(command.output().unwrap())
}

fn rows(run: &Run) -> Vec<Row> {
    run.document().sockets
}

/// The rows of the namespace with this inode.
fn of(rows: &[Row], inode: u64) -> Vec<&Row> {
    rows.iter().filter(|row| row.netns.inode == Some(inode)).collect()
}

fn ports(rows: &[&Row]) -> Vec<u16> {
    let mut ports: Vec<u16> = rows.iter().map(|row| row.local.port).collect();
    ports.sort_unstable();
    ports
}

/// Inode of the namespace behind a file.
fn inode(path: impl AsRef<Path>) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn inode_of(namespace: &Namespace) -> u64 {
    inode(format!("/run/netns/{}", namespace.name()))
}

/// A namespace that has lost its name: what keeps it is who is in it, or who has its sockets.
fn take_name_away(namespace: &Namespace) {
    let path = format!("/run/netns/{}", namespace.name());
    umount2(path.as_str(), MntFlags::MNT_DETACH).unwrap();
    fs::remove_file(path).unwrap();
}

#[test]
fn every_namespace_is_told_with_its_name_and_its_own_sockets() {
    if !require_live(&["ip"]) {
        return;
    }
    let (one, other) = (Namespace::new(), Namespace::new());
    // The same addresses in both: only the namespace tells them apart.
    let held = [&one, &other].map(|namespace| namespace.run(|| listener(at(HERE, 7100), 4)));
    let run = everywhere("-tlnp --json");
    let all = rows(&run);
    for namespace in [&one, &other] {
        let rows = of(&all, inode_of(namespace));
        assert_eq!(ports(&rows), [7100]);
        assert_eq!(rows[0].netns.name.as_deref(), Some(namespace.name()));
        assert_eq!(rows[0].processes[0].pid, std::process::id(), "held from outside of it");
    }
    // As many as one by one, and nothing twice.
    let keys: BTreeSet<(Option<u64>, Option<u64>)> =
        all.iter().map(|row| (row.netns.inode, row.cookie)).collect();
    assert_eq!(keys.len(), all.len());
    let table = everywhere("-tln");
    assert!(table.stdout.starts_with("NetnsName "), "{}", table.stdout);
    drop(held);
}

#[test]
fn a_namespace_reached_in_several_ways_is_told_once() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let held = namespace.run(|| listener(at(HERE, 7101), 4));
    let mut python = Command::new("python3");
    let (script, _) = Script::start(&namespace, python.args(["-c", WAIT]));
    let link = format!("/run/netns/{}-link", namespace.name());
    symlink(format!("/proc/{}/ns/net", script.pid()), &link).unwrap();
    let all = everywhere("-tln --json");
    fs::remove_file(link).unwrap();
    let all = rows(&all);
    let rows = of(&all, inode_of(&namespace));
    assert_eq!(ports(&rows), [7101]);
    assert_eq!(rows[0].netns.name.as_deref(), Some(namespace.name()));
    drop(held);
}

#[test]
fn a_namespace_without_a_name_is_named_by_its_first_process() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let inode = inode_of(&namespace);
    let mut python = Command::new("python3");
    let (script, _) = Script::start(&namespace, python.args(["-c", WAIT]));
    let held = namespace.run(|| listener(at(HERE, 7102), 4));
    take_name_away(&namespace);
    let all = rows(&everywhere("-tln --json"));
    let rows = of(&all, inode);
    assert_eq!(ports(&rows), [7102]);
    assert_eq!(rows[0].netns.name, Some(format!("python3[{}]", script.pid())));
    assert_eq!(rows[0].netns.kind.as_deref(), Some("process"));
    drop(held);
}

#[test]
fn a_socket_whose_process_has_died_is_found_by_a_mount_and_has_its_holder() {
    if !require_live(&["ip"]) {
        return;
    }
    let directory = tempfile::TempDir::new().unwrap();
    let kept = directory.path().join("kept alive");
    File::create(&kept).unwrap();
    let namespace = Namespace::new();
    let inode = inode_of(&namespace);
    // No process is in it: a thread that was made the sockets, which this one holds.
    let held = namespace.run(|| listener(at(HERE, 7103), 4));
    let from = format!("/run/netns/{}", namespace.name());
    mount(Some(from.as_str()), &kept, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    take_name_away(&namespace);
    let all = rows(&everywhere("-tlnp --json"));
    umount2(&kept, MntFlags::MNT_DETACH).unwrap();
    let rows = of(&all, inode);
    assert_eq!(ports(&rows), [7103]);
    assert_eq!(rows[0].netns.name.as_deref(), Some("kept alive"));
    assert_eq!(rows[0].netns.kind.as_deref(), Some("mount"));
    assert_eq!(rows[0].processes[0].pid, std::process::id());
    drop(held);
}

#[test]
fn a_namespace_that_only_a_passed_socket_keeps_is_found_by_it() {
    if !require_live(&["ip", "python3", "setpriv"]) {
        return;
    }
    let directory = tempfile::TempDir::new().unwrap();
    let meeting = directory.path().join("meeting").display().to_string();
    let (dying, other) = (Namespace::new(), Namespace::new());
    let inode = inode_of(&dying);
    let mut heir = Puppet::new(&other, "heir");
    heir.run(&format!("u = socket.socket(socket.AF_UNIX); u.bind('{meeting}'); u.listen()"));
    let mut testator = Puppet::new(&dying, "testator");
    testator.run("s = listen('127.0.0.1', 7111)");
    testator.run("c = connect('127.0.0.1', 7111); a = accept(s)");
    testator.run(&format!("v = socket.socket(socket.AF_UNIX); v.connect('{meeting}')"));
    testator.run("socket.send_fds(v, [b'x'], [s.fileno(), c.fileno(), a[0].fileno()])");
    heir.run("f = socket.recv_fds(u.accept()[0], 1, 3)");
    take_name_away(&dying);
    drop(testator);
    // No process is in it, no file stands for it, and its sockets live.
    let run = everywhere("-tanp --json");
    let all = rows(&run);
    let rows = of(&all, inode);
    assert_eq!(rows.len(), 3, "{run:?}");
    for row in &rows {
        assert_eq!(row.netns.kind.as_deref(), Some("socket"));
        assert_eq!(row.netns.name, Some(format!("heir[{}]", heir.pid())));
        assert_eq!(row.processes[0].pid, heir.pid());
    }
    // By its inode, and in a report.
    let counted = everywhere(&format!("-t --count netns = {inode}"));
    assert_eq!(counted.stdout, "2\n", "{counted:?}");
    let page = everywhere("time-wait --interval 0.1 --json").stdout;
    assert!(page.contains(&inode.to_string()), "{page}");
    // Who may not look at other processes' sockets says that there may be such namespaces.
    let (_directory, copy) = public_copy(SOCKEYE);
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
    let run = Run::of(nobody.args(["--all-netns", "-tln", "--json"]).output().unwrap());
    assert!(run.document().warning_codes().contains(&"namespaces-unsought"), "{run:?}");
    // Where it was entered it is not kept alive: with its last socket it is gone.
    heir.run("[os.close(x) for x in f[1]]");
    let is_gone = || of(&rows_of_all(), inode).is_empty();
    assert!(eventually(PATIENCE, is_gone));
}

fn rows_of_all() -> Vec<Row> {
    rows(&everywhere("-tan --json"))
}

#[test]
fn a_namespace_inside_user_namespaces_is_entered_by_root_and_read_from_within() {
    if !require_live(&["ip", "python3", "unshare"]) {
        return;
    }
    let outer = Namespace::new();
    let held = outer.run(|| listener(at(HERE, 7104), 4));
    let script = "import os, socket, sys
s = socket.socket()
s.bind(('0.0.0.0', 7105))
s.listen()
print(os.stat('/proc/self/ns/net').st_ino, flush=True)
sys.stdin.read()";
    let nested = "unshare --user --map-root-user unshare --user --map-root-user --net";
    let mut words = nested.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["python3", "-c", script]);
    let (_script, line) = Script::start(&outer, &mut command);
    let inner: u64 = line.trim().parse().unwrap();
    let all = rows(&everywhere("-tln --json"));
    assert_eq!(ports(&of(&all, inner)), [7105]);
    assert_eq!(ports(&of(&all, inode_of(&outer))), [7104]);
    // Root of a user namespace is nobody elsewhere: it may look through /proc, and says that it did.
    let mut within = Command::new("unshare");
    within.args(["--user", "--map-root-user", SOCKEYE, "--all-netns", "-tln", "--json"]);
    let run = Run::of(within.output().unwrap());
    let document = run.document();
    assert!(document.warning_codes().contains(&"namespaces-by-proc"), "{run:?}");
    let inner: Vec<&Row> = document.sockets.iter().filter(|r| r.local.port == 7105).collect();
    assert_eq!(inner.len(), 1, "{run:?}");
    drop(held);
}

#[test]
fn without_privileges_other_namespaces_come_from_proc_and_it_is_said() {
    if !require_live(&["ip", "python3", "setpriv"]) {
        return;
    }
    let namespace = Namespace::new();
    let held = namespace.run(|| listener(at(HERE, 7106), 4));
    let mut python = Command::new("python3");
    let (script, _) = Script::start(&namespace, python.args(["-c", WAIT]));
    let (_directory, copy) = public_copy(SOCKEYE);
    let nobody = |source: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
        command.args(["--all-netns", "-tln", "--json", "--source", source]);
        Run::of(command.output().unwrap())
    };
    let run = nobody("auto");
    let document = run.document();
    let rows: Vec<&Row> = document.sockets.iter().filter(|r| r.local.port == 7106).collect();
    assert_eq!(rows.len(), 1, "{run:?}");
    assert_eq!(rows[0].accept_queue_limit, None, "/proc does not tell it");
    // The link of the process may not be read, so the inode is not known; its name is.
    assert_eq!(rows[0].netns.inode, None);
    assert_eq!(rows[0].netns.name, Some(format!("python3[{}]", script.pid())));
    let warning = document.warnings.iter().find(|w| w.code == "namespaces-by-proc").unwrap();
    assert!(warning.message.contains("could not be entered"), "{}", warning.message);
    assert!(run.stderr.contains("run as root"), "{}", run.stderr);
    // Netlink alone cannot look there: what is missing is counted.
    let run = nobody("netlink");
    assert!(run.document().warning_codes().contains(&"namespaces-closed"), "{run:?}");
    drop(held);
}

#[test]
fn reports_are_made_for_each_namespace_with_its_own_limits_and_counters() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespaces = [Namespace::new(), Namespace::new()];
    let mut held = vec![];
    for (namespace, limit) in namespaces.iter().zip(["77", "99"]) {
        namespace.set_sysctl("net.ipv4.tcp_max_tw_buckets", limit);
        held.push(namespace.run(|| {
            let listener = listener(at(HERE, 7107), 4);
            let client = connect(HERE, local(&listener));
            let accepted = listener.accept().unwrap().0;
            // Who closes first keeps TIME_WAIT.
            drop(client);
            drop(accepted);
            listener
        }));
    }
    for (report, place, values) in [
        ("time-wait --interval 0.2", "/limit", Some([77, 99])),
        ("capacity", "/limits", None),
        ("", "/counts", None),
    ] {
        let run = everywhere(&format!("{report} --json"));
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_valid(report, &document);
        for (index, namespace) in namespaces.iter().enumerate() {
            let each = document["namespaces"].as_array().unwrap();
            let of_it: Vec<&Value> =
                each.iter().filter(|one| one["netns"]["name"] == namespace.name()).collect();
            assert_eq!(of_it.len(), 1, "{report}");
            assert!(!of_it[0].pointer(place).unwrap().is_null(), "{report}");
            if let Some(values) = values {
                assert_eq!(of_it[0].pointer(place).unwrap(), values[index], "{report}");
                assert_eq!(of_it[0]["total"], 1);
                assert!(of_it[0]["window_ms"].as_u64().unwrap() >= 200);
            }
        }
    }
    let summary: Value = serde_json::from_str(&everywhere("summary --json").stdout).unwrap();
    for namespace in &namespaces {
        let counts = summary["counts"].as_array().unwrap().iter();
        let counted: Vec<(&str, u64)> = counts
            .filter(|count| count["netns"]["name"] == namespace.name())
            // Netlink sockets are the kernel's, and the one it was asked by.
            .filter(|count| count["protocol"] == "tcp")
            .map(|count| (count["state"].as_str().unwrap(), count["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(counted, [("TIME_WAIT", 1), ("LISTEN", 1)]);
    }
    let page = everywhere("time-wait --interval 0.2").stdout;
    assert!(page.contains(&format!("netns {}\n", namespaces[0].name())), "{page}");
    drop(held);
}

#[test]
fn a_snapshot_of_every_namespace_answers_as_the_live_machine_did() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let (near, far) = (&link.near, &link.far);
    let mut server = Puppet::new(far, "server");
    let mut client = Puppet::new(near, "client");
    let address = link::far(0);
    server.run(&format!("s = listen('{address}', 7108)"));
    client.run(&format!("c = connect('{address}', 7108); l = listen('127.0.0.1', 7109)"));
    server.run("a = accept(s); l = listen('127.0.0.1', 7109)");
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("all.snap");
    let path = file.display().to_string();
    let run = everywhere(&format!("snapshot --interval 0.2 -o {path}"));
    assert_eq!(run.code, 0, "{run:?}");
    let from = |arguments: &str| {
        let mut command = Command::new(SOCKEYE);
        Run::of(
            command.args(arguments.split_whitespace()).args(["--from", &path]).output().unwrap(),
        )
    };
    // What is listed of each, the same addresses in both, is what was there.
    let recorded = rows(&from("-tanp --json"));
    let live = rows(&everywhere("-tanp --json"));
    for namespace in [near, far] {
        let of_it = |all: &[Row]| -> Vec<(Option<u64>, Option<String>, Vec<u32>)> {
            let rows = of(all, inode_of(namespace)).into_iter();
            let told = rows.map(|row| {
                let pids = row.processes.iter().map(|process| process.pid).collect();
                (row.cookie, row.netns.name.clone(), pids)
            });
            told.collect()
        };
        assert_eq!(of_it(&recorded), of_it(&live));
        assert!(!of_it(&recorded).is_empty());
    }
    // One of them, by its name or its inode; both ends of a connection, each in a file of its own.
    for which in [near.name().to_owned(), inode_of(near).to_string()] {
        let alone = rows(&from(&format!("-tan --json -N {which}")));
        assert_eq!(alone.len(), 2);
        assert!(alone.iter().all(|row| row.netns.inode == Some(inode_of(near))));
    }
    let run = from("-t -N nowhere");
    assert_eq!(run.code, 64);
    assert!(run.stderr.contains("no network namespace called `nowhere`"), "{run:?}");
    let names = format!("{},{}", near.name(), far.name());
    let map = from(&format!(
        "-t --format csv --group-by process,peer.process,peer.netns.name netns in {names}"
    ));
    let mut lines: Vec<&str> = map.stdout.lines().skip(1).collect();
    lines.sort_unstable();
    let expected =
        [format!("client,server,{},1", far.name()), format!("server,client,{},1", near.name())];
    assert_eq!(lines, expected);
    // Reports are made of each, and a comparison of both with themselves finds nothing.
    let diff = format!("diff {path} {path}");
    for report in ["time-wait", "doctor --fail-on never", &diff] {
        let mut command = Command::new(SOCKEYE);
        command.args(report.split_whitespace()).arg("--json");
        if report != diff {
            command.args(["--from", &path]);
        }
        let run = Run::of(command.output().unwrap());
        assert!(run.code < 3, "{report}: {run:?}");
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_valid(report, &document);
        for namespace in [near, far] {
            let each = document["namespaces"].as_array().unwrap().iter();
            let own = each.filter(|one| one["netns"]["name"] == namespace.name()).count();
            assert_eq!(own, 1, "{report}");
        }
    }
    let summary = from("summary");
    assert!(summary.stdout.contains(near.name()) && summary.stdout.contains(far.name()));
    // Masked, names and addresses are alike in all of them.
    let masked = directory.path().join("masked");
    let run = from(&format!("snapshot --redact -o {}", masked.display()));
    assert_eq!(run.code, 0, "{run:?}");
    let mut command = Command::new(SOCKEYE);
    command.args(["-t", "--group-by", "peer.netns.name", "--from"]).arg(&masked);
    let run = Run::of(command.output().unwrap());
    assert!(!run.stdout.contains(near.name()), "{run:?}");
    assert!(run.stdout.contains("netns-"), "{run:?}");
}

/// Whether a document of several namespaces is what its schema says.
fn assert_valid(what: &str, document: &Value) {
    let schema: Value = program::run(["schema", "namespaces"]).quietly().json();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn the_doctor_examines_each_namespace_and_the_machine_once() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespaces = [Namespace::new(), Namespace::new()];
    let mut puppets = namespaces.each_ref().map(|namespace| Puppet::new(namespace, "leaky"));
    // Connections that the peer has closed and the program has not (CLOSE_WAIT), in the first only.
    puppets[0].run("s = listen('127.0.0.1', 7110, 128)");
    puppets[0].run("c = [connect('127.0.0.1', 7110) for _ in range(120)]; a = accept(s, 120)");
    puppets[0].run("[x.close() for x in c]");
    puppets[1].run("s = listen('127.0.0.1', 7110)");
    // A minute is long for a test.
    let directory = tempfile::TempDir::new().unwrap();
    let config = directory.path().join("doctor.toml");
    fs::write(&config, "[rules.close-wait-leak]\nage_s = 0\n").unwrap();
    let doctor =
        format!("doctor --interval 0.2 --only close-wait-leak --config {}", config.display());
    let run = everywhere(&format!("{doctor} --json --fail-on never"));
    assert_eq!(run.code, 0, "{run:?}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_valid("doctor", &document);
    let found = |namespace: &Namespace| {
        let each = document["namespaces"].as_array().unwrap().iter();
        let own: Vec<&Value> =
            each.filter(|one| one["netns"]["name"] == namespace.name()).collect();
        assert_eq!(own.len(), 1);
        own[0]["findings"].as_array().unwrap().clone()
    };
    let [finding] = found(&namespaces[0]).try_into().unwrap();
    assert_eq!(finding["id"], "close-wait-leak");
    assert_eq!(finding["processes"][0]["pid"], puppets[0].pid(), "{finding}");
    assert!(found(&namespaces[1]).is_empty());
    // The worst of all is the exit code; whoever has no finding is named in one line.
    let run = everywhere(&format!("{doctor} --fail-on notice"));
    assert!(run.code == 1 || run.code == 2, "{run:?}");
    assert!(run.stdout.contains(&format!("netns {}\n", namespaces[0].name())), "{run:?}");
    assert!(run.stdout.contains("No problem found in "), "{run:?}");
    assert!(!run.stdout.contains(&format!("netns {}\n", namespaces[1].name())), "{run:?}");
    let run = everywhere(&format!("{doctor} --format nagios --fail-on never"));
    // Whatever else is on the machine, the worst is told with its place.
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(run.stdout.starts_with("SOCKEYE "), "{run:?}");
    let (place, _) = run.stdout.split_once(": close-wait-leak: ").unwrap();
    assert!(place.contains(" - in "), "{run:?}");
}

#[test]
fn a_file_whose_namespace_is_gone_is_said() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let stale = format!("/run/netns/{}-stale", namespace.name());
    File::create(&stale).unwrap();
    let run = everywhere("-tln");
    fs::remove_file(&stale).unwrap();
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains(&format!("no namespace is behind {stale}")), "{}", run.stderr);
}
