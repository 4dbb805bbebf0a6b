//! Connections are closed in known numbers, at known rates, by known processes; the report must
//! say what was done, and must warn before connect(2) fails.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    process::Script,
    program::{Run, sockeye},
    requirement::require_live,
    transport::{at, listener, read_to_end, tcp},
};
use nix::libc::EADDRNOTAVAIL;
use serde_json::Value;
use socket2::Socket;
use std::{
    collections::BTreeMap,
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A connection to a listener of this process, from a port that connect(2) chose.
fn connect(to: SocketAddr, server: &Socket) -> io::Result<(Socket, Socket)> {
    let client = tcp(to.ip());
    client.connect(&to.into())?;
    Ok((client, server.accept()?.0))
}

/// Closes a connection in an orderly way: when this returns `first` is in TIME_WAIT.
fn close(first: Socket, second: Socket) {
    first.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(&second);
    drop(second);
    read_to_end(&first);
    drop(first);
}

/// Opens connections and closes them from the client's side.
fn client_closes(number: u32, to: SocketAddr, server: &Socket) {
    for _ in 0..number {
        let (client, accepted) = connect(to, server).unwrap();
        close(client, accepted);
    }
}

/// The report as JSON.
fn report(namespace: &Namespace, switches: &str) -> Value {
    let run: Run = sockeye(namespace, &format!("time-wait --json {switches}"));
    assert_eq!(run.code, 0, "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["schema"], "sockeye.time-wait/1");
    report
}

/// The one group with these values.
fn group<'r>(report: &'r Value, wanted: &[(&str, Value)]) -> &'r Value {
    let is_wanted = |group: &&Value| wanted.iter().all(|(key, value)| group[key] == *value);
    let found: Vec<&Value> =
        report["groups"].as_array().unwrap().iter().filter(is_wanted).collect();
    assert_eq!(found.len(), 1, "{wanted:?} in {}", report["groups"]);
    found[0]
}

fn towards(report: &Value, port: u16) -> &Value {
    group(report, &[("side", "client".into()), ("peer_port", port.into())])
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// Sum of an array of numbers, or of a key of its objects.
fn sum(array: &Value, key: Option<&str>) -> u64 {
    let one = |value: &Value| key.map_or(value, |key| &value[key]).as_u64().unwrap();
    array.as_array().unwrap().iter().map(one).sum()
}

fn near(value: &Value, wanted: f64, tolerance: f64) {
    let value = number(value);
    assert!((value - wanted).abs() <= tolerance, "{value} is not {wanted} ± {tolerance}");
}

/// A namespace where TIME_WAIT is not taken over, with so many ports.
fn namespace(ports: &str) -> Namespace {
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.tcp_tw_reuse", "0");
    namespace.set_sysctl("net.ipv4.ip_local_port_range", ports);
    namespace
}

#[test]
fn rates_and_history_are_those_of_the_closes() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 40999");
    let (fast, slow) = (at(LOOPBACK, 7001), at(LOOPBACK, 7002));
    let (fast_server, slow_server) = namespace.run(|| (listener(fast, 100), listener(slow, 100)));
    // 30 a second and 10 a second, for eight seconds.
    let (rounds, every) = (80u32, Duration::from_millis(100));
    let (during, took) = thread::scope(|scope| {
        let closing = scope.spawn(|| {
            let start = Instant::now();
            for round in 1..=rounds {
                namespace.run(|| {
                    client_closes(3, fast, &fast_server);
                    client_closes(1, slow, &slow_server);
                });
                thread::sleep((every * round).saturating_sub(start.elapsed()));
            }
            start.elapsed()
        });
        let begun = || sum(&report(&namespace, "--interval 0.1")["age_histogram"], Some("count"));
        assert!(eventually(Duration::from_secs(5), || begun() >= 60));
        (report(&namespace, "--interval 3"), closing.join().unwrap())
    });
    let real = f64::from(rounds) / took.as_secs_f64();

    assert_eq!(during["rate_source"], "counters");
    near(&during["rate_per_second"], 4.0 * real, 4.0);
    let expected = number(&during["rate_per_second"]) * 60.0;
    near(&during["expected_total"], expected, 1.0);
    assert_eq!((&during["trend"], &during["overflows"]), (&"burst".into(), &0.into()));
    let (fast_group, slow_group) = (towards(&during, 7001), towards(&during, 7002));
    near(&fast_group["rate_per_second"], 3.0 * real, 3.0);
    near(&slow_group["rate_per_second"], real, 1.5);
    for second in [0, 1] {
        near(&fast_group["closed_per_second"][second], 3.0 * real, 6.0);
        near(&slow_group["closed_per_second"][second], real, 2.0);
    }
    // 1000 ports: at 30 a second they end within the minute, at 10 a second they never do.
    let left = 1000.0 - number(&fast_group["ports_in_use"]);
    near(&fast_group["time_to_full_s"], left / number(&fast_group["rate_per_second"]), 1.5);
    assert_eq!(slow_group["time_to_full_s"], Value::Null);
    near(&fast_group["rate_ceiling_per_second"], 1000.0 / 60.0, 0.01);

    for switches in ["--interval 0.5", "--interval 0.5 --source proc"] {
        let after = report(&namespace, switches);
        assert_eq!(after["total"], rounds * 4, "{switches}");
        assert_eq!((&after["server_side"], &after["trend"]), (&0.into(), &"decay".into()));
        assert_eq!(sum(&after["age_histogram"], Some("count")), u64::from(rounds * 4));
        assert_eq!(sum(&after["closed_per_second"], None), u64::from(rounds * 4));
        assert_eq!(towards(&after, 7001)["count"], rounds * 3);
        assert_eq!(towards(&after, 7001)["ports_in_use"], rounds * 3);
        assert_eq!(towards(&after, 7002)["count"], rounds);
        let oldest = number(&towards(&after, 7001)["oldest_age_ms"]);
        assert!(oldest >= took.as_secs_f64() * 1000.0 - 200.0, "{oldest} after {took:?}");
    }
}

