//! Reports for people: headings, small tables, lines. comfy-table measures and draws the tables.

use super::terminal::Device;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// A piece of a report.
#[derive(Debug, Clone)]
pub enum Block {
    /// A line of its own above what follows.
    Heading(String),
    /// Text as it stands.
    Line(String),
    /// Text with the command that shows more at the right margin.
    Pointer {
        /// The text.
        text: String,
        /// The command.
        command: String,
    },
    /// A table.
    Table {
        /// Headings; those that begin with `>` head a column of numbers.
        heads: Vec<String>,
        /// Rows of cells.
        rows: Vec<Vec<String>>,
    },
}

/// A report.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Its pieces, in order.
    pub blocks: Vec<Block>,
}

impl Document {
    /// Appends a piece.
    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Renders it as text.
    pub fn render(&self, device: Device) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            match block {
                Block::Heading(text) if device.colour => {
                    let _ = writeln!(out, "\x1b[1m{text}\x1b[0m");
                }
                Block::Heading(text) | Block::Line(text) => {
                    out.push_str(text);
                    out.push('\n');
                }
                Block::Pointer { text, command } => pointer(&mut out, text, command, device),
                Block::Table { heads, rows } => out.push_str(&table(heads, rows, device)),
            }
        }
        out
    }
}

/// The command stands at column 80, or at the edge of a narrower terminal; below where it has no room.
fn pointer(out: &mut String, text: &str, command: &str, device: Device) {
    let margin = device.width.map_or(80, |width| width.min(80));
    let used = text.width() + command.width();
    if used + 2 > margin {
        let indent = margin.saturating_sub(command.width());
        let _ = writeln!(out, "{text}\n{:indent$}{command}", "");
    } else {
        let _ = writeln!(out, "{text}{:1$}{command}", "", margin - used);
    }
}

fn table(heads: &[String], rows: &[Vec<String>], device: Device) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = device.width.and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width);
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let plain = |head: &String| head.strip_prefix('>').unwrap_or(head).to_owned();
    table.set_header(heads.iter().map(plain));
    for row in rows {
        table.add_row(row.iter().map(Cell::new));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if heads.get(index).is_some_and(|head| head.starts_with('>')) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
