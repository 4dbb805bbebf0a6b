//! Every document is what `sockeye schema NAME` says, from both sources.

use crate::{
    fixture::Tree,
    program::{self, run},
};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::{TcpListener, TcpStream, UdpSocket},
};

/// A schema, as the program prints it.
fn schema(name: &str) -> Value {
    run(["schema", name]).quietly().json()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).expect("the schema is a schema")
}

/// The schema of one kind of socket object alone: `whole` or `columns`.
fn of_kind(kind: &str) -> Validator {
    let mut schema = schema("socket");
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = json!(format!("#/$defs/{kind}"));
    validator(&schema)
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// Sockets that are open while `test` runs: a listener with a queue, a pair with unread data, and
/// both kinds of UDP.
fn with_sockets(test: impl FnOnce()) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let accepted = listener.accept().unwrap();
    std::io::Write::write_all(&mut client, b"unread").unwrap();
    let waiting = TcpStream::connect(address).unwrap();
    let six = TcpListener::bind("[::1]:0");
    let unconnected = UdpSocket::bind("127.0.0.1:0").unwrap();
    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected.connect(unconnected.local_addr().unwrap()).unwrap();
    test();
    drop((listener, client, accepted, waiting, six, unconnected, connected));
}

/// The two sources, and a tree.
fn sources(tree: &Tree) -> [Vec<&str>; 3] {
    [vec!["--source", "netlink"], vec!["--source", "proc"], vec!["--proc-root", tree.path()]]
}

fn is_refused(source: &[&str]) -> bool {
    let refused = run(["-q"].into_iter().chain(source.iter().copied())).code == Some(3);
    if refused {
        program::skipped(&format!("{source:?} is refused here"));
    }
    refused
}

#[test]
fn every_document_is_what_its_schema_says() {
    let tree = Tree::server();
    let (sockets, groups, count) =
        (validator(&schema("sockets")), validator(&schema("groups")), validator(&schema("count")));
    let (line, whole, columns) =
        (validator(&schema("socket")), of_kind("whole"), of_kind("columns"));
    let every: Vec<&str> = sockeye::field::all().iter().map(|f| f.id).collect();
    let every = every.join(",");
    with_sockets(|| {
        for source in sources(&tree) {
            if is_refused(&source) {
                continue;
            }
            let on = |words: &str| {
                let ended = run(source.iter().copied().chain(words.split(' ')));
                assert_eq!(ended.code, Some(0), "{source:?} {words}: {ended}");
                ended
            };
            for options in [
                "-tu",
                "-tua",
                "-tual",
                "-tuap",
                "-tuai",
                "-tuam",
                "-tuae",
                "-tuao",
                "-tuapimeo",
                "-4a",
                "-6a",
            ] {
                let document = on(&format!("{options} --json")).json();
                assert_valid(&sockets, &document, options);
                for socket in document["sockets"].as_array().unwrap() {
                    assert_valid(&whole, socket, options);
                }
                for text in on(&format!("{options} --ndjson")).lines() {
                    let socket = serde_json::from_str(&text).unwrap();
                    assert_valid(&line, &socket, options);
                    assert_valid(&whole, &socket, options);
                }
            }
            let chosen = on(&format!("-tua --json --columns {every}")).json();
            assert_valid(&sockets, &chosen, "every column");
            // Some at a time, so that parts of an object stand alone.
            let ids: Vec<&str> = every.split(',').collect();
            for some in ids.chunks(7) {
                let some = some.join(",");
                for text in on(&format!("-tua --ndjson --columns {some}")).lines() {
                    assert_valid(&columns, &serde_json::from_str(&text).unwrap(), &some);
                }
            }
            assert_valid(&count, &on("-tua --json --count").json(), "--count");
            let grouped =
                on("-tua --json --group-by state,local.port,process,owner_unknown").json();
            assert_valid(&groups, &grouped, "--group-by");
            let total: u64 = grouped["groups"]
                .as_array()
                .unwrap()
                .iter()
                .map(|g| g["count"].as_u64().unwrap())
                .sum();
            assert!(total > 0, "{grouped}");
            for text in on("-ta --ndjson --watch=0.1 --times 2").lines() {
                assert_valid(&whole, &serde_json::from_str(&text).unwrap(), "--watch");
            }
        }
    });
}

#[test]
fn a_diagnosis_is_what_its_schema_says() {
    let tree = Tree::server();
    let diagnosis = validator(&schema("doctor"));
    with_sockets(|| {
        for source in sources(&tree) {
            if is_refused(&source) {
                continue;
            }
            let words = ["doctor", "--json", "--interval", "0.1", "--fail-on", "never"];
            let ended = run(source.iter().copied().chain(words));
            assert_eq!(ended.code, Some(0), "{source:?}: {ended}");
            assert_valid(&diagnosis, &ended.json(), &format!("{source:?}"));
        }
    });
}

