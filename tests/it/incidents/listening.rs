//! Listeners that do not accept, and SYNs they cannot take.

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

/// Rules that say the same of a listener whose queue runs over: each is a part of one story.
const QUEUE: &[&str] = &["accept-queue-overflow", "accept-stalled"];

/// Clients that come faster than they are accepted.
fn rush(link: &Link, port: u16) -> Puppet {
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = []; limit_descriptors(16384)");
    clients.begin(&format!("every(0.004, lambda: kept.append(begin('10.77.0.1', {port})))"));
    clients
}

/// A server that accepts 50 connections a second and keeps them.
fn slow_server(link: &Link, name: &str, port: u16, backlog: u32) -> Puppet {
    let mut server = Puppet::new(&link.near, name);
    server.run(&format!("kept = []; l = listen('10.77.0.1', {port}, {backlog})"));
    server.begin("every(0.02, lambda: kept.extend(accept(l)))");
    server
}

#[test]
fn the_accept_queue_of_a_node_server_runs_over() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let server = slow_server(&link, "node", 8080, 48);
    let _clients = rush(&link, 8080);
    wait_for(&link.near, 1, "state = LISTEN and accept_queue > 48");
    let diagnosis = Diagnosis::of(&link.near);
    let pid = server.pid().to_string();
    let found = diagnosis.finds("accept-queue-overflow", Critical, &["8080", "node", &pid]);
    // The program asked for 48, and the kernel would have given more.
    assert!(found.to_string().contains("4096"), "{found:#}");
    diagnosis.and_nothing_else_than(QUEUE);
}

#[test]
fn the_accept_queue_is_cut_by_somaxconn() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.core.somaxconn", "32");
    let _server = slow_server(&link, "java", 5044, 4096);
    let _clients = rush(&link, 5044);
    wait_for(&link.near, 1, "state = LISTEN and accept_queue > 32");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("accept-queue-overflow", Critical, &["5044", "java"]);
    assert!(found["remedies"].to_string().contains("net.core.somaxconn"), "{found:#}");
    diagnosis.and_nothing_else_than(QUEUE);
}

#[test]
fn a_backlog_of_one_is_small_for_a_busy_listener() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "java");
    server.run("l = listen('10.77.0.1', 8080, 1)");
    server.begin("serve(l)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.begin("every(0.05, lambda: visit('10.77.0.1', 8080))");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("listen-backlog-small", Warning, &["8080", "java"]);
    diagnosis.and_nothing_else_than(&["listen-backlog-small"]);
}

#[test]
fn a_few_answered_cookies_are_no_flood() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    // Every SYN is answered with a cookie, as if the queue had been full.
    link.near.set_sysctl("net.ipv4.tcp_syncookies", "2");
    let mut server = Puppet::new(&link.near, "netdata");
    server.run("l = listen('10.77.0.1', 19999, 128)");
    server.begin("serve(l)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.begin("every(0.7, lambda: visit('10.77.0.1', 19999))");
    Diagnosis::of(&link.near).is_calm();
}

#[test]
fn cookies_that_are_all_answered_are_a_small_backlog() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.lose_packets_to(far(9));
    let mut server = Puppet::new(&link.near, "shairport-sync");
    server.run("l = listen('10.77.0.1', 5000, 5)");
    server.begin("serve(l)");
    // Six handshakes that wait fill the queue; whoever comes then gets a cookie.
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run(
        "
        raw = raw_socket()
        def one():
            for port in range(6):
                send_segment(raw, ('10.77.0.19', 2000 + port), ('10.77.0.1', 5000), port)
            visit('10.77.0.1', 5000)
        ",
    );
    clients.begin("every(0.3, one)");
    wait_for(&link.near, 6, "state = SYN_RCVD");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("syn-queue-pressure", Notice, &["5000"]);
    assert!(!found["title"].to_string().contains("flood"), "{found:#}");
    diagnosis.and_nothing_else_than(&["syn-queue-pressure"]);
}

/// SYNs from everywhere, as fast as one process can: some 500 a second.
fn flood(link: &Link, port: u16) -> Puppet {
    link.near.ip(&["route", "add", "198.18.0.0/15", "via", &far(0).to_string()]);
    link.far.ip(&["route", "add", "blackhole", "198.18.0.0/15"]);
    for interface in ["all", "wire"] {
        link.near.set_sysctl(&format!("net.ipv4.conf.{interface}.rp_filter"), "0");
    }
    let mut attacker = Puppet::new(&link.far, "attacker");
    attacker.run(&format!(
        "
        raw, sent = raw_socket(), 0
        def one():
            global sent
            sent += 1
            source = f'198.{{18 + sent % 2}}.{{sent % 251}}.{{sent % 253}}'
            send_segment(raw, (source, 1024 + sent % 60000), ('10.77.0.1', {port}), sent * 99991 % 2**32)
        "
    ));
    attacker.begin("every(0.002, one)");
    attacker
}

#[test]
fn syns_from_everywhere_that_answer_no_cookie_are_a_flood() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "nginx");
    server.run("l = listen('10.77.0.1', 443, 64)");
    let _attacker = flood(&link, 443);
    wait_for(&link.near, 60, "state = SYN_RCVD");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("syn-queue-pressure", Critical, &["443", "nginx"]);
    diagnosis.and_nothing_else_than(&["syn-queue-pressure"]);
}

