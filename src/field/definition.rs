//! What a column is.

use super::{need::Need, row::Row, value::Value};
use crate::model::tcp_info::{TcpField, TcpUnit};

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its one name.
    pub id: &'static str,
    /// Its place in JSON, dots between the levels, with the unit (`tcp_info.rtt_us`).
    pub json: &'static str,
    /// Table heading.
    pub header: &'static str,
    /// Unit, or the kind of value.
    pub unit: &'static str,
    /// One line for help and the manual.
    pub summary: &'static str,
    /// Where the kernel keeps it.
    pub source: &'static str,
    /// What showing it costs.
    pub need: Need,
    /// How it is read.
    pub read: Reader,
}

/// How a column is read from a row.
#[derive(Debug, Clone, Copy)]
pub enum Reader {
    /// By a function.
    Row(for<'a> fn(Row<'a>) -> Value<'a>),
    /// From `tcp_info`.
    TcpInfo(&'static TcpField),
    /// From `mptcp_info`.
    MptcpInfo(&'static TcpField),
}

impl Field {
    /// The value in a row.
    #[inline]
    pub fn value<'a>(&self, row: Row<'a>) -> Value<'a> {
        match self.read {
            Reader::Row(read) => read(row),
            Reader::TcpInfo(field) => tcp_value(row, field),
            Reader::MptcpInfo(field) => mptcp_value(row, field),
        }
    }

    /// Whether the values are numbers, which tables align to the right.
    pub fn is_numeric(&self) -> bool {
        !matches!(self.unit, "word" | "name" | "address" | "endpoint" | "state" | "list" | "flag")
    }
}

fn mptcp_value(row: Row<'_>, field: &TcpField) -> Value<'static> {
    let info = row.socket.mptcp().and_then(|mptcp| mptcp.info.as_ref());
    info.and_then(|info| info.value(field)).map_or(Value::Absent, |n| in_unit(n, field.unit))
}

fn tcp_value(row: Row<'_>, field: &TcpField) -> Value<'static> {
    let Some(number) = row.socket.tcp_info.as_deref().and_then(|info| info.value(field)) else {
        return Value::Absent;
    };
    in_unit(number, field.unit)
}

fn in_unit(number: u64, unit: TcpUnit) -> Value<'static> {
    match unit {
        TcpUnit::Count | TcpUnit::Segments => Value::Count(number),
        TcpUnit::Bytes => Value::Bytes(number),
        TcpUnit::Milliseconds => Value::Milliseconds(number),
        TcpUnit::Microseconds => Value::Microseconds(number),
        TcpUnit::BytesPerSecond => Value::BytesPerSecond(number),
    }
}