/// A group's closes, as the report tells them of each second, against when they were made: each second
/// may have taken some of its neighbours', which half a second later or sooner would be theirs.
fn closed_when(group: &Value, looked_at: SystemTime, made: &[SystemTime]) {
    let told = group["closed_per_second"].as_array().unwrap();
    assert_eq!(group["count"], made.len(), "{group}");
    let mut so_far = 0;
    for (second, more) in (1u32..).zip(told) {
        so_far += more.as_u64().unwrap();
        let younger_than = |seconds: f64| {
            let is_younger = |at: &&SystemTime| {
                looked_at.duration_since(**at).is_ok_and(|age| age.as_secs_f64() < seconds)
            };
            made.iter().filter(is_younger).count() as u64
        };
        let (least, most) =
            (younger_than(f64::from(second) - 0.5), younger_than(f64::from(second) + 0.5));
        assert!(
            (least..=most).contains(&so_far),
            "{so_far} closed within {second} s, not {least} to {most}: {group}"
        );
    }
    assert_eq!(so_far, made.len() as u64);
}

#[test]
fn one_look_tells_when_everything_was_closed_within_the_minute() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 44999");
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let ends = [at(LOOPBACK, 7101), at(LOOPBACK, 7102), at(v6, 7103)];
    let servers = namespace.run(|| ends.map(|end| listener(end, 100)));
    // The last is closed by the side of the server, the others by that of the client.
    let mut closed: [BTreeMap<u16, SystemTime>; 3] = Default::default();
    for burst in [[70, 3, 20], [0, 20, 1], [150, 0, 40], [10, 10, 10], [90, 1, 0], [0, 40, 60]] {
        for (number, index) in burst.into_iter().zip(0..) {
            for _ in 0..number {
                let port = namespace.run(|| {
                    let (client, accepted) = connect(ends[index], &servers[index]).unwrap();
                    let port = client.local_addr().unwrap().as_socket().unwrap().port();
                    if index == 2 {
                        close(accepted, client);
                    } else {
                        close(client, accepted);
                    }
                    port
                });
                // A client that gets the port of an earlier one ends the TIME_WAIT of the server's side.
                closed[index].insert(port, SystemTime::now());
            }
        }
        thread::sleep(Duration::from_millis(1_300));
    }
    // Beside connections that stay.
    let kept = namespace.run(|| {
        let open = |index: usize| connect(ends[index], &servers[index]).unwrap();
        (0..300).map(|n| open(n % 3)).collect::<Vec<_>>()
    });
    for (number, (client, _)) in kept.iter().enumerate() {
        let port = client.local_addr().unwrap().as_socket().unwrap().port();
        closed[number % 3].remove(&port);
    }
    let made = closed.map(|of_port| of_port.into_values().collect::<Vec<_>>());
    for switches in ["--interval 1", "--interval 1 --source proc"] {
        let report = report(&namespace, switches);
        let looked_at = report["generated_at"].as_str().unwrap();
        let looked_at: jiff::Timestamp = looked_at.parse().unwrap();
        let looked_at = u64::try_from(looked_at.as_millisecond()).unwrap();
        let looked_at = SystemTime::UNIX_EPOCH + Duration::from_millis(looked_at);
        let all: Vec<SystemTime> = made.iter().flatten().copied().collect();
        let clients = made[0].len() + made[1].len();
        assert_eq!(
            (&report["total"], &report["client_side"]),
            (&all.len().into(), &clients.into()),
            "{switches}: {report}"
        );
        let of_all = serde_json::json!({
            "count": report["total"], "closed_per_second": report["closed_per_second"]
        });
        closed_when(&of_all, looked_at, &all);
        for (index, port) in [7101, 7102].into_iter().enumerate() {
            let group = towards(&report, port);
            closed_when(group, looked_at, &made[index]);
            assert_eq!((&group["alive"], &group["peer_addresses"]), (&100.into(), &1.into()));
            // What is open takes ports as well.
            assert_eq!(group["ports_in_use"], made[index].len() + 100, "{group}");
        }
        let server = group(&report, &[("side", "server".into()), ("local_port", 7103.into())]);
        closed_when(server, looked_at, &made[2]);
    }
    drop(kept);
}

