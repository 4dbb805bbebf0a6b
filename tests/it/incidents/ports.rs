//! Local ports for outgoing connections: used up, held by bind(2), taken from services.

use super::{
    diagnosis::{
        Diagnosis,
        Severity::{Critical, Notice, Warning},
    },
    wait_for,
};
use crate::lab::{link::Link, namespace::Namespace, puppet::Puppet, requirement::require_live};

/// Few ports towards one destination are one story, whatever part of it is told.
const EXHAUSTION: &[&str] =
    &["ephemeral-port-pressure", "connect-port-scan", "short-lived-connections"];

/// So are ports that were bound first, where all go to one destination.
const BOUND: &[&str] = &["bind-before-connect", "ephemeral-port-pressure", "connect-port-scan"];

/// A wire whose near end has a hundred ports, and servers at the far end.
fn hundred_ports(ports: &[u16]) -> (Link, Vec<Puppet>) {
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099");
    let servers = ports.iter().map(|port| server(&link.far, "0.0.0.0", *port)).collect();
    (link, servers)
}

/// A server that answers whoever comes, until the test says something.
fn server(namespace: &Namespace, address: &str, port: u16) -> Puppet {
    let mut server = Puppet::new(namespace, "server");
    server.run(&format!("l = listen('{address}', {port}, 1000)"));
    server.begin("serve(l)");
    server
}

#[test]
fn a_load_generator_without_reuse_has_no_port_left() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[443]);
    let mut k6 = Puppet::new(&link.near, "k6");
    k6.run("live = connect('10.77.0.10', 443); [visit('10.77.0.10', 443) for _ in range(94)]");
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("ephemeral-port-pressure", Critical, &["10.77.0.10", "443"]);
    assert!(found.to_string().contains("k6"), "nobody is named: {found:#}");
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn of_two_destinations_only_the_one_without_reuse_is_named() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[8000, 8443]);
    let mut openresty = Puppet::new(&link.near, "nginx");
    openresty.run("[visit('10.77.0.10', 8000) for _ in range(95)]");
    openresty.run("pool = [connect('10.77.0.10', 8443) for _ in range(20)]");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("ephemeral-port-pressure", Critical, &["10.77.0.10", "8000"]);
    let https = diagnosis.of_rule("ephemeral-port-pressure");
    assert_eq!(https.filter(|f| f["subject"].to_string().contains("8443")).count(), 0);
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn a_development_proxy_uses_up_its_way_to_localhost() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099");
    namespace.set_sysctl("net.ipv4.tcp_tw_reuse", "0");
    let _server = server(&namespace, "127.0.0.1", 5173);
    let mut wails = Puppet::new(&namespace, "wails");
    wails.run("[visit('127.0.0.1', 5173) for _ in range(95)]");
    let diagnosis = Diagnosis::of(&namespace);
    diagnosis.finds("ephemeral-port-pressure", Critical, &["127.0.0.1", "5173"]);
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn a_tls_proxy_has_one_tuple_to_its_cache() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099");
    namespace.set_sysctl("net.ipv4.tcp_tw_reuse", "0");
    let _server = server(&namespace, "::1", 6086);
    let mut hitch = Puppet::new(&namespace, "hitch");
    hitch.run("live = connect('::1', 6086); [visit('::1', 6086) for _ in range(94)]");
    let diagnosis = Diagnosis::of(&namespace);
    let found = diagnosis.finds("ephemeral-port-pressure", Critical, &["::1", "6086"]);
    let capacity = found["remedies"].as_array().unwrap().iter();
    assert!(capacity.filter(|remedy| remedy["tier"] == "capacity").count() > 0, "{found:#}");
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn ports_that_a_finished_run_left_behind_are_still_taken() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[8080]);
    let mut wrk = Puppet::new(&link.near, "wrk");
    wrk.run("[visit('10.77.0.10', 8080) for _ in range(96)]");
    drop(wrk);
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("ephemeral-port-pressure", Critical, &["10.77.0.10", "8080"]);
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn a_new_connection_for_each_request_is_told_before_ports_run_out() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[9200]);
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "40000 42999");
    let mut gateway = Puppet::new(&link.near, "gateway");
    gateway.begin("every(0.025, lambda: visit('10.77.0.10', 9200))");
    wait_for(&link.near, 20, "state = TIME_WAIT");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("short-lived-connections", Warning, &["10.77.0.10", "9200"]);
    diagnosis.and_nothing_else_than(EXHAUSTION);
}

#[test]
fn a_host_without_any_socket_at_the_first_look_is_judged() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[8051]);
    let mut client = Puppet::new(&link.near, "cron");
    let diagnosis = Diagnosis::across(&link.near, || {
        client.run("[visit('10.77.0.10', 8051) for _ in range(36)]");
    });
    diagnosis.finds("short-lived-connections", Notice, &["10.77.0.10", "8051"]);
}

#[test]
fn a_server_that_says_connection_close_costs_a_connection_each_time() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut server = Puppet::new(&link.far, "server");
    server.run("l = listen('0.0.0.0', 9200, 1000)");
    server.begin("close_first(l)");
    let mut client = Puppet::new(&link.near, "dotnet");
    client.run(
        "
        # Each lives for a tenth of a second, until the server's FIN has been read.
        alive = []
        def one():
            alive.append(connect('10.77.0.10', 9200))
            if len(alive) > 5:
                oldest = alive.pop(0)
                oldest.recv(1)
                oldest.close()
        ",
    );
    client.begin("every(0.02, one)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("short-lived-connections", Notice, &["10.77.0.10", "9200"]);
    diagnosis.is_calm();
}

