//! `sockeye trace` tells what happened: every event, in order, with the bytes that were sent.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    program::{Run, SOCKEYE, public_copy},
    requirement::{cannot_run, require_live},
    transport::{at, bound, connect, listener, local, tcp, udp},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use serde_json::Value;
use socket2::Socket;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Addresses that no other test uses: the tracepoint tells of the whole host, and the same ends in
/// two namespaces at the same moment cannot be told apart.
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 91, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 91, 0, 2));

/// Whether this machine tells of its events, and we may listen.
fn require_tracefs() -> bool {
    mount().is_some() || cannot_run("tracefs cannot be mounted")
}

/// tracefs, reachable through the descriptor alone.
fn mount() -> Option<OwnedFd> {
    let filesystem = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC).ok()?;
    fsconfig_create(&filesystem).ok()?;
    fsmount(&filesystem, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).ok()
}

/// Whether the instance of this process exists.
fn has_instance(pid: u32) -> bool {
    let mount = mount().unwrap();
    let path = format!("/proc/self/fd/{}/instances/sockeye-{pid}", mount.as_raw_fd());
    fs::metadata(path).is_ok()
}

/// A running trace.
struct Trace {
    child: Child,
}

impl Trace {
    /// Starts one, as NDJSON, and waits until it listens.
    fn start(namespace: &Namespace, arguments: &[&str]) -> Self {
        let mut command = Command::new(SOCKEYE);
        command.arg("trace").args(arguments);
        Self::of(namespace, &mut command)
    }

    fn of(namespace: &Namespace, command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: namespace.spawn(command) }
    }

    /// Waits until it listens to the tracepoint.
    fn listening(self) -> Self {
        assert!(eventually(PATIENCE, || {
            let enabled = mount().map(|mount| {
                let path = format!(
                    "/proc/self/fd/{}/instances/sockeye-{}/events/sock/inet_sock_set_state/enable",
                    mount.as_raw_fd(),
                    self.child.id()
                );
                let mut text = String::new();
                let read = fs::File::open(path).and_then(|mut f| f.read_to_string(&mut text));
                read.is_ok() && text.starts_with('1')
            });
            enabled == Some(true)
        }));
        self
    }

    /// Waits until it tells of what happens: then it has looked at all there was before. Gives what
    /// reads its lines from here on.
    fn telling(mut self, namespace: &Namespace) -> (Self, thread::JoinHandle<Vec<Value>>) {
        let stdout = BufReader::new(self.child.stdout.take().unwrap());
        let told = Arc::new(AtomicBool::new(false));
        let tells = Arc::clone(&told);
        let lines = thread::spawn(move || {
            let lines = stdout.lines().map(Result::unwrap);
            let told = lines.inspect(|_| tells.store(true, Ordering::SeqCst));
            told.map(|line| serde_json::from_str(&line).unwrap()).collect()
        });
        assert!(eventually(PATIENCE, || {
            namespace.run(|| drop(listener(at(SERVER, 7818), 1)));
            told.load(Ordering::SeqCst)
        }));
        (self, lines)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

fn events(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One word of an event.
fn word<'e>(event: &'e Value, key: &str) -> &'e str {
    event[key].as_str().unwrap_or("-")
}

fn port(event: &Value, end: &str) -> u16 {
    u16::try_from(event["socket"][end]["port"].as_u64().unwrap_or(0)).unwrap()
}

/// Events of each socket by its ends, as `from>to`.
fn paths(events: &[Value]) -> BTreeMap<(u16, u16), Vec<String>> {
    let mut paths: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| word(event, "event") != "missed") {
        let step = format!("{}>{}", word(event, "from_state"), word(event, "to_state"));
        paths.entry((port(event, "local"), port(event, "peer"))).or_default().push(step);
    }
    paths
}

/// Whether every step begins where the one before ended.
fn is_lawful(path: &[String]) -> bool {
    path.windows(2).all(|pair| {
        let (_, to) = pair[0].split_once('>').unwrap();
        let (from, _) = pair[1].split_once('>').unwrap();
        to == from
    })
}

const SENT: usize = 1234;
const ANSWERED: usize = 77;