#[test]
fn without_cookies_a_flood_shuts_clients_out() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.tcp_syncookies", "0");
    let mut server = Puppet::new(&link.near, "nginx");
    server.run("l = listen('10.77.0.1', 443, 64)");
    let _attacker = flood(&link, 443);
    wait_for(&link.near, 60, "state = SYN_RCVD");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("syn-queue-pressure", Critical, &["443", "nginx"]);
    diagnosis.and_nothing_else_than(&[
        "syn-queue-pressure",
        "listen-drops-other",
        "tw-sysctl-lint",
    ]);
}

#[test]
fn handshakes_whose_answer_is_lost_have_no_way_back() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.lose_packets_to(far(9));
    let mut server = Puppet::new(&link.near, "sshd");
    server.run("l = listen('10.77.0.1', 22, 128)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [begin('10.77.0.1', 22, ('10.77.0.19', 0)) for _ in range(8)]");
    wait_for(&link.near, 8, "state = SYN_RCVD and retransmits >= 2");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("syn-recv-return-path", Warning, &["10.77.0"]);
    diagnosis.and_nothing_else_than(&["syn-recv-return-path"]);
}

/// A server that is stopped with so many clients in its queue, for more than a second.
fn stopped(link: &Link, name: &str, port: u16, clients: &mut Puppet, number: u32) -> Puppet {
    let mut server = Puppet::new(&link.near, name);
    server.run(&format!("l = listen('10.77.0.1', {port}, 128)"));
    server.begin("os.kill(os.getpid(), signal.SIGSTOP)");
    clients.run(&format!("kept = [connect('10.77.0.1', {port}) for _ in range({number})]"));
    let waits = format!("state = ESTABLISHED and local.port = {port} and last_ack_recv > 1100ms");
    wait_for(&link.near, number as usize, &waits);
    server
}

#[test]
fn a_stopped_process_accepts_nobody() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut clients = Puppet::new(&link.far, "clients");
    let server = stopped(&link, "haproxy", 80, &mut clients, 20);
    let diagnosis = Diagnosis::of(&link.near);
    let pid = server.pid().to_string();
    diagnosis.finds("accept-stalled", Warning, &["80", "haproxy", &pid]);
    diagnosis.and_nothing_else_than(&["accept-stalled"]);
}

#[test]
fn clients_that_gave_up_in_the_queue_are_nobodys_leak() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut clients = Puppet::new(&link.far, "clients");
    let _server = stopped(&link, "java", 8080, &mut clients, 20);
    clients.run("[one.close() for one in kept]");
    wait_for(&link.near, 20, "state = CLOSE_WAIT");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("accept-stalled", Critical, &["8080", "java"]);
    // The program cannot close what it never got.
    assert_eq!(diagnosis.of_rule("close-wait-leak").count(), 0, "{diagnosis:#?}");
    diagnosis.and_nothing_else_than(&["accept-stalled"]);
}

#[test]
fn a_program_that_polls_with_select_stops_at_1024_descriptors() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "php");
    server.run("limit_descriptors(8192); l = listen('10.77.0.1', 8080, 4096); kept = []");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("limit_descriptors(4096)");
    clients.run("kept = [connect('10.77.0.1', 8080) for _ in range(1100)]");
    server.run(
        "
        while not kept or kept[-1].fileno() < 1023:
            kept.extend(accept(l))
        ",
    );
    wait_for(&link.near, 1100, "state = ESTABLISHED and last_ack_recv > 1100ms");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("accept-stalled", Warning, &["8080", "php"]);
    assert!(found.to_string().contains("select"), "{found:#}");
    diagnosis.and_nothing_else_than(&["accept-stalled"]);
}

#[test]
fn a_process_without_descriptors_leaves_clients_in_the_queue() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.near, "gunicorn");
    server.run("limit_descriptors(24); l = listen('10.77.0.1', 8000, 128); kept = []");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [connect('10.77.0.1', 8000) for _ in range(40)]");
    let refused = server.run(
        "
        try:
            while True:
                kept.extend(accept(l))
        except OSError as error:
            refused = errno.errorcode[error.errno]
        ",
    );
    assert!(refused.is_null());
    assert_eq!(server.run("refused"), "EMFILE");
    wait_for(&link.near, 40, "state = ESTABLISHED and last_ack_recv > 1100ms");
    let diagnosis = Diagnosis::of(&link.near);
    let pid = server.pid().to_string();
    diagnosis.finds("fd-limit-process", Critical, &["gunicorn", &pid]);
    diagnosis.finds("accept-stalled", Warning, &["8000", "gunicorn"]);
    diagnosis.and_nothing_else_than(&["fd-limit-process", "accept-stalled"]);
}

#[test]
fn one_of_two_reuseport_listeners_is_stuck() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let share = "[(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]";
    let mut workers = ["unicorn-stuck", "unicorn-busy"].map(|name| {
        let mut worker = Puppet::new(&link.near, name);
        worker.run(&format!("l = listen('10.77.0.1', 9000, 16, {share})"));
        worker
    });
    workers[1].begin("serve(l)");
    let mut clients = Puppet::new(&link.far, "clients");
    clients.run("kept = [begin('10.77.0.1', 9000) for _ in range(60)]");
    wait_for(&link.near, 1, "state = LISTEN and accept_queue > 16");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("reuseport-skew", Warning, &["9000"]);
    diagnosis.and_nothing_else_than(&["reuseport-skew", "accept-queue-overflow", "accept-stalled"]);
}
