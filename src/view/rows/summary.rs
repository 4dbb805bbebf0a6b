//! `sockeye summary`: how many sockets by protocol, family and state, in each network namespace. No
//! row is kept.

use crate::{
    collect::sink::RowSink,
    field::row::Row,
    model::{
        about::About,
        gap::Gap,
        netns::{Netns, NetnsIndex},
        protocol::{Family, Protocol},
    },
    report::summary::{Count, Summary},
    view::{
        document::{Block, Document},
        escape, head,
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
    /// Whether several namespaces were asked for, so that the table names them.
    several: bool,
    /// One namespace after the other: a row is mostly of the last.
    by_netns: Vec<(NetnsIndex, Netns, Summary)>,
    /// What was asked for.
    protocols: Vec<Protocol>,
    about: Option<About>,
}

#[derive(Serialize)]
struct Figures {
    counts: Vec<Counts>,
    /// Sockets by protocol.
    totals: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Counts {
    netns: Netns,
    #[serde(flatten)]
    count: Count,
}

impl<'o> SummarySink<'o> {
    /// Prints to `output`, for people on `device` or as JSON.
    pub fn new(
        output: &'o mut Output,
        device: Option<Device>,
        several: bool,
        protocols: Vec<Protocol>,
    ) -> Self {
        Self { output, device, several, protocols, by_netns: vec![], about: None }
    }

    fn document(&self) -> Document {
        let mut rows = vec![];
        for (_, netns, summary) in &self.by_netns {
            for protocol in Protocol::ALL {
                for (state, total) in summary.states(protocol) {
                    let of = |family| {
                        if protocol.is_inet() {
                            summary.count(protocol, family, state).to_string()
                        } else {
                            "-".to_owned()
                        }
                    };
                    let [v4, v6] = Family::INET.map(of);
                    let (protocol, state) = (protocol.name().to_owned(), state.name().to_owned());
                    let mut row = vec![protocol, state, v4, v6, total.to_string()];
                    if self.several {
                        row.insert(0, escape::shown(netns.title().as_bytes()));
                    }
                    rows.push(row);
                }
            }
        }
        let heads = ["Netns", "Proto", "State", ">IPv4", ">IPv6", ">Sockets"];
        let heads = heads.into_iter().skip(usize::from(!self.several)).map(str::to_owned).collect();
        Document { blocks: vec![Block::Table { heads, rows }] }
    }

    fn figures(&self, about: &About) -> Figures {
        let mut figures = Figures { counts: vec![], totals: BTreeMap::new() };
        for (_, netns, summary) in &self.by_netns {
            let counts = summary.counts().into_iter();
            figures.counts.extend(counts.map(|count| Counts { netns: netns.clone(), count }));
        }
        // What nobody told has no total, which is not that there is none.
        let untold = |p: &&Protocol| about.gaps.iter().any(|gap| gap.untold.contains(p));
        for protocol in self.protocols.iter().filter(|p| !untold(p)).copied() {
            let total = self.by_netns.iter().map(|(.., summary)| summary.total(protocol)).sum();
            figures.totals.insert(protocol.name(), total);
        }
        figures
    }
}

impl RowSink for SummarySink<'_> {
    fn begin(&mut self, about: &About) -> io::Result<()> {
        self.about = Some(about.clone());
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        let netns = row.socket.netns;
        if let Some((.., summary)) = self.by_netns.iter_mut().rfind(|(at, ..)| *at == netns) {
            summary.add(row.socket);
            return Ok(());
        }
        let mut summary = Summary::default();
        summary.add(row.socket);
        self.by_netns.push((netns, row.netns().cloned().unwrap_or_default(), summary));
        Ok(())
    }

    fn end(&mut self, late: &[Gap]) -> io::Result<()> {
        match (self.device, self.about.take()) {
            (Some(device), _) => {
                self.output.buffer.extend(self.document().render(device).as_bytes());
            }
            (None, Some(mut about)) => {
                about.gaps.extend_from_slice(late);
                let figures = self.figures(&about);
                head::report(&mut self.output.buffer, SCHEMA, &about, &figures)?;
            }
            (None, None) => {}
        }
        self.output.flush()
    }
}
