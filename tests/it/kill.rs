//! `sockeye kill` closes what it says and nothing else, and says what it did not close.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    program::{Run, SOCKEYE, public_copy, sockeye},
    requirement::require_live,
    transport::{at, connect, inode, listener, local, read_to_end, tcp, udp},
};
use serde_json::Value;
use socket2::Socket;
use sockeye::{
    kernel::sock_diag::exact::{Identity, Inquiry},
    model::{
        closing::Closing,
        endpoint::Endpoint,
        protocol::{Family, Protocol},
        socket::Socket as Listed,
    },
};
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    process::Command,
    thread,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn kill(namespace: &Namespace, arguments: &[&str]) -> Run {
    Run::of(namespace.output(Command::new(SOCKEYE).arg("kill").args(arguments)))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Both ends of a connection to a listener on this port, and the listener.
struct Connection3 {
    server: Socket,
    client: Socket,
    accepted: Socket,
}

fn connected(port: u16) -> Connection3 {
    let server = listener(at(LOCALHOST, port), 8);
    let client = connect(LOCALHOST, at(LOCALHOST, port));
    let (accepted, _) = server.accept().unwrap();
    Connection3 { server, client, accepted }
}

fn errno(mut socket: &Socket) -> Option<i32> {
    socket.read(&mut [0]).unwrap_err().raw_os_error()
}

#[test]
fn only_with_yes_the_owner_is_told_and_the_peer_reset() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let pair = namespace.run(|| connected(7100));
    let port = local(&pair.client).port().to_string();
    let filter = ["sport", "=", &port];

    let shown = kill(&namespace, &filter);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.contains("would-close"), "{shown:?}");
    assert!(shown.stdout.contains("add --yes"), "{shown:?}");
    let own = format!("[{}]", std::process::id());
    assert!(shown.stdout.contains(&own), "whose it is: {shown:?}");
    let dry = json(&kill(&namespace, &[&["--json", "--dry-run"], &filter[..]].concat()));
    assert_eq!((&dry["schema"], &dry["dry_run"]), (&"sockeye.kill/1".into(), &true.into()));
    assert_eq!(dry["totals"]["matched"], 1);
    pair.client.set_nonblocking(true).unwrap();
    assert_eq!(errno(&pair.client), Some(nix::libc::EAGAIN), "it is still open");
    pair.client.set_nonblocking(false).unwrap();

    let done = kill(&namespace, &[&["--yes", "--json"], &filter[..]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    let done = json(&done);
    assert_eq!(done["totals"]["closed"], 1, "{done}");
    assert_eq!(done["sockets"][0]["result"], "closed");
    assert_eq!(errno(&pair.client), Some(nix::libc::ECONNABORTED));
    assert_eq!(errno(&pair.accepted), Some(nix::libc::ECONNRESET));
    drop(pair.server);

    let schema: Value = serde_json::from_str(
        &Run::of(Command::new(SOCKEYE).args(["schema", "kill"]).output().unwrap()).stdout,
    )
    .unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for document in [dry, done] {
        let wrong: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn time_wait_and_listeners_end_too_one_member_of_a_group_or_all() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let (server, group) = namespace.run(|| {
        let pair = connected(7200);
        // The client closes first.
        drop(pair.client);
        read_to_end(&pair.accepted);
        drop(pair.accepted);
        let group: Vec<Socket> = (0..8)
            .map(|_| {
                let socket = tcp(LOCALHOST);
                socket.set_reuse_port(true).unwrap();
                socket.bind(&at(LOCALHOST, 7201).into()).unwrap();
                socket.listen(1).unwrap();
                socket
            })
            .collect();
        (pair.server, group)
    });
    let waiting = || {
        let listed = sockeye(&namespace, "-t state=TIME_WAIT --json");
        listed.document().sockets.len()
    };
    assert!(eventually(PATIENCE, || waiting() == 1));
    let run = Run::of(namespace.output(Command::new(SOCKEYE).args(["-K", "state = TIME_WAIT"])));
    // Kernels before 6.1 cannot, and say so.
    if run.code == 3 {
        assert!(run.stderr.contains("EOPNOTSUPP"), "{run:?}");
    } else {
        assert_eq!((run.code, waiting()), (0, 0), "{run:?}");
        assert!(run.stdout.contains("1 socket closed"), "{run:?}");
    }

    // One member of a group, by its inode; the others are not hit.
    let all = sockeye(&namespace, "-tl sport=7201 --json").document();
    assert_eq!(all.sockets.len(), group.len());
    let chosen = format!("inode = {}", all.sockets[5].inode.unwrap());
    let one = json(&kill(&namespace, &["-l", "--yes", "--json", &chosen]));
    assert_eq!(one["totals"]["closed"], 1, "{one}");
    let left = sockeye(&namespace, "-tl sport=7201 --json").document();
    assert_eq!(left.sockets.len(), group.len() - 1);
    assert!(left.sockets.iter().all(|row| row.cookie != all.sockets[5].cookie));
    let rest = json(&kill(&namespace, &["-l", "--yes", "--json", "sport = :7201"]));
    assert_eq!(rest["totals"]["closed"], 7, "{rest}");

    let run = kill(&namespace, &["-l", "--yes", "sport = :7200"]);
    assert_eq!(run.code, 0, "{run:?}");
    let refused = namespace
        .run(|| tcp(LOCALHOST).connect_timeout(&at(LOCALHOST, 7200).into(), PATIENCE).unwrap_err());
    assert_eq!(refused.raw_os_error(), Some(nix::libc::ECONNREFUSED));
    drop((server, group));
}

#[test]
fn without_the_right_nothing_is_closed_and_the_exit_code_tells() {
    if !require_live(&["install", "ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let pair = namespace.run(|| connected(7300));
    let (_directory, program) = public_copy(SOCKEYE);
    let mut command = Command::new(&program);
    command.args(["kill", "--yes", "--json", "port = 7300"]).uid(65_534).gid(65_534);
    let run = Run::of(namespace.output(&mut command));
    assert_eq!(run.code, 3, "{run:?}");
    let expected =
        "error: 2 sockets were not closed: EPERM (Operation not permitted)\nhint: run as root";
    assert!(run.stderr.contains(expected), "{run:?}");
    let document = json(&run);
    assert_eq!(document["totals"]["refused"], 2, "{document}");
    assert_eq!(document["sockets"][0]["error"], "EPERM");
    pair.client.set_nonblocking(true).unwrap();
    assert_eq!(errno(&pair.client), Some(nix::libc::EAGAIN), "it is still open");
    drop((pair.server, pair.accepted));
}

/// A socket as it was listed, which the program would close by its identity.
fn listed(client: &Socket, cookie: u64) -> Listed {
    let end = |address: SocketAddr| Endpoint::new(address.ip(), address.port());
    let remote = client.peer_addr().unwrap().as_socket().unwrap();
    let identity = Identity {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        local: end(local(client)),
        remote: end(remote),
        interface: 0,
        cookie: None,
    };
    let mut found = Inquiry::open().unwrap().find(identity).unwrap().unwrap();
    if cookie != 0 {
        found.cookie = Some(cookie);
    }
    found
}

#[test]
fn a_socket_that_vanished_is_gone_and_one_that_took_its_place_is_spared() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        let pair = connected(7400);
        let mut inquiry = Inquiry::open().unwrap();
        let before = listed(&pair.client, 0);
        // The same ends, another cookie: a later socket on a 4-tuple that was used again.
        let another = listed(&pair.client, before.cookie.unwrap() + 1_000_000);
        assert_eq!(inquiry.close(&another).unwrap(), Closing::Gone);
        pair.client.set_nonblocking(true).unwrap();
        assert_eq!(errno(&pair.client), Some(nix::libc::EAGAIN), "it is still open");
        // Reset, so that nothing stays of it.
        pair.client.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(pair.client);
        assert!(eventually(PATIENCE, || { inquiry.close(&before).unwrap() == Closing::Gone }));
        drop((pair.server, pair.accepted));
    });
    // While the program runs, connections end by themselves: each is closed or gone, none refused.
    let clients = namespace.run(|| {
        let server = listener(at(LOCALHOST, 7401), 256);
        let clients: Vec<(Socket, Socket)> = (0..200)
            .map(|_| (connect(LOCALHOST, at(LOCALHOST, 7401)), server.accept().unwrap().0))
            .collect();
        (server, clients)
    });
    let (server, clients) = clients;
    let done = thread::scope(|scope| {
        scope.spawn(|| drop(clients));
        json(&kill(&namespace, &["--yes", "--json", "port = 7401"]))
    });
    let of = |key: &str| done["totals"][key].as_u64().unwrap();
    assert_eq!(of("closed") + of("gone"), of("matched"), "{}", done["totals"]);
    assert_eq!(of("refused"), 0);
    drop(server);
}

#[test]
fn what_cannot_be_closed_is_said() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let bound = namespace.run(|| crate::lab::transport::bound(at(LOCALHOST, 7500)));
    let run = kill(&namespace, &["--yes", "state = BOUND_INACTIVE"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("refused (EOPNOTSUPP)"), "{run:?}");
    assert!(run.stderr.contains("ends with its process"), "{run:?}");
    drop(bound);

    for (arguments, code, said) in [
        (&["kill"][..], 64, "no filter says which"),
        (&["-K"], 64, "no filter says which"),
        (&["-tK", "-a"], 64, "no filter says which"),
        (&["kill", "--from", "x", "dport = 1"], 64, "--from: a recording has no sockets"),
        (&["kill", "--source", "proc", "dport = 1"], 64, "--source proc: /proc does not tell"),
        (&["kill", "--watch", "dport = 1"], 64, "--watch"),
        (&["kill", "--yes", "--dry-run", "dport = 1"], 64, "exclude each other"),
        (&["kill", "--group-by", "state", "dport = 1"], 64, "as --json"),
        (&["kill", "dport = 1"], 0, ""),
        (&["kill", "--yes", "-q", "dport = 1"], 1, ""),
    ] {
        let run = Run::of(namespace.output(Command::new(SOCKEYE).args(arguments)));
        assert_eq!(run.code, code, "{arguments:?} {run:?}");
        assert!(run.stderr.contains(said), "{arguments:?} {run:?}");
    }
}

#[test]
fn one_udp_socket_is_found_by_its_ends_with_a_peer_and_without() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        let server = udp(at(LOCALHOST, 0));
        let client = udp(at(LOCALHOST, 0));
        client.connect(&local(&server).into()).unwrap();
        let end = |address: SocketAddr| Endpoint::new(address.ip(), address.port());
        let identity = |local: Endpoint, remote: Endpoint| Identity {
            protocol: Protocol::Udp,
            family: Family::Ipv4,
            local,
            remote,
            interface: 0,
            cookie: None,
        };
        let nothing = Endpoint::nothing(Family::Ipv4);
        let (here, there) = (end(local(&client)), end(local(&server)));
        let mut inquiry = Inquiry::open().unwrap();
        let mut inode_of = |identity| inquiry.find(identity).unwrap().and_then(|s| s.inode);
        assert_eq!(inode_of(identity(here, there)), Some(inode(&client)));
        assert_eq!(inode_of(identity(there, nothing)), Some(inode(&server)));
        // The other way round there is none.
        assert_eq!(inode_of(identity(there, here)), None);
        // Its cookie is the right one, and a wrong one is nobody's.
        let found = inquiry.find(identity(here, there)).unwrap().unwrap();
        let cookie = found.cookie.unwrap();
        let with = |cookie| Identity { cookie: Some(cookie), ..identity(here, there) };
        assert_eq!(inquiry.find(with(cookie)).unwrap().unwrap().inode, found.inode);
        assert_eq!(inquiry.find(with(cookie + 1)).unwrap(), None);
    });
}
