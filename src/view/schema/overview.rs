//! Schemas of the overview and the summary.

use super::parts::{count, document, netns, or_null, strict, unknown_or_count};
use serde_json::{Value, json};

/// Counts by protocol, family and state.
pub(super) fn counts() -> Value {
    json!({"type": "array", "items": strict(&json!({
        "protocol": {"type": "string"}, "family": {"type": "string"},
        "state": {"type": "string"}, "count": count(),
    }))})
}

/// The overview.
pub(super) fn overview() -> Value {
    document("sockeye.overview/1", &overview_keys())
}

/// The summary.
pub(super) fn summary() -> Value {
    document(
        "sockeye.summary/1",
        &json!({
            "counts": {"type": "array", "items": strict(&json!({
                "netns": netns(),
                "protocol": {"type": "string"}, "family": {"type": "string"},
                "state": {"type": "string"}, "count": count(),
            }))},
            "totals": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
        }),
    )
}

fn overview_keys() -> Value {
    let verdict = json!({"enum": ["harmless", "watch", "harmful"]});
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
        "time_wait": strict(&json!({
            "total": count(), "limit": unknown_or_count("tcp_max_tw_buckets"),
            "server_side": count(), "verdict": verdict,
        })),
        "nearest_limit": or_null(&strict(&json!({
            "id": {"type": "string"}, "subject": {"type": "string"}, "used": count(),
            "value": count(), "unit": {"type": "string"}, "used_percent": count(),
        }))),
        "worst": or_null(&strict(&json!({
            "verdict": verdict, "text": {"type": "string"}, "command": {"type": "string"},
        }))),
    })
}
