//! Events.

use super::{
    parts::{or_null, state, strict, unknown_or_count, with_dialect},
    socket,
};
use crate::{
    model::event::{EventSource, Loss},
    view::rows::event,
};
use serde_json::{Value, json};

/// A line of events.
pub(super) fn line() -> Value {
    let mut of = socket::socket();
    if let Some(fd) = of.pointer_mut("/properties/processes/items/properties/fd") {
        *fd = unknown_or_count("null where the process is known and the descriptor is not");
    }
    let state = or_null(&state());
    let mut reasons: Vec<Value> = Loss::ALL.map(Loss::name).map(Value::from).to_vec();
    reasons.push(Value::Null);
    with_dialect(
        strict(&json!({
            "schema": {"const": event::SCHEMA},
            "event": {"enum": ["opened", "state", "closed", "missed"]},
            "at": {"type": "string", "description": "RFC 3339, UTC, microseconds"},
            "source": {"enum": EventSource::ALL.map(EventSource::name)},
            "from_state": state,
            "to_state": state,
            "lifetime_ms": unknown_or_count("closed: since it was opened"),
            "bytes_sent": unknown_or_count("closed: data, each byte once"),
            "bytes_received": unknown_or_count("closed: data"),
            "rtt_us": unknown_or_count("closed: smoothed round-trip time"),
            "retransmits": unknown_or_count("closed: segments"),
            "count": unknown_or_count("missed: events, where they were counted"),
            "reason": {"enum": reasons, "description": "missed: why; null else"},
            "socket": or_null(&of),
        })),
        event::SCHEMA,
    )
}
