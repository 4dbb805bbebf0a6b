//! What is going on here: counts, listeners, the busiest peers and processes.

use super::{
    capacity::{
        estimate::Estimate,
        limit::{Limit, LimitId},
    },
    listening::{self, Holder, Listener},
    notable::{self, Notable},
    summary::{Count, Summary},
    time_wait::{self, verdict::Verdict},
};
use crate::model::{
    name::Name, outline::Outline, protocol::Protocol, snapshot::Snapshot, state::State,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// The overview.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// Sockets by protocol, family and state.
    pub counts: Vec<Count>,
    /// What listens, fullest accept queue first, then most connections.
    pub listeners: Vec<Listener>,
    /// Peers with the most connections.
    pub peers: Vec<Peer>,
    /// Processes with the most connections; empty where no owner is known.
    pub processes: Vec<Holder>,
    /// TIME_WAIT in a line.
    pub time_wait: Closed,
    /// The limit nearest to its end. `None`: no limit in use is known.
    pub nearest_limit: Option<Nearest>,
    /// The worst thing a glance notices. `None`: nothing.
    pub worst: Option<Notable>,
    /// The same counts, for the page.
    #[serde(skip)]
    pub summary: Summary,
}

/// TIME_WAIT in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// Sockets in TIME_WAIT.
    pub total: u32,
    /// `tcp_max_tw_buckets`. `None`: it could not be read.
    pub limit: Option<u64>,
    /// Of those, on the side of a listener, where they use no port.
    pub server_side: u32,
    /// Whether any of it harms.
    pub verdict: Verdict,
}

/// A limit near its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nearest {
    /// Which.
    pub id: &'static str,
    /// Of what: a process, a destination, the machine.
    pub subject: String,
    /// How many are in use.
    pub used: u64,
    /// How many there may be.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// Used part, in percent.
    pub used_percent: u64,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Address.
    pub address: IpAddr,
    /// Connections that are open.
    pub connections: u64,
}

/// Makes the overview, at most `most` lines of each kind.
pub fn of(snapshot: &Snapshot, most: usize) -> Overview {
    let summary = Summary::of(snapshot.sockets.iter().map(Outline::socket));
    let mut per_port: BTreeMap<u16, Vec<IpAddr>> = BTreeMap::new();
    let mut per_peer: HashMap<IpAddr, u64> = HashMap::new();
    let mut per_process: HashMap<&[u8], (u32, u64)> = HashMap::new();
    for socket in snapshot.sockets.iter().filter(|s| is_open(s)) {
        per_port.entry(socket.local.port).or_default().push(socket.local.address);
        if let Some(peer) = socket.peer() {
            *per_peer.entry(peer.address.to_canonical()).or_default() += 1;
        }
        let names: BTreeSet<(&[u8], u32)> = socket
            .inode()
            .into_iter()
            .flat_map(|inode| snapshot.owners.holders(inode))
            .map(|(process, _)| (process.command.as_slice(), process.pid))
            .collect();
        let mut last = None;
        for (command, pid) in names {
            if last != Some(command) {
                let entry = per_process.entry(command).or_insert((pid, 0));
                *entry = (entry.0.min(pid), entry.1 + 1);
            }
            last = Some(command);
        }
    }
    let mut listeners: Vec<Listener> = snapshot
        .sockets
        .iter()
        .filter_map(|s| listening::listener(snapshot, s, &per_port))
        .collect();
    listeners.sort_by_key(|l| {
        (std::cmp::Reverse((l.accept_queue, l.connections)), l.local_port, l.local_address)
    });
    // The worst group is named.
    let closes = time_wait::of(snapshot, Some(1));
    // A report without a question always has an answer.
    let estimate = Estimate::of(snapshot, None, &[]).ok();
    let tightest = estimate.as_ref().and_then(Estimate::tightest);
    let worst = notable::worst(&listeners, &closes, tightest);
    listeners.truncate(most);
    let peer = |(address, connections)| Peer { address, connections };
    let holder = |(command, (pid, connections)): (&[u8], (u32, u64))| Holder {
        pid,
        command: Name(command.to_vec()),
        connections,
    };
    Overview {
        counts: summary.counts(),
        listeners,
        peers: largest(per_peer.into_iter().map(peer), most, |p| (p.connections, p.address)),
        processes: largest(per_process.into_iter().map(holder), most, |h| (h.connections, h.pid)),
        time_wait: Closed {
            total: closes.total,
            limit: closes.limit,
            server_side: closes.server_side,
            verdict: closes.verdict,
        },
        nearest_limit: tightest.and_then(|(limit, percent)| nearest(limit, percent)),
        worst,
        summary,
    }
}

fn nearest(limit: &Limit, used_percent: u64) -> Option<Nearest> {
    Some(Nearest {
        id: LimitId::name(limit.id),
        subject: limit.subject.clone(),
        used: limit.used?,
        value: limit.value?,
        unit: limit.unit,
        used_percent,
    })
}

/// Whether a connection is open: a process can still use it, or will.
fn is_open(socket: &Outline) -> bool {
    socket.protocol == Protocol::Tcp
        && matches!(socket.state, State::Established | State::CloseWait | State::SynSent)
}

/// The largest by a key, at most so many.
fn largest<T, K: Ord>(all: impl Iterator<Item = T>, most: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| std::cmp::Reverse(key(one)));
    all.truncate(most);
    all
}
