//! JSON Schemas of the documents, made from the same tables as the documents.

use crate::model::{owner::Unowned, state::State, tcp_info::TCP_FIELDS};
use serde_json::{Value, json};

/// The documents that have a schema.
pub const NAMES: &[&str] =
    &["sockets", "socket", "groups", "count", "overview", "summary", "time-wait"];

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
        "time-wait" => document("sockeye.time-wait/1", &time_wait()),
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

fn time_wait() -> Value {
    let number = |description: &str| json!({"type": ["number", "null"], "minimum": 0, "description": description});
    let verdict = json!({"enum": ["harmless", "watch", "harmful"]});
    let reason = json!({"enum": [
        "nothing", "server-side", "ports-left", "short-lived", "reused", "ports-unknown",
        "rate-near-ceiling", "port-search", "ports-will-end", "ports-end-soon",
        "ports-nearly-gone", "ports-held-open", "collisions", "table-nearly-full",
        "table-overflow",
    ]});
    let seconds = json!({
        "type": "array", "items": count(), "minItems": 60, "maxItems": 60,
        "description": "Closes in each of the last 60 seconds, the last second first",
    });
    let owners = json!({"type": "array", "items": strict(&json!({
        "pid": count(), "command": {"type": "string"},
        "unit": nullable("string"), "container": nullable("string"),
        "confidence": {"enum": ["certain", "likely", "possible"]},
        "share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "sockets_seen": count(),
    }))});
    let group = strict(&json!({
        "side": {"enum": ["server", "client"]},
        "local_address": {"type": "string", "description": "of the listener, the wildcard included, or connected from"},
        "local_port": unknown_or_count("of the listener; null on the client side"),
        "peer_address": nullable("string"),
        "peer_port": unknown_or_count("of the destination; null on the server side"),
        "listening": {"type": ["boolean", "null"], "description": "whether the listener is still there"},
        "count": count(),
        "oldest_age_ms": unknown_or_count("a lower bound"),
        "rate_per_second": {"type": "number", "minimum": 0},
        "closed_per_second": seconds,
        "peer_addresses": count(),
        "alive": unknown_or_count("connections open to the destination; null on the server side"),
        "ports_usable": unknown_or_count("null on the server side and where the range is unknown"),
        "ports_in_use": unknown_or_count("towards this destination, in any state"),
        "ports_reusable": unknown_or_count("in TIME_WAIT, free for the next connect(2)"),
        "ports_kept_by_others": unknown_or_count("bound before they were connected, it seems"),
        "utilization": number("ports_in_use / ports_usable; above 1 where the range was narrowed"),
        "time_to_full_s": unknown_or_count("at the present rate; null: never"),
        "rate_ceiling_per_second": number("connections that can be opened for ever"),
        "owners": owners,
        "peer_owners": owners,
        "verdict": verdict,
        "reason": reason,
    }));
    let remedy = strict(&json!({
        "tier": {"enum": ["application", "socket", "sysctl", "capacity"]},
        "text": {"type": "string"}, "command": nullable("string"),
        "scope": {"type": "string"}, "risk": {"type": "string"},
    }));
    json!({
        "total": count(),
        "server_side": count(),
        "client_side": count(),
        "limit": unknown_or_count("tcp_max_tw_buckets"),
        "window_ms": unknown_or_count("time between two looks; null: there was one"),
        "rate_per_second": number("sockets that entered TIME_WAIT"),
        "rate_source": {"enum": ["counters", "history", null]},
        "expected_total": unknown_or_count("rate times 60 s"),
        "trend": {"enum": ["steady", "burst", "decay", "overflow", "recycling", "ended-early", "unknown"]},
        "overflows": unknown_or_count("closes that found the table full, in the window"),
        "recycled": unknown_or_count("taken over by connect(2), in the window"),
        "orphan_fin_wait_2": count(),
        "memory_bytes": count(),
        "clear_in_ms": unknown_or_count("until the last is gone if no more are closed"),
        "age_histogram": {"type": "array", "items": strict(&json!({
            "from_s": count(), "to_s": count(), "count": count(),
        }))},
        "closed_per_second": seconds,
        "verdict": verdict,
        "reasons": {"type": "array", "items": reason, "minItems": 1},
        "groups": {"type": "array", "items": group},
        "groups_left_out": count(),
        "advice": {"type": "array", "items": remedy},
        "avoid": {"type": "array", "items": strict(&json!({
            "action": {"type": "string"}, "reason": {"type": "string"},
        }))},
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
