//! Events.

use super::{
    parts::{or_null, state, unknown_or_count, with_dialect},
    socket,
};
use crate::view::rows::event;
use serde_json::{Value, json};

/// A line of events.
pub(super) fn line() -> Value {
    let state = or_null(&state());
    let properties = json!({
        "schema": {"const": event::SCHEMA},
        "event": {"enum": ["opened", "state", "closed", "missed"]},
        "at": {"type": "string", "description": "when it was seen: RFC 3339, UTC"},
        "from_state": state,
        "to_state": state,
        "lifetime_ms": unknown_or_count("closed: since it was opened, where that was seen"),
        "bytes_sent": unknown_or_count("closed: over its whole life, where it is known"),
        "bytes_received": unknown_or_count("closed: over its whole life, where it is known"),
        "socket": or_null(&socket::socket()),
    });
    let required: Vec<&String> =
        properties.as_object().into_iter().flat_map(|o| o.keys()).collect();
    with_dialect(
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }),
        event::SCHEMA,
    )
}
