//! The head that every JSON document begins with.

use super::json;
use crate::model::{about::About, gap::Gap};
use jiff::Timestamp;
use serde::Serialize;

/// Writes `{"schema":…,"generated_at":…,"host":…,"source":…,"warnings":…`, without the end.
pub fn write(out: &mut Vec<u8>, schema: &str, about: &About) {
    out.extend(b"{\"schema\":");
    json::string(out, schema);
    out.extend(b",\"generated_at\":");
    json::string(out, &time(about));
    out.extend(b",\"host\":{\"name\":");
    json::string_or_null(out, about.host.name.as_deref());
    out.extend(b",\"kernel\":");
    json::string_or_null(out, about.host.kernel.as_deref());
    out.extend(b"},\"source\":{\"kind\":");
    json::string(out, about.source.name());
    out.extend(b",\"fallback_reason\":");
    json::string_or_null(out, about.fallback_reason.as_deref());
    out.extend(b"},\"warnings\":");
    warnings(out, &about.gaps);
}

/// Writes a report's whole document: the head, then the report's own keys.
pub fn report(
    out: &mut Vec<u8>,
    schema: &str,
    about: &About,
    report: &impl Serialize,
) -> serde_json::Result<()> {
    write(out, schema, about);
    let own = serde_json::to_vec(report)?;
    // `{"a":1}` continues the head as `,"a":1}`.
    out.push(b',');
    out.extend(own.get(1..).unwrap_or_default());
    out.push(b'\n');
    Ok(())
}

/// Writes gaps as `[{"code":…,"message":…}]`.
pub fn warnings(out: &mut Vec<u8>, gaps: &[Gap]) {
    out.push(b'[');
    for (index, gap) in gaps.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(b"{\"code\":");
        json::string(out, gap.code);
        out.extend(b",\"message\":");
        json::string(out, &gap.sentence());
        out.push(b'}');
    }
    out.push(b']');
}

/// When it was made: RFC 3339, UTC, milliseconds.
pub fn time(about: &About) -> String {
    Timestamp::try_from(about.generated_at)
        .map_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned(), |time| format!("{time:.3}"))
}