/// Says what load to make.
const LOAD: &str = "SOCKEYE_TEST_LOAD";

/// The program of the load. A process of its own: others' tests fork children of this one, and until
/// they execute their program they hold its sockets too.
#[test]
#[ignore = "is run by the tests of a load"]
fn makes_connections() {
    let Ok(asked) = env::var(LOAD) else { return };
    let (per_second, seconds) = asked.split_once(' ').unwrap();
    let time = Duration::from_secs(seconds.parse().unwrap());
    println!("\nmade {}", load(per_second.parse().unwrap(), time));
}

/// Makes a load in a namespace. Gives how many connections, and the process that made them.
fn make_load(namespace: &Namespace, per_second: u32, time: Duration) -> (u32, u32) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "trace::makes_connections", "--nocapture"]);
    command.env(LOAD, format!("{per_second} {}", time.as_secs())).stdout(Stdio::piped());
    let child = namespace.spawn(&mut command);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let made = text.lines().find_map(|line| line.strip_prefix("made "));
    (made.unwrap_or_else(|| panic!("{text}")).parse().unwrap(), pid)
}

/// Makes connections at a rate for some time, and tells how many. The client closes first.
fn load(per_second: u32, time: Duration) -> u32 {
    let server = listener(at(SERVER, 7800), 4096);
    let address = local(&server);
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Ok((socket, _)) = server.accept() {
                let mut socket = &socket;
                let mut room = [0; SENT];
                if socket.read_exact(&mut room).is_err() {
                    break;
                }
                socket.write_all(&[1; ANSWERED]).unwrap();
                // Only then has the peer closed.
                assert_eq!(socket.read(&mut room).unwrap(), 0);
            }
        });
        let start = Instant::now();
        let mut made = 0;
        while start.elapsed() < time {
            // A source address for every 20,000 connections, so that ports suffice.
            let from = Ipv4Addr::new(127, 91, 1, u8::try_from(made / 20_000).unwrap());
            let mut client = &bound(at(from.into(), 0));
            client.connect(&address.into()).unwrap();
            client.write_all(&[1; SENT]).unwrap();
            client.read_exact(&mut [0; ANSWERED]).unwrap();
            made += 1;
            let due = Duration::from_secs(1) * made / per_second;
            thread::sleep(due.saturating_sub(start.elapsed()));
        }
        // One that says nothing ends the server.
        drop(connect(CLIENT, address));
        made
    })
}

/// Runs a load and checks every event of it.
fn every_event_of_a_load_is_told(per_second: u32, time: Duration) {
    let namespace = Namespace::new();
    namespace.set_sysctl("net.ipv4.tcp_max_tw_buckets", "200000");
    let trace = Trace::start(&namespace, &["-t", "--ndjson", "port = :7800"]).listening();
    let reader = {
        let mut trace = trace;
        let stdout = trace.child.stdout.take().unwrap();
        // Read meanwhile: a pipe holds 64 KiB.
        let lines = thread::spawn(move || {
            BufReader::new(stdout).lines().map(Result::unwrap).collect::<Vec<_>>()
        });
        (trace, lines)
    };
    let (made, pid) = make_load(&namespace, per_second, time);
    thread::sleep(Duration::from_millis(300));
    let (trace, lines) = reader;
    trace.signal(Signal::SIGINT);
    let ended = trace.child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    let events: Vec<Value> =
        lines.join().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missed: Vec<&Value> = events.iter().filter(|e| word(e, "event") == "missed").collect();
    let lost: u64 = missed.iter().map(|e| e["count"].as_u64().unwrap_or(0)).sum();
    // The clients' sockets and the accepted ones.
    let ours = |event: &&Value| {
        port(event, "local") != 0
            && event["socket"]["peer"]["address"] != CLIENT.to_string()
            && event["socket"]["local"]["address"] != CLIENT.to_string()
            && !event["socket"]["peer"].is_null()
    };
    let told: Vec<&Value> = events.iter().filter(ours).collect();
    // Five changes at either end.
    let announced = u64::from(made) * 10;
    assert_eq!(told.len() as u64 + lost, announced, "{made} made, {} losses", missed.len());
    if !missed.is_empty() {
        return;
    }
    let mut by_socket: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &told {
        let key = format!("{} {}", event["socket"]["local"], event["socket"]["peer"]);
        let step = format!("{}>{}", word(event, "from_state"), word(event, "to_state"));
        by_socket.entry(key).or_default().push(step);
    }
    assert_eq!(by_socket.len(), 2 * made as usize);
    for (socket, path) in &by_socket {
        assert!(is_lawful(path), "{socket} {path:?}");
        assert_eq!(path.len(), 5, "{socket} {path:?}");
        assert!(path[4].ends_with("TIME_WAIT") || path[4] == "LAST_ACK>CLOSED", "{path:?}");
    }
    for event in told.iter().filter(|event| word(event, "event") == "closed") {
        let is_client = port(event, "peer") == 7800;
        let (sent, received) = if is_client { (SENT, ANSWERED) } else { (ANSWERED, SENT) };
        assert_eq!(event["bytes_sent"], sent, "{event}");
        assert_eq!(event["bytes_received"], received, "{event}");
        assert!(event["lifetime_ms"].is_u64(), "{event}");
    }
    // Threads connect and close, and have ended with their process when the last of it is read.
    for event in &told {
        let holders = event["socket"]["processes"].as_array().unwrap();
        assert!(holders.iter().all(|holder| holder["pid"] == pid), "{event}");
        let is_over = word(event, "event") == "closed";
        assert!(!is_over || !holders.is_empty(), "{event}");
    }
}