#[test]
fn a_schema_refuses_what_is_not_a_document() {
    let tree = Tree::server();
    let root = ["--proc-root", tree.path(), "-tanp", "--json"];
    let document = run(root).quietly().json();
    let sockets = validator(&schema("sockets"));
    assert_valid(&sockets, &document, "as printed");
    let changed = |change: fn(&mut Value)| {
        let mut copy = document.clone();
        change(&mut copy);
        copy
    };
    for (what, wrong) in [
        ("a missing head", changed(|d| drop(d.as_object_mut().unwrap().remove("host")))),
        ("another schema", changed(|d| d["schema"] = json!("sockeye.sockets/2"))),
        ("an unknown key", changed(|d| d["sockets"][0]["color"] = json!(1))),
        ("a number as text", changed(|d| d["sockets"][0]["local"]["port"] = json!("80"))),
        ("a port out of range", changed(|d| d["sockets"][0]["local"]["port"] = json!(65_536))),
        ("an unknown state", changed(|d| d["sockets"][0]["state"] = json!("ESTAB"))),
        ("a negative count", changed(|d| d["sockets"][0]["accept_queue"] = json!(-1))),
        (
            "a process without id",
            changed(|d| {
                drop(d["sockets"][0]["processes"][0].as_object_mut().unwrap().remove("pid"));
            }),
        ),
    ] {
        assert!(!sockets.is_valid(&wrong), "{what} is let through");
    }
    let whole = of_kind("whole");
    for key in document["sockets"][0].as_object().unwrap().keys() {
        let mut socket = document["sockets"][0].clone();
        socket.as_object_mut().unwrap().remove(key);
        assert!(!whole.is_valid(&socket), "a whole socket without {key}");
    }
}

#[test]
fn every_document_has_a_schema_with_its_name() {
    let names = run(["schema"]).quietly().lines();
    assert_eq!(names, sockeye::view::schema::names().collect::<Vec<_>>());
    for name in names {
        let schema = schema(&name);
        validator(&schema);
        assert_eq!(schema["title"], format!("sockeye.{name}/1"));
        assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        // Its full name is understood too.
        assert_eq!(self::schema(&format!("sockeye.{name}/1")), schema);
    }
}

/// Keys in the order in which they are written; serde_json sorts them.
fn keys(object: &str) -> Vec<String> {
    let (mut keys, mut depth, mut text, mut in_text) = (vec![], 0, String::new(), false);
    for c in object.chars() {
        match c {
            '"' => {
                in_text = !in_text;
                if in_text {
                    text.clear();
                }
            }
            c if in_text => text.push(c),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ':' if depth == 1 => keys.push(text.clone()),
            _ => {}
        }
    }
    keys
}

#[test]
fn keys_stand_in_the_order_of_the_contract() {
    let tree = Tree::server();
    let document = run(["--proc-root", tree.path(), "-tan", "--json"]).quietly().text();
    let head = ["schema", "generated_at", "host", "source", "warnings", "sockets"];
    assert_eq!(keys(&document), head);
    assert!(document.starts_with("{\"schema\":\"sockeye.sockets/1\",\"generated_at\":\""));
    let line = run(["--proc-root", tree.path(), "-tan", "--ndjson"]).quietly().lines().remove(0);
    assert_eq!(
        keys(&line),
        [
            "protocol",
            "family",
            "state",
            "state_number",
            "local",
            "peer",
            "recv_queue_bytes",
            "send_queue_bytes",
            "accept_queue",
            "accept_queue_limit",
            "inode",
            "cookie",
            "uid",
            "user",
            "timer",
            "age_ms",
            "processes",
            "owner_unknown",
            "netns",
            "cgroup",
            "mark",
            "congestion",
            "tcp_info",
            "memory",
            "v6only",
            "shutdown",
            "sockopt",
            "tos",
            "tclass",
            "class_id",
            "bbr",
            "dctcp",
            "vegas",
            "ulp",
            "md5",
            "bpf_maps",
        ]
    );
}

