//! Schemas of a listing, of one socket, of groups and counts.

use super::parts::{
    count, document, netns, nullable, or_null, state, strict, unknown_or_count, unowned,
    with_dialect,
};
use crate::{
    field::{self, definition::Field, families},
    model::{
        protocol::{Family, Protocol},
        tcp_info::TCP_FIELDS,
    },
};
use serde_json::{Value, json};

/// A listing.
pub(super) fn listing() -> Value {
    with_sockets(document(
        "sockeye.sockets/1",
        &json!({
            "sockets": {"type": "array", "items": any_socket(), "description": "The sockets, in the order of the listing"}
        }),
    ))
}

/// A line of NDJSON.
pub(super) fn line() -> Value {
    with_sockets(with_dialect(any_socket(), "sockeye.socket/1"))
}

/// Counts by value.
pub(super) fn groups() -> Value {
    document(
        "sockeye.groups/1",
        &json!({
            "groups": {"type": "array", "description": "Largest first", "items": {
                "type": "object", "required": ["count"],
                "properties": {"count": {"type": "integer", "minimum": 1}}
            }}
        }),
    )
}

/// How many sockets.
pub(super) fn counted() -> Value {
    document("sockeye.count/1", &json!({"count": count()}))
}

/// A whole object, or one of chosen columns (`--columns`).
pub(super) fn any_socket() -> Value {
    json!({"anyOf": [{"$ref": "#/$defs/whole"}, {"$ref": "#/$defs/columns"}]})
}

pub(super) fn with_sockets(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("$defs".into(), json!({"whole": socket(), "columns": columns()}));
    }
    schema
}

/// A socket of which columns were chosen: any of its keys, and those that are columns alone.
pub(super) fn columns() -> Value {
    let mut schema = socket();
    relax(&mut schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let inner = [
            "local", "peer", "timer", "netns", "tcp_info", "memory", "bbr", "dctcp", "vegas", "ulp",
        ];
        for inner in inner.into_iter().chain(family_objects()) {
            if let Some(object) = properties.get_mut(inner) {
                let nullable = object.get("anyOf").is_some();
                relax(if nullable { &mut object["anyOf"][0] } else { object });
            }
        }
        add_other_ends(&mut properties["peer"]["anyOf"][0]["properties"]);
        for field in field::all().iter().filter(|f| !f.json.contains('.')) {
            let kind = match field.unit {
                "list" => json!({"type": "array", "items": {"type": ["string", "integer"]}}),
                "flag" => nullable("boolean"),
                "word" | "name" => nullable("string"),
                _ => nullable("integer"),
            };
            properties.entry(field.json).or_insert(kind);
        }
    }
    schema
}

/// What is told of the other end only where it is asked for: who holds it, and where.
fn add_other_ends(peer: &mut Value) {
    for field in field::peer::FIELDS {
        let place = field.json.strip_prefix("peer.").unwrap_or(field.json);
        if let Some((object, key)) = place.split_once('.') {
            let kind = match field.unit {
                "name" => nullable("string"),
                _ => unknown_or_count(field.summary),
            };
            peer[object]["type"] = json!(["object", "null"]);
            peer[object]["additionalProperties"] = json!(false);
            peer[object]["properties"][key] = kind;
        } else {
            let item = if field.id == "peer.pid" { "integer" } else { "string" };
            peer[place] = list_or_null(&json!({"type": item}), field.summary);
        }
    }
}

pub(super) fn relax(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.remove("required");
    }
}

fn list_or_null(items: &Value, description: &str) -> Value {
    json!({"type": ["array", "null"], "items": items, "description": description})
}

/// An object of columns that share its name, or null where none of them is known.
fn of_columns(parent: &str) -> Value {
    let child = |field: &Field| {
        let key = field.json.strip_prefix(parent)?.strip_prefix('.')?;
        let kind = match field.unit {
            "flag" => nullable("boolean"),
            "word" | "name" => nullable("string"),
            _ => unknown_or_count(field.summary),
        };
        Some((key.to_owned(), kind))
    };
    or_null(&strict(&Value::Object(field::all().iter().filter_map(child).collect())))
}

