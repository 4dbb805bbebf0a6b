//! From a question to rows: which source, which attributes, who owns what, in which order.
//! Streams; judges nothing.

pub mod census;
pub mod closing;
pub mod dump;
pub mod families;
pub mod homes;
pub mod limits;
pub mod list;
pub mod live;
mod look;
pub mod namespaces;
pub mod order;
pub mod owners;
pub mod peers;
pub mod query;
mod quiet;
pub mod recording;
pub mod redaction;
pub mod replay;
pub mod sink;
pub mod snapshot;
pub mod socket_options;
pub mod subflows;
pub mod surroundings;
pub mod tables;
pub mod trace;
