//! The head that every JSON document begins with.

use super::json;
use crate::model::{about::About, gap::Gap, netns::Netns};
use jiff::Timestamp;
use serde::Serialize;
use std::time::SystemTime;

/// Writes `{"schema":…,"generated_at":…,"host":…,"source":…,"warnings":…`, without the end.
pub fn write(out: &mut Vec<u8>, schema: &str, about: &About) {
    begin(out, schema, about);
    end(out, about);
}

/// Up to the facts of the host, which a report can add to.
fn begin(out: &mut Vec<u8>, schema: &str, about: &About) {
    out.extend(b"{\"schema\":");
    json::string(out, schema);
    out.extend(b",\"generated_at\":");
    json::string(out, &time(about));
    out.extend(b",\"host\":{\"name\":");
    json::string_or_null(out, about.host.name.as_deref());
    out.extend(b",\"kernel\":");
    json::string_or_null(out, about.host.kernel.as_deref());
}

fn end(out: &mut Vec<u8>, about: &About) {
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
    whole(out, schema, about, None, report)?;
    out.push(b'\n');
    Ok(())
}

/// The schema of a report made in each of several namespaces.
pub const NAMESPACES: &str = "sockeye.namespaces/1";

/// Writes one report for each namespace as one document: each entry is the report's own document,
/// as `--netns` prints it, with its `netns`.
pub fn reports<'r, R: Serialize + 'r>(
    out: &mut Vec<u8>,
    schema: &str,
    about: &About,
    each: impl Iterator<Item = (&'r About, &'r R)>,
) -> serde_json::Result<()> {
    write(out, NAMESPACES, about);
    out.extend(b",\"report\":");
    json::string(out, schema);
    out.extend(b",\"namespaces\":[");
    for (index, (about, report)) in each.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        whole(out, schema, about, Some(&about.netns), report)?;
    }
    out.extend(b"]}\n");
    Ok(())
}

/// A report's document without a newline, with the namespace it is about where it is one of several.
fn whole(
    out: &mut Vec<u8>,
    schema: &str,
    about: &About,
    netns: Option<&Netns>,
    report: &impl Serialize,
) -> serde_json::Result<()> {
    let mut own = serde_json::to_value(report)?;
    // What a report says of the host belongs to the one object of that name.
    let host = own.as_object_mut().and_then(|own| own.remove("host"));
    begin(out, schema, about);
    append(out, &serde_json::to_vec(&host)?);
    end(out, about);
    if let Some(netns) = netns {
        out.extend(b",\"netns\":");
        out.extend(serde_json::to_vec(netns)?);
    }
    append(out, &serde_json::to_vec(&own)?);
    out.push(b'}');
    Ok(())
}

/// Continues an object with the members of another: of `{"a":1}`, `,"a":1`.
fn append(out: &mut Vec<u8>, object: &[u8]) {
    let members = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        out.push(b',');
        out.extend(members);
    }
}

/// Writes gaps as `[{"code":…,"message":…}]`.
pub fn warnings(out: &mut Vec<u8>, gaps: &[Gap]) {
    out.push(b'[');
    for (index, gap) in gaps.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(b"{\"code\":");
        json::string(out, &gap.code);
        out.extend(b",\"message\":");
        json::string(out, &gap.sentence());
        out.push(b'}');
    }
    out.push(b']');
}

/// When it was made: RFC 3339, UTC, milliseconds.
pub fn time(about: &About) -> String {
    instant(about.generated_at)
}

/// A moment: RFC 3339, UTC, milliseconds.
pub fn instant(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .map_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned(), |time| format!("{time:.3}"))
}
