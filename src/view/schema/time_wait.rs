//! Schema of the TIME_WAIT report.

use super::parts::{count, document, nullable, strict, unknown_or_count};
use serde_json::{Value, json};

/// The report.
pub(super) fn report() -> Value {
    document("sockeye.time-wait/1", &keys())
}

fn keys() -> Value {
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
        "owners_sampled": {"type": "boolean"},
        "advice": {"type": "array", "items": remedy},
        "avoid": {"type": "array", "items": strict(&json!({
            "action": {"type": "string"}, "reason": {"type": "string"},
        }))},
    })
}
