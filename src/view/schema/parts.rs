//! Pieces that schemas are made of.

use crate::model::{netns::NameKind, owner::Unowned, state::State};
use serde_json::{Value, json};

pub(super) fn with_dialect(mut schema: Value, title: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".into(), json!(title));
    }
    schema
}

pub(super) fn document(id: &str, own: &Value) -> Value {
    let mut properties = json!({
        "schema": {"const": id},
        "generated_at": {"type": "string", "description": "RFC 3339, UTC"},
        "host": host(),
        "source": source(),
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

pub(super) fn warnings() -> Value {
    json!({"type": "array", "items": strict(&json!({
        "code": {"type": "string"}, "message": {"type": "string"},
    }))})
}

/// An object that has exactly these keys.
pub(super) fn strict(properties: &Value) -> Value {
    let keys: Vec<&String> = properties.as_object().into_iter().flat_map(|o| o.keys()).collect();
    json!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false})
}

pub(super) fn nullable(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(super) fn unknown_or_count(description: &str) -> Value {
    json!({"type": ["integer", "null"], "minimum": 0, "description": description})
}

pub(super) fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

pub(super) fn host() -> Value {
    strict(&json!({"name": nullable("string"), "kernel": nullable("string")}))
}

pub(super) fn source() -> Value {
    strict(&json!({
        "kind": {"enum": ["netlink", "proc", "mixed"]},
        "fallback_reason": nullable("string"),
    }))
}

pub(super) fn netns() -> Value {
    let kinds = NameKind::ALL.iter().map(|kind| Value::from(kind.name()));
    strict(&json!({
        "inode": unknown_or_count("inode of ns/net"),
        "name": nullable("string"),
        "kind": {
            "enum": kinds.chain([Value::Null]).collect::<Vec<_>>(),
            "description": "what the name is the name of",
        },
    }))
}

pub(super) fn state() -> Value {
    json!({"enum": State::all().map(State::name).chain(["UNKNOWN"]).collect::<Vec<_>>()})
}

/// Why no process is named, or null.
pub(super) fn unowned() -> Value {
    let reasons = Unowned::ALL.iter().map(|why| Value::from(why.name()));
    json!({"enum": reasons.chain([Value::Null]).collect::<Vec<_>>()})
}
