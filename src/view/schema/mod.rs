//! JSON Schemas of the documents, made from the same tables as the documents.

mod capacity;
mod doctor;
mod event;
mod explain;
mod namespaces;
mod overview;
mod parts;
mod snapshot;
mod socket;
mod time_wait;

use serde_json::{Value, json};

/// A document that has a schema.
struct Schema {
    name: &'static str,
    /// What prints it, in one line.
    summary: &'static str,
    make: fn() -> Value,
}

const SCHEMAS: &[Schema] = &[
    Schema { name: "sockets", summary: "a listing, by --json", make: socket::listing },
    Schema { name: "socket", summary: "a line of --ndjson", make: socket::line },
    Schema {
        name: "groups",
        summary: "counts by value, by --json --group-by",
        make: socket::groups,
    },
    Schema { name: "count", summary: "how many sockets, by --json --count", make: socket::counted },
    Schema {
        name: "capacity",
        summary: "the capacity report, by capacity --json",
        make: capacity::report,
    },
    Schema { name: "event", summary: "a line of trace or watch --ndjson", make: event::line },
    Schema { name: "doctor", summary: "the diagnosis, by doctor --json", make: doctor::report },
    Schema { name: "explain", summary: "a topic, by explain --json", make: explain::topic },
    Schema { name: "kill", summary: "what was closed, by kill --json", make: socket::closings },
    Schema {
        name: "namespaces",
        summary: "a report of each network namespace, by --json --all-netns",
        make: namespaces::reports,
    },
    Schema { name: "overview", summary: "sockeye alone, by --json", make: overview::overview },
    Schema { name: "snapshot", summary: "the first line of a snapshot file", make: snapshot::head },
    Schema { name: "diff", summary: "what changed, by diff --json", make: snapshot::comparison },
    Schema {
        name: "summary",
        summary: "counts by state, by summary --json",
        make: overview::summary,
    },
    Schema {
        name: "time-wait",
        summary: "the TIME_WAIT report, by time-wait --json",
        make: time_wait::report,
    },
];

/// The documents that have a schema.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|schema| schema.name)
}

/// One line about a document: what prints it. Empty: there is no such document.
pub fn summary(name: &str) -> &'static str {
    find(name).map_or("", |schema| schema.summary)
}

/// The schema of a document, as text; `sockeye.sockets/1` is understood as `sockets`.
pub fn text(name: &str) -> Option<String> {
    let name = name.strip_prefix("sockeye.").unwrap_or(name);
    let schema = find(name.split('/').next().unwrap_or(name))?;
    let mut value = (schema.make)();
    if let Some(object) = value.as_object_mut() {
        object.insert("description".into(), json!(schema.summary));
    }
    serde_json::to_string_pretty(&value).ok()
}

fn find(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|schema| schema.name == name)
}
