//! Closes that do not come to their end: the program forgot, the peer forgot, or the path is gone.

use super::{
    diagnosis::{
        Diagnosis,
        Severity::{Critical, Notice, Warning},
    },
    settings, wait_for,
};
use crate::lab::{
    link::{Link, far},
    puppet::Puppet,
    requirement::require_live,
};
use std::process::Command;

/// A peer at the far end that greets with 85 bytes and hangs up as soon as it is told.
fn peer(link: &Link, port: u16) -> Puppet {
    let mut peer = Puppet::new(&link.far, "peer");
    peer.run(&format!("l = listen('0.0.0.0', {port}, 1000); kept = []"));
    peer
}

/// The peer accepts so many, does this to each, and closes.
fn hangs_up(peer: &mut Puppet, number: u32, first: &str) {
    peer.run(&format!(
        "
        kept = accept(l, {number})
        for one in kept:
            {first}
            one.close()
        "
    ));
}

#[test]
fn a_proxy_gives_up_before_the_greeting_and_never_closes() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut mysql = peer(&link, 3306);
    let mut proxysql = Puppet::new(&link.near, "proxysql");
    proxysql.run("kept = [connect('10.77.0.10', 3306) for _ in range(120)]");
    hangs_up(&mut mysql, 120, "one.send(b'x' * 85)");
    wait_for(&link.near, 120, "state = CLOSE_WAIT and recv_queue = 86");
    let aged = settings("[rules.close-wait-leak]\nage_s = 0");
    let diagnosis = Diagnosis::with(&link.near, &aged.switch());
    let found = diagnosis.finds("close-wait-leak", Warning, &["proxysql", "3306"]);
    assert!(found["seen"].to_string().contains("85 unread bytes and the FIN"), "{found:#}");
    diagnosis.and_nothing_else_than(&["close-wait-leak"]);
}

#[test]
fn responses_that_are_never_closed_eat_the_descriptors() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut origin = peer(&link, 8080);
    let mut java = Puppet::new(&link.near, "java");
    java.run("limit_descriptors(64); kept = [connect('10.77.0.10', 8080) for _ in range(40)]");
    hangs_up(&mut origin, 40, "one.send(b'304')");
    java.run("[(one.recv(3), one.recv(1)) for one in kept]");
    wait_for(&link.near, 40, "state = CLOSE_WAIT and recv_queue = 0");
    let aged = settings("[rules.close-wait-leak]\nage_s = 0");
    let diagnosis = Diagnosis::with(&link.near, &aged.switch());
    let found = diagnosis.finds("close-wait-leak", Critical, &["java", "8080"]);
    assert!(found["evidence"].to_string().contains("64"), "{found:#}");
    diagnosis.and_nothing_else_than(&["close-wait-leak", "fd-limit-process"]);
}

#[test]
fn a_server_leaks_what_its_clients_closed() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut haproxy = Puppet::new(&link.near, "haproxy");
    haproxy.run("l = listen('10.77.0.1', 80, 1000); limit_descriptors(256)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [connect('10.77.0.1', 80) for _ in range(140)]");
    haproxy.run("kept = accept(l, 140)");
    clients.run("[one.close() for one in kept]");
    wait_for(&link.near, 140, "state = CLOSE_WAIT and recv_queue = 1");
    let aged = settings("[rules.close-wait-leak]\nage_s = 0");
    let diagnosis = Diagnosis::with(&link.near, &aged.switch());
    diagnosis.finds("close-wait-leak", Critical, &["haproxy", "80"]);
    diagnosis.and_nothing_else_than(&["close-wait-leak", "fd-limit-process"]);
}

#[test]
fn a_leak_is_found_by_its_growth_long_before_its_age() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "server");
    server.run(
        "
        l = listen('10.77.0.1', 80, 1000); l.setblocking(False); kept = []
        def leak():
            try:
                kept.append(l.accept()[0])
            except BlockingIOError:
                pass
        ",
    );
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("[connect('10.77.0.1', 80).close() for _ in range(10)]");
    server.begin("every(0.02, leak)");
    wait_for(&link.near, 10, "state = CLOSE_WAIT and inode > 0");
    clients.begin("every(0.05, lambda: connect('10.77.0.1', 80).close())");
    let soon = settings("[rules.close-wait-leak]\ngrowing_s = 1");
    let switches = format!("--watch=0.9 --interval 0.4 --times 4 {}", soon.switch());
    let rounds = Diagnosis::rounds(&link.near, &switches);
    assert_eq!(rounds[0].of_rule("close-wait-leak").count(), 0, "one round has no growth");
    let last = rounds.last().unwrap();
    let found = last.finds("close-wait-leak", Warning, &["server", "80"]);
    let (from, now) = (&found["evidence"]["grew_from"], &found["evidence"]["close_wait"]);
    assert!(from.as_u64().unwrap() < now.as_u64().unwrap(), "{found:#}");
    last.and_nothing_else_than(&["close-wait-leak"]);
}

#[test]
fn an_idle_pool_whose_server_has_hung_up_is_well() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut tiles = peer(&link, 443);
    let mut gdal = Puppet::new(&link.near, "gdal");
    gdal.run("pool = [connect('10.77.0.10', 443) for _ in range(8)]");
    hangs_up(&mut tiles, 8, "pass");
    wait_for(&link.near, 8, "state = CLOSE_WAIT and recv_queue = 1");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("close-wait-idle-pool", Notice, &["gdal", "443"]);
    assert_eq!(diagnosis.of_rule("close-wait-leak").count(), 0, "{diagnosis:#?}");
    diagnosis.is_calm();
}

