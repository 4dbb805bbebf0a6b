//! Listeners: how many connections their processes can hold.

use super::{
    acceptors,
    limit::{Binding, Limit, LimitId, Scope},
    processes, syn_queue,
};
use crate::model::{
    endpoint::Endpoint, name::Name, outline::Outline, ports::PortSet, protocol::Protocol,
    queues::Queues, snapshot::Snapshot, state::State,
};
use hashbrown::HashMap;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// A listening address; several sockets may share it (SO_REUSEPORT).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Address; `0.0.0.0` and `::` are every one.
    pub local_address: IpAddr,
    /// Port.
    pub local_port: u16,
    /// Who holds it.
    pub processes: Vec<Holder>,
    /// Connections that were accepted and are open.
    pub in_use: u64,
    /// How many accepted connections are possible in all.
    pub effective_max: Option<u64>,
    /// How many more can be accepted.
    pub remaining: Option<u64>,
    /// Lower end of `remaining`; the same where it is exact.
    pub remaining_low: Option<u64>,
    /// The limit that is met first.
    pub binding_limit: Option<LimitId>,
    /// Connections that wait for accept().
    pub accept_queue: u32,
    /// The backlog in force; one more fits. `None`: /proc does not tell.
    pub accept_queue_limit: Option<u32>,
    /// Handshakes that were begun and not ended.
    pub syn_queue: u64,
    /// How many of these it takes before cookies, or dropped SYNs. `None`: /proc does not tell.
    pub syn_queue_limit: Option<u64>,
    /// What is taken for granted of its processes.
    #[serde(skip)]
    pub assumptions: Vec<String>,
    /// Why a figure is an interval.
    #[serde(skip)]
    pub uncertainty: Vec<String>,
    /// The limits, each.
    #[serde(skip)]
    pub limits: Vec<Limit>,
}

/// A process that holds a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Command.
    pub command: Name,
}

/// The listeners, by address and port.
pub fn list(snapshot: &Snapshot, host: &[Limit]) -> Vec<Listener> {
    let tcp = || snapshot.sockets.iter().filter(|s| s.protocol == Protocol::Tcp);
    let mut listening: BTreeMap<Endpoint, Vec<&Outline>> = BTreeMap::new();
    for socket in tcp().filter(|s| s.state == State::Listen) {
        listening.entry(socket.local).or_default().push(socket);
    }
    let mut connected: HashMap<u16, Vec<&Outline>> = HashMap::new();
    let mut ports = PortSet::empty();
    for local in listening.keys() {
        ports.insert(local.port);
    }
    // Clients have a port each, and are nobody's here.
    for socket in tcp().filter(|s| s.peer().is_some() && ports.contains(s.local.port)) {
        connected.entry(socket.local.port).or_default().push(socket);
    }
    let specific: BTreeSet<Endpoint> = listening.keys().copied().collect();
    listening
        .into_iter()
        .map(|(local, sockets)| {
            let mut served_by_it = Served::default();
            let served = connected.get(&local.port).map(Vec::as_slice).unwrap_or_default();
            // Mostly the next one has the same address.
            let mut met: Option<(IpAddr, bool)> = None;
            let mut is_its = |socket: &Outline| {
                let address = socket.local.address;
                let known = met.filter(|(met, _)| *met == address);
                let its = known.map_or_else(|| belongs(socket, local, &specific), |(_, its)| its);
                met = Some((address, its));
                its
            };
            for socket in served.iter().filter(|s| is_its(s)) {
                served_by_it.add(socket, snapshot);
            }
            listener(snapshot, local, &sockets, &served_by_it, host)
        })
        .collect()
}

/// The connections of a listener.
#[derive(Default)]
struct Served {
    /// By client, in every state.
    clients: HashMap<IpAddr, u64>,
    /// Accepted and open.
    in_use: u64,
    /// Handshakes not ended.
    begun: u64,
    /// Processes that hold one.
    holders: BTreeSet<u32>,
}

