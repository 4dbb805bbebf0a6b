//! Schema of a report made in each of several network namespaces.

use super::{capacity, doctor, overview, parts::document, parts::netns, snapshot, time_wait};
use serde_json::{Value, json};

/// The documents of the namespaces, each the report's own with its `netns`.
pub(super) fn reports() -> Value {
    let each = [
        capacity::report(),
        overview::overview(),
        time_wait::report(),
        doctor::report(),
        snapshot::comparison(),
    ]
    .map(with_netns);
    document(
        "sockeye.namespaces/1",
        &json!({
            "report": {"type": "string", "description": "The schema of each entry"},
            "namespaces": {"type": "array", "items": {"anyOf": each}},
        }),
    )
}

fn with_netns(mut report: Value) -> Value {
    if let Some(properties) = report.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("netns".into(), netns());
    }
    if let Some(required) = report.get_mut("required").and_then(Value::as_array_mut) {
        required.push("netns".into());
    }
    report
}