#[test]
fn every_change_of_two_thousand_connections_a_second_is_told() {
    if !require_live(&["ip"]) || !require_tracefs() {
        return;
    }
    every_event_of_a_load_is_told(2000, Duration::from_secs(2));
}

/// `cargo test --release --test it -- --ignored twenty_seconds`
#[test]
#[ignore = "takes 25 seconds"]
fn every_change_of_twenty_seconds_at_two_thousand_a_second_is_told() {
    if !require_live(&["ip"]) || !require_tracefs() {
        return;
    }
    every_event_of_a_load_is_told(2000, Duration::from_secs(20));
}

#[test]
fn each_way_to_end_has_its_path() {
    if !require_live(&["ip"]) || !require_tracefs() {
        return;
    }
    let (namespace, other) = (Namespace::new(), Namespace::new());
    // There before the trace: its path begins in the middle.
    let (server, old, old_accepted) = namespace.run(|| {
        let server = listener(at(SERVER, 7810), 8);
        let old = connect(CLIENT, local(&server));
        let (accepted, _) = server.accept().unwrap();
        (server, old, accepted)
    });
    let old_port = local(&old).port();
    let trace = Trace::start(&namespace, &["-t", "--ndjson", "host = 127.91.0.0/16"]).listening();
    let (mut trace, lines) = trace.telling(&namespace);
    // The same ports elsewhere are none of its business.
    other.run(|| drop(listener(at(IpAddr::V4(Ipv4Addr::new(127, 91, 0, 9)), 7819), 1)));
    let ports = namespace.run(|| {
        let address = local(&server);
        let pair = || {
            let client = connect(CLIENT, address);
            (client, server.accept().unwrap().0)
        };
        let port = |socket: &Socket| local(socket).port();
        // The peer does not close for a while: an orphan FIN_WAIT_2, then TIME_WAIT.
        let (client, accepted) = pair();
        let orphan = port(&client);
        drop(client);
        thread::sleep(Duration::from_millis(60));
        drop(accepted);
        // Reset.
        let (client, accepted) = pair();
        let reset = port(&client);
        client.set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        drop(accepted);
        // Refused.
        let client = bound(at(CLIENT, 0));
        let refused = port(&client);
        assert!(client.connect(&at(SERVER, 7811).into()).is_err());
        drop(client);
        drop(old);
        drop(old_accepted);
        [orphan, reset, refused]
    });
    thread::sleep(Duration::from_millis(400));
    drop(server);
    trace.signal(Signal::SIGINT);
    assert_eq!(trace.child.wait().unwrap().code(), Some(130));
    let events = lines.join().unwrap();
    let paths = paths(&events);
    let [orphan, reset, refused] = ports;
    let client = |port: u16| paths[&(port, 7810)].join(" ");
    let accepted = |port: u16| paths[&(7810, port)].join(" ");
    let opened = "CLOSED>SYN_SENT SYN_SENT>ESTABLISHED";
    assert_eq!(
        client(orphan),
        format!("{opened} ESTABLISHED>FIN_WAIT_1 FIN_WAIT_1>FIN_WAIT_2 FIN_WAIT_2>TIME_WAIT")
    );
    assert_eq!(
        accepted(orphan),
        "LISTEN>SYN_RCVD SYN_RCVD>ESTABLISHED ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSED"
    );
    assert_eq!(client(reset), format!("{opened} ESTABLISHED>CLOSED"));
    assert_eq!(accepted(reset), "LISTEN>SYN_RCVD SYN_RCVD>ESTABLISHED ESTABLISHED>CLOSED");
    assert_eq!(paths[&(refused, 7811)].join(" "), "CLOSED>SYN_SENT SYN_SENT>CLOSED");
    assert_eq!(paths[&(7810, 0)].join(" "), "LISTEN>CLOSED");
    assert!(client(old_port).starts_with("ESTABLISHED>FIN_WAIT_1"), "{}", client(old_port));
    let of_old = events.iter().find(|e| port(e, "local") == old_port).unwrap();
    assert_eq!(of_old["socket"]["processes"][0]["pid"], std::process::id());
    assert!(of_old["socket"]["processes"][0]["fd"].is_u64(), "as it was seen alive: {of_old}");
    assert!(!paths.keys().any(|(local, _)| *local == 7819), "another namespace's");
    // Every one is what the schema says, and in order.
    let schema = Run::of(Command::new(SOCKEYE).args(["schema", "event"]).output().unwrap()).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for event in &events {
        let wrong: Vec<String> =
            validator.iter_errors(event).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?} {event}");
    }
}

