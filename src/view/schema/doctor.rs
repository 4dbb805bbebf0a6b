//! Schema of the diagnosis.

use super::parts::{count, document, nullable, or_null, strict, unknown_or_count};
use crate::doctor::rules::RULES;
use serde_json::{Value, json};

/// The diagnosis.
pub(super) fn report() -> Value {
    document("sockeye.doctor/1", &keys())
}

fn keys() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let id = json!({"enum": ids});
    let area = json!({"enum": [
        "listening", "ports", "time-wait", "closing", "peers", "data", "limits", "tables",
        "settings",
    ]});
    let severity = json!({"enum": ["notice", "warning", "critical"]});
    let party = strict(&json!({
        "pid": unknown_or_count("null: not known"), "command": nullable("string"),
        "unit": nullable("string"), "container": nullable("string"),
        "uid": unknown_or_count("the user, where no process is known"),
    }));
    let remedy = strict(&json!({
        "tier": {"enum": ["application", "socket", "sysctl", "capacity"]},
        "text": text, "command": nullable("string"), "scope": text, "risk": text,
    }));
    let finding = strict(&json!({
        "id": id,
        "severity": severity,
        "confidence": {"enum": ["certain", "likely", "possible"]},
        "surer": {"type": ["string", "null"], "description": "what would make it surer"},
        "title": text,
        "subject": text,
        "subject_kind": {"enum": ["process", "listener", "destination", "netns", "host"]},
        "processes": {"type": "array", "items": party},
        "listener": {"type": ["string", "null"], "description": "address:port"},
        "destination": {"type": ["string", "null"], "description": "address:port"},
        "evidence": {"type": "object", "description": "figures, with units in their names"},
        "seen": texts,
        "meaning": text,
        "causes": texts,
        "remedies": {"type": "array", "items": remedy},
        "avoid": {"type": "array", "items": strict(&json!({"action": text, "reason": text}))},
        "references": texts,
        "caused_by": {"type": "array", "items": count(), "description": "places in findings"},
    }));
    json!({
        "window_ms": unknown_or_count("time between two looks; null: there was one"),
        "verdict": {"enum": ["ok", "warning", "critical", "unknown"]},
        "findings": {"type": "array", "items": finding},
        "checked": {"type": "array", "items": strict(&json!({
            "id": id, "area": area, "status": {"enum": ["ok", "fired", "skipped"]},
            "reason": nullable("string"),
        }))},
        "areas": {"type": "array", "items": strict(&json!({
            "area": area, "worst": or_null(&severity), "judged": count(), "asked": count(),
            "figure": text,
        }))},
        "excepted": {"type": "array", "items": strict(&json!({
            "id": id, "subject": text, "reason": text,
        }))},
        "figures": {"type": "object", "additionalProperties": count()},
        "nearest_limit": or_null(&strict(&json!({
            "id": text, "subject": text, "used": count(), "value": count(), "unit": text,
            "used_percent": count(),
        }))),
        "socket_options": {
            "type": ["array", "null"], "items": socket_options(),
            "description": "null: they were not to be looked at",
        },
    })
}

fn socket_options() -> Value {
    let switch = nullable("boolean");
    strict(&json!({
        "pid": count(), "fd": count(), "inode": count(),
        "keepalive": switch,
        "keepalive_idle_s": unknown_or_count("TCP_KEEPIDLE"),
        "keepalive_interval_s": unknown_or_count("TCP_KEEPINTVL"),
        "keepalive_probes": unknown_or_count("TCP_KEEPCNT"),
        "user_timeout_ms": unknown_or_count("TCP_USER_TIMEOUT; 0: the default of the host"),
        "linger_s": {"type": ["integer", "null"], "description": "SO_LINGER; -1: off"},
        "nodelay": switch, "reuse_address": switch, "reuse_port": switch,
        "bind_address_no_port": switch,
        "receive_buffer_bytes": unknown_or_count("SO_RCVBUF"),
        "send_buffer_bytes": unknown_or_count("SO_SNDBUF"),
    }))
}
