//! Local ports for outgoing connections: used up, held by bind(2), taken from services.

use super::diagnosis::{
    Diagnosis,
    Severity::{Critical, Warning},
};
use crate::lab::{link::Link, namespace::Namespace, puppet::Puppet, requirement::require_live};

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
