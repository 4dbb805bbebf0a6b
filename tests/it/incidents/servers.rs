//! Real servers under load: well set up ones are well, and others are named.

use super::{
    diagnosis::{Diagnosis, Severity::Notice},
    settings, wait_for,
};
use crate::lab::{
    deadline::{PATIENCE, eventually},
    link::Link,
    requirement::require_live,
    server::{Load, Server, postgres_program},
};
use std::process::Command;

/// A service on Node.js at the far end, on port 3000.
const SERVICE: &str =
    "require('http').createServer((request, response) => response.end('hello')).listen(3000)";

/// wrk, with connections that it keeps.
fn requests(link: &Link) -> Load {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t", "1", "-c", "16", "-d", "30", "http://10.77.0.1/"]);
    Load::start(&link.far, &mut wrk)
}

#[test]
fn nginx_that_keeps_its_connections_to_node_is_well_and_so_is_node() {
    if !require_live(&["ip", "nginx", "node", "wrk"]) {
        return;
    }
    let link = Link::new();
    let _service = Server::node(&link.far, SERVICE, "10.77.0.10:3000");
    let proxy = "
        upstream service { server 10.77.0.10:3000; keepalive 32; }
        server {
            listen 10.77.0.1:80;
            keepalive_requests 1000000;
            location / {
                proxy_pass http://service;
                proxy_http_version 1.1;
                proxy_set_header Connection '';
            }
        }";
    let _nginx = Server::nginx(&link.near, proxy, "10.77.0.1:80");
    let mut load = requests(&link);
    wait_for(&link.near, 16, "state = ESTABLISHED and local.port = 80");
    Diagnosis::of(&link.near).is_calm();
    Diagnosis::of(&link.far).is_calm();
    assert!(load.runs());
}

#[test]
fn nginx_without_upstream_keepalive_is_told_how_to_reuse() {
    if !require_live(&["ip", "nginx", "node", "wrk"]) {
        return;
    }
    let link = Link::new();
    // Each answer takes so long that whose connection it is can be seen.
    let slow = SERVICE.replace(
        "response.end('hello')",
        "setTimeout(() => response.end(), 500 + Math.random() * 1000)",
    );
    let _service = Server::node(&link.far, &slow, "10.77.0.10:3000");
    // By address and not by upstream block: no connection is kept. It asks Node to close, so that
    // TIME_WAIT is there and not here.
    let proxy = "server { listen 10.77.0.1:80; location / { proxy_pass http://10.77.0.10:3000; } }";
    let _nginx = Server::nginx(&link.near, proxy, "10.77.0.1:80");
    let mut load = requests(&link);
    wait_for(&link.near, 8, "peer.port = 3000");
    // So few a second are a matter of course elsewhere.
    let few = "notice_per_second = 1\nnotice_times_open = 0.1";
    let few = settings(&format!("[rules.short-lived-connections]\n{few}"));
    let diagnosis = Diagnosis::with(&link.near, &few.switch());
    let found =
        diagnosis.finds("short-lived-connections", Notice, &["10.77.0.10", "3000", "nginx"]);
    assert!(found["remedies"].to_string().contains("proxy_http_version 1.1"), "{found:#}");
    let told = ["short-lived-connections", "ephemeral-port-pressure", "connect-port-scan"];
    diagnosis.and_nothing_else_than(&told);
    assert!(load.runs());
}

#[test]
fn redis_with_pipelining_is_well() {
    if !require_live(&["ip", "redis-server", "redis-benchmark"]) {
        return;
    }
    let link = Link::new();
    let _redis = Server::redis(&link.near, "10.77.0.1:6379");
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args(["-h", "10.77.0.1", "-P", "16", "-c", "50", "-n", "100000000", "-t", "set,get"]);
    let mut load = Load::start(&link.far, &mut benchmark);
    wait_for(&link.near, 50, "state = ESTABLISHED and local.port = 6379");
    Diagnosis::of(&link.near).is_calm();
    Diagnosis::of(&link.far).is_calm();
    assert!(load.runs());
}

#[test]
fn postgres_with_a_pool_is_well() {
    if !require_live(&["ip", "setpriv", "pgbench"]) {
        return;
    }
    let link = Link::new();
    let _postgres = Server::postgres(&link.near, "10.77.0.1:5432");
    let pgbench = |switches: &[&str]| {
        let mut command = Command::new(postgres_program("pgbench"));
        command.args(["-h", "10.77.0.1", "-U", "postgres"]).args(switches).arg("postgres");
        command
    };
    // It answers before it has started up, and says so.
    let filled = || link.far.output(&mut pgbench(&["-i", "-q"])).status.success();
    assert!(eventually(PATIENCE, filled));
    let mut load = Load::start(&link.far, &mut pgbench(&["-n", "-S", "-c", "20", "-T", "60"]));
    wait_for(&link.near, 20, "state = ESTABLISHED and local.port = 5432");
    Diagnosis::of(&link.near).is_calm();
    Diagnosis::of(&link.far).is_calm();
    assert!(load.runs());
}