#[test]
fn where_nothing_is_in_time_wait_that_is_said_and_as_soon_as_something_is() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 40099");
    let to = at(LOOPBACK, 7104);
    let (server, kept) = namespace.run(|| {
        let server = listener(to, 100);
        let kept: Vec<_> = (0..20).map(|_| connect(to, &server).unwrap()).collect();
        (server, kept)
    });
    let none = report(&namespace, "--interval 0.1");
    assert_eq!((&none["total"], &none["groups"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(
        (&none["verdict"], &none["source"]["kind"]),
        (&"harmless".into(), &"netlink".into())
    );
    namespace.run(|| client_closes(1, to, &server));
    let one = report(&namespace, "--interval 0.1");
    assert_eq!((&one["total"], &towards(&one, 7104)["alive"]), (&1.into(), &20.into()));
    drop(kept);
}

#[test]
fn twenty_thousand_on_the_side_of_a_server_are_harmless() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let any = at(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7080);
    let server = namespace.run(|| listener(any, 100));
    // Each from a 4-tuple of its own: a connection from one that is in TIME_WAIT here takes its
    // place, and left to itself the kernel came round to some again in one run of four.
    let connect = |n: u16| {
        let last = u8::try_from(n % 50 + 1).unwrap();
        let client = tcp(LOOPBACK);
        client.set_reuse_address(true).unwrap();
        client.bind(&at(LOOPBACK, 20_000 + n / 50).into()).unwrap();
        client.connect(&at(IpAddr::V4(Ipv4Addr::new(127, 0, 1, last)), 7080).into()).unwrap();
        (client, server.accept().unwrap().0)
    };
    namespace.run(|| {
        for n in 0..20_000 {
            let (client, accepted) = connect(n);
            close(accepted, client);
        }
    });
    for switches in ["--interval 0.1", "--interval 0.1 --source proc"] {
        let report = report(&namespace, switches);
        let seen = (&report["verdict"], &report["total"]);
        let gauges = namespace.output(Command::new("cat").arg("/proc/net/sockstat"));
        let gauges = String::from_utf8_lossy(&gauges.stdout).into_owned();
        assert_eq!(seen, (&"harmless".into(), &20_000.into()), "{switches}: {gauges:?} {report}");
        assert_eq!((&report["server_side"], &report["client_side"]), (&20_000.into(), &0.into()));
        let group = group(&report, &[("side", "server".into())]);
        assert_eq!((&group["local_port"], &group["count"]), (&7080.into(), &20_000.into()));
        assert_eq!((&group["verdict"], &group["listening"]), (&"harmless".into(), &true.into()));
        assert_eq!(group["ports_usable"], Value::Null);
        let sysctl = |remedy: &Value| remedy["tier"] == "sysctl" || remedy["tier"] == "socket";
        assert!(!report["advice"].as_array().unwrap().iter().any(sysctl), "{}", report["advice"]);
    }
    let page = sockeye(&namespace, "time-wait --interval 0.1").stdout;
    assert!(page.starts_with("harmless: 20000 in TIME_WAIT"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    // The proof: the very same 4-tuples can be used at once.
    namespace.run(|| {
        for n in 0..100 {
            drop(connect(n));
        }
    });
}

#[test]
fn a_client_is_warned_before_connect_fails_and_the_advice_works() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 40099");
    let to = at(LOOPBACK, 7003);
    let server = namespace.run(|| listener(to, 100));
    let closes = |n| namespace.run(|| client_closes(n, to, &server));
    let seen = |switches: &str| {
        let report = report(&namespace, switches);
        let group = towards(&report, 7003);
        assert_eq!(report["verdict"], group["verdict"]);
        let (verdict, reason) = (group["verdict"].clone(), group["reason"].clone());
        (verdict, reason, group["ports_in_use"].as_u64().unwrap(), report)
    };
    let is = |found: &(Value, Value, u64, Value), verdict: &str, reason: &str, in_use: u64| {
        assert_eq!((&found.0, &found.1, found.2), (&verdict.into(), &reason.into(), in_use));
    };
    closes(49);
    // What was closed within the window is a rate: wait until it is not.
    let quiet = || number(&towards(&report(&namespace, "--interval 0.1"), 7003)["rate_per_second"]);
    assert!(eventually(Duration::from_secs(5), || quiet() < 0.1));
    is(&seen("--interval 0.1"), "harmless", "ports-left", 49);
    closes(1);
    assert!(eventually(Duration::from_secs(5), || quiet() < 0.1));
    is(&seen("--interval 0.1"), "watch", "port-search", 50);
    closes(39);
    assert!(eventually(Duration::from_secs(5), || quiet() < 0.1));
    is(&seen("--interval 0.1"), "watch", "port-search", 89);
    closes(1);
    is(&seen("--interval 0.1"), "harmful", "ports-nearly-gone", 90);
    is(&seen("--interval 0.1 --source proc"), "harmful", "ports-nearly-gone", 90);

    // It said so while connect(2) still found a port.
    closes(10);
    let refused = namespace.run(|| connect(to, &server).unwrap_err());
    assert_eq!(refused.raw_os_error(), Some(EADDRNOTAVAIL));
    let full = seen("--interval 0.1");
    is(&full, "harmful", "ports-nearly-gone", 100);
    assert_eq!(towards(&full.3, 7003)["time_to_full_s"], 0);
    let page = sockeye(&namespace, "time-wait --interval 0.1").stdout;
    assert!(page.starts_with("harmful: 100 of 100 local ports from 127.0.0.1 to 127.0.0.1:7003"));
    for heading in ["What to do, in this order", "What not to do", "Closed in the last minute"] {
        assert!(page.lines().any(|line| line.starts_with(heading)), "{heading} in {page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");

    // What it says, done.
    let commands: Vec<&str> =
        full.3["advice"].as_array().unwrap().iter().filter_map(|r| r["command"].as_str()).collect();
    assert!(commands.contains(&"sysctl -w net.ipv4.tcp_tw_reuse=1"), "{commands:?}");
    namespace.set_sysctl("net.ipv4.tcp_tw_reuse", "1");
    let taken_over = || namespace.run(|| connect(to, &server).is_ok());
    assert!(eventually(Duration::from_secs(5), taken_over));
    // A TIME_WAIT must be older than a second for that.
    let settled = || seen("--interval 0.1").1 == "reused";
    assert!(eventually(Duration::from_secs(5), settled));
    let after = seen("--interval 0.1");
    is(&after, "harmless", "reused", after.2);
    let again = after.3["advice"].to_string();
    assert!(!again.contains("tcp_tw_reuse=1"), "advises what is so already: {again}");
}

#[test]
fn owners_are_certain_likely_or_possible() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("time_wait.py")]);
    let (_script, line) = Script::start(&namespace, &mut python);
    let pids: HashMap<String, u32> = serde_json::from_str(&line).unwrap();
    // Closed by this process, which lives elsewhere: nobody can be named for certain.
    let (shared, alone) = (at(LOOPBACK, 7200), at(LOOPBACK, 7300));
    namespace.run(|| {
        for _ in 0..5 {
            let client = tcp(LOOPBACK);
            client.connect(&shared.into()).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            read_to_end(&client);
        }
        let server = listener(alone, 10);
        client_closes(5, alone, &server);
    });
    let owners = |report: &Value, port, key: &str| -> Vec<(u64, String, String, Value)> {
        let owners = towards(report, port)[key].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        owners
            .iter()
            .map(|o| {
                let pid = o["pid"].as_u64().unwrap();
                (pid, text(&o["command"]), text(&o["confidence"]), o["share"].clone())
            })
            .collect()
    };
    let owner = |name: &str, confidence: &str, share: f64| {
        (u64::from(pids[name]), name.to_owned(), confidence.to_owned(), Value::from(share))
    };
    // What a connection was is certain if it was closed while it was followed: on a busy machine clients
    // that close twenty a second may come to none of them.
    let mut netlink = report(&namespace, "");
    let is_followed = |report: &Value, port| owners(report, port, "owners")[0].2 == "certain";
    let both_were_seen = || {
        let were_seen = is_followed(&netlink, 7100) && is_followed(&netlink, 7150);
        if !were_seen {
            netlink = report(&namespace, "");
        }
        were_seen
    };
    assert!(eventually(PATIENCE, both_were_seen), "{netlink}");
    assert_eq!(owners(&netlink, 7100, "owners"), [owner("visitor", "certain", 1.0)]);
    assert_eq!(owners(&netlink, 7100, "peer_owners"), [owner("served", "certain", 1.0)]);
    // An IPv6 socket with IPv4-mapped addresses, as Java has them, is asked about by its own.
    assert_eq!(owners(&netlink, 7150, "owners"), [owner("mapped", "certain", 1.0)]);
    let seen = towards(&netlink, 7100)["owners"][0]["sockets_seen"].as_u64().unwrap();
    assert!(seen > 0 && seen < 40, "{seen} of about 20");
    let likely = [owner("three", "likely", 0.75), owner("one", "likely", 0.25)];
    assert_eq!(owners(&netlink, 7200, "owners"), likely);
    let possible = owners(&netlink, 7300, "owners");
    assert_eq!(possible.len(), 4, "{possible:?}");
    assert!(possible.iter().all(|(_, _, confidence, _)| confidence == "possible"));

    // /proc has no cookies: what was certain is likely.
    let proc = report(&namespace, "--source proc");
    assert_eq!(owners(&proc, 7100, "owners"), [owner("visitor", "likely", 1.0)]);
    assert_eq!(owners(&proc, 7200, "owners"), likely);
}