impl Served {
    fn add(&mut self, socket: &Outline, snapshot: &Snapshot) {
        *self.clients.entry(socket.remote.address.to_canonical()).or_default() += 1;
        self.begun += u64::from(socket.state == State::SynRcvd);
        // One without an inode waits in the accept queue, or has been closed.
        if let Some(inode) = socket.inode() {
            self.in_use += 1;
            self.holders.extend(snapshot.owners.holders(inode).map(|(process, _)| process.pid));
        }
    }
}

/// Whether a connection was accepted by this listener: the most specific address wins.
fn belongs(socket: &Outline, listener: Endpoint, all: &BTreeSet<Endpoint>) -> bool {
    let exact = Endpoint::new(socket.local.address, listener.port);
    let canonical = Endpoint::new(socket.local.address.to_canonical(), listener.port);
    if listener.is_wildcard() {
        let more_specific = all.contains(&exact) || all.contains(&canonical);
        let same_family = listener.address.is_ipv4() == socket.local.address.is_ipv4();
        !more_specific && same_family
    } else {
        listener == exact || listener == canonical
    }
}

fn listener(
    snapshot: &Snapshot,
    local: Endpoint,
    sockets: &[&Outline],
    served: &Served,
    host: &[Limit],
) -> Listener {
    let holders = |socket: &&Outline| {
        socket
            .inode()
            .into_iter()
            .flat_map(|inode| snapshot.owners.holders(inode))
            .collect::<Vec<_>>()
    };
    let mut found: BTreeMap<u32, Name> = BTreeMap::new();
    for (process, _) in sockets.iter().flat_map(holders) {
        found.insert(process.pid, Name(process.command.clone()));
    }
    let pids: BTreeSet<u32> = found.keys().copied().collect();
    let acceptors = acceptors::of(snapshot, &pids, &served.holders);
    let mut limits: Vec<Limit> = acceptors.descriptors.into_iter().collect();
    if limits.is_empty() {
        let mut unknown =
            Limit::new(LimitId::RlimitNofile, Scope::Process, local.to_string(), "descriptors");
        unknown.error_at_limit = Some("EMFILE");
        unknown.unknown = Some("its process, or the descriptors of it, cannot be seen".to_owned());
        limits.push(unknown);
    }
    let mut seen = BTreeSet::new();
    for process in pids.iter().filter_map(|pid| snapshot.limits.process(*pid)) {
        for limit in processes::cgroups(process, &snapshot.limits) {
            if seen.insert((limit.id, limit.subject.clone())) {
                limits.push(limit);
            }
        }
    }
    let exempt = !pids.is_empty()
        && pids.iter().all(|pid| {
            snapshot.limits.process(*pid).is_some_and(|p| p.exempt_from_file_max == Some(true))
        });
    limits.extend(host.iter().filter(|limit| !(exempt && limit.id == LimitId::FsFileMax)).cloned());
    let (mut queue, mut most) = (0, Some(0));
    for socket in sockets {
        if let Queues::Listen { accept_queue, limit } = socket.queues() {
            queue += accept_queue;
            most = most.zip(limit).map(|(sum, limit)| sum + limit);
        }
    }
    let binding = Binding::of(&limits);
    limits.push(waiting(local, sockets.len(), queue, most));
    let begun = syn_queue::limit(snapshot, local, sockets.len(), served.begun, most);
    let syn_queue_limit = begun.value;
    limits.push(begun);
    limits.extend(busiest_client(local, &served.clients));
    let in_use = served.in_use;
    Listener {
        local_address: local.address,
        local_port: local.port,
        processes: found.into_iter().map(|(pid, command)| Holder { pid, command }).collect(),
        in_use,
        effective_max: binding.remaining.map(|more| in_use + more),
        remaining: binding.remaining,
        remaining_low: binding.remaining_low,
        binding_limit: binding.limit,
        accept_queue: queue,
        accept_queue_limit: most,
        syn_queue: served.begun,
        syn_queue_limit,
        assumptions: acceptors.assumption.into_iter().collect(),
        uncertainty: acceptors.uncertainty.into_iter().collect(),
        limits,
    }
}

