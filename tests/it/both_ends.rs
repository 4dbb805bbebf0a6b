//! Whoever is connected to whom on this host, across namespaces too.

use crate::{
    lab::{
        link::{Link, NEAR, far},
        namespace::Namespace,
        program::{Run, SOCKEYE, sockeye},
        puppet::Puppet,
        requirement::require_live,
    },
    program,
};
use serde_json::{Value, json};
use std::{net::IpAddr, process::Command};

const SHOWN: &str = "--json --columns protocol,state,local,peer,process,peer.process,peer.pid,peer.netns,peer.netns.name";

/// The sockets of a document, checked against its schema.
fn rows(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, 0, "{run:?}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let schema: Value = program::run(["schema", "sockets"]).quietly().json();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document["sockets"].as_array().unwrap().clone()
}

/// The one row of a process in one protocol.
fn of<'r>(rows: &'r [Value], process: &str, protocol: &str) -> &'r Value {
    let is_its = |row: &&Value| row["process"] == json!([process]) && row["protocol"] == protocol;
    let found: Vec<&Value> = rows.iter().filter(is_its).collect();
    assert_eq!(found.len(), 1, "{process} {protocol}: {rows:#?}");
    found[0]
}

/// Over all namespaces, those of the test chosen by their names.
fn everywhere(arguments: &str, namespaces: &[&Namespace]) -> Run {
    let names: Vec<&str> = namespaces.iter().map(|namespace| namespace.name()).collect();
    let mut command = Command::new(SOCKEYE);
    command.arg("--all-netns").args(arguments.split_whitespace());
    Run::of(command.args(["netns", "in", &names.join(",")]).output().unwrap())
}

#[test]
fn each_end_of_a_connection_on_one_host_names_the_process_at_the_other() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let mut back = Puppet::new(&namespace, "back");
    let mut front = Puppet::new(&namespace, "front");
    // An IPv6 socket that takes IPv4: the ends have addresses of two families.
    back.run("s = socket.create_server(('::', 7200), family=socket.AF_INET6, dualstack_ipv6=True)");
    back.run("d = udp('127.0.0.1', 7201)");
    back.run("u = socket.socket(socket.AF_UNIX); u.bind('\\0sockeye-both-ends'); u.listen()");
    front.run("c = connect('127.0.0.1', 7200)");
    front.run("e = udp('127.0.0.1', 7202); e.connect(('127.0.0.1', 7201))");
    front.run("v = socket.socket(socket.AF_UNIX); v.connect('\\0sockeye-both-ends')");
    // Nobody has accepted: the other end is there and nobody's.
    let waiting = rows(&sockeye(&namespace, &format!("-t {SHOWN}")));
    let row = of(&waiting, "front", "tcp");
    assert!(row["peer"]["process"].is_null() && row["peer"]["pid"].is_null(), "{row}");
    assert_eq!(row["peer"]["port"], 7200);
    assert!(row["peer"]["netns"]["inode"].is_u64(), "{row}");
    back.run("a = accept(s) + [u.accept()[0]]; d.connect(('127.0.0.1', 7202))");
    let all = rows(&sockeye(&namespace, &format!("-tux {SHOWN}")));
    for protocol in ["tcp", "udp", "unix"] {
        for (this, other, pid) in [("front", "back", back.pid()), ("back", "front", front.pid())] {
            let row = of(&all, this, protocol);
            assert_eq!(row["peer"]["process"], json!([other]), "{row}");
            assert_eq!(row["peer"]["pid"], json!([pid]), "{row}");
        }
    }
    // From /proc it is the same, of what has addresses; the names of unix sockets alone do not tell.
    let all = rows(&sockeye(&namespace, &format!("-tu --source proc {SHOWN}")));
    assert_eq!(of(&all, "front", "udp")["peer"]["process"], json!(["back"]));
    // The same in a filter, in order, and as a map of services.
    let run = sockeye(&namespace, "-tux --count peer.process = back");
    assert_eq!(run.stdout, "3\n", "{run:?}");
    let run = sockeye(&namespace, &format!("-t --count peer.pid = {}", front.pid()));
    assert_eq!(run.stdout, "1\n", "{run:?}");
    let run = sockeye(&namespace, "-tu -H --sort peer.process --columns peer.process");
    assert_eq!(
        run.stdout.split_whitespace().collect::<Vec<_>>(),
        ["back", "back", "front", "front"]
    );
    let run = sockeye(&namespace, "-tux --format csv --group-by process,peer.process");
    let mut lines: Vec<&str> = run.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["back,front,3", "front,back,3", "process,peer.process,count"]);
    // Without being asked nobody looks.
    let run = sockeye(&namespace, "-tn");
    assert!(!run.stdout.contains("back"), "{run:?}");
}

