//! JSON Schemas of the documents, made from the same tables as the documents.

use crate::model::{owner::Unowned, state::State, tcp_info::TCP_FIELDS};
use serde_json::{Value, json};

/// The documents that have a schema.
pub const NAMES: &[&str] = &["sockets", "socket", "groups", "count", "overview", "summary"];

/// The schema of a document, as text.
pub fn text(name: &str) -> Option<String> {
    let name = name.strip_prefix("sockeye.").unwrap_or(name);
    let name = name.split('/').next().unwrap_or(name);
    let schema = match name {
        "sockets" => document(
            "sockeye.sockets/1",
            &json!({
                "sockets": {"type": "array", "items": socket(), "description": "The sockets, in the order of the listing"}
            }),
        ),
        "socket" => with_dialect(socket(), "A line of --ndjson"),
        "groups" => document(
            "sockeye.groups/1",
            &json!({
                "groups": {"type": "array", "description": "Largest first", "items": {
                    "type": "object", "required": ["count"],
                    "properties": {"count": {"type": "integer", "minimum": 1}}
                }}
            }),
        ),
        "count" => {
            document("sockeye.count/1", &json!({"count": {"type": "integer", "minimum": 0}}))
        }
        "summary" => document(
            "sockeye.summary/1",
            &json!({
                "counts": counts(),
                "totals": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            }),
        ),
        "overview" => document("sockeye.overview/1", &overview()),
        _ => return None,
    };
    serde_json::to_string_pretty(&schema).ok()
}

fn with_dialect(mut schema: Value, title: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".into(), json!(title));
    }
    schema
}

fn document(id: &str, own: &Value) -> Value {
    let mut properties = json!({
        "schema": {"const": id},
        "generated_at": {"type": "string", "description": "RFC 3339, UTC"},
        "host": strict(&json!({"name": nullable("string"), "kernel": nullable("string")})),
        "source": strict(&json!({
            "kind": {"enum": ["netlink", "proc", "mixed"]},
            "fallback_reason": nullable("string"),
        })),
        "warnings": warnings(),
    });
    let mut required: Vec<String> =
        ["schema", "generated_at", "host", "source", "warnings"].map(str::to_owned).to_vec();
    if let (Some(all), Some(own)) = (properties.as_object_mut(), own.as_object()) {
        for (key, value) in own {
            required.push(key.clone());
            all.insert(key.clone(), value.clone());
        }
        all.insert("late_warnings".into(), warnings());
    }
    with_dialect(
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        id,
    )
}

fn warnings() -> Value {
    json!({"type": "array", "items": strict(&json!({
        "code": {"type": "string"}, "message": {"type": "string"},
    }))})
}

/// An object that has exactly these keys.
fn strict(properties: &Value) -> Value {
    let keys: Vec<&String> = properties.as_object().into_iter().flat_map(|o| o.keys()).collect();
    json!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false})
}

fn nullable(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn unknown_or_count(description: &str) -> Value {
    json!({"type": ["integer", "null"], "minimum": 0, "description": description})
}

fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// Counts by protocol, family and state.
fn counts() -> Value {
    json!({"type": "array", "items": strict(&json!({
        "protocol": {"type": "string"}, "family": {"type": "string"},
        "state": {"type": "string"}, "count": count(),
    }))})
}

fn overview() -> Value {
    let holder = strict(&json!({
        "pid": count(), "command": {"type": "string"}, "connections": count(),
    }));
    json!({
        "counts": counts(),
        "listeners": {"type": "array", "items": strict(&json!({
            "protocol": {"type": "string"},
            "local_address": {"type": "string"},
            "local_port": count(),
            "accept_queue": unknown_or_count("null for UDP"),
            "accept_queue_limit": unknown_or_count("null for UDP and from /proc"),
            "connections": unknown_or_count("open connections to it; null for UDP"),
            "processes": {"type": "array", "items": holder},
        }))},
        "peers": {"type": "array", "items": strict(&json!({
            "address": {"type": "string"}, "connections": count(),
        }))},
        "processes": {"type": "array", "items": holder},
    })
}

fn socket() -> Value {
    let states: Vec<&str> = State::all().map(State::name).chain(["UNKNOWN"]).collect();
    let reasons: Vec<&str> = Unowned::ALL.iter().map(|why| why.name()).collect();
    let port = json!({"type": "integer", "minimum": 0, "maximum": 65535});
    let address = json!({"type": "string"});
    let local = strict(&json!({"address": address, "port": port, "interface": nullable("string")}));
    let peer = strict(&json!({"address": address, "port": port}));
    let timer = strict(&json!({
        "kind": {"enum": ["retransmit", "keepalive", "time-wait", "window-probe", "unknown"]},
        "expires_ms": count(), "retransmits": count(),
    }));
    let process = strict(&json!({
        "pid": count(), "command": {"type": "string"}, "fd": count(),
        "unit": nullable("string"), "container": nullable("string"),
    }));
    let tcp_info: serde_json::Map<String, Value> = TCP_FIELDS
        .iter()
        .map(|f| {
            (f.key.to_owned(), unknown_or_count(&format!("{}; kernel {}", f.summary, f.since)))
        })
        .collect();
    let memory: serde_json::Map<String, Value> = [
        "rmem_alloc_bytes",
        "rcvbuf_bytes",
        "wmem_alloc_bytes",
        "sndbuf_bytes",
        "fwd_alloc_bytes",
        "wmem_queued_bytes",
        "optmem_bytes",
        "lock_backlog_bytes",
        "drops",
    ]
    .into_iter()
    .map(|key| (key.to_owned(), json!({"type": ["integer", "null"], "minimum": 0})))
    .collect();
    let mut schema = strict(&json!({
        "protocol": {"enum": ["tcp", "udp"]},
        "family": {"enum": ["ipv4", "ipv6"]},
        "state": {"enum": states},
        "state_number": count(),
        "local": local,
        "peer": or_null(&peer),
        "recv_queue_bytes": unknown_or_count("null on LISTEN and where there is no queue"),
        "send_queue_bytes": unknown_or_count("null on LISTEN and where there is no queue"),
        "accept_queue": unknown_or_count("connections that wait for accept(2); LISTEN only"),
        "accept_queue_limit": unknown_or_count("LISTEN only; null from /proc"),
        "inode": unknown_or_count("null where the socket has no file"),
        "cookie": unknown_or_count("identity for the whole life; null from /proc"),
        "uid": unknown_or_count("null on TIME_WAIT and SYN_RCVD"),
        "user": nullable("string"),
        "timer": or_null(&timer),
        "age_ms": unknown_or_count("time in TIME_WAIT, a lower bound"),
        "processes": {"type": "array", "items": process},
        "owner_unknown": {"enum": reasons.into_iter().map(Value::from).chain([Value::Null]).collect::<Vec<_>>()},
        "netns": strict(&json!({"inode": unknown_or_count("inode of ns/net"), "name": nullable("string")})),
        "cgroup": nullable("string"),
        "mark": unknown_or_count("SO_MARK; null without CAP_NET_ADMIN"),
        "congestion": nullable("string"),
        "tcp_info": or_null(&strict(&Value::Object(tcp_info))),
        "memory": or_null(&strict(&Value::Object(memory))),
    }));
    // A watched line says when it was made.
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("generated_at".into(), json!({"type": "string"}));
    }
    schema
}