/// The accept queue: connections that open without the program doing anything. The queue is full
/// at its limit + 1, because the kernel compares with `>` (`sk_acceptq_is_full`).
fn waiting(local: Endpoint, sockets: usize, queue: u32, limit: Option<u32>) -> Limit {
    let value = limit.map(|limit| u64::from(limit) + sockets as u64);
    let mut waiting =
        Limit::new(LimitId::AcceptQueue, Scope::Process, local.to_string(), "connections")
            .with(value, Some(queue.into()), "listen() backlog and net.core.somaxconn, sock_diag")
            .noting("open before the program accepts them; beyond it clients get no answer");
    waiting.error_at_limit = Some("ETIMEDOUT");
    waiting.connections = waiting.free;
    waiting
}

/// Ports of the client address with the most connections: each has 65,535 towards a listener, in
/// every state, and each other address has as many.
fn busiest_client(local: Endpoint, clients: &HashMap<IpAddr, u64>) -> Option<Limit> {
    let (client, used) = clients.iter().max_by_key(|(client, used)| (**used, **client))?;
    let subject = format!("{client} to {local}");
    let mut limit = Limit::new(LimitId::ClientPorts, Scope::Netns, subject, "ports")
        .with(Some(65_535), Some(*used), "sockets")
        .noting("of the busiest client address; every other one has ports of its own");
    limit.error_at_limit = Some("EADDRNOTAVAIL");
    limit.connections = limit.free;
    Some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capacity::fixture::{self, Program};

    #[test]
    fn handshakes_count_for_the_most_specific_listener_and_for_nobody_else() {
        let mut snapshot = fixture::snapshot();
        snapshot.about.host.kernel = Some("6.18.44".to_owned());
        let begun =
            |local, port| fixture::socket(State::SynRcvd, local, &format!("10.0.0.9:{port}"), 0);
        snapshot.sockets = vec![
            fixture::listening("10.0.0.1:80", 1, 10),
            fixture::listening("0.0.0.0:80", 2, 20),
            begun("10.0.0.1:80", 1),
            begun("10.0.0.1:80", 2),
            begun("10.0.0.2:80", 3),
            begun("10.0.0.1:81", 4),
        ];
        let found = list(&snapshot, &[]);
        let figures: Vec<_> =
            found.iter().map(|l| (l.syn_queue, l.syn_queue_limit, l.in_use)).collect();
        assert_eq!(figures, [(1, Some(21), 0), (2, Some(11), 0)]);
    }

    #[test]
    fn a_server_with_a_parent_is_as_large_as_its_children() {
        let mut snapshot = fixture::snapshot();
        let program =
            |pid, parent, inodes| Program { pid, parent, command: "nginx", soft: 20_003, inodes };
        let programs = [program(10, 1, &[1]), program(11, 10, &[1, 7]), program(12, 10, &[1])];
        fixture::run(&mut snapshot, &programs);
        snapshot.sockets = vec![fixture::listening("0.0.0.0:80", 1, 10)];
        let room = |found: &[Listener]| (found[0].remaining_low, found[0].remaining);
        assert_eq!(room(&list(&snapshot, &[])), (Some(40_000), Some(60_000)));
        // Seen to accept: one child holds a connection, the parent none.
        let accepted = fixture::socket(State::Established, "10.0.0.1:80", "10.0.0.9:5", 7);
        snapshot.sockets.push(accepted);
        let found = list(&snapshot, &[]);
        assert_eq!(room(&found), (Some(40_000), Some(40_000)));
        assert_eq!(found[0].effective_max, Some(40_001));
    }
}