#[test]
fn whose_most_of_many_connections_are_a_part_of_the_descriptors_tells_and_of_few_all_of_them() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (most, rest, few) = (8_250, 2_750, 5);
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("time_wait_many.py")]);
    python.args([most, rest, few].map(|number: u32| number.to_string()));
    let (mut script, line) = Script::start(&namespace, &mut python);
    let pids: HashMap<String, u32> = serde_json::from_str(&line).unwrap();
    let pid = |name: &str| u64::from(pids[name]);
    // Closed by this process, which lives elsewhere: whose it was is told by who has others.
    let close_one = |port| {
        namespace.run(|| {
            let client = tcp(LOOPBACK);
            client.connect(&at(LOOPBACK, port).into()).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            read_to_end(&client);
        });
    };
    let owners = |report: &Value, port, key: &str| -> Vec<(u64, String, Option<f64>)> {
        let owners = towards(report, port)[key].as_array().unwrap().clone();
        let told = |owner: &Value| {
            let confidence = owner["confidence"].as_str().unwrap().to_owned();
            (owner["pid"].as_u64().unwrap(), confidence, owner["share"].as_f64())
        };
        owners.iter().map(told).collect()
    };
    let likely = |name, share| (pid(name), "likely".to_owned(), Some(share));
    close_one(7400);
    for switches in ["--interval 0.1 --source proc", "--interval 0.1"] {
        let report = report(&namespace, switches);
        assert_eq!(report["total"], 1, "{report}");
        // Where the kernel can be asked for all of them at once, that is cheap for no more than these.
        let is_sample = report["owners_sampled"] == true;
        assert!(is_sample || !switches.contains("proc"), "{report}");
        assert_eq!(report["warnings"], serde_json::json!([]));
        let told = owners(&report, 7400, "owners");
        let [(first, _, Some(share)), (second, _, Some(other))] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!((*first, *second), (pid("most"), pid("rest")));
        assert!((share - 0.75).abs() < 0.08 && (share + other - 1.0).abs() < 1e-9, "{told:?}");
        // The listener is among the first descriptors; that nobody else has it is not known.
        let share = (!is_sample).then_some(1.0);
        let server = [(pid("server"), "certain".to_owned(), share)];
        assert_eq!(owners(&report, 7400, "peer_owners"), server);
    }
    script.ask("go on");
    close_one(7500);
    let report = report(&namespace, "--interval 0.1");
    assert_eq!((&report["total"], &report["owners_sampled"]), (&2.into(), &false.into()));
    assert_eq!(owners(&report, 7500, "owners"), [likely("rest", 1.0)]);
    assert_eq!(owners(&report, 7400, "owners"), [likely("most", 0.75), likely("rest", 0.25)]);
    let server = [(pid("server"), "certain".to_owned(), Some(1.0))];
    assert_eq!(owners(&report, 7400, "peer_owners"), server);
}

