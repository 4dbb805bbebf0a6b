//! Peers that do not answer: SYNs, data, idle connections, refusals.

use super::{
    diagnosis::{
        Diagnosis,
        Severity::{Critical, Notice, Warning},
    },
    settings, wait_for,
};
use crate::lab::{
    link::{INTERFACE, Link, NOBODY, far},
    path::Path,
    puppet::Puppet,
    requirement::require_live,
};

/// A server at the far end that keeps what it accepts.
fn keeper(link: &Link, port: u16) -> Puppet {
    let mut server = Puppet::new(&link.far, "server");
    server.run(&format!("l = listen('0.0.0.0', {port}, 1000)"));
    server
}

#[test]
fn a_firewall_that_drops_leaves_connects_without_an_answer() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.lose_packets_to(NOBODY);
    let mut client = Puppet::new(&link.near, "worker");
    client.run("kept = [begin('10.77.0.250', 443) for _ in range(12)]");
    wait_for(&link.near, 12, "state = SYN_SENT and retransmits >= 2");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("syn-sent-stuck", Warning, &["10.77.0.250", "443"]);
    diagnosis.and_nothing_else_than(&["syn-sent-stuck"]);
}

#[test]
fn connects_hang_while_old_connections_to_the_same_place_work() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    // The listener takes one connection, and then no SYN any more: as behind a NAT out of ports.
    let mut server = Puppet::new(&link.far, "server");
    server.run("l = listen('10.77.0.10', 443, 0)");
    let mut client = Puppet::new(&link.near, "worker");
    client.run("live = connect('10.77.0.10', 443)");
    server.run("kept = accept(l)");
    client.run("queued = connect('10.77.0.10', 443)");
    client.run("kept = [begin('10.77.0.10', 443) for _ in range(12)]");
    wait_for(&link.near, 12, "state = SYN_SENT and retransmits >= 2");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("syn-sent-stuck", Warning, &["10.77.0.10", "443"]);
    diagnosis.finds("snat-exhaustion-suspected", Warning, &["10.77.0.10", "443"]);
    diagnosis.and_nothing_else_than(&["syn-sent-stuck", "snat-exhaustion-suspected"]);
}

#[test]
fn ports_that_a_nat_uses_again_meet_the_old_connections_of_the_server() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    // The second address is the NAT's; the server sees both as clients.
    link.near.ip(&["addr", "add", "10.77.0.2/24", "dev", INTERFACE]);
    let mut server = keeper(&link, 443);
    let mut client = Puppet::new(&link.near, "gorouter");
    client.run(
        "
        live = [connect('10.77.0.10', 443) for _ in range(3)]
        old = [connect('10.77.0.10', 443, ('10.77.0.2', port)) for port in range(3000, 3012)]
        ",
    );
    server.run("kept = accept(l, 15)");
    // The NAT forgets them without a FIN or RST (TCP_REPAIR), and its firewall drops the ACK by
    // which the server answers a SYN for a connection that it still has.
    client.run("[(one.setsockopt(socket.IPPROTO_TCP, 19, 1), one.close()) for one in old]");
    link.far.ip(&[
        "neigh",
        "replace",
        "10.77.0.2",
        "lladdr",
        "02:00:00:00:00:99",
        "nud",
        "permanent",
        "dev",
        INTERFACE,
    ]);
    client.run(
        "
        kept = []
        for port in range(3000, 3012):
            kept.append(begin('10.77.0.10', 443, ('10.77.0.2', port)))
            time.sleep(0.1)
        ",
    );
    wait_for(&link.near, 12, "state = SYN_SENT and retransmits >= 2");
    let (near, far) = (Diagnosis::of(&link.near), Diagnosis::of(&link.far));
    near.finds("syn-sent-stuck", Warning, &["10.77.0.10", "443"]);
    near.finds("snat-exhaustion-suspected", Warning, &["10.77.0.10", "443"]);
    near.and_nothing_else_than(&["syn-sent-stuck", "snat-exhaustion-suspected"]);
    // The server knows why: SYNs meet connections that it has not closed.
    far.finds("time-wait-syn-collision", Notice, &[]);
    far.and_nothing_else_than(&["time-wait-syn-collision"]);
}

#[test]
fn a_failover_without_a_reset_hangs_every_request() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = keeper(&link, 6379);
    let mut lettuce = Puppet::new(&link.near, "java");
    lettuce.run("kept = [connect('10.77.0.13', 6379) for _ in range(14)]");
    server.run("kept = accept(l, 14)");
    link.lose_packets_to(far(3));
    lettuce.run("[one.send(b'PING') for one in kept]");
    wait_for(&link.near, 14, "state = ESTABLISHED and backoff >= 4");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("peer-unreachable", Critical, &["10.77.0.13", "6379"]);
    assert!(found["remedies"].to_string().contains("TCP_USER_TIMEOUT"), "{found:#}");
    diagnosis.and_nothing_else_than(&["peer-unreachable", "rto-heavy-peer", "retransmit-rate"]);
}

#[test]
fn idle_connections_without_keepalive_would_never_notice_a_dead_peer() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = keeper(&link, 5432);
    let mut client = Puppet::new(&link.near, "worker");
    client.run("kept = [connect('10.77.0.13', 5432) for _ in range(12)]");
    server.run("kept = accept(l, 12)");
    wait_for(&link.near, 12, "state = ESTABLISHED and last_data_recv > 1s and timer != keepalive");
    let idle = settings("[rules.half-open-suspect]\nidle_s = 1");
    let diagnosis = Diagnosis::with(&link.near, &idle.switch());
    diagnosis.finds("half-open-suspect", Notice, &["worker", "5432"]);
    diagnosis.is_calm();
    // The same with probes is well.
    client.run("[one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) for one in kept]");
    let probed = Diagnosis::with(&link.near, &idle.switch());
    assert_eq!(probed.of_rule("half-open-suspect").count(), 0, "{probed:#?}");
}

#[test]
fn a_dependency_that_is_down_refuses_every_connect() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut client = Puppet::new(&link.near, "worker");
    client.run(
        "
        def one():
            try:
                connect('10.77.0.10', 9999)
            except ConnectionRefusedError:
                pass
        ",
    );
    client.begin("every(0.02, one)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("refused-storm", Warning, &[]);
    diagnosis.and_nothing_else_than(&["refused-storm"]);
}

#[test]
fn big_packets_vanish_and_small_ones_pass() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let path = Path::new();
    path.lose_bigger_than(1200);
    let mut server = Puppet::new(&path.far, "server");
    server.run("l = listen('10.77.2.1', 443)");
    let mut client = Puppet::new(&path.near, "worker");
    client.run("kept = [connect('10.77.2.1', 443) for _ in range(6)]");
    server.run("kept = accept(l, 6)");
    client.run("[one.send(b'hello') for one in kept]; [fill(one) for one in kept]");
    wait_for(&path.near, 6, "state = ESTABLISHED and backoff >= 3");
    let diagnosis = Diagnosis::of(&path.near);
    diagnosis.finds("pmtu-blackhole", Warning, &["10.77.2.1"]);
    let told = ["pmtu-blackhole", "peer-unreachable", "rto-heavy-peer", "retransmit-rate"];
    diagnosis.and_nothing_else_than(&told);
}
