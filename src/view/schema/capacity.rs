//! Schema of the capacity report.

use super::parts::{count, document, nullable, strict, unknown_or_count};
use crate::report::capacity::limit::LimitId;
use serde_json::{Value, json};

/// The report.
pub(super) fn report() -> Value {
    let parts = parts();
    let mut schema = document(
        "sockeye.capacity/1",
        &json!({
            "limits": parts["limits"], "listeners": parts["listeners"],
            "destinations": parts["destinations"], "processes": parts["processes"],
        }),
    );
    let mut host = strict(&json!({"name": nullable("string"), "kernel": nullable("string")}));
    add_members(&mut host, &parts["host"]);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("host".into(), host);
        properties.insert("answer".into(), parts["answer"].clone());
        properties.insert(
            "assumed".into(),
            json!({"type": "array", "items": strict(&json!({
                "name": {"type": "string"}, "value": {"type": "string"}, "before": nullable("string"),
                "remark": nullable("string"),
            }))}),
        );
        let mut before = strict(&parts);
        // Only a question has an answer.
        if let Some(required) = before.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| key != "answer");
        }
        properties.insert("before".into(), before);
    }
    schema
}

/// Adds the properties of one strict object to another.
fn add_members(to: &mut Value, from: &Value) {
    let (properties, required) = (from["properties"].clone(), from["required"].clone());
    if let (Some(all), Value::Object(more)) = (to["properties"].as_object_mut(), properties) {
        all.extend(more);
    }
    if let (Some(all), Value::Array(more)) = (to["required"].as_array_mut(), required) {
        all.extend(more);
    }
}

fn parts() -> Value {
    let ids: Vec<&str> = LimitId::ALL.iter().map(|id| id.name()).collect();
    let binding = LimitId::ALL.iter().filter(|id| id.can_bind()).map(|id| json!(id.name()));
    let id_or_null = json!({"enum": binding.chain([Value::Null]).collect::<Vec<_>>()});
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let number = json!({"type": "number", "minimum": 0});
    let or_unknown = json!({"type": ["integer", "null"], "minimum": 0});
    let limit = strict(&json!({
        "id": {"enum": ids},
        "scope": {"enum": ["process", "netns", "host", "cgroup"]},
        "subject": text,
        "value": unknown_or_count("null where unlimited or unknown"),
        "unlimited": {"type": "boolean"},
        "used": or_unknown,
        "free": unknown_or_count("null where unlimited or unknown"),
        "unit": text,
        "connections": unknown_or_count("how many more connections it allows"),
        "connections_low": unknown_or_count("the lower end, where that is an interval"),
        "units_per_connection": unknown_or_count("where one connection takes several"),
        "error_at_limit": nullable("string"),
        "source": text,
        "unknown": nullable("string"),
        "note": nullable("string"),
    }));
    let limits = json!({"type": "array", "items": limit});
    let holder = strict(&json!({"pid": count(), "command": text}));
    let listener = strict(&json!({
        "local_address": text, "local_port": count(),
        "processes": {"type": "array", "items": holder},
        "in_use": count(), "effective_max": or_unknown, "remaining": or_unknown,
        "remaining_low": or_unknown, "binding_limit": id_or_null, "accept_queue": count(),
        "accept_queue_limit": unknown_or_count("null from /proc"),
        "syn_queue": count(),
        "syn_queue_limit": unknown_or_count("null from /proc"),
    }));
    let destination = strict(&json!({
        "local_address": text, "peer_address": text, "peer_port": count(),
        "ports_total": count(), "ports_reserved": count(), "ports_unusable": count(),
        "ports_usable": count(), "ports_in_use": count(), "ports_reusable": count(),
        "in_use_by_state": {"type": "object", "additionalProperties": count()},
        "effective_max": or_unknown, "remaining": or_unknown, "remaining_low": or_unknown,
        "binding_limit": id_or_null, "ports_fast": count(),
        "rate_ceiling_per_second": number,
    }));
    let process = strict(&json!({
        "pid": count(), "command": text, "open_files": or_unknown,
        "open_files_below_limit": or_unknown, "limit_soft": or_unknown,
        "limit_hard": or_unknown, "remaining": or_unknown, "sockets": count(),
    }));
    let host = strict(&json!({
        "in_use": count(), "remaining": or_unknown, "binding_limit": id_or_null,
        "runner_up": id_or_null,
        "time_wait": count(), "memory_available_bytes": or_unknown,
        "kernel_bytes_per_connection": count(),
        "kernel_bytes_per_connection_source": text,
    }));
    let answer = strict(&json!({
        "effective_max": or_unknown, "in_use": count(), "remaining": or_unknown,
        "binding_limit": id_or_null, "error_at_limit": nullable("string"),
        "effective_max_low": or_unknown, "remaining_low": or_unknown,
        "runner_up": id_or_null, "runner_up_remaining": or_unknown,
        "local_address": nullable("string"), "fast_remaining": or_unknown,
        "rate_ceiling_per_second": {"type": ["number", "null"], "minimum": 0},
        "limits": limits, "uncertainty": texts, "assumptions": texts, "unknown": texts,
    }));
    json!({
        "limits": limits,
        "listeners": {"type": "array", "items": listener},
        "destinations": {"type": "array", "items": destination},
        "processes": {"type": "array", "items": process},
        "host": host,
        "answer": answer,
    })
}
