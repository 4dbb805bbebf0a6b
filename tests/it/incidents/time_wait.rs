//! TIME_WAIT, harmful and harmless.

use super::{
    diagnosis::{Diagnosis, Severity::Notice},
    wait_for,
};
use crate::lab::{link::Link, puppet::Puppet, requirement::require_live};

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