#[test]
fn the_unknown_is_null_and_never_zero() {
    let tree = Tree::server();
    let document = run(["--proc-root", tree.path(), "-tanp", "--json"]).quietly().json();
    let [listen, open, waiting, closed, _] = &document["sockets"].as_array().unwrap()[..] else {
        panic!("{document}");
    };
    let nulls = |socket: &Value, places: &[&str]| {
        for place in places {
            assert!(socket[place].is_null(), "{place}: {socket}");
        }
    };
    // /proc does not tell these of any socket.
    for socket in [listen, open, waiting, closed] {
        nulls(socket, &["cookie", "mark", "cgroup", "tcp_info", "memory", "congestion", "user"]);
    }
    nulls(
        listen,
        &[
            "peer",
            "recv_queue_bytes",
            "send_queue_bytes",
            "accept_queue_limit",
            "timer",
            "age_ms",
            "owner_unknown",
        ],
    );
    nulls(open, &["accept_queue", "accept_queue_limit", "age_ms", "owner_unknown"]);
    nulls(waiting, &["inode", "timer"]);
    nulls(closed, &["inode", "uid", "recv_queue_bytes", "send_queue_bytes", "accept_queue"]);
    assert_eq!((&listen["accept_queue"], &listen["uid"]), (&json!(3), &json!(0)));
    assert_eq!((&open["recv_queue_bytes"], &open["send_queue_bytes"]), (&json!(1000), &json!(5)));
    assert_eq!(
        (&waiting["owner_unknown"], &closed["owner_unknown"]),
        (&json!("not-accepted"), &json!("time-wait"))
    );
    assert_eq!((&closed["age_ms"], &closed["timer"]["kind"]), (&json!(450), &json!("time-wait")));
    assert_eq!(document["host"], json!({"name": "web1", "kernel": "6.18.44"}));
    assert_eq!(document["source"], json!({"kind": "proc", "fallback_reason": null}));
}

/// Columns that are no key of a whole object: `processes` has them, or they are shown when asked for.
const COLUMNS_ALONE: [&str; 12] = [
    "process",
    "pid",
    "fd",
    "tid",
    "context",
    "socket_context",
    "unit",
    "container",
    "container_id",
    "pod",
    "netid",
    "type",
];

#[test]
fn every_column_has_its_place_in_a_whole_object() {
    let whole = schema("socket")["$defs"]["whole"].clone();
    let inner = |schema: &Value| match schema.get("anyOf") {
        Some(kinds) => kinds[0].clone(),
        None => schema.clone(),
    };
    let mut places = BTreeSet::new();
    for field in sockeye::field::all() {
        places.insert(field.json.to_owned());
        let mut at = whole.clone();
        let mut found = true;
        for key in field.json.split('.') {
            at = inner(&at)["properties"][key].clone();
            found &= !at.is_null();
        }
        let is_of_peer = sockeye::field::peer::FIELDS.iter().any(|of| of.id == field.id);
        let is_alone = COLUMNS_ALONE.contains(&field.json) || is_of_peer;
        assert_eq!(!found, is_alone, "{}: {}", field.id, field.json);
    }
    // And the other way round: what is in a whole object can be a column.
    for (key, schema) in whole["properties"].as_object().unwrap() {
        let schema = inner(schema);
        let children = schema["properties"].as_object();
        let leaves: Vec<String> = match children {
            Some(children) => children.keys().map(|child| format!("{key}.{child}")).collect(),
            None => vec![key.clone()],
        };
        for leaf in leaves.into_iter().filter(|leaf| leaf != "generated_at") {
            assert!(places.contains(&leaf), "{leaf} is no column");
        }
    }
}

#[test]
fn a_key_is_written_once() {
    let tree = Tree::server();
    let columns = "state,state,peer.port,peer,peer.address,local.port,local.port";
    let words = ["--proc-root", tree.path(), "-tan", "--ndjson", "--columns", columns];
    let lines = run(words).quietly().lines();
    assert_eq!(
        lines[..2],
        [
            r#"{"state":"LISTEN","peer":null,"local":{"port":8080}}"#,
            r#"{"state":"ESTABLISHED","peer":{"address":"10.0.0.9","port":51234},"local":{"port":8080}}"#,
        ]
    );
    // What is told of the other end only where it is asked for stands beside its address.
    let columns = "peer.netns.name,peer,peer.netns,local.port,local,peer.process";
    let words = ["--proc-root", tree.path(), "-tan", "--ndjson", "--columns", columns];
    let lines = run(words).quietly().lines();
    assert_eq!(
        lines[..2],
        [
            r#"{"peer":null,"local":{"address":"0.0.0.0","port":8080,"interface":null}}"#,
            r#"{"peer":{"netns":null,"address":"10.0.0.9","port":51234,"process":null},"local":{"address":"10.0.0.1","port":8080,"interface":null}}"#,
        ]
    );
}
