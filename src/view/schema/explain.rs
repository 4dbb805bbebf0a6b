//! Schema of an explanation.

use super::parts::{document, strict};
use crate::explain::topic::Kind;
use serde_json::{Value, json};

/// A topic. Nothing is asked of the kernel for it, so it has no source.
pub(super) fn topic() -> Value {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let text = json!({"type": "string"});
    let entry = strict(&json!({"topic": text, "title": text, "kind": {"enum": kinds}}));
    let mut schema = document(
        "sockeye.explain/1",
        &json!({
            "topic": {"type": "string", "description": "Its one name"},
            "title": text,
            "kind": {"enum": kinds},
            "text": {"type": "string", "description": "At most 80 columns wide"},
            "see_also": {"type": "array", "items": text, "description": "Names of topics"},
            "topics": {"type": "array", "items": entry, "description": "Every topic; only in the index"},
        }),
    );
    if let Some(source) = schema.pointer_mut("/properties/source/properties/kind") {
        *source = json!({"type": "null"});
    }
    schema
}
