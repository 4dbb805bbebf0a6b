//! Columns of `struct tcp_info`, made from the model's table of its fields.

use super::{
    definition::{Field, Reader},
    need::Need,
};
use crate::model::tcp_info::{TCP_FIELDS, TcpUnit};
use std::sync::LazyLock;

/// One column for each field of the struct.
pub fn fields() -> impl Iterator<Item = Field> {
    TCP_FIELDS.iter().zip(PLACES.iter()).map(|(field, json)| Field {
        id: field.id,
        json,
        header: field.header,
        unit: unit(field.unit),
        summary: field.summary,
        source: field.source,
        need: Need::TCP_INFO,
        read: Reader::TcpInfo(field),
    })
}

/// The JSON places, `tcp_info.` before each key, made once.
static PLACES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| TCP_FIELDS.iter().map(|f| &*format!("tcp_info.{}", f.key).leak()).collect());

const fn unit(unit: TcpUnit) -> &'static str {
    match unit {
        TcpUnit::Count => "count",
        TcpUnit::Segments => "segments",
        TcpUnit::Bytes => "bytes",
        TcpUnit::Milliseconds => "ms",
        TcpUnit::Microseconds => "µs",
        TcpUnit::BytesPerSecond => "bytes/s",
    }
}