#[test]
fn orphans_in_fin_wait_2_are_counted_apart() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 40099");
    let to = at(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 7005);
    let kept = namespace.run(|| {
        let server = listener(to, 100);
        let to = at(LOOPBACK, 7005);
        let kept: Vec<Socket> = (0..7)
            .map(|_| {
                let (client, accepted) = connect(to, &server).unwrap();
                drop(client);
                read_to_end(&accepted);
                accepted
            })
            .collect();
        client_closes(3, to, &server);
        // A dual-stack listener: its own side shows IPv4-mapped addresses.
        let (client, accepted) = connect(to, &server).unwrap();
        close(accepted, client);
        (server, kept)
    });
    for switches in ["--interval 0.1", "--interval 0.1 --source proc"] {
        let report = report(&namespace, switches);
        assert_eq!((&report["orphan_fin_wait_2"], &report["total"]), (&7.into(), &4.into()));
        let client = towards(&report, 7005);
        assert_eq!((&client["count"], &client["ports_in_use"]), (&3.into(), &10.into()));
        assert_eq!(client["peer_address"], "127.0.0.1");
        let server = group(&report, &[("side", "server".into()), ("local_port", 7005.into())]);
        assert_eq!((&server["count"], &server["local_address"]), (&1.into(), &"::".into()));
    }
    drop(kept);
}

#[test]
fn the_document_has_the_keys_of_its_schema() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = namespace("40000 40099");
    let to = at(LOOPBACK, 7006);
    namespace.run(|| {
        let server = listener(to, 100);
        client_closes(95, to, &server);
        let (client, accepted) = connect(to, &server).unwrap();
        close(accepted, client);
    });
    let report = report(&namespace, "--interval 0.1");
    let schema = sockeye(&namespace, "schema time-wait");
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    for key in ["groups", "advice", "avoid", "reasons"] {
        assert!(!report[key].as_array().unwrap().is_empty(), "{key} proves nothing");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // And a document of another shape is refused.
    let mut other = report.clone();
    other["verdict"] = "fine".into();
    assert!(!validator.is_valid(&other));
}