#[test]
fn the_ends_of_a_connection_between_namespaces_find_each_other() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let both = [&link.near, &link.far];
    let mut server = Puppet::new(&link.far, "server");
    let mut client = Puppet::new(&link.near, "client");
    let address = far(0);
    server.run(&format!("s = listen('{address}', 7210); d = udp('{address}', 7211)"));
    client.run(&format!("c = connect('{address}', 7210); e = udp('{NEAR}', 7212)"));
    client.run(&format!("e.connect(('{address}', 7211))"));
    server.run(&format!("a = accept(s); d.connect(('{NEAR}', 7212))"));
    let all = rows(&everywhere(&format!("-tu {SHOWN}"), &both));
    for protocol in ["tcp", "udp"] {
        for (this, other, namespace) in
            [("client", "server", &link.far), ("server", "client", &link.near)]
        {
            let row = of(&all, this, protocol);
            assert_eq!(row["peer"]["process"], json!([other]), "{row}");
            assert_eq!(row["peer"]["netns"]["name"], namespace.name(), "{row}");
        }
    }
    // Whose rows are shown and who is at their other ends are two questions.
    let filter = format!("-t {SHOWN} peer.netns = {}", link.far.name());
    let near = rows(&everywhere(&filter, &[&link.near]));
    assert_eq!(near.len(), 1);
    assert_eq!(of(&near, "client", "tcp")["peer"]["process"], json!(["server"]));
    // Without the other namespace the other end is not known, and not guessed.
    let here = rows(&sockeye(&link.near, &format!("-t {SHOWN}")));
    let row = of(&here, "client", "tcp");
    assert!(row["peer"]["process"].is_null() && row["peer"]["netns"].is_null(), "{row}");
}

#[test]
fn two_connections_with_the_same_addresses_are_not_mixed_up() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    // Private networks that were made alike, as container runtimes make them.
    let links = [Link::new(), Link::new()];
    let all_of = [&links[0].near, &links[0].far, &links[1].near, &links[1].far];
    let connected = |link: &Link, number: u8, to: IpAddr| {
        let mut server = Puppet::new(&link.far, &format!("server{number}"));
        let mut client = Puppet::new(&link.near, &format!("client{number}"));
        server.run(&format!("s = listen('{to}', 7220)"));
        client.run(&format!("c = connect('{to}', 7220, ('{NEAR}', 7221))"));
        server.run("a = accept(s)");
        (server, client)
    };
    let puppets = [connected(&links[0], 0, far(0)), connected(&links[1], 1, far(0))];
    let all = rows(&everywhere(&format!("-t {SHOWN}"), &all_of));
    for name in ["client0", "server0", "client1", "server1"] {
        let row = of(&all, name, "tcp");
        assert!(row["peer"]["process"].is_null(), "which of two nobody can know: {row}");
    }
    // That it is not known is said where it matters.
    let run = everywhere("-t peer.process = server0", &all_of);
    assert!(run.stderr.contains("peer.process is not known"), "{run:?}");
    drop(puppets);
    // The same on loopback: each namespace has its own.
    let pairs = all_of.map(|namespace| {
        let name = format!("own{}", &namespace.name()[namespace.name().len() - 4..]);
        let mut own = Puppet::new(namespace, &name);
        own.run("s = listen('127.0.0.1', 7222)");
        own.run("c = connect('127.0.0.1', 7222, ('127.0.0.1', 7223)); a = accept(s)");
        (own, name)
    });
    let all = rows(&everywhere(&format!("-t {SHOWN}"), &all_of));
    assert_eq!(all.len(), 8);
    for (own, name) in &pairs {
        let rows: Vec<&Value> = all.iter().filter(|row| row["process"] == json!([name])).collect();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row["peer"]["pid"] == json!([own.pid()])), "{rows:#?}");
    }
}
