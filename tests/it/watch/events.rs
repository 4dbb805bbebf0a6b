//! `watch --ndjson`: what happens is told, once, and each line is what its schema says.

use crate::{
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        requirement::require_live,
        transport::{at, connect, inode, listener, local, read_to_end},
    },
    program::{self, run},
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The program, and the events it has told.
struct Told {
    child: Child,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Told {
    fn start(namespace: &Namespace, words: &[&str]) -> Self {
        let mut command = Command::new(program::PATH);
        command.args(["watch", "--ndjson", "--interval", "0.1"]).args(words);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
        let mut child = namespace.spawn(&mut command);
        let output = BufReader::new(child.stdout.take().unwrap());
        let events = Arc::new(Mutex::new(vec![]));
        let to = Arc::clone(&events);
        thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { break };
                to.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, events }
    }

    /// Waits for an event and gives the first.
    #[track_caller]
    fn sees(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        eventually(PATIENCE, || {
            found = self.events.lock().unwrap().iter().find(|event| is_it(event)).cloned();
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("{what} is not told: {:#?}", self.events.lock().unwrap()))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_opens_changes_and_closes_is_told_as_the_schema_says() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let server = namespace.run(|| listener(at(HERE, 0), 8));
    let port = local(&server).port();
    // It has begun when it tells of something that happens after its first round.
    let filter = format!("port {port}");
    let told = Told::start(&namespace, &[&filter]);
    let mut sockets = vec![];
    let begun = eventually(PATIENCE, || {
        sockets.push(namespace.run(|| (connect(HERE, at(HERE, port)), server.accept().unwrap().0)));
        !told.events.lock().unwrap().is_empty()
    });
    assert!(begun, "nothing is told");
    // An event of another port is not asked for.
    let other = namespace.run(|| listener(at(HERE, 0), 8));
    let (near, far) = namespace.run(|| (connect(HERE, at(HERE, port)), server.accept().unwrap().0));
    let near_inode = inode(&near);
    let of = |event: &Value, inode: u64| event["socket"]["inode"] == inode;
    let opened = told.sees("its opening", |e| e["event"] == "opened" && of(e, near_inode));
    assert_eq!((&opened["from_state"], &opened["to_state"]), (&Value::Null, &"ESTABLISHED".into()));
    let (cookie, far_inode) = (opened["socket"]["cookie"].clone(), inode(&far));
    drop(near);
    read_to_end(&far);
    let changed = told.sees("its peer's close", |e| e["event"] == "state" && of(e, far_inode));
    assert_eq!(changed["from_state"], "ESTABLISHED");
    assert_eq!(changed["to_state"], "CLOSE_WAIT");
    drop(far);
    let closed = told.sees("the close", |e| e["event"] == "closed" && of(e, far_inode));
    assert!(closed["lifetime_ms"].as_u64().is_some() && closed["to_state"].is_null());
    // The socket of the side that closed first lives on in TIME_WAIT, under the same cookie.
    let waits = told.sees("its TIME_WAIT", |e| {
        e["event"] == "state" && e["socket"]["cookie"] == cookie && e["to_state"] == "TIME_WAIT"
    });
    assert_eq!(waits["socket"]["uid"], Value::Null);
    drop(other);
    let schema = run(["schema", "event"]).quietly().json();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for event in told.events.lock().unwrap().iter() {
        let wrong: Vec<String> = validator.iter_errors(event).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{event}: {wrong:?}");
        let socket = &event["socket"];
        let ports = [&socket["local"]["port"], &socket["peer"]["port"]];
        assert!(ports.contains(&&Value::from(port)), "{event}");
    }
}

#[test]
fn what_is_counted_is_no_filter_of_events() {
    let ended = run(["watch", "--ndjson", "rtt > 5ms"]);
    assert_eq!(ended.code, Some(64), "{ended}");
    assert!(ended.stderr.contains("events cannot be filtered by what the kernel counts"));
}