#[test]
fn a_tcp_proxy_waits_for_the_other_half() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut upstream = peer(&link, 9000);
    let mut envoy = Puppet::new(&link.near, "envoy");
    envoy.run("kept = [connect('10.77.0.10', 9000) for _ in range(120)]");
    upstream.run("kept = accept(l, 120)");
    envoy.run("[one.shutdown(socket.SHUT_WR) for one in kept]");
    wait_for(&link.near, 120, "state = FIN_WAIT_2 and inode > 0");
    let aged = settings("[rules.fin-wait2-owned]\nage_s = 0");
    let diagnosis = Diagnosis::with(&link.near, &aged.switch());
    diagnosis.finds("fin-wait2-owned", Warning, &["envoy", "9000"]);
    diagnosis.and_nothing_else_than(&["fin-wait2-owned"]);
}

#[test]
fn a_long_one_way_stream_is_well() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut upstream = peer(&link, 9000);
    let mut reader = Puppet::new(&link.near, "rsync");
    reader.run("kept = [connect('10.77.0.10', 9000) for _ in range(120)]");
    upstream.run("kept = accept(l, 120)");
    reader.run("[one.shutdown(socket.SHUT_WR) for one in kept]");
    wait_for(&link.near, 120, "state = FIN_WAIT_2 and inode > 0");
    upstream.begin("every(0.1, lambda: [one.send(b'x' * 100) for one in kept])");
    reader.begin("every(0.05, lambda: [one.recv(65536) for one in kept])");
    Diagnosis::of(&link.near).is_calm();
    upstream.end();
    // Nothing is on its way any more that the reader could wait for.
    drop(upstream);
    reader.end();
}

#[test]
fn peers_that_never_close_hold_the_ports_of_orphans() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099");
    let mut backend = peer(&link, 8080);
    let mut nginx = Puppet::new(&link.near, "nginx");
    nginx.run("kept = [connect('10.77.0.10', 8080) for _ in range(35)]");
    backend.run("kept = accept(l, 35)");
    nginx.run("[one.close() for one in kept]");
    wait_for(&link.near, 35, "state = FIN_WAIT_2 and timer = time-wait");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("fin-wait2-orphan", Warning, &["8080"]);
    // The one place where this setting helps.
    assert!(found["remedies"].to_string().contains("tcp_fin_timeout"), "{found:#}");
    diagnosis.and_nothing_else_than(&["fin-wait2-orphan"]);
}

#[test]
fn the_last_ack_never_comes() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "server");
    server.run("l = listen('10.77.0.1', 8701, 100)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [connect('10.77.0.1', 8701, ('10.77.0.13', 0)) for _ in range(30)]");
    server.run("kept = accept(l, 30)");
    clients.run("[one.close() for one in kept]");
    wait_for(&link.near, 30, "state = CLOSE_WAIT");
    link.lose_packets_to(far(3));
    server.run("[one.close() for one in kept]");
    wait_for(&link.near, 30, "state = LAST_ACK and retransmits >= 3");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("last-ack-stuck", Notice, &["10.77.0.13"]);
    diagnosis.is_calm();
}

#[test]
fn a_leaked_connection_poisons_the_port_of_its_client() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "server");
    server.run("l = listen('10.77.0.1', 8041, 100)");
    let mut client = Puppet::new(&link.far, "client");
    client.run(
        "kept = [connect('10.77.0.1', 8041, ('10.77.0.14', port)) for port in range(3000, 3012)]",
    );
    server.run("kept = accept(l, 12)");
    client.run("[one.close() for one in kept]");
    wait_for(&link.near, 12, "state = CLOSE_WAIT");
    client.run(
        "
        raw = raw_socket()
        def again():
            for port in range(3000, 3012):
                send_segment(raw, ('10.77.0.14', port), ('10.77.0.1', 8041), 1)
        ",
    );
    client.begin("every(0.1, again)");
    let aged = settings("[rules.close-wait-leak]\nage_s = 0");
    let diagnosis = Diagnosis::with(&link.near, &aged.switch());
    diagnosis.finds("close-wait-leak", Notice, &["server", "8041"]);
    diagnosis.finds("time-wait-syn-collision", Notice, &[]);
    diagnosis.and_nothing_else_than(&["close-wait-leak", "time-wait-syn-collision"]);
}

#[test]
fn descriptors_of_dead_sockets_are_in_no_table() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "sslh");
    server.run("l = listen('10.77.0.1', 443, 100); limit_descriptors(256)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [connect('10.77.0.1', 443) for _ in range(60)]");
    server.run("kept = accept(l, 60)");
    // The row dies, and the descriptor stays: so ends a kept-alive connection of a dead peer too.
    let killed =
        link.near.output(Command::new("ss").args(["-K", "state", "established", "sport = :443"]));
    assert!(killed.status.success());
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("ghost-socket-fds", Warning, &["sslh", &server.pid().to_string()]);
    diagnosis.and_nothing_else_than(&["ghost-socket-fds"]);
}

#[test]
fn clients_that_vanish_with_a_full_window_leave_orphans() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "server");
    server.run("l = listen('10.77.0.1', 80, 100)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [connect('10.77.0.1', 80) for _ in range(4)]");
    server.run("kept = accept(l, 4); [fill(one) for one in kept]; [one.close() for one in kept]");
    wait_for(&link.near, 4, "state = FIN_WAIT_1 and timer = window-probe");
    // Four of a host's many thousands.
    Diagnosis::of(&link.near).is_calm();
}
