//! Schemas of the head of a snapshot file and of a comparison.

use super::parts::{
    count, document, host, netns, nullable, or_null, source, state, strict, unknown_or_count,
    unowned, with_dialect,
};
use crate::model::protocol::{Family, Protocol};
use serde_json::{Value, json};

/// The first line of a snapshot file.
pub(super) fn head() -> Value {
    with_dialect(snapshot_header(), "sockeye.snapshot/1")
}

/// What changed between two snapshots.
pub(super) fn comparison() -> Value {
    document("sockeye.diff/1", &diff())
}

/// The first line of a snapshot file; docs/snapshot-format.md describes the others.
fn snapshot_header() -> Value {
    let protocol = json!({"enum": Protocol::ALL.map(Protocol::name)});
    strict(&json!({
        "schema": {"const": "sockeye.snapshot/1"},
        "generated_at": {"type": "string", "description": "RFC 3339, UTC"},
        "tool_version": {"type": "string"},
        "redacted": {"type": "boolean", "description": "Whether addresses and names are masked"},
        "byte_order": {"enum": ["little", "big"], "description": "Of tcp_info and sockopt"},
        "host": host(),
        "boot_id": nullable("string"),
        "source": source(),
        "netns": netns(),
        "namespaces": {"type": "integer", "minimum": 1, "description": "Snapshots in the file, one of each network namespace"},
        "window_ms": unknown_or_count("time between the two looks"),
        "protocols": {"type": "array", "items": protocol, "description": "What was asked for"},
        "owner_unmatched": unowned(),
        "counts": {"type": "object", "additionalProperties": count()},
    }))
}

fn diff() -> Value {
    let port = unknown_or_count("null where the family has no ports");
    let end = strict(&json!({"address": nullable("string"), "port": port}));
    let holder = strict(&json!({"pid": count(), "command": {"type": "string"}, "fd": count()}));
    let socket = strict(&json!({
        "protocol": {"enum": Protocol::ALL.map(Protocol::name)},
        "family": {"enum": Family::ALL.map(Family::name)},
        "state": state(),
        "local": end,
        "peer": or_null(&end),
        "inode": unknown_or_count("null where the socket has no file"),
        "cookie": unknown_or_count("null from /proc"),
        "processes": {"type": "array", "items": holder},
    }));
    let moment = strict(&json!({
        "generated_at": {"type": "string"},
        "host": nullable("string"),
        "netns_inode": unknown_or_count("inode of ns/net"),
    }));
    let list = |item: &Value| json!({"type": "array", "items": item});
    let rate = json!({"type": ["number", "null"], "description": "null for gauges, and where the time between is not known"});
    json!({
        "before": moment,
        "after": moment,
        "elapsed_ms": unknown_or_count("null where the second is not the later one"),
        "totals": strict(&json!({
            "born": count(), "gone": count(), "changed": count(), "unchanged": count(),
        })),
        "states": list(&strict(&json!({
            "protocol": {"enum": Protocol::ALL.map(Protocol::name)}, "state": state(), "before": count(), "after": count(),
        }))),
        "born": list(&socket),
        "gone": list(&socket),
        "changed": list(&strict(&json!({
            "from_state": state(), "to_state": state(), "socket": socket,
        }))),
        "counters": list(&strict(&json!({
            "name": {"type": "string"}, "before": count(), "after": count(), "per_second": rate,
        }))),
        "limits": list(&strict(&json!({
            "id": {"type": "string"}, "subject": {"type": "string"},
            "before": unknown_or_count("null: unknown, unlimited or not there"),
            "after": unknown_or_count("null: unknown, unlimited or not there"),
        }))),
        "settings": list(&strict(&json!({
            "name": {"type": "string"}, "before": nullable("string"), "after": nullable("string"),
        }))),
    })
}
