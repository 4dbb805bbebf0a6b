//! `--columns help`: every column with its unit and source.

use super::document::{Block, Document};
use crate::field;

/// The list.
pub fn document() -> Document {
    let cells = |f: &field::definition::Field| {
        [f.id, f.json, f.unit, f.summary, f.source].map(str::to_owned).to_vec()
    };
    let mut document = Document::default();
    document.push(Block::Table {
        heads: ["COLUMN", "JSON", "UNIT", "MEANING", "SOURCE"].map(str::to_owned).to_vec(),
        rows: field::all().iter().map(cells).collect(),
    });
    document
}