pub(super) fn socket() -> Value {
    let port = json!({"type": ["integer", "null"], "minimum": 0, "description":
        "of a raw socket the IP protocol; null where the family has no ports"});
    let address = json!({"type": ["string", "null"], "description":
        "IP address, path of a unix socket (an abstract name behind @), id of a vsock; null where there is none"});
    let local = strict(&json!({"address": address, "port": port, "interface": nullable("string")}));
    let peer = strict(&json!({"address": address, "port": port}));
    let timer = strict(&json!({
        "kind": {"enum": ["retransmit", "keepalive", "time-wait", "window-probe", "unknown"]},
        "expires_ms": count(), "retransmits": count(),
    }));
    let process = strict(&json!({
        "pid": count(), "command": {"type": "string"}, "fd": count(),
        "unit": nullable("string"), "container": nullable("string"),
        "container_id": nullable("string"), "pod": nullable("string"),
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
        "protocol": {"enum": Protocol::ALL.map(Protocol::name)},
        "family": {"enum": Family::ALL.map(Family::name)},
        "state": state(),
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
        "owner_unknown": unowned(),
        "netns": netns(),
        "cgroup": nullable("string"),
        "mark": unknown_or_count("SO_MARK; null without CAP_NET_ADMIN"),
        "congestion": nullable("string"),
        "tcp_info": or_null(&strict(&Value::Object(tcp_info))),
        "memory": or_null(&strict(&Value::Object(memory))),
        "v6only": nullable("boolean"),
        "shutdown": {"enum": ["none", "receive", "send", "both", null]},
        "sockopt": list_or_null(&json!({"type": "string"}), "options that are set; null before kernel 5.10 and from /proc"),
        "tos": unknown_or_count("type of service, where it was asked for (--tos)"),
        "tclass": unknown_or_count("traffic class of IPv6, where it was asked for (--tos)"),
        "class_id": unknown_or_count("net_cls class or SO_PRIORITY, where it was asked for (--tos)"),
        "bbr": of_columns("bbr"),
        "dctcp": of_columns("dctcp"),
        "vegas": of_columns("vegas"),
        "ulp": of_columns("ulp"),
        "md5": list_or_null(
            &strict(&json!({"address": {"type": "string"}, "prefix_length": count()})),
            "peers with an MD5 key; null where none has, and without CAP_NET_ADMIN",
        ),
        "bpf_maps": list_or_null(
            &strict(&json!({"map_id": count(), "value_hex": {"type": "string"}})),
            "what BPF programs keep in the socket, where it was asked for (--bpf-maps)",
        ),
    }));
    // Ports of the internet have 16 bits, those of other families 32.
    let narrow = json!({"properties": {"port": {"maximum": 65535}}});
    if let Some(object) = schema.as_object_mut() {
        object.insert("if".into(), json!({"properties": {"family": {"enum": ["ipv4", "ipv6"]}}}));
        object.insert("then".into(), json!({"properties": {"local": narrow, "peer": narrow}}));
    }
    // A watched line says when it was made, and a row has the object of its own family alone.
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("generated_at".into(), json!({"type": "string"}));
        for name in family_objects() {
            properties.insert(name.into(), of_family(name, &process, &peer));
        }
    }
    schema
}

/// Names of the objects that some families have.
fn family_objects() -> impl Iterator<Item = &'static str> {
    Protocol::ALL.into_iter().filter_map(families::object)
}

/// The object of a family, made of its columns.
fn of_family(name: &str, process: &Value, end: &Value) -> Value {
    let child = |field: &Field| {
        let key = field.json.strip_prefix(name)?.strip_prefix('.')?;
        let kind = match (field.unit, field.id) {
            (_, "peer.owner") => json!({"type": ["array", "null"], "items": process}),
            (_, "mptcp.connections") => {
                let connection = strict(&json!({
                    "state": state(), "local": end, "peer": end,
                    "cookie": unknown_or_count("identity of the TCP socket"),
                }));
                list_or_null(&connection, field.summary)
            }
            ("list", "pending" | "netlink.groups") => list_or_null(&count(), field.summary),
            ("list", _) => list_or_null(&json!({"type": "string"}), field.summary),
            ("flag", _) => nullable("boolean"),
            ("word" | "name", _) => nullable("string"),
            _ => unknown_or_count(field.summary),
        };
        Some((key.to_owned(), kind))
    };
    or_null(&strict(&Value::Object(field::all().iter().filter_map(child).collect())))
}

/// What was closed, or would be.
pub(super) fn closings() -> Value {
    let mut closed = socket();
    if let Some(object) = closed.as_object_mut() {
        let own = [
            ("result", json!({"enum": ["would-close", "closed", "gone", "refused"]})),
            ("error", json!({"type": ["string", "null"], "description": "errno of a refusal"})),
        ];
        for (key, kind) in own {
            object["properties"][key] = kind;
            if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
                required.push(json!(key));
            }
        }
    }
    document(
        "sockeye.kill/1",
        &json!({
            "dry_run": {"type": "boolean", "description": "whether nothing was to be closed"},
            "sockets": {"type": "array", "items": closed},
            "totals": strict(&json!({
                "matched": count(), "closed": count(), "gone": count(), "refused": count(),
            })),
        }),
    )
}