#[test]
fn without_privilege_ends_are_announced_and_the_rest_is_looked_for() {
    if !require_live(&["install", "ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let (_directory, program) = public_copy(SOCKEYE);
    let mut command = Command::new(&program);
    command
        .args(["trace", "--ndjson", "--interval", "0.1", "host = 127.91.0.0/16"])
        .uid(65_534)
        .gid(65_534);
    let trace = Trace::of(&namespace, &mut command);
    let server = namespace.run(|| listener(at(SERVER, 7820), 8));
    // It listens once a connection that is made and closed is told.
    let stderr = {
        thread::sleep(Duration::from_millis(500));
        let (long, datagrams) = namespace.run(|| {
            let mut client = &connect(CLIENT, local(&server));
            let (mut accepted, _) = server.accept().unwrap();
            client.write_all(&[1; SENT]).unwrap();
            accepted.read_exact(&mut [0; SENT]).unwrap();
            let port = local(client).port();
            thread::sleep(Duration::from_millis(400));
            let _ = client.shutdown(std::net::Shutdown::Both);
            drop(accepted);
            let datagrams = udp(at(CLIENT, 0));
            let datagram_port = local(&datagrams).port();
            drop(datagrams);
            (port, datagram_port)
        });
        thread::sleep(Duration::from_millis(400));
        trace.signal(Signal::SIGINT);
        let run = Run::of(trace.child.wait_with_output().unwrap());
        assert_eq!(run.code, 130, "{run:?}");
        let events = events(&run);
        let of = |port: u16| {
            let mine = events.iter().filter(move |e| crate::trace::port(e, "local") == port);
            mine.map(|e| (word(e, "event"), word(e, "source"))).collect::<BTreeSet<_>>()
        };
        assert!(of(long).contains(&("opened", "poll")), "{run:?}");
        assert!(of(long).contains(&("closed", "destroy")), "{run:?}");
        assert!(of(datagrams).contains(&("closed", "destroy")), "{run:?}");
        let closed = events
            .iter()
            .find(|e| port(e, "local") == long && word(e, "event") == "closed")
            .unwrap();
        assert_eq!(closed["bytes_sent"], SENT, "{closed}");
        assert!(closed["lifetime_ms"].as_u64().is_some_and(|ms| ms >= 200), "{closed}");
        run.stderr
    };
    assert!(stderr.starts_with("note: not every change of state is seen: cannot mount tracefs"));
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}

#[test]
fn the_announcements_alone_are_those_of_ss() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let mut command = Command::new(SOCKEYE);
    command.args(["-tE", "--ndjson", "--limit", "2", "host = 127.91.0.0/16"]);
    let trace = Trace::of(&namespace, &mut command);
    thread::sleep(Duration::from_millis(500));
    let server = namespace.run(|| {
        let server = listener(at(SERVER, 7830), 8);
        let client = connect(CLIENT, local(&server));
        let (accepted, _) = server.accept().unwrap();
        drop(client);
        drop(accepted);
        server
    });
    // It ends by itself after two events.
    let run = Run::of(trace.child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let events = events(&run);
    assert!(events.iter().all(|e| word(e, "source") == "destroy" && word(e, "event") == "closed"));
    let states: BTreeSet<&str> = events.iter().map(|e| word(e, "to_state")).collect();
    assert_eq!(states, BTreeSet::from(["CLOSED", "TIME_WAIT"]), "{events:#?}");
    drop(server);
}

#[test]
fn its_trace_instance_is_gone_however_it_ends() {
    if !require_live(&["ip"]) || !require_tracefs() {
        return;
    }
    let namespace = Namespace::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let trace = Trace::start(&namespace, &["-t"]).listening();
        let pid = trace.child.id();
        trace.signal(signal);
        let ended = trace.child.wait_with_output().unwrap();
        match signal {
            Signal::SIGINT => assert_eq!(ended.status.code(), Some(130)),
            other => assert_eq!(ended.status.signal(), Some(other as i32)),
        }
        assert!(!has_instance(pid), "{signal}");
    }
    // A closed pipe, without an event that would have to be written.
    let mut trace = Trace::start(&namespace, &["-t", "host = 127.91.9.9"]).listening();
    let pid = trace.child.id();
    drop(trace.child.stdout.take());
    let ended = trace.child.wait().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(!has_instance(pid));
    // What SIGKILL leaves is removed by the next.
    let mut trace = Trace::start(&namespace, &["-t"]).listening();
    let killed = trace.child.id();
    trace.child.kill().unwrap();
    trace.child.wait().unwrap();
    assert!(has_instance(killed));
    Trace::start(&namespace, &["-t"]).listening().interrupted_quietly();
    assert!(!has_instance(killed));
    // A time, a limit, and the heading of lines.
    let run = Run::of(
        namespace.output(Command::new(SOCKEYE).args(["trace", "-t", "--for", "0.2", "port = 1"])),
    );
    assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{run:?}");
    let _ = tcp(SERVER);
}

impl Trace {
    fn interrupted_quietly(self) {
        self.signal(Signal::SIGINT);
        let ended = self.child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130));
    }
}

#[test]
fn what_a_trace_cannot_do_is_said() {
    for (arguments, said) in [
        (&["trace", "--from", "x"][..], "--from: a recording has no events"),
        (&["trace", "--source", "proc"], "--source proc"),
        (&["trace", "--watch"], "--watch"),
        (&["trace", "--group-by", "state"], "--group-by"),
        (&["trace", "--for", "0"], "0.1 to 86400"),
        (&["-E", "--sort", "state"], "--sort"),
        (&["trace", "nonsense"], "no column is called"),
    ] {
        let run = Run::of(Command::new(SOCKEYE).args(arguments).output().unwrap());
        assert_eq!(run.code, 64, "{arguments:?} {run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
}

#[test]
fn tables_of_which_nothing_is_announced_are_refused() {
    for words in ["-xE", "-wE", "-A netlink -E", "trace -x", "-f unix -E"] {
        let done = std::process::Command::new(crate::lab::program::SOCKEYE)
            .args(words.split(' '))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(64), "{words}: {said}");
        assert!(said.contains("TCP and UDP sockets, and to no others"), "{words}: {said}");
    }
}
