//! Data that is not read, not sent, lost, or cut off by a reset.

use super::{
    diagnosis::{
        Diagnosis,
        Severity::{Notice, Warning},
    },
    wait_for,
};
use crate::lab::{link::Link, path::Path, puppet::Puppet, requirement::require_live};

/// A connection pair: so many from near to far, and a server there that has accepted them all.
fn connections(link: &Link, name: &str, port: u16, number: u32) -> (Puppet, Puppet) {
    let mut server = Puppet::new(&link.far, "server");
    server.run(&format!("l = listen('0.0.0.0', {port}, 1000)"));
    let mut client = Puppet::new(&link.near, name);
    client.run(&format!("kept = [connect('10.77.0.10', {port}) for _ in range({number})]"));
    server.run(&format!("kept = accept(l, {number})"));
    (client, server)
}

#[test]
fn a_consumer_that_does_not_read_stops_us() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let (mut redis, _server) = connections(&link, "redis-server", 7777, 12);
    redis.run("[fill(one) for one in kept]");
    wait_for(
        &link.near,
        12,
        "state = ESTABLISHED and timer = window-probe and last_data_sent > 5s",
    );
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("peer-not-reading", Warning, &["redis-server", "10.77.0.10"]);
    diagnosis.and_nothing_else_than(&["peer-not-reading"]);
}

#[test]
fn a_program_that_does_not_read_stops_its_peers() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let (ghproxy, mut server) = connections(&link, "ghproxy", 7777, 12);
    server.begin("every(0.05, lambda: [fill(one) for one in kept])");
    wait_for(&link.near, 12, "state = ESTABLISHED and recv_queue > 65536");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("we-are-not-reading", Warning, &["ghproxy", &ghproxy.pid().to_string()]);
    diagnosis.and_nothing_else_than(&["we-are-not-reading"]);
}

#[test]
fn datagrams_come_faster_than_they_are_read() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut statsd = Puppet::new(&link.near, "statsd");
    statsd.run("receiver = udp('10.77.0.1', 8125)");
    let mut senders = Puppet::new(&link.far, "senders");
    senders.run("sender = udp('10.77.0.10'); message = b'x' * 500");
    senders.begin(
        "every(0.01, lambda: [sender.sendto(message, ('10.77.0.1', 8125)) for _ in range(20)])",
    );
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("udp-receive-drops", Warning, &["8125", "statsd"]);
    diagnosis.and_nothing_else_than(&["udp-receive-drops"]);
}

#[test]
fn a_server_that_answers_without_reading_resets_its_clients() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "server");
    server.run(
        "
        l = listen('10.77.0.1', 8080, 100)
        def refuse():
            while goes_on():
                if select.select([l], [], [], 0.01)[0]:
                    one = l.accept()[0]
                    select.select([one], [], [], 1)
                    one.close()
        ",
    );
    server.begin("refuse()");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run(
        "
        def upload():
            with connect('10.77.0.1', 8080) as one:
                one.send(b'x' * 1000)
                try:
                    one.recv(1)
                except ConnectionResetError:
                    pass
        ",
    );
    clients.begin("every(0.02, upload)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("abortive-close", Warning, &[]);
    diagnosis.and_nothing_else_than(&["abortive-close"]);
}

#[test]
fn linger_zero_against_time_wait_is_an_abort() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.far, "server");
    server.run("l = listen('0.0.0.0', 8080, 1000)");
    server.begin("serve(l)");
    let mut client = Puppet::new(&link.near, "worker");
    client.begin("every(0.02, lambda: abort(connect('10.77.0.10', 8080)))");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("abortive-close", Warning, &[]);
    diagnosis.and_nothing_else_than(&["abortive-close"]);
}

#[test]
fn a_server_closes_idle_connections_just_as_the_load_balancer_uses_them() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut node = Puppet::new(&link.near, "node");
    node.run(
        "
        l = listen('10.77.0.1', 3000, 100)
        def idle():
            while goes_on():
                if select.select([l], [], [], 0.01)[0]:
                    l.accept()[0].close()
        ",
    );
    node.begin("idle()");
    // Every fourth connection is used once more at that moment.
    let mut balancer = Puppet::new(&link.far, "balancer");
    balancer.run(
        "
        import contextlib
        used = 0
        def request():
            global used
            used += 1
            with connect('10.77.0.1', 3000) as one, contextlib.suppress(OSError):
                select.select([one], [], [], 5)
                if used % 4 == 0:
                    one.send(b'GET / HTTP/1.1')
                one.recv(1)
        ",
    );
    balancer.begin("every(0.02, request)");
    wait_for(&link.near, 20, "state = TIME_WAIT");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("keepalive-race", Notice, &["3000"]);
    diagnosis.and_nothing_else_than(&["keepalive-race", "abortive-close"]);
}

#[test]
fn a_path_that_loses_packets_makes_us_send_again() {
    if !require_live(&["ip", "tc", "python3"]) {
        return;
    }
    let path = Path::new();
    path.near.set_sysctl("net.ipv4.tcp_congestion_control", "reno");
    path.police("50mbit", "6kb");
    let mut server = Puppet::new(&path.far, "server");
    server.run("l = listen('10.77.2.1', 443)");
    let mut client = Puppet::new(&path.near, "worker");
    client.run("kept = [connect('10.77.2.1', 443) for _ in range(12)]");
    server.run("kept = accept(l, 12)");
    server.begin(
        "every(0.001, lambda: [one.recv(2**20) for one in select.select(kept, [], [], 0)[0]])",
    );
    client.run("[one.setblocking(False) for one in kept]; message = b'x' * 65536");
    client.begin(
        "every(0.001, lambda: [one.send(message) for one in select.select([], kept, [], 0)[1]])",
    );
    wait_for(&path.near, 12, "state = ESTABLISHED and total_retrans > 0");
    let diagnosis = Diagnosis::of(&path.near);
    diagnosis.finds("retransmit-rate", Warning, &[]);
    diagnosis.and_nothing_else_than(&["retransmit-rate"]);
}
