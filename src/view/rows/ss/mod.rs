//! `--format ss`: byte for byte what ss of iproute2 6.1.0 prints into a pipe.
//!
//! Found out by running it, a switch and a kind of socket at a time; `tests/it/ss_text.rs` runs it
//! again. Where it is wrong on purpose is in the manual.

mod brief;
mod chunks;
mod column;
mod compatible;
mod extended;
mod inet;
mod layout;
mod line;
mod mptcp;
mod netlink;
mod number;
mod numbered;
mod owners;
mod packet;
mod queues;
mod sctp;
pub mod summary;
mod tcp;
mod tipc;
mod unix;
mod vsock;
mod xdp;

use crate::{
    collect::sink::RowSink,
    field::{need::Need, row::Row},
    model::{about::About, family::FamilyFacts, gap::Gap},
    view::output::Output,
};
use column::Column;
use layout::Layout;
use std::io;

/// The version whose text this is.
pub const VERSION: &str = "iproute2-6.1.0";

/// What a listing of ss shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of ss")]
pub struct Shown {
    /// Whether only one table is listed: then it has no name.
    pub one_table: bool,
    /// Whether only one state can come: then it is not told.
    pub one_state: bool,
    /// Headings.
    pub heading: bool,
    /// Both queues.
    pub queues: bool,
    /// `-n`: ports and rates as numbers.
    pub numeric: bool,
    /// `-O`: details on the same line.
    pub oneline: bool,
    /// `-o`, also with `-e`: timers, and the options of TCP.
    pub timers: bool,
    /// `-e`: user, inode, cookie, mark, cgroup, open directions.
    pub identity: bool,
    /// `-m`.
    pub memory: bool,
    /// `-i`.
    pub info: bool,
    /// `-p`, also with `-T`.
    pub processes: bool,
    /// `-T`: threads of processes.
    pub threads: bool,
    /// `-Z`, also with `-z`: SELinux contexts of processes.
    pub contexts: bool,
    /// `-z`: SELinux contexts of sockets.
    pub socket_contexts: bool,
    /// `-b`: BPF programs of packet sockets.
    pub filters: bool,
    /// `--tos`.
    pub traffic_class: bool,
    /// `--cgroup`.
    pub cgroup: bool,
    /// `--inet-sockopt`.
    pub options: bool,
    /// `--tipcinfo`.
    pub tipc: bool,
}

impl Shown {
    /// Whether rows end with their ends, and those are numbers.
    fn is_plain(self) -> bool {
        let Self { one_table, one_state, heading, queues, .. } = self;
        let plain =
            Self { one_table, one_state, heading, queues, numeric: true, ..Self::default() };
        // Alone, `-O` has nothing to join.
        Self { oneline: false, ..self } == plain
    }

    /// What it costs.
    pub fn need(self) -> Need {
        let info = Need::TCP_INFO.with(Need::CONGESTION).with(Need::ALGORITHM);
        let unasked = if self.is_plain() { Need::V6ONLY } else { Need::UNASKED };
        [
            (self.processes, Need::OWNERS),
            (self.threads, Need::THREADS),
            (self.contexts, Need::CONTEXTS),
            (self.socket_contexts, Need::SOCKET_CONTEXTS),
            (self.info, info),
            (self.memory, Need::MEMORY),
            (self.traffic_class, Need::TOS.with(Need::TRAFFIC_CLASS)),
            (self.identity || self.cgroup, Need::CGROUPS),
            (self.identity, Need::FAMILY_DETAILS.with(Need::MARK)),
            (self.filters, Need::FILTERS),
        ]
        .into_iter()
        .filter(|(shown, _)| *shown)
        .fold(Need::INTERFACES.with(unasked), |sum, (_, need)| sum.with(need))
    }
}

/// A listing in the words of ss.
pub struct SsText<'o> {
    output: &'o mut Output,
    shown: Shown,
    /// Whether nothing may stand behind the ends, and those are numbers.
    is_plain: bool,
    layout: Layout,
}

impl<'o> SsText<'o> {
    /// Writes to `output`.
    ///
    /// On a terminal of `screen` columns they are spread as ss spreads them; `None`: a pipe.
    pub fn new(output: &'o mut Output, shown: Shown, screen: Option<usize>) -> Self {
        let mut hidden = vec![];
        if shown.one_table {
            hidden.push(Column::Netid);
        }
        if shown.one_state {
            hidden.push(Column::State);
        }
        if !shown.queues {
            hidden.extend([Column::RecvQueue, Column::SendQueue]);
        }
        // On a terminal cells may be wider than their columns.
        let is_plain = shown.is_plain() && screen.is_none();
        Self { output, shown, is_plain, layout: Layout::without(&hidden, screen) }
    }
}

impl RowSink for SsText<'_> {
    fn begin(&mut self, _: &About) -> io::Result<()> {
        if self.shown.heading {
            self.layout.head();
        }
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> io::Result<()> {
        let (layout, shown) = (&mut self.layout, self.shown);
        match row.socket.family_facts.as_deref() {
            Some(FamilyFacts::Unix(unix)) => unix::row(layout, row, unix, shown),
            Some(FamilyFacts::Packet(packet)) => packet::row(layout, row, packet, shown),
            Some(FamilyFacts::Netlink(netlink)) => netlink::row(layout, row, netlink, shown),
            Some(FamilyFacts::Vsock(vsock)) => vsock::row(layout, row, vsock, shown),
            Some(FamilyFacts::Xdp(xdp)) => xdp::row(layout, row, xdp, shown),
            Some(FamilyFacts::Tipc(tipc)) => tipc::row(layout, row, tipc, shown),
            _ if self.is_plain && row.context.resolver.is_none() && layout.brief(row.socket) => {}
            _ => inet::row(layout, row, shown),
        }
        if self.layout.end_row() {
            self.layout.print_part(self.output)?;
        }
        Ok(())
    }

    fn end(&mut self, _: &[Gap]) -> io::Result<()> {
        self.layout.print(self.output)?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests;
