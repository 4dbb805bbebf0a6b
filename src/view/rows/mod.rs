//! Listings: one sink for each format, rows in a stream.

pub mod closing;
pub mod counted;
pub mod csv;
pub mod event;
pub mod groups;
pub mod json;
#[cfg(test)]
mod lanes;
pub mod object;
mod plain;
pub mod ss;
pub mod summary;
pub mod table;
mod whole;
