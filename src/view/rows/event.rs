//! An event as one JSON object: schema `sockeye.event/1`.

use super::object;
use crate::{
    field::row::{Context, Row},
    model::event::{Event, Kind},
    view::{head, json},
};

/// The schema.
pub const SCHEMA: &str = "sockeye.event/1";

/// Writes it with its line end.
pub fn line(out: &mut Vec<u8>, event: &Event, context: &Context) {
    out.extend(b"{\"schema\":\"");
    out.extend(SCHEMA.as_bytes());
    out.extend(b"\",\"event\":");
    json::word(out, event.kind.name());
    out.extend(b",\"at\":");
    json::string(out, &head::instant(event.at));
    let state = event.socket.state.name();
    let (from, to) = match event.kind {
        Kind::Opened => (None, Some(state)),
        Kind::State { from } => (Some(from.name()), Some(state)),
        Kind::Closed => (Some(state), None),
    };
    out.extend(b",\"from_state\":");
    json::string_or_null(out, from);
    out.extend(b",\"to_state\":");
    json::string_or_null(out, to);
    let lifetime = event.lifetime.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    for (key, number) in [
        ("lifetime_ms", lifetime),
        ("bytes_sent", event.bytes_sent),
        ("bytes_received", event.bytes_received),
    ] {
        out.extend(b",\"");
        out.extend(key.as_bytes());
        out.extend(b"\":");
        json::number_or_null(out, number);
    }
    out.extend(b",\"socket\":");
    object::whole(out, Row { socket: &event.socket, context });
    out.extend(b"}\n");
}
