//! `--group-by`: how many sockets share the same values.

use super::{csv, object};
use crate::{
    collect::sink::RowSink,
    field::{definition::Field, row::Row},
    model::{about::About, gap::Gap},
    view::{
        document::{Block, Document},
        format, head, json,
        output::Output,
        terminal::Device,
    },
};
use hashbrown::HashMap;
use std::io;

/// The schema of a grouping.
pub const SCHEMA: &str = "sockeye.groups/1";

/// How groups are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A table.
    Table(Device),
    /// A JSON document.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// CSV.
    Csv,
}

struct Group {
    human: Vec<String>,
    exact: Vec<Vec<u8>>,
    /// The JSON object of the values, without its end.
    object: Vec<u8>,
    count: u64,
}

/// Counts rows by the values of columns. Memory grows with the number of groups, not of rows.
pub struct Groups<'o> {
    output: &'o mut Output,
    fields: Vec<&'static Field>,
    form: Form,
    heading: bool,
    limit: Option<usize>,
    // Every row asks: hashbrown's own hash takes a third of the time of the standard one, and is
    // seeded at random as well.
    by_key: HashMap<Vec<u8>, Group>,
    key: Vec<u8>,
    head: Vec<u8>,
}

impl<'o> Groups<'o> {
    /// Groups by these columns, and writes the largest `limit` groups to `output`.
    pub fn new(
        output: &'o mut Output,
        fields: Vec<&'static Field>,
        form: Form,
        heading: bool,
        limit: Option<usize>,
    ) -> Self {
        let by_key = HashMap::new();
        Self { output, fields, form, heading, limit, by_key, key: vec![], head: vec![] }
    }

    fn table(&mut self, groups: &[&Group], device: Device) {
        let mut heads = vec![">Sockets".to_owned()];
        heads.extend(self.fields.iter().map(|f| f.header.to_owned()));
        let cells = |g: &&Group| std::iter::once(g.count.to_string()).chain(g.human.clone());
        let rows = groups.iter().map(|g| cells(g).collect()).collect();
        let mut document = Document::default();
        let heads = if self.heading { heads } else { vec![] };
        document.push(Block::Table { heads, rows });
        self.output.buffer.extend(document.render(device).as_bytes());
    }

    fn csv(&mut self, groups: &[&Group]) {
        let out = &mut self.output.buffer;
        if self.heading {
            let ids: Vec<&str> = self.fields.iter().map(|f| f.id).collect();
            out.extend(format!("{},count\r\n", ids.join(",")).as_bytes());
        }
        for group in groups {
            for cell in &group.exact {
                csv::quote(out, cell);
                out.push(b',');
            }
            json::number(out, group.count);
            out.extend(b"\r\n");
        }
    }

    fn objects(&mut self, groups: &[&Group], separator: &[u8]) {
        let out = &mut self.output.buffer;
        for (index, group) in groups.iter().enumerate() {
            if index > 0 {
                out.extend(separator);
            }
            out.extend(&group.object);
            out.extend(b",\"count\":");
            json::number(out, group.count);
            out.push(b'}');
        }
    }
}

impl RowSink for Groups<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        head::write(&mut self.head, SCHEMA, about);
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        self.key.clear();
        for field in &self.fields {
            format::exact(&mut self.key, row, &field.value(row));
            self.key.push(0);
        }
        if let Some(group) = self.by_key.get_mut(&self.key) {
            group.count += 1;
            return Ok(());
        }
        let mut object = vec![];
        object::selected(&mut object, &self.fields, row);
        object.pop();
        let human = |field: &&Field| {
            let mut cell = vec![];
            format::human(&mut cell, row, &field.value(row));
            String::from_utf8_lossy(&cell).into_owned()
        };
        let exact = self.key.split(|b| *b == 0).take(self.fields.len()).map(<[u8]>::to_vec);
        let group = Group {
            human: self.fields.iter().map(human).collect(),
            exact: exact.collect(),
            object,
            count: 1,
        };
        self.by_key.insert(self.key.clone(), group);
        Ok(())
    }

    fn end(&mut self, late: &[Gap]) -> io::Result<()> {
        let all = std::mem::take(&mut self.by_key);
        let mut groups: Vec<(&Vec<u8>, &Group)> = all.iter().collect();
        groups.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
        groups.truncate(self.limit.unwrap_or(usize::MAX));
        let groups: Vec<&Group> = groups.into_iter().map(|(_, group)| group).collect();
        match self.form {
            Form::Table(device) => self.table(&groups, device),
            Form::Csv => self.csv(&groups),
            Form::JsonLines => {
                self.objects(&groups, b"\n");
                if !groups.is_empty() {
                    self.output.buffer.push(b'\n');
                }
            }
            Form::Json => {
                self.output.buffer.append(&mut self.head);
                self.output.buffer.extend(b",\"groups\":[");
                self.objects(&groups, b",");
                self.output.buffer.push(b']');
                if !late.is_empty() {
                    self.output.buffer.extend(b",\"late_warnings\":");
                    head::warnings(&mut self.output.buffer, late);
                }
                self.output.buffer.extend(b"}\n");
            }
        }
        self.output.flush()
    }
}
