//! TIME_WAIT, harmful and harmless.

use super::{
    diagnosis::{
        Diagnosis,
        Severity::{Critical, Notice, Warning},
    },
    wait_for,
};
use crate::lab::{
    link::{Link, far},
    puppet::Puppet,
    requirement::require_live,
};

#[test]
fn closes_that_find_no_bucket_skip_time_wait() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.tcp_max_tw_buckets", "40");
    let mut apache = Puppet::new(&link.far, "apache2");
    apache.run("l = listen('0.0.0.0', 80, 1000)");
    apache.begin("serve(l)");
    let mut nginx = Puppet::new(&link.near, "nginx");
    nginx.run("[visit('10.77.0.10', 80) for _ in range(60)]");
    nginx.begin("every(0.1, lambda: visit('10.77.0.10', 80))");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("time-wait-bucket-overflow", Critical, &[]);
    assert!(found["evidence"].to_string().contains("40"), "{found:#}");
    // The limit itself is what the lint warns of.
    diagnosis.and_nothing_else_than(&["time-wait-bucket-overflow", "tw-sysctl-lint"]);
}

#[test]
fn a_server_full_of_time_wait_is_well() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut nginx = Puppet::new(&link.near, "nginx");
    nginx.run("l = listen('0.0.0.0', 80, 1000)");
    nginx.begin("close_first(l)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run(
        "
        for n in range(3000):
            with connect('10.77.0.1', 80, (f'10.77.0.{10 + n % 10}', 0)) as sock:
                sock.recv(1)
        ",
    );
    // A port that is drawn twice takes over the TIME_WAIT of its last connection.
    wait_for(&link.near, 2900, "state = TIME_WAIT");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("time-wait-server-side", Notice, &["80", "nginx"]);
    diagnosis.is_calm();
}

#[test]
fn a_proxy_that_closes_each_request_has_ports_left() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut backend = Puppet::new(&link.far, "backend");
    backend.run("l = listen('0.0.0.0', 6379, 1000)");
    backend.begin("serve(l)");
    let mut proxy = Puppet::new(&link.near, "php-fpm");
    proxy.run("[visit('10.77.0.10', 6379) for _ in range(2000)]");
    let diagnosis = Diagnosis::of(&link.near);
    assert_eq!(diagnosis.of_rule("time-wait-server-side").count(), 0, "{diagnosis:#?}");
    diagnosis.is_calm();
}

#[test]
fn a_burst_long_ago_is_only_a_total() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    // Refused, dropped, cookies, resets, overflows: all of it before the first look.
    link.near.set_sysctl("net.ipv4.tcp_syncookies", "2");
    link.near.set_sysctl("net.ipv4.tcp_max_tw_buckets", "32768");
    let mut server = Puppet::new(&link.near, "server");
    server.run("l = listen('10.77.0.1', 80, 4); receiver = udp('10.77.0.1', 8125)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run(
        "
        kept = [begin('10.77.0.1', 80) for _ in range(50)]
        for _ in range(200):
            try:
                connect('10.77.0.1', 81)
            except ConnectionRefusedError:
                pass
        for one in kept:
            abort(one)
        sender = udp('10.77.0.10')
        for _ in range(3000):
            sender.sendto(b'x' * 500, ('10.77.0.1', 8125))
        ",
    );
    server.run(
        "
        import contextlib
        l.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                l.accept()[0].close()
        receiver.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                receiver.recv(1000)
        ",
    );
    link.near.set_sysctl("net.ipv4.tcp_syncookies", "1");
    Diagnosis::of(&link.near).is_calm();
}

#[test]
fn a_syn_that_meets_an_old_time_wait_is_answered_with_an_ack() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "tnslsnr");
    server.run("l = listen('10.77.0.1', 1521, 100)");
    server.begin("close_first(l)");
    let mut client = Puppet::new(&link.far, "client");
    client.run(
        "
        for port in range(3000, 3030):
            with connect('10.77.0.1', 1521, ('10.77.0.18', port)) as sock:
                sock.recv(1)
        ",
    );
    wait_for(&link.near, 30, "state = TIME_WAIT");
    // To half of them this timestamp, counted from a random start, is older than the last.
    // The answers are lost on their way, as a firewall that knows no such connection loses them.
    link.lose_packets_to(far(8));
    client.run(
        "
        raw = raw_socket()
        def again():
            for port in range(3000, 3030):
                send_segment(raw, ('10.77.0.18', port), ('10.77.0.1', 1521), 1, timestamp(1))
        ",
    );
    client.begin("every(0.05, again)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("time-wait-syn-collision", Notice, &[]);
    let told = ["time-wait-syn-collision", "syn-recv-return-path"];
    diagnosis.and_nothing_else_than(&told);
}

#[test]
fn a_service_that_stopped_cannot_have_its_port_again_at_once() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "old-server");
    server.run("l = tcp('10.77.0.1'); l.bind(('10.77.0.1', 7000)); l.listen(10)");
    let mut client = Puppet::new(&link.far, "client");
    client.run("c = connect('10.77.0.1', 7000)");
    server.run("s = accept(l)[0]; s.shutdown(socket.SHUT_WR)");
    client.run("c.recv(1); c.close()");
    server.run("s.recv(1); s.close()");
    let diagnosis = Diagnosis::across(&link.near, || {
        server.run("l.close()");
    });
    diagnosis.finds("time-wait-blocks-restart", Warning, &["7000"]);
    diagnosis.and_nothing_else_than(&["time-wait-blocks-restart"]);
}