#[test]
fn a_proxy_that_binds_before_it_connects_reserves_ports_against_everybody() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[8051]);
    let mut envoy = Puppet::new(&link.near, "envoy");
    envoy.run(
        "
        kept = [connect(f'10.77.0.{10 + n % 3}', 8051, ('10.77.0.1', 0)) for n in range(95)]
        ",
    );
    let diagnosis = Diagnosis::of(&link.near);
    let found = diagnosis.finds("bind-before-connect", Critical, &["envoy"]);
    assert!(found["remedies"].to_string().contains("IP_BIND_ADDRESS_NO_PORT"), "{found:#}");
    // One story: each destination has few connections of its own.
    diagnosis.and_nothing_else_than(&["bind-before-connect"]);
}

#[test]
fn bind_address_no_port_keeps_ports_for_everybody() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[8051]);
    let mut envoy = Puppet::new(&link.near, "envoy");
    envoy.run(
        "
        no_port = [(socket.IPPROTO_IP, 24, 1)]
        kept = [connect(f'10.77.0.{10 + n % 3}', 8051, ('10.77.0.1', 0), no_port) for n in range(95)]
        ",
    );
    let diagnosis = Diagnosis::of(&link.near);
    assert_eq!(diagnosis.of_rule("bind-before-connect").count(), 0, "{diagnosis:#?}");
    diagnosis.is_calm();
}

#[test]
fn ports_bound_on_another_address_are_seen_from_proc_alone() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.ip_local_port_range", "47000 47039");
    let _server = server(&namespace, "127.0.0.1", 8402);
    let mut sidecar = Puppet::new(&namespace, "pilot-agent");
    sidecar.run("kept = [connect('127.0.0.1', 8402, ('127.0.0.6', 0)) for _ in range(38)]");
    let diagnosis = Diagnosis::with(&namespace, "--source proc");
    diagnosis.finds("bind-before-connect", Critical, &["pilot-agent"]);
    diagnosis.and_nothing_else_than(BOUND);
}

#[test]
fn a_service_port_in_the_ephemeral_range_is_lost_at_a_restart() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let (link, _servers) = hundred_ports(&[2379]);
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "44001 44002");
    let mut ingress = Puppet::new(&link.near, "ingress");
    ingress.run("l = listen('0.0.0.0', 44001, 10)");
    let mut apiserver = Puppet::new(&link.near, "kube-apiserver");
    let diagnosis = Diagnosis::across(&link.near, || {
        ingress.run("l.close()");
        apiserver.run("kept = [connect('10.77.0.10', 2379) for _ in range(2)]");
    });
    diagnosis.finds("service-port-in-ephemeral-range", Warning, &["44001"]);
    let told = ["service-port-in-ephemeral-range", "ephemeral-port-pressure", "connect-port-scan"];
    diagnosis.and_nothing_else_than(&told);
}

#[test]
fn a_service_that_listens_in_the_ephemeral_range_is_only_noticed() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    let mut agent = Puppet::new(&link.near, "agent");
    agent.run("l = listen('0.0.0.0', 50103, 10)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("service-port-in-ephemeral-range", Notice, &["50103", "agent"]);
    diagnosis.is_calm();
    link.near.set_sysctl("net.ipv4.ip_local_reserved_ports", "50103");
    let reserved = Diagnosis::of(&link.near);
    assert_eq!(reserved.of_rule("service-port-in-ephemeral-range").count(), 0, "{reserved:#?}");
}

#[test]
fn a_range_from_1024_swallows_known_services() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "1024 65535");
    let mut kubelet = Puppet::new(&link.near, "kubelet");
    kubelet.run("l = listen('0.0.0.0', 10250, 100)");
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("port-range-too-wide", Warning, &[]);
    diagnosis.and_nothing_else_than(&["port-range-too-wide"]);
}

#[test]
fn udp_has_one_range_of_ports_for_all_destinations() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let link = Link::new();
    link.near.set_sysctl("net.ipv4.ip_local_port_range", "46000 46019");
    let mut resolver = Puppet::new(&link.near, "resolver");
    resolver.run(
        "
        kept = []
        for n in range(20):
            kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            kept[-1].connect((f'10.77.0.{10 + n % 3}', 53))
        ",
    );
    let diagnosis = Diagnosis::of(&link.near);
    diagnosis.finds("udp-port-exhaustion", Critical, &["resolver"]);
    diagnosis.and_nothing_else_than(&["udp-port-exhaustion"]);
}

#[test]
fn a_client_that_retries_a_dead_local_port_connects_to_itself() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.ip_local_port_range", "45000 45009");
    let mut agent = Puppet::new(&namespace, "agent");
    agent.run(
        "
        while True:
            try:
                kept = connect('127.0.0.1', 45004)
                break
            except ConnectionRefusedError:
                pass
        ",
    );
    let diagnosis = Diagnosis::of(&namespace);
    diagnosis.finds("self-connect", Warning, &["127.0.0.1", "45004", "agent"]);
    diagnosis.and_nothing_else_than(&["self-connect"]);
}
