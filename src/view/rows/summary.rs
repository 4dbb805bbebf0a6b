//! `sockeye summary`: how many sockets by protocol, family and state. No row is kept.

use crate::{
    collect::sink::RowSink,
    field::row::Row,
    model::{
        about::About,
        gap::Gap,
        protocol::{Family, Protocol},
    },
    report::summary::{Count, Summary},
    view::{
        document::{Block, Document},
        head,
        output::Output,
        terminal::Device,
    },
};
use serde::Serialize;
use std::{collections::BTreeMap, io};

/// The schema of a summary.
pub const SCHEMA: &str = "sockeye.summary/1";

/// Counts rows and prints the counts at the end.
pub struct SummarySink<'o> {
    output: &'o mut Output,
    /// For people, on this device; `None`: as JSON.
    device: Option<Device>,
    summary: Summary,
    about: Option<About>,
}

#[derive(Serialize)]
struct Figures {
    counts: Vec<Count>,
    /// Sockets by protocol.
    totals: BTreeMap<&'static str, u64>,
}

impl<'o> SummarySink<'o> {
    /// Prints to `output`, for people on `device` or as JSON.
    pub fn new(output: &'o mut Output, device: Option<Device>) -> Self {
        Self { output, device, summary: Summary::default(), about: None }
    }

    fn document(&self) -> Document {
        let mut rows = vec![];
        for protocol in Protocol::ALL {
            for (state, total) in self.summary.states(protocol) {
                let of = |family| self.summary.count(protocol, family, state).to_string();
                let [v4, v6] = Family::INET.map(of);
                rows.push(vec![
                    protocol.name().to_owned(),
                    state.name().to_owned(),
                    v4,
                    v6,
                    total.to_string(),
                ]);
            }
        }
        let heads = ["Proto", "State", ">IPv4", ">IPv6", ">Sockets"].map(str::to_owned).to_vec();
        Document { blocks: vec![Block::Table { heads, rows }] }
    }
}

impl RowSink for SummarySink<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        self.about = Some(about.clone());
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        self.summary.add(row.socket);
        Ok(())
    }

    fn end(&mut self, late: &[Gap]) -> io::Result<()> {
        match (self.device, &mut self.about) {
            (Some(device), _) => {
                self.output.buffer.extend(self.document().render(device).as_bytes());
            }
            (None, Some(about)) => {
                about.gaps.extend_from_slice(late);
                // What was not asked for has no total, which is not that there is none.
                let asked = [Protocol::Tcp, Protocol::Udp];
                let totals = asked.map(|p| (p.name(), self.summary.total(p))).into();
                let figures = Figures { counts: self.summary.counts(), totals };
                head::report(&mut self.output.buffer, SCHEMA, about, &figures)?;
            }
            (None, None) => {}
        }
        self.output.flush()
    }
}
