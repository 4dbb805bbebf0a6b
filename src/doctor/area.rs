//! What a rule looks after: the lines of the checklist.

use super::evidence::Evidence;
use crate::model::{queues::Queues, state::State};
use serde::Serialize;

/// An area of a host's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Accept queues and SYN queues.
    Listening,
    /// Local ports for outgoing connections.
    Ports,
    /// Sockets in TIME_WAIT.
    TimeWait,
    /// Connections that do not end.
    Closing,
    /// Connections that do not begin, and peers that are gone.
    Peers,
    /// Data that does not flow, and the memory it takes.
    Data,
    /// Descriptors and other limits of processes.
    Limits,
    /// Connection tracking and neighbours: tables of the kernel.
    Tables,
    /// Settings, and what could not be seen.
    Settings,
}

impl Area {
    /// Every area, in the order of the checklist.
    pub const ALL: [Self; 9] = [
        Self::Listening,
        Self::Ports,
        Self::TimeWait,
        Self::Closing,
        Self::Peers,
        Self::Data,
        Self::Limits,
        Self::Tables,
        Self::Settings,
    ];

    /// Its name in the checklist.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Ports => "outgoing ports",
            Self::TimeWait => "TIME_WAIT",
            Self::Closing => "closing",
            Self::Peers => "peers and paths",
            Self::Data => "data and memory",
            Self::Limits => "descriptors",
            Self::Tables => "kernel tables",
            Self::Settings => "settings",
        }
    }

    /// The figure that is worth a glance when all is well. Empty: nothing is known.
    pub fn figure(self, evidence: &Evidence<'_>) -> String {
        match self {
            Self::Listening => listening(evidence),
            Self::Ports => ports(evidence),
            Self::TimeWait => {
                let total = evidence.in_state(State::TimeWait).count();
                match evidence.setting("net.ipv4.tcp_max_tw_buckets") {
                    Some(limit) => format!("{total} of {limit}"),
                    None => format!("{total}"),
                }
            }
            Self::Closing => {
                let of = |state| evidence.in_state(state).count();
                format!("{} CLOSE_WAIT, {} FIN_WAIT_2", of(State::CloseWait), of(State::FinWait2))
            }
            Self::Peers => retransmitted(evidence),
            Self::Data => memory(evidence),
            Self::Limits => descriptors(evidence),
            Self::Tables => tables(evidence),
            Self::Settings => {
                let settings = &evidence.snapshot.settings;
                format!("{} read", settings.values.len())
            }
        }
    }
}

fn listening(evidence: &Evidence<'_>) -> String {
    let queues = evidence.in_state(State::Listen).map(|socket| match socket.queues() {
        Queues::Listen { accept_queue, limit } => (accept_queue, limit),
        _ => (0, None),
    });
    let count = queues.clone().count();
    let part = |(queue, limit): &(u32, Option<u32>)| {
        u64::from(*queue) * 1_000_000 / u64::from(limit.unwrap_or(u32::MAX)).saturating_add(1)
    };
    let listeners = if count == 1 { "listener" } else { "listeners" };
    match queues.max_by_key(part) {
        Some((queue, Some(limit))) => {
            format!("{count} {listeners}, fullest queue {queue} of {limit}")
        }
        Some((queue, None)) => format!("{count} {listeners}, fullest queue {queue}"),
        None => "no listener".to_owned(),
    }
}

fn ports(evidence: &Evidence<'_>) -> String {
    match (evidence.destinations().first(), evidence.usable_ports()) {
        (Some(fullest), Some(usable)) => {
            format!("{} of {usable} to {}", fullest.ports.taken(), fullest.peer)
        }
        (None, Some(usable)) => format!("{usable} for each destination, few in use"),
        _ => String::new(),
    }
}

fn retransmitted(evidence: &Evidence<'_>) -> String {
    let established = evidence.in_state(State::Established).count();
    let sent = evidence.growth("Tcp.OutSegs").map_or(0, |grown| grown.count);
    let again = evidence.growth("Tcp.RetransSegs").map_or(0, |grown| grown.count);
    let mut text = format!("{established} ESTABLISHED");
    if let Some(tenths) = (again * 1000).checked_div(sent) {
        let more = format!(", {}.{} % sent again", tenths / 10, tenths % 10);
        text.push_str(&more);
    }
    text
}

fn memory(evidence: &Evidence<'_>) -> String {
    let pages = evidence.gauge("sockstat.TCP.mem");
    let most = evidence.snapshot.settings.number_at("net.ipv4.tcp_mem", 2);
    match (pages, most) {
        (Some(pages), Some(most)) => format!("{pages} of {most} pages of TCP memory"),
        (Some(pages), None) => format!("{pages} pages of TCP memory on the host"),
        _ => String::new(),
    }
}

fn descriptors(evidence: &Evidence<'_>) -> String {
    // Of equally full ones that with most; one that has none, as threads of the kernel, is no news.
    let fullest = evidence.descriptor_use().iter().filter(|used| used.open > 0);
    let fullest = fullest.max_by_key(|used| (used.per_mille(), used.open));
    fullest.map_or_else(String::new, |used| {
        format!("fullest {} {} of {}", used.party.text(), used.open, used.limit)
    })
}

fn tables(evidence: &Evidence<'_>) -> String {
    let count = evidence.setting("net.netfilter.nf_conntrack_count");
    let most = evidence.setting("net.netfilter.nf_conntrack_max");
    let neighbours = evidence.gauge("arp_cache.entries");
    let mut parts = vec![];
    if let (Some(count), Some(most)) = (count, most) {
        parts.push(format!("conntrack {count} of {most}"));
    }
    if let Some(entries) = neighbours {
        parts.push(format!("{entries} neighbours"));
    }
    parts.join(", ")
}
